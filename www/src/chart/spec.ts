// What a chart shows, as plain data: figures make it, the chart element draws it.

/** A place on an axis; without a label it is a small tick. */
export interface Tick {
  readonly at: number;
  readonly label: string;
}

/** One axis; `short` names it where a value is read out; `ticks` are its categories, if it has no numbers. */
export interface Axis {
  readonly label: string;
  readonly short: string;
  readonly scale: "linear" | "log";
  readonly domain: readonly [number, number];
  readonly ticks?: readonly Tick[];
}

/** A point; a `y` that is not a number is a gap. `low` and `high` are its interval, `label` is written beside it. */
export interface Point {
  readonly x: number;
  readonly y: number;
  readonly low?: number;
  readonly high?: number;
  readonly label?: string;
}

/** `faint` lines are single runs behind their mean, `guide` lines are no data; an `arrow` says "at least this high". */
export type Mark = "line" | "faint" | "guide" | "dot" | "ring" | "arrow" | "diamond" | "bar";

/** How a series is told apart: one of eight colours or the text's (`null`), and one of the dash styles. */
export interface Look {
  readonly color: number | null;
  readonly dash: number;
}

export interface Series extends Look {
  /** In the legend and where values are read out. */
  readonly name: string;
  readonly mark: Mark;
  readonly points: readonly Point[];
  readonly legend?: boolean;
  /** Whether its values can be read by pointer and keyboard. */
  readonly readable?: boolean;
}

/** A vertical line up to the height `top`, or through the whole plot; with an interval around it. */
export interface Marker extends Look {
  readonly x: number;
  readonly label: string;
  readonly top?: number;
  readonly low?: number;
  readonly high?: number;
}

/** An area between two heights. */
export interface Band {
  readonly color: number | null;
  readonly points: readonly { readonly x: number; readonly low: number; readonly high: number }[];
}

export interface ChartSpec {
  /** Its accessible name, and the title of an exported file. */
  readonly title: string;
  /** What a reader who cannot see it has to know, in sentences. */
  readonly summary: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  readonly markers: readonly Marker[];
  readonly bands: readonly Band[];
  /** In place of data, when there is none yet. */
  readonly message: string | null;
}

/** Colours that a series can have, as in the command line's reports. */
export const COLORS = 8;

/** Dash styles, so that colour is not the only cue. */
export const DASHES = ["", "8 3", "2.5 2.5", "10 3 2 3", "5 5", "14 3", "1.5 4", "6 2 2 2 2 2"] as const;

/** The look of one of `count` series, spread over all colours as in the command line's reports. */
export function look(index: number, count: number): Look {
  const last = COLORS - 1;
  const color = count < 2 ? 0 : Math.floor((index * last + (count - 1) / 2) / (count - 1));
  return { color, dash: index % DASHES.length };
}
