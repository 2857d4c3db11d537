// Settings in the page's address: only what differs from the default, and the version of the form. The first figure's have
// their bare names; those of another begin with its id: "auto.compare".
import { isField, type Settings } from "./element/settings.ts";
import type { Said } from "./words/words.ts";

const VERSION = "1";

export interface FromUrl {
  /** By the figure's id; the first one's is empty. */
  readonly settings: Readonly<Record<string, Settings>>;
  /** What was not understood, each in a few words. */
  readonly problems: readonly Said[];
  /** A version that this page does not know. */
  readonly version: string | null;
}

/** Reads the part of an address after its "?", on a page with the figures `ids`. */
export function read(search: string, ids: readonly string[]): FromUrl {
  const parameters = new URLSearchParams(search);
  const settings = Object.fromEntries(ids.map((id): [string, Settings] => [id, {}]));
  const problems: Said[] = [];
  for (const [key, value] of parameters) {
    if (key === "v") continue;
    const dot = key.indexOf(".");
    const [id, name] = [key.slice(0, Math.max(0, dot)), key.slice(dot + 1)];
    const own = ids.includes(id) ? settings[id] : undefined;
    if (own && isField(name)) own[name] = value;
    else problems.push((words) => words.url.unknown(key));
  }
  const version = parameters.get("v");
  return { settings, problems, version: version === null || version === VERSION ? null : version };
}

/** The address of `settings`, by the figure's id, on the page at `base`. */
export function write(base: string, settings: Readonly<Record<string, Settings>>): string {
  const url = new URL(base);
  const pairs = Object.entries(settings).flatMap(([id, own]) =>
    Object.keys(own).sort().map((name) => [id === "" ? name : `${id}.${name}`, own[name] ?? ""]),
  );
  // Commas read better unescaped, and mean nothing else here.
  url.search = new URLSearchParams(pairs.length > 0 ? [["v", VERSION], ...pairs] : []).toString().replaceAll("%2C", ",");
  return url.href;
}
