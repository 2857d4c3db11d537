// Settings as text: what differs from what, and whether a recording belongs to them.
import { FIELDS, type Experiment } from "../types.ts";

/** Names of Experiment fields and their values as text. */
export type Settings = Record<string, string>;

/** How a field says that it has nothing in its list. */
export const NONE = "none";

/** A field's value in JSON as text, as attributes and URLs give it; `null` if it is not set. */
function text(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return Array.isArray(value) ? value.join(",") || NONE : String(value);
}

/** Whether two texts say the same: "0.10" is "0.1", and "1e-2, 0.1" is "0.01,0.1". */
export function same(a: string | null | undefined, b: string | null | undefined): boolean {
  if (a === b) return true;
  if (a === null || a === undefined || b === null || b === undefined) return false;
  const [left, right] = [a, b].map((t) => t.split(",").map((part) => part.trim()));
  if (!left || !right || left.length !== right.length) return false;
  return left.every((part, i) => part === right[i] || (part !== "" && Number(part) === Number(right[i])));
}

/** Whether two sets of settings say the same; what is not set in one is so in the other. */
export function equal(a: Settings, b: Settings): boolean {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((name) => same(a[name], b[name]));
}

/** Whether the result of `experiment` is the one that `settings` (all of them) would give; `ignored` fields do not matter. */
export function belongs(experiment: Experiment, settings: Settings, ignored: readonly string[]): boolean {
  return FIELDS.every(
    (name) => ignored.includes(name) || same(text(experiment[name]) ?? "", settings[name] ?? ""),
  );
}

/** The fields that are the length of a run: one of them at most is set. */
const LENGTHS = ["tau", "steps", "epochs"];

/** `own` settings over `base`; a length takes the place of another one. */
export function over(base: Settings, own: Settings): Settings {
  if (!LENGTHS.some((name) => own[name])) return { ...base, ...own };
  return { ...Object.fromEntries(Object.entries(base).filter(([name]) => !LENGTHS.includes(name))), ...own };
}

/** Only what differs from `base`; what is not set there is as good as empty. */
export function differing(settings: Settings, base: Settings): Settings {
  return Object.fromEntries(Object.entries(settings).filter(([name, value]) => !same(value, base[name] ?? "")));
}

/** Whether there is such a field. */
export function isField(name: string): boolean {
  return (FIELDS as readonly string[]).includes(name);
}

/** The schedules of λ in a field's text. */
export function schedules(list: string | undefined): string[] {
  return (list ?? NONE).split(",").map((name) => name.trim()).filter((name) => name !== NONE && name !== "");
}

/** A list of numbers as text; `null` where it is none. */
export function numbers(list: string | undefined): number[] | null {
  if (list === undefined) return null;
  const values = list.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  return values.every((v) => Number.isFinite(v)) ? values : null;
}

/** `count` values from `high` down to `low`, evenly spaced in logarithms and rounded as little as keeps them apart. */
export function logRange(high: number, low: number, count: number): number[] {
  if (count < 2 || high === low) return [high];
  const exact = Array.from({ length: count }, (_, i) => high * (low / high) ** (i / (count - 1)));
  for (let digits = 1; digits < 6; digits++) {
    const rounded = exact.map((v) => Number(v.toPrecision(digits)));
    const ends = rounded[0] === Number(high.toPrecision(12)) && rounded[count - 1] === Number(low.toPrecision(12));
    if (ends && new Set(rounded).size === count) return rounded;
  }
  return exact;
}
