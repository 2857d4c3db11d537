// Share: a link to these settings, or the HTML that puts this figure into another page with the controls that are chosen.
import { html, nothing, type ReactiveController, type ReactiveControllerHost } from "lit";
import { live } from "lit/directives/live.js";
import { BASES, type FigureName } from "../types.ts";
import type { Words } from "../words/words.ts";
import { icons } from "./icons.ts";
import { controlNames } from "./fields.ts";
import { differing, type Settings } from "./settings.ts";

/** Where a figure can be found and embedded from: absolute addresses. */
export interface Places {
  /** The page that it is on, with its settings. */
  page(): string;
  /** The script, its style sheet, and the page that shows one figure alone. */
  readonly script: string;
  readonly styles: string;
  readonly embed: string;
}

type Host = ReactiveControllerHost & {
  readonly figure: string | null;
  readonly settings: Settings;
  readonly places: Places | null;
  say(text: string): void;
};

const KINDS = ["page", "figure", "tag", "frame"] as const;
type Kind = (typeof KINDS)[number];

export class SharePanel implements ReactiveController {
  #kind: Kind = "page";
  /** Names of the controls that the reader gets; all of them at first. */
  #controls: ReadonlySet<string> | null = null;
  #locked = false;
  #autoplay = false;
  #copied: "copied" | "shown" | null = null;

  constructor(private readonly host: Host) {
    host.addController(this);
  }

  hostConnected(): void {}

  render(words: Words) {
    const { places } = this.host;
    if (!places) return nothing;
    const w = words.share;
    const code = this.#code(places);
    const choose = (event: Event) => this.#set(() => (this.#kind = (event.target as HTMLInputElement).value as Kind));
    const embeds = this.#kind !== "page";
    return html`<details class="share" part="share" @toggle=${() => this.#set(() => undefined)}>
      <summary class="button" part="button">${icons.link}${w.title}</summary>
      <div class="panel">
        <fieldset class="switch"><legend>${w.what}</legend>
          <div class="options">${KINDS.map(
            (kind) => html`<label><input type="radio" name="share" value=${kind} .checked=${live(kind === this.#kind)} @change=${choose} />${w.kinds[kind]}</label>`,
          )}</div>
        </fieldset>
        <p class="help">${w.about[this.#kind]}</p>
        ${embeds ? this.#options(words) : nothing}
        <label for="share-code">${w.code}</label>
        <textarea id="share-code" readonly rows=${this.#kind === "tag" || this.#kind === "frame" ? 5 : 2} spellcheck="false"
          .value=${code} @focus=${(event: Event) => (event.target as HTMLTextAreaElement).select()}></textarea>
        <div class="actions"><button type="button" part="button" @click=${() => void this.#copy(code, words)}>${this.#copied === "copied" ? w.copied : w.copy}</button>
          ${this.#copied === "shown" ? html`<p class="help" role="status">${w.byHand}</p>` : nothing}</div>
      </div>
    </details>`;
  }

  #options(words: Words) {
    const w = words.share;
    const labels: Readonly<Record<string, string>> = { ...words.controls.labels, files: words.controls.addData };
    const box = (label: string, checked: boolean, set: (on: boolean) => void) =>
      html`<label class="check"><input type="checkbox" .checked=${live(checked)}
        @change=${(event: Event) => this.#set(() => set((event.target as HTMLInputElement).checked))} />${label}</label>`;
    const chosen = this.#chosen;
    const toggle = (name: string) => (on: boolean) => {
      this.#controls = new Set(this.#all.filter((n) => (n === name ? on : chosen.has(n))));
    };
    return html`<fieldset class="field wide"><legend>${w.controls}</legend>
        ${this.#all.map((name) => box(labels[name] ?? name, chosen.has(name), toggle(name)))}
        <div class="actions wide">
          <button type="button" class="plain" @click=${() => this.#set(() => (this.#controls = null))}>${w.all}</button>
          <button type="button" class="plain" @click=${() => this.#set(() => (this.#controls = new Set()))}>${w.none}</button>
        </div>
      </fieldset>
      <fieldset class="field wide"><legend>${w.more}</legend>
        ${box(w.locked, this.#locked, (on) => (this.#locked = on))}
        ${this.#figure === "theory" ? nothing : box(w.autoplay, this.#autoplay, (on) => (this.#autoplay = on))}
      </fieldset>`;
  }

  get #figure(): FigureName {
    return (this.host.figure ?? "clock") as FigureName;
  }

  get #all(): readonly string[] {
    return controlNames(this.#figure);
  }

  get #chosen(): ReadonlySet<string> {
    return this.#controls ?? new Set(this.#all);
  }

  /** The attributes of this figure as it is set. */
  get #attributes(): readonly (readonly [string, string])[] {
    const own = differing(this.host.settings, BASES[this.#figure]);
    return [
      ["figure", this.#figure],
      ...Object.entries(own).sort(([a], [b]) => (a < b ? -1 : 1)),
      ...(this.#controls || this.#locked ? [["controls", [...this.#chosen].join(" ")] as const] : []),
      ...(this.#locked ? [["locked", ""] as const] : []),
      ...(this.#autoplay ? [["autoplay", "visible"] as const] : []),
    ];
  }

  #code({ page, script, styles, embed }: Places): string {
    if (this.#kind === "page") return page();
    if (this.#kind === "tag") {
      const attributes = this.#attributes.map(([name, value]) => (value === "" && name === "locked" ? name : `${name}="${escaped(value)}"`));
      return `<link rel="stylesheet" href="${styles}"><script type="module" src="${script}"></script> <l2-lab ${attributes.join(" ")}></l2-lab>`;
    }
    const url = new URL(embed);
    url.search = new URLSearchParams(this.#attributes.map(([name, value]) => [name, value])).toString().replaceAll("%2C", ",");
    if (this.#kind === "figure") return url.href;
    return `<iframe src="${escaped(url.href)}" title="l2lab: ${this.#figure}" sandbox="allow-scripts" loading="lazy" style="width:100%;height:56rem;border:0"></iframe>`;
  }

  async #copy(code: string, words: Words): Promise<void> {
    try {
      await navigator.clipboard.writeText(code);
      this.#set(() => undefined);
      this.#copied = "copied";
      this.host.say(words.share.copied);
    } catch {
      this.#copied = "shown";
    }
    this.host.requestUpdate();
  }

  #set(change: () => void): void {
    change();
    this.#copied = null;
    this.host.requestUpdate();
  }
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
}
