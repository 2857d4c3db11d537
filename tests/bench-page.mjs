// Steps per second of the page's CPU module beside TensorFlow.js in the same Chromium, and the page's frames per second while it
// trains: L2LAB=target/release/l2lab node tests/bench-page.mjs [CHROMIUM FLAGS]. Not part of tests/run. Installs TensorFlow.js
// into a folder that it removes again; prints a table, and the same as JSON on standard output.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Figure, ROOT, SOFTWARE_GPU, browse, host, serve } from "./page/site.mjs";

const TFJS = "4.22.0";
const SAMPLES = 5;
/** Milliseconds of a sample, and of all samples of a slow backend. */
const SAMPLE = 1500;
const MOST = 60_000;

/** As `l2lab bench` has them: layers, input and batch. */
const WORKLOADS = {
  "784-512-512-10, batch 128": { shape: [28, 28, 1], batch: 128, settings: { data: "idx", model: "fc", width: "512", depth: "3", batch: "128" } },
  "CNN of width 32 on 32×32×3, batch 64": { shape: [32, 32, 3], batch: 64, settings: { data: "cifar10", model: "cnn", width: "32", depth: "4", batch: "64" } },
};

/** Runs in the page: the median of steps a second, after a warm-up. `step(n)` takes n steps and waits until they are done. */
async function rate(step, { SAMPLES, SAMPLE, MOST }) {
  const timed = async (n) => {
    const begin = performance.now();
    await step(n);
    return performance.now() - begin;
  };
  await step(2);
  const once = await timed(1);
  const n = Math.max(1, Math.round(SAMPLE / once));
  const rates = [];
  const end = performance.now() + MOST;
  while (rates.length < SAMPLES && (rates.length === 0 || performance.now() < end)) rates.push((1000 * n) / (await timed(n)));
  return rates.sort((a, b) => a - b)[Math.floor(rates.length / 2)];
}

/** Runs in the page: the module's own steps, on random images. */
async function l2lab({ shape, settings }, limits) {
  const { default: init, Archive, Processor, heed } = await import("/cpu/l2lab_web.js");
  await init();
  const random = (count, of) => Uint8Array.from({ length: count }, () => Math.floor(Math.random() * of));
  const archive = new Archive();
  const [height, width, channels] = shape;
  if (channels === 1) {
    const idx = (dimensions, bytes) => {
      const head = new DataView(new ArrayBuffer(4 + 4 * dimensions.length));
      [0x0800 + dimensions.length, ...dimensions].forEach((word, i) => head.setUint32(4 * i, word));
      return new Uint8Array([...new Uint8Array(head.buffer), ...bytes]);
    };
    const set = (count) => [idx([count, height, width], random(count * height * width, 256)), idx([count], random(count, 10))];
    archive.add(["train-images", "train-labels", "t10k-images", "t10k-labels"], [...set(1024), ...set(64)], settings.data);
  } else {
    const set = (count) => random(count * 3073, 256).map((byte, i) => (i % 3073 === 0 ? byte % 10 : byte));
    archive.add(["data_batch_1.bin", "test_batch.bin"], [set(1024), set(64)], settings.data);
  }
  const own = { ...settings, train: "1024", test: "64", lambda: "0.001", lr: "0.01", seeds: "1", steps: "10000000", measurements: "1" };
  const { experiment, problems } = heed("clock", Object.entries(own));
  if (problems.length > 0) throw new Error(problems.join("; "));
  const { images, runs } = archive.plan(experiment);
  const training = new Processor(experiment, images).train(runs);
  return rate(async (n) => {
    const end = training.step + n;
    while (training.step < end) await training.advance(end - training.step);
  }, limits);
}

/** Runs in the page: the same network and plain SGD in TensorFlow.js. */
async function tensorflow({ shape, batch, settings }, backend, limits) {
  const { tf } = window;
  // Threads need a page that is isolated from others.
  tf.wasm.setThreadsCount(navigator.hardwareConcurrency);
  if (!(await tf.setBackend(backend))) throw new Error("not available");
  await tf.ready();
  const count = 1024;
  const dense = settings.model === "fc";
  const images = tf.randomUniform(dense ? [count, shape[0] * shape[1]] : [count, ...shape]);
  const labels = tf.oneHot(tf.randomUniform([count], 0, 10, "int32"), 10);
  const weights = (dims, fan) => [tf.variable(tf.randomNormal(dims, 0, Math.sqrt(2 / fan))), tf.variable(tf.zeros([dims.at(-1)]))];
  const layers = dense
    ? [weights([784, 512], 784), weights([512, 512], 512), weights([512, 10], 512)]
    : [weights([3, 3, 3, 32], 27), weights([3, 3, 32, 32], 288), weights([3, 3, 32, 32], 288), weights([32, 10], 32)];
  const logits = (x) =>
    layers.reduce((h, [w, b], i) => {
      if (i === layers.length - 1) return (dense ? h : h.mean([1, 2])).matMul(w).add(b);
      return (dense ? h.matMul(w) : h.conv2d(w, i === 0 ? 1 : 2, "same")).add(b).relu();
    }, x);
  const optimizer = tf.train.sgd(0.01);
  let at = 0;
  return rate(async (n) => {
    for (let i = 0; i < n; i++) {
      at = (at + batch) % count;
      const loss = tf.tidy(() => {
        const [x, y] = [images.slice(at, batch), labels.slice(at, batch)];
        return optimizer.minimize(() => tf.losses.softmaxCrossEntropy(y, logits(x)), true);
      });
      // Waits for the last step; a GPU has only queued it.
      if (i === n - 1) await loss.data();
      loss.dispose();
    }
  }, limits);
}

