// Tells the page, by events, and a screen reader, by sentences, what happens to an experiment.
import type { Words } from "../words/words.ts";
import type { TheoryCurves } from "../types.ts";
import { tell } from "./events.ts";
import { Herald } from "./herald.ts";
import type { TheoryBench } from "./theory-bench.ts";
import type { Workbench } from "./workbench.ts";

/** Milliseconds between sentences: a screen reader is not to be talked over. */
const QUIET = 5000;

export class Reporter {
  #herald = new Herald();
  #waiting: string[] = [];
  #spokenAt = -QUIET;
  #state = "idle";
  #error: string | null = null;
  #curves: TheoryCurves | null = null;

  /** Events are dispatched from `element`. */
  constructor(readonly element: EventTarget) {}

  /** Reports what is new; what is to be said aloud is returned. `finding` says what the whole recording shows. */
  report(bench: Workbench, finding: () => string, words: Words): string | null {
    const { live: recording, state } = bench;
    const was = this.#state;
    this.#state = state;
    this.#tellError(bench.error?.(words) ?? null);
    if (!recording) {
      this.#herald.reset();
      this.#waiting = [];
      return null;
    }
    const { measurements, peaks, spoken } = this.#herald.news(recording, bench.settled, words);
    if (measurements.length > 0) tell(this.element, "l2-measurement", { measurements, recording });
    for (const peak of peaks) tell(this.element, "l2-peak", peak);
    if (state === "done") {
      this.#waiting = [];
      if (was === "done") return null;
      const found = finding();
      tell(this.element, "l2-done", { recording, finding: found });
      return words.status.ended(found);
    }
    // Where no peaks are drawn, none are spoken of.
    if (bench.figure !== "auto") this.#waiting.push(...spoken);
    if (this.#waiting.length === 0 || performance.now() - this.#spokenAt < QUIET) return null;
    const sentence = words.status.peaks(this.#waiting);
    this.#waiting = [];
    this.#spokenAt = performance.now();
    return sentence;
  }

  /** Reports what the theory's figure shows, when it is something else than before. */
  theory(bench: TheoryBench, words: Words): void {
    this.#tellError(bench.error?.(words) ?? null);
    const { lambda, k, curves } = bench.view;
    if (!curves || curves === this.#curves) return;
    this.#curves = curves;
    tell(this.element, "l2-theory", { lambda, k, t_star: curves.t_star });
  }

  /** Reports an error, once. */
  #tellError(message: string | null): void {
    if (message !== null && message !== this.#error) tell(this.element, "l2-error", { message });
    this.#error = message;
  }
}
