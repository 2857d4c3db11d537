// A session: one experiment trained in workers, from play to its findings; figures draw its recording as it grows.
import {
  RECORDING_VERSION,
  type Experiment,
  type FigureName,
  type Measurement,
  type Recording,
  type RunSpec,
  type Trace,
} from "../types.ts";
import type { Plan, Setting } from "../wasm/cpu/l2lab_web.js";
import type { Said } from "../words/words.ts";
import { Crew, type DeviceChoice, type Phase, type Progress } from "./crew.ts";
import { saidBy } from "./told.ts";
import { analyst, ask, Crash } from "./workers.ts";

export type { DeviceChoice, Progress } from "./crew.ts";

/** Text by field name: only what differs from the figure's base. */
export type Settings = Record<string, string>;
export type State = "idle" | "loading" | "running" | "paused" | "done" | "failed";

/** Milliseconds between "change" events, and between findings while runs are under way. */
const CHANGE_EVERY = 100;
const FINDINGS_EVERY = 500;
/** Optimizer steps of each run that one press of "step" takes. */
const STEP = 10;

const pairs = (settings: Settings): Setting[] => Object.entries(settings);

/** Asks the core which settings it heeds; the others are named in `problems`. */
export async function check(figure: FigureName, settings: Settings): Promise<{ settings: Settings; problems: string[] }> {
  const heeded = await ask((analyst) => analyst.heed(figure, pairs(settings)));
  return { settings: Object.fromEntries(heeded.settings), problems: heeded.problems };
}

/** Adds the data set that these files make; afterwards `data` may name it. */
export async function addData(files: readonly File[]): Promise<{ name: string; train: number; test: number }> {
  const read = async (file: File) => ({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) });
  const contents = await Promise.all(files.map(read));
  return ask((analyst) => analyst.add(contents));
}

/** Curves of infinitely wide networks, for any λ and times. */
export interface Theory {
  readonly gammas: Float64Array;
  curves(lambda: number, times: Float64Array): Promise<{ train: Float64Array; test: Float64Array; peak: number | null }>;
  /** f/y of modes over time, in a flow of homogeneity degree k. */
  modes(lambda: number, k: number, which: number[], times: Float64Array): Promise<Float64Array[]>;
}

/** The theory of an experiment. */
export async function theory(settings: Settings): Promise<Theory> {
  // It is this one that has the solution: what is asked of it after its crash fails, and is not waited for.
  const solver = analyst();
  const { experiment, problems } = await ask((analyst) => analyst.heed("theory", pairs(settings)), solver);
  if (problems[0]) throw new Error(problems[0]);
  const solution = await ask((analyst) => analyst.theory(experiment), solver);
  return {
    gammas: await ask(() => solution.gammas(), solver),
    curves: (lambda, times) => ask(() => solution.curves(lambda, times), solver),
    modes: (lambda, k, which, times) => ask(() => solution.modes(lambda, k, which, times), solver),
  };
}

/** What has been prepared of an experiment before its first step. */
interface Ready {
  readonly experiment: Experiment;
  readonly plan: Plan;
}

/** Dispatches "change" when its state, progress, recording or notice has changed. */
export class Session extends EventTarget {
  #state: State = "idle";
  #recording: Recording | null = null;
  #notice: Said | null = null;
  #problems: readonly string[] = [];
  #error: Said | null = null;
  #ready: Ready | null = null;
  #crew: Crew | null = null;
  /** Of a crew that has done its work. */
  #progress: Progress | null = null;
  /** What is at work belongs to this life; rewind and close begin another. */
  #life = 0;
  /** Steps that each run may take before it pauses by itself. */
  #most = Infinity;
  #working = false;
  /** Its workers are to be freed when it is paused. */
  #tired = false;
  #announced = 0;
  #announcement: ReturnType<typeof setTimeout> | undefined;
  #foundAt = 0;
  /** Runs of the grid that had ended when the latest findings were asked for: when all have, what is found is final. */
  #settled: ReadonlySet<number> = new Set();

