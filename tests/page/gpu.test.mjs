// WebGPU on Chromium's software adapter: it is there, it agrees with the CPU, and when it fails the CPU goes on.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { Figure, PAGE, SOFTWARE_GPU, address, browse, open, serve } from "./site.mjs";

const [site, browser] = await Promise.all([serve(), browse(SOFTWARE_GPU)]);
after(async () => {
  await browser.close();
  site.close();
});

/** Twenty steps of one small network. A software GPU compiles a shader for each kind of layer, which takes most of the time. */
const COMMON = { lambda: "0.1", seeds: "1", steps: "20", measurements: "100", train: "128", test: "64", batch: "32" };
const FC = { ...COMMON, width: "32", depth: "3" };
/** Has the fewest shaders. */
const LINEAR = { ...COMMON, model: "linear" };
const CNN = { ...COMMON, model: "cnn", width: "4", depth: "3" };

const session = readdirSync(PAGE, { recursive: true }).find((file) => /^lab-\w+.session-.*\.js$/.test(file));

/** What the page's own session makes of these settings on a device. */
function train(page, settings, device) {
  return page.evaluate(
    async ([url, settings, device]) => {
      const { Session } = await import(url);
      const session = new Session("limits", settings, device);
      session.play();
      while (!["done", "failed"].includes(session.state)) await new Promise((resolve) => session.addEventListener("change", resolve, { once: true }));
      const { error, notice, progress, recording } = session;
      session.close();
      return { error, notice, progress, points: recording.traces[0].points };
    },
    [new URL(session, site.url).href, settings, device],
  );
}

test("there is an adapter", async (t) => {
  const page = await open(t, browser, site.url);
  const adapter = await page.evaluate(async () => (await navigator.gpu.requestAdapter())?.info.architecture ?? null);
  assert.equal(adapter, "swiftshader");
});

for (const [name, settings] of Object.entries({ "a fully connected network": FC, "a convolutional network": CNN })) {
  test(`${name} trains on WebGPU as on the CPU`, async (t) => {
    const page = await open(t, browser, site.url);
    const cpu = await train(page, settings, "cpu");
    const gpu = await train(page, settings, "gpu");
    assert.deepEqual([cpu.error, gpu.error, gpu.notice], [null, null, null]);
    assert.deepEqual([cpu.progress.device, gpu.progress.device], ["CPU", "GPU"], gpu.progress.why);
    assert.equal(gpu.points.length, 21);
    let off = 0;
    for (const [i, point] of gpu.points.entries()) {
      assert.equal(point.step, cpu.points[i].step);
      for (const of of ["train_loss", "test_loss", "sq_norm"]) off = Math.max(off, Math.abs(point[of] / cpu.points[i][of] - 1));
    }
    assert.ok(gpu.points.at(-1).train_loss < 0.97 * gpu.points[0].train_loss, "it learns");
    t.diagnostic(`losses and norms differ by ${off.toExponential(1)} at most`);
    assert.ok(off < 1e-4, `${off}`);
  });
}

/** Chooses the GPU as a reader does. */
async function onTheGpu(page) {
  const clock = new Figure(page);
  await clock.lab.locator("summary", { hasText: "More settings" }).click();
  await clock.lab.getByRole("combobox", { name: "Compute on" }).selectOption("gpu");
  return clock;
}

/** Runs `change` in every worker that trains, before it has loaded anything. */
function tamper(page, change) {
  page.on("worker", (worker) => {
    if (worker.url().includes("trainer")) worker.evaluate(change).catch(() => undefined);
  });
}

test("a GPU that is lost in mid-run is told of, and the CPU begins again from the same seeds", async (t) => {
  const page = await open(t, browser, address(site.url, { ...LINEAR, steps: "400" }));
  const clock = await onTheGpu(page);
  tamper(page, () => {
    const { requestDevice } = GPUAdapter.prototype;
    GPUAdapter.prototype.requestDevice = async function (...wanted) {
      return (self.device = await requestDevice.apply(this, wanted));
    };
  });
  await clock.play();
  await clock.status().getByText("on the GPU").waitFor({ timeout: 60_000 });
  await page.waitForFunction(() => document.querySelector("#clock").bench.live?.traces[0].points.length > 2, null, { timeout: 60_000 });
  const worker = page.workers().find((w) => w.url().includes("trainer"));
  assert.equal(await worker.evaluate(() => self.device instanceof GPUDevice), true);
  await worker.evaluate(() => self.device.destroy());
  await clock.done();
  assert.match(await clock.alerts(), /^The GPU was lost \(.+\); the runs began again on the CPU, from the same seeds\.$/);
  assert.match(await clock.status().innerText(), /The GPU was lost\./);
  const csv = await clock.csv();
  await clock.lab.getByRole("combobox", { name: "Compute on" }).selectOption("cpu");
  await clock.play();
  await clock.done();
  assert.equal(await clock.csv(), csv);
});

test("a GPU that calculates wrongly is not trusted", async (t) => {
  const page = await open(t, browser, address(site.url, LINEAR));
  const clock = await onTheGpu(page);
  tamper(page, () => {
    const { createShaderModule } = GPUDevice.prototype;
    GPUDevice.prototype.createShaderModule = function (descriptor) {
      return createShaderModule.call(this, { ...descriptor, code: descriptor.code.replaceAll(/\bexp\(/g, "0.5 * exp(") });
    };
  });
  await clock.play();
  await clock.done();
  assert.match(await clock.status().innerText(), /The GPU's first step differs from the CPU's by [\d.e+-]+, relatively: it is not trusted\./);
});

test("a GPU whose shaders fail is not used", async (t) => {
  const page = await open(t, browser, address(site.url, LINEAR), { allow: [/shader|WGSL|GPU/i] });
  const clock = await onTheGpu(page);
  tamper(page, () => {
    const { createShaderModule } = GPUDevice.prototype;
    GPUDevice.prototype.createShaderModule = function (descriptor) {
      return createShaderModule.call(this, { ...descriptor, code: `${descriptor.code} nonsense` });
    };
  });
  await clock.play();
  await clock.done();
  const status = await clock.status().innerText();
  t.diagnostic(status.split("\n").at(-1));
  assert.match(status, /The GPU('s first step differs| could not be used)/);
});

test("the faster device is chosen by timing both on the actual work", async (t) => {
  const page = await open(t, browser, address(site.url, CNN));
  const clock = new Figure(page);
  await clock.play();
  await clock.done(90_000);
  assert.match(await clock.status().innerText(), /Timed on this work, the GPU has [\d.]+ times the CPU's speed\./);
  assert.equal(page.workers().filter((w) => w.url().includes("trainer")).length, 0, "no worker is left");
});
