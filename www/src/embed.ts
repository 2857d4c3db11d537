// One figure alone, for a frame: its attributes are this page's address, and its height is told to the page around it.
import "./element/l2-lab.ts";
import type { L2Events } from "./element/events.ts";

/** What was recorded for each figure's own experiment. */
const RECORDED: ReadonlyMap<string, string> = new Map([["clock", "clock"], ["law", "clock"], ["predict", "clock"], ["auto", "auto"], ["theory", "theory"]]);
/** What the page around is told besides the height. */
const TOLD = ["l2-ready", "l2-peak", "l2-done", "l2-error"] as const satisfies readonly (keyof L2Events)[];

const attributes = new URLSearchParams(location.search);
const element = document.createElement("l2-lab");
for (const [name, value] of attributes) {
  // A name that no attribute can have is told of as one that is not known.
  if (name !== "v" && name !== "recorded") element.setAttribute(/^[a-z][\w-]*$/.test(name) && !name.startsWith("on") ? name : "unreadable", value);
}
// What is shown as recorded here was recorded here: an address may not bring results of its own.
const name = /^[\w-]+$/.exec(attributes.get("recorded") ?? RECORDED.get(element.figure ?? "clock") ?? "")?.[0];
element.recorded = name ? `./recorded/${name}.json` : null;
document.documentElement.lang = element.lang || "en";

if (parent !== window) {
  // The page around may be anywhere, and learns nothing here that its own address did not say.
  const tell = (message: object) => parent.postMessage(message, "*");
  const height = () => tell({ type: "l2-height", height: Math.ceil(document.documentElement.getBoundingClientRect().height) });
  new ResizeObserver(height).observe(document.documentElement);
  for (const type of TOLD) {
    element.addEventListener(type, (event) => {
      const { recording: _, ...detail } = event.detail as Record<string, unknown>;
      tell({ type, ...detail });
    });
  }
}

document.querySelector("main")?.append(element);
