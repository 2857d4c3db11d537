// The page: its figures, the settings in its address, and a service worker that keeps it for offline.
import { L2Lab } from "./element/l2-lab.ts";
import type { Places } from "./element/share.ts";
import { lab } from "./element/workbench.ts";
import * as url from "./url.ts";
import type { Said } from "./words/words.ts";

followAddress([...document.querySelectorAll("l2-lab[id]")].filter((element) => element instanceof L2Lab));

for (const element of document.querySelectorAll("l2-lab:not([id], [for])")) {
  if (element instanceof L2Lab) element.places = placesOf(() => new URL("#", document.baseURI).href);
}

/** Where a figure is embedded from: beside this page. */
function placesOf(page: () => string): Places {
  const beside = (file: string) => Object.assign(new URL(file, document.baseURI), { search: "", hash: "" }).href;
  return { page, script: beside("l2-lab.js"), styles: beside("l2-lab.css"), embed: beside("embed.html") };
}

/** Keeps the settings of `figures` and the address the same. */
function followAddress(figures: readonly L2Lab[]): void {
  // By what their settings begin with in the address.
  const byId = new Map(figures.map((element, i) => [i === 0 ? "" : element.id, element]));
  let arriving = false;
  const settle = (element: L2Lab, settings: L2Lab["changes"]) => {
    arriving = true;
    element.changes = settings;
    arriving = false;
  };
  const arrive = async () => {
    const { search } = location;
    const { settings, problems, version } = url.read(search, [...byId.keys()]);
    for (const [id, element] of byId) settle(element, settings[id] ?? {});
    for (const [id, element] of byId) {
      const own = settings[id] ?? {};
      const found: Said[] = id === "" ? [...problems] : [];
      if (Object.keys(own).length > 0) {
        try {
          const checked = await (await lab()).check(element.bench.figure, own);
          // The reader may have gone on meanwhile.
          if (location.search !== search) return;
          found.push(...checked.problems.map((problem): Said => () => problem));
          settle(element, checked.settings);
        } catch {
          found.push((w) => w.url.unchecked);
        }
      }
      const said: Said[] = [];
      if (id === "" && version !== null) said.push((w) => w.url.version(version));
      if (found.length > 0) said.push((w) => w.url.problems(found.map((f) => f(w))));
      element.alert("url", said.length > 0 ? (w) => said.map((s) => s(w)).join(" ") : null);
    }
  };
  const here = () => url.write(location.href, Object.fromEntries([...byId].map(([id, { changes }]) => [id, changes])));
  for (const [id, element] of byId) {
    element.places = placesOf(() => Object.assign(new URL(here()), { hash: id }).href);
    element.bench.addEventListener("settings", () => {
      if (!arriving && here() !== location.href) history.pushState(null, "", here());
    });
  }
  addEventListener("popstate", () => void arrive());
  void arrive();
}

if ("serviceWorker" in navigator && window.isSecureContext) {
  addEventListener("load", () => {
    // Without it the page works as well, only not offline.
    navigator.serviceWorker.register(new URL("sw.js", document.baseURI)).catch(() => undefined);
  });
}
