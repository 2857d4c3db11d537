// One experiment on the page: its settings, its recorded result and its live session; several elements may show it.
import type { DeviceChoice, Session, State, Progress } from "../lab/session.ts";
import { BASES, type FigureName, type Recording } from "../types.ts";
import type { Said } from "../words/words.ts";
import { enter, leave, settle, type Held, type Trainee } from "./floor.ts";
import { loadRecorded } from "./recorded.ts";
import { belongs, differing, equal, over, type Settings } from "./settings.ts";

export type Lab = typeof import("../lab/session.ts");

let loading: Promise<Lab> | null = null;

/** The training code, loaded once, when it is first needed. */
export function lab(): Promise<Lab> {
  loading ??= import("../lab/session.ts").catch((error: unknown) => {
    loading = null;
    throw error;
  });
  return loading;
}

/** Where what is shown comes from. */
export type Origin = "recorded" | "live" | "none";

/** What an element shows of an experiment. */
export interface Shown {
  readonly origin: Origin;
  readonly recording: Recording | null;
  readonly frame: Recording | null;
  readonly message: Said | null;
}

/** Milliseconds out of sight after which workers are freed. */
const REST_AFTER = 3000;

/** Dispatches "change" when anything of it has changed, and "settings" when its reader has changed them. */
export class Workbench extends EventTarget implements Trainee {
  #author: Settings = {};
  #free: readonly string[] | null = null;
  #reader: Settings = {};
  #device: DeviceChoice = "auto";
  #session: Session | null = null;
  #opening: Promise<Session | null> | null = null;
  #failure: Said | null = null;
  #recorded: Recording | null = null;
  #live: Recording | null = null;
  #loadingRecorded = false;
  /** How many were asked for: the last one counts. */
  #loads = 0;
  #viewers = new Set<object>();
  /** Whether it is to train, and why it does not if so. */
  #wanted = false;
  #held: Held | null = null;
  #rest: ReturnType<typeof setTimeout> | undefined;
  readonly #attend = () => this.#attention();

  constructor(readonly figure: FigureName) {
    super();
  }

