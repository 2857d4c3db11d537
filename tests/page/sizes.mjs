// How much the page weighs, compressed as `brotli -q 11` does it for a host (its window is 24 bits, not zlib's 22); ends with 1 beyond the budget.
import { readFileSync, readdirSync } from "node:fs";
import { join, sep } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";
import { Figure, PAGE, browse, serve } from "./site.mjs";

/** In KB of 1024 bytes. */
const BUDGET = { cpu: 450, images: 400, "first live curve": 900, gpu: 1.6 * 1024 };

const brotli = promisify(brotliCompress);
const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 };
const compressed = async (file) => {
  const bytes = readFileSync(join(PAGE, file));
  return (await brotli(bytes, { params: { ...params, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } })).length;
};

/** The files that a reader's browser asks for until the first live curve is drawn. */
async function visited() {
  const [site, browser] = await Promise.all([serve(), browse()]);
  try {
    const page = await (await browser.newContext({ serviceWorkers: "block" })).newPage();
    const files = new Set();
    page.on("request", (r) => r.url().startsWith(site.url) && files.add(new URL(r.url()).pathname.slice(1) || "index.html"));
    await page.goto(site.url);
    const clock = new Figure(page);
    await clock.play();
    await clock.status().getByText("Training the grid").waitFor();
    await clock.lab.locator("svg.plot path.line").first().waitFor();
    return files;
  } finally {
    await browser.close();
    site.close();
  }
}

const first = await visited();
const files = readdirSync(PAGE, { recursive: true, withFileTypes: true })
  .filter((f) => f.isFile() && !/\.(map|br|gz\.br)$/.test(f.name))
  .map((f) => join(f.parentPath, f.name).slice(PAGE.length + 1).replaceAll(sep, "/"));

/** Modules by what is in them; a module's glue is the chunk that names its .wasm file. */
function part(file) {
  if (file.includes("/gpu-")) return "gpu";
  if (file.includes("-ubyte-")) return "images";
  const wasm = file.endsWith(".wasm")
    ? file
    : files.find((f) => f.endsWith(".wasm") && file.endsWith(".js") && !/(index|sw|session|trainer|analyst)/.test(file) && readFileSync(join(PAGE, file), "utf8").includes(f.split("/").at(-1)));
  if (wasm) return first.has(wasm) ? "cpu" : "theory";
  return first.has(file) ? "page" : "later";
}

const sizes = {};
const table = await Promise.all(files.map(async (file) => ({ file, part: part(file), bytes: await compressed(file), first: first.has(file) })));
for (const { file, part, bytes, first } of table.sort((a, b) => (a.part === b.part ? b.bytes - a.bytes : a.part < b.part ? -1 : 1))) {
  console.log(`${part.padEnd(8)}${(bytes / 1024).toFixed(1).padStart(9)}  ${first ? "*" : " "} ${file}`);
  sizes[part] = (sizes[part] ?? 0) + bytes;
}
sizes["first live curve"] = table.filter((f) => f.first).reduce((sum, f) => sum + f.bytes, 0);
console.log("\nKB, brotli; * until the first live curve");
let over = false;
for (const [name, bytes] of Object.entries(sizes)) {
  const budget = BUDGET[name];
  const beyond = budget !== undefined && bytes > 1024 * budget;
  console.log(`${name.padEnd(17)}${(bytes / 1024).toFixed(1).padStart(8)}${budget === undefined ? "" : ` of ${budget.toFixed(0)}${beyond ? ": beyond the budget" : ""}`}`);
  over ||= beyond;
}
for (const name of Object.keys(BUDGET)) {
  if (!sizes[name]) {
    console.log(`${name} is missing`);
    over = true;
  }
}
process.exitCode = over ? 1 : 0;
