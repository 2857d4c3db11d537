// The workers that train a session's runs: which device, how many, what each of them does, and who takes over from a crashed one.
import type { Experiment, Measurement, RunSpec, End } from "../types.ts";
import type { Said } from "../words/words.ts";
import type { Plan } from "../wasm/cpu/l2lab_web.js";
import type { DeviceName, Stack, Trainer } from "./trainer.ts";
import { Told } from "./told.ts";
import { Crash, trainer, type Employee } from "./workers.ts";

export type DeviceChoice = "auto" | DeviceName;
export type Phase = "grid" | "verify";

export interface Progress {
  readonly phase: Phase;
  /** Steps taken and to take, over all runs. */
  readonly steps: number;
  readonly total: number;
  readonly stepsPerSecond: number;
  readonly device: "CPU" | "GPU";
  readonly workers: number;
  /** Why this device, in a sentence. */
  readonly why: Said;
}

/** Whom the crew tells what it does. */
export interface Listener {
  /** Runs begin at their initial weights; what was measured of the phase before is void. */
  begun(phase: Phase, runs: readonly RunSpec[]): void;
  measured(phase: Phase, run: number, measurement: Measurement): void;
  ended(phase: Phase, run: number, end: End): void;
  /** A slice of work is done. */
  worked(): void;
  /** Something that the reader should know, in a sentence. */
  notice(said: Said): void;
}

/** Milliseconds of a slice: a pause takes effect within it. */
const SLICE = 50;
/** Milliseconds for which each device is timed on the actual work. */
const TRIAL = 1000;
/** Milliseconds of the past that the speed is averaged over. */
const SPEED_OVER = 2000;
const MOST_WORKERS = 8;
/** Parameters below which a fully connected network is too small for a GPU's queue to pay. */
const WORTH_A_GPU = 300_000;
/** WebGPU may differ from the CPU by this, relatively, and is not trusted beyond it. */
const TOLERANCE = 1e-3;
/** Crashes of one worker's runs before the session gives up. */
const MOST_CRASHES = 3;

interface Member {
  employee: Employee<Trainer>;
  stacks: readonly Stack[];
  crashes: number;
  more: boolean;
}

export class Crew {
  #members: Member[] = [];
  /** Those who are not members yet. */
  #loading = new Set<Employee<Trainer>>();
  #device: DeviceName | null = null;
  #why: Said = () => "";
  #phase: Phase = "grid";
  #runs: readonly RunSpec[] = [];
  #steps = 0;
  #total = 0;
  #begun = false;
  #dismissed = false;
  /** Work that is under way; its workers on their way to rest; whether they rest. */
  #working: Promise<unknown> = Promise.resolve();
  #resting: Promise<void> | null = null;
  #asleep = false;
  /** Time and steps of recent slices. */
  #recent: { at: number; steps: number }[] = [];

  constructor(
    readonly experiment: Experiment,
    readonly plan: Plan,
    readonly choice: DeviceChoice,
    readonly listener: Listener,
  ) {}

  get phase(): Phase {
    return this.#phase;
  }

  get busy(): boolean {
    return this.#begun;
  }

