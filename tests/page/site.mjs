// What the page's tests share: a server, Chromium, and pages on which no error passes unseen.
// L2LAB is the binary that serves (target/ci/l2lab by default), PAGE the built page (www/dist).
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
export const L2LAB = resolve(process.env.L2LAB ?? join(ROOT, "target/ci/l2lab"));
export const PAGE = resolve(process.env.PAGE ?? join(ROOT, "www/dist"));
/** What `l2lab serve` allows a page. */
export const STRICT = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; img-src 'self' blob: data:";

const need = createRequire(join(ROOT, "www/package.json"));
const { chromium } = need("playwright-core");
export const axe = await readFile(need.resolve("axe-core/axe.min.js"), "utf8");

const FLAGS = ["--headless=new", "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const NO_GPU = ["--disable-gpu"];
export const SOFTWARE_GPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

/** Chromium; `more` flags decide about its GPU. */
export function browse(more = NO_GPU) {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: [...FLAGS, ...more] });
}

/** The page as `l2lab serve` serves it. */
export async function serve() {
  const server = spawn(L2LAB, ["serve", "--page", PAGE, "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
  const url = await new Promise((found, failed) => {
    let said = "";
    server.stdout.on("data", (text) => {
      said += text;
      const address = /http:\/\/\S+/.exec(said);
      if (address) found(address[0]);
    });
    server.on("error", failed);
    server.on("exit", (code) => failed(new Error(`${L2LAB} serve ended with ${code}`)));
  });
  return { url, close: () => server.kill() };
}

const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".json": "application/json",
  ".wasm": "application/wasm",
  ".txt": "text/plain",
  ".gz": "application/octet-stream",
};

/** A folder at a path of another host, with other headers and pages. */
export async function host({ folder = PAGE, base = "/", headers = { "content-security-policy": STRICT }, pages = {} } = {}) {
  const sent = [];
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const file = pathname.startsWith(base) ? pathname.slice(base.length) || "index.html" : "..";
    const content = pages[file] ?? (file.includes("..") ? null : await readFile(join(folder, file)).catch(() => null));
    const type = TYPES[extname(file)] ?? "application/octet-stream";
    if (content) sent.push(file);
    response.writeHead(content ? 200 : 404, { "content-type": type, "cache-control": "no-cache", ...headers });
    response.end(content ?? "");
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return { url: `http://127.0.0.1:${server.address().port}${base}`, sent, close: () => server.close() };
}

/**
 * A page at `url` in a context of its own, which ends with the test. The test fails on an error in its console or its scripts,
 * a request that fails, or a violation of its policy, unless `allow` has a pattern for it.
 */
export async function open(t, browser, url, { allow = [], context: options = {}, before, goto = true } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, serviceWorkers: "block", ...options });
  const page = await context.newPage();
  const problems = watch(page);
  t.after(async () => {
    await context.close();
    const left = problems.filter((p) => !allow.some((pattern) => pattern.test(p)));
    assert.deepEqual(left, [], "the page said something");
  });
  await page.exposeBinding("tellViolation", (_, text) => problems.push(text));
  await page.addInitScript(() =>
    addEventListener("securitypolicyviolation", (e) => window.tellViolation(`policy: ${e.violatedDirective} ${e.blockedURI}`)),
  );
  if (before) await before(page, context);
  if (goto) await page.goto(url);
  return page;
}

/** Attributes as HTML. */
export function attributes(own) {
  return Object.entries(own).map(([name, value]) => (value === "" ? name : `${name}="${value}"`)).join(" ");
}

