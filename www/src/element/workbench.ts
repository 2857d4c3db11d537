// One experiment on the page: its settings, its recorded result and its live session; several elements may show it.
import type { DeviceChoice, Session, State, Progress } from "../lab/session.ts";
import { BASES, RECORDING_VERSION, type FigureName, type Recording } from "../types.ts";
import { words } from "../words.ts";
import { belongs, differing, same, type Settings } from "./settings.ts";

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
  readonly message: string | null;
}

/** Dispatches "change" when anything of it has changed, and "settings" when its reader has changed them. */
export class Workbench extends EventTarget {
  #author: Settings = {};
  #reader: Settings = {};
  #device: DeviceChoice = "auto";
  #session: Session | null = null;
  #opening: Promise<Session | null> | null = null;
  #failure: string | null = null;
  #recorded: Recording | null = null;
  #live: Recording | null = null;
  #loadingRecorded = false;
  #viewers = new Set<object>();
  #unattended = false;
  readonly #attend = () => this.#attention();

  constructor(readonly figure: FigureName) {
    super();
  }

  /** Every field's value as text. */
  get full(): Settings {
    return { ...BASES[this.figure], ...this.#author, ...this.#reader };
  }

  /** What the page's author set, over the figure's own base. */
  get initial(): Settings {
    return { ...BASES[this.figure], ...this.#author };
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

  get notice(): string | null {
    return this.#session?.notice ?? null;
  }

  get error(): string | null {
    return this.#failure ?? this.#session?.error ?? null;
  }

  /** The session's recording, while it is live. */
  get live(): Recording | null {
    return this.#session?.recording ?? null;
  }

  /** Whether there is something that rewind would undo. */
  get started(): boolean {
    return this.#session !== null;
  }

  /** Whether it waits for a reader who has looked away. */
  get unattended(): boolean {
    return this.#unattended;
  }

  /** Settings of the page's author; the reader's go over them. */
  setAuthor(settings: Settings): void {
    this.#author = settings;
    this.#reader = differing(this.#reader, this.initial);
    this.#settled();
  }

  /** Replaces the reader's changes. */
  change(settings: Settings): void {
    const reader = differing(settings, this.initial);
    const names = new Set([...Object.keys(reader), ...Object.keys(this.#reader)]);
    if ([...names].every((n) => same(reader[n], this.#reader[n]))) return;
    this.#reader = reader;
    this.#settled();
    this.dispatchEvent(new Event("settings"));
  }

  /** Sets one field. */
  set(name: string, value: string): void {
    this.change({ ...this.#reader, [name]: value });
  }

  /** Loads a recorded result when its `turn` has come; its problem, if any, is the returned sentence. */
  async load(url: string, turn: Promise<void>): Promise<string | null> {
    this.#loadingRecorded = true;
    this.#changed();
    try {
      await turn;
      const response = await fetch(url);
      if (!response.ok) return words.errors.recorded(url);
      const recording = (await response.json()) as Partial<Recording>;
      if (recording.version !== RECORDING_VERSION || !recording.experiment || !recording.findings) return words.errors.version(url);
      this.#recorded = recording as Recording;
      return null;
    } catch {
      return words.errors.recorded(url);
    } finally {
      this.#loadingRecorded = false;
      this.#changed();
    }
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
        const message = this.state === "idle" ? words.status.rewound : words.status.starting;
        return { origin: "live", recording: null, frame, message };
      }
    }
    const live = fits(this.#live);
    if (live) return { origin: "live", recording: live, frame, message: null };
    if (frame) return { origin: "recorded", recording: frame, frame, message: null };
    const message = this.#loadingRecorded
      ? words.status.loadingRecorded
      : this.#opening
        ? words.status.starting
        : this.#recorded
          ? words.status.changed
          : words.status.noRecorded;
    return { origin: "none", recording: null, frame: null, message };
  }

  async play(): Promise<void> {
    this.#unattended = false;
    const session = await this.#open();
    if (session?.state === "done") session.rewind();
    session?.play();
    this.#attention();
  }

  async pause(): Promise<void> {
    this.#unattended = false;
    (await this.#opening)?.pause();
    this.#changed();
  }

  async step(): Promise<void> {
    this.#unattended = false;
    (await this.#open())?.step();
  }

  async rewind(): Promise<void> {
    this.#unattended = false;
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
    this.#close();
    this.#live = null;
    this.#changed();
  }

  /** Ends the session and frees what it holds. */
  dispose(): void {
    this.#close();
  }

  #attention(): void {
    const attended = document.visibilityState === "visible" && this.#viewers.size > 0;
    if (!attended && (this.state === "running" || this.state === "loading") && !this.#unattended) {
      this.#unattended = true;
      void this.#opening?.then((session) => {
        if (this.#unattended) session?.pause();
      });
    } else if (attended && this.#unattended) {
      this.#unattended = false;
      void this.#opening?.then((session) => session?.play());
    } else {
      return;
    }
    this.#changed();
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
          if (session === this.#session) this.#changed();
        });
        this.#session = session;
        this.#changed();
        return session;
      },
      () => {
        if (this.#opening === opening) this.#failure = words.errors.lab;
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
    this.#unattended = false;
  }

  #settled(): void {
    this.#close();
    this.#changed();
  }

  #changed(): void {
    this.dispatchEvent(new Event("change"));
  }
}
