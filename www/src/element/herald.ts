// Notices what is new in a growing recording: measurements, and in the end the times t_* of runs and of cells.
import { groupsOf, starOf } from "../figures/curves.ts";
import { short } from "../format.ts";
import type { Recording, Trace } from "../types.ts";
import type { Words } from "../words/words.ts";
import type { RunMeasurement, RunPeak } from "./events.ts";

export interface News {
  readonly measurements: readonly RunMeasurement[];
  readonly peaks: readonly RunPeak[];
  /** Cells with a t_* in words, for a screen reader. */
  readonly spoken: readonly string[];
}

export class Herald {
  #seen = new Map<string, number>();
  #peaked = new Set<string>();
  #finished = new Set<string>();

  /**
   * What has been added since the last call; runs that began again are told of from where they were. Which curves can be timed
   * depends on the noise of all: t_* is told when every run of the grid is `settled`.
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
    const final = recording.traces.every((_, i) => settled.has(i));
    return { measurements, peaks: final ? this.#peaks(recording) : [], spoken: final ? this.#cells(recording, words) : [] };
  }

  reset(): void {
    this.#seen.clear();
    this.#peaked.clear();
    this.#finished.clear();
  }

  #peaks(recording: Recording): RunPeak[] {
    return recording.findings.runs.flatMap(({ lambda, lambda_schedule, lr, seed, t_star, tau_star }): RunPeak[] => {
      const id = `${lr} ${lambda} ${seed}`;
      if (lambda_schedule !== "constant" || t_star === null || tau_star === null || this.#peaked.has(id)) return [];
      this.#peaked.add(id);
      return [{ lambda, lr, seed, t_star, tau_star }];
    });
  }

  #cells(recording: Recording, words: Words): string[] {
    return groupsOf(recording, words).flatMap((group) => {
      const tau = group.cell?.tau_star ?? null;
      if (this.#finished.has(group.name) || starOf(group) === null || tau === null) return [];
      this.#finished.add(group.name);
      return [words.status.peak(group.name, short(tau, 2))];
    });
  }
}

function key(trace: Trace, index: number): string {
  return `${index} ${trace.run.lr} ${trace.run.lambda} ${trace.run.seed}`;
}
