// Copies the element's files to where the pages look for them: `node copy.js FOLDER`.
import { cpSync } from "node:fs";

cpSync("node_modules/l2-lab/lib", process.argv[2], { recursive: true });