  get progress(): Progress {
    const [first, last] = [this.#recent[0], this.#recent.at(-1)];
    const time = first && last ? last.at - first.at : 0;
    const steps = this.#recent.slice(1).reduce((sum, r) => sum + r.steps, 0);
    return {
      phase: this.#phase,
      steps: Math.min(this.#steps, this.#total),
      total: this.#total,
      stepsPerSecond: time > 0 ? (1000 * steps) / time : 0,
      device: this.#device === "gpu" ? "GPU" : "CPU",
      workers: this.#members.length,
      why: this.#why,
    };
  }

  dismiss(): void {
    this.#dismissed = true;
    for (const employee of this.#loading) employee.dismiss();
    this.#disband();
  }

  /** Puts a phase's runs at their initial weights, on the device that is the faster for them. */
  async begin(phase: Phase, runs: readonly RunSpec[]): Promise<void> {
    await this.#resting;
    await this.#occupied(this.#begin(phase, runs));
  }

  /** What the workers are about to do, for those who have to wait for its end. */
  #occupied<T>(work: Promise<T>): Promise<T> {
    this.#working = work.catch(() => undefined);
    return work;
  }

  async #begin(phase: Phase, runs: readonly RunSpec[]): Promise<void> {
    [this.#phase, this.#runs, this.#asleep] = [phase, runs, false];
    this.#device ??= await this.#choose();
    if (this.#dismissed) return this.#disband();
    const stacks = this.#stacks(this.#device);
    const workers = this.#device === "gpu" ? 1 : Math.min(this.#cores(), stacks.length);
    this.#disband(workers);
    const hire = async (device: DeviceName) => {
      // From now on it is dismissed with the others, whatever comes.
      this.#members.push({ employee: await this.#hire(device), stacks: [], crashes: 0, more: true });
    };
    const device = this.#device;
    await Promise.all(Array.from({ length: workers - this.#members.length }, () => hire(device)));
    const shares = share(stacks, workers);
    await Promise.all(
      this.#members.map(async (member, i) => {
        Object.assign(member, { stacks: shares[i], crashes: 0, more: true });
        await member.employee.settle(member.employee.remote.start([...member.stacks]));
      }),
    );
    if (this.#dismissed) return this.#disband();
    [this.#steps, this.#total] = [0, runs.reduce((sum, run) => sum + run.steps, 0)];
    this.#begun = true;
    this.listener.begun(phase, runs);
  }

  /** Works while `going`, or until every run has taken `most` steps; true when all runs have ended. */
  async work(going: () => boolean, most: number): Promise<boolean> {
    await this.#resting;
    return this.#occupied(this.#work(going, most));
  }

  async #work(going: () => boolean, most: number): Promise<boolean> {
    if (this.#dismissed) return false;
    if (this.#asleep) await this.#wake();
    this.#recent = [];
    await Promise.all(this.#members.map((member) => this.#pump(member, going, most)));
    return this.#members.every((member) => !member.more);
  }

  /**
   * Frees the workers, once their work has ended and if they are not wanted again by then (`still`); what they have is kept, and
   * `work` goes on from there.
   */
  rest(still: () => boolean): Promise<void> {
    this.#resting ??= this.#rest(still).finally(() => {
      this.#resting = null;
    });
    return this.#resting;
  }

  async #rest(still: () => boolean): Promise<void> {
    for (let seen: unknown; seen !== this.#working; ) {
      seen = this.#working;
      await seen;
    }
    if (!still() || this.#dismissed || this.#asleep || !this.#begun) return;
    const keep = async (member: Member) => {
      const { employee, stacks } = member;
      const kept = await employee.settle(employee.remote.keep());
      member.stacks = stacks.map((stack, i) => ({ ...stack, kept: kept[i] }));
    };
    // What is not kept begins again from its seeds, which gives the same curves; on a GPU nothing is.
    if (this.#device === "cpu") await Promise.allSettled(this.#members.map(keep));
    for (const { employee } of this.#members) employee.dismiss();
    this.#asleep = true;
  }

  async #wake(): Promise<void> {
    this.#asleep = false;
    if (this.#device === "gpu") {
      this.#disband();
      this.listener.notice((words) => words.lab.gpuRested);
      return this.#begin(this.#phase, this.#runs);
    }
    for (const member of this.#members) {
      member.employee = await this.#hire("cpu");
      await member.employee.settle(member.employee.remote.start([...member.stacks]));
    }
  }

  async #pump(member: Member, going: () => boolean, most: number): Promise<void> {
    while (going() && member.more && this.#members.includes(member)) {
      try {
        const { employee } = member;
        const work = await employee.settle(employee.remote.slice(SLICE, most));
        if (this.#dismissed) return;
        member.more = work.more;
        for (const { run, measurement } of work.measured) this.listener.measured(this.#phase, run, measurement);
        for (const { run, end } of work.ended) this.listener.ended(this.#phase, run, end);
        this.#count(work.steps);
        this.listener.worked();
      } catch (error) {
        if (this.#dismissed) return;
        await this.#recover(member, error);
      }
      if (most < Infinity) return;
    }
  }

  #count(steps: number): void {
    const now = performance.now();
    this.#steps += steps;
    this.#recent.push({ at: now, steps });
    // A slow device has few slices: the last two are kept, however old.
    this.#recent = this.#recent.filter((r, i, all) => now - r.at < SPEED_OVER || i >= all.length - 2);
  }

  /** Replaces a crashed worker; its runs begin again from the same seeds, which gives the same curves. */
  async #recover(member: Member, error: unknown): Promise<void> {
    const what = reasonOf(error);
    member.employee.dismiss();
    if (this.#device === "gpu") {
      this.#disband();
      [this.#device, this.#why] = ["cpu", (words) => words.lab.lostGpu];
      this.listener.notice((words) => words.lab.gpuLost(what(words)));
      return this.#begin(this.#phase, this.#runs);
    }
    // Where memory is used up it would be so again.
    if (!(error instanceof Crash) || error.memory) throw error;
    member.crashes++;
    if (member.crashes > MOST_CRASHES) throw new Told((words) => words.lab.crashes(what(words)));
    member.employee = await this.#hire("cpu");
    await member.employee.settle(member.employee.remote.start([...member.stacks]));
    this.listener.notice((words) => words.lab.crashed(what(words)));
  }

  async #hire(device: DeviceName): Promise<Employee<Trainer>> {
    const employee = trainer();
    this.#loading.add(employee);
    try {
      await employee.settle(employee.remote.load(device, this.experiment, this.plan.images));
      // Nobody would dismiss it any more.
      if (this.#dismissed) throw new Crash("dismissed");
      return employee;
    } catch (error) {
      employee.dismiss();
      throw error;
    } finally {
      this.#loading.delete(employee);
    }
  }

  #disband(keep = 0): void {
    for (const { employee } of this.#members.splice(keep)) employee.dismiss();
  }

  #cores(): number {
    return Math.min(navigator.hardwareConcurrency || 2, MOST_WORKERS);
  }

  /** The phase's runs in stacks; the longest first. */
  #stacks(device: DeviceName): Stack[] {
    const all = this.#runs.map((_, i) => i);
    const grid = device === "gpu" ? this.plan.stacked : this.plan.single;
    const verify = device === "gpu" ? [all] : all.map((i) => [i]);
    const indices = this.#phase === "grid" ? grid : verify;
    return indices.map((stack) => ({ indices: stack, runs: stack.map((i) => this.#runs[i] as RunSpec) }));
  }

  /** The faster device, by timing both on the actual work where a GPU may gain. */
  async #choose(): Promise<DeviceName> {
    const cpu = (why: Said): DeviceName => {
      this.#why = why;
      return "cpu";
    };
    if (this.choice === "cpu") return cpu((w) => w.lab.asked);
    const large = this.plan.model.parameters > WORTH_A_GPU || this.experiment.model === "cnn";
    if (this.choice === "auto" && !large) return cpu((w) => w.lab.small);
    if (!(await adapter())) return cpu((w) => w.lab.noWebGpu);
    let gpu: Employee<Trainer> | undefined;
    let own: Employee<Trainer> | undefined;
    try {
      gpu = await this.#hire("gpu");
      const [run] = this.#runs;
      const off = run ? await gpu.settle(gpu.remote.disagreement(run)) : Infinity;
      if (!(off <= TOLERANCE)) return cpu((w) => w.lab.disagrees(off));
      if (this.choice === "auto") {
        own = await this.#hire("cpu");
        const onCpu = (await time(own, this.#stacks("cpu"))) * Math.min(this.#cores(), this.#runs.length);
        const onGpu = await time(gpu, this.#stacks("gpu"));
        if (onGpu <= onCpu) return cpu((w) => w.lab.ratio(onGpu / onCpu));
        this.#why = (w) => w.lab.ratio(onGpu / onCpu);
      } else {
        this.#why = (w) => w.lab.asked;
      }
      // It has the images already.
      this.#members = [{ employee: gpu, stacks: [], crashes: 0, more: true }];
      gpu = undefined;
      return "gpu";
    } catch (error) {
      const what = reasonOf(error);
      return cpu((w) => w.lab.gpuFailed(what(w)));
    } finally {
      gpu?.dismiss();
      own?.dismiss();
    }
  }
}

/** What an error says first: the whole chain is for those who look into the console, where a panic says all that it has to say. */
function reasonOf(error: unknown): Said {
  const text = error instanceof Error ? error.message : String(error);
  const first = /^[^\n:]{8,}?(?=[\n:]|\.\s)/.exec(text)?.[0] ?? text.split("\n")[0] ?? text;
  return (words) => (text === "unreachable" ? words.lab.panicked : first);
}

/** Spreads stacks, the longest first, over workers so that they end together. */
function share(stacks: Stack[], workers: number): Stack[][] {
  const shares = Array.from({ length: workers }, () => ({ stacks: [] as Stack[], steps: 0 }));
  for (const stack of stacks) {
    const least = shares.reduce((a, b) => (b.steps < a.steps ? b : a));
    least.stacks.push(stack);
    least.steps += Math.max(...stack.runs.map((run) => run.steps));
  }
  return shares.map((s) => s.stacks);
}

/** Steps a second over all runs, after one that is not counted. */
async function time(employee: Employee<Trainer>, stacks: Stack[]): Promise<number> {
  await employee.settle(employee.remote.start(stacks));
  await employee.settle(employee.remote.slice(SLICE, 1));
  const begin = performance.now();
  const { steps } = await employee.settle(employee.remote.slice(TRIAL));
  return (1000 * steps) / (performance.now() - begin);
}

async function adapter(): Promise<boolean> {
  try {
    return "gpu" in navigator && (await (navigator.gpu as { requestAdapter(): Promise<unknown> }).requestAdapter()) !== null;
  } catch {
    return false;
  }
}
