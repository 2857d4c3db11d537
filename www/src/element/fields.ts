// Which controls a figure has, and what each of them can be set to.
import { DEPTHS as THEORY_DEPTHS, LAMBDAS as THEORY_LAMBDAS } from "../figures/theory.ts";
import type { FigureName } from "../types.ts";
import { schedules, type Settings } from "./settings.ts";

/** `lambdas` is a range of λ; `stops` are the places of a slider; `schedules` are any of those that λ can have. */
export type Control =
  | { readonly kind: "choice"; readonly name: string; readonly options: readonly string[] }
  | { readonly kind: "stops"; readonly name: string; readonly stops: readonly number[] }
  | { readonly kind: "number"; readonly name: string; readonly low: number; readonly high: number; readonly step: number }
  | { readonly kind: "list" | "switch"; readonly name: string }
  | { readonly kind: "data"; readonly name: "data" }
  | { readonly kind: "lambdas"; readonly name: "lambda" }
  | { readonly kind: "schedules"; readonly name: "compare" }
  | { readonly kind: "files"; readonly name: "files" }
  | { readonly kind: "device"; readonly name: "device" };

const decades = (first: number, last: number, mantissas: readonly number[]) =>
  Array.from({ length: last - first + 1 }, (_, i) => mantissas.map((m) => Number(`${m}e${first + i}`))).flat();

/** The ends of the range of λ. */
export const LAMBDA_STOPS = [...decades(-4, -1, [1, 3]), 1];
/** How many λ the range may have. */
export const LAMBDA_COUNTS = [2, 7] as const;
/** What to train on. */
export const DEVICES = ["auto", "cpu", "gpu"] as const;

const stops = (name: string, stops: readonly number[]): Control => ({ kind: "stops", name, stops });
const number = (name: string, low: number, high: number, step: number): Control => ({ kind: "number", name, low, high, step });
const choice = (name: string, options: readonly string[]): Control => ({ kind: "choice", name, options });

const MODEL = choice("model", ["fc", "linear", "cnn"]);
const WIDTH = stops("width", [2, 4, 8, 16, 32, 64, 128, 256, 512]);
const DEPTH = stops("depth", [1, 2, 3, 4, 5, 6, 7, 8]);
const LR = stops("lr", [...decades(-3, -1, [1, 2, 5]), 1]);
const MOMENTUM = stops("momentum", [0, 0.5, 0.8, 0.9, 0.95]);
const SEEDS = stops("seeds", [1, 2, 3, 4, 5, 6, 8, 10]);
const LAMBDAS: Control = { kind: "lambdas", name: "lambda" };
const DATA: Control = { kind: "data", name: "data" };
const BUDGET = stops("budget", [100, 200, 300, 500, 700, 1000, 1500, 2000, 3000, 5000]);
const COMPARE: Control = { kind: "schedules", name: "compare" };
const FACTOR = stops("lambda-factor", [2, 3, 5, 10, 30, 100]);
const STEPS = stops("steps", [300, 500, 1000, 2000, 3000, 5000, 10_000]);

/** Sliders of the theory: its curves are computed at every place on the way. */
const THEORY_LAMBDA = stops("lambda", THEORY_LAMBDAS);
const THEORY_DEPTH = stops("depth", THEORY_DEPTHS);

/** What stays behind "More settings". */
const MORE: readonly Control[] = [
  { kind: "files", name: "files" },
  { kind: "list", name: "lambda" },
  { kind: "list", name: "lr" },
  number("tau", 0.1, 20, 0.1),
  number("seed", 0, 1e6, 1),
  number("batch", 0, 10_000, 1),
  choice("loss", ["cross-entropy", "mse"]),
  choice("activation", ["relu", "tanh", "erf", "linear"]),
  { kind: "switch", name: "bias" },
  number("train", 0, 60_000, 1),
  number("test", 0, 10_000, 1),
  number("label-noise", 0, 1, 0.05),
  number("measurements", 4, 400, 1),
  choice("estimator", ["arrival", "peak", "loss"]),
  { kind: "device", name: "device" },
];

/** Fields that make no difference to a linear model. */
const NOT_LINEAR: readonly string[] = ["width", "depth", "activation"];
/** Schedules that divide λ; with no other may that number be set. */
const DIVIDING: readonly string[] = ["step", "autol2", "autol2-reference"];

/** Whether a field makes a difference to an experiment. */
export function applies(name: string, settings: Settings): boolean {
  if (name === "lambda-factor") return [settings["lambda-schedule"] ?? "", ...schedules(settings["compare"])].some((s) => DIVIDING.includes(s));
  return settings["model"] !== "linear" || !NOT_LINEAR.includes(name);
}

export interface Controls {
  readonly main: readonly Control[];
  readonly more: readonly Control[];
}

const NONE: Controls = { main: [], more: [] };

/** The controls of a figure that runs by itself. */
const OWN: Record<FigureName, Controls> = {
  clock: { main: [DATA, MODEL, WIDTH, LR, MOMENTUM, LAMBDAS], more: [DEPTH, SEEDS, ...MORE] },
  law: { main: [DATA, MODEL, WIDTH, LR, MOMENTUM, LAMBDAS], more: [DEPTH, SEEDS, ...MORE] },
  predict: { main: [BUDGET, MODEL, WIDTH, LR, LAMBDAS], more: [DATA, DEPTH, MOMENTUM, SEEDS, ...MORE] },
  auto: {
    main: [COMPARE, FACTOR, STEPS, LR, LAMBDAS],
    // The length is one of steps: a second one, in τ, would be refused.
    more: [DATA, MODEL, WIDTH, DEPTH, MOMENTUM, SEEDS, ...MORE.filter((control) => control.name !== "tau")],
  },
  limits: { main: [], more: [MODEL, WIDTH, DEPTH, LR, MOMENTUM, LAMBDAS, SEEDS, DATA, ...MORE] },
  theory: { main: [THEORY_LAMBDA, THEORY_DEPTH], more: [] },
};

/** The controls of a figure that follows another: what only it is about. */
const FOLLOWING: Record<FigureName, Controls> = {
  clock: NONE,
  law: NONE,
  predict: { main: [BUDGET], more: [] },
  auto: NONE,
  limits: NONE,
  theory: NONE,
};

/** The controls of a figure; `only` are those that its page's author leaves to the reader, all if `null`. */
export function controlsOf(figure: FigureName, follows: boolean, only: readonly string[] | null): Controls {
  const all = (follows ? FOLLOWING : OWN)[figure];
  if (only === null) return all;
  return { main: only.flatMap((name) => [...all.main, ...all.more].find((control) => control.name === name) ?? []), more: [] };
}

/** The names that a figure's controls have. */
export function controlNames(figure: FigureName): string[] {
  const { main, more } = OWN[figure];
  return [...new Set([...main, ...more].map((control) => control.name))];
}

/** The words that a field can have; `null` if it is no choice between words. */
export function choicesOf(name: string): readonly string[] | null {
  const control = [...OWN.clock.main, ...OWN.clock.more].find((c) => c.name === name);
  if (control?.kind === "switch") return ["true", "false"];
  return control?.kind === "choice" ? control.options : null;
}
