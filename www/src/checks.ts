// The checks of the lesson: what a reader's answer is worth beside the reader's own runs, as pure functions.
import { FITTED, TOLERANCE } from "./figures/limits.ts";
import { fixed, short, whole } from "./format.ts";
import type { Cell, Experiment, Recording } from "./types.ts";

/** `open`: nothing can be said yet. `otherwise`: the answer is the law's, and the run does not bear it out, or the other way round. */
export type State = "open" | "right" | "wrong" | "otherwise";

export interface Verdict {
  readonly state: State;
  readonly text: string;
}

/** How far a number that a reader types may be off, as a factor: a rounding of what is read from a figure. */
const NEAR = 1.25;
/** The same for a factor that is guessed. */
const ROUGHLY = 1.5;

/** The λ between which the theory's exercise moves. */
export const THEORY = { k: 3, from: 0.03, to: 0.003 } as const;

const open = (text: string): Verdict => ({ state: "open", text });

/**
 * Compares one of several answers with what the run says and with what the paper says. Whoever expects what the paper says, and
 * is let down by the run, is not wrong.
 */
function judge(answer: string, run: string, paper: string, said: string, claim: string): Verdict {
  const surprise = run === paper ? "" : ` ${claim}`;
  if (answer === paper && run !== paper) return { state: "otherwise", text: `${claim} But here ${said}` };
  return { state: answer === run ? "right" : "wrong", text: `${sentence(said)}${surprise}` };
}

/** By how much t* moves when λ is divided by three; answers are factors of it. */
export function clock(runs: readonly Recording[], answer: string): Verdict {
  const timed = timedOf(runs.at(-1));
  const [first, last] = [timed[0], timed.at(-1)];
  if (!first || !last || first === last) return open("This run cannot tell: fewer than two of its λ have a t* that can be told. Take more seeds under More settings, and play again.");
  const power = Math.log(last.t_star / first.t_star) / Math.log(first.lambda / last.lambda);
  const factor = 3 ** power;
  const said =
    `from λ\u00a0=\u00a0${short(first.lambda)} to λ\u00a0=\u00a0${short(last.lambda)} your t* moves from step ${whole(first.t_star)} to step ${whole(last.t_star)}. ` +
    `That is a factor of ${short(factor, 2)} for each factor of 3 in λ.`;
  return judge(answer, nearest(["1/3", "1", "3", "9"], factor), "3", said, "The law says a factor of 3: three times later.");
}

/** What another η does to t*; answers are factors for an η that is doubled. */
export function law(runs: readonly Recording[], answer: string): Verdict {
  const now = runs.at(-1);
  if (!now) return open("There is no run yet.");
  const lr = rateOf(now);
  const before = runs.filter((r) => rateOf(r) !== lr && sameBut(r.experiment, now.experiment, ["lr", "budget"])).at(-1);
  if (!before) return open(`There is one run, at η\u00a0=\u00a0${short(lr)}. Now set η to another value, change nothing else, and press Play again: it takes two runs to compare.`);
  const pairs = timedOf(now).flatMap((cell) => {
    const other = timedOf(before).find((c) => c.lambda === cell.lambda);
    return other ? [Math.log(cell.t_star / other.t_star)] : [];
  });
  if (pairs.length === 0) return open("These two runs cannot tell: no λ has a t* in both.");
  const change = pairs.reduce((a, b) => a + b, 0) / pairs.length;
  const doubling = 2 ** (change / Math.log(lr / rateOf(before)));
  const said =
    `going from η\u00a0=\u00a0${short(rateOf(before))} to η\u00a0=\u00a0${short(lr)} multiplied your t* by ${short(Math.exp(change), 2)} ` +
    `(geometric mean over ${pairs.length} λ), so doubling η multiplies it by ${short(doubling, 2)}.`;
  return judge(answer, nearest(["2", "1", "1/2", "1/4"], doubling), "1/2", said, "The law says one half: η and λ count by their product.");
}

