// Play, pause, step and rewind.
import { html } from "lit";
import type { Words } from "../words/words.ts";
import { icons } from "./icons.ts";
import type { Workbench } from "./workbench.ts";

/** Buttons keep the focus while they do nothing: they are marked as disabled, not taken away. */
export function transport(bench: Workbench, words: Words) {
  const w = words.transport;
  const { state } = bench;
  const { busy } = bench;
  const still = !bench.started;
  const [label, tip] = busy ? [w.pause, w.pauseTip] : state === "done" ? [w.again, w.againTip] : [w.play, w.playTip];
  return html`<div class="transport" role="group" aria-label=${w.label}>
    <button class="primary" part="button" id="play" type="button" title=${tip}
      @click=${() => void (busy ? bench.pause() : bench.play())}>${busy ? icons.pause : icons.play}${label}</button>
    <button part="button" type="button" title=${w.stepTip} aria-disabled=${state === "done"}
      @click=${() => state !== "done" && void bench.step()}>${icons.step}${w.step}</button>
    <button part="button" type="button" title=${w.rewindTip} aria-disabled=${still}
      @click=${() => !still && void bench.rewind()}>${icons.rewind}${w.rewind}</button>
  </div>`;
}
