// The theory figure's state: its two sliders, what was recorded for them, and what the lab computes for them.
import { DEPTHS, LAMBDAS, TIMES, shownModes, type TheoryView } from "../figures/theory.ts";
import type { TheoryCurves, TheoryRecording } from "../types.ts";
import { saidBy } from "../lab/told.ts";
import type { Said } from "../words/words.ts";
import { lab, type Lab } from "./workbench.ts";
import { loadRecorded } from "./recorded.ts";
import { numbers, type Settings } from "./settings.ts";

type Solved = Awaited<ReturnType<Lab["theory"]>>;

/** Dispatches "change" when there is something new to draw. */
export class TheoryBench extends EventTarget {
  lambda = 0.03;
  k = 3;
  error: Said | null = null;

  #author: Settings = {};
  #recorded: TheoryRecording | null = null;
  #solved = new Map<number, Promise<Solved>>();
  #computed: TheoryView | null = null;
  #busy = false;
  #again = false;
  #loads = 0;

  /** The author's settings, over the theory's own; λ and the depth are where the sliders stand at first. */
  set settings(settings: Settings) {
    this.#author = settings;
    this.#solved.clear();
    const one = (name: string) => numbers(settings[name])?.filter((v) => v > 0)[0];
    [this.lambda, this.k] = [one("lambda") ?? this.lambda, one("depth") ?? this.k];
    this.#changed();
  }

  /** With the sliders as they stand. */
  get settings(): Settings {
    return { ...this.#author, lambda: String(this.lambda), depth: String(this.k) };
  }

  get busy(): boolean {
    return this.#busy;
  }

  /** Whether what is shown was computed here. */
  get live(): boolean {
    return this.#computed !== null;
  }

  get command(): string | null {
    return this.#recorded?.command ?? null;
  }

  /** Loads a recorded result when its `turn` has come; its problem, if any, is the returned sentence. */
  async load(url: string, turn: Promise<void>): Promise<Said | null> {
    const load = ++this.#loads;
    const loaded = await loadRecorded<TheoryRecording>(url, turn, ["lambdas", "k"]);
    const failed = typeof loaded === "function";
    if (load === this.#loads && !failed) {
      this.#recorded = loaded;
      if (!this.#computed) {
        if (!this.#author["depth"]) this.k = loaded.k;
        if (!this.#author["lambda"]) this.lambda = closest(this.lambda, loaded.lambdas);
      }
    }
    this.#changed();
    return failed ? loaded : null;
  }

  /** What is drawn: the latest that was computed, or before that what was recorded. */
  get view(): TheoryView {
    const { lambda, k } = this;
    if (this.#computed) return { ...this.#computed, recorded: this.#recorded };
    const known = this.#recorded?.k === k ? this.#recorded.lambdas.find((c) => c.lambda === lambda) : undefined;
    const busy = this.#busy;
    const message: Said | null = known ? null : ({ theory }) => (busy ? theory.computing : theory.noCurves);
    return { lambda, k, curves: known ?? null, gammas: this.#recorded?.gammas ?? [], recorded: this.#recorded, message };
  }

  /** Moves the sliders; what follows is computed at once, the latest position if they move faster than that. */
  set(lambda: number, k: number): void {
    [this.lambda, this.k] = [lambda, k];
    if (this.#busy) this.#again = true;
    else void this.#compute();
    this.#changed();
  }

  /** Where the λ slider can stand: its own stops and the recorded values. */
  get lambdas(): readonly number[] {
    const recorded = this.#recorded?.lambdas.map((c) => c.lambda) ?? [];
    return [...new Set([...LAMBDAS, ...recorded, this.lambda])].sort((a, b) => a - b);
  }

  /** Where the depth's slider can stand. */
  get depths(): readonly number[] {
    return [...new Set<number>([...DEPTHS, this.k])].sort((a, b) => a - b);
  }

  async #compute(): Promise<void> {
    this.#busy = true;
    do {
      this.#again = false;
      const { lambda, k } = this;
      try {
        const solved = await this.#solve(k);
        const which = shownModes(solved.gammas.length);
        const [curves, modes] = await Promise.all([solved.curves(lambda, TIMES), solved.modes(lambda, k, which, TIMES)]);
        const of: TheoryCurves = {
          lambda,
          t_star: curves.peak,
          times: Array.from(TIMES),
          train_loss: Array.from(curves.train),
          test_loss: Array.from(curves.test),
          modes: which.map((index, i) => ({ index, learned: Array.from(modes[i] ?? []) })),
        };
        this.#computed = { lambda, k, curves: of, gammas: solved.gammas, recorded: null, message: null };
        this.error = null;
      } catch (error) {
        this.#solved.delete(k);
        const said = saidBy(error);
        this.error = (w) => w.errors.theory(said(w));
      }
      this.#changed();
    } while (this.#again);
    this.#busy = false;
    this.#changed();
  }

  #solve(k: number): Promise<Solved> {
    let solved = this.#solved.get(k);
    if (!solved) {
      solved = lab().then(({ theory }) => theory({ ...this.#author, depth: String(k) }));
      this.#solved.set(k, solved);
    }
    return solved;
  }

  #changed(): void {
    this.dispatchEvent(new Event("change"));
  }
}

function closest(lambda: number, curves: readonly TheoryCurves[]): number {
  const far = (value: number) => Math.abs(Math.log(value / lambda));
  return curves.reduce((best, c) => (far(c.lambda) < far(best) ? c.lambda : best), curves[0]?.lambda ?? lambda);
}
