// <l2-lab>: a live figure about L2 regularization: its charts, its settings, its buttons, its files.
import { LitElement, html, nothing, type PropertyValues } from "lit";
import { live } from "lit/directives/live.js";
import { version } from "../../package.json";
import type { L2Chart } from "../chart/l2-chart.ts";
import "../chart/l2-chart.ts";
import { pngFile, svgFile } from "../chart/picture.ts";
import { theme as themeStyles, unseen } from "../chart/theme.ts";
import { csv, save, toml } from "../export.ts";
import { auto } from "../figures/auto.ts";
import { clock } from "../figures/clock.ts";
import { chosen, type Choices, type Drawing, type Figure, type Source, type Switch, type Titles } from "../figures/figure.ts";
import { law } from "../figures/law.ts";
import { limits } from "../figures/limits.ts";
import { predict } from "../figures/predict.ts";
import { theory } from "../figures/theory.ts";
import { whole } from "../format.ts";
import { saidBy } from "../lab/told.ts";
import { FIELDS, type FigureName } from "../types.ts";
import type { Said } from "../words/words.ts";
import type { FieldProperties, L2LabApi } from "./api.ts";
import { AUTOPLAY, THEMES, authorSettings, camel, contradictions, impossible, listOf, unknownAttributes } from "./attributes.ts";
import { controlTemplate, stopsField, type ControlContext } from "./controls.ts";
import { EMBEDDED, addedData, addFiles } from "./data.ts";
import { FileDrop } from "./drop.ts";
import { tell } from "./events.ts";
import { exportMenu } from "./export-menu.ts";
import { DEVICES, applies, controlNames, controlsOf, type Control } from "./fields.ts";
import { Language } from "./language.ts";
import { isField, type Settings } from "./settings.ts";
import { Reporter } from "./reporter.ts";
import { SharePanel, type Places } from "./share.ts";
import { recorded, status } from "./status.ts";
import { styles } from "./styles.ts";
import { TheoryBench } from "./theory-bench.ts";
import { transport } from "./transport.ts";
import { turn } from "./turns.ts";
import { Workbench, type Shown } from "./workbench.ts";
import type { DeviceChoice } from "../lab/session.ts";

const FIGURES: Record<Exclude<FigureName, "theory">, Figure> = { clock, law, predict, auto, limits };

/** Where files cannot be handed over: a frame that is sandboxed without `allow-downloads` is of no origin. */
const NO_FILES = self.origin === "null";

export interface L2Lab extends FieldProperties {}

export class L2Lab extends LitElement implements L2LabApi {
  /** Of the package that this element is from. */
  static readonly version: string = version;
  static override shadowRootOptions: ShadowRootInit = { ...LitElement.shadowRootOptions, delegatesFocus: true };
  static override styles = [themeStyles, unseen, styles];
  static override properties = {
    figure: { reflect: true },
    recorded: {},
    htmlFor: { attribute: "for" },
    controls: {},
    locked: { type: Boolean },
    autoplay: {},
    device: {},
    theme: { reflect: true },
    places: { attribute: false },
  };

  /** Which figure: clock, law, predict, auto, theory or limits. */
  declare figure: string | null;
  /** Address of a recorded result, shown until play. */
  declare recorded: string | null;
  /** Id of another <l2-lab> whose runs this one shows. */
  declare htmlFor: string | null;
  /** What to train on: auto (the faster), cpu or gpu. */
  declare device: string | null;
  /** Names of the controls that the reader gets; all of the figure's if absent. */
  declare controls: string | null;
  /** Whether everything that has no control here stays as the author set it, whatever a link or a file says. */
  declare locked: boolean;
  /** `visible` trains when a reader comes to see it; `off` (the default) waits for Play. */
  declare autoplay: string | null;
  /** `light` or `dark`; `auto` (the default) is what the reader's system has. */
  declare theme: string | null;
  /** Where this figure can be found and embedded from; without it there is no Share. */
  declare places: Places | null;

