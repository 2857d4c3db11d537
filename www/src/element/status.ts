// Where what is shown comes from, how far it has come, and on which device.
import { html, nothing } from "lit";
import { short, whole } from "../format.ts";
import type { Words } from "../words/words.ts";
import type { Shown, Workbench } from "./workbench.ts";

export function status(bench: Workbench, shown: Shown, words: Words) {
  const w = words.status;
  const { progress, state } = bench;
  const live = shown.origin === "live";
  const share = progress && progress.total > 0 ? progress.steps / progress.total : 0;
  const bar = html`<progress class=${live && progress ? "" : "idle"} max="1" .value=${share} aria-label=${w.progressLabel}></progress>`;
  if (!live) {
    const command = shown.recording?.command;
    return html`<div class="status" part="status">${bar}
      <p class="origin">${command ? recorded(command, words) : nothing}</p>
      <p>${bench.held ? doing(bench, words) : nothing}</p>
    </div>`;
  }
  return html`<div class="status" part="status">${bar}
    <p class="origin">${[w.live, doing(bench, words)].filter(Boolean).join(": ")}</p>
    <p>${progress && state !== "failed" ? html`${w.total(whole(progress.steps), whole(progress.total))}. ${progress.why(words)}` : nothing}</p>
  </div>`;
}

/** The command that made what is shown. */
export function recorded(command: string, words: Words) {
  return html`${words.status.recorded} <code>${command.split(" ").map((word) => html`<span>${word}</span> `)}</code>`;
}

function doing(bench: Workbench, words: Words): string {
  const w = words.status;
  const { progress, state } = bench;
  if (state === "failed") return w.failed;
  if (state === "done") return w.done;
  if (bench.held) return bench.held === "turn" ? w.waiting : w.pausedUnseen;
  if (state === "paused") return w.paused;
  if (state === "loading") return w.starting;
  if (state !== "running" || !progress) return "";
  const device = progress.device === "GPU" ? w.gpu : w.cpu(progress.workers);
  const percent = String(Math.floor((100 * progress.steps) / Math.max(1, progress.total)));
  return `${w[progress.phase]}, ${w.progress(percent, short(progress.stepsPerSecond, 3), device)}`;
}
