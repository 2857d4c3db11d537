// How much the page weighs, compressed as `brotli -q 11` does it for a host (its window is 24 bits, not zlib's 22); ends with 1 beyond the budget.
import { readFileSync, readdirSync } from "node:fs";
import { join, sep } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";
import { Figure, PAGE, browse, serve } from "./site.mjs";

/** In KB of 1024 bytes. The analysis that tells peaks from noise took 15 more than the CPU module is to have, 450, and 20 more than all is to have, 900. */
const BUDGET = { element: 40, "element and cpu": 516, cpu: 467, images: 400, "first live curve": 921, gpu: 1.6 * 1024 };

const brotli = promisify(brotliCompress);
const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 };
const compressed = async (file) => {
  const bytes = readFileSync(join(PAGE, file));
  return (await brotli(bytes, { params: { ...params, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } })).length;
};

/** The files that a reader's browser asks for until the first live curve is drawn, and those of the element alone before Play. */
async function visited() {
  const [site, browser] = await Promise.all([serve(), browse()]);
  try {
    const opened = async (files) => {
      const page = await (await browser.newContext({ serviceWorkers: "block" })).newPage();
      page.on("request", (r) => r.url().startsWith(site.url) && files.add(new URL(r.url()).pathname.slice(1) || "index.html"));
      return page;
    };
    const element = new Set();
    const alone = await opened(element);
    const body = '<link rel="stylesheet" href="l2-lab.css"><script type="module" src="l2-lab.js"></script><l2-lab></l2-lab>';
    await alone.route("**/alone.html", (route) => route.fulfill({ contentType: "text/html", body }));
    await alone.goto(`${site.url}alone.html`);
    await alone.locator("l2-lab text.axis-label").first().waitFor();
    await alone.waitForLoadState("networkidle");
    const files = new Set();
    const page = await opened(files);
    await page.goto(site.url);
    const clock = new Figure(page);
    await clock.play();
    await clock.status().getByText("Training the grid").waitFor();
    await clock.lab.locator("svg.plot path.line").first().waitFor();
    return { first: files, element };
  } finally {
    await browser.close();
    site.close();
  }
}

const { first, element } = await visited();
const files = readdirSync(PAGE, { recursive: true, withFileTypes: true })
  .filter((f) => f.isFile() && !/\.(map|br|gz\.br)$/.test(f.name))
  .map((f) => join(f.parentPath, f.name).slice(PAGE.length + 1).replaceAll(sep, "/"));

/** What a file is part of; a module's glue belongs to the module. */
function part(file) {
  if (/\/gpu[-.]/.test(file)) return "gpu";
  if (file.endsWith("-ubyte.gz")) return "images";
  if (/\/cpu\.wasm$/.test(file)) return "cpu";
  if (/\/theory\.wasm$/.test(file)) return "theory";
  if (/\/l2lab_web-.*\.js$/.test(file)) return readFileSync(join(PAGE, file), "utf8").includes("cpu.wasm") ? "cpu" : "theory";
  if (/\/lab-\w+\/|^lab-/.test(file) && element.has(file)) return "element";
  return first.has(file) ? "page" : "later";
}

const sizes = {};
const table = await Promise.all(files.map(async (file) => ({ file, part: part(file), bytes: await compressed(file), first: first.has(file) })));
for (const { file, part, bytes, first } of table.sort((a, b) => (a.part === b.part ? b.bytes - a.bytes : a.part < b.part ? -1 : 1))) {
  console.log(`${part.padEnd(8)}${(bytes / 1024).toFixed(1).padStart(9)}  ${first ? "*" : " "} ${file}`);
  sizes[part] = (sizes[part] ?? 0) + bytes;
}
const sum = (files) => files.reduce((sum, f) => sum + f.bytes, 0);
sizes["element and cpu"] = sum(table.filter((f) => (f.first || element.has(f.file)) && f.part !== "images" && !/\.(html|json)$|^[^/]*\.css$|page\.(js|css)$|fallback|icon/.test(f.file)));
sizes["first live curve"] = sum(table.filter((f) => f.first));
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
