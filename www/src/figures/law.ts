// "Measure it": t_* of every run against λ on logarithmic axes, with the fitted line, its interval, and what chance gives.
import { extent, logDomain } from "../chart/scale.ts";
import type { Band, Series } from "../chart/spec.ts";
import { fixed } from "../format.ts";
import type { Estimator, Fit, Recording, Time } from "../types.ts";
import type { Words } from "../words/words.ts";
import { alike, ended, endedRuns, groupsOf, mean, outcomesOf, type Group } from "./curves.ts";
import { chosen, type Choices, type Drawing, type Figure, type Source } from "./figure.ts";

/** A cell of constant λ: where it stands on the axis, t_* of its runs, and what t_* is at least if it still rises. */
interface Seen {
  readonly group: Group;
  readonly x: number;
  readonly times: readonly Time[];
  readonly later: number | null;
}

export const law: Figure = {
  titles: (words) => words.law,
  switches: (words) => [
    {
      name: "estimator",
      label: words.law.estimatorSwitch,
      options: (["arrival", "peak", "loss"] as const).map((value) => ({ value, label: words.estimators[value] })),
    },
  ],
  ignores: ["budget", "estimator"],
  draw({ recording, frame, message }: Source, choices: Choices, words: Words): Drawing {
    const estimator = chosen(law.switches(words), choices, "estimator") as Estimator;
    const several = recording !== null && new Set(recording.traces.map((t) => t.run.lr)).size > 1;
    const own = seenIn(recording, estimator, several, words);
    const all = [...own, ...seenIn(frame, estimator, several, words)];
    const x = { ...(several ? words.law.xRate : words.law.x), scale: "log", domain: logDomain(all.map((s) => s.x), 1.5, [1e-3, 0.2]) } as const;
    const y = { ...words.law.y, scale: "log", domain: logDomain(all.flatMap((s) => [...s.times.map((t) => t.step), s.later ?? 0]), 1.7, [10, 1e4]) } as const;
    const lines = fitted(recording?.findings.fits[estimator], own, x.domain, words);
    const finding = recording && ended(recording) ? sentence(recording, estimator, own, several, words) : "";
    return {
      charts: [
        {
          title: words.law.chart,
          summary: message ?? finding,
          x,
          y,
          series: [...lines.series, ...dots(own, words)],
          markers: [],
          bands: lines.bands,
          message,
        },
      ],
      finding,
    };
  },
};

function seenIn(recording: Recording | null, estimator: Estimator, several: boolean, words: Words): Seen[] {
  if (!recording) return [];
  const { experiment } = recording;
  // What was found of cells by the experiment's estimator holds for one that looks at the same curves.
  const holds = (experiment.estimator === "loss") === (estimator === "loss");
  return groupsOf(recording, words).flatMap((group): Seen[] => {
    if (group.lambda_schedule !== "constant") return [];
    const times = endedRuns(recording).flatMap((r) => (alike(r, group) && r.times[estimator]) || []);
    const x = several ? (group.lr / (1 - experiment.momentum)) * group.lambda : group.lambda;
    return [{ group, x, times, later: (holds && group.cell?.at_least) || null }];
  });
}

/** Dots for the runs that are timed, arrows for the λ whose t_* is later than their runs show. */
function dots(seen: readonly Seen[], words: Words): Series[] {
  const marks = (mark: "dot" | "arrow", key: string, heights: (s: Seen) => readonly number[]): Series[] => {
    const series = seen.flatMap((s): Series[] => {
      const points = heights(s).map((y) => ({ x: s.x, y }));
      const { look, name } = s.group;
      return points.length > 0 ? [{ ...look, name: mark === "dot" ? name : `${name}, ${key}`, mark, points, readable: true }] : [];
    });
    return [...series, { name: key, mark, color: null, dash: 0, points: [], legend: series.length > 0 }];
  };
  return [...marks("dot", words.law.runKey, (s) => s.times.map((t) => t.step)), ...marks("arrow", words.law.later, (s) => (s.later === null ? [] : [s.later]))];
}

/** The fitted line, the slopes of its interval through the middle of the runs, and there the law's slope and that of chance. */
function fitted(fit: Fit | undefined, seen: readonly Seen[], domain: readonly [number, number], words: Words): { series: Series[]; bands: Band[] } {
  const runs = seen.flatMap((s) => s.times.map((t) => ({ x: s.x, rate: t.tau / t.step })));
  const span = extent(runs.map((r) => r.x));
  if (!fit || !span) return { series: [], bands: [] };
  // The fit is on log ηλ, which is how fast τ goes; on the λ axis everything is shifted.
  const height = fit.intercept + fit.slope_product * mean(runs.map((r) => Math.log(r.rate)));
  const middle = mean(runs.map((r) => Math.log(r.x)));
  const [low, high] = [Math.min(span[0] / 1.2, domain[0] * 1.2), Math.max(span[1] * 1.2, domain[1] / 1.2)];
  // On logarithmic axes the lines are straight; only the band's edges bend, where the slopes cross.
  const xs = Array.from({ length: 33 }, (_, i) => low * (high / low) ** (i / 32));
  const line = (slope: number, at: number) => Math.exp(height + slope * (Math.log(at) - middle));
  const points = (slope: number) => xs.map((at) => ({ x: at, y: line(slope, at) }));
  const ci = fit.slope_product_ci;
  return {
    series: [
      { name: words.law.guide, mark: "guide", color: null, dash: 4, points: points(-1), legend: true },
      { name: words.law.placebo, mark: "guide", color: null, dash: 2, points: points(fit.placebo_slope), legend: true },
      { name: words.law.fit(fixed(fit.slope_product, 2)), mark: "line", color: null, dash: 0, points: points(fit.slope_product), legend: true },
    ],
    bands: ci
      ? [{ color: null, points: xs.map((at) => ({ x: at, low: Math.min(line(ci[0], at), line(ci[1], at)), high: Math.max(line(ci[0], at), line(ci[1], at)) })) }]
      : [],
  };
}

/** What the fit says, or why there is none. */
function sentence({ experiment, findings }: Recording, estimator: Estimator, seen: readonly Seen[], several: boolean, words: Words): string {
  const fit = findings.fits[estimator];
  const loss = estimator === "loss";
  const why = findings.refusals[estimator];
  if (!fit) {
    if (!why) return "";
    const lambdas = new Set(seen.flatMap((s) => (s.times.length > 0 ? s.group.lambda : []))).size;
    const outcomes = loss === (experiment.estimator === "loss") ? outcomesOf(seen.map((s) => s.group)) : [];
    return words.law.refused({ why, lambdas, outcomes, loss });
  }
  return words.law.finding(fit, (value) => fixed(value, 2), seen.length, several, undecided(fit));
}

/** Why a fit decides nothing, if it does not. */
function undecided({ law, slope_ci, placebo_slope, without_l2 }: Fit): "seeds" | "chance" | "wide" | null {
  if (law !== "not decided by this data") return null;
  if (!slope_ci) return "seeds";
  const inside = [placebo_slope, without_l2.slope].some((slope) => slope !== null && slope >= slope_ci[0] && slope <= slope_ci[1]);
  return inside ? "chance" : "wide";
}
