// Where what is shown comes from, how far it has come, and on which device.
import { html, nothing } from "lit";
import { short, whole } from "../format.ts";
import { words } from "../words.ts";
import type { Shown, Workbench } from "./workbench.ts";

const w = words.status;

export function status(bench: Workbench, shown: Shown) {
  const { progress, state } = bench;
  const live = shown.origin === "live";
  const share = progress && progress.total > 0 ? progress.steps / progress.total : 0;
  const bar = html`<progress class=${live && progress ? "" : "idle"} max="1" .value=${share} aria-label=${w.progressLabel}></progress>`;
  if (!live) {
    const command = shown.recording?.command;
    return html`<div class="status" part="status">${bar}
      <p class="origin">${command ? recorded(command) : nothing}</p>
    </div>`;
  }
  return html`<div class="status" part="status">${bar}
    <p class="origin">${[w.live, doing(bench)].filter(Boolean).join(": ")}</p>
    <p>${progress && state !== "failed" ? html`${w.total(whole(progress.steps), whole(progress.total))}. ${progress.why}` : nothing}</p>
  </div>`;
}

/** The command that made what is shown. */
export function recorded(command: string) {
  return html`${w.recorded} <code>${command.split(" ").map((word) => html`<span>${word}</span> `)}</code>`;
}

function doing(bench: Workbench): string {
  const { progress, state } = bench;
  if (state === "failed") return w.failed;
  if (state === "done") return w.done;
  if (bench.unattended) return w.pausedUnseen;
  if (state === "paused") return w.paused;
  if (state === "loading") return w.starting;
  if (state !== "running" || !progress) return "";
  const device = progress.device === "GPU" ? w.gpu : w.cpu(progress.workers);
  const percent = String(Math.floor((100 * progress.steps) / Math.max(1, progress.total)));
  return `${w[progress.phase]}, ${w.progress(percent, short(progress.stepsPerSecond, 3), device)}`;
}
