// Fake of the lab for development: replays a recorded file over ten seconds.
import type { Recording, FigureName } from "../../../src/types.ts";
export type Settings = Record<string, string>;
export type State = "idle" | "loading" | "running" | "paused" | "done" | "failed";
export interface Progress { phase: "grid" | "verify"; steps: number; total: number; stepsPerSecond: number; device: "CPU" | "GPU"; workers: number; why: string }
export class Session extends EventTarget {
  state: State = "idle"; recording: Recording | null = null; progress: Progress | null = null;
  notice: string | null = null; error: string | null = null;
  #full: Recording | null = null; #at = 0; #timer = 0; #closed = false;
  constructor(readonly figure: FigureName, readonly settings: Settings) { super(); }
  #emit() { this.dispatchEvent(new Event("change")); }
  async #load() {
    if (this.#full) return;
    this.state = "loading"; this.#emit();
    await new Promise((r) => setTimeout(r, 600));
    const name = this.settings["model"] === "linear" ? "limits-linear" : this.settings["width"] === "4" ? "limits-small" : "clock";
    this.#full = await (await fetch(`./recorded/${name}.json`)).json();
    if (new URLSearchParams(location.search).has("fail")) { this.state = "failed"; this.error = "WebAssembly is blocked by this page's security policy; ask its author to allow 'wasm-unsafe-eval', or open the page elsewhere."; this.#emit(); throw new Error("x"); }
  }
  #draw() {
    const f = this.#full!; const total = f.traces.reduce((a, t) => a + t.run.steps, 0) * 1.1; const at = this.#at;
    const gridPart = Math.min(1, at / 0.9); const traces = f.traces.map((t) => {
      const n = Math.floor(t.points.length * gridPart); return { ...t, points: t.points.slice(0, n), end: n === t.points.length ? t.end : null };
    });
    const done = gridPart >= 1;
    const cut = (lam: number) => { const t = traces.find((x) => x.run.lambda === lam)!; return t.points.at(-1)?.step ?? 0; };
    const seen = f.findings.cells.map((c) => c.t_star !== null && cut(c.lambda) > c.t_star * 1.2 ? c : { ...c, t_star: null, tau_star: null });
    this.recording = { ...f, command: null, traces, verification: at > 0.9 ? f.verification : [], findings: {
      ...f.findings, cells: seen, runs: f.findings.runs.map((r) => (r.t_star && cut(r.lambda) > r.t_star * 1.2 ? r : { ...r, t_star: null, tau_star: null, censored: true, estimates: {} })),
      fits: seen.filter((c) => c.t_star).length > 1 ? f.findings.fits : {}, forecast: done ? f.findings.forecast : null, regret: at >= 1 ? f.findings.regret : null, outcomes: done ? f.findings.outcomes : [] } };
    this.progress = { phase: done ? "verify" : "grid", steps: Math.round(at * total), total: Math.round(total), stepsPerSecond: 1840, device: "CPU", workers: 2, why: "No GPU adapter was found; 12 runs share 2 workers." };
  }
  async play() {
    try { await this.#load(); } catch { return; }
    if (this.#closed || this.state === "running") return;
    this.state = "running"; clearInterval(this.#timer);
    this.#timer = setInterval(() => { this.#at = Math.min(1, this.#at + 0.01); this.#draw(); if (this.#at >= 1) { this.state = "done"; clearInterval(this.#timer); } this.#emit(); }, 100) as unknown as number;
    this.#draw(); this.#emit();
  }
  pause() { if (this.state === "running") { clearInterval(this.#timer); this.state = "paused"; this.#emit(); } }
  async step() { try { await this.#load(); } catch { return; } clearInterval(this.#timer); this.#at = Math.min(1, this.#at + 0.02); this.#draw(); this.state = "paused"; this.#emit(); }
  rewind() { clearInterval(this.#timer); this.#at = 0; this.state = "idle"; this.recording = null; this.progress = null; this.#emit(); }
  close() { this.#closed = true; clearInterval(this.#timer); }
}
export async function check(_f: FigureName, settings: Settings) {
  const problems: string[] = []; const ok: Settings = {};
  for (const [k, v] of Object.entries(settings)) (v === "bad" ? problems.push(`${k}: '${v}' is not allowed`) : (ok[k] = v));
  return { settings: ok, problems };
}
export async function addData(files: File[]): Promise<{ name: string; train: number; test: number }> {
  if (files.length < 2) throw new Error(`${files[0]?.name ?? "?"} alone is not a data set: images and labels are needed.`);
  return { name: "my-data", train: 60000, test: 10000 };
}
export async function theory(settings: Settings) {
  const k = Number(settings["depth"] ?? 3); const n = 256;
  const gammas = Float64Array.from({ length: n }, (_, a) => (a + 1) ** -1.5), power = Float64Array.from({ length: n }, (_, a) => (a + 1) ** -1.6);
  const f = (g: number, l: number, t: number) => { // crude explicit integration
    let v = 0, s = 0; const m = 400; for (let i = 1; i <= m; i++) { const u = t * (i / m) ** 2, h = u - s, gt = g * Math.exp(-2 * (k - 1) * l * u), rate = gt + k * l; v = (v + h * gt) / (1 + h * rate); s = u; } return v; };
  return {
    gammas, power,
    async curves(l: number, times: Float64Array) {
      const kernel = times.map((t) => Math.exp(-2 * (k - 1) * l * t));
      const loss = (e: number) => times.map((t) => { let x = e; for (let a = 0; a < n; a += 8) x += 8 * power[a]! * (f(gammas[a]!, l, t) - 1) ** 2; return x / 5; });
      const test = loss(0.4), i = test.indexOf(Math.min(...test));
      return { train: loss(0), test, kernel, peak: k > 1 ? times[i]! : null };
    },
    async modes(l: number, _k: number, which: number[], times: Float64Array) { return which.map((a) => times.map((t) => f(gammas[a]!, l, t))); },
  };
}
