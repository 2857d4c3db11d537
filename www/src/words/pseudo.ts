// Two made-up languages that tests show the element in: one with long strings, one that is written from right to left.
import { en, type Words } from "./words.ts";

/** Every string of a catalogue, also those that its functions return, changed by `change`; keys stay. */
function changed<T>(value: T, change: (text: string) => string): T {
  if (typeof value === "string") return change(value) as T;
  if (typeof value === "function") return ((...args: unknown[]) => changed((value as (...a: unknown[]) => unknown)(...args), change)) as T;
  if (Array.isArray(value)) return value.map((item) => changed(item, change)) as T;
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, changed(item, change)])) as T;
}

/** A catalogue's strings grow by half. */
const stretched = (text: string) => (/\p{L}{2}/u.test(text) ? `${text}${" ẍẍẍẍ".repeat(Math.ceil(text.length / 10))}` : text);

export const long: Words = { ...changed(en, stretched), lang: "en-x-long", dir: "ltr" };

const RIGHT_TO_LEFT = "\u202e";
const END = "\u202c";

export const rtl: Words = { ...changed(en, (text) => RIGHT_TO_LEFT + text + END), lang: "en-x-rtl", dir: "rtl" };
