// "Why": the kernel, its modes and the losses of an infinitely wide network, with trained networks on top.
import { linearDomain, logDomain } from "../chart/scale.ts";
import { look, type Axis, type ChartSpec, type Marker, type Point, type Series } from "../chart/spec.ts";
import { short } from "../format.ts";
import type { TheoryCurves, TheoryRecording } from "../types.ts";
import type { Said, Words } from "../words/words.ts";
import { chosen, type Choices, type Drawing, type Figure } from "./figure.ts";

/** Everything that is drawn for one λ and k. */
export interface TheoryView {
  readonly lambda: number;
  readonly k: number;
  readonly curves: TheoryCurves | null;
  /** Eigenvalues of the kernel's modes, the largest first. */
  readonly gammas: ArrayLike<number>;
  readonly recorded: TheoryRecording | null;
  readonly message: Said | null;
}

/** Where the λ slider stands. */
export const LAMBDAS = [-5, -4, -3, -2].flatMap((e) => [1, 2, 3, 5].map((m) => Number(`${m}e${e}`))).concat(0.1);
export const DEPTHS: readonly number[] = [1, 2, 3, 4, 5];

/** Times of gradient flow, evenly spaced in logarithms. */
export const TIMES = Float64Array.from({ length: 141 }, (_, i) => 10 ** (-1 + i / 20));

/** The modes that are shown: the strongest and weaker ones, evenly spaced in logarithms. */
export function shownModes(count: number): number[] {
  return [1, 4, 16, 64, 256].filter((rank) => rank <= count).map((rank) => rank - 1);
}

/** Θ_t/Θ_0 of a k-homogeneous network (Theorem 1). */
function kernelScale(k: number, lambda: number, time: number): number {
  return Math.exp(-2 * (k - 1) * lambda * time);
}

export const theory: Pick<Figure, "titles" | "switches"> & { draw(view: TheoryView, choices: Choices, words: Words): Drawing } = {
  titles: (words) => words.theory,
  switches: (words) => [
    {
      name: "clock",
      label: words.theory.clockSwitch,
      options: (["t", "tau"] as const).map((value) => ({ value, label: words.theory.times[value].name })),
    },
  ],
  draw(view: TheoryView, choices: Choices, words: Words): Drawing {
    const time = chosen(theory.switches(words), choices, "clock") === "tau" ? "tau" : "t";
    const unit = time === "tau" ? view.lambda : 1;
    const x: Axis = { ...words.theory.times[time], scale: "log", domain: time === "tau" ? [1e-3, 10] : [0.1, 1e6] };
    const finding = sentence(view, words);
    return { charts: [modesChart(view, x, unit, words), lossChart(view, x, unit, finding, words)], finding };
  },
};

function modesChart(view: TheoryView, x: Axis, unit: number, words: Words): ChartSpec {
  const { lambda, k, curves } = view;
  const modes = curves?.modes ?? [];
  const series: Series[] = modes.map((mode, i) => ({
    ...look(i, modes.length),
    name: words.theory.mode(mode.index + 1, short(view.gammas[mode.index] ?? Number.NaN, 2)),
    mark: "line",
    legend: true,
    readable: true,
    points: mode.learned.map((y, j) => ({ x: (curves?.times[j] ?? Number.NaN) * unit, y })),
  }));
  const kernel: Point[] = Array.from(TIMES, (t) => ({ x: t * unit, y: kernelScale(k, lambda, t) }));
  series.push({ name: words.theory.kernel, mark: "line", color: null, dash: 1, points: kernel, legend: true, readable: true });
  const kernels = (view.recorded?.k === k ? view.recorded.kernels : []).filter((p) => p.lambda === lambda);
  const widest = Math.max(...kernels.map((p) => p.width));
  const measured = kernels.filter((p) => p.width === widest);
  if (measured.length > 0) {
    const points = measured.map((p) => ({ x: (p.tau / lambda) * unit, y: p.scale }));
    series.push({ name: words.theory.kernelMeasured(widest), mark: "ring", color: null, dash: 0, points, legend: true, readable: true });
  }
  return {
    title: words.theory.modesChart(k, short(lambda)),
    summary: words.theory.modesSummary(k),
    x,
    y: { ...words.theory.learned, scale: "linear", domain: [0, 1.05] },
    series,
    markers: [],
    bands: [],
    message: view.message?.(words) ?? null,
  };
}

function lossChart(view: TheoryView, x: Axis, unit: number, finding: string, words: Words): ChartSpec {
  const { curves, lambda } = view;
  const series: Series[] = [];
  const markers: Marker[] = [];
  const networks = view.recorded?.k === view.k ? view.recorded.networks.filter((n) => n.lambda === lambda) : [];
  if (curves) {
    const points = (values: readonly number[]) => values.map((y, i) => ({ x: (curves.times[i] ?? Number.NaN) * unit, y }));
    series.push({ name: words.theory.train, mark: "line", color: 5, dash: 1, points: points(curves.train_loss), legend: true, readable: true });
    series.push({ name: words.theory.test, mark: "line", color: null, dash: 0, points: points(curves.test_loss), legend: true, readable: true });
    if (curves.t_star !== null) {
      markers.push({ x: curves.t_star * unit, label: words.theory.peakMark(short(curves.t_star * unit, 2)), color: null, dash: 4 });
    }
  }
  for (const [i, network] of networks.entries()) {
    const { times, width, seed } = network;
    const color = 1 + 2 * i;
    const points = (values: readonly number[]) => times.map((t, j) => ({ x: t * unit, y: values[j] ?? Number.NaN }));
    const name = words.theory.network(width, seed);
    const shown = { color, legend: i === 0, readable: true };
    series.push({ ...shown, name: words.theory.networkTheory(seed), mark: "line", dash: 2, points: points(network.expected) });
    series.push({ ...shown, name, mark: "ring", dash: 0, points: spread(points(network.test_loss)) });
  }
  const own = [...(curves?.train_loss ?? []), ...(curves?.test_loss ?? [])];
  const theirs = networks.flatMap((n) => [...n.test_loss, ...n.expected]);
  // Networks start with losses far above any that the theory's curves have.
  const range: Pick<Axis, "scale" | "domain"> =
    theirs.length > 0
      ? { scale: "log", domain: logDomain([...own, ...theirs], 1.3, [0.1, 1]) }
      : { scale: "linear", domain: linearDomain([0, ...own.map((h) => 1.1 * h)], 0.1, [0, 0.6]) };
  return {
    title: words.theory.lossChart(view.k, short(lambda)),
    summary: view.message?.(words) ?? finding,
    x,
    y: { ...words.theory.loss, ...range },
    series,
    markers,
    bands: [],
    message: null,
  };
}

/** Points of a logarithmic axis, none nearer to the one before than a fifth. */
function spread(points: readonly Point[]): Point[] {
  const kept: Point[] = [];
  for (const point of points) {
    const before = kept.at(-1);
    if (!before || point.x >= 1.2 * before.x) kept.push(point);
  }
  return kept;
}

function sentence(view: TheoryView, words: Words): string {
  const { curves, k, lambda } = view;
  if (!curves) return "";
  if (k === 1) return words.theory.linear;
  const kernelTime = short(1 / (2 * (k - 1) * lambda), 2);
  if (curves.t_star === null) return words.theory.noPeak(k, kernelTime);
  return words.theory.finding({ k, kernelTime, tStar: short(curves.t_star, 2), tau: short(curves.t_star * lambda, 2) });
}
