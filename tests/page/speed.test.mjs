// The page stays quick and small: no long task on its thread while it trains, and nothing that piles up.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { Figure, SMALL, address, browse, open, serve } from "./site.mjs";

const [site, browser] = await Promise.all([serve(), browse()]);
after(async () => {
  await browser.close();
  site.close();
});

const LONG = 50;

test("while it trains at full speed, no task on the page's thread takes 50 ms", async (t) => {
  const page = await open(t, browser, site.url, {
    before: (page) =>
      page.addInitScript(() => {
        window.long = 0;
        new PerformanceObserver((list) => (window.long += list.getEntries().length)).observe({ type: "longtask" });
      }),
  });
  await page.waitForLoadState("networkidle");
  const clock = new Figure(page);
  await page.evaluate(() => (window.long = 0));
  await browser.startTracing(page, { categories: ["disabled-by-default-devtools.timeline"] });
  await clock.play();
  await clock.status().getByText("Training the grid").waitFor();
  const frames = await page.evaluate(async () => {
    const times = [];
    const begin = performance.now();
    while (performance.now() < begin + 6000) times.push(await new Promise(requestAnimationFrame));
    return times;
  });
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const main = new Set(
    traceEvents.filter((e) => e.name === "thread_name" && e.args.name === "CrRendererMain").map((e) => `${e.pid} ${e.tid}`),
  );
  const tasks = traceEvents.filter((e) => e.name.endsWith("RunTask") && main.has(`${e.pid} ${e.tid}`));
  assert.ok(tasks.filter((e) => e.tdur !== undefined).length > 500, `${tasks.length} tasks were seen`);
  // As many workers train as there are cores, so the page's thread waits for its turn; what counts is the time that it takes itself.
  const longest = Math.max(...tasks.map((e) => e.tdur ?? e.dur ?? 0)) / 1000;
  const [seen, perSecond] = [await page.evaluate(() => window.long), (1000 * (frames.length - 1)) / (frames.at(-1) - frames[0])];
  t.diagnostic(`longest task ${longest.toFixed(1)} ms of its own; ${seen} were over 50 ms by the clock; ${perSecond.toFixed(0)} frames a second`);
  assert.ok(longest < LONG, `a task of ${longest} ms`);
  // Sixty on a machine with nothing else to do.
  assert.ok(perSecond > 20, `${perSecond} frames a second`);
});

/** For how long "nothing piles up" goes on; five rounds without it. */
const MINUTES = Number(process.env.MINUTES ?? 0);

/** What rounds of play, rewind and changes may leave behind: bytes, nodes, and MiB of the whole renderer. */
const MORE_BYTES = 600_000;
const MORE_NODES = 200;
const MORE_MEMORY = 100;

const QUICK = { ...SMALL, lambda: "0.1,0.05" };

test("nothing piles up over rounds of play, rewind and changes", async (t) => {
  const page = await open(t, browser, address(site.url, QUICK));
  const clock = new Figure(page);
  const devtools = await page.context().newCDPSession(page);
  const all = await browser.newBrowserCDPSession();
  await devtools.send("Performance.enable");
  const renderers = async () => {
    const { processInfo } = await all.send("SystemInfo.getProcessInfo");
    return processInfo.filter((p) => p.type === "renderer").map((p) => p.id);
  };
  /** How many objects of a class there are; those that nothing needs any more are collected first. */
  const count = async (name) => {
    const { result } = await devtools.send("Runtime.evaluate", { expression: `${name}.prototype`, objectGroup: "count" });
    const { objects } = await devtools.send("Runtime.queryObjects", { prototypeObjectId: result.objectId, objectGroup: "count" });
    const length = { objectId: objects.objectId, functionDeclaration: "function () { return this.length; }", returnByValue: true };
    const { value } = (await devtools.send("Runtime.callFunctionOn", length)).result;
    await devtools.send("Runtime.releaseObjectGroup", { objectGroup: "count" });
    return value;
  };
  const use = async () => {
    for (let i = 0; i < 2; i++) await devtools.send("HeapProfiler.collectGarbage");
    const { usedSize, backingStorageSize } = await devtools.send("Runtime.getHeapUsage");
    const { metrics } = await devtools.send("Performance.getMetrics");
    const nodes = metrics.find((m) => m.name === "Nodes").value;
    const resident = (await renderers()).reduce((sum, pid) => sum + Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]), 0);
    return { bytes: usedSize + backingStorageSize, nodes, memory: Math.round(resident / 1024), workers: page.workers().length, handles: await count("Worker") };
  };
  const round = async () => {
    await clock.play();
    await clock.done();
    await clock.replay();
    await clock.lab.evaluate((lab) => (lab.changes = { ...lab.changes, width: "32" }));
    await clock.play();
    await clock.status().getByText("Training the grid").waitFor();
    await clock.button("Rewind").click();
    await clock.lab.evaluate((lab, settings) => (lab.changes = settings), QUICK);
    await clock.button("Play").waitFor();
  };
  // The first rounds fill caches and compile.
  for (let i = 0; i < 3; i++) await round();
  const before = await use();
  let rounds = 0;
  for (const end = performance.now() + 60_000 * MINUTES; rounds < 5 || performance.now() < end; rounds++) await round();
  const now = await use();
  const more = Object.fromEntries(Object.keys(now).map((name) => [name, now[name] - before[name]]));
  t.diagnostic(`at first ${JSON.stringify(before)}, ${rounds} rounds later ${JSON.stringify(more)} more`);
  assert.equal(before.workers, 1, "only the one that makes plans is left");
  assert.equal(before.handles, 1, "workers that have ended are forgotten");
  assert.deepEqual([more.workers, more.handles], [0, 0]);
  assert.ok(more.bytes < MORE_BYTES, `${more.bytes} bytes more`);
  assert.ok(more.nodes < MORE_NODES, `${more.nodes} nodes more`);
  assert.ok(more.memory < MORE_MEMORY, `${more.memory} MiB more`);
});
