// The runs of a recording as curves: grouped by η, λ and its schedule, averaged over seeds, smoothed, on any of the three clocks.
import { extent, linearDomain, logDomain } from "../chart/scale.ts";
import { DASHES, look, type Axis, type Look, type Point, type Series } from "../chart/spec.ts";
import type { Cell, LambdaScheduleKind, Measurement, Outcome, Recording, RunSummary, Trace } from "../types.ts";
import { short } from "../format.ts";
import type { Words } from "../words/words.ts";

/** Each point of a curve averages the measurements from t/1.25 to 1.25 t: with the usual 24 for each tenfold of steps, five. */
const WINDOW = 1.25;
/** Where in a run its time axis begins: before that it rises from chance, which takes half of a logarithmic axis. */
const FROM = 0.02;

export type Clock = "tau" | "step" | "epoch";
export type Quantity = "test_accuracy" | "test_loss" | "train_accuracy";

/** What the runs that differ in their seeds alone have in common. */
interface Alike {
  readonly lr: number;
  readonly lambda: number;
  readonly lambda_schedule: LambdaScheduleKind;
}

/** The runs of one η, λ and schedule of λ. */
export interface Group extends Alike {
  readonly name: string;
  readonly look: Look;
  readonly traces: readonly Trace[];
  readonly cell: Cell | null;
}

/** Whether two runs, or a run and a group, differ in their seeds alone. */
export function alike(a: Alike, b: Alike): boolean {
  return a.lr === b.lr && a.lambda === b.lambda && a.lambda_schedule === b.lambda_schedule;
}

/** Whether a run is one of the grid, and not one that the grid is compared with. */
function ofGrid(recording: Recording, run: Alike): boolean {
  return run.lambda_schedule === recording.experiment["lambda-schedule"];
}

/** The grid's cells, the largest λ first: one colour for each λ; dashes tell λ apart, or η if there are several. */
export function groupsOf(recording: Recording, words: Words): Group[] {
  const runs = recording.traces.filter((t) => ofGrid(recording, t.run));
  const distinct = (values: number[]) => [...new Set(values)].sort((a, b) => b - a);
  const lambdas = distinct(runs.map((t) => t.run.lambda));
  const lrs = distinct(runs.map((t) => t.run.lr));
  const several = lrs.length > 1;
  return lambdas.flatMap((lambda, i) =>
    lrs.flatMap((lr, j) => {
      const { color, dash } = look(i, lambdas.length);
      const name = words.lambda(short(lambda));
      const like = { lr, lambda, lambda_schedule: recording.experiment["lambda-schedule"] };
      return group(recording, like, several ? words.group(name, short(lr)) : name, { color, dash: several ? j : dash });
    }),
  );
}

/** The grid's cells, and after them the schedules that were compared with them, in the text's colour. */
export function comparedGroups(recording: Recording, words: Words): Group[] {
  const grid = groupsOf(recording, words);
  const runs = recording.traces.map((t) => t.run).filter((run) => !ofGrid(recording, run));
  const several = new Set(runs.map((run) => run.lr)).size > 1;
  const firsts = runs.filter((run, i) => runs.findIndex((r) => alike(r, run)) === i);
  const compared = firsts.flatMap((run, i) => {
    const name = words.schedules[run.lambda_schedule];
    const dash = (grid.length + i) % DASHES.length;
    return group(recording, run, several ? words.group(name, short(run.lr)) : name, { color: null, dash });
  });
  return [...grid, ...compared];
}

function group(recording: Recording, like: Alike, name: string, look: Look): Group[] {
  const traces = recording.traces.filter((t) => alike(t.run, like));
  if (traces.length === 0) return [];
  const { lr, lambda, lambda_schedule } = like;
  return [{ lr, lambda, lambda_schedule, name, look, traces, cell: recording.findings.cells.find((c) => alike(c, like)) ?? null }];
}

export function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

/** What was found of the grid's runs that have ended, and well; of the others there is only what they did so far. */
export function endedRuns(recording: Recording): RunSummary[] {
  return recording.findings.runs.filter((r, i) => !r.diverged && recording.traces[i]?.end !== null && ofGrid(recording, r));
}

/** t_* of a group in steps, as far as its runs have ended. A λ that changes has none: it would be that of no λ. */
export function starOf(group: Group): number | null {
  return group.lambda_schedule === "constant" ? (group.cell?.t_star ?? null) : null;
}

/** Whether all runs of the grid have ended: before that what is found of one may change with the noise of the others. */
export function ended(recording: Recording): boolean {
  return recording.traces.every((t) => t.end !== null);
}

/** How many cells show what. */
export function outcomesOf(groups: readonly Group[]): [Outcome, number][] {
  const counts = new Map<Outcome, number>();
  for (const { cell } of groups) if (cell) counts.set(cell.outcome, (counts.get(cell.outcome) ?? 0) + 1);
  return [...counts];
}

export function diverged(trace: Trace): boolean {
  return trace.end !== null && trace.end !== "completed";
}

