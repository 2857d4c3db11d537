// The language of an element: its own `lang`, or that of the text around it; its words are loaded when they are needed.
import type { ReactiveController, ReactiveControllerHost } from "lit";
import { LANGUAGES, catalogue, en, language, type Said, type Words } from "../words/words.ts";

type Host = ReactiveControllerHost & HTMLElement & { alert(key: string, said: Said | null): void };

export class Language implements ReactiveController {
  /** English until others have come. */
  words: Words = en;

  #tag = "";
  #observer = new MutationObserver(() => this.settle());

  constructor(private readonly host: Host) {
    host.addController(this);
  }

  hostConnected(): void {
    this.#observer.observe(document.documentElement, { attributes: true, attributeFilter: ["lang"] });
    this.settle();
  }

  hostDisconnected(): void {
    this.#observer.disconnect();
  }

  /** Looks again at which language it is. */
  settle(): void {
    const own = this.host.getAttribute("lang");
    const tag = own ?? around(this.host);
    if (tag === this.#tag) return;
    this.#tag = tag;
    const name = language(tag);
    // The text around an element may be in any language; only one that was asked for is missed.
    this.host.alert("lang", own !== null && own !== "" && name === null ? (w) => w.errors.language(tag, LANGUAGES.join(", ")) : null);
    catalogue(name ?? "en").then(
      (words) => {
        if (this.#tag !== tag) return;
        this.words = words;
        this.host.requestUpdate();
      },
      () => this.host.alert("lang", (w) => w.errors.languageLost(tag)),
    );
  }
}

/** The language of the text that an element stands in, also across shadow roots. */
function around(element: Element): string {
  for (let node: Node | null = element; node; node = node instanceof ShadowRoot ? node.host : node.parentNode) {
    const tag = node instanceof Element ? node.getAttribute("lang") : null;
    if (tag) return tag;
  }
  return "en";
}
