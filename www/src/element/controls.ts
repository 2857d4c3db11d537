// The settings of an experiment as form controls, each with a label and a sentence of help.
import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { short, whole } from "../format.ts";
import type { Words } from "../words/words.ts";
import { DEVICES, LAMBDA_COUNTS, LAMBDA_STOPS, applies, type Control } from "./fields.ts";
import { NONE, logRange, numbers, schedules, type Settings } from "./settings.ts";

/** What controls read and what they call. */
export interface ControlContext {
  readonly words: Words;
  /** Every field's value. */
  readonly full: Settings;
  /** The same before the reader changed any. */
  readonly initial: Settings;
  /** Data sets that can be chosen. */
  readonly data: readonly string[];
  /** Problems with what was typed, by field. */
  readonly problems: ReadonlyMap<string, string>;
  /** What to train on; no part of the experiment. */
  readonly device: string;
  setDevice(device: string): void;
  set(name: string, value: string): void;
  problem(name: string, text: string | null): void;
  files(files: File[]): void;
}

/** Everything that `control` needs, in one or more fields. */
export function controlTemplate(control: Control, context: ControlContext): TemplateResult {
  switch (control.kind) {
    case "lambdas":
      return lambdas(context);
    case "schedules":
      return compared(context);
    case "stops": {
      const value = context.full[control.name] ?? "";
      const list = numbers(value);
      // A grid of several values is written out under "More settings"; a slider has one.
      if (value !== "" && (!list || list.length > 1)) return listed(control, context);
      return slider(control, list?.[0] ?? null, context);
    }
    case "choice":
      return choice(control.name, control.options, context);
    case "data":
      return choice("data", context.data, context);
    case "device": {
      const own = { ...context, full: { device: context.device }, set: (_: string, value: string) => context.setDevice(value) };
      return choice("device", DEVICES, own);
    }
    case "files":
      return files(context);
    case "number":
      return numeric(control, context);
    case "list":
      return listed(control, context);
    case "switch":
      return toggle(control, context);
  }
}

function labelOf(name: string, { controls }: Words): string {
  return (controls.labels as Readonly<Record<string, string>>)[name] ?? name;
}

function helpOf(name: string, { controls }: Words): string {
  return controls.help[name] ?? "";
}

/** A labelled control with its help. */
function field(id: string, label: string, value: string | null, help: string, input: TemplateResult, problem?: string, wide = false) {
  return html`<div class="field ${wide ? "wide" : ""}" part="field">
    <label for=${id}>${label}${value === null ? nothing : html` <output .textContent=${live(value)}></output>`}</label>
    ${input}
    <p class="help" id="${id}-help">${help}</p>
    ${problem ? html`<p class="problem" role="alert">${problem}</p>` : nothing}
  </div>`;
}

/** A slider whose places are the stops, and the value that is set if it lies between them. */
function slider(control: Extract<Control, { kind: "stops" }>, value: number | null, context: ControlContext) {
  const { name, stops } = control;
  const { words } = context;
  const all = value === null || stops.includes(value) ? [...stops] : [...stops, value].sort((a, b) => a - b);
  const at = value === null ? Math.floor(all.length / 2) : all.indexOf(value);
  const shown = value === null ? words.controls.budgetAuto : short(value);
  const set = (v: number) => context.set(name, String(v));
  return stopsField(name, labelOf(name, words), helpOf(name, words), all, at, set, "change", shown);
}

/** A labelled slider over `stops`; `set` is called when the reader lets go, or with "input" at every place on the way. */
export function stopsField(
  id: string,
  label: string,
  help: string,
  stops: readonly number[],
  at: number,
  set: (value: number) => void,
  when: "change" | "input" = "change",
  shown = short(stops[at] ?? Number.NaN),
) {
  const valueOf = (event: Event) => stops[Number((event.target as HTMLInputElement).value)];
  const follow = (event: Event) => {
    const value = valueOf(event);
    if (value === undefined) return;
    if (when === "input") {
      set(value);
      return;
    }
    const input = event.target as HTMLInputElement;
    const output = input.closest(".field")?.querySelector("output");
    if (output) output.textContent = short(value);
    input.setAttribute("aria-valuetext", short(value));
  };
  const done = (event: Event) => {
    const value = valueOf(event);
    if (value !== undefined && when === "change") set(value);
  };
  const input = html`<input type="range" id=${id} min="0" max=${stops.length - 1} step="1" .value=${live(String(at))}
    aria-valuetext=${live(shown)} aria-describedby="${id}-help" @input=${follow} @change=${done} />`;
  return field(id, label, shown, help, input);
}

function choice(name: string, options: readonly string[], context: ControlContext) {
  const { words } = context;
  const value = context.full[name] ?? "";
  const all = options.includes(value) || value === "" ? options : [...options, value];
  const text = (option: string) => words.controls.options[name]?.[option] ?? option;
  const input = html`<select id=${name} aria-describedby="${name}-help"
    @change=${(event: Event) => context.set(name, (event.target as HTMLSelectElement).value)}>
    ${all.map((v) => html`<option value=${v} .selected=${v === value}>${text(v)}</option>`)}
  </select>`;
  return field(name, labelOf(name, words), null, helpOf(name, words), input);
}