/** A trace without its initial state, which is no result of training. */
function afterStart(trace: Trace): readonly Measurement[] {
  return trace.points[0]?.step === 0 ? trace.points.slice(1) : trace.points;
}

/** The mean of `quantity` over the runs that have got that far, smoothed in log time. */
export function meanCurve(group: Group, quantity: Quantity, clock: Clock): Point[] {
  return smoothed(group.traces.filter((t) => !diverged(t)), quantity, clock);
}

function smoothed(runs: readonly Trace[], quantity: Quantity, clock: Clock): Point[] {
  const traces = runs.map(afterStart);
  const longest = traces.reduce<readonly Measurement[]>((a, b) => (b.length > a.length ? b : a), []);
  const means = longest.map((_, i) => mean(traces.flatMap((t) => t[i]?.[quantity] ?? [])));
  const step = (i: number) => longest[i]?.step ?? Infinity;
  let [from, to] = [0, 0];
  return longest.map((m) => {
    while (step(from) * WINDOW < m.step) from++;
    while (step(to) <= m.step * WINDOW) to++;
    return { x: m[clock], y: mean(means.slice(from, to)) };
  });
}

/** One run, smoothed alike. */
export function smoothedRun(trace: Trace, quantity: Quantity, clock: Clock): Point[] {
  return smoothed([trace], quantity, clock);
}

/** Each run by itself. */
export function faintCurves(group: Group, quantity: Quantity, clock: Clock, words: Words): Series[] {
  return group.traces.map((trace) => ({
    name: words.run(group.name, trace.run.seed),
    mark: "faint",
    color: group.look.color,
    dash: 0,
    points: smoothedRun(trace, quantity, clock),
  }));
}

/** The height of a curve at `x`, on the line that a logarithmic time axis shows between its points. */
export function heightAt(points: readonly Point[], x: number): number | null {
  const after = points.findIndex((p) => p.x >= x * (1 - 1e-9));
  const right = points[after];
  if (!right) return null;
  const left = points[after - 1];
  if (!left) return right.y;
  return left.y + (Math.log(x / left.x) / Math.log(right.x / left.x)) * (right.y - left.y);
}

/** When a run of `group` is at `steps`, on the given clock. */
export function timeOf(recording: Recording, group: Alike, clock: Clock, steps: number): number {
  if (clock === "step") return steps;
  const runs = recording.traces.filter((t) => alike(t.run, group));
  const points = runs.reduce<readonly Measurement[]>((a, t) => (t.points.length > a.length ? t.points : a), []);
  const near = points.find((m) => m.step > 0 && m.step >= steps) ?? points.at(-1);
  if (near && near.step > 0) return (near[clock] / near.step) * steps;
  const momentum = runs[0]?.run.momentum ?? 0;
  return clock === "tau" ? (group.lr / (1 - momentum)) * group.lambda * steps : Number.NaN;
}

/** A clock's domain without data. */
const UNTIMED: Record<Clock, [number, number]> = { tau: [0.04, 2], step: [4, 7000], epoch: [1, 2000] };

/** The time axis of the grid's runs, without their first moments but with t_*, to their planned end; none is longer. */
export function timeAxis(recordings: readonly (Recording | null)[], clock: Clock, words: Words): Axis {
  const ends = recordings.flatMap((r) =>
    (r?.traces ?? []).flatMap((t) => {
      if (!r || !ofGrid(r, t.run)) return [];
      const star = r.findings.cells.find((c) => alike(c, t.run))?.t_star ?? Infinity;
      return [Math.min(FROM * t.run.steps, 0.7 * star), t.run.steps].map((s) => timeOf(r, t.run, clock, s));
    }),
  );
  return { ...words.clocks[clock], scale: "log", domain: logDomain(ends, 1.08, UNTIMED[clock]) };
}

/** Steps that the ends of a quantity's axis fall on, and its domain without data. */
const GRAIN: Record<Quantity, { step: number; otherwise: [number, number] }> = {
  test_accuracy: { step: 0.05, otherwise: [0.5, 1] },
  train_accuracy: { step: 0.1, otherwise: [0.5, 1] },
  test_loss: { step: 0.2, otherwise: [0, 2] },
};

/** The axis of a quantity: all that happens after t_* or the first tenth of each run. */
export function quantityAxis(recordings: readonly (Recording | null)[], quantity: Quantity, words: Words, groups = groupsOf): Axis {
  const values = recordings.flatMap((r) =>
    r
      ? groups(r, words).flatMap((g) => {
          const from = Math.min(0.1 * Math.max(...g.traces.map((t) => t.run.steps)), 0.95 * (starOf(g) ?? Infinity));
          return meanCurve(g, quantity, "step").flatMap((p) => (p.x >= from ? p.y : []));
        })
      : [],
  );
  const { step, otherwise } = GRAIN[quantity];
  const found = extent(values);
  // A little air above the highest curve, for its mark.
  const padded = found ? [found[0], found[1] + 0.1 * step] : [];
  return { ...words.quantities[quantity], scale: "linear", domain: linearDomain(padded, step, otherwise) };
}
