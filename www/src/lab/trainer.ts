// A worker that trains: it owns a wasm instance and its runs, and does nothing unless asked for a slice of work.
import { expose } from "comlink";
import type { Experiment, RunSpec } from "../types.ts";
import type { Ended, Images, Measured, Processor, Training } from "../wasm/cpu/l2lab_web.js";

export type DeviceName = "cpu" | "gpu";

/** Runs that are trained together; `indices` are their numbers in the experiment. */
export interface Stack {
  readonly indices: readonly number[];
  readonly runs: RunSpec[];
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
  readonly stack: Stack;
  readonly training: Training;
  active: number;
}

/** Milliseconds and steps between looks at the clock; a GPU only queues its steps, so it is asked for few. */
const STRIDE = 5;
const MOST_STEPS = 64;

class Trainer {
  #processor: Processor | undefined;
  #stacks: Stacked[] = [];
  /** Steps that take about STRIDE milliseconds. */
  #stride = 1;

  /** Loads the module and puts the images on the device. */
  async load(device: DeviceName, experiment: Experiment, images: Images): Promise<void> {
    if (device === "gpu") {
      const gpu = await import("../wasm/gpu/l2lab_web.js");
      await gpu.default();
      this.#processor = await gpu.Processor.gpu(experiment, images);
    } else {
      const cpu = await import("../wasm/cpu/l2lab_web.js");
      await cpu.default();
      this.#processor = new cpu.Processor(experiment, images);
    }
  }

  /** How far the device's first step is from the CPU's. */
  disagreement(run: RunSpec): Promise<number> {
    return this.#ready().disagreement(run);
  }

  /** Begins runs at their initial weights, and drops what there was. */
  start(stacks: Stack[]): void {
    for (const { training } of this.#stacks) training.free();
    const processor = this.#ready();
    this.#stacks = stacks.map((stack) => ({ stack, training: processor.train(stack.runs), active: stack.runs.length }));
  }

  /** Works for about `milliseconds`, or until each stack has taken `most` steps. */
  async slice(milliseconds: number, most = Infinity): Promise<Work> {
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
    const { training, stack } = stacked;
    const [began, from, runs] = [performance.now(), training.step, stacked.active];
    const slice = await training.advance(Math.min(this.#stride, most));
    const late = performance.now() >= stops;
    // A GPU has only queued its steps: their time shows here.
    if (late) await training.settle();
    const steps = slice.step - from;
    stacked.active = slice.active;
    work.steps += steps * runs;
    const number = (run: number) => stack.indices[run] ?? run;
    work.measured.push(...slice.measured.map((m) => ({ ...m, run: number(m.run) })));
    work.ended.push(...slice.ended.map((e) => ({ ...e, run: number(e.run) })));
    const perStep = (performance.now() - began) / Math.max(1, steps);
    this.#stride = Math.max(1, Math.min(MOST_STEPS, Math.floor(STRIDE / Math.max(perStep, 1e-3))));
    return late;
  }

  #ready(): Processor {
    if (!this.#processor) throw new Error("the worker has not loaded anything yet");
    return this.#processor;
  }
}

export type { Trainer };

expose(new Trainer());
