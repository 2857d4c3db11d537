// "Where it fails": accuracy against τ, and how much of it is lost late, for models that the law is not about.
import { linearDomain } from "../chart/scale.ts";
import type { Axis, ChartSpec, Series } from "../chart/spec.ts";
import { fixed, short } from "../format.ts";
import type { Recording } from "../types.ts";
import type { Words } from "../words/words.ts";
import { curvesChart } from "./clock.ts";
import { alike, endedRuns, groupsOf, mean } from "./curves.ts";
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

function barsChart(source: Source, bars: Bars, finding: string, words: Words): ChartSpec {
  const { recording, frame, message } = source;
  const digits = bars === "late_decay" ? 3 : 2;
  const groups = recording ? groupsOf(recording, words) : [];
  const runs = recording ? endedRuns(recording) : [];
  const series = groups.flatMap((group, i): Series[] => {
    const values = runs.filter((r) => alike(r, group)).flatMap((r) => r[bars] ?? []);
    if (values.length === 0) return [];
    const middle = mean(values);
    const point = { x: i + 1, y: middle, low: Math.min(...values), high: Math.max(...values), label: fixed(middle, digits) };
    return [{ ...group.look, name: group.name, mark: "bar", points: [point], readable: true }];
  });
  const all = [recording, frame].flatMap((r) => (r ? endedRuns(r).flatMap((s) => s[bars] ?? []) : []));
  const count = Math.max(1, groups.length, frame ? groupsOf(frame, words).length : 0);
  const x: Axis = {
    ...words.limits.x,
    scale: "linear",
    domain: [0.4, count + 0.6],
    ticks: groups.map((g, i) => ({ at: i + 1, label: short(g.lambda) })),
  };
  const step = bars === "late_decay" ? 0.01 : 0.5;
  const y: Axis = {
    label: words.limits.bars[bars].label,
    short: words.limits.bars[bars].short,
    scale: "linear",
    domain: bars === "late_decay" ? linearDomain([0, 0.02, ...all.map((v) => v * 1.15)], step, [0, 0.03]) : [0, 1.1],
  };
  return { title: words.limits.bars[bars].chart, summary: message ?? finding, x, y, series, markers: [], bands: [], message: null };
}

function sentence(recording: Recording, words: Words): string {
  const runs = endedRuns(recording);
  const decays = runs.flatMap((r) => r.late_decay ?? []);
  if (decays.length === 0 || recording.traces.some((t) => t.end === null)) return "";
  const middle = mean(decays);
  const sd = Math.sqrt(decays.reduce((a, b) => a + (b - middle) ** 2, 0) / Math.max(1, decays.length - 1));
  const fitted = Math.max(...groupsOf(recording, words).flatMap((g) => g.cell?.max_train_accuracy ?? []));
  const decay = words.limits.decay({ seen: middle >= TOLERANCE, mean: fixed(middle, 4), sd: fixed(sd, 4), n: decays.length });
  return fitted < FITTED ? `${words.limits.underfit(fixed(fitted, 2))} ${decay}` : `${words.limits.fit(fixed(fitted, 2))} ${decay}`;
}
