// What a figure is: a pure function from a recording to charts and a sentence, with the switches that its reader gets.
import type { ChartSpec } from "../chart/spec.ts";
import type { Recording } from "../types.ts";
import type { Words } from "../words/words.ts";

/** A choice between ways of looking at the same recording. */
export interface Switch {
  readonly name: string;
  readonly label: string;
  readonly options: readonly { readonly value: string; readonly label: string }[];
}

/** What the reader has chosen, by the switch's name. */
export type Choices = Readonly<Record<string, string>>;

export interface Drawing {
  readonly charts: readonly ChartSpec[];
  /** What the numbers say, in a sentence or two; empty before there are any. */
  readonly finding: string;
}

/** What there is to draw. */
export interface Source {
  readonly recording: Recording | null;
  /** The recorded result of the same settings: axes that fit it do not jump while a live one grows. */
  readonly frame: Recording | null;
  /** In place of data. */
  readonly message: string | null;
}

/** A figure's words. */
export interface Titles {
  readonly title: string;
  readonly caption: string;
}

export interface Figure {
  titles(words: Words): Titles;
  switches(words: Words): readonly Switch[];
  /** Fields of the experiment that make no difference to it. */
  readonly ignores: readonly string[];
  draw(source: Source, choices: Choices, words: Words): Drawing;
}

/** The chosen option of a switch: the first, unless the reader chose. */
export function chosen(switches: readonly Switch[], choices: Choices, name: string): string {
  const options = switches.find((s) => s.name === name)?.options ?? [];
  const choice = choices[name];
  return options.some((o) => o.value === choice) && choice !== undefined ? choice : (options[0]?.value ?? "");
}
