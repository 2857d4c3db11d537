// Lessons are MDX; the element needs nothing of Vite.
import mdx from "@mdx-js/rollup";
import { defineConfig } from "vite";

export default defineConfig({ base: "./", plugins: [mdx()] });
