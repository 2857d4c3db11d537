// Notices what is new in a growing recording: measurements, peaks, cells that are finished.
import { alike, groupsOf } from "../figures/curves.ts";
import { short } from "../format.ts";
import type { Recording, Trace } from "../types.ts";
import type { Words } from "../words/words.ts";
import type { RunMeasurement, RunPeak } from "./events.ts";

export interface News {
  readonly measurements: readonly RunMeasurement[];
  readonly peaks: readonly RunPeak[];
  /** Finished cells in words, for a screen reader. */
  readonly spoken: readonly string[];
}

export class Herald {
  #seen = new Map<string, number>();
  #peaked = new Set<string>();
  #finished = new Set<string>();

  /** What has been added since the last call; a recording that has shrunk was rewound, and starts again. */
  news(recording: Recording, words: Words): News {
    const traces = [...recording.traces, ...recording.verification];
    if (traces.some((t, i) => t.points.length < (this.#seen.get(key(t, i)) ?? 0))) this.reset();
    const measurements = traces.flatMap((t, i) => {
      const { lambda, lambda_schedule: schedule, lr, seed } = t.run;
      const fresh = t.points.slice(this.#seen.get(key(t, i)) ?? 0);
      this.#seen.set(key(t, i), t.points.length);
      return fresh.map((measurement) => ({ lambda, schedule, lr, seed, measurement }));
    });
    return { measurements, peaks: this.#peaks(recording), spoken: this.#cells(recording, words) };
  }

  reset(): void {
    this.#seen.clear();
    this.#peaked.clear();
    this.#finished.clear();
  }

  #peaks(recording: Recording): RunPeak[] {
    return recording.findings.runs.flatMap((r): RunPeak[] => {
      if (r.lambda_schedule !== "constant") return [];
      const id = `${r.lr} ${r.lambda} ${r.seed}`;
      if (this.#peaked.has(id) || r.censored || r.diverged || r.t_star === null || r.tau_star === null) return [];
      const trace = recording.traces.find((t) => alike(t.run, r) && t.run.seed === r.seed);
      if (trace?.end !== "completed") return [];
      this.#peaked.add(id);
      return [{ lambda: r.lambda, lr: r.lr, seed: r.seed, t_star: r.t_star, tau_star: r.tau_star }];
    });
  }

  #cells(recording: Recording, words: Words): string[] {
    return groupsOf(recording, words).flatMap((group) => {
      if (this.#finished.has(group.name) || group.traces.some((t) => t.end === null)) return [];
      const tau = group.cell?.tau_star;
      // What is found comes a little later than the end.
      if (tau === null || tau === undefined) return [];
      this.#finished.add(group.name);
      return [words.status.peak(group.name, short(tau, 2))];
    });
  }
}

function key(trace: Trace, index: number): string {
  return `${index} ${trace.run.lr} ${trace.run.lambda} ${trace.run.seed}`;
}
