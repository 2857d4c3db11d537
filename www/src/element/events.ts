// The events of <l2-lab> and their details.
import type { LambdaScheduleKind, Measurement, Recording } from "../types.ts";

/** One new measurement of one run. */
export interface RunMeasurement {
  /** What the run begins with; `measurement` has λ at its time. */
  readonly lambda: number;
  readonly schedule: LambdaScheduleKind;
  readonly lr: number;
  readonly seed: number;
  readonly measurement: Measurement;
}

/** A run of constant λ whose t_* is known. */
export interface RunPeak {
  readonly lambda: number;
  readonly lr: number;
  readonly seed: number;
  /** In steps, between two of them too since curves are smoothed, and in regularization time. */
  readonly t_star: number;
  readonly tau_star: number;
}

export interface L2Events {
  /** The figure is drawn for the first time. */
  "l2-ready": { readonly figure: string };
  /** Runs have been measured: at most ten a second, each with what is new. */
  "l2-measurement": { readonly measurements: readonly RunMeasurement[]; readonly recording: Recording };
  /** All runs of the grid have ended, and this one's t_* can be told by the experiment's estimator; runs that cannot be timed have no such event. */
  "l2-peak": RunPeak;
  /** Everything has been trained. */
  "l2-done": { readonly recording: Recording; readonly finding: string };
  /** The theory's figure shows curves for these sliders; t_* in units of η × steps, if the test loss has a minimum. */
  "l2-theory": { readonly lambda: number; readonly k: number; readonly t_star: number | null };
  /** Something went wrong; the sentence is the one that the figure shows. */
  "l2-error": { readonly message: string };
}

/** Dispatches one of the element's events. */
export function tell<Name extends keyof L2Events>(from: EventTarget, name: Name, detail: L2Events[Name]): void {
  from.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
}
