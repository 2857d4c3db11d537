// <l2-lab>: a live figure about L2 regularization: its charts, its settings, its buttons, its files.
import { LitElement, html, nothing, type PropertyValues } from "lit";
import { keyed } from "lit/directives/keyed.js";
import { live } from "lit/directives/live.js";
import type { L2Chart } from "../chart/l2-chart.ts";
import "../chart/l2-chart.ts";
import { pngFile, svgFile } from "../chart/picture.ts";
import { theme, unseen } from "../chart/theme.ts";
import { csv, save, toml } from "../export.ts";
import { auto } from "../figures/auto.ts";
import { clock } from "../figures/clock.ts";
import { chosen, type Choices, type Drawing, type Figure, type Source, type Switch } from "../figures/figure.ts";
import { law } from "../figures/law.ts";
import { limits } from "../figures/limits.ts";
import { predict } from "../figures/predict.ts";
import { DEPTHS, theory } from "../figures/theory.ts";
import { whole } from "../format.ts";
import { FIELDS, type FigureName } from "../types.ts";
import { words } from "../words.ts";
import { controlTemplate, stopsField, type ControlContext } from "./controls.ts";
import { EMBEDDED, addedData, addFiles } from "./data.ts";
import { FileDrop } from "./drop.ts";
import { tell } from "./events.ts";
import { exportMenu } from "./export-menu.ts";
import { applies, controlsOf, type Control } from "./fields.ts";
import { icons } from "./icons.ts";
import { isField, type Settings } from "./settings.ts";
import { Reporter } from "./reporter.ts";
import { recorded, status } from "./status.ts";
import { styles } from "./styles.ts";
import { TheoryBench } from "./theory-bench.ts";
import { transport } from "./transport.ts";
import { turn } from "./turns.ts";
import { Workbench, type Shown } from "./workbench.ts";
import type { DeviceChoice } from "../lab/session.ts";

const FIGURES: Record<Exclude<FigureName, "theory">, Figure> = { clock, law, predict, auto, limits };

export class L2Lab extends LitElement {
  static override shadowRootOptions: ShadowRootInit = { ...LitElement.shadowRootOptions, delegatesFocus: true };
  static override styles = [theme, unseen, styles];
  static override properties = {
    figure: {},
    recorded: {},
    htmlFor: { attribute: "for" },
    controls: {},
    device: {},
    link: { attribute: false },
  };

  /** Which figure: clock, law, predict, auto, theory or limits. */
  declare figure: string | null;
  /** Address of a recorded result, shown until play. */
  declare recorded: string | null;
  /** Id of another <l2-lab> whose runs this one shows. */
  declare htmlFor: string | null;
  /** What to train on: auto (the faster), cpu or gpu. */
  declare device: string | null;
  /** Fields that the reader may set; all of the figure's if absent. */
  declare controls: string | null;
  /** Makes the link that is shared; without it there is no such button. */
  declare link: (() => string) | null;

