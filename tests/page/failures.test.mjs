// What goes wrong in mid-run or comes from outside leads to a sentence, and to the same curves or none.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { Figure, ROOT, SMALL, address, browse, open, serve } from "./site.mjs";

const [site, browser] = await Promise.all([serve(), browse()]);
after(async () => {
  await browser.close();
  site.close();
});

/** Long enough to be disturbed. */
const LONGER = { ...SMALL, width: "128", lambda: "0.05,0.02" };

const trainers = (page) => page.workers().filter((w) => w.url().includes("trainer"));
const analyst = (page) => page.workers().find((w) => w.url().includes("analyst"));

/** Waits until no trainer is left. */
async function ended(page) {
  for (let tries = 0; trainers(page).length > 0; tries++) {
    assert.ok(tries < 20, `${trainers(page).length} trainers are left`);
    await page.waitForTimeout(100);
  }
}

/** The next slice of work of this worker ends as a panic in WebAssembly does. */
const panic = (worker) =>
  worker.evaluate(() => {
    const { now } = performance;
    performance.now = () => {
      performance.now = now;
      throw new WebAssembly.RuntimeError("unreachable");
    };
  });

let curves;
/** What comes of a run that nothing disturbs: the first who asks trains it again. */
async function undisturbed(clock) {
  if (!curves) {
    await clock.replay();
    curves = await clock.csv();
  }
  return curves;
}

/** Waits until every run has been measured a few times. */
const underWay = (page) =>
  page.waitForFunction(() => document.querySelector("#clock").bench.live?.traces.every((t) => t.points.length > 3));

test("a worker that panics is replaced: one sentence, and the same curves", async (t) => {
  const page = await open(t, browser, address(site.url, LONGER));
  const clock = new Figure(page);
  await clock.play();
  await underWay(page);
  const before = trainers(page);
  await panic(before[0]);
  await clock.lab.getByText("A worker stopped").waitFor();
  assert.equal(await clock.alerts(), "A worker stopped (its code failed; the browser’s console says where); its runs began again from the same seeds, which gives the same curves.");
  await clock.done();
  assert.equal(trainers(page).length, 0, "what has been trained needs no workers");
  assert.equal(await clock.csv(), await undisturbed(clock));
  assert.equal(await clock.alerts(), "");
});

test("a worker that throws by itself is replaced too", async (t) => {
  const page = await open(t, browser, address(site.url, LONGER));
  const clock = new Figure(page);
  await clock.play();
  await underWay(page);
  await trainers(page)[0].evaluate(() => void setTimeout(() => { throw new Error("out of order"); }));
  await clock.lab.getByText(/A worker stopped \(.*out of order\)/).waitFor();
  await clock.done();
  assert.equal(await clock.csv(), await undisturbed(clock));
});

test("workers that panic again and again end the run with a sentence; Play begins anew", async (t) => {
  const page = await open(t, browser, address(site.url, LONGER));
  const clock = new Figure(page);
  let broken = true;
  page.on("worker", (worker) => {
    if (broken && worker.url().includes("trainer")) {
      const refuse = () => {
        const { now } = performance;
        // Loading may look at the clock too; only slices are to fail.
        performance.now = () => {
          if (new Error().stack.includes("slice")) throw new WebAssembly.RuntimeError("unreachable");
          return now.call(performance);
        };
      };
      worker.evaluate(refuse).catch(() => undefined);
    }
  });
  await clock.play();
  await clock.lab.getByText("The computation stopped several times (its code failed; the browser’s console says where).").waitFor();
  assert.match(await clock.alerts(), /Try a smaller network or fewer runs, then rewind and play again\.$/);
  assert.match(await clock.status().innerText(), /Stopped/);
  broken = false;
  await page.waitForFunction(() => document.querySelector("#clock").bench.state === "failed");
  assert.equal(trainers(page).length, 0, "no worker is left");
  await clock.play();
  await clock.done();
  assert.equal(await clock.alerts(), "");
});

test("rewind while a worker is being replaced leaves no worker behind", async (t) => {
  const page = await open(t, browser, address(site.url, LONGER));
  const clock = new Figure(page);
  for (let i = 0; i < 3; i++) {
    await clock.play();
    await underWay(page);
    await Promise.all(trainers(page).map(panic));
    const [replaced] = await Promise.all([page.waitForEvent("worker"), page.evaluate(() => undefined)]);
    assert.match(replaced.url(), /trainer/);
    await clock.button("Rewind").click();
  }
  await page.waitForFunction(() => document.querySelector("#clock").bench.state === "idle");
  await ended(page);
});

