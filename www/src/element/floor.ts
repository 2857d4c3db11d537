// Who trains: of all experiments on a page that are to, the first whose reader sees it; the others wait for their turn.

/** Why an experiment that is to train does not. */
export type Held = "unseen" | "turn";

/** One that may train. */
export interface Trainee {
  /** Whether anybody sees it. */
  readonly attended: boolean;
  /** Lets it train (`null`), or tells it to wait. */
  hold(why: Held | null): void;
}

const queue: Trainee[] = [];

/** It is to train: before all others, as when a reader pressed Play, or after them. */
export function enter(trainee: Trainee, first: boolean): void {
  remove(trainee);
  if (first) queue.unshift(trainee);
  else queue.push(trainee);
  settle();
}

/** It is not to train any more. */
export function leave(trainee: Trainee): void {
  if (remove(trainee)) settle();
}

/** Looks again at who sees what. */
export function settle(): void {
  const next = queue.find((t) => t.attended);
  // Whoever is to wait is told first.
  for (const trainee of [...queue]) if (trainee !== next) trainee.hold(trainee.attended ? "turn" : "unseen");
  next?.hold(null);
}

function remove(trainee: Trainee): boolean {
  const at = queue.indexOf(trainee);
  if (at >= 0) queue.splice(at, 1);
  return at >= 0;
}
