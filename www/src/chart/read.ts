// Reading values off a chart: which point is nearest to a pointer, and where the arrow keys go.
import type { ChartSpec } from "./spec.ts";
import type { Scale } from "./scale.ts";

/** A point by the index of its series and its own. */
export interface Reading {
  readonly series: number;
  readonly point: number;
}

/** Points further from the pointer than this are not read, in pixels. */
const REACH = 48;

function* readable(spec: ChartSpec): Generator<Reading> {
  for (const [series, s] of spec.series.entries()) {
    if (!s.readable) continue;
    for (const [point, p] of s.points.entries()) {
      if (Number.isFinite(p.y) && inside(p.x, spec.x.domain) && inside(p.y, spec.y.domain)) yield { series, point };
    }
  }
}

function inside(value: number, [low, high]: readonly [number, number]): boolean {
  return value >= low - Math.abs(low) * 1e-9 && value <= high + Math.abs(high) * 1e-9;
}

function pointOf(spec: ChartSpec, reading: Reading) {
  return spec.series[reading.series]?.points[reading.point];
}

/** The point nearest to a position in the plot, if one is near. */
export function nearest(spec: ChartSpec, x: Scale, y: Scale, px: number, py: number): Reading | null {
  let best: Reading | null = null;
  let least = REACH ** 2;
  for (const reading of readable(spec)) {
    const p = pointOf(spec, reading);
    if (!p) continue;
    const distance = (x(p.x) - px) ** 2 + (y(p.y) - py) ** 2;
    if (distance < least) [best, least] = [reading, distance];
  }
  return best;
}

/** The first point that can be read. */
export function firstReading(spec: ChartSpec): Reading | null {
  for (const reading of readable(spec)) return reading;
  return null;
}

/** Whether the point is still there to be read. */
export function isThere(spec: ChartSpec, reading: Reading): boolean {
  return [...readable(spec)].some((r) => r.series === reading.series && r.point === reading.point);
}

/** Where a key leads from a point; `null` for a key that means nothing here. */
export function moved(spec: ChartSpec, from: Reading, key: string): Reading | null {
  const all = [...readable(spec)];
  const own = all.filter((r) => r.series === from.series);
  const at = Math.max(0, own.findIndex((r) => r.point === from.point));
  const along = (to: number) => own[Math.max(0, Math.min(own.length - 1, to))] ?? from;
  switch (key) {
    case "ArrowRight":
      return along(at + 1);
    case "ArrowLeft":
      return along(at - 1);
    case "PageDown":
      return along(at + 10);
    case "PageUp":
      return along(at - 10);
    case "Home":
      return along(0);
    case "End":
      return along(own.length - 1);
    case "ArrowUp":
    case "ArrowDown": {
      const series = [...new Set(all.map((r) => r.series))];
      const step = key === "ArrowUp" ? -1 : 1;
      const next = series[(series.indexOf(from.series) + step + series.length) % series.length];
      const x = pointOf(spec, from)?.x ?? 0;
      const others = all.filter((r) => r.series === next);
      const far = (r: Reading) => Math.abs((pointOf(spec, r)?.x ?? 0) - x);
      return others.reduce<Reading | null>((best, r) => (best && far(best) <= far(r) ? best : r), null);
    }
    default:
      return null;
  }
}
