// "Let it adapt": schedules of λ beside constants, and below them λ itself. There is no t_*: a λ that changes has none, and the
// figure compares what runs of one length come to.
import { logDomain } from "../chart/scale.ts";
import type { ChartSpec, Point, Series } from "../chart/spec.ts";
import { fixed, short, whole } from "../format.ts";
import type { LambdaScheduleKind, Recording, Trace } from "../types.ts";
import type { Words } from "../words/words.ts";
import { curvesChart, quantitySwitch } from "./clock.ts";
import { comparedGroups, diverged, ended, mean, smoothedRun, timeAxis, type Clock, type Group, type Quantity } from "./curves.ts";
import { chosen, type Choices, type Drawing, type Figure, type Source } from "./figure.ts";

/** Schedules whose λ stays where it is between jumps; that of the others moves all the time. */
const JUMPS: readonly LambdaScheduleKind[] = ["constant", "step", "off", "autol2", "autol2-reference"];

export const auto: Figure = {
  titles: (words) => words.auto,
  switches: (words) => [
    {
      name: "clock",
      label: words.clock.clockSwitch,
      options: (["step", "epoch"] as const).map((value) => ({ value, label: words.clocks[value].name })),
    },
    quantitySwitch(words),
  ],
  ignores: ["budget"],
  draw(source: Source, choices: Choices, words: Words): Drawing {
    const switches = auto.switches(words);
    const time = chosen(switches, choices, "clock") as Clock;
    const quantity = chosen(switches, choices, "quantity") as Quantity;
    const finding = source.recording ? sentence(source.recording, words) : "";
    const curves = curvesChart(source, time, quantity, finding, words, comparedGroups);
    return { charts: [curves, lambdaChart(source, time, words)], finding };
  },
};

/** λ against time: constants lie flat, schedules move. */
function lambdaChart({ recording, frame, message }: Source, time: Clock, words: Words): ChartSpec {
  const groups = recording ? comparedGroups(recording, words) : [];
  const x = timeAxis([recording, frame], time, words);
  const faint: Series[] = [];
  const strong: Series[] = [];
  for (const group of groups) {
    const compared = group.look.color === null;
    const path = (traces: readonly Trace[]) => pathOf(group.lambda_schedule, traces, time);
    if (compared && group.traces.length > 1) {
      for (const trace of group.traces) {
        faint.push({ ...group.look, dash: 0, name: words.run(group.name, trace.run.seed), mark: "faint", points: path([trace]) });
      }
    }
    strong.push({ ...group.look, name: group.name, mark: "line", points: path(group.traces), legend: compared, readable: true });
  }
  const lambdas = [recording, frame].flatMap((r) => r?.traces ?? []).flatMap((t) => [t.run.lambda, ...t.points.map((m) => m.lambda)]);
  return {
    title: words.auto.chart(words.clocks[time].name),
    summary: message ?? groups.flatMap((g) => described(g, words)).join(" "),
    x,
    y: { ...words.auto.y, scale: "log", domain: logDomain(lambdas, 1.6, [1e-4, 0.2]) },
    series: [...faint, ...strong],
    markers: [],
    bands: [],
    message: null,
  };
}

/** λ of some runs in the course of time: the median of those that have got that far. */
function pathOf(schedule: LambdaScheduleKind, traces: readonly Trace[], time: Clock): Point[] {
  const longest = traces.reduce<Trace["points"]>((a, t) => (t.points.length > a.length ? t.points : a), []);
  const middle = (i: number) => median(traces.flatMap((t) => t.points[i]?.lambda ?? []));
  // The start has no place on a logarithmic axis.
  const path = longest.flatMap((m, i): Point[] => (m.step > 0 ? [{ x: m[time], y: middle(i) }] : []));
  if (!JUMPS.includes(schedule)) return path;
  // Corners alone: level up to the measurement that first sees another λ, and on from there.
  return path.flatMap((p, i) => {
    const before = path[i - 1];
    if (before && before.y !== p.y) return [{ x: p.x, y: before.y }, p];
    return before && i < path.length - 1 ? [] : [p];
  });
}

function described(group: Group, words: Words): string[] {
  const [starts, ends] = [0, -1].map((at) => ofEnded(group, (t) => t.points.at(at)?.lambda));
  if (!starts || !ends || group.look.color !== null || ends.length === 0) return [];
  return [words.auto.path(group.name, range(starts, words), range(ends, words))];
}

/** What the schedules came to beside the best of the constants, in sentences; empty before all runs have ended. */
function sentence(recording: Recording, words: Words): string {
  const groups = comparedGroups(recording, words);
  if (!ended(recording)) return "";
  const all = groups.flatMap((group) => {
    const accuracies = ofEnded(group, (t) => t.points.at(-1)?.test_accuracy);
    return accuracies.length > 0 ? [{ group, accuracies, accuracy: mean(accuracies) }] : [];
  });
  const constants = all.filter((e) => e.group.lambda_schedule === "constant");
  const best = constants.reduce<(typeof all)[number] | null>((a, b) => (a && a.accuracy >= b.accuracy ? a : b), null);
  if (!best) return "";
  const target = best.accuracy;
  const said = words.auto.best({
    constants: constants.length,
    name: best.group.name,
    accuracy: fixed(target, 3),
    n: best.accuracies.length,
    reach: reaching(best.group, target),
  });
  const schedules = all.filter((e) => e.group.look.color === null);
  const others = schedules.map(({ group, accuracies, accuracy }) => {
    const gain = accuracy - target;
    const sd = spread(accuracies, best.accuracies);
    return words.auto.schedule({
      name: group.name,
      accuracy: fixed(accuracy, 3),
      n: accuracies.length,
      verdict: sd === null ? "unknown" : Math.abs(gain) <= sd ? "even" : gain < 0 ? "loses" : "wins",
      less: gain < 0,
      by: fixed(Math.abs(gain), 3),
      sd: fixed(sd ?? Number.NaN, 3),
      lambda: range(ofEnded(group, (t) => t.points.at(-1)?.lambda), words),
      reach: reaching(group, target),
    });
  });
  return [said, ...(others.length > 0 ? others : [words.auto.none])].join(" ");
}

/** A number of each run that has ended well. */
function ofEnded(group: Group, value: (trace: Trace) => number | undefined): number[] {
  return group.traces.filter((t) => t.end !== null && !diverged(t)).flatMap((t) => value(t) ?? []);
}

/** When the runs of a group first get to a test accuracy, smoothed: the median of those that do, in steps. */
function reaching(group: Group, accuracy: number): { readonly step: string; readonly reached: number; readonly runs: number } {
  const first = (trace: Trace) => smoothedRun(trace, "test_accuracy", "step").find((p) => p.y >= accuracy)?.x;
  const steps = ofEnded(group, first);
  return { step: whole(median(steps)), reached: steps.length, runs: group.traces.length };
}

/** The standard deviation over seeds within two groups of runs; `null` with one seed. */
function spread(...groups: readonly (readonly number[])[]): number | null {
  const squares = groups.flatMap((values) => values.map((v) => (v - mean(values)) ** 2));
  const free = squares.length - groups.length;
  return free > 0 ? Math.sqrt(squares.reduce((a, b) => a + b, 0) / free) : null;
}

/** The middle value, or the lower one of two. */
function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN;
}

/** From the least to the largest, or the one that all are. */
function range(values: readonly number[], words: Words): string {
  const ends = [Math.min(...values), Math.max(...values)].map((v) => short(v));
  return words.auto.range([...new Set(ends)]);
}