test("rewind while some workers are ready and others are not leaves no worker behind", async (t) => {
  // The first trainer hears nothing; how many answers the second one has given is counted.
  const deafen = () => {
    const Native = window.Worker;
    window.answers = [];
    window.Worker = class extends Native {
      constructor(url, options) {
        super(url, options);
        if (!String(url).includes("trainer")) return;
        const i = window.answers.push(0) - 1;
        this.addEventListener("message", () => void window.answers[i]++);
        if (i === 0) this.postMessage = () => undefined;
      }
    };
    Object.defineProperty(navigator, "hardwareConcurrency", { value: 2 });
  };
  const page = await open(t, browser, address(site.url, LONGER), { before: (page) => page.addInitScript(deafen) });
  const clock = new Figure(page);
  await clock.play();
  await page.waitForFunction(() => window.answers[1] >= 1);
  await page.waitForTimeout(500);
  await clock.button("Rewind").click();
  await page.waitForFunction(() => document.querySelector("#clock").bench.state === "idle");
  await ended(page);
  await clock.play();
  await clock.done();
  assert.equal(await clock.csv(), await undisturbed(clock));
});

test("a crash of the worker that makes plans and findings is survived", async (t) => {
  const page = await open(t, browser, address(site.url, LONGER));
  const clock = new Figure(page);
  await clock.play();
  await underWay(page);
  await analyst(page).evaluate(() => void setTimeout(() => { throw new Error("out of order"); }));
  await clock.done();
  assert.equal(await clock.alerts(), "");
  assert.match(await clock.finding(), /^Of 2 curves of test accuracy, /);
});

/** An IDX file: a type for images or labels, its dimensions, its bytes. */
const idx = (dimensions, bytes) => {
  const head = Buffer.alloc(4 + 4 * dimensions.length);
  head.writeUInt32BE(0x0800 + dimensions.length, 0);
  for (const [i, d] of dimensions.entries()) head.writeUInt32BE(d, 4 + 4 * i);
  return Buffer.concat([head, bytes]);
};

/** Four IDX files of 8×8 images, one class for each of ten places of a bright square. */
function tinySet(train = 60, test = 30) {
  const part = (count) => {
    const labels = Buffer.from({ length: count }, (_, i) => (7 * i + 3) % 10);
    const pixels = Buffer.alloc(count * 64);
    for (const [i, label] of labels.entries()) {
      for (let p = 0; p < 64; p++) pixels[64 * i + p] = (p * 37 + i * 11) % 60;
      for (const p of [0, 1, 8, 9]) pixels[64 * i + p + 6 * label] = 250;
    }
    return [idx([count, 8, 8], pixels), idx([count], labels)];
  };
  const [images, labels] = part(train);
  const [testImages, testLabels] = part(test);
  return [
    { name: "train-images-idx3-ubyte", buffer: images },
    { name: "train-labels-idx1-ubyte.gz", buffer: gzipSync(labels) },
    { name: "t10k-images-idx3-ubyte", buffer: testImages },
    { name: "t10k-labels-idx1-ubyte", buffer: testLabels },
  ].map((file) => ({ ...file, mimeType: "application/octet-stream" }));
}

/** Chooses files as a reader does; the sentence that comes of it. */
async function choose(clock, files) {
  await clock.lab.locator("#files").setInputFiles(files);
}

const drop = (lab, files) =>
  lab.evaluate(
    (lab, files) => {
      const transfer = new DataTransfer();
      for (const { name, bytes } of files) transfer.items.add(new File([new Uint8Array(bytes)], name));
      lab.dispatchEvent(new DragEvent("dragover", { dataTransfer: transfer, bubbles: true, cancelable: true }));
      lab.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
    },
    files.map(({ name, buffer }) => ({ name, bytes: [...buffer] })),
  );

