// The lesson's exercises: they listen to the figures and compare a reader's answer with what the reader's own runs say.
import "./element/l2-lab.ts";
import { THEORY, auto, clock, law, limits, predict, theory, type State, type Verdict } from "./checks.ts";
import type { Recording } from "./types.ts";

export * as checks from "./checks.ts";

/** What stands before a verdict, so that colour is not all that tells. */
const HEADS: Readonly<Record<State, string>> = { open: "Not yet.", right: "Right.", wrong: "Not so.", otherwise: "Your run says otherwise." };

/** All runs that have ended since the page was opened, by their figure's id, the latest last. */
const runs = new Map<string, Recording[]>();
/** Figures that are being trained. */
const training = new Set<string>();
/** Where the theory's figure has its least test loss, by λ, at the depth of its exercise. */
const peaks = new Map<number, number>();

const onRuns = (check: (runs: readonly Recording[], answer: string) => Verdict) => (figure: string, answer: string) => {
  const own = runs.get(figure);
  if (own) return check(own, answer);
  const text = training.has(figure) ? "Let the run end: your answer is checked then." : "Press Play first, and let the run end. Your answer is kept, and is checked then.";
  return { state: "open", text } as const;
};

/** By the names of their forms. */
const CHECKS: Readonly<Record<string, (figure: string, answer: string) => Verdict>> = {
  clock: onRuns(clock),
  law: onRuns(law),
  predict: onRuns(predict),
  auto: onRuns(auto),
  theory: (_figure, answer) => theory(peaks, answer),
  limits: onRuns(limits),
};

/** One exercise: a form, and the figure that its `data-figure` names. */
class Exercise {
  readonly figure: string;
  readonly #verdict: HTMLOutputElement | null;
  /** Whether an answer waits for a run; a verdict stays as it is until the reader asks again. */
  #waiting = false;

  constructor(private readonly form: HTMLFormElement) {
    this.figure = form.dataset["figure"] ?? "";
    this.#verdict = form.querySelector("output");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#check();
    });
    form.addEventListener("input", () => {
      // A verdict is about the answer that was checked, not about another one.
      if (form.dataset["state"]) this.#say({ state: "open", text: "Press Check for the new answer." });
      this.#waiting = false;
    });
    form.querySelector<HTMLButtonElement>("[data-set], [data-double]")?.addEventListener("click", (event) => this.#set(event.currentTarget as HTMLButtonElement));
  }

  /** There is something new of the figure. */
  news(): void {
    if (this.#waiting) this.#check();
  }

  #check(): void {
    const answer = new FormData(this.form).get("answer");
    const check = CHECKS[this.form.name];
    if (!check || typeof answer !== "string") return;
    const verdict = check(this.figure, answer);
    this.#waiting = verdict.state === "open";
    this.#say(verdict);
  }

  /** Changes settings of the figure, for those who do not want to look for them. */
  #set({ dataset }: HTMLButtonElement): void {
    const lab = document.querySelector<HTMLElementTagNameMap["l2-lab"]>(`l2-lab#${this.figure}`);
    if (!lab) return;
    const { set = "", double } = dataset;
    const doubled = double ? { [double]: String(lab.settings[double]?.split(",").map((value) => 2 * Number(value))) } : {};
    lab.changes = { ...lab.changes, ...Object.fromEntries(new URLSearchParams(set)), ...doubled };
    this.#say({ state: "open", text: "It is set. Press Play on the figure, and Check when the run has ended." });
  }

  #say({ state, text }: Verdict): void {
    const head = document.createElement("strong");
    head.textContent = HEADS[state];
    this.form.dataset["state"] = state;
    this.#verdict?.replaceChildren(head, ` ${text}`);
  }
}

const exercises = [...document.querySelectorAll<HTMLFormElement>("form.exercise")].map((form) => new Exercise(form));

document.body.addEventListener("l2-measurement", ({ target }) => training.add((target as Element).id));
document.body.addEventListener("l2-error", ({ target }) => training.delete((target as Element).id));
document.body.addEventListener("l2-done", ({ target, detail }) => {
  const { id } = target as Element;
  training.delete(id);
  runs.set(id, [...(runs.get(id) ?? []), detail.recording]);
  for (const exercise of exercises) if (exercise.figure === id) exercise.news();
});

document.body.addEventListener("l2-theory", ({ target, detail }) => {
  const { lambda, k, t_star } = detail;
  if (k !== THEORY.k || t_star === null) return;
  peaks.set(lambda, t_star);
  for (const exercise of exercises) if (exercise.figure === (target as Element).id) exercise.news();
});
