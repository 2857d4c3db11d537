// Which controls a figure has, and what each of them can be set to.
import type { FigureName } from "../types.ts";
import { words } from "../words.ts";
import { schedules, type Settings } from "./settings.ts";

/** `lambdas` is a range of λ; `stops` are the places of a slider; `schedules` are any of those that λ can have. */
export type Control =
  | { readonly kind: "choice"; readonly name: string; readonly label: string; readonly options: readonly (readonly [string, string])[] }
  | { readonly kind: "data"; readonly name: "data"; readonly label: string }
  | { readonly kind: "stops"; readonly name: string; readonly label: string; readonly stops: readonly number[]; readonly help?: string }
  | { readonly kind: "number"; readonly name: string; readonly label: string; readonly low: number; readonly high: number; readonly step: number }
  | { readonly kind: "list"; readonly name: string; readonly label: string }
  | { readonly kind: "switch"; readonly name: string; readonly label: string }
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

const c = words.controls;

const MODEL: Control = {
  kind: "choice",
  name: "model",
  label: c.model,
  options: Object.entries(c.models),
};
const WIDTH: Control = { kind: "stops", name: "width", label: c.width, stops: [2, 4, 8, 16, 32, 64, 128, 256, 512] };
const DEPTH: Control = { kind: "stops", name: "depth", label: c.depth, stops: [1, 2, 3, 4, 5, 6, 7, 8] };
const LR: Control = { kind: "stops", name: "lr", label: c.lr, stops: [...decades(-3, -1, [1, 2, 5]), 1] };
const MOMENTUM: Control = { kind: "stops", name: "momentum", label: c.momentum, stops: [0, 0.5, 0.8, 0.9, 0.95] };
const SEEDS: Control = { kind: "stops", name: "seeds", label: c.seeds, stops: [1, 2, 3, 4, 5, 6, 8, 10] };
const FILES: Control = { kind: "files", name: "files" };
const LAMBDAS: Control = { kind: "lambdas", name: "lambda" };
const DATA: Control = { kind: "data", name: "data", label: c.data };
const BUDGET: Control = {
  kind: "stops",
  name: "budget",
  label: c.budget,
  stops: [100, 200, 300, 500, 700, 1000, 1500, 2000, 3000, 5000],
  help: c.budgetHelp,
};

const COMPARE: Control = { kind: "schedules", name: "compare" };
const FACTOR: Control = { kind: "stops", name: "lambda-factor", label: c.factor, stops: [2, 3, 5, 10, 30, 100], help: c.factorHelp };
const STEPS: Control = { kind: "stops", name: "steps", label: c.steps, stops: [300, 500, 1000, 2000, 3000, 5000, 10_000] };

const number = (name: keyof typeof c.labels, low: number, high: number, step: number): Control => ({
  kind: "number",
  name,
  label: c.labels[name],
  low,
  high,
  step,
});
const choice = (name: keyof typeof c.labels, options: readonly (readonly [string, string])[]): Control => ({
  kind: "choice",
  name,
  label: c.labels[name],
  options,
});

/** What stays behind "More settings". */
const MORE: readonly Control[] = [
  FILES,
  { kind: "list", name: "lambda", label: c.labels.lambda },
  { kind: "list", name: "lr", label: c.labels.lr },
  number("tau", 0.1, 20, 0.1),
  number("seed", 0, 1e6, 1),
  number("batch", 0, 10_000, 1),
  choice("loss", Object.entries(c.losses)),
  choice("activation", ["relu", "tanh", "erf", "linear"].map((a) => [a, a] as const)),
  { kind: "switch", name: "bias", label: c.labels.bias },
  number("train", 0, 60_000, 1),
  number("test", 0, 10_000, 1),
  number("label-noise", 0, 1, 0.05),
  number("measurements", 5, 400, 1),
  choice("estimator", Object.entries(words.estimators)),
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
  theory: NONE,
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

/** The controls of a figure; `only` names those that its page's author leaves to the reader. */
export function controlsOf(figure: FigureName, follows: boolean, only: string | null): Controls {
  const all = (follows ? FOLLOWING : OWN)[figure];
  if (only === null) return all;
  const names = only.split(/[\s,]+/).filter(Boolean);
  const main = names.flatMap((name) => [...all.main, ...all.more].find((control) => control.name === name) ?? []);
  return { main, more: [] };
}
