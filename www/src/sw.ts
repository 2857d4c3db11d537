// The service worker: keeps the page's files, so that it opens offline after the first visit.
/// <reference lib="webworker" />
export {};
declare const self: ServiceWorkerGlobalScope;
/** Put in by the build: the page's files, relative to this one, and a hash of their contents. */
declare const __FILES__: readonly string[];
declare const __VERSION__: string;

const PREFIX = "l2lab-";
const CACHE = PREFIX + __VERSION__;

self.addEventListener("install", (event) => {
  // One file after the other: the page that is being read comes first.
  const keep = async () => {
    const cache = await caches.open(CACHE);
    for (const file of __FILES__) await cache.add(new Request(file, { cache: "no-cache" }));
  };
  event.waitUntil(keep());
});

self.addEventListener("activate", (event) => {
  const forget = async () => {
    const old = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
    await Promise.all(old.map((name) => caches.delete(name)));
  };
  event.waitUntil(forget());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  const answer = async () => {
    const cache = await caches.open(CACHE);
    // Settings in the address belong to the same page.
    const kept = await cache.match(request, { ignoreSearch: request.mode === "navigate" });
    return kept ?? fetch(request);
  };
  event.respondWith(answer());
});
