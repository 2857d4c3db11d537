// The settings of an experiment as form controls, each with a label and a sentence of help.
import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { short, whole } from "../format.ts";
import { FIELDS } from "../types.ts";
import { words } from "../words.ts";
import { LAMBDA_COUNTS, LAMBDA_STOPS, applies, type Control } from "./fields.ts";
import { NONE, logRange, numbers, schedules, type Settings } from "./settings.ts";

const w = words.controls;

/** What controls read and what they call. */
export interface ControlContext {
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
      return choice(control.name, control.label, control.options, context);
    case "data":
      return choice("data", control.label, context.data.map((name) => [name, name] as const), context, w.dataHelp);
    case "device": {
      const own = { ...context, full: { device: context.device }, set: (_: string, value: string) => context.setDevice(value) };
      return choice("device", w.device, Object.entries(w.devices), own, w.deviceHelp);
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

function helpOf(name: string): string {
  return FIELDS.find((f) => f.name === name)?.help ?? "";
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
  const { name, label, stops } = control;
  const all = value === null || stops.includes(value) ? [...stops] : [...stops, value].sort((a, b) => a - b);
  const at = value === null ? Math.floor(all.length / 2) : all.indexOf(value);
  const shown = value === null ? w.budgetAuto : short(value);
  const set = (v: number) => context.set(name, String(v));
  return stopsField(name, label, control.help ?? helpOf(name), all, at, set, "change", shown);
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

function choice(name: string, label: string, options: readonly (readonly [string, string])[], context: ControlContext, help = helpOf(name)) {
  const value = context.full[name] ?? "";
  const all = options.some(([v]) => v === value) || value === "" ? options : [...options, [value, value] as const];
  const input = html`<select id=${name} aria-describedby="${name}-help"
    @change=${(event: Event) => context.set(name, (event.target as HTMLSelectElement).value)}>
    ${all.map(([v, text]) => html`<option value=${v} .selected=${v === value}>${text}</option>`)}
  </select>`;
  return field(name, label, null, help, input);
}

function files(context: ControlContext) {
  const take = (event: Event) => {
    const input = event.target as HTMLInputElement;
    context.files([...(input.files ?? [])]);
    input.value = "";
  };
  return field("files", w.addData, null, w.addDataHelp, html`<input type="file" id="files" multiple aria-describedby="files-help" @change=${take} />`, undefined, true);
}

function numeric(control: Extract<Control, { kind: "number" }>, context: ControlContext) {
  const { name, label, low, high, step } = control;
  const check = (event: Event) => {
    const input = event.target as HTMLInputElement;
    if (input.value === "") {
      context.problem(name, null);
      context.set(name, context.initial[name] ?? "");
      return;
    }
    const value = input.valueAsNumber;
    const ok = Number.isFinite(value) && value >= low && value <= high && (step < 1 || Number.isInteger(value));
    context.problem(name, ok ? null : w.invalidNumber(short(low), whole(high)));
    if (ok) context.set(name, String(value));
  };
  const input = html`<input type="number" id=${name} min=${low} max=${high} step=${step < 1 ? "any" : step}
    .value=${live(context.full[name] ?? "")} aria-describedby="${name}-help" aria-invalid=${context.problems.has(name)} @change=${check} />`;
  return field(name, label, null, helpOf(name), input, context.problems.get(name));
}

function listed(control: { name: string; label: string }, context: ControlContext) {
  const { name, label } = control;
  const id = `${name}-list`;
  const check = (event: Event) => {
    const list = numbers((event.target as HTMLInputElement).value);
    const ok = list !== null && list.every((v) => v > 0);
    context.problem(name, ok ? null : w.invalidList);
    if (ok) context.set(name, list.join(","));
  };
  const input = html`<input type="text" id=${id} inputmode="decimal" spellcheck="false" autocomplete="off"
    .value=${live((context.full[name] ?? "").replaceAll(",", ", "))} aria-describedby="${id}-help"
    aria-invalid=${context.problems.has(name)} @change=${check} />`;
  return field(id, label, null, `${helpOf(name)} ${w.listHelp}`, input, context.problems.get(name), true);
}

function toggle(control: { name: string; label: string }, context: ControlContext) {
  const { name, label } = control;
  return html`<div class="field">
    <label class="check"><input type="checkbox" id=${name} .checked=${live(context.full[name] === "true")}
      aria-describedby="${name}-help" @change=${(event: Event) => context.set(name, String((event.target as HTMLInputElement).checked))} />
      ${label}</label>
    <p class="help" id="${name}-help">${helpOf(name)}</p>
  </div>`;
}

/** The range of λ: its ends and how many values it has. */
function lambdas(context: ControlContext) {
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
  const chosen = schedules(context.full["compare"]);
  const choose = (name: string, on: boolean) => {
    const next = SCHEDULES.filter((s) => (s === name ? on : chosen.includes(s))).join(",") || NONE;
    // What no schedule uses any more must not stay set.
    if (!applies("lambda-factor", { ...context.full, compare: next })) context.set("lambda-factor", context.initial["lambda-factor"] ?? "");
    context.set("compare", next);
  };
  return html`<fieldset class="field wide" part="field" aria-describedby="compare-help">
    <legend>${w.compare}</legend>
    ${SCHEDULES.map(
      (name) => html`<label class="check"><input type="checkbox" name="compare" value=${name} .checked=${live(chosen.includes(name))}
        @change=${(event: Event) => choose(name, (event.target as HTMLInputElement).checked)} />${words.schedules[name]}</label>`,
    )}
    <p class="help" id="compare-help">${w.compareHelp}</p>
  </fieldset>`;
}

type Compared = Exclude<keyof typeof words.schedules, "constant">;
const SCHEDULES = (Object.keys(words.schedules) as (keyof typeof words.schedules)[]).filter((s): s is Compared => s !== "constant");
