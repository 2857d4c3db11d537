// Loads recorded results, for figures of runs and of theory.
import { RECORDING_VERSION } from "../types.ts";
import type { Said } from "../words/words.ts";

/** The result at `url`, when its `turn` has come; a sentence where it cannot be had, is of another version, or lacks one of `parts`. */
export async function loadRecorded<R extends { version: number }>(url: string, turn: Promise<void>, parts: readonly (keyof R)[]): Promise<R | Said> {
  try {
    await turn;
    const response = await fetch(url);
    if (!response.ok) return (w) => w.errors.recorded(url);
    const recording = (await response.json()) as Partial<R>;
    if (recording.version !== RECORDING_VERSION || !parts.every((part) => recording[part])) return (w) => w.errors.version(url);
    return recording as R;
  } catch {
    return (w) => w.errors.recorded(url);
  }
}
