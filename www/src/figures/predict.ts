// "Use it": accuracy within a budget against λ, and the λ that the law predicts for that budget.
import { linearDomain, logDomain } from "../chart/scale.ts";
import type { Marker, Point, Series } from "../chart/spec.ts";
import { ends, fixed, short, whole } from "../format.ts";
import type { Recording } from "../types.ts";
import type { Words } from "../words/words.ts";
import { ended, mean } from "./curves.ts";
import type { Choices, Drawing, Figure, Source } from "./figure.ts";

export const predict: Figure = {
  titles: (words) => words.predict,
  switches: () => [],
  ignores: [],
  draw(source: Source, _choices: Choices, words: Words): Drawing {
    const { recording, frame, message } = source;
    const both = [recording, frame].flatMap((r) => r ?? []);
    const lambdas = both.flatMap((r) => [
      ...r.traces.map((t) => t.run.lambda),
      ...(r.findings.forecast ? [r.findings.forecast.lambda_pred, ...(r.findings.forecast.lambda_pred_ci ?? [])] : []),
    ]);
    const accuracies = both.flatMap((r) => [
      ...atBudget(r).map((p) => p.y),
      ...(r.findings.regret ? [r.findings.regret.accuracy] : []),
    ]);
    const forecast = recording?.findings.forecast ?? null;
    const regret = recording?.findings.regret ?? null;
    const series: Series[] = [];
    const markers: Marker[] = [];
    const points = recording ? atBudget(recording) : [];
    if (points.length > 0) {
      series.push({ name: words.predict.grid, mark: "guide", color: null, dash: 0, points });
      series.push({ name: words.predict.grid, mark: "dot", color: null, dash: 0, points, legend: true, readable: true });
    }
    if (forecast) {
      const [low, high] = forecast.lambda_pred_ci ?? [];
      const interval = low === undefined || high === undefined ? {} : { low, high };
      markers.push({ x: forecast.lambda_pred, label: words.predict.marker(short(forecast.lambda_pred, 2)), color: 5, dash: 4, ...interval });
      if (regret) {
        const points = [{ x: forecast.lambda_pred, y: regret.accuracy }];
        series.push({ name: words.predict.predicted, mark: "diamond", color: 5, dash: 0, points, legend: true, readable: true });
      }
    }
    const finding = recording ? sentence(recording, words) : "";
    return {
      charts: [
        {
          title: words.predict.chart,
          summary: message ?? finding,
          x: { ...words.predict.x, scale: "log", domain: logDomain(lambdas, 1.4, [1e-3, 0.2]) },
          y: {
            ...words.predict.y,
            scale: "linear",
            domain: linearDomain(accuracies.flatMap((a) => [a - 0.004, a + 0.004]), 0.02, [0.7, 0.8]),
          },
          series,
          markers,
          bands: [],
          message,
        },
      ],
      finding,
    };
  },
};

/** Mean accuracy within the budget by λ. */
function atBudget(recording: Recording): Point[] {
  const byLambda = new Map<number, number[]>();
  for (const { lambda, accuracy } of recording.findings.scores) byLambda.set(lambda, [...(byLambda.get(lambda) ?? []), accuracy]);
  return [...byLambda].sort(([a], [b]) => a - b).map(([x, values]) => ({ x, y: mean(values) }));
}

function sentence(recording: Recording, words: Words): string {
  const { forecast, regret } = recording.findings;
  if (!forecast) return ended(recording) ? words.predict.none : "";
  const made = words.predict.forecast({
    lambda0: short(forecast.lambda0),
    tStar: whole(forecast.t_star),
    n: forecast.n,
    budget: whole(forecast.budget),
    lambda: short(forecast.lambda_pred, 2),
    interval: ends(forecast.lambda_pred_ci, (end) => short(end, 2)),
  });
  if (!regret) return made;
  const tested = words.predict.regret({
    accuracy: fixed(regret.accuracy, 3),
    best: fixed(regret.best_accuracy, 3),
    bestLambda: short(regret.best_lambda),
    regret: fixed(regret.regret, 4),
    interval: ends(regret.regret_ci, (end) => fixed(end, 4)),
    seeds: regret.seeds,
  });
  return `${made} ${tested}`;
}
