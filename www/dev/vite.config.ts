import { existsSync } from "node:fs";
import { mergeConfig } from "vite";
import base from "../vite.config.ts";
const lab = new URL("../src/lab/session.ts", import.meta.url).pathname;
const gpu = new URL("../src/wasm/gpu/l2lab_web.js", import.meta.url).pathname;
const plug = () => ({ name: "fake-lab", enforce: "pre", resolveId(id: string) {
  if (id.endsWith("wasm/gpu/l2lab_web.js") && !existsSync(gpu)) return gpu.replace("/gpu/", "/cpu/");
  if (id.endsWith("lab/session.ts") && (process.env["FAKE"] === "1" || !existsSync(lab))) return new URL("./overlay/lab/session.ts", import.meta.url).pathname; },
  transform(code: string, id: string) { if (id.endsWith("cpu/l2lab_web.js") && !code.includes("_bg.wasm'")) return code.replace("const imports = __wbg_get_imports();\n\n    if (typeof", "if (module_or_path === undefined) module_or_path = new URL('l2lab_web_bg.wasm', import.meta.url);\n    const imports = __wbg_get_imports();\n\n    if (typeof"); if (id === lab) return code.replace("?? [];\n  \n  /** Asks", "?? [];\n  }\n\n  /** Asks"); } });
export default mergeConfig(base, { plugins: [plug()], worker: { plugins: () => [plug()] } });
