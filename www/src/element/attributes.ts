// What the attributes of an element say, and what is wrong with them: a sentence for each problem.
import { BASES, FIELDS, type FigureName } from "../types.ts";
import type { Said } from "../words/words.ts";
import { choicesOf } from "./fields.ts";
import { NONE, numbers, type Settings } from "./settings.ts";

/** When an element trains by itself. */
export const AUTOPLAY: readonly string[] = ["visible", "off"];

/** Colours: those of the reader's system, or always the same. */
export const THEMES: readonly string[] = ["auto", "light", "dark"];

/** Attributes that are not fields of an experiment. */
export const OWN = ["figure", "recorded", "for", "controls", "locked", "autoplay", "device", "theme"] as const;

/** Whoever writes a page may give these to any element. */
const GLOBAL = /^(id|class|style|slot|part|exportparts|lang|dir|title|hidden|tabindex|role|nonce|translate|inert|is|key|ref|accesskey|popover|autofocus|contenteditable|draggable|enterkeyhint|inputmode|spellcheck|item\w+|defer-hydration|(aria|data|on|ng|v|x|hx|svelte|astro)[-\w]*|[_:@#([*].*)$/;

/** The author's settings, as the attributes say. */
export function authorSettings(element: Element): Settings {
  return Object.fromEntries(FIELDS.flatMap((name) => (element.hasAttribute(name) ? [[name, element.getAttribute(name) ?? ""]] : [])));
}

/** Attributes that there are none of, with the one that was meant if it is near. */
export function unknownAttributes(element: Element): Said[] {
  const known: readonly string[] = [...OWN, ...FIELDS];
  return element.getAttributeNames().flatMap((name): Said[] => {
    if (GLOBAL.test(name) || known.includes(name)) return [];
    const near = known.filter((k) => distance(name, k) <= Math.max(1, Math.floor(name.length / 4)));
    return [(w) => w.errors.attribute(name, near[0] ?? null)];
  });
}

/** Values that no experiment has; whether a number is allowed is the core's to say, when the figure is played. */
export function impossible(settings: Settings): { readonly names: readonly string[]; readonly said: Said[] } {
  const problems = Object.entries(settings).flatMap(([name, value]): [string, Said][] => {
    const options = choicesOf(name);
    const number = numbers(BASES.clock[name] ?? "") !== null;
    if (options ? options.includes(value) : !number || value === NONE || numbers(value) !== null) return [];
    return [[name, (w) => w.errors.value(name, value, options ? options.join(", ") : null)]];
  });
  return { names: problems.map(([name]) => name), said: problems.map(([, said]) => said) };
}

/** Attributes that cannot both be heeded. */
export function contradictions(element: Element, figure: FigureName, follows: boolean): Said[] {
  const has = (name: string) => element.hasAttribute(name);
  const said: Said[] = [];
  if (follows) {
    const idle = ["recorded", "device", "autoplay", ...FIELDS].filter(has);
    if (idle.length > 0) said.push((w) => w.errors.idle(idle.join(", "), "for"));
  }
  if (figure === "theory") {
    const idle = ["for", "device", "autoplay"].filter(has);
    if (idle.length > 0) said.push((w) => w.errors.idle(idle.join(", "), "figure=theory"));
  }
  if (has("steps") && has("tau")) said.push((w) => w.errors.idle("tau", "steps"));
  return said;
}

/** Words of a list that is separated by spaces or commas. */
export function listOf(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean);
}

/** A field's name as a property. */
export function camel(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** How many letters have to change to make one word of another. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
