// The page: its figures, the settings in its address, and a service worker that keeps it for offline.
import { L2Lab } from "./element/l2-lab.ts";
import { lab } from "./element/workbench.ts";
import * as url from "./url.ts";
import { words } from "./words.ts";

const clock = document.querySelector("#clock");
if (clock instanceof L2Lab) followAddress(clock);

/** Keeps the settings of `element` and the address the same. */
function followAddress(element: L2Lab): void {
  let arriving = false;
  const arrive = async () => {
    const { settings, problems, version } = url.read(location.search);
    arriving = true;
    element.changes = settings;
    arriving = false;
    const found = [...problems];
    if (Object.keys(settings).length > 0) {
      try {
        const { search } = location;
        const checked = await (await lab()).check("clock", settings);
        // The reader may have gone on meanwhile.
        if (location.search !== search) return;
        found.push(...checked.problems);
        arriving = true;
        element.changes = checked.settings;
        arriving = false;
      } catch {
        found.push(words.url.unchecked);
      }
    }
    const sentences = [...(version === null ? [] : [words.url.version(version)]), ...(found.length > 0 ? [words.url.problems(found)] : [])];
    element.alert("url", sentences.join(" ") || null);
  };
  const here = () => url.write(location.href, element.changes);
  element.link = here;
  element.bench.addEventListener("settings", () => {
    if (!arriving && here() !== location.href) history.pushState(null, "", here());
  });
  addEventListener("popstate", () => void arrive());
  void arrive();
}

if (import.meta.env.PROD && "serviceWorker" in navigator && window.isSecureContext) {
  addEventListener("load", () => {
    // Without it the page works as well, only not offline.
    navigator.serviceWorker.register(new URL("sw.js", document.baseURI)).catch(() => undefined);
  });
}
