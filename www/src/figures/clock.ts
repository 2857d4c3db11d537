// "See it": accuracy or loss against steps, epochs or τ, with t_* marked.
import type { ChartSpec, Marker, Series } from "../chart/spec.ts";
import { fixed, short, whole } from "../format.ts";
import type { Recording } from "../types.ts";
import type { Words } from "../words/words.ts";
import {
  ended,
  faintCurves,
  groupsOf,
  heightAt,
  meanCurve,
  outcomesOf,
  quantityAxis,
  starOf,
  timeAxis,
  timeOf,
  type Clock,
  type Group,
  type Quantity,
} from "./curves.ts";
import { chosen, type Choices, type Drawing, type Figure, type Source, type Switch } from "./figure.ts";

/** What curves of training show. */
export const quantitySwitch = (words: Words): Switch => ({
  name: "quantity",
  label: words.clock.quantitySwitch,
  options: (["test_accuracy", "test_loss", "train_accuracy"] as const).map((value) => ({
    value,
    label: words.quantities[value].name,
  })),
});

export const clock: Figure = {
  titles: (words) => words.clock,
  switches: (words) => [
    {
      name: "clock",
      label: words.clock.clockSwitch,
      options: (["tau", "step", "epoch"] as const).map((value) => ({ value, label: words.clocks[value].name })),
    },
    quantitySwitch(words),
  ],
  ignores: ["budget"],
  draw(source: Source, choices: Choices, words: Words): Drawing {
    const switches = clock.switches(words);
    const time = chosen(switches, choices, "clock") as Clock;
    const quantity = chosen(switches, choices, "quantity") as Quantity;
    const finding = source.recording ? sentence(source.recording, words) : "";
    return { charts: [curvesChart(source, time, quantity, finding, words)], finding };
  },
};

/** The curves of the grid with its t_*, or of other groups without, on one clock. */
export function curvesChart(source: Source, time: Clock, quantity: Quantity, finding: string, words: Words, groupsIn = groupsOf): ChartSpec {
  const marked = groupsIn === groupsOf;
  const { recording, frame, message } = source;
  const groups = recording ? groupsIn(recording, words) : [];
  const mark = recording && ended(recording) ? "dot" : "ring";
  const faint = groups.flatMap((g) => (g.traces.length > 1 ? faintCurves(g, quantity, time, words) : []));
  const strong: Series[] = [];
  const stars: Series[] = [];
  const markers: Marker[] = [];
  for (const group of groups) {
    const points = meanCurve(group, quantity, time);
    strong.push({ ...group.look, name: group.name, mark: "line", points, legend: true, readable: true });
    const star = marked ? starOf(group) : null;
    if (!recording || star === null) continue;
    const x = timeOf(recording, group, time, star);
    const y = heightAt(points, x);
    if (y === null) continue;
    stars.push({ ...group.look, name: `${group.name}, t*`, mark, points: [{ x, y }], readable: true });
    markers.push({ color: group.look.color, dash: group.look.dash, x, top: y, label: "" });
  }
  const name = words.clock.star(words.estimators[recording?.experiment.estimator ?? "arrival"], mark === "dot");
  const key: Series = { name, mark, color: null, dash: 0, points: [], legend: stars.length > 0 };
  const title = words.clock.chart(words.quantities[quantity].name, words.clocks[time].name);
  return {
    title,
    summary: message ?? [finding, ...groups.flatMap((g) => described(g, recording, marked, words))].filter(Boolean).join(" "),
    x: timeAxis([recording, frame], time, words),
    y: quantityAxis([recording, frame], quantity, words, groupsIn),
    series: [...faint, ...strong, ...stars, key],
    markers,
    bands: [],
    message,
  };
}

/** One group in a sentence, when its runs have ended. */
function described(group: Group, recording: Recording | null, marked: boolean, words: Words): string[] {
  const { cell, name, traces } = group;
  if (!cell || !recording || traces.some((t) => t.end === null)) return [];
  const best = short(cell.max_test_accuracy ?? Number.NaN);
  if (!marked && cell.final_test_accuracy !== null) return [words.clock.ends(name, best, short(cell.final_test_accuracy))];
  const loss = recording.experiment.estimator === "loss";
  const peak = loss ? null : cell.peak;
  const [step, tau] = peak ? [peak.step, peak.tau] : [cell.t_star, cell.tau_star];
  return [
    words.clock.cell({
      name,
      best,
      outcome: cell.outcome,
      loss,
      at: step && tau ? [whole(step), short(tau, 2)] : null,
      decline: peak && cell.late_decay && fixed(cell.late_decay.mean, 3),
      atLeast: cell.at_least === null ? null : whole(cell.at_least),
    }),
  ];
}

/** What the curves show, and how far apart their t_* are in steps and in τ, in sentences; empty before all runs have ended. */
function sentence(recording: Recording, words: Words): string {
  if (!ended(recording)) return "";
  const groups = groupsOf(recording, words);
  const outcomes = outcomesOf(groups);
  if (outcomes.length === 0) return "";
  const loss = recording.experiment.estimator === "loss";
  const shown = words.clock.shown(outcomes, loss);
  const times = groups.flatMap((g) => {
    const [steps, tau] = [starOf(g), g.cell?.tau_star];
    return steps && tau ? { steps, tau } : [];
  });
  if (times.length < 2) return shown;
  const range = (values: number[], text: (value: number) => string) => {
    const [first, last] = [Math.min(...values), Math.max(...values)];
    return [text(first), text(last), short(last / first, 2)];
  };
  const { collapse } = recording.findings;
  return `${shown} ${words.clock.finding({
    times: times.length,
    steps: range(times.map((t) => t.steps), whole),
    tau: range(times.map((t) => t.tau), (tau) => short(tau, 2)),
    spread: collapse && { tau: fixed(collapse.spread_in_tau, 3), steps: fixed(collapse.spread_in_steps, 3), nearer: collapse.spread_in_tau < collapse.spread_in_steps },
  })}`;
}
