// WebAssembly and native give the same theory: node tests/theory-wasm.mjs MODULES L2LAB
// MODULES is what `cargo web build --node --out MODULES` made, L2LAB the binary. Prints how long a browser's engine takes.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const [modules, l2lab] = process.argv.slice(2).map((path) => resolve(path));
const { Archive, Theory, heed } = createRequire(import.meta.url)(join(modules, "l2lab_web.js"));

const assets = new URL("../core/assets/fashion-mnist-512/", import.meta.url);
const files = ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"].map((f) => `${f}-ubyte.gz`);
const archive = new Archive();
archive.add(files, files.map((file) => new Uint8Array(readFileSync(new URL(file, assets)))), "fashion-mnist-512");

/** The theory of the theory figure's experiment with these settings. */
function solve(settings) {
  const { experiment, problems } = heed("theory", settings);
  assert.deepEqual(problems, []);
  return new Theory(experiment, archive.plan(experiment).images);
}

const settings = { train: "256", test: "256", depth: "3", lambda: "0.1,0.003,0.0001" };
const lambdas = settings.lambda.split(",").map(Number);
const folder = mkdtempSync(join(tmpdir(), "l2lab-"));
try {
  const flags = Object.entries(settings).flatMap(([name, text]) => [`--${name}`, text]);
  const summary = JSON.parse(
    execFileSync(l2lab, ["theory", "--no-networks", "--json", "--out", join(folder, "theory"), ...flags], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }),
  );
  const csv = readFileSync(join(folder, "theory", "trajectories.csv"), "utf8").trim().split("\n");
  assert.equal(csv[0], "lambda,time,train_loss,test_loss,test_accuracy,kernel_scale");
  const rows = csv.slice(1).map((line) => line.split(",").map(Number));

  const begin = performance.now();
  const theory = solve(Object.entries(settings));
  const solved = performance.now();

  const close = (found, expected, tolerance, what) =>
    assert.ok(Math.abs(found - expected) <= tolerance * Math.abs(expected), `${what}: ${found}, natively ${expected}`);
  let moved = 0;
  for (const [i, lambda] of lambdas.entries()) {
    const own = rows.filter((row) => row[0] === lambda);
    assert.equal(own.length, 120);
    const times = Float64Array.from(own, (row) => row[1]);
    const start = performance.now();
    const losses = theory.losses(lambda, times);
    moved = Math.max(moved, performance.now() - start);
    const points = theory.trajectory(lambda, times);
    for (const [j, [, time, train, test, accuracy, scale]] of own.entries()) {
      const at = `λ = ${lambda}, t = ${time}`;
      close(losses[j], train, 1e-9, `training loss, ${at}`);
      close(losses[times.length + j], test, 1e-9, `test loss, ${at}`);
      assert.equal(points[j].test_loss, losses[times.length + j]);
      // One example in 256 may sit on a tie.
      assert.ok(Math.abs(points[j].test_accuracy - accuracy) < 1.5 / 256, `accuracy, ${at}`);
      close(points[j].kernel_scale, scale, 1e-12, `kernel, ${at}`);
    }
    close(theory.peak(lambda), summary.runs[i].t_star, 1e-5, `t_*, λ = ${lambda}`);
  }
  assert.throws(() => solve([["activation", "tanh"]]), /activation: 'tanh'/);
  assert.throws(() => solve([["data", "mnist"]]), /'mnist' is not here/);
  assert.throws(() => heed("theory", 7));
  assert.throws(() => heed("thoery", []));
  const mixed = heed("theory", [["depht", "3"], ["lr", "-1"], ["depth", "5"]]);
  assert.deepEqual(mixed.settings, [["depth", "5"]]);
  assert.deepEqual(mixed.problems.map((p) => p.split(":")[0]), ["unknown key 'depht'; did you mean 'depth'?", "lr"]);
  assert.throws(() => theory.losses(-1, Float64Array.of(1)), /lambda/);
  const ms = (milliseconds) => `${milliseconds.toFixed(1)} ms`;
  console.log(`256 images from pixels to modes: ${ms(solved - begin)}; losses at 120 times for another λ: ${ms(moved)}`);
} finally {
  rmSync(folder, { recursive: true });
}