/** Frames a second of the page, and its longest wait for one, while it trains what it shows. */
async function frames(browser) {
  const site = await serve();
  try {
    const page = await (await browser.newContext({ serviceWorkers: "block", viewport: { width: 1280, height: 900 } })).newPage();
    await page.goto(site.url);
    const clock = new Figure(page);
    await clock.play();
    await clock.status().getByText("Training the grid").waitFor();
    const times = await page.evaluate(async () => {
      const times = [];
      const begin = performance.now();
      while (performance.now() < begin + 10_000) times.push(await new Promise(requestAnimationFrame));
      return times;
    });
    const waits = times.slice(1).map((time, i) => time - times[i]);
    return { perSecond: (1000 * waits.length) / (times.at(-1) - times[0]), longest: Math.max(...waits), speed: await clock.status().locator(".origin").innerText() };
  } finally {
    site.close();
  }
}

const folder = mkdtempSync(join(tmpdir(), "l2lab-bench-"));
const flags = process.argv.slice(2);
const browser = await browse(flags.length > 0 ? flags : [...SOFTWARE_GPU, "--enable-unsafe-swiftshader"]);
try {
  const packages = ["tfjs", "tfjs-backend-wasm", "tfjs-backend-webgpu"].map((name) => `@tensorflow/${name}@${TFJS}`);
  execFileSync("npm", ["install", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts", ...packages], { stdio: "ignore" });
  const served = join(folder, "served");
  mkdirSync(served);
  const dist = (name) => join(folder, "node_modules/@tensorflow", name, "dist");
  cpSync(join(dist("tfjs"), "tf.min.js"), join(served, "tf.min.js"));
  cpSync(join(dist("tfjs-backend-webgpu"), "tf-backend-webgpu.min.js"), join(served, "tf-backend-webgpu.min.js"));
  cpSync(dist("tfjs-backend-wasm"), join(served, "wasm"), { recursive: true });
  cpSync(join(ROOT, "www/src/wasm/cpu"), join(served, "cpu"), { recursive: true });
  const scripts = ["tf.min.js", "wasm/tf-backend-wasm.min.js", "tf-backend-webgpu.min.js"];
  writeFileSync(join(served, "index.html"), `<!doctype html>${scripts.map((file) => `<script src="${file}"></script>`).join("")}`);

  const limits = { SAMPLES, SAMPLE, MOST };
  /** One number, in a page of its own. */
  const measure = async (run, args, headers = {}) => {
    const site = await host({ folder: served, headers });
    const context = await browser.newContext();
    try {
      const page = await context.newPage();
      await page.goto(site.url);
      await page.evaluate(`window.rate = ${rate}; window.run = ${run}`);
      await page.evaluate(() => window.tf.wasm.setWasmPaths("/wasm/"));
      return await page.evaluate((args) => window.run(...args), args);
    } catch (error) {
      return error.message.split("\n")[0].replace(/^page.evaluate: /, "");
    } finally {
      await context.close();
      site.close();
    }
  };
  const isolated = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };
  const results = { chromium: browser.version(), workloads: {} };
  for (const [name, workload] of Object.entries(WORKLOADS)) {
    results.workloads[name] = {
      l2lab: await measure(l2lab, [workload, limits]),
      "tfjs wasm": await measure(tensorflow, [workload, "wasm", limits]),
      "tfjs wasm, isolated": await measure(tensorflow, [workload, "wasm", limits], isolated),
      "tfjs webgl": await measure(tensorflow, [workload, "webgl", limits]),
      "tfjs webgpu": await measure(tensorflow, [workload, "webgpu", limits]),
      "tfjs cpu": await measure(tensorflow, [workload, "cpu", limits]),
    };
    console.error(`\n${name}: steps/s (median of ${SAMPLES}), l2lab's multiple`);
    for (const [who, found] of Object.entries(results.workloads[name])) {
      const own = results.workloads[name].l2lab;
      console.error(typeof found === "number" ? `${who.padEnd(20)}${found.toFixed(2).padStart(9)}${(own / found).toFixed(1).padStart(9)}` : `${who.padEnd(20)}   ${found.slice(0, 90)}`);
    }
  }
  results.frames = await frames(browser);
  console.error(`\nthe page while it trains: ${results.frames.perSecond.toFixed(1)} frames/s, longest wait ${results.frames.longest.toFixed(0)} ms (${results.frames.speed})`);
  console.log(JSON.stringify(results, null, 2));
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}
