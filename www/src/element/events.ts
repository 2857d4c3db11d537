// The events of <l2-lab> and their details.
import type { Recording } from "../types.ts";
import type { RunMeasurement, RunPeak } from "./herald.ts";

export interface L2Events {
  /** The figure is drawn for the first time. */
  "l2-ready": { readonly figure: string };
  /** Runs have been measured: at most ten a second, each with what is new. */
  "l2-measurement": { readonly measurements: readonly RunMeasurement[]; readonly recording: Recording };
  /** A run has ended after its peak. */
  "l2-peak": RunPeak;
  /** Everything has been trained. */
  "l2-done": { readonly recording: Recording; readonly finding: string };
  /** Something went wrong; the sentence is the one that the figure shows. */
  "l2-error": { readonly message: string };
}

declare global {
  interface HTMLElementEventMap {
    "l2-ready": CustomEvent<L2Events["l2-ready"]>;
    "l2-measurement": CustomEvent<L2Events["l2-measurement"]>;
    "l2-peak": CustomEvent<L2Events["l2-peak"]>;
    "l2-done": CustomEvent<L2Events["l2-done"]>;
    "l2-error": CustomEvent<L2Events["l2-error"]>;
  }
}

/** Dispatches one of the element's events. */
export function tell<Name extends keyof L2Events>(from: EventTarget, name: Name, detail: L2Events[Name]): void {
  from.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
}
