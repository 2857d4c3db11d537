// "Measure it": t_* of every run against λ on logarithmic axes, with the fitted line and its interval.
import { extent, logDomain } from "../chart/scale.ts";
import type { Band, Series } from "../chart/spec.ts";
import { fixed } from "../format.ts";
import type { Estimator, Fit, Recording, RunSummary } from "../types.ts";
import type { Words } from "../words/words.ts";
import { alike, endedRuns, groupsOf, mean } from "./curves.ts";
import { chosen, type Choices, type Drawing, type Figure, type Source } from "./figure.ts";

export const law: Figure = {
  titles: (words) => words.law,
  switches: (words) => [
    {
      name: "estimator",
      label: words.law.estimatorSwitch,
      options: (["smoothed", "threshold", "loss"] as const).map((value) => ({ value, label: words.estimators[value] })),
    },
  ],
  ignores: ["budget", "estimator"],
  draw(source: Source, choices: Choices, words: Words): Drawing {
    const estimator = chosen(law.switches(words), choices, "estimator") as Estimator;
    const { recording, frame, message } = source;
    const finding = recording ? sentence(recording, estimator, words) : "";
    const several = recording ? new Set(recording.traces.map((t) => t.run.lr)).size > 1 : false;
    const xOf = (run: { lr: number; momentum: number; lambda: number }) => (several ? rate(run) : run.lambda);
    const shown = (r: Recording | null) => (r ? lawful(r).filter((s) => s.estimates[estimator]) : []);
    const all = [...shown(recording), ...shown(frame)];
    const xs = [...(recording?.traces ?? []), ...(frame?.traces ?? [])].map((t) => xOf(t.run));
    const x = { ...(several ? words.law.xRate : words.law.x), scale: "log", domain: logDomain(xs, 1.5, [1e-3, 0.2]) } as const;
    const steps = all.flatMap((r) => r.estimates[estimator]?.step ?? []);
    const y = { ...words.law.y, scale: "log", domain: logDomain(steps, 1.7, [10, 1e4]) } as const;
    const drawn = recording ? dots(recording, estimator, xOf, words) : [];
    const lines = recording ? fitted(recording, estimator, x.domain, xOf, words) : { series: [], bands: [] };
    return {
      charts: [
        {
          title: words.law.chart,
          summary: message ?? finding,
          x,
          y,
          series: [...lines.series, ...drawn],
          markers: [],
          bands: lines.bands,
          message,
        },
      ],
      finding,
    };
  },
};

/** The runs that the law is about: those whose λ is constant. */
function lawful(recording: Recording): RunSummary[] {
  return endedRuns(recording).filter((r) => r.lambda_schedule === "constant");
}

/** η/(1−β)·λ: what t_* goes with. */
function rate(run: { lr: number; momentum: number; lambda: number }): number {
  return (run.lr / (1 - run.momentum)) * run.lambda;
}

/** Dots for the runs in the fit, arrows for those whose peak was not reached. */
function dots(recording: Recording, estimator: Estimator, xOf: (run: RunSummary) => number, words: Words): Series[] {
  const [groups, runs] = [groupsOf(recording, words), lawful(recording)];
  const of = (censored: boolean): Series[] =>
    groups.flatMap((group) => {
      const points = runs.flatMap((r) => {
        const peak = r.estimates[estimator];
        if (!alike(r, group) || !peak || peak.censored !== censored) return [];
        return { x: xOf(r), y: peak.step };
      });
      if (points.length === 0) return [];
      const mark = censored ? "arrow" : "dot";
      const name = censored ? words.law.censored(group.name) : group.name;
      return { ...group.look, name, mark, points, readable: true } satisfies Series;
    });
  const [reached, censored] = [of(false), of(true)];
  const key = (name: string, mark: "dot" | "arrow", legend: boolean): Series => ({ name, mark, color: null, dash: 0, points: [], legend });
  return [...reached, ...censored, key(words.law.runKey, "dot", reached.length > 0), key(words.law.censoredKey, "arrow", censored.length > 0)];
}

/** An interval of the slope that is wider than this decides nothing. */
const WIDE = 1;

/** The fitted line, the slopes of its interval through the middle of the runs, and the law's slope there. */
function fitted(
  recording: Recording,
  estimator: Estimator,
  domain: readonly [number, number],
  xOf: (run: RunSummary) => number,
  words: Words,
): { series: Series[]; bands: Band[] } {
  const fit = recording.findings.fits[estimator];
  const inFit = lawful(recording).filter((r) => r.estimates[estimator]?.censored === false);
  const first = inFit[0];
  const span = extent(inFit.map(xOf));
  if (!fit || !first || !span) return { series: [], bands: [] };
  const middle = mean(inFit.map((r) => Math.log(rate(r))));
  const height = fit.slope * middle + fit.intercept;
  // On the λ axis everything is shifted by log η.
  const shift = Math.log(rate(first)) - Math.log(xOf(first));
  const [low, high] = [Math.min(span[0] / 1.2, domain[0] * 1.2), Math.max(span[1] * 1.2, domain[1] / 1.2)];
  // On logarithmic axes the lines are straight; only the band's edges bend, where the slopes cross.
  const xs = Array.from({ length: 33 }, (_, i) => low * (high / low) ** (i / 32));
  const line = (slope: number, at: number) => Math.exp(height + slope * (Math.log(at) + shift - middle));
  const points = (slope: number) => xs.map((at) => ({ x: at, y: line(slope, at) }));
  const ci = fit.slope_ci;
  return {
    series: [
      { name: words.law.guide, mark: "guide", color: null, dash: 4, points: points(-1), legend: true },
      { name: words.law.fit(fixed(fit.slope, 2)), mark: "line", color: null, dash: 0, points: points(fit.slope), legend: true },
    ],
    bands: ci
      ? [{ color: null, points: xs.map((at) => ({ x: at, low: Math.min(line(ci[0], at), line(ci[1], at)), high: Math.max(line(ci[0], at), line(ci[1], at)) })) }]
      : [],
  };
}

function sentence(recording: Recording, estimator: Estimator, words: Words): string {
  const runs = lawful(recording).filter((r) => r.estimates[estimator]);
  const censored = runs.filter((r) => r.estimates[estimator]?.censored).length;
  const fit: Fit | undefined = recording.findings.fits[estimator];
  if (!fit) return runs.length > 0 ? words.law.tooFew : "";
  const ci = fit.slope_ci;
  return words.law.finding({
    slope: fixed(fit.slope, 2),
    interval: ci ? [fixed(ci[0], 2), fixed(ci[1], 2)] : null,
    holds: ci ? ci[0] <= -1 && ci[1] >= -1 : null,
    wide: ci !== null && ci[1] - ci[0] > WIDE,
    n: fit.n,
    seeds: fit.seeds,
    cPrime: fixed(fit.c_prime, 2),
    censored,
  });
}