test("damaged and foreign files lead to sentences that name them, and whole ones train", async (t) => {
  const page = await open(t, browser, address(site.url, { ...SMALL, train: "60", test: "30", batch: "20" }));
  const clock = new Figure(page);
  await clock.lab.locator("summary", { hasText: "More settings" }).click();
  const files = tinySet();
  const [images, labels, ...others] = files;
  const cases = [
    [[{ ...images, name: "holiday.jpg", buffer: Buffer.from("\xff\xd8\xff\xe0 not an image of clothes", "latin1") }], /holiday\.jpg/],
    [[{ ...images, buffer: images.buffer.subarray(0, 1000) }, labels, ...others], /train-images-idx3-ubyte.*1000/],
    [[images, { ...labels, buffer: labels.buffer.subarray(0, 30) }, ...others], /train-labels-idx1-ubyte\.gz/],
    [[images, { ...labels, buffer: idx([59], Buffer.alloc(59)), name: "train-labels-idx1-ubyte" }, ...others], /60.*59|59.*60/],
    [[images, { ...labels, buffer: idx([60], Buffer.alloc(60, 11)), name: "train-labels-idx1-ubyte" }, ...others], /train-labels-idx1-ubyte.*11|11.*train-labels-idx1-ubyte/],
    [[images, labels], /test (images|labels).*t10k-/],
    [[{ ...images, buffer: Buffer.alloc(0), name: "empty.bin" }], /empty\.bin/],
  ];
  for (const [chosen, expected] of cases) {
    await choose(clock, chosen);
    await clock.lab.locator(".alerts").getByText(expected).waitFor({ timeout: 5000 }).catch(async () => assert.match(await clock.alerts(), expected));
    assert.match(await clock.alerts(), /^[^\n]{10,300}$/, "one sentence");
    await clock.button("Dismiss").click();
  }
  assert.equal(await clock.lab.evaluate((lab) => lab.settings.data), "fashion-mnist-512");

  await choose(clock, files);
  await page.waitForFunction(() => document.querySelector("#clock").settings.data === "idx");
  assert.equal(await clock.alerts(), "");
  assert.match(new URL(page.url()).search, /data=idx/);
  await clock.play();
  await clock.done();
  const chosen = await clock.csv();
  const last = chosen.trim().split("\n").filter((line) => line.startsWith("0,")).at(-1).split(",").map(Number);
  assert.ok(last[11] > 0.8, `bright squares are told apart: test accuracy ${last[11]}`);

  await page.reload();
  await clock.play();
  await clock.lab.locator(".alerts").getByText(/'idx' is not here/).waitFor();
  assert.match(await clock.alerts(), /drop its files on the page/);
  await drop(clock.lab, files);
  await page.waitForFunction(() => document.querySelector("#clock").shadowRoot.querySelector(".alerts").textContent.trim() === "");
  await clock.play();
  await clock.done();
  assert.equal(await clock.csv(), chosen, "dropped files are the same as chosen ones");
  // Another set of the same name takes its place.
  await drop(clock.lab, tinySet(70, 40));
  await clock.lab.locator(".message").getByText("These settings have no recorded result.").waitFor();
  await clock.play();
  await clock.done();
  assert.notEqual(await clock.csv(), chosen);
});

test("the embedded set's own files are recognized by their contents, and give its curves", async (t) => {
  const page = await open(t, browser, address(site.url));
  const clock = new Figure(page);
  await clock.lab.locator("summary", { hasText: "More settings" }).click();
  const folder = join(ROOT, "core/assets/fashion-mnist-512");
  const names = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];
  const files = names.map((name) => ({ name, mimeType: "", buffer: gunzipSync(readFileSync(join(folder, `${name}.gz`))) }));
  await choose(clock, files);
  await page.waitForFunction(() => document.querySelector("#clock").settings.data !== "fashion-mnist-512");
  const own = await clock.lab.evaluate((lab) => lab.settings.data);
  await clock.play();
  await clock.done();
  const csv = await clock.csv();
  await clock.lab.evaluate((lab) => (lab.changes = { ...lab.changes, data: "fashion-mnist-512" }));
  await clock.play();
  await clock.done();
  assert.equal(await clock.csv(), csv, `${own} has the same images`);
});

test("where there is no WebGPU the CPU does what the GPU was asked for, and says why", async (t) => {
  const page = await open(t, browser, address(site.url));
  const clock = new Figure(page);
  await clock.lab.locator("summary", { hasText: "More settings" }).click();
  await clock.lab.getByRole("combobox", { name: "Compute on" }).selectOption("gpu");
  await clock.play();
  await clock.done();
  assert.match(await clock.status().innerText(), /This browser offers no WebGPU here\./);
});

test("a network that is too large for a page's memory leads to a sentence, and a smaller one trains", async (t) => {
  const page = await open(t, browser, address(site.url, { ...SMALL, lambda: "0.1", seeds: "1", width: "15500", depth: "3", momentum: "0.9", train: "32", test: "10", batch: "32" }), { allow: [/memory|unreachable|panicked/] });
  const clock = new Figure(page);
  await clock.play();
  await clock.lab.getByText("The memory that a page can have is used up.").waitFor({ timeout: 120_000 });
  assert.match(await clock.alerts(), /Choose a narrower network, a smaller batch or fewer images, then play again\.$/);
  assert.equal(trainers(page).length, 0);
  await clock.lab.evaluate((lab) => (lab.changes = { ...lab.changes, width: "16" }));
  await clock.play();
  await clock.done();
  assert.equal(await clock.alerts(), "");
});

test("the theory survives a crash of the worker that has its solution", async (t) => {
  const page = await open(t, browser, site.url);
  const theory = new Figure(page, 'l2-lab[figure="theory"]');
  await theory.visit();
  const slider = theory.lab.getByRole("slider").first();
  await slider.focus();
  await page.keyboard.press("ArrowRight");
  await theory.status().getByText("Live on this machine").waitFor();
  await analyst(page).evaluate(() => void setTimeout(() => { throw new Error("out of order"); }));
  await page.waitForTimeout(300);
  await page.keyboard.press("ArrowRight");
  await theory.lab.getByText("The theory could not be computed").waitFor();
  await page.keyboard.press("ArrowLeft");
  await theory.lab.getByText("The theory could not be computed").waitFor({ state: "hidden" });
});
