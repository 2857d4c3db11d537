// Axes in numbers: positions in pixels, ticks that do not crowd, and domains around data.
import { ticks } from "d3-array";
import { fixed, short } from "../format.ts";
import type { Axis, Tick } from "./spec.ts";

export type Scale = (value: number) => number;

/** Positions along `range` in pixels; a value that the axis cannot show is not a number. */
export function scaleOf(axis: Axis, range: readonly [number, number]): Scale {
  // The logarithm of what is not positive is no number, or no finite one.
  const along = axis.scale === "log" ? Math.log : (value: number) => value;
  const [low, high] = [along(axis.domain[0]), along(axis.domain[1])];
  return (value) => range[0] + ((along(value) - low) / (high - low)) * (range[1] - range[0]);
}

/** Mantissas that get a label, from many to few. */
const LABELLED = [[1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 3, 5], [1, 2, 5], [1, 3], [1]] as const;

/** Ticks of an axis that has room for `room` labels. */
export function ticksOf(axis: Axis, room: number): readonly Tick[] {
  if (axis.ticks) return axis.ticks;
  return axis.scale === "log" ? logTicks(axis.domain, room) : linearTicks(axis.domain, room);
}

function linearTicks(domain: readonly [number, number], room: number): Tick[] {
  const values = ticks(...domain, Math.max(2, Math.min(6, room)));
  const step = values.length > 1 ? (values[1] ?? 0) - (values[0] ?? 0) : 1;
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return values.map((at) => ({ at, label: digits > 4 ? short(at) : fixed(at, digits) }));
}

function logTicks([low, high]: readonly [number, number], room: number): Tick[] {
  const first = Math.floor(Math.log10(low) - 1e-9);
  const last = Math.ceil(Math.log10(high) + 1e-9);
  const all: { at: number; mantissa: number; exponent: number }[] = [];
  for (let exponent = first; exponent <= last; exponent++) {
    for (let mantissa = 1; mantissa < 10; mantissa++) {
      const at = Number(`${mantissa}e${exponent}`);
      if (at >= low * (1 - 1e-9) && at <= high * (1 + 1e-9)) all.push({ at, mantissa, exponent });
    }
  }
  // Labels that fit side by side into one decade.
  const perDecade = room / Math.log10(high / low);
  const closest = (mantissas: readonly number[]) => Math.min(...mantissas.map((m, i) => Math.log10((mantissas[i + 1] ?? 10) / m)));
  const mantissas: readonly number[] = LABELLED.find((m) => closest(m) * perDecade >= 1) ?? [1];
  const decades = Math.max(1, Math.ceil(1 / perDecade));
  const minor = last - first <= 6;
  return all
    .filter((t) => minor || t.mantissa === 1)
    .map(({ at, mantissa, exponent }) => {
      const labelled = mantissas.includes(mantissa) && (mantissas.length > 1 || exponent % decades === 0);
      return { at, label: labelled ? short(at) : "" };
    });
}

/** Least and largest of the values that are numbers; `null` of none. */
export function extent(values: Iterable<number>): [number, number] | null {
  let found: [number, number] | null = null;
  for (const v of values) {
    if (Number.isFinite(v)) found = found ? [Math.min(found[0], v), Math.max(found[1], v)] : [v, v];
  }
  return found;
}

/** A logarithmic domain around positive values, with `pad` (a factor) to spare. */
export function logDomain(values: Iterable<number>, pad: number, otherwise: readonly [number, number]): [number, number] {
  const found = extent([...values].filter((v) => v > 0));
  if (!found) return [...otherwise];
  return [found[0] / pad, found[1] * pad];
}

/** A linear domain around values, its ends on whole multiples of `step`. */
export function linearDomain(values: Iterable<number>, step: number, otherwise: readonly [number, number]): [number, number] {
  const found = extent(values);
  if (!found) return [...otherwise];
  const low = Math.floor(found[0] / step + 1e-9) * step;
  const high = Math.ceil(found[1] / step - 1e-9) * step;
  return high > low ? [low, high] : [low - step, high + step];
}
