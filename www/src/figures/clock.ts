// "See it": accuracy or loss against steps, epochs or τ, with t_* marked.
import type { ChartSpec, Marker, Series } from "../chart/spec.ts";
import { short } from "../format.ts";
import type { Recording } from "../types.ts";
import type { Words } from "../words/words.ts";
import {
  faintCurves,
  groupsOf,
  heightAt,
  meanCurve,
  peakOf,
  quantityAxis,
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
    const finding = source.recording ? alignment(source.recording, words) : "";
    return { charts: [curvesChart(source, time, quantity, finding, words)], finding };
  },
};

/** The curves of the grid with its t_*, or of other groups without, on one clock. */
export function curvesChart(source: Source, time: Clock, quantity: Quantity, finding: string, words: Words, groupsIn = groupsOf): ChartSpec {
  const marked = groupsIn === groupsOf;
  const { recording, frame, message } = source;
  const groups = recording ? groupsIn(recording, words) : [];
  const faint = groups.flatMap((g) => (g.traces.length > 1 ? faintCurves(g, quantity, time, words) : []));
  const strong: Series[] = [];
  const peaks: Series[] = [];
  const markers: Marker[] = [];
  for (const group of groups) {
    const points = meanCurve(group, quantity, time);
    strong.push({ ...group.look, name: group.name, mark: "line", points, legend: true, readable: true });
    const peak = marked && recording && peakOf(recording, group);
    if (!peak) continue;
    const x = timeOf(recording, group, time, peak.steps);
    const y = heightAt(points, x);
    if (y === null) continue;
    peaks.push({ ...group.look, name: words.clock.peakOf(group.name), mark: peak.final ? "dot" : "ring", points: [{ x, y }], readable: true });
    markers.push({ color: group.look.color, dash: group.look.dash, x, top: y, label: "" });
  }
  const key = (name: string, mark: "dot" | "ring"): Series => ({
    name,
    mark,
    color: null,
    dash: 0,
    points: [],
    legend: peaks.some((p) => p.mark === mark),
  });
  const title = words.clock.chart(words.quantities[quantity].name, words.clocks[time].name);
  return {
    title,
    summary: message ?? [finding, ...groups.flatMap((g) => described(g, marked, words))].filter(Boolean).join(" "),
    x: timeAxis([recording, frame], time, words),
    y: quantityAxis([recording, frame], quantity, words, groupsIn),
    series: [...faint, ...strong, ...peaks, key(words.clock.peak, "dot"), key(words.clock.peakSoFar, "ring")],
    markers,
    bands: [],
    message,
  };
}

/** One group in a sentence. */
function described(group: Group, marked: boolean, words: Words): string[] {
  const { cell } = group;
  if (!cell || cell.max_test_accuracy === null) return [];
  const best = short(cell.max_test_accuracy);
  if (!marked && cell.final_test_accuracy !== null) return [words.clock.ends(group.name, best, short(cell.final_test_accuracy))];
  if (cell.t_star === null || cell.tau_star === null) return [words.clock.noPeak(group.name, best)];
  return [words.clock.peaked(group.name, best, short(cell.t_star), short(cell.tau_star))];
}

/** How far apart the peaks are in steps and in τ, in a sentence; empty with fewer than two. */
export function alignment(recording: Recording, words: Words): string {
  const cells = recording.findings.cells.flatMap((c) =>
    c.t_star !== null && c.tau_star !== null && c.t_star > 0 && c.tau_star > 0 ? { steps: c.t_star, tau: c.tau_star } : [],
  );
  if (cells.length < 2) return "";
  const range = (values: number[]) => [Math.min(...values), Math.max(...values)] as const;
  const [firstStep, lastStep] = range(cells.map((c) => c.steps));
  const [firstTau, lastTau] = range(cells.map((c) => c.tau));
  return words.clock.finding({
    peaks: cells.length,
    steps: [short(firstStep), short(lastStep), short(lastStep / firstStep, 2)],
    tau: [short(firstTau, 2), short(lastTau, 2), short(lastTau / firstTau, 2)],
  });
}
