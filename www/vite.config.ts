// Builds the page into dist/, for any static host and under any path, with a service worker that knows its files.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, type Plugin } from "vite";

/** How names of the GPU's files begin. */
const GPU = "gpu-";
const PUBLIC = join(import.meta.dirname, "public");

/** Tells the service worker which files there are, but for the GPU's: they are large, and few readers need them. */
function offline(): Plugin {
  return {
    name: "offline",
    apply: "build",
    enforce: "post",
    generateBundle(_options, bundle) {
      const worker = bundle["sw.js"];
      if (worker?.type !== "chunk") throw new Error("the service worker is missing");
      const hash = createHash("sha256");
      const files = ["./"];
      for (const name of Object.keys(bundle).sort()) {
        const item = bundle[name];
        if (!item || item === worker || name.endsWith(".map")) continue;
        hash.update(name).update(item.type === "chunk" ? item.code : item.source);
        if (name !== "index.html" && !name.includes(`/${GPU}`)) files.push(`./${name}`);
      }
      for (const name of readdirSync(PUBLIC, { recursive: true, encoding: "utf8" }).sort()) {
        if (!/\.\w+$/.test(name)) continue;
        hash.update(name).update(readFileSync(join(PUBLIC, name)));
        files.push(`./${name.replaceAll("\\", "/")}`);
      }
      worker.code = worker.code
        .replaceAll("__FILES__", JSON.stringify(files))
        .replaceAll("__VERSION__", JSON.stringify(hash.digest("hex").slice(0, 16)));
    },
  };
}

/** licences.txt: what the licences of the bundled packages ask to be passed on. */
function licences(): Plugin {
  const packages = new Set<string>();
  return {
    name: "licences",
    apply: "build",
    generateBundle(_options, bundle) {
      for (const item of Object.values(bundle)) {
        if (item.type !== "chunk") continue;
        for (const id of Object.keys(item.modules)) {
          const root = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1];
          if (root) packages.add(root);
        }
      }
      const notices = [...packages].sort().map((root) => {
        const { name, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { name: string; version: string };
        const file = readdirSync(root).find((f) => /^licen[cs]e/i.test(f));
        if (!file) throw new Error(`${name} has no licence file`);
        return `${name} ${version}\n\n${readFileSync(join(root, file), "utf8").trim()}\n`;
      });
      this.emitFile({ type: "asset", fileName: "licences.txt", source: notices.join(`\n${"-".repeat(72)}\n\n`) });
    },
  };
}

/** A page opened as a file gets its style sheet: browsers refuse it there when it is asked for across origins. */
function plainLinks(): Plugin {
  return {
    name: "plain-links",
    apply: "build",
    transformIndexHtml: { order: "post", handler: (html) => html.replaceAll(" crossorigin", "") },
  };
}

/** Names by which the service worker knows the GPU's code: its module has the same name as the CPU's. */
const named = {
  chunkFileNames: (chunk: { moduleIds?: readonly string[] }) => `assets/${prefix(chunk.moduleIds)}[name]-[hash].js`,
  assetFileNames: (asset: { originalFileNames?: readonly string[] }) => `assets/${prefix(asset.originalFileNames)}[name]-[hash][extname]`,
};

function prefix(files: readonly string[] = []): string {
  return files.some((f) => f.includes("wasm/gpu/")) ? GPU : "";
}

export default defineConfig({
  base: "./",
  plugins: [plainLinks(), licences(), offline()],
  worker: { format: "es", rolldownOptions: { output: named } },
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    // A strict page takes no data: addresses.
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: { index: "index.html", sw: "src/sw.ts" },
      output: { ...named, entryFileNames: (chunk) => (chunk.name === "sw" ? "sw.js" : "assets/[name]-[hash].js") },
    },
  },
});
