// The npm package: what is in it, and that it works without a bundler, through Vite and webpack, with TypeScript, and in a frame.
import assert from "node:assert/strict";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { LITTLE, TEMPORARY, install, pack, playThrough, run, unpack } from "./npm.mjs";
import { ROOT, STRICT, attributes, browse, host, open } from "./site.mjs";

const CORS = { "access-control-allow-origin": "*" };
const FIGURE = `<l2-lab ${attributes(LITTLE)}></l2-lab>`;

const browser = await browse();
after(() => browser.close());
const tarball = await pack();
const unpacked = await unpack(tarball);
const { version } = JSON.parse(await readFile(join(unpacked, "package.json"), "utf8"));

/** A page of one figure and what loads the element. */
const page = (script) =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Lesson</title><link rel="icon" href="data:,"></head><body>${FIGURE}${script}</body></html>`;

/** Writes files into a new folder. */
async function folder(name, files) {
  const path = join(TEMPORARY, name);
  await mkdir(path, { recursive: true });
  for (const [file, content] of Object.entries(files)) await writeFile(join(path, file), content);
  return path;
}

async function served(t, options) {
  const server = await host(options);
  t.after(() => server.close());
  return server;
}

test("the package has what it needs and nothing of the machine that made it", async () => {
  const entries = await readdir(unpacked, { recursive: true, withFileTypes: true });
  const names = entries.filter((f) => f.isFile()).map((f) => join(f.parentPath, f.name).slice(unpacked.length + 1));
  const needed = ["README.md", "package.json", "lib/LICENSE-MIT", "lib/LICENSE-APACHE", "lib/licences.txt", "lib/l2-lab.js", "lib/l2-lab.css"];
  const computing = ["lib/trainer.js", "lib/analyst.js", "lib/cpu.wasm", "lib/gpu.wasm", "lib/theory.wasm", "lib/recorded/clock.json"];
  const types = ["lib/types/element/api.d.ts", "lib/types/element/events.d.ts", "lib/types/types.d.ts"];
  for (const name of [...needed, ...computing, ...types]) assert.ok(names.includes(name), `${name} is there`);
  assert.deepEqual(names.filter((name) => /\.map$|(?<!\.d)\.ts$|test|node_modules/.test(name)), []);
  for (const name of names) {
    const content = await readFile(join(unpacked, name), "latin1");
    for (const path of [ROOT, TEMPORARY, `${homedir()}/`, ".cargo/registry", "sourceMappingURL"]) assert.ok(!content.includes(path), `${name} has ${path}`);
  }
});

test("one script tag is enough, from another origin, under a strict policy", async (t) => {
  const cdn = await served(t, { folder: unpacked, base: `/npm/l2-lab@${version}/`, headers: CORS });
  const { origin } = new URL(cdn.url);
  const lesson = await folder("plain", { "index.html": page(`<script type="module" src="${cdn.url}lib/l2-lab.js"></script>`) });
  const policy = `default-src 'none'; script-src ${origin} 'wasm-unsafe-eval'; worker-src blob:; connect-src ${origin}; img-src data:`;
  const site = await served(t, { folder: lesson, headers: { "content-security-policy": policy } });
  const figure = await playThrough(await open(t, browser, site.url));
  assert.match(await figure.finding(), /^Of 2 curves of test accuracy, /);
});

// One installation for everything that needs one.
const project = join(TEMPORARY, "project");
before(async () => {
  const dependencies = { "l2-lab": version, typescript: "7.0.2", vite: "8.3.8", webpack: "5.112.2", "webpack-cli": "7.3.1" };
  await folder("project", {
    "package.json": JSON.stringify({ private: true, type: "module", dependencies }),
    "main.js": 'import "l2-lab";\n',
    "styled.js": 'import "l2-lab";\nimport "l2-lab/l2-lab.css";\n',
    "index.html": page('<script type="module" src="./styled.js"></script>'),
  });
  await install(project, tarball);
});

test("Vite builds it", async (t) => {
  await run(project, "npx", "vite", "build");
  const site = await served(t, { folder: join(project, "dist") });
  await playThrough(await open(t, browser, site.url));
});

test("webpack builds it", async (t) => {
  await run(project, "npx", "webpack", "--mode", "production", "--entry", "./main.js", "--output-path", "packed");
  await writeFile(join(project, "packed/index.html"), page('<script src="./main.js"></script>'));
  const site = await served(t, { folder: join(project, "packed") });
  await playThrough(await open(t, browser, site.url));
});

test("TypeScript knows the element, its properties and its events", async () => {
  const compilerOptions = { target: "ES2022", lib: ["ES2022", "DOM"], types: [], strict: true, noEmit: true, skipLibCheck: false };
  await writeFile(
    join(project, "typed.ts"),
    `import "l2-lab";
import type { L2LabElement, RunPeak } from "l2-lab";

const lab: L2LabElement | null = document.querySelector("l2-lab");
if (lab) {
  lab.lambda = [0.1, 0.03];
  lab.lr = "0.1";
  lab.play();
  lab.addEventListener("l2-peak", (event) => {
    const peak: RunPeak = event.detail;
    const step: number = event.detail.t_star;
    // @ts-expect-error it is a number
    const word: string = event.detail.t_star;
    console.log(peak, step, word);
  });
  document.addEventListener("l2-done", (event) => console.log((event as HTMLElementEventMap["l2-done"]).detail.finding.length));
  // @ts-expect-error there is no such field
  lab.lamda = 0.1;
  // @ts-expect-error there is no such file
  lab.export("pdf");
}
`,
  );
  for (const [module, moduleResolution] of [["ESNext", "bundler"], ["NodeNext", "NodeNext"]]) {
    await writeFile(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions: { ...compilerOptions, module, moduleResolution }, files: ["typed.ts"] }));
    await run(project, "npx", "tsc");
  }
});

/** What the README has pages around a frame do. */
const SNIPPET = `<script>
  addEventListener("message", ({ source, data }) => {
    for (const frame of document.querySelectorAll("iframe")) {
      if (source === frame.contentWindow && data?.type === "l2-height") frame.style.height = \`\${data.height}px\`;
    }
  });
</script>`;

/** A page of another origin with the site's embed.html in a sandboxed frame. */
async function framed(t, headers, options) {
  const site = await served(t, { headers: { "content-security-policy": STRICT, ...headers } });
  const address = `${site.url}embed.html?${new URLSearchParams({ v: "1", ...LITTLE })}`;
  const around = `<!doctype html><title>Lesson</title><link rel="icon" href="data:,"><iframe sandbox="allow-scripts" title="Figure" src="${address.replaceAll("&", "&amp;")}"></iframe>${SNIPPET}`;
  const other = await served(t, { folder: await folder("around", { "index.html": around }), headers: {} });
  const page = await open(t, browser, other.url, options);
  return { page, frame: page.frameLocator("iframe") };
}

test("a sandboxed frame of another origin trains, and its height is that of the figure", async (t) => {
  const { page, frame } = await framed(t, CORS);
  await playThrough(frame);
  const height = await frame.locator("html").evaluate((html) => Math.ceil(html.getBoundingClientRect().height));
  assert.ok(height > 400);
  await page.waitForFunction((height) => document.querySelector("iframe").clientHeight === height, height);
});

test("a sandboxed frame whose server lets no other origin in says so", async (t) => {
  const { frame } = await framed(t, {}, { allow: [/./] });
  await frame.getByText("its server must send the header “Access-Control-Allow-Origin: *” with every file").waitFor();
});
