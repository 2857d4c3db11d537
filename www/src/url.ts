// Settings in the page's address: only what differs from the default, and the version of the form.
import { isField, type Settings } from "./element/settings.ts";
import { words } from "./words.ts";

const VERSION = "1";

export interface FromUrl {
  readonly settings: Settings;
  /** What was not understood, each in a few words. */
  readonly problems: readonly string[];
  /** A version that this page does not know. */
  readonly version: string | null;
}

/** Reads the part of an address after its "?". */
export function read(search: string): FromUrl {
  const parameters = new URLSearchParams(search);
  const settings: Settings = {};
  const problems: string[] = [];
  for (const [name, value] of parameters) {
    if (name === "v") continue;
    if (isField(name)) settings[name] = value;
    else problems.push(words.url.unknown(name));
  }
  const version = parameters.get("v");
  return { settings, problems, version: version === null || version === VERSION ? null : version };
}

/** The address of `settings`, on the page at `base`. */
export function write(base: string, settings: Settings): string {
  const url = new URL(base);
  const names = Object.keys(settings).sort();
  const parameters = new URLSearchParams(names.length > 0 ? [["v", VERSION], ...names.map((n) => [n, settings[n] ?? ""])] : []);
  // Commas read better unescaped, and mean nothing else here.
  url.search = parameters.toString().replaceAll("%2C", ",");
  return url.href;
}
