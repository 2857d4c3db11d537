// Wherever the page is put: under any path, offline after the first visit, and with a sentence where it cannot work.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { Figure, PAGE, STRICT, address, browse, host, open, serve } from "./site.mjs";

const [site, browser] = await Promise.all([serve(), browse()]);
after(async () => {
  await browser.close();
  site.close();
});

const WITHOUT_WASM = { "content-security-policy": STRICT.replace(" 'wasm-unsafe-eval'", "") };

/** A folder or headers of its own, for one test. */
async function served(t, options) {
  const other = await host(options);
  t.after(() => other.close());
  return other;
}

/** Waits until the service worker has kept the page's files; where it is at work. */
const kept = (page) =>
  page.evaluate(() => {
    const late = new Promise((_, no) => setTimeout(() => no(new Error("there is no service worker")), 20_000));
    return Promise.race([navigator.serviceWorker.ready.then((worker) => worker.scope), late]);
  });

async function plays(page) {
  const clock = new Figure(page);
  await clock.play();
  await clock.done();
  assert.match(await clock.finding(), /^Of 2 curves of test accuracy, /);
  return clock.csv();
}

test("the page works without a server after the first visit", async (t) => {
  const page = await open(t, browser, site.url, { context: { serviceWorkers: "allow" } });
  await kept(page);
  await page.context().setOffline(true);
  await page.reload();
  // Another address of the same page, with settings.
  await page.goto(address(site.url));
  for (const figure of ["theory", "auto"]) await new Figure(page, `l2-lab[figure="${figure}"]`).visit();
  const offline = await plays(page);
  await page.context().setOffline(false);
  await page.reload();
  assert.equal(await plays(page), offline);
});

test("the page works under any path, also when its server has gone", async (t) => {
  const other = await host({ base: "/some/path/" });
  const page = await open(t, browser, address(other.url), { context: { serviceWorkers: "allow" } });
  assert.equal(await kept(page), other.url);
  const csv = await plays(page);
  other.close();
  await page.reload();
  assert.equal(await plays(page), csv);
  assert.equal(await page.locator("#fallback").isVisible(), false);
});

test("a policy without WebAssembly leads to a sentence, and the rest of the page works", async (t) => {
  const strict = await served(t, { headers: WITHOUT_WASM });
  const page = await open(t, browser, strict.url, { allow: [/WebAssembly|wasm/] });
  const clock = new Figure(page);
  await clock.play();
  await clock.lab.locator(".alerts").getByText("'wasm-unsafe-eval'").waitFor();
  assert.match(await clock.alerts(), /^This page’s security policy forbids WebAssembly.*'wasm-unsafe-eval' in script-src\.$/);
  assert.match(await clock.status().innerText(), /Recorded: l2lab/, "the recorded result is there still");
  await clock.lab.getByText("steps", { exact: true }).click();
  assert.equal(await clock.lab.locator("text.axis-label[text-anchor=middle]").textContent(), "steps t");
  await clock.button("Rewind").click();
  assert.equal(await clock.alerts(), "");
  await clock.play();
  await clock.lab.locator(".alerts").getByText("'wasm-unsafe-eval'").waitFor();
  const theory = page.locator('l2-lab[figure="theory"]');
  await theory.getByRole("slider", { name: /^L2 coefficient/ }).focus();
  await page.keyboard.press("ArrowRight");
  await theory.locator(".problem").getByText("The theory could not be computed").waitFor();
  assert.ok(page.workers().length <= 1, "no worker is left that cannot work");
});

test("a link's settings are kept when they cannot be checked", async (t) => {
  const strict = await served(t, { headers: WITHOUT_WASM });
  const page = await open(t, browser, address(strict.url), { allow: [/WebAssembly|wasm/] });
  const clock = new Figure(page);
  await clock.lab.getByText("The settings in the link could not be checked.").waitFor();
  assert.equal((await clock.lab.evaluate((lab) => lab.changes)).width, "16");
});

test("opened as a file, in an old browser, without its scripts: a sentence for each", async (t) => {
  const quiet = { allow: [/./] };
  const said = (page) => page.locator("#fallback:not([hidden])").innerText();
  const file = await open(t, browser, pathToFileURL(join(PAGE, "index.html")).href, quiet);
  assert.match(await said(file), /opened as a file.*l2lab serve/s);
  assert.equal(await file.locator("l2-lab").first().isVisible(), false);

  const old = await open(t, browser, site.url, { ...quiet, before: (page) => page.addInitScript(() => delete window.WebAssembly) });
  assert.match(await said(old), /too old.*2023/s);

  const cut = await open(t, browser, site.url, { ...quiet, before: (page) => page.route("**/lab-*/l2-lab-*.js", (route) => route.abort()) });
  assert.match(await said(cut), /could not be loaded.*reload/s);

  const none = await open(t, browser, site.url, { ...quiet, context: { javaScriptEnabled: false } });
  assert.match(await none.locator("noscript").innerText(), /need JavaScript/);
});

test("what does not arrive leads to a sentence that says so, and Play again to another try", async (t) => {
  const page = await open(t, browser, site.url, { allow: [/ERR_FAILED|503|clock\.json|session-/], goto: false });
  await page.route("**/recorded/clock.json", (route) => route.abort());
  await page.goto(site.url);
  const clock = new Figure(page);
  await clock.lab.getByText("The recorded result ./recorded/clock.json could not be loaded. Play still works.").waitFor();
  await clock.button("Dismiss").click();

  await page.route("**/*-ubyte.gz", (route) => route.fulfill({ status: 503 }));
  await clock.play();
  await clock.lab.getByText("The images could not be loaded: 503 Service Unavailable.").waitFor();
  await page.unroute("**/*-ubyte.gz");
  await clock.play();
  await clock.status().getByText("Training the grid").waitFor();
  assert.equal(await clock.alerts(), "");
});

test("training code that does not arrive leads to a sentence", async (t) => {
  const page = await open(t, browser, site.url, { allow: [/ERR_FAILED|session-/], goto: false });
  await page.route("**/lab-*/session-*.js", (route) => route.abort());
  await page.goto(site.url);
  const clock = new Figure(page);
  await clock.play();
  await clock.lab.getByText("The training code could not be loaded. Check the connection and reload the page.").waitFor();
  await page.unroute("**/lab-*/session-*.js");
  await page.reload();
  await clock.play();
  await clock.status().getByText("Training the grid").waitFor();
});
