// Errors for the reader: what happened and what to do, in whatever language the reader has.
import { en, type Said } from "../words/words.ts";

/** An error that says itself. */
export class Told extends Error {
  constructor(readonly said: Said) {
    super(said(en));
  }
}

/** What an error says; other errors than ours speak the core's English. */
export function saidBy(error: unknown): Said {
  if (error instanceof Told) return error.said;
  const what = error instanceof Error ? error.message : String(error);
  return () => (what.endsWith(".") ? what : `${what}.`);
}