  /** Every field's value as text. */
  get full(): Settings {
    return over(this.initial, this.#reader);
  }

  /** What the page's author set, over the figure's own base. */
  get initial(): Settings {
    return over(BASES[this.figure], this.#author);
  }

  /** What the reader changed. */
  get changes(): Settings {
    return { ...this.#reader };
  }

  /** What to train on. */
  get device(): DeviceChoice {
    return this.#device;
  }

  set device(device: DeviceChoice) {
    if (device === this.#device) return;
    this.#device = device;
    this.#settled();
  }

  get state(): State {
    if (this.#failure) return "failed";
    return this.#session?.state ?? (this.#opening ? "loading" : "idle");
  }

  get progress(): Progress | null {
    return this.#session?.progress ?? null;
  }

  get notice(): Said | null {
    return this.#session?.notice ?? null;
  }

  get error(): Said | null {
    return this.#failure ?? this.#session?.error ?? null;
  }

  /** What is wrong with settings that were left out, in the core's words. */
  get problems(): readonly string[] {
    return this.#session?.problems ?? [];
  }

  /** Runs of the live recording that its findings are about: when these are all, what is found is final. */
  get settled(): ReadonlySet<number> {
    return this.#session?.settled ?? new Set();
  }

  /** The session's recording, while it is live. */
  get live(): Recording | null {
    return this.#session?.recording ?? null;
  }

  /** Whether there is something that rewind would undo. */
  get started(): boolean {
    return this.#session !== null || this.#wanted;
  }

  /** What it waits for, if it is to train and does not. */
  get held(): Held | null {
    return this.#wanted ? this.#held : null;
  }

  /** Whether it trains, or will when it need not wait any more. */
  get busy(): boolean {
    return this.#wanted || this.state === "running" || this.state === "loading";
  }

  get attended(): boolean {
    return document.visibilityState === "visible" && this.#viewers.size > 0;
  }

  /**
   * Settings of the page's author; the reader's go over them. `free` names those that the reader may change, if not all: the
   * others are the author's, whatever a link says.
   */
  setAuthor(settings: Settings, free: readonly string[] | null = null): void {
    const before = this.full;
    this.#author = settings;
    this.#free = free;
    this.#reader = this.#allowed(this.#reader);
    if (equal(before, this.full)) this.#changed();
    else this.#settled();
  }

  /** Replaces the reader's changes. */
  change(settings: Settings): void {
    const reader = this.#allowed(settings);
    if (equal(reader, this.#reader)) return;
    this.#reader = reader;
    this.#settled();
    this.dispatchEvent(new Event("settings"));
  }

  /** Sets one field. */
  set(name: string, value: string): void {
    this.change({ ...this.#reader, [name]: value });
  }

  /** Loads a recorded result when its `turn` has come; its problem, if any, is the returned sentence. */
  async load(url: string, turn: Promise<void>): Promise<Said | null> {
    const load = ++this.#loads;
    this.#loadingRecorded = true;
    this.#changed();
    const loaded = await loadRecorded<Recording>(url, turn, ["experiment", "findings"]);
    const failed = typeof loaded === "function";
    if (load === this.#loads) {
      this.#loadingRecorded = false;
      if (!failed) this.#recorded = loaded;
    }
    this.#changed();
    return failed ? loaded : null;
  }

  /** What a figure that does not depend on the `ignored` fields shows now. */
  shown(ignored: readonly string[]): Shown {
    const { full } = this;
    const fits = (r: Recording | null) => (r && belongs(r.experiment, full, ignored) ? r : null);
    const frame = fits(this.#recorded);
    if (this.#session) {
      const recording = this.#session.recording;
      if (recording) return { origin: "live", recording, frame, message: null };
      if (this.state !== "failed") {
        const { held, state } = this;
        const message: Said = ({ status }) => (held === "turn" ? status.waitingFor : state === "idle" ? status.rewound : status.starting);
        return { origin: "live", recording: null, frame, message };
      }
    }
    const live = fits(this.#live);
    if (live) return { origin: "live", recording: live, frame, message: null };
    if (frame) return { origin: "recorded", recording: frame, frame, message: null };
    const key = this.#loadingRecorded ? "loadingRecorded" : this.held === "turn" ? "waitingFor" : this.#opening ? "starting" : this.#recorded ? "changed" : "noRecorded";
    const message: Said = ({ status }) => status[key];
    return { origin: "none", recording: null, frame: null, message };
  }

  /** Trains: at once, or with `first` false when no other experiment on the page does. */
  play(first = true): void {
    this.#wanted = true;
    this.#held = "turn";
    if (this.#session?.state === "done") this.#session.rewind();
    enter(this, first);
    this.#changed();
  }

  hold(why: Held | null): void {
    if (!this.#wanted || this.#held === why) return;
    this.#held = why;
    if (why === null) {
      void this.#open().then((session) => {
        if (this.#wanted && this.#held === null) session?.play();
      });
    } else {
      void this.#opening?.then((session) => {
        if (!this.#wanted || this.#held !== why) return;
        session?.pause();
        if (why === "turn") session?.rest();
      });
    }
    this.#changed();
  }

  async pause(): Promise<void> {
    this.#leave();
    this.#changed();
    (await this.#opening)?.pause();
    this.#attention();
  }

  async step(): Promise<void> {
    this.#leave();
    (await this.#open())?.step();
  }

  async rewind(): Promise<void> {
    this.#leave();
    if (this.state === "failed") {
      this.#close();
      this.#changed();
      return;
    }
    (await this.#opening)?.rewind();
    this.#changed();
  }

  /** Tells whether `viewer` is on the screen; nothing is computed that nobody can see. */
  watch(viewer: object, visible: boolean): void {
    if (this.#viewers.size === 0) document.addEventListener("visibilitychange", this.#attend);
    if (visible) this.#viewers.add(viewer);
    else this.#viewers.delete(viewer);
    if (this.#viewers.size === 0) document.removeEventListener("visibilitychange", this.#attend);
    this.#attention();
  }

  /** Drops what came of data that others of the same name have replaced. */
  forget(): void {
    this.#leave();
    this.#close();
    this.#live = null;
    this.#changed();
  }

  /** Ends the session and frees what it holds; whoever shows it ("gone") has to look for another. */
  dispose(): void {
    this.#leave();
    this.#close();
    this.#changed();
    this.dispatchEvent(new Event("gone"));
  }

  #attention(): void {
    clearTimeout(this.#rest);
    if (!this.attended) this.#rest = setTimeout(() => void this.#opening?.then((session) => session?.rest()), REST_AFTER);
    settle();
  }

  /** It is not to train any more. */
  #leave(): void {
    this.#wanted = false;
    this.#held = null;
    leave(this);
  }

  #allowed(settings: Settings): Settings {
    const free = this.#free;
    const own = Object.entries(settings).filter(([name]) => free === null || free.includes(name));
    return differing(Object.fromEntries(own), this.initial);
  }

  #open(): Promise<Session | null> {
    if (this.state === "failed") this.#close();
    if (this.#opening) return this.#opening;
    const settings = differing(this.full, BASES[this.figure]);
    const opening: Promise<Session | null> = lab().then(
      ({ Session }) => {
        if (this.#opening !== opening) return null;
        const session = new Session(this.figure, settings, this.#device);
        session.addEventListener("change", () => {
          if (session !== this.#session) return;
          if (session.state === "done" || session.state === "failed") this.#leave();
          this.#changed();
        });
        this.#session = session;
        this.#changed();
        return session;
      },
      () => {
        if (this.#opening === opening) {
          this.#failure = (w) => w.errors.lab;
          this.#leave();
        }
        this.#changed();
        return null;
      },
    );
    this.#opening = opening;
    this.#changed();
    return opening;
  }

  #close(): void {
    if (this.#session?.state === "done") this.#live = this.#session.recording;
    this.#session?.close();
    this.#session = null;
    this.#opening = null;
    this.#failure = null;
    clearTimeout(this.#rest);
  }

  #settled(): void {
    this.#leave();
    this.#close();
    this.#changed();
  }

  #changed(): void {
    this.dispatchEvent(new Event("change"));
  }
}