  #own: Workbench | null = null;
  #followed: Workbench | null = null;
  #theory: TheoryBench | null = null;
  #choices: Choices = {};
  #problems = new Map<string, string>();
  #alerts = new Map<string, string>();
  #before: Settings | null = null;
  #spoken = "";
  #reporter = new Reporter(this);
  #drop = new FileDrop(
    this,
    () => this.#figureName !== "theory" && !this.#followed,
    (files) => void this.#takeFiles(files),
  );
  #visibility: IntersectionObserver | null = null;
  #visible = false;
  #authorDirty = true;
  #readyTold = false;
  #sharing: "copied" | "shown" | null = null;
  readonly #changed = () => this.#onChange();
  readonly #dataAdded = () => {
    if (this.#own?.full["data"] === addedData.latest) this.#own.forget();
    this.requestUpdate();
  };

  static override get observedAttributes(): string[] {
    return [...super.observedAttributes, ...FIELDS.map((f) => f.name)];
  }

  constructor() {
    super();
    this.figure = null;
    this.recorded = null;
    this.htmlFor = null;
    this.controls = null;
    this.device = null;
    this.link = null;
  }

  /** The experiment that this element shows: its own, or the followed one's. */
  get bench(): Workbench {
    return this.#followed ?? this.#ownBench;
  }

  /** Every field's value as text. */
  get settings(): Settings {
    return this.bench.full;
  }

  /** What the reader changed; setting it replaces that. */
  get changes(): Settings {
    return this.bench.changes;
  }

  set changes(settings: Settings) {
    this.bench.change(settings);
  }

  play(): void {
    void this.bench.play();
  }

  pause(): void {
    void this.bench.pause();
  }

  step(): void {
    void this.bench.step();
  }

  rewind(): void {
    void this.bench.rewind();
  }

  /** The traces (csv) or the experiment (toml) as text, or the charts as an SVG file's text. */
  export(what: "csv" | "toml" | "svg"): string {
    if (what === "toml") return toml(this.settings);
    if (what === "svg") return svgFile(this.#drawings(), this.#figureName === "theory" ? theory.title : this.#figure.title);
    const { recording } = this.#shown();
    return recording ? csv(recording) : "";
  }

  /** A sentence to the reader, above the figure, until it is dismissed; one for each `key`. */
  alert(key: string, sentence: string | null): void {
    if (sentence === null) this.#alerts.delete(key);
    else if (this.#alerts.get(key) !== sentence) {
      this.#alerts.set(key, sentence);
      tell(this, "l2-error", { message: sentence });
    }
    this.requestUpdate();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#visibility = new IntersectionObserver((entries) => this.#onVisible(entries.at(-1)?.isIntersecting ?? false));
    this.#visibility.observe(this);
    addedData.addEventListener("change", this.#dataAdded);
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
    if (isField(name) && old !== value) {
      this.#authorDirty = true;
      this.requestUpdate();
    }
  }

  protected override async scheduleUpdate(): Promise<void> {
    if (!this.hasUpdated) await turn();
    super.scheduleUpdate();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("figure") && this.figure !== null) {
      this.alert("figure", isFigure(this.figure) ? null : words.errors.figure(this.figure));
      if (this.#own && this.#own.figure !== this.#figureName) {
        this.#own.removeEventListener("change", this.#changed);
        this.#own.dispose();
        this.#own = null;
        this.#authorDirty = true;
      }
    }
    if (changed.has("device") && this.device !== null && this.#figureName !== "theory") {
      this.alert("device", isDevice(this.device) ? null : words.errors.device(this.device));
      if (isDevice(this.device)) this.#ownBench.device = this.device;
    }
    if (changed.has("htmlFor") && this.hasUpdated) this.#follow();
    if (this.#authorDirty) {
      this.#authorDirty = false;
      const author = Object.fromEntries(FIELDS.flatMap(({ name }) => (this.hasAttribute(name) ? [[name, this.getAttribute(name) ?? ""]] : [])));
      if (this.#figureName === "theory") this.#theoryBench.settings = author;
      else this.#ownBench.setAuthor(author);
    }
    if (changed.has("recorded") && this.recorded && !this.htmlFor) void this.#load(this.recorded);
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

  get #ownBench(): Workbench {
    if (!this.#own) {
      this.#own = new Workbench(this.#figureName);
      this.#own.addEventListener("change", this.#changed);
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
    if (!id || !(root instanceof Document || root instanceof ShadowRoot)) return;
    const other = root.getElementById(id);
    const found = other instanceof L2Lab && other !== this;
    this.alert("for", found ? null : other === this ? words.errors.sameSource : words.errors.source(id));
    if (!found) return;
    this.#followed = other.#ownBench;
    this.#followed.addEventListener("change", this.#changed);
    this.#followed.watch(this, this.#visible);
    this.requestUpdate();
  }

  #unfollow(): void {
    this.#followed?.removeEventListener("change", this.#changed);
    this.#followed?.watch(this, false);
    this.#followed = null;
  }

  #onVisible(visible: boolean): void {
    this.#visible = visible;
    if (this.#figureName !== "theory") this.bench.watch(this, visible);
  }

  #shown(): Shown {
    return this.bench.shown(this.#figure.ignores);
  }

  #onChange(): void {
    this.requestUpdate();
    if (this.#figureName === "theory") this.#reporter.error(this.#theoryBench.error);
    else if (!this.#followed) {
      const { bench } = this;
      const finding = () => this.#draw({ recording: bench.live, frame: null, message: null }).finding;
      this.#spoken = this.#reporter.report(bench, finding) ?? this.#spoken;
    }
  }

  #draw(source: Source): Drawing {
    return this.#figure.draw(source, this.#choices);
  }

  #tellReady(): void {
    if (this.#readyTold) return;
    this.#readyTold = true;
    tell(this, "l2-ready", { figure: this.#figureName });
  }

  protected override firstUpdated(): void {
    if (!this.recorded || this.htmlFor) this.#tellReady();
  }

  protected override render() {
    return this.#figureName === "theory" ? this.#renderTheory() : this.#renderRuns(this.#figure);
  }

  #renderRuns(figure: Figure) {
    const { bench } = this;
    const shown = this.#shown();
    const drawing = this.#draw(shown);
    const groups = controlsOf(this.#figureName, this.#followed !== null, this.controls);
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
      ${exportMenu([...this.#dataExports(shown), ...this.#pictureExports()])} ${this.#shareButton()}`;
    return this.#frame({
      figure,
      drawing,
      sided,
      layout: drawing.charts.length > 1 && this.#figureName !== "auto" ? "pair" : "",
      bar: html`${transport(bench)}${figure.switches.map((s) => this.#switch(figure, s))}`,
      alerts: [
        // Said aloud once, by the element whose experiment it is.
        ...(bench.error ? [html`<p class="problem" role=${this.#followed ? nothing : "alert"}>${bench.error}</p>`] : []),
        ...(bench.notice ? [html`<p class="notice" role=${this.#followed ? nothing : "status"}>${bench.notice}</p>`] : []),
      ],
      status: status(bench, shown),
      side: sided
        ? html`<fieldset class="settings" part="settings">
            <legend>${words.controls.legend}</legend>
            ${fields(groups.main)}
            ${this.#resetButton(changed)}
          </fieldset>`
        : nothing,
      foot,
    });
  }

  #renderTheory() {
    const bench = this.#theoryBench;
    const drawing = theory.draw(bench.view, this.#choices);
    const at = (value: number) => bench.lambdas.indexOf(value);
    return this.#frame({
      figure: theory,
      drawing,
      sided: true,
      layout: "even",
      bar: theory.switches.map((s) => this.#switch(theory, s)),
      alerts: bench.error ? [html`<p class="problem" role="alert">${bench.error}</p>`] : [],
      status: html`<div class="status short" part="status">
        <p class="origin">${bench.live ? words.status.live : bench.command ? recorded(bench.command) : nothing}</p>
        <p>${bench.busy ? words.theory.computing : bench.live ? nothing : words.theory.idle}</p>
      </div>`,
      side: html`<fieldset class="settings" part="settings">
        <legend>${words.controls.legend}</legend>
        <div class="fields">
          ${stopsField("theory-lambda", words.theory.lambda, words.theory.lambdaHelp, bench.lambdas, at(bench.lambda), (v) => bench.set(v, bench.k), "input")}
          ${stopsField("theory-k", words.theory.depth, words.theory.depthHelp, DEPTHS, DEPTHS.indexOf(bench.k as (typeof DEPTHS)[number]), (v) => bench.set(bench.lambda, v), "input")}
        </div>
      </fieldset>`,
      foot: exportMenu(this.#pictureExports()),
    });
  }

  #frame(parts: {
    figure: { title: string; caption: string };
    drawing: Drawing;
    sided: boolean;
    layout: string;
    bar: unknown;
    alerts: unknown[];
    status: unknown;
    side: unknown;
    foot: unknown;
  }) {
    const { figure, drawing, sided } = parts;
    return html`<article part="figure" class="${this.#figureName} ${sided ? "sided" : ""} ${this.#drop.over ? "dropping" : ""}" aria-labelledby="title">
      <h3 id="title" class="title" part="title"><slot name="title">${figure.title}</slot></h3>
      <div class="bar">${parts.bar}</div>
      <div class="alerts">${[...this.#alerts].map(
        ([key, sentence]) => html`<div class="problem alert-row" role="alert"><p>${sentence}</p>
          <button type="button" class="plain" @click=${() => this.alert(key, null)}>${words.errors.dismiss}</button></div>`,
      )}${parts.alerts}</div>
      <div class="charts ${parts.layout}">${drawing.charts.map((spec) => html`<l2-chart exportparts="chart, message" .spec=${spec}></l2-chart>`)}</div>
      <div class="text">
        ${parts.status}
        <p class="finding" part="finding">${drawing.finding}</p>
        <p class="caption" part="caption"><slot name="caption">${figure.caption}</slot></p>
      </div>
      <div class="side">${parts.side}</div>
      <div class="foot">${parts.foot}</div>
      <p class="unseen" role="status" aria-live="polite">${this.#spoken}</p>
    </article>`;
  }

  #switch(figure: Pick<Figure, "switches">, s: Switch) {
    const value = chosen(figure, this.#choices, s.name);
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
        @click=${() => (changed ? reset() : back())}>${undo && !changed ? words.controls.undo : words.controls.reset}</button>
    </div>`;
  }

  #dataExports({ recording }: Shown) {
    const name = `l2lab-${this.#figureName}`;
    const traces = recording ? () => save(`${name}.csv`, csv(recording), "text/csv") : null;
    return [
      { label: words.exports.csv, make: traces },
      { label: words.exports.toml, make: () => save(`${name}.toml`, this.export("toml"), "application/toml") },
    ];
  }

  #pictureExports() {
    const name = `l2lab-${this.#figureName}`;
    return [
      { label: words.exports.svg, make: () => save(`${name}.svg`, this.export("svg"), "image/svg+xml") },
      { label: words.exports.png, make: () => void this.#savePng(`${name}.png`) },
    ];
  }

  async #savePng(name: string): Promise<void> {
    try {
      save(name, await pngFile(this.#drawings()), "image/png");
    } catch {
      this.alert("export", words.exports.failed);
    }
  }

  #shareButton() {
    if (!this.link) return nothing;
    const link = this.link();
    const copy = async () => {
      try {
        await navigator.clipboard.writeText(link);
        this.#sharing = "copied";
      } catch {
        this.#sharing = "shown";
      }
      this.#spoken = this.#sharing === "copied" ? words.exports.copied : "";
      this.requestUpdate();
    };
    return html`<button part="button" type="button" title=${words.exports.shareTip} @click=${copy}>
        ${icons.link}${this.#sharing === "copied" ? words.exports.copied : words.exports.share}</button>
      ${this.#sharing === "shown"
        ? keyed(link, html`<div class="link"><label for="link">${words.exports.link}</label>
            <input id="link" type="text" readonly .value=${link} @focus=${(e: Event) => (e.target as HTMLInputElement).select()} /></div>`)
        : nothing}`;
  }

  #drawings(): SVGSVGElement[] {
    return [...this.renderRoot.querySelectorAll<L2Chart>("l2-chart")].flatMap((chart) => chart.drawing ?? []);
  }

  async #takeFiles(files: File[]): Promise<void> {
    if (files.length === 0) return;
    this.#spoken = words.controls.reading;
    this.requestUpdate();
    try {
      const added = await addFiles(files);
      this.#spoken = words.controls.added(added.name, whole(added.train), whole(added.test));
      this.alert("data", null);
      this.bench.set("data", added.name);
    } catch (error) {
      this.#spoken = "";
      this.alert("data", error instanceof Error ? error.message : String(error));
    }
    this.requestUpdate();
  }
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
  return Object.hasOwn(words.controls.devices, name);
}

function isFigure(name: string): name is FigureName {
  return name === "theory" || name in FIGURES;
}

if (!customElements.get("l2-lab")) customElements.define("l2-lab", L2Lab);
declare global {
  interface HTMLElementTagNameMap {
    "l2-lab": L2Lab;
  }
}
