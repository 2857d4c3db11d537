// A worker that trains: it owns a wasm instance and its runs, and does nothing unless asked for a slice of work.
import { expose } from "comlink";
import type { Experiment, RunSpec } from "../types.ts";
import type { Ended, Images, Kept, Measured, Processor, Training } from "../wasm/cpu/l2lab_web.js";

export type DeviceName = "cpu" | "gpu";

/** Runs that are trained together; `indices` are their numbers in the experiment. */
export interface Stack {
  readonly indices: readonly number[];
  readonly runs: RunSpec[];
  /** Where they go on from; without it they are at their initial weights. */
  readonly kept?: Kept | undefined;
}

/** What a slice of work brought; runs by their numbers in the experiment. */
export interface Work {
  readonly measured: Measured[];
  readonly ended: Ended[];
  /** Steps taken, over all runs. */
  steps: number;
  /** Whether anything is left to do. */
  more: boolean;
}

interface Stacked {
  readonly indices: readonly number[];
  readonly training: Training;
  active: number;
}

/** Milliseconds and steps between looks at the clock; a GPU only queues its steps, so it is asked for few. */
const STRIDE = 5;
const MOST_STEPS = 64;
/** Pages of WebAssembly memory: an eighth of the 65536 that there can be. */
const EIGHTH = 8192;

class Trainer {
  #processor: Processor | undefined;
  #stacks: Stacked[] = [];
  /** Steps that take about STRIDE milliseconds. */
  #stride = 1;
  #memory: WebAssembly.Memory | undefined;

  constructor() {
    // A trap in the course of asynchronous work rejects nothing.
    addEventListener("error", (event) => {
      if (!(event.error instanceof WebAssembly.RuntimeError) || !this.#full()) return;
      event.preventDefault();
      setTimeout(() => {
        throw new RangeError("out of memory");
      });
    });
  }

  /** Loads the module and puts the images on the device. */
  async load(device: DeviceName, experiment: Experiment, images: Images): Promise<void> {
    if (device === "gpu") {
      const gpu = await import("../wasm/gpu/l2lab_web.js");
      this.#memory = (await gpu.default()).memory;
      // All but keeping, which it is not asked for.
      this.#processor = (await gpu.Processor.gpu(experiment, images)) as unknown as Processor;
    } else {
      const cpu = await import("../wasm/cpu/l2lab_web.js");
      this.#memory = (await cpu.default()).memory;
      this.#processor = new cpu.Processor(experiment, images);
    }
  }

  /** How far the device's first step is from the CPU's. */
  disagreement(run: RunSpec): Promise<number> {
    return this.#ready().disagreement(run);
  }

  /** Begins runs, or goes on with those that were kept, and drops what there was. */
  async start(stacks: Stack[]): Promise<void> {
    for (const { training } of this.#stacks.splice(0)) training.free();
    const processor = this.#ready();
    await this.#within(() => {
      for (const { indices, runs, kept } of stacks) {
        const training = processor.train(runs);
        if (kept) training.resume(kept);
        this.#stacks.push({ indices, training, active: training.active });
      }
    });
  }

  /** All that another worker needs to go on from here, by stack. */
  keep(): Promise<Kept[]> {
    return this.#within(async () => {
      const kept: Kept[] = [];
      for (const { training } of this.#stacks) kept.push(await training.keep());
      return kept;
    });
  }

  /** Works for about `milliseconds`, or until each stack has taken `most` steps. */
  slice(milliseconds: number, most = Infinity): Promise<Work> {
    return this.#within(() => this.#slice(milliseconds, most));
  }

  async #slice(milliseconds: number, most: number): Promise<Work> {
    const work: Work = { measured: [], ended: [], steps: 0, more: false };
    const stops = performance.now() + milliseconds;
    const limits = new Map(this.#stacks.map((s) => [s, s.training.step + most]));
    for (;;) {
      const open = this.#stacks.filter((s) => s.active > 0 && s.training.step < (limits.get(s) ?? 0));
      // The least advanced goes on, so that all runs are seen to train side by side.
      const next = open.sort((a, b) => a.training.step - b.training.step)[0];
      if (!next) break;
      const late = await this.#advance(next, work, most, stops);
      if (late) break;
    }
    work.more = this.#stacks.some((s) => s.active > 0);
    return work;
  }

  /** Some steps of one stack; true when the slice is over. */
  async #advance(stacked: Stacked, work: Work, most: number, stops: number): Promise<boolean> {
    const { training, indices } = stacked;
    const [began, from, runs] = [performance.now(), training.step, stacked.active];
    const slice = await training.advance(Math.min(this.#stride, most));
    const late = performance.now() >= stops;
    // A GPU has only queued its steps: their time shows here.
    if (late) await training.settle();
    const steps = slice.step - from;
    stacked.active = slice.active;
    work.steps += steps * runs;
    const number = (run: number) => indices[run] ?? run;
    work.measured.push(...slice.measured.map((m) => ({ ...m, run: number(m.run) })));
    work.ended.push(...slice.ended.map((e) => ({ ...e, run: number(e.run) })));
    const perStep = (performance.now() - began) / Math.max(1, steps);
    this.#stride = Math.max(1, Math.min(MOST_STEPS, Math.floor(STRIDE / Math.max(perStep, 1e-3))));
    return late;
  }

  /** Does some work; where a trap of WebAssembly comes of memory that is used up, the error says that. */
  async #within<T>(work: () => T | Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError && this.#full()) throw new RangeError("out of memory");
      throw error;
    }
  }

  /** Whether the instance's memory cannot grow by an eighth of what it may have at most. */
  #full(): boolean {
    try {
      this.#memory?.grow(EIGHTH);
      return false;
    } catch {
      return true;
    }
  }

  #ready(): Processor {
    if (!this.#processor) throw new Error("the worker has not loaded anything yet");
    return this.#processor;
  }
}

export type { Trainer };

expose(new Trainer());
