// "Where it fails": accuracy against τ, and how much of it is lost late, for models that the law is not about.
import { linearDomain } from "../chart/scale.ts";
import type { Axis, ChartSpec, Series } from "../chart/spec.ts";
import { ends, fixed, short } from "../format.ts";
import type { Recording } from "../types.ts";
import type { Words } from "../words/words.ts";
import { curvesChart } from "./clock.ts";
import { alike, ended, endedRuns, groupsOf, mean, type Group } from "./curves.ts";
import { chosen, type Choices, type Drawing, type Figure, type Source } from "./figure.ts";

type Bars = "late_decay" | "max_train_accuracy";

/** A fall by less is what the paper counts as still at the maximum. */
export const TOLERANCE = 0.005;
/** Training accuracy from which on a network counts as overparameterized: 1, but for a rounding of the average. */
export const FITTED = 0.995;

export const limits: Figure = {
  titles: (words) => words.limits,
  switches: (words) => [
    {
      name: "bars",
      label: words.limits.barsSwitch,
      options: (["late_decay", "max_train_accuracy"] as const).map((value) => ({ value, label: words.limits.bars[value].name })),
    },
  ],
  ignores: ["budget"],
  draw(source: Source, choices: Choices, words: Words): Drawing {
    const bars = chosen(limits.switches(words), choices, "bars") as Bars;
    const finding = source.recording ? sentence(source.recording, words) : "";
    return { charts: [curvesChart(source, "tau", "test_accuracy", "", words), barsChart(source, bars, finding, words)], finding };
  },
};

/** A bar's height and its ends: of the decay its interval over seeds, of the training accuracy its range. */
function barOf(recording: Recording, group: Group, bars: Bars): { readonly y: number; readonly low?: number; readonly high?: number } | null {
  if (bars === "late_decay") {
    const decay = group.cell?.late_decay;
    if (!decay) return null;
    return decay.ci ? { y: decay.mean, low: decay.ci[0], high: decay.ci[1] } : { y: decay.mean };
  }
  const values = endedRuns(recording).filter((r) => alike(r, group)).flatMap((r) => r.max_train_accuracy ?? []);
  return values.length > 0 ? { y: mean(values), low: Math.min(...values), high: Math.max(...values) } : null;
}

function barsChart(source: Source, bars: Bars, finding: string, words: Words): ChartSpec {
  const { recording, frame, message } = source;
  const digits = bars === "late_decay" ? 3 : 2;
  const barsOf = (r: Recording | null) => (r ? groupsOf(r, words).map((group) => ({ group, bar: barOf(r, group, bars) })) : []);
  const [own, framed] = [barsOf(recording), barsOf(frame)];
  const series = own.flatMap(({ group, bar }, i): Series[] =>
    bar ? [{ ...group.look, name: group.name, mark: "bar", points: [{ x: i + 1, ...bar, label: fixed(bar.y, digits) }], readable: true }] : [],
  );
  const all = [...own, ...framed].flatMap(({ bar }) => (bar ? [bar.low ?? bar.y, bar.high ?? bar.y] : []));
  const count = Math.max(1, own.length, framed.length);
  const x: Axis = {
    ...words.limits.x,
    scale: "linear",
    domain: [0.4, count + 0.6],
    ticks: own.map(({ group }, i) => ({ at: i + 1, label: short(group.lambda) })),
  };
  const y: Axis = {
    label: words.limits.bars[bars].label,
    short: words.limits.bars[bars].short,
    scale: "linear",
    domain: bars === "late_decay" ? linearDomain([0, 0.02, ...all.map((v) => v * 1.15)], 0.01, [0, 0.03]) : [0, 1.1],
  };
  return { title: words.limits.bars[bars].chart, summary: message ?? finding, x, y, series, markers: [], bands: [], message: null };
}

function sentence(recording: Recording, words: Words): string {
  const groups = groupsOf(recording, words);
  const decays = groups.flatMap(({ name, cell }) => (cell?.late_decay ? { name, ...cell.late_decay } : []));
  if (decays.length === 0 || !ended(recording)) return "";
  const fitted = Math.max(...groups.flatMap((g) => g.cell?.max_train_accuracy ?? []));
  const decay = words.limits.decay(
    decays.map(({ name, mean, ci }) => [fixed(mean, 4), ends(ci, (end) => fixed(end, 4)), name]),
    decays.some((d) => d.ci) ? decays.filter((d) => d.ci && d.ci[0] > 0).length : null,
    decays.every((d) => d.mean < TOLERANCE),
  );
  return fitted < FITTED ? `${words.limits.underfit(fixed(fitted, 2))} ${decay}` : `${words.limits.fit(fixed(fitted, 2))} ${decay}`;
}
