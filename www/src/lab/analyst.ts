// The worker that does everything but training: settings, data sets, findings, theory.
import { expose, proxy } from "comlink";
import type { Experiment, FigureName, Findings, Forecast, RunSpec, Trace } from "../types.ts";
import init, {
  Archive,
  findings,
  forecastRuns,
  heed,
  type DataSummary,
  type Heeded,
  type Plan,
  type Setting,
} from "../wasm/cpu/l2lab_web.js";
import type { Theory as Solution } from "../wasm/theory/l2lab_web.js";
// 512 training images of the embedded set, and those 400 of its 1000 test images that the page's experiment draws.
import trainImages from "../../../core/assets/fashion-mnist-512/train-images-idx3-ubyte.gz?url";
import trainLabels from "../../../core/assets/fashion-mnist-512/train-labels-idx1-ubyte.gz?bytes";
import testImages from "../../../core/assets/fashion-mnist-512/t10k-400-images-idx3-ubyte.gz?url";
import testLabels from "../../../core/assets/fashion-mnist-512/t10k-400-labels-idx1-ubyte.gz?bytes";

const EMBEDDED = "fashion-mnist-512";

/** Curves of infinitely wide networks. */
class Theory {
  readonly #solution: Solution;

  constructor(solution: Solution) {
    this.#solution = solution;
  }

  gammas(): Float64Array {
    return this.#solution.gammas;
  }

  curves(lambda: number, times: Float64Array) {
    const losses = this.#solution.losses(lambda, times);
    return {
      train: losses.slice(0, times.length),
      test: losses.slice(times.length),
      peak: this.#solution.peak(lambda) ?? null,
    };
  }

  modes(lambda: number, k: number, which: number[], times: Float64Array): Float64Array[] {
    return which.map((mode) => this.#solution.mode(lambda, k, mode, times));
  }
}

class Analyst {
  readonly #archive: Promise<Archive>;
  #embedded: Promise<void> | undefined;

  constructor() {
    this.#archive = init().then(() => new Archive());
    // Whoever asks first is told.
    this.#archive.catch(() => undefined);
  }

  async heed(figure: FigureName, settings: Setting[]): Promise<Heeded> {
    await this.#archive;
    return heed(figure, settings);
  }

  async add(files: { name: string; bytes: Uint8Array }[]): Promise<DataSummary> {
    const archive = await this.#archive;
    return archive.add(files.map((f) => f.name), files.map((f) => f.bytes));
  }

  async plan(experiment: Experiment): Promise<Plan> {
    return (await this.#with(experiment)).plan(experiment);
  }

  async findings(experiment: Experiment, examples: number, traces: Trace[], verification: Trace[]): Promise<Findings> {
    await this.#archive;
    return findings(experiment, examples, traces, verification);
  }

  async forecastRuns(experiment: Experiment, forecast: Forecast): Promise<RunSpec[]> {
    await this.#archive;
    return forecastRuns(experiment, forecast);
  }

  async theory(experiment: Experiment) {
    const [{ images }, module] = await Promise.all([this.plan(experiment), import("../wasm/theory/l2lab_web.js")]);
    await module.default();
    return proxy(new Theory(new module.Theory(experiment, images)));
  }

  /** The archive, with the data that the experiment is about if it is the page's own. */
  async #with(experiment: Experiment): Promise<Archive> {
    if (experiment.data === EMBEDDED) {
      this.#embedded ??= this.#fetch().catch((error: unknown) => {
        this.#embedded = undefined;
        throw error;
      });
      await this.#embedded;
    }
    return this.#archive;
  }

  async #fetch(): Promise<void> {
    const names = ["train-images", "t10k-images", "train-labels", "t10k-labels"];
    const load = async (url: string) => {
      const response = await fetch(url);
      if (!response.ok) throw new Error(`The images could not be loaded: ${response.status} ${response.statusText}.`);
      return new Uint8Array(await response.arrayBuffer());
    };
    const images = await Promise.all([trainImages, testImages].map(load));
    (await this.#archive).add(names, [...images, trainLabels, testLabels], EMBEDDED);
  }
}

export type { Analyst, Theory };

expose(new Analyst());