function files(context: ControlContext) {
  const take = (event: Event) => {
    const input = event.target as HTMLInputElement;
    context.files([...(input.files ?? [])]);
    input.value = "";
  };
  const w = context.words.controls;
  return field("files", w.addData, null, w.addDataHelp, html`<input type="file" id="files" multiple aria-describedby="files-help" @change=${take} />`, undefined, true);
}

function numeric(control: Extract<Control, { kind: "number" }>, context: ControlContext) {
  const { name, low, high, step } = control;
  const { words } = context;
  const check = (event: Event) => {
    const input = event.target as HTMLInputElement;
    if (input.value === "") {
      context.problem(name, null);
      context.set(name, context.initial[name] ?? "");
      return;
    }
    const value = input.valueAsNumber;
    const ok = Number.isFinite(value) && value >= low && value <= high && (step < 1 || Number.isInteger(value));
    context.problem(name, ok ? null : words.controls.invalidNumber(short(low), whole(high)));
    if (ok) context.set(name, String(value));
  };
  const input = html`<input type="number" id=${name} min=${low} max=${high} step=${step < 1 ? "any" : step}
    .value=${live(context.full[name] ?? "")} aria-describedby="${name}-help" aria-invalid=${context.problems.has(name)} @change=${check} />`;
  return field(name, labelOf(name, words), null, helpOf(name, words), input, context.problems.get(name));
}

function listed({ name }: { readonly name: string }, context: ControlContext) {
  const { words } = context;
  const w = words.controls;
  const id = `${name}-list`;
  const label = (w.lists as Readonly<Record<string, string>>)[name] ?? labelOf(name, words);
  const check = (event: Event) => {
    const list = numbers((event.target as HTMLInputElement).value);
    const ok = list !== null && list.every((v) => v > 0);
    context.problem(name, ok ? null : w.invalidList);
    if (ok) context.set(name, list.join(","));
  };
  const input = html`<input type="text" id=${id} inputmode="decimal" spellcheck="false" autocomplete="off"
    .value=${live((context.full[name] ?? "").replaceAll(",", ", "))} aria-describedby="${id}-help"
    aria-invalid=${context.problems.has(name)} @change=${check} />`;
  return field(id, label, null, `${helpOf(name, words)} ${w.listHelp}`, input, context.problems.get(name), true);
}

function toggle({ name }: { readonly name: string }, context: ControlContext) {
  const { words } = context;
  return html`<div class="field">
    <label class="check"><input type="checkbox" id=${name} .checked=${live(context.full[name] === "true")}
      aria-describedby="${name}-help" @change=${(event: Event) => context.set(name, String((event.target as HTMLInputElement).checked))} />
      ${labelOf(name, words)}</label>
    <p class="help" id="${name}-help">${helpOf(name, words)}</p>
  </div>`;
}

/** The range of λ: its ends and how many values it has. */
function lambdas(context: ControlContext) {
  const w = context.words.controls;
  const list = numbers(context.full["lambda"]) ?? [];
  const high = Math.max(...list);
  const low = Math.min(...list);
  const set = (from: number, to: number, count: number) =>
    context.set("lambda", logRange(Math.max(from, to), Math.min(from, to), from === to ? 1 : count).join(","));
  const [fewest, most] = LAMBDA_COUNTS;
  const counts = Array.from({ length: most - fewest + 1 }, (_, i) => fewest + i);
  const count = Math.max(fewest, list.length);
  const end = (id: string, label: string, help: string, value: number, allowed: (stop: number) => boolean, change: (v: number) => void) => {
    const stops = [...new Set([...LAMBDA_STOPS.filter(allowed), value])].filter((v) => v > 0).sort((a, b) => a - b);
    return stopsField(id, label, help, stops, stops.indexOf(value), change);
  };
  const withCount = [...new Set([...counts, count])].sort((a, b) => a - b);
  return html`
    ${end("lambda-high", w.largest, w.largestHelp, high, (s) => s > low, (v) => set(v, low, count))}
    ${end("lambda-low", w.smallest, w.smallestHelp, low, (s) => s < high, (v) => set(high, v, count))}
    ${stopsField("lambda-count", w.count, w.countHelp, withCount, withCount.indexOf(count), (v) => set(high, low, v))}
  `;
}

/** Which schedules are compared: any of them, in the catalogue's order. */
function compared(context: ControlContext) {
  const { words } = context;
  const chosen = schedules(context.full["compare"]);
  const choose = (name: string, on: boolean) => {
    const next = SCHEDULES.filter((s) => (s === name ? on : chosen.includes(s))).join(",") || NONE;
    // What no schedule uses any more must not stay set.
    if (!applies("lambda-factor", { ...context.full, compare: next })) context.set("lambda-factor", context.initial["lambda-factor"] ?? "");
    context.set("compare", next);
  };
  return html`<fieldset class="field wide" part="field" aria-describedby="compare-help">
    <legend>${labelOf("compare", words)}</legend>
    ${SCHEDULES.map(
      (name) => html`<label class="check"><input type="checkbox" name="compare" value=${name} .checked=${live(chosen.includes(name))}
        @change=${(event: Event) => choose(name, (event.target as HTMLInputElement).checked)} />${words.schedules[name]}</label>`,
    )}
    <p class="help" id="compare-help">${helpOf("compare", words)}</p>
  </fieldset>`;
}

type Compared = Exclude<keyof Words["schedules"], "constant">;
const SCHEDULES: readonly Compared[] = ["autol2", "autol2-reference", "inverse-time", "step", "cosine", "off", "warm-up"];
