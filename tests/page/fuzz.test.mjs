// Random pointer and keyboard input on every figure: nothing fails, nothing is left behind. FUZZ_SECONDS and SEED choose another run.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { ADAPT, Figure, SMALL, attributes, browse, guest, serve } from "./site.mjs";

const [site, browser] = await Promise.all([serve(), browse()]);
after(async () => {
  await browser.close();
  site.close();
});

const SECONDS = Number(process.env.FUZZ_SECONDS ?? 60);
const SEED = Number(process.env.SEED ?? Date.now() % 1e6);
const KEYS = ["Tab", "Tab", "Tab", "Shift+Tab", "Enter", "Space", "Escape", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown", "1", "0", ".", "e", "-", ",", "Backspace", "Delete", "Control+a"];
/** Bytes of heap and nodes that may be left. */
const MORE_BYTES = 4_000_000;
const MORE_NODES = 3000;

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function act(page, lab, next) {
  const choice = next();
  if (choice < 0.45) return page.keyboard.press(KEYS[Math.floor(next() * KEYS.length)]);
  if (choice < 0.55) return page.mouse.wheel(0, (next() - 0.5) * 1500);
  const box = await lab.boundingBox();
  const { width, height } = page.viewportSize();
  const [top, bottom] = [Math.max(0, box.y), Math.min(height, box.y + box.height)];
  if (bottom - top < 20) return lab.scrollIntoViewIfNeeded();
  const at = [Math.min(width, box.x + next() * box.width), top + next() * (bottom - top)];
  if (choice < 0.6) return page.mouse.move(...at);
  return page.mouse.click(...at, { clickCount: choice > 0.97 ? 3 : 1, delay: 0 });
}

/** All at once: a reader's machine has other work too. */
test("random input", { concurrency: 6 }, async (t) => {
  const figures = ["clock", "law", "predict", "auto", "theory", "limits"];
  await Promise.all(figures.map((figure) => t.test(`${figure}: ${SECONDS} s of random input end with no error and leave nothing behind`, (t) => fuzz(t, figure))));
});

async function fuzz(t, figure) {
  const next = random(SEED + figure.length);
  const own = figure === "theory" ? { recorded: "./recorded/theory.json" } : figure === "auto" ? ADAPT : SMALL;
  const page = await guest(t, browser, site, `<main><l2-lab ${attributes({ figure, ...own })}></l2-lab></main>`, { context: { viewport: { width: 700, height: 800 }, acceptDownloads: true } });
  const lab = page.locator("l2-lab");
  await lab.locator("text.axis-label").first().waitFor();
  await lab.evaluate((lab) => (lab.places = { page: () => location.href, script: "x.js", styles: "x.css", embed: new URL("embed.html", location.href).href }));
  // A dialog of the system's would wait for somebody.
  page.on("filechooser", () => undefined);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Performance.enable");
  const rest = async () => {
    await lab.evaluate((lab) => {
      lab.rewind();
      if (lab.figure !== "theory") lab.changes = {};
      for (const details of lab.shadowRoot.querySelectorAll("details")) details.open = false;
      lab.shadowRoot.activeElement?.blur();
    });
    for (let tries = 0; tries < 100 && page.workers().filter((w) => w.url().includes("trainer")).length > 0; tries++) await page.waitForTimeout(100);
    for (let i = 0; i < 3; i++) await devtools.send("HeapProfiler.collectGarbage");
    const { usedSize } = await devtools.send("Runtime.getHeapUsage");
    const { metrics } = await devtools.send("Performance.getMetrics");
    return { bytes: usedSize, nodes: metrics.find((m) => m.name === "Nodes").value, workers: page.workers().length };
  };
  const go = async (seconds) => {
    let acts = 0;
    for (const end = performance.now() + 1000 * seconds; performance.now() < end; acts++) await act(page, lab, next);
    return acts;
  };
  // What is loaded and compiled once is loaded by now.
  if (figure !== "theory") {
    await lab.evaluate((lab) => lab.step());
    await page.waitForFunction(() => ["paused", "failed"].includes(document.querySelector("l2-lab").bench.state));
  }
  await go(SECONDS / 6);
  const before = await rest();
  const acts = await go(SECONDS);
  const now = await rest();
  t.diagnostic(`seed ${SEED}: ${acts} acts; ${((now.bytes - before.bytes) / 1e6).toFixed(2)} MB and ${now.nodes - before.nodes} nodes more, ${now.workers} workers`);
  assert.ok(acts > 5 * SECONDS, `${acts} acts`);
  assert.ok(now.workers <= 1, `${now.workers} workers`);
  assert.ok(now.bytes - before.bytes < MORE_BYTES);
  assert.ok(now.nodes - before.nodes < MORE_NODES);
  if (figure === "theory") return;
  const clock = new Figure(page, "l2-lab");
  await clock.play();
  await clock.done();
}