/** The λ that the law predicts for a budget; the answer is a number. */
export function predict(runs: readonly Recording[], answer: string): Verdict {
  const run = runs.at(-1);
  if (!run) return open("There is no run yet.");
  if (run.experiment.budget === null) return open("Your run has no budget of its own yet: set the budget, then press Play.");
  const { forecast, regret } = run.findings;
  if (!forecast) return open("This run makes no prediction: no λ has a t* that can be told. Take more seeds under More settings, set the budget and play again.");
  const { lambda0, t_star, budget, lambda_pred } = forecast;
  const made = `λ\u00a0=\u00a0${short(lambda0)} ×\u00a0${whole(t_star)} /\u00a0${whole(budget)} = ${short(lambda_pred, 2)} from your own short runs`;
  const agrees = within(Number(answer), lambda_pred, NEAR);
  if (!regret) return { state: agrees ? "right" : "wrong", text: `The law gives ${made}.` };
  const grid = `the best of your grid, λ\u00a0=\u00a0${short(regret.best_lambda)}`;
  const costs = regret.regret > TOLERANCE && (regret.regret_ci === null || regret.regret_ci[0] > 0);
  const result = `Trained there, the networks reach ${fixed(regret.accuracy, 3)}; a tuned λ reaches ${fixed(regret.best_accuracy, 3)}.`;
  if (agrees && !costs) return { state: "right", text: `${sentence(made)}. ${result}` };
  if (agrees) return { state: "otherwise", text: `You used the law as it is meant: ${made}. But here it costs something. ${result}` };
  if (within(Number(answer), regret.best_lambda, NEAR)) return { state: "otherwise", text: `That is ${grid}. The law gives another λ: ${made}. ${result}` };
  return { state: "wrong", text: `The law gives ${made}. ${result}` };
}

/** How AutoL2 ends beside the best of the constants: `above`, `even` (within the spread over seeds) or `below`. */
export function auto(runs: readonly Recording[], answer: string): Verdict {
  const run = runs.at(-1);
  const schedule = run?.traces.find((t) => t.run.lambda_schedule.startsWith("autol2"))?.run.lambda_schedule;
  const constants = new Map<number, number[]>();
  const adapted: number[] = [];
  for (const { run: of, points, end } of run?.traces ?? []) {
    const final = points.at(-1)?.test_accuracy;
    if (final === undefined || end !== "completed") continue;
    if (of.lambda_schedule === "constant") constants.set(of.lambda, [...(constants.get(of.lambda) ?? []), final]);
    else if (of.lambda_schedule === schedule) adapted.push(final);
  }
  const best = [...constants].reduce<readonly [number, number[]] | null>((a, b) => (a && mean(a[1]) >= mean(b[1]) ? a : b), null);
  if (!best || adapted.length === 0) return open("This run cannot tell: it takes AutoL2 and constants beside it. Go back to the default settings and play again.");
  const [lambda, finals] = best;
  const free = finals.length + adapted.length - 2;
  if (free < 1) return open("With one seed nothing can be said of chance. Set two seeds or more under More settings and play again.");
  const spread = Math.sqrt((squares(finals) + squares(adapted)) / free);
  const gain = mean(adapted) - mean(finals);
  const shown = Math.abs(gain) <= spread ? "even" : gain > 0 ? "above" : "below";
  const said =
    `AutoL2 ends at ${fixed(mean(adapted), 3)}, the best constant, λ\u00a0=\u00a0${short(lambda)}, at ${fixed(mean(finals), 3)}; ` +
    `${fixed(Math.abs(gain), 3)} apart, ${shown === "even" ? "no more" : "more"} than the spread over seeds, ${fixed(spread, 3)}.`;
  return judge(answer, shown, "above", said, "The paper has it above a tuned constant, for a large network (figure 1c).");
}

