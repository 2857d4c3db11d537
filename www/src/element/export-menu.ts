// The menu of files to take away.
import { html } from "lit";
import type { Words } from "../words/words.ts";
import { icons } from "./icons.ts";

/** One file: without `make` there is nothing to take yet. */
export interface ExportItem {
  readonly label: string;
  readonly make: (() => void) | null;
}

export function exportMenu(items: readonly ExportItem[], words: Words) {
  const menu = (event: Event) => (event.currentTarget as Element).closest("details");
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    menu(event)?.removeAttribute("open");
    menu(event)?.querySelector("summary")?.focus();
  };
  const onLeave = (event: FocusEvent) => {
    if (event.relatedTarget instanceof Node && !menu(event)?.contains(event.relatedTarget)) menu(event)?.removeAttribute("open");
  };
  const choose = (event: Event, make: ExportItem["make"]) => {
    if (!make) return;
    menu(event)?.removeAttribute("open");
    make();
  };
  return html`<details class="menu" @keydown=${onKey} @focusout=${onLeave}>
    <summary class="button" part="button">${icons.export}${words.exports.menu}</summary>
    <div>${items.map(
      ({ label, make }) => html`<button type="button" aria-disabled=${make === null} @click=${(event: Event) => choose(event, make)}>${label}</button>`,
    )}</div>
  </details>`;
}
