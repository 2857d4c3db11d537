// Files to take away: traces as CSV, the experiment as TOML.
import { FIELDS, type Recording } from "./types.ts";
import { numbers, schedules, type Settings } from "./element/settings.ts";
import type { Words } from "./words/words.ts";

const COLUMNS = "run,lambda,lr,momentum,seed,step,epoch,tau,train_loss,train_accuracy,test_loss,test_accuracy,sq_norm";

/** Every measurement of every run, numbered through the phases, as the command line's traces.csv. */
export function csv(recording: Recording): string {
  const rows = [...recording.traces, ...recording.verification].flatMap((trace, run) =>
    trace.points.map((m) =>
      [
        ...[run, m.lambda, m.lr, trace.run.momentum, trace.run.seed, m.step, m.epoch, m.tau],
        ...[m.train_loss, m.train_accuracy, m.test_loss, m.test_accuracy, m.sq_norm],
      ].join(","),
    ),
  );
  return [COLUMNS, ...rows, ""].join("\n");
}

/** All settings, as a file that `l2lab sweep FILE.toml` reads. */
export function toml(settings: Settings, words: Words): string {
  const lines = FIELDS.flatMap((name) => {
    const value = settings[name];
    return value === undefined || value === "" ? [] : [`${name} = ${tomlValue(name, value)}`];
  });
  return [words.exports.tomlHead, ...lines, ""].join("\n");
}

function tomlValue(name: string, value: string): string {
  if (value === "true" || value === "false") return value;
  if (name === "compare") return JSON.stringify(schedules(value));
  const list = numbers(value);
  if (list && (name === "lr" || name === "lambda")) return JSON.stringify(list);
  return list?.length === 1 ? JSON.stringify(list[0]) : JSON.stringify(value);
}

/** Hands a file to the reader. */
export function save(name: string, content: Blob | string, type: string): void {
  const url = URL.createObjectURL(typeof content === "string" ? new Blob([content], { type }) : content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // Some browsers read the address only after this turn.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