/** A page of somebody else with `body`: the element's script and room are loaded as the README says. */
export function guestPage(body, script = true) {
  const head = script ? '<link rel="stylesheet" href="l2-lab.css"><script type="module" src="l2-lab.js"></script>' : "";
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Guest</title><link rel="icon" href="icon.svg">${head}</head><body>${body}</body></html>`;
}

/** That page, opened at the site's address. */
export function guest(t, browser, site, body, { headers = {}, script = true, before, ...options } = {}) {
  return open(t, browser, `${site.url}guest.html`, {
    ...options,
    async before(page, context) {
      await page.route("**/guest.html", (route) => route.fulfill({ contentType: "text/html", headers, body: guestPage(body, script) }));
      await before?.(page, context);
    },
  });
}

function watch(page) {
  const problems = [];
  page.on("console", (m) => m.type() === "error" && problems.push(`console: ${m.text()}`));
  page.on("pageerror", (e) => problems.push(`script: ${e.message}`));
  page.on("response", (r) => r.status() >= 400 && problems.push(`response: ${r.status()} ${r.url()}`));
  page.on("requestfailed", (r) => {
    // A worker that is dismissed while it loads, or a page that is left, ends its own requests.
    if (r.failure()?.errorText !== "net::ERR_ABORTED") problems.push(`request: ${r.failure()?.errorText} ${r.url()}`);
  });
  return problems;
}

/** A small experiment in the page's address: four runs, a second of work. */
export const SMALL = { lambda: "0.1,0.03", seeds: "2", width: "16", depth: "2", tau: "1.2", measurements: "20" };

/** Three runs that start with large weights, which L2 wears off: each of them has a t* that can be told. */
export const TIMED = { lambda: "0.2,0.1,0.05", lr: "0.05", "w-std": "8", bias: "false", seeds: "1", width: "32", depth: "2", tau: "5", measurements: "24" };

/** A small experiment for the figure where λ adapts: two constants, two schedules. */
export const ADAPT = { lambda: "0.5,0.01", compare: "autol2,inverse-time", seeds: "2", width: "16", depth: "2", steps: "400", measurements: "20" };

/** The address with these settings. */
export function address(url, settings = SMALL) {
  return `${url}?${new URLSearchParams({ v: "1", ...settings })}`;
}

/** One figure of the page, and what a reader does with it. */
export class Figure {
  constructor(page, selector = "#clock") {
    this.page = page;
    this.lab = page.locator(selector);
  }

  button(name) {
    return this.lab.getByRole("button", { name, exact: true });
  }

  async play() {
    await this.lab.getByRole("button", { name: /^(Play|Replay)$/ }).click();
  }

  status() {
    return this.lab.locator(".status");
  }

  /** Goes to the figure, and waits for its recorded result, which is loaded then. */
  async visit() {
    await this.lab.scrollIntoViewIfNeeded();
    await this.status().getByText("Recorded: l2lab").waitFor();
  }

  /** Waits until everything has been trained. */
  async done(timeout = 60_000) {
    await this.status().getByText("Live on this machine: Done").waitFor({ timeout });
  }

  /** Trains the same again, from the end. */
  async replay() {
    await this.button("Replay").click();
    await this.status().getByText("Done").waitFor({ state: "hidden" });
    await this.done();
  }

  /** What the numbers say, with plain spaces. */
  async finding() {
    return (await this.lab.locator(".finding").innerText()).replaceAll("\u00a0", " ");
  }

  csv() {
    return this.lab.evaluate((lab) => lab.export("csv"));
  }

  /** Everything that the figure tells its reader in sentences above the chart. */
  async alerts() {
    return (await this.lab.locator(".alerts p").allInnerTexts()).join(" ");
  }
}

export function lawOf(page) {
  return new Figure(page, 'l2-lab[figure="law"]');
}

export function predictionOf(page) {
  return new Figure(page, 'l2-lab[figure="predict"]');
}

export function autoOf(page) {
  return new Figure(page, "#auto");
}

/** Rows of a CSV file by its header. */
export function rows(csv) {
  const [head, ...lines] = csv.trim().split("\n");
  const names = head.split(",");
  return lines.map((line) => Object.fromEntries(line.split(",").map((value, i) => [names[i], Number(value)])));
}