  #own: Workbench | null = null;
  #followed: Workbench | null = null;
  #theory: TheoryBench | null = null;
  #choices: Choices = {};
  #problems = new Map<string, string>();
  #alerts = new Map<string, Said>();
  #before: Settings | null = null;
  #spoken = "";
  #language = new Language(this);
  #reporter = new Reporter(this);
  #share = new SharePanel(this);
  #drop = new FileDrop(
    this,
    () => this.#figureName !== "theory" && !this.#followed && this.#mayChange("data"),
    (files) => void this.#takeFiles(files),
  );
  #visibility: IntersectionObserver | null = null;
  #visible = false;
  #autoplayed = false;
  #authorDirty = true;
  #readyTold = false;
  readonly #changed = () => this.#onChange();
  /** The followed one is another now, or away; one that was only moved is back by then. */
  readonly #gone = () => queueMicrotask(() => this.isConnected && this.#follow());
  readonly #dataAdded = () => {
    if (this.#own?.full["data"] === addedData.latest) this.#own.forget();
    this.requestUpdate();
  };

  /** Versions of the script, other than this one, that were loaded into the page. */
  static #others = new Set<string>();

  /** Another version of the script came after this one. */
  static meet(other: string): void {
    L2Lab.#others.add(other);
    for (const element of document.querySelectorAll("l2-lab")) if (element instanceof L2Lab) element.#tellVersions();
  }

  static override get observedAttributes(): string[] {
    return [...super.observedAttributes, "lang", ...FIELDS];
  }

  constructor() {
    super();
    this.figure = null;
    this.recorded = null;
    this.htmlFor = null;
    this.controls = null;
    this.locked = false;
    this.autoplay = null;
    this.device = null;
    this.theme = null;
    this.places = null;
  }

  /** The experiment that this element shows: its own, or the followed one's. */
  get bench(): Workbench {
    return this.#followed ?? this.#ownBench;
  }

  /** Every field's value as text. */
  get settings(): Settings {
    return this.#figureName === "theory" ? this.#theoryBench.settings : this.bench.full;
  }

  /** What the reader changed; setting it replaces that. */
  get changes(): Settings {
    return this.bench.changes;
  }

  set changes(settings: Settings) {
    this.bench.change(settings);
  }

  play(): void {
    if (this.#figureName !== "theory") this.bench.play();
  }

  pause(): void {
    if (this.#figureName !== "theory") void this.bench.pause();
  }

  step(): void {
    if (this.#figureName !== "theory") void this.bench.step();
  }

  rewind(): void {
    if (this.#figureName !== "theory") void this.bench.rewind();
  }

  /** The traces (csv) or the experiment (toml) as text, or the charts as an SVG file's text. */
  export(what: "csv" | "toml" | "svg"): string {
    const { words } = this.#language;
    if (what === "toml") return toml(this.settings, words);
    if (what === "svg") return svgFile(this.#drawings(), this.#titles.title);
    const recording = this.#figureName === "theory" ? null : this.#shown().recording;
    return recording ? csv(recording) : "";
  }

  /** A sentence to the reader, above the figure, until it is dismissed; one for each `key`. */
  alert(key: string, said: Said | null): void {
    const was = this.#alerts.get(key);
    if (said === null) {
      if (!this.#alerts.delete(key)) return;
    } else {
      const { words } = this.#language;
      const message = said(words);
      this.#alerts.set(key, said);
      if (was?.(words) !== message) tell(this, "l2-error", { message });
    }
    this.requestUpdate();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#visibility = new IntersectionObserver((entries) => this.#onVisible(entries.at(-1)?.isIntersecting ?? false));
    this.#visibility.observe(this);
    addedData.addEventListener("change", this.#dataAdded);
    this.#authorDirty = true;
    this.requestUpdate();
    this.#tellVersions();
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => this.#follow(), { once: true });
    else queueMicrotask(() => this.#follow());
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#visibility?.disconnect();
    addedData.removeEventListener("change", this.#dataAdded);
    this.#unfollow();
    this.#own?.watch(this, false);
    this.#own?.dispose();
    this.#visible = false;
  }

  override attributeChangedCallback(name: string, old: string | null, value: string | null): void {
    super.attributeChangedCallback(name, old, value);
    if (old === value) return;
    if (name === "lang") this.#language.settle();
    if (isField(name)) {
      this.#authorDirty = true;
      this.requestUpdate();
    }
  }

  protected override async scheduleUpdate(): Promise<void> {
    if (!this.hasUpdated) await turn();
    super.scheduleUpdate();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const { figure, device, autoplay, theme } = this;
    if (changed.has("figure")) {
      this.alert("figure", figure === null || isFigure(figure) ? null : (w) => w.errors.figure(figure));
      if (this.#own && this.#own.figure !== this.#figureName) this.#replaceBench();
    }
    if (changed.has("device")) {
      this.#checkWord("device", device, DEVICES);
      if (device !== null && isDevice(device) && this.#figureName !== "theory") this.#ownBench.device = device;
    }
    if (changed.has("autoplay")) this.#checkWord("autoplay", autoplay, AUTOPLAY);
    if (changed.has("theme")) this.#checkWord("theme", theme, THEMES);
    if (changed.has("controls") || changed.has("figure")) this.#checkControls();
    if (changed.has("controls") || changed.has("locked")) this.#authorDirty = true;
    if (changed.has("htmlFor") && this.hasUpdated) this.#follow();
    if (this.#authorDirty) this.#heedAuthor();
    if ((changed.has("recorded") || changed.has("figure")) && this.recorded && !this.htmlFor) void this.#load(this.recorded);
  }

  /** Another figure has another experiment. */
  #replaceBench(): void {
    const own = this.#own;
    this.#own = null;
    this.#authorDirty = true;
    own?.removeEventListener("change", this.#changed);
    own?.watch(this, false);
    own?.dispose();
  }

  /** Takes the settings of the attributes, and says what is wrong with them. */
  #heedAuthor(): void {
    this.#authorDirty = false;
    const author = authorSettings(this);
    const { names, said } = impossible(author);
    for (const name of names) delete author[name];
    const problems = [...unknownAttributes(this), ...said, ...contradictions(this, this.#figureName, this.#followed !== null)];
    this.alert("attributes", problems.length > 0 ? (w) => problems.map((p) => p(w)).join(" ") : null);
    if (this.#figureName === "theory") this.#theoryBench.settings = author;
    else this.#ownBench.setAuthor(author, this.#free);
  }

  #checkWord(name: string, value: string | null, allowed: readonly string[]): void {
    this.alert(name, value === null || allowed.includes(value) ? null : (w) => w.errors.value(name, value, allowed.join(", ")));
  }

  #checkControls(): void {
    const known = controlNames(this.#figureName);
    const unknown = this.#only?.filter((name) => !known.includes(name)) ?? [];
    this.alert("controls", unknown.length > 0 ? (w) => w.errors.control(unknown.map((n) => `“${n}”`).join(", "), known.join(", ")) : null);
  }

  /** The controls that the author leaves to the reader; `null` for all of them. */
  get #only(): readonly string[] | null {
    if (this.controls !== null) return listOf(this.controls);
    return this.locked ? [] : null;
  }

  /** The fields that the reader may change by any way; `null` for all of them. */
  get #free(): readonly string[] | null {
    if (!this.locked) return null;
    const only = this.#only ?? [];
    // Files become the data.
    return only.includes("files") ? [...only, "data"] : only;
  }

  #mayChange(name: string): boolean {
    return this.#free?.includes(name) ?? true;
  }

  get #figureName(): FigureName {
    const name = this.figure ?? "clock";
    return isFigure(name) ? name : "clock";
  }

  /** The figure, unless it is the theory's. */
  get #figure(): Figure {
    const name = this.#figureName;
    return FIGURES[name === "theory" ? "clock" : name];
  }

  get #titles(): Titles {
    return (this.#figureName === "theory" ? theory : this.#figure).titles(this.#language.words);
  }

  get #ownBench(): Workbench {
    if (!this.#own) {
      this.#own = new Workbench(this.#figureName);
      this.#own.addEventListener("change", this.#changed);
      // Seen already, it would not be told so again.
      if (this.#visible) this.#own.watch(this, true);
    }
    return this.#own;
  }

  get #theoryBench(): TheoryBench {
    if (!this.#theory) {
      this.#theory = new TheoryBench();
      this.#theory.addEventListener("change", this.#changed);
    }
    return this.#theory;
  }

  async #load(url: string): Promise<void> {
    const bench = this.#figureName === "theory" ? this.#theoryBench : this.#ownBench;
    this.alert("recorded", await bench.load(url, near(this)));
    this.#tellReady();
  }

  #follow(): void {
    this.#unfollow();
    const id = this.htmlFor;
    const root = this.getRootNode();
    if (this.#figureName === "theory" || !(root instanceof Document || root instanceof ShadowRoot)) return;
    const other = id ? root.getElementById(id) : null;
    if (!id || !(other instanceof L2Lab) || other === this || other.#figureName === "theory") {
      const theirs = other instanceof L2Lab;
      this.alert("for", id ? (w) => (other === this ? w.errors.sameSource : theirs ? w.errors.theorySource(id) : w.errors.source(id)) : null);
      return;
    }
    this.alert("for", null);
    this.#followed = other.#ownBench;
    this.#followed.addEventListener("change", this.#changed);
    this.#followed.addEventListener("gone", this.#gone);
    this.#followed.watch(this, this.#visible);
    this.#authorDirty = true;
    this.requestUpdate();
  }

  #unfollow(): void {
    if (!this.#followed) return;
    this.#followed.removeEventListener("change", this.#changed);
    this.#followed.removeEventListener("gone", this.#gone);
    this.#followed.watch(this, false);
    this.#followed = null;
    this.#own?.watch(this, this.#visible);
    this.#authorDirty = true;
    this.requestUpdate();
  }

  #onVisible(visible: boolean): void {
    this.#visible = visible;
    if (this.#figureName === "theory") return;
    this.bench.watch(this, visible);
    this.#autoplay();
  }

  #autoplay(): void {
    // Not before it has heeded its author.
    if (!this.hasUpdated || !this.#visible || this.#autoplayed || this.autoplay !== "visible" || this.#followed) return;
    this.#autoplayed = true;
    // Whoever asked for stillness presses Play.
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) this.bench.play(false);
  }

  #shown(): Shown {
    return this.bench.shown(this.#figure.ignores);
  }

  #onChange(): void {
    this.requestUpdate();
    const { words } = this.#language;
    if (this.#figureName === "theory") this.#reporter.theory(this.#theoryBench, words);
    else if (!this.#followed) {
      const { bench } = this;
      const { problems } = bench;
      this.alert("settings", problems.length > 0 ? (w) => w.errors.settings(problems.join("; ")) : null);
      const finding = () => this.#draw({ recording: bench.live, frame: null, message: null }).finding;
      this.#spoken = this.#reporter.report(bench, finding, words) ?? this.#spoken;
    }
  }

  #draw(source: Source): Drawing {
    return this.#figure.draw(source, this.#choices, this.#language.words);
  }

  #tellReady(): void {
    if (this.#readyTold) return;
    this.#readyTold = true;
    tell(this, "l2-ready", { figure: this.#figureName });
  }

  #tellVersions(): void {
    const others = [...L2Lab.#others].join(", ");
    if (others) this.alert("versions", (w) => w.errors.versions(others, L2Lab.version));
  }

  protected override firstUpdated(): void {
    if (!this.recorded || this.htmlFor) this.#tellReady();
    if (this.#figureName !== "theory") queueMicrotask(() => this.#autoplay());
  }

  protected override render() {
    return this.#figureName === "theory" ? this.#renderTheory() : this.#renderRuns(this.#figure);
  }

  #renderRuns(figure: Figure) {
    const { bench } = this;
    const { words } = this.#language;
    const shown = this.#shown();
    const drawing = this.#draw({ ...shown, message: shown.message?.(words) ?? null });
    const groups = controlsOf(this.#figureName, this.#followed !== null, this.#only);
    const context = this.#context();
    const changed = Object.keys(bench.changes).length > 0;
    const fields = (controls: readonly Control[]) =>
      html`<div class="fields">${controls.filter((c) => applies(c.name, bench.full)).map((c) => controlTemplate(c, context))}</div>`;
    const sided = groups.main.length > 0;
    const foot = html`
      ${groups.more.length > 0 ? html`<details class="more" part="settings">
        <summary class="plain">${sided ? words.controls.more : words.controls.legend}</summary>
        ${fields(groups.more)}
        ${sided ? nothing : this.#resetButton(changed)}
      </details>` : nothing}
      ${this.#exports([...this.#dataExports(shown), ...this.#pictureExports()])} ${this.#share.render(words)}`;
    return this.#frame({
      drawing,
      sided,
      layout: drawing.charts.length > 1 && this.#figureName !== "auto" ? "pair" : "",
      bar: html`${transport(bench, words)}${figure.switches(words).map((s, _, all) => this.#switch(all, s))}`,
      alerts: [
        // Said aloud once, by the element whose experiment it is.
        ...(bench.error ? [html`<p class="problem" role=${this.#followed ? nothing : "alert"}>${bench.error(words)}</p>`] : []),
        ...(bench.notice ? [html`<p class="notice" role=${this.#followed ? nothing : "status"}>${bench.notice(words)}</p>`] : []),
      ],
      failed: bench.state === "failed" && !shown.recording,
      status: status(bench, shown, words),
      side: sided
        ? this.#settings(html`${fields(groups.main)} ${this.#resetButton(changed)}`)
        : nothing,
      foot,
    });
  }

  #renderTheory() {
    const bench = this.#theoryBench;
    const { words } = this.#language;
    const drawing = theory.draw(bench.view, this.#choices, words);
    const sliders = controlsOf("theory", false, this.#only).main.map(({ name }) =>
      name === "lambda"
        ? stopsField("theory-lambda", words.theory.lambda, words.theory.lambdaHelp, bench.lambdas, bench.lambdas.indexOf(bench.lambda), (v) => bench.set(v, bench.k), "input")
        : stopsField("theory-k", words.theory.depth, words.theory.depthHelp, bench.depths, bench.depths.indexOf(bench.k), (v) => bench.set(bench.lambda, v), "input"),
    );
    const sided = sliders.length > 0;
    return this.#frame({
      drawing,
      sided,
      layout: "even",
      bar: theory.switches(words).map((s, _, all) => this.#switch(all, s)),
      alerts: bench.error ? [html`<p class="problem" role="alert">${bench.error(words)}</p>`] : [],
      failed: bench.error !== null && drawing.finding === "",
      status: html`<div class="status short" part="status">
        <p class="origin">${bench.live ? words.status.live : bench.command ? recorded(bench.command, words) : nothing}</p>
        <p>${bench.busy ? words.theory.computing : bench.live || !sided ? nothing : words.theory.idle}</p>
      </div>`,
      side: sided
        ? this.#settings(html`<div class="fields">${sliders}</div>`)
        : nothing,
      foot: html`${this.#exports(this.#pictureExports())} ${this.#share.render(words)}`,
    });
  }

  #frame(parts: {
    drawing: Drawing;
    sided: boolean;
    layout: string;
    bar: unknown;
    alerts: unknown[];
    failed: boolean;
    status: unknown;
    side: unknown;
    foot: unknown;
  }) {
    const { drawing, sided, failed } = parts;
    const { words } = this.#language;
    const { title, caption } = this.#titles;
    const charts = drawing.charts.map((spec) => html`<l2-chart exportparts="chart, message" .spec=${spec} .words=${words}></l2-chart>`);
    return html`<article part="figure" class="${this.#figureName} ${sided ? "sided" : ""} ${this.#drop.over ? "dropping" : ""}"
      aria-labelledby="title" lang=${words.lang} dir=${words.dir}>
      <h3 id="title" class="title" part="title"><slot name="title">${title}</slot></h3>
      <div class="bar">${parts.bar}</div>
      <div class="alerts">${[...this.#alerts].map(
        ([key, said]) => html`<div class="problem alert-row" role="alert"><p>${said(words)}</p>
          <button type="button" class="plain" @click=${() => this.alert(key, null)}>${words.errors.dismiss}</button></div>`,
      )}${parts.alerts}</div>
      <div class="charts ${failed ? "" : parts.layout}">${failed
        ? html`<div class="failed" part="fallback"><slot name="fallback"><p>${words.status.stopped}</p></slot></div>`
        : charts}</div>
      <div class="text">
        ${parts.status}
        <p class="finding" part="finding">${drawing.finding}</p>
        <p class="caption" part="caption"><slot name="caption">${caption}</slot></p>
      </div>
      ${parts.side === nothing ? nothing : html`<div class="side">${parts.side}</div>`}
      <div class="foot">${parts.foot}</div>
      <p class="unseen" role="status" aria-live="polite">${this.#spoken}</p>
    </article>`;
  }

  #settings(fields: unknown) {
    return html`<fieldset class="settings" part="settings">
      <legend>${this.#language.words.controls.legend}</legend>
      ${fields}
    </fieldset>`;
  }

  #switch(all: readonly Switch[], s: Switch) {
    const value = chosen(all, this.#choices, s.name);
    const choose = (event: Event) => {
      this.#choices = { ...this.#choices, [s.name]: (event.target as HTMLInputElement).value };
      this.requestUpdate();
    };
    return html`<fieldset class="switch" part="switch">
      <legend>${s.label}</legend>
      <div class="options">${s.options.map(
        (o) => html`<label><input type="radio" name=${s.name} value=${o.value} .checked=${live(o.value === value)} @change=${choose} />${o.label}</label>`,
      )}</div>
    </fieldset>`;
  }

  #context(): ControlContext {
    const { bench } = this;
    return {
      words: this.#language.words,
      full: bench.full,
      initial: bench.initial,
      data: [...new Set([EMBEDDED, ...addedData.names, bench.full["data"] ?? EMBEDDED])],
      problems: this.#problems,
      device: bench.device,
      setDevice: (device) => {
        if (isDevice(device)) bench.device = device;
      },
      set: (name, value) => {
        this.#before = null;
        bench.set(name, value);
      },
      problem: (name, text) => {
        if (text === null) this.#problems.delete(name);
        else this.#problems.set(name, text);
        this.requestUpdate();
      },
      files: (files) => void this.#takeFiles(files),
    };
  }

  #resetButton(changed: boolean) {
    const { bench } = this;
    const { controls } = this.#language.words;
    const undo = this.#before;
    const reset = () => {
      this.#before = bench.changes;
      this.#problems.clear();
      bench.change({});
    };
    const back = () => {
      this.#before = null;
      if (undo) bench.change(undo);
    };
    return html`<div class="actions">
      <button part="button" type="button" id="reset" aria-disabled=${!changed && !undo}
        @click=${() => (changed ? reset() : back())}>${undo && !changed ? controls.undo : controls.reset}</button>
    </div>`;
  }

  #exports(items: { label: string; make: (() => void) | null }[]) {
    return NO_FILES ? nothing : exportMenu(items, this.#language.words);
  }

  #dataExports({ recording }: Shown) {
    const name = `l2lab-${this.#figureName}`;
    const { exports } = this.#language.words;
    const traces = recording ? () => save(`${name}.csv`, csv(recording), "text/csv") : null;
    return [
      { label: exports.csv, make: traces },
      { label: exports.toml, make: () => save(`${name}.toml`, this.export("toml"), "application/toml") },
    ];
  }

  #pictureExports() {
    const name = `l2lab-${this.#figureName}`;
    const { exports } = this.#language.words;
    return [
      { label: exports.svg, make: () => save(`${name}.svg`, this.export("svg"), "image/svg+xml") },
      { label: exports.png, make: () => void this.#savePng(`${name}.png`) },
    ];
  }

  async #savePng(name: string): Promise<void> {
    try {
      save(name, await pngFile(this.#drawings()), "image/png");
    } catch {
      this.alert("export", (w) => w.exports.failed);
    }
  }

  /** Says something to whoever cannot see it. */
  say(text: string): void {
    this.#spoken = text;
    this.requestUpdate();
  }

  #drawings(): SVGSVGElement[] {
    return [...this.renderRoot.querySelectorAll<L2Chart>("l2-chart")].flatMap((chart) => chart.drawing ?? []);
  }

  async #takeFiles(files: File[]): Promise<void> {
    if (files.length === 0) return;
    const { words } = this.#language;
    this.say(words.controls.reading);
    try {
      const added = await addFiles(files);
      this.say(words.controls.added(added.name, whole(added.train), whole(added.test)));
      this.alert("data", null);
      this.bench.set("data", added.name);
    } catch (error) {
      this.say("");
      this.alert("data", saidBy(error));
    }
  }
}

