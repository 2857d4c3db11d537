// The public interface of <l2-lab>, for those who write TypeScript.
import type { Experiment } from "../types.ts";
import type { L2Events } from "./events.ts";

export type * from "../types.ts";
export type * from "./events.ts";

type Camel<Name extends string> = Name extends `${infer Head}-${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : Name;

/** A value as an attribute's text, or what makes one: a number, a switch, a list. `null` takes the attribute away. */
export type FieldValue = string | number | boolean | readonly (string | number)[] | null;

/** Every field of an experiment as a property: `lambda`, `lr`, `lambdaFactor`. */
export type FieldProperties = {
  -readonly [Name in keyof Experiment as Camel<Name & string>]: FieldValue;
};

/** A live figure about L2 regularization. */
export interface L2LabApi extends FieldProperties {
  /** Which figure: clock (the default), law, predict, auto, theory or limits. */
  figure: string | null;
  /** Address of a recorded result, shown until play. */
  recorded: string | null;
  /** Id of another <l2-lab> whose runs this one shows. */
  htmlFor: string | null;
  /** Names of the controls that the reader gets; all of the figure's if absent. */
  controls: string | null;
  /** Whether everything that has no control here stays as the author set it. */
  locked: boolean;
  /** `visible` trains when a reader comes to see it; `off` (the default) waits for Play. */
  autoplay: string | null;
  /** What to train on: auto (the faster), cpu or gpu. */
  device: string | null;
  /** `light` or `dark`; `auto` (the default) is what the reader's system has. */
  theme: string | null;
  /** Every field's value as text. */
  readonly settings: Readonly<Record<string, string>>;
  /** What the reader changed; setting it replaces that. */
  changes: Record<string, string>;
  play(): void;
  pause(): void;
  /** A few optimizer steps of every run, then a pause. */
  step(): void;
  /** Back to the same initial weights. */
  rewind(): void;
  /** The traces (csv), the experiment (toml) or the charts (svg), as a file's text. */
  export(what: "csv" | "toml" | "svg"): string;
}

export type L2LabElement = HTMLElement & L2LabApi;

/** The element's class; loading the script has defined it as `l2-lab`. */
export declare const L2Lab: (new () => L2LabElement) & { readonly version: string };

declare global {
  interface HTMLElementEventMap {
    "l2-ready": CustomEvent<L2Events["l2-ready"]>;
    "l2-measurement": CustomEvent<L2Events["l2-measurement"]>;
    "l2-peak": CustomEvent<L2Events["l2-peak"]>;
    "l2-done": CustomEvent<L2Events["l2-done"]>;
    "l2-theory": CustomEvent<L2Events["l2-theory"]>;
    "l2-error": CustomEvent<L2Events["l2-error"]>;
  }
  interface HTMLElementTagNameMap {
    "l2-lab": L2LabElement;
  }
}
