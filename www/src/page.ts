// The page: its figures, the settings in its address, and a service worker that keeps it for offline.
import { L2Lab } from "./element/l2-lab.ts";
import { lab } from "./element/workbench.ts";
import * as url from "./url.ts";
import { words } from "./words.ts";

followAddress([...document.querySelectorAll("l2-lab[id]")].filter((element) => element instanceof L2Lab));

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
      const found = id === "" ? [...problems] : [];
      if (Object.keys(own).length > 0) {
        try {
          const checked = await (await lab()).check(element.bench.figure, own);
          // The reader may have gone on meanwhile.
          if (location.search !== search) return;
          found.push(...checked.problems);
          settle(element, checked.settings);
        } catch {
          found.push(words.url.unchecked);
        }
      }
      const old = id === "" && version !== null ? [words.url.version(version)] : [];
      element.alert("url", [...old, ...(found.length > 0 ? [words.url.problems(found)] : [])].join(" ") || null);
    }
  };
  const here = () => url.write(location.href, Object.fromEntries([...byId].map(([id, { changes }]) => [id, changes])));
  for (const [id, element] of byId) {
    element.link = () => Object.assign(new URL(here()), { hash: id }).href;
    element.bench.addEventListener("settings", () => {
      if (!arriving && here() !== location.href) history.pushState(null, "", here());
    });
  }
  addEventListener("popstate", () => void arrive());
  void arrive();
}

if (import.meta.env.PROD && "serviceWorker" in navigator && window.isSecureContext) {
  addEventListener("load", () => {
    // Without it the page works as well, only not offline.
    navigator.serviceWorker.register(new URL("sw.js", document.baseURI)).catch(() => undefined);
  });
}
