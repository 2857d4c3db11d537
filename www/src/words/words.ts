// The languages: which there are, which of them an element speaks, and sentences that wait for one.
import { en } from "./en.ts";

/** A catalogue of every visible string. */
export type Words = typeof en;

/** Something to say, in whatever language its reader has. */
export type Said = (words: Words) => string;

/** English is always there; the others are loaded when an element speaks them. */
const OTHERS: Readonly<Record<string, () => Promise<Words>>> = {
  de: async () => (await import("./de.ts")).de,
  // For tests: everything half as long again, and written from right to left.
  "en-x-long": async () => (await import("./pseudo.ts")).long,
  "en-x-rtl": async () => (await import("./pseudo.ts")).rtl,
};

export { en };

/** The tags of all catalogues that are for readers. */
export const LANGUAGES = ["en", ...Object.keys(OTHERS).filter((tag) => !tag.includes("-x-"))] as const;

/** The catalogue for a BCP 47 tag ("de-AT" is "de"), or `null` if there is none. */
export function language(tag: string): string | null {
  const parts = tag.toLowerCase().split("-");
  for (let count = parts.length; count > 0; count--) {
    const name = parts.slice(0, count).join("-");
    if (name === "en" || Object.hasOwn(OTHERS, name)) return name;
  }
  return null;
}

const loaded = new Map<string, Promise<Words>>();

/** Loads a catalogue, once; fails where it does not arrive. */
export function catalogue(name: string): Promise<Words> {
  const load = OTHERS[name];
  if (!load) return Promise.resolve(en);
  let words = loaded.get(name);
  if (!words) {
    words = load().catch((error: unknown) => {
      loaded.delete(name);
      throw error;
    });
    loaded.set(name, words);
  }
  return words;
}