  constructor(
    readonly figure: FigureName,
    readonly settings: Settings,
    readonly device: DeviceChoice = "auto",
  ) {
    super();
  }

  get state(): State {
    return this.#state;
  }

  get recording(): Recording | null {
    return this.#recording;
  }

  get progress(): Progress | null {
    return this.#crew?.progress ?? this.#progress;
  }

  /** The numbers of those runs of the grid of which what is found is final. */
  get settled(): ReadonlySet<number> {
    return this.#settled;
  }

  /** One sentence for the reader. */
  get notice(): Said | null {
    return this.#notice;
  }

  /** What is wrong with settings that were left out. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  /** What happened and what to do, in state "failed". */
  get error(): Said | null {
    return this.#error;
  }

  play(): void {
    this.#most = Infinity;
    void this.#work();
  }

  /** A few steps of every run, then a pause. */
  step(): void {
    this.#most = STEP;
    void this.#work();
  }

  pause(): void {
    if (this.#state === "running" || this.#state === "loading") this.#become("paused");
  }

  /** Frees the workers of a paused session; it goes on exactly where it was. */
  rest(): void {
    this.#tired = true;
    const still = () => this.#state === "paused" && this.#tired;
    if (still()) void this.#crew?.rest(still);
  }

  /** Back to the same initial weights. */
  rewind(): void {
    this.#end();
    this.#progress = null;
    this.#recording = null;
    this.#notice = this.#error = null;
    this.#become("idle");
  }

  /** Ends everything and frees its workers. */
  close(): void {
    this.#end();
    clearTimeout(this.#announcement);
  }

  #end(): void {
    this.#life++;
    this.#working = false;
    this.#crew?.dismiss();
    this.#crew = null;
  }

  #become(state: State): void {
    this.#state = state;
    this.#announce(true);
  }

  #announce(now = false): void {
    clearTimeout(this.#announcement);
    const wait = now ? 0 : this.#announced + CHANGE_EVERY - performance.now();
    const tell = () => {
      this.#announced = performance.now();
      this.dispatchEvent(new Event("change"));
    };
    if (wait <= 0) tell();
    else this.#announcement = setTimeout(tell, wait);
  }

