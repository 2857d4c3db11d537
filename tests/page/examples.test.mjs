// The worked examples (www/examples): each is rendered by its own tool with the packed package, opened, and played to the end.
import assert from "node:assert/strict";
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { TEMPORARY, install, pack, playThrough, run, unpack } from "./npm.mjs";
import { Figure, ROOT, browse, host, open } from "./site.mjs";

const browser = await browse();
after(() => browser.close());
const tarball = await pack();
const lib = join(await unpack(tarball), "lib");

/** A copy of an example, with the element's files at `at` where there is no bundler. */
async function copy(name, at) {
  const folder = join(TEMPORARY, name);
  await cp(join(ROOT, "www/examples", name), folder, { recursive: true, filter: (path) => !/node_modules|\bdist\b|l2-lab$/.test(path.slice(ROOT.length)) });
  if (at) await cp(lib, join(folder, at), { recursive: true });
  return folder;
}

/** Opens the page that a tool has made. What it takes from other hosts (fonts, MathJax) is empty: there is no such host here. */
async function show(t, folder, file, allow = []) {
  await writeFile(join(folder, "favicon.ico"), "");
  const site = await host({ folder, headers: {} });
  t.after(() => site.close());
  const elsewhere = (url) => url.protocol.startsWith("http") && !url.href.startsWith(site.url);
  return open(t, browser, `${site.url}${file}`, { allow, before: (page) => page.route(elsewhere, (route) => route.fulfill({ body: "" })) });
}

/** Plays the lesson's figure; its second one shows the same runs. */
async function lesson(page) {
  const figure = await playThrough(page, "#clock");
  assert.match(await figure.finding(), /^Of 3 curves of test accuracy, /);
  const law = new Figure(page, 'l2-lab[for="clock"]');
  await law.lab.scrollIntoViewIfNeeded();
  await law.status().getByText("Done").waitFor();
}

test("a plain page", async (t) => {
  await lesson(await show(t, await copy("html", "l2-lab"), "lesson.html"));
});

test("Quarto", async (t) => {
  const folder = await copy("quarto", "l2-lab");
  // Quarto itself is in no registry; it has pandoc render the page, and this is what the lesson's own options make of pandoc's.
  const options = ["-f", "markdown", "-t", "html", "-s", "--css", "l2-lab/l2-lab.css", "--include-in-header", "head.html"];
  await run(folder, "pandoc", ...options, "-o", "lesson.html", "lesson.qmd");
  await lesson(await show(t, folder, "lesson.html"));
});

test("Jupyter Book", async (t) => {
  const folder = await copy("jupyter-book", "assets/l2-lab");
  const tools = join(TEMPORARY, "venv/bin");
  await run(TEMPORARY, "python3", "-m", "venv", "venv");
  await run(folder, join(tools, "pip"), "install", "--quiet", "--requirement", "requirements.txt");
  await run(folder, join(tools, "jupyter-book"), "build", "--warningiserror", ".");
  // Jupyter Book's own scripts say these on every page of any book.
  const own = [/THEBE_JS_URL/, /invalid theme mode/];
  await lesson(await show(t, join(folder, "_build/html"), "lesson.html", own));
});

test("Observable Framework", async (t) => {
  const folder = await copy("observable");
  await install(folder, tarball);
  await run(folder, "npm", "run", "build");
  const page = await show(t, join(folder, "dist"), "index.html");
  await playThrough(page, "#clock");
  assert.match(await page.locator("#peaks").innerText(), /λ = 0\.2 at step \d+, λ = 0\.1 at step \d+, λ = 0\.05 at step \d+/);
});

test("MDX and React: properties, methods, events and their types", async (t) => {
  const folder = await copy("react");
  await install(folder, tarball);
  await run(folder, "npm", "run", "check");
  await run(folder, "npm", "run", "build");
  const page = await show(t, join(folder, "dist"), "index.html");
  await page.getByText("Not trained yet.").waitFor();
  await lesson(page);
  const clock = new Figure(page);
  assert.equal(await page.locator("#finding").innerText().then((said) => said.replaceAll("\u00a0", " ")), await clock.finding());
  assert.equal(await page.locator("#peaks li").count(), 3);
  await page.getByRole("button", { name: "Use twice the λ" }).click();
  assert.equal(await clock.lab.getAttribute("lambda"), "0.4,0.2,0.1");
  await page.getByRole("button", { name: "Train", exact: true }).click();
  await page.locator("#finding").getByText("Of 3 curves of test accuracy").waitFor();
  assert.match((await page.locator("#peaks li").allInnerTexts()).join(), /λ = 0\.4: step \d+/);
});
