// Starts workers, and tells a worker that cannot start or has crashed from one that refuses its input.
import { releaseProxy, wrap, type Remote } from "comlink";
import type { Analyst } from "./analyst.ts";
import type { Trainer } from "./trainer.ts";

/** The worker is beyond use: it could not start, its wasm instance has stopped, or its memory is used up. */
export class Crash extends Error {
  override name = "Crash";

  constructor(
    message: string,
    readonly memory = false,
  ) {
    super(message);
  }
}

/** After a trap everything in the instance is undefined; before it could be compiled there is none; or memory is used up. */
const BEYOND_USE = ["RuntimeError", "CompileError", "LinkError", "RangeError"];

/** A worker and what it offers. */
export interface Employee<T> {
  readonly remote: Remote<T>;
  /** Waits for something that the worker was asked for. */
  settle<R>(asked: Promise<R>): Promise<R>;
  dismiss(): void;
}

function employ<T>(worker: Worker): Employee<T> {
  const remote = wrap<T>(worker);
  // Only those who wait now: a promise of the crash would keep every answer that it was ever raced with.
  const waiting = new Set<(crash: Crash) => void>();
  let crash: Crash | null = null;
  let dismissed = false;
  const fail = (what: string, memory = false) => {
    crash ??= new Crash(what, memory);
    for (const reject of waiting) reject(crash);
    waiting.clear();
  };
  worker.addEventListener("error", (event) => {
    // Told to whoever waits; not to the console too.
    event.preventDefault();
    const what = event.message.replace(/^Uncaught (\w+: )?/, "");
    fail(what || "its script could not be loaded", event.message.includes("RangeError"));
  });
  return {
    remote,
    async settle(asked) {
      let reject: (crash: Crash) => void = () => undefined;
      const crashed = new Promise<never>((_, no) => {
        reject = no;
      });
      if (crash) reject(crash);
      else waiting.add(reject);
      try {
        return await Promise.race([asked, crashed]);
      } catch (error) {
        if (error instanceof Error && BEYOND_USE.includes(error.name)) throw new Crash(error.message, error.name === "RangeError");
        throw error;
      } finally {
        waiting.delete(reject);
      }
    },
    dismiss() {
      if (dismissed) return;
      dismissed = true;
      // Comlink keeps a worker as long as there is its proxy, and the proxy would keep the worker.
      remote[releaseProxy]();
      worker.terminate();
      fail("dismissed");
    },
  };
}

const HERE = new URL(import.meta.url);
/** Whether the page is of another origin than this script, or of none (a sandboxed frame); in some bundles it has no address. */
const GUEST = /^https?:$/.test(HERE.protocol) && HERE.origin !== self.origin;

/**
 * What a worker of a guest runs: it imports the script, and keeps what it is told before that has come. Not a module with an `import`
 * at its head: without an origin browsers do not start that, and policies ask `worker-src` about it instead of `script-src`.
 */
const loader = (address: string) => `
const early = [];
const keep = (event) => early.push(event);
addEventListener("message", keep);
import(${JSON.stringify(address)}).then(() => {
  removeEventListener("message", keep);
  for (const { data, ports } of early) dispatchEvent(new MessageEvent("message", { data, ports }));
}, reportError);
`;

/** The worker that `direct` starts. A guest may not start one from another origin: then a script of its own imports that. */
function started(direct: () => Worker, file: string): Worker {
  if (!GUEST) return direct();
  const url = URL.createObjectURL(new Blob([loader(new URL(file, HERE).href)], { type: "text/javascript" }));
  const worker = new Worker(url);
  // Its script is read by the time that it first answers.
  worker.addEventListener("message", () => URL.revokeObjectURL(url), { once: true });
  return worker;
}

export function trainer(): Employee<Trainer> {
  // Written out, for bundlers to find the worker.
  return employ(started(() => new Worker(new URL("./trainer.ts", import.meta.url), { type: "module" }), "trainer.js"));
}

let shared: Employee<Analyst> | undefined;

/** The page's one analyst; a new one after a crash. */
export function analyst(): Employee<Analyst> {
  shared ??= employ<Analyst>(started(() => new Worker(new URL("./analyst.ts", import.meta.url), { type: "module" }), "analyst.js"));
  return shared;
}

/** Asks the analyst, or the one that was there before, for something that only it has. */
export async function ask<R>(question: (analyst: Remote<Analyst>) => Promise<R>, of = analyst()): Promise<R> {
  try {
    return await of.settle(question(of.remote));
  } catch (error) {
    if (error instanceof Crash) {
      of.dismiss();
      if (shared === of) shared = undefined;
    }
    throw error;
  }
}
