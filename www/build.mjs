// Builds what people get: the site into dist/ (`site`), or the npm package's files into lib/ (`package`).
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const HERE = dirname(fileURLToPath(import.meta.url));
const at = (...path) => join(HERE, ...path);
const text = (path) => readFileSync(at(path), "utf8");

/** The element and its workers: scripts that are asked for by these names. */
const ELEMENT = { "l2-lab": "src/l2-lab.ts", trainer: "src/lab/trainer.ts", analyst: "src/lab/analyst.ts" };
/** Scripts of the site's pages. */
const PAGES = { page: "src/page.ts", embed: "src/embed.ts", lesson: "src/lesson.ts" };

/** Files beside the scripts, by addresses that bundlers understand: `new URL("./NAME", import.meta.url)`. */
function files() {
  return {
    name: "files",
    resolveId(id, importer) {
      const kind = /\?(url|bytes)$/.exec(id)?.[1];
      return kind ? `\0${kind}:${join(dirname(importer), id.slice(0, -kind.length - 1))}` : null;
    },
    load(id) {
      const [, kind, path] = /^\0(url|bytes):(.*)$/.exec(id) ?? [];
      if (!kind) return null;
      if (kind === "bytes") return `export default Uint8Array.from(atob("${readFileSync(path, "base64")}"), (c) => c.charCodeAt(0));`;
      this.emitFile({ type: "asset", fileName: basename(path), source: readFileSync(path) });
      return `export default new URL("./${basename(path)}", import.meta.url).href;`;
    },
    transform(code, id) {
      const module = /\/src\/wasm\/(\w+)\/l2lab_web\.js$/.exec(id)?.[1];
      if (module) {
        this.emitFile({ type: "asset", fileName: `${module}.wasm`, source: readFileSync(id.replace(/\.js$/, "_bg.wasm")) });
        return code.replace(/['"]l2lab_web_bg\.wasm['"]/, `"./${module}.wasm"`);
      }
      // Style sheets need no indentation.
      if (id.startsWith(at("src")) && code.includes("css`")) code = code.replace(/css`[^`]*`/g, (sheet) => sheet.replace(/\/\*.*?\*\//gs, "").replace(/\s+/g, " "));
      // The workers' scripts lie beside the one that starts them.
      return id.endsWith("/lab/workers.ts") ? code.replace(/"\.\/(trainer|analyst)\.ts"/g, '"./$1.js"') : code;
    },
  };
}

/** licences.txt: what the licences of the bundled packages ask to be passed on. */
function licences() {
  return {
    name: "licences",
    generateBundle(_options, bundle) {
      const modules = Object.values(bundle).flatMap((item) => Object.keys(item.modules ?? {}));
      const roots = new Set(modules.flatMap((id) => /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1] ?? []));
      const notices = [...roots].sort().map((root) => {
        const { name, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
        const file = readdirSync(root).find((f) => /^licen[cs]e/i.test(f));
        if (!file) throw new Error(`${name} has no licence file`);
        return `${name} ${version}\n\n${readFileSync(join(root, file), "utf8").trim()}\n`;
      });
      this.emitFile({ type: "asset", fileName: "licences.txt", source: notices.join(`\n${"-".repeat(72)}\n\n`) });
    },
  };
}

/** The scripts and what lies beside them: [name, content]. */
async function bundle(input, format = "es") {
  const build = await rolldown({ cwd: HERE, input, plugins: [files(), licences()] });
  const { output } = await build.generate({
    format,
    minify: true,
    entryFileNames: "[name].js",
    chunkFileNames: (chunk) => `${chunk.moduleIds.some((id) => id.includes("/wasm/gpu/")) ? "gpu" : "[name]"}-[hash].js`,
    assetFileNames: "[name][extname]",
  });
  await build.close();
  return output.map((item) => [item.fileName, item.type === "chunk" ? item.code : item.source]);
}

function write(directory, name, content) {
  const path = join(directory, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

/** Every file under a directory, by its name there. */
function listing(directory) {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  return entries.filter((f) => f.isFile()).map((f) => join(f.parentPath, f.name).slice(directory.length + 1).split(sep).join("/")).sort();
}

async function site() {
  await replaced(at("dist"), buildSite);
}

/** Makes a directory anew: what was there stays until all is made. */
async function replaced(directory, make) {
  const next = `${directory}.new`;
  rmSync(next, { recursive: true, force: true });
  await make(next);
  rmSync(directory, { recursive: true, force: true });
  renameSync(next, directory);
}

async function buildSite(dist) {
  const made = [...(await bundle({ ...ELEMENT, ...PAGES })), ["page.css", text("src/page.css")], ["embed.css", text("src/embed.css")], ["lesson.css", text("src/lesson.css")], ["l2-lab.css", text("src/element/l2-lab.css")]];
  // A new folder for what is new: a browser never mixes an old worker with a new page.
  const hash = createHash("sha256");
  for (const [name, content] of made) hash.update(name).update(content);
  const lab = `lab-${hash.digest("hex").slice(0, 10)}`;
  for (const [name, content] of made) write(dist, name === "licences.txt" ? name : `${lab}/${name}`, content);
  cpSync(at("public"), dist, { recursive: true });
  for (const page of ["index.html", "embed.html", "lesson.html"]) {
    write(dist, page, text(page).replace(/\.\/src\/(\w+)\.ts/g, `./${lab}/$1.js`).replace(/\.\/src\/(?:element\/)?([\w-]+\.css)/g, `./${lab}/$1`));
  }
  // The addresses that other pages embed from stay the same.
  write(dist, "l2-lab.js", `export * from "./${lab}/l2-lab.js";\n`);
  write(dist, "l2-lab.css", text("src/element/l2-lab.css"));
  const version = createHash("sha256");
  const kept = listing(dist);
  for (const name of kept) version.update(name).update(readFileSync(join(dist, name)));
  // The GPU's module is large, and few readers need it.
  const offline = ["./", ...kept.filter((name) => !/\/gpu[-.]/.test(name) && !/^(index\.html|_headers)$/.test(name)).map((name) => `./${name}`)];
  const [[, worker]] = await bundle({ sw: "src/sw.ts" });
  write(dist, "sw.js", worker.replaceAll("__FILES__", JSON.stringify(offline)).replaceAll("__VERSION__", JSON.stringify(version.digest("hex").slice(0, 16))));
}

async function npmPackage() {
  await replaced(at("lib"), buildPackage);
}

async function buildPackage(lib) {
  for (const [name, content] of await bundle(ELEMENT)) write(lib, name, content);
  write(lib, "l2-lab.css", text("src/element/l2-lab.css"));
  cpSync(at("public/recorded"), join(lib, "recorded"), { recursive: true });
  for (const licence of ["LICENSE-MIT", "LICENSE-APACHE"]) cpSync(at("..", licence), join(lib, licence));
  const types = join(lib, "types");
  execFileSync(at("node_modules/.bin/tsc"), ["-p", at("tsconfig.types.json"), "--outDir", types], { stdio: "inherit" });
  for (const name of listing(types)) {
    const path = join(types, name);
    writeFileSync(path, readFileSync(path, "utf8").replace(/(from "[^"]+)\.ts"/g, '$1.js"'));
  }
}

const builds = { site, package: npmPackage };
const build = builds[process.argv[2]];
if (!build) {
  console.error(`node build.mjs ${Object.keys(builds).join("|")}`);
  process.exit(2);
}
await build();
