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

  /**
   * What has been added since the last call; runs that began again are told of from where they were. What is found of the runs in
   * `settled` is final.
   */
  news(recording: Recording, settled: ReadonlySet<number>, words: Words): News {
    const traces = [...recording.traces, ...recording.verification];
    const measurements = traces.flatMap((t, i) => {
      const { lambda, lambda_schedule: schedule, lr, seed } = t.run;
      const seen = this.#seen.get(key(t, i)) ?? 0;
      const fresh = t.points.slice(seen);
      this.#seen.set(key(t, i), Math.max(seen, t.points.length));
      return fresh.map((measurement) => ({ lambda, schedule, lr, seed, measurement }));
    });
    return { measurements, peaks: this.#peaks(recording, settled), spoken: this.#cells(recording, settled, words) };
  }

  reset(): void {
    this.#seen.clear();
    this.#peaked.clear();
    this.#finished.clear();
  }

  #peaks(recording: Recording, settled: ReadonlySet<number>): RunPeak[] {
    return recording.findings.runs.flatMap((r): RunPeak[] => {
      if (r.lambda_schedule !== "constant") return [];
      const id = `${r.lr} ${r.lambda} ${r.seed}`;
      if (this.#peaked.has(id) || r.censored || r.diverged || r.t_star === null || r.tau_star === null) return [];
      const index = recording.traces.findIndex((t) => alike(t.run, r) && t.run.seed === r.seed);
      if (recording.traces[index]?.end !== "completed" || !settled.has(index)) return [];
      this.#peaked.add(id);
      return [{ lambda: r.lambda, lr: r.lr, seed: r.seed, t_star: r.t_star, tau_star: r.tau_star }];
    });
  }

  #cells(recording: Recording, settled: ReadonlySet<number>, words: Words): string[] {
    return groupsOf(recording, words).flatMap((group) => {
      if (this.#finished.has(group.name) || !group.traces.every((t) => settled.has(recording.traces.indexOf(t)))) return [];
      const tau = group.cell?.tau_star;
      if (tau === null || tau === undefined) return [];
      this.#finished.add(group.name);
      return [words.status.peak(group.name, short(tau, 2))];
    });
  }
}

function key(trace: Trace, index: number): string {
  return `${index} ${trace.run.lr} ${trace.run.lambda} ${trace.run.seed}`;
}
