// Turns: several elements that come at once are drawn one after the other, so that the page stays responsive.

let last: Promise<void> = Promise.resolve();

/** Waits for a task of one's own, after those who asked before. */
export function turn(): Promise<void> {
  last = last.then(() => new Promise((resolve) => setTimeout(resolve)));
  return last;
}