  async #work(): Promise<void> {
    if (this.#state === "done" || this.#state === "failed") return;
    const life = this.#life;
    this.#tired = false;
    this.#become(this.#crew?.busy ? "running" : "loading");
    // Whoever works already goes on.
    if (this.#working) return;
    this.#working = true;
    try {
      const finished = await this.#go(() => life === this.#life);
      if (life !== this.#life || !finished) return;
      this.#progress = this.progress;
      this.#end();
      this.#become("done");
    } catch (error) {
      if (life !== this.#life) return;
      this.#end();
      // What was said on the way is no longer so.
      this.#notice = null;
      this.#error = said(error);
      this.#become("failed");
    } finally {
      if (life === this.#life) {
        this.#working = false;
        if (this.#tired) this.rest();
      }
    }
  }

  /** Works until all is done (true) or the session is paused or ended (false). */
  async #go(alive: () => boolean): Promise<boolean> {
    const going = () => alive() && (this.#state === "running" || this.#state === "loading");
    const ready = (this.#ready ??= await this.#prepare());
    if (!alive()) return false;
    const crew = (this.#crew ??= new Crew(ready.experiment, ready.plan, this.device, {
      begun: (phase, runs) => this.#reset(ready, phase, runs),
      measured: (phase, run, measurement) => this.#record(phase, run, measurement),
      ended: (phase, run, end) => {
        const trace = this.#traces(phase)[run];
        if (trace) trace.end = end;
      },
      worked: () => {
        // A new object, so that figures see that it has grown.
        if (this.#recording) this.#recording = { ...this.#recording };
        this.#announce();
        // What goes wrong with these goes wrong with the last ones too, which are waited for.
        if (performance.now() - this.#foundAt > FINDINGS_EVERY) this.#find(ready, alive).catch(() => undefined);
      },
      notice: (said) => {
        this.#notice = said;
        this.#announce();
      },
    }));
    if (!crew.busy) await crew.begin("grid", ready.plan.runs);
    while (going()) {
      if (this.#state === "loading") this.#become("running");
      // A step asked for in mid-run ends it, and play lets steps go on.
      const most = this.#most;
      const complete = await crew.work(() => going() && this.#most === most, most);
      if (!alive()) return false;
      await this.#find(ready, alive);
      if (!complete) {
        if (going() && this.#most === most && most < Infinity) this.#become("paused");
        continue;
      }
      // Where nothing of it is shown, nothing is trained for it.
      const shown = this.figure !== "auto" && this.figure !== "limits";
      const forecast = shown ? this.#recording?.findings.forecast : null;
      if (crew.phase === "verify" || !forecast) return alive();
      await crew.begin("verify", await ask((analyst) => analyst.forecastRuns(ready.experiment, forecast)));
    }
    return false;
  }

  async #prepare(): Promise<Ready> {
    const { experiment, problems } = await ask((analyst) => analyst.heed(this.figure, pairs(this.settings)));
    this.#problems = problems;
    return { experiment, plan: await ask((analyst) => analyst.plan(experiment)) };
  }

  /** Empties what was recorded of a phase: its runs begin. */
  #reset({ experiment, plan }: Ready, phase: Phase, runs: readonly RunSpec[]): void {
    const empty = runs.map((run): Trace => ({ run, points: [], end: null }));
    if (phase === "grid") this.#settled = new Set();
    if (phase === "verify" && this.#recording) {
      this.#recording = { ...this.#recording, verification: empty };
      return;
    }
    this.#recording = {
      version: RECORDING_VERSION,
      command: null,
      device: "browser",
      experiment,
      model: plan.model,
      traces: empty,
      verification: [],
      findings: { runs: [], cells: [], fits: {}, refusals: {}, collapse: null, tolerance: 0, forecast: null, scores: [], regret: null },
    };
  }

  #record(phase: Phase, run: number, measurement: Measurement): void {
    const points = this.#traces(phase)[run]?.points;
    const last = points?.at(-1);
    // A run that began again after a crash measures the same once more.
    if (points && (!last || measurement.step > last.step)) points.push(measurement);
  }

  #traces(phase: Phase): Trace[] {
    return (phase === "grid" ? this.#recording?.traces : this.#recording?.verification) ?? [];
  }

  /** Asks for what the traces say by now. */
  async #find({ experiment, plan }: Ready, alive: () => boolean): Promise<void> {
    const recording = this.#recording;
    if (!recording) return;
    this.#foundAt = Infinity;
    const { traces, verification } = recording;
    const ended = new Set(traces.flatMap((t, i) => (t.end === null ? [] : [i])));
    try {
      const examples = plan.images.train.labels.length;
      const find = () => ask((analyst) => analyst.findings(experiment, examples, traces, verification));
      // After a crash another one does it.
      const findings = await find().catch((error: unknown) => {
        if (error instanceof Crash) return find();
        throw error;
      });
      if (alive() && this.#recording?.traces === traces) {
        this.#recording = { ...this.#recording, findings };
        this.#settled = ended;
        this.#announce();
      }
    } finally {
      this.#foundAt = performance.now();
    }
  }
}

/** What happened and what to do, for a reader. */
function said(error: unknown): Said {
  if (!(error instanceof Crash)) return saidBy(error);
  if (error.memory) return ({ lab }) => lab.memory;
  const what = error.message.replace(/\.$/, "");
  const why = location.protocol === "file:" ? "file" : /\bCSP\b|Content Security/i.test(what) ? "policy" : WebAssembly.validate(SIMD) ? "script" : "old";
  return ({ lab }) => lab.cannotStart[why](what);
}

/** The smallest module with an instruction on 128 bits. */
const SIMD = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11);