/** By what factor t* of an infinitely wide network grows; `peaks` are its times by λ, the answer is a number. */
export function theory(peaks: ReadonlyMap<number, number>, answer: string): Verdict {
  const { k, from, to } = THEORY;
  const [before, after] = [peaks.get(from), peaks.get(to)];
  const missing = before === undefined ? from : to;
  if (before === undefined || after === undefined) return open(`Move λ to ${short(missing)} first, with k\u00a0=\u00a0${k}: the check reads t* there.`);
  const [factor, exact] = [after / before, from / to];
  const said = `t* goes from ${short(before, 2)} to ${short(after, 2)}: a factor of ${short(factor, 2)}.`;
  const why = `The kernel’s own time moves by ${short(exact)} exactly; t* also depends on which modes the data have.`;
  if (within(Number(answer), factor, ROUGHLY)) return { state: "right", text: `${sentence(said)} ${why}` };
  if (within(Number(answer), exact, NEAR)) return { state: "otherwise", text: `The law says ${short(exact)}. But here ${said} ${why}` };
  return { state: "wrong", text: `${sentence(said)} ${why}` };
}

/** Whether a network has the late decay that a linear model has not: for `every` λ, for the `largest` alone, or for `none`. */
export function limits(runs: readonly Recording[], answer: string): Verdict {
  const run = runs.at(-1);
  if (!run) return open("There is no run yet.");
  if (run.experiment.model === "linear") return open("This was still the linear model. Set the model to fully connected and η to 0.1, then press Play again.");
  const cells = constantsOf(run).flatMap(({ late_decay, ...cell }) => (late_decay ? { ...cell, fall: late_decay.mean } : []));
  const falling = cells.filter((c) => c.fall >= TOLERANCE);
  if (cells.length < 2) return open("This run cannot tell: it takes two λ or more. Go back to the default settings and play again.");
  const shown = falling.length === 0 ? "none" : falling.length === cells.length ? "every" : falling.length === 1 && falling[0] === cells[0] ? "largest" : "some";
  const list = cells.map((c) => `${fixed(c.fall, 3)} (λ\u00a0=\u00a0${short(c.lambda)})`).join(", ");
  const said = `accuracy falls after its best by ${list}.`;
  const fitted = cells.some((c) => (c.max_train_accuracy ?? 0) >= FITTED);
  const claim = "A network that fits its training data should lose accuracy at every λ.";
  return judge(answer, shown, "every", said, fitted ? claim : `${claim} Yours does not fit them: nothing is claimed.`);
}

/** The cells of constant λ at the run's first η, the largest λ first. */
function constantsOf(run: Recording | undefined): Cell[] {
  const cells = run?.findings.cells ?? [];
  const lr = cells[0]?.lr;
  return cells.filter((c) => c.lambda_schedule === "constant" && c.lr === lr).sort((a, b) => b.lambda - a.lambda);
}

/** Those of them that have a t*. */
function timedOf(run: Recording | undefined): (Cell & { t_star: number })[] {
  return constantsOf(run).filter((c): c is Cell & { t_star: number } => c.t_star !== null && c.t_star > 0);
}

function rateOf(run: Recording): number {
  return run.experiment.lr[0] ?? Number.NaN;
}

/** Whether two experiments differ in the `ignored` fields at most. */
function sameBut(a: Experiment, b: Experiment, ignored: readonly (keyof Experiment)[]): boolean {
  const kept = (experiment: Experiment) => JSON.stringify(Object.entries(experiment).filter(([name]) => !(ignored as readonly string[]).includes(name)).sort());
  return kept(a) === kept(b);
}

/** The answer that is nearest to a factor, as factors go; answers are written as a reader would: "3", "1/3". */
function nearest(answers: readonly string[], factor: number): string {
  const far = (answer: string) => {
    const [over = 1, under = 1] = answer.split("/").map(Number);
    return Math.abs(Math.log((factor * under) / over));
  };
  return answers.reduce((a, b) => (far(b) < far(a) ? b : a));
}

function within(a: number, b: number, factor: number): boolean {
  return a > 0 && b > 0 && Math.abs(Math.log(a / b)) <= Math.log(factor);
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

/** The sum of squared distances from the mean. */
function squares(values: readonly number[]): number {
  return values.reduce((sum, v) => sum + (v - mean(values)) ** 2, 0);
}

/** Words as the beginning of a sentence. */
function sentence(words: string): string {
  return words.startsWith("t*") || words.startsWith("λ") ? words : words.charAt(0).toUpperCase() + words.slice(1);
}