// Every field is a property too: its attribute's text, with a list or a number for it where that is handier.
for (const name of FIELDS) {
  Object.defineProperty(L2Lab.prototype, camel(name), {
    configurable: true,
    enumerable: true,
    get(this: L2Lab): string | null {
      return this.getAttribute(name);
    },
    set(this: L2Lab, value: unknown) {
      if (value === null || value === undefined) this.removeAttribute(name);
      else this.setAttribute(name, Array.isArray(value) ? value.join(",") : String(value));
    },
  });
}

/** As far from the screen as a reader scrolls while a recording loads. */
const NEAR = "1000px";

/** Waits until a reader comes near: what is far down the page is not loaded before. */
function near(element: Element): Promise<void> {
  return new Promise((resolve) => {
    const observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some((e) => e.isIntersecting)) return;
        observer.disconnect();
        resolve();
      },
      { rootMargin: NEAR },
    );
    observer.observe(element);
  });
}

function isDevice(name: string): name is DeviceChoice {
  return (DEVICES as readonly string[]).includes(name);
}

function isFigure(name: string): name is FigureName {
  return name === "theory" || Object.hasOwn(FIGURES, name);
}

/** Defines the element, unless another script has: of another version its elements say so. */
export function define(): void {
  const there = customElements.get("l2-lab") as Partial<typeof L2Lab> | undefined;
  if (!there) customElements.define("l2-lab", L2Lab);
  else if (there.version !== L2Lab.version) there.meet?.(L2Lab.version);
}

define();
