// What the tests of the npm package and its examples share: the packed package, projects that install it, tools that run there.
// Everything is in a temporary folder, caches too.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { promisify } from "node:util";
import { Figure, ROOT } from "./site.mjs";

export const TEMPORARY = await mkdtemp(join(tmpdir(), "l2-lab-"));
after(() => rm(TEMPORARY, { recursive: true, force: true }));

const ENVIRONMENT = {
  ...process.env,
  npm_config_cache: join(TEMPORARY, "npm-cache"),
  npm_config_update_notifier: "false",
  PIP_NO_CACHE_DIR: "1",
  PIP_DISABLE_PIP_VERSION_CHECK: "1",
  OBSERVABLE_TELEMETRY_DISABLE: "true",
};

/** Runs a program to its end; what it says, or an error with that. */
export async function run(cwd, program, ...args) {
  try {
    const { stdout } = await promisify(execFile)(program, args, { cwd, env: ENVIRONMENT, maxBuffer: 2 ** 26 });
    return stdout;
  } catch (error) {
    throw new Error(`${program} ${args.join(" ")} failed:\n${error.stdout}\n${error.stderr}`);
  }
}

/** Packs the package, as for publishing: its tarball. */
export async function pack() {
  const said = await run(join(ROOT, "www"), "npm", "pack", "--silent", "--pack-destination", TEMPORARY);
  return join(TEMPORARY, said.trim().split("\n").at(-1));
}

/** Unpacks the tarball; where its files are then. */
export async function unpack(tarball) {
  await run(TEMPORARY, "tar", "xzf", tarball);
  return join(TEMPORARY, "package");
}

/** Installs what a project's package.json names, with the tarball in the place of the published package. */
export async function install(folder, tarball) {
  const file = join(folder, "package.json");
  const project = JSON.parse(await readFile(file, "utf8"));
  project.dependencies["l2-lab"] = `file:${tarball}`;
  await writeFile(file, JSON.stringify(project));
  await run(folder, "npm", "install", "--no-audit", "--no-fund", "--no-package-lock");
}

/** A second of work: two runs. */
export const LITTLE = { lambda: "0.1,0.03", seeds: "1", width: "16", depth: "2", tau: "1.2", measurements: "20" };

/** Plays the figure to its end. */
export async function playThrough(page, selector = "l2-lab") {
  const figure = new Figure(page, selector);
  await figure.play();
  await figure.done();
  return figure;
}
