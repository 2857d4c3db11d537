// English: every visible string of the elements and charts. Other catalogues have the same shape (words.ts).

import {
  HELP_ACTIVATION,
  HELP_BATCH,
  HELP_BIAS,
  HELP_DEPTH,
  HELP_ESTIMATOR,
  HELP_LABEL_NOISE,
  HELP_LAMBDA,
  HELP_LOSS,
  HELP_LR,
  HELP_MEASUREMENTS,
  HELP_SEED,
  HELP_SEEDS,
  HELP_STEPS,
  HELP_TAU,
  HELP_TEST,
  HELP_TRAIN,
  HELP_WIDTH,
  type Fit,
  type Outcome,
} from "../types.ts";

type Interval = readonly [string, string] | null;

const between = (interval: Interval) => (interval ? ` (95 % interval ${interval[0]} to ${interval[1]})` : "");
const runs = (n: number) => `${n} run${n === 1 ? "" : "s"}`;
const seeds = (n: number) => `${n} seed${n === 1 ? "" : "s"}`;

interface Reach {
  readonly step: string;
  readonly reached: number;
  readonly runs: number;
}
const some = (reach: Reach) => (reach.reached < reach.runs ? ` (${reach.reached} of ${runs(reach.runs)})` : "");

const ESTIMATORS = {
  arrival: "arrival near the maximum",
  peak: "the maximum itself",
  loss: "least test loss",
};

/** What a curve did, or some. */
const OUTCOMES: Readonly<Record<Outcome, (loss: boolean) => string>> = {
  peak: (loss) => `reached a ${loss ? "minimum" : "peak"}`,
  plateau: () => "arrived at the best and stayed",
  flat: (loss) => `${loss ? "fell" : "rose"} no more than noise`,
  censored: (loss) => `may still ${loss ? "fall" : "rise"}`,
  diverged: () => "diverged",
};

/** Why a fit may decide nothing. */
const UNDECIDED = {
  seeds: "one seed has no interval",
  chance: "the interval has what comes by chance or without L2",
  wide: "the interval is too wide",
};

export const en = {
  /** A BCP 47 tag, and which way its writing runs. */
  lang: "en",
  dir: "ltr",

  chart: {
    role: "chart",
    hint: "Left and right arrow keys read the values of a series, up and down change the series.",
  },

  lambda: (lambda: string) => `λ = ${lambda}`,
  group: (lambda: string, lr: string) => `${lambda}, η = ${lr}`,
  run: (group: string, seed: number) => `${group}, seed ${seed}`,

  clocks: {
    tau: { name: "τ = ηλt", label: "regularization time τ = ηλt/(1−β)", short: "τ" },
    step: { name: "steps", label: "steps t", short: "step" },
    epoch: { name: "epochs", label: "epochs", short: "epoch" },
  },
  quantities: {
    test_accuracy: { name: "test accuracy", label: "test accuracy", short: "accuracy" },
    test_loss: { name: "test loss", label: "test loss", short: "loss" },
    train_accuracy: { name: "training accuracy", label: "training accuracy", short: "training accuracy" },
  },
  schedules: {
    constant: "constant",
    autol2: "AutoL2",
    "autol2-reference": "Reference AutoL2",
    "inverse-time": "λ ∝ 1/t",
    step: "λ in steps",
    cosine: "λ as a cosine",
    off: "λ switched off",
    "warm-up": "λ warmed up",
  },
  estimators: ESTIMATORS,

  clock: {
    title: "Accuracy on three clocks",
    caption:
      "Thin lines are single seeds, strong lines their mean; each point averages the measurements from t/1.25 to 1.25 t. By the law the best moments and the declines of all λ line up in τ; the sentences above say whether they do here.",
    clockSwitch: "Time in",
    quantitySwitch: "Show",
    star: (estimator: string, final: boolean) => `t*: ${estimator}${final ? "" : ", so far"}`,
    chart: (quantity: string, clock: string) => `${quantity[0]?.toUpperCase()}${quantity.slice(1)} against ${clock}`,
    /** One curve; `at` is where it has its peak, or its t*. */
    cell: (f: { name: string; best: string; outcome: Outcome; loss: boolean; at: readonly [step: string, tau: string] | null; decline: string | null; atLeast: string | null }): string =>
      `${f.name}: best accuracy ${f.best}; ${f.loss ? "its test loss" : "it"} ${OUTCOMES[f.outcome](f.loss)}` +
      `${f.at ? ` (step ${f.at[0]}, τ\u00a0=\u00a0${f.at[1]})` : ""}${f.decline === null ? "" : `, then declined by ${f.decline}`}` +
      `${f.atLeast === null ? "" : `; t* is step ${f.atLeast} or later`}.`,
    ends: (group: string, best: string, end: string) => `${group}: best accuracy ${best}, at the end ${end}.`,
    /** How many curves show what. */
    shown: (outcomes: readonly (readonly [Outcome, number])[], loss: boolean) => {
      const all = outcomes.reduce((sum, [, count]) => sum + count, 0);
      const what = loss ? "test loss" : "test accuracy";
      const list = outcomes.map(([outcome, count]) => `${count} ${OUTCOMES[outcome](loss)}`).join(", ");
      return `Of ${all} curve${all === 1 ? "" : "s"} of ${what}, ${list}.`;
    },
    finding: (f: {
      times: number;
      steps: readonly string[];
      tau: readonly string[];
      spread: { tau: string; steps: string; nearer: boolean } | null;
    }) =>
      `The ${f.times} t* lie between step ${f.steps[0]} and step ${f.steps[1]}, a factor of ${f.steps[2]} apart; in τ between ${f.tau[0]} and ${f.tau[1]}, a factor of ${f.tau[2]}. By the law they are equal in τ.` +
      `${f.spread ? ` The curves lie ${f.spread.nearer ? "nearer" : "no nearer"} together in τ (${f.spread.tau} apart, standard deviation) than in steps (${f.spread.steps}).` : ""}`,
  },

  law: {
    title: "The time to the best performance against λ",
    caption:
      "One dot for each run of a λ whose curve can be timed. Arrows are λ whose curves still rise: t* is there or later. The band holds the slopes of the 95 % interval over seeds; “by chance” is that of the same times exchanged between the λ.",
    estimatorSwitch: "t* is",
    x: { label: "L2 coefficient λ", short: "λ" },
    xRate: { label: "ηλ/(1−β)", short: "ηλ" },
    y: { label: "t* in steps", short: "t*" },
    chart: "t* in steps against λ, on logarithmic axes",
    runKey: "a run",
    later: "still rises: at least",
    guide: "the law: slope −1",
    placebo: "by chance",
    fit: (slope: string) => `fit: slope ${slope}`,
    /** `why` is the core's English. */
    refused: (f: { why: string; lambdas: number; outcomes: readonly (readonly [Outcome, number])[]; loss: boolean }) => `There is no fit: ${f.why}.`,
    /** `text` writes a number; `undecided` is why the fit decides nothing, if it does not. */
    finding: (fit: Fit, text: (value: number) => string, cells: number, several: boolean, undecided: keyof typeof UNDECIDED | null) => {
      const interval = (ci: readonly [number, number] | null) => between(ci && [text(ci[0]), text(ci[1])]);
      const { cells_bounding: bounds, without_l2: without } = fit;
      return (
        `t* goes as λ to the power ${text(fit.slope)}${interval(fit.slope_ci)}, from ${runs(fit.n)} and ${seeds(fit.seeds)}: ${fit.cells_timed} of ${cells} curves can be timed` +
        `${bounds > 0 ? `, and ${bounds} more ${bounds === 1 ? "bounds" : "bound"} t* from below` : ""}. ` +
        `The law says −1 to within 0.2: ${undecided ? `these runs do not decide it: ${UNDECIDED[undecided]}` : `it ${fit.law}`}. ` +
        `By chance, with the times exchanged between the λ, the power is ${text(fit.placebo_slope)}${interval(fit.placebo_ci)}. ` +
        `${without.slope === null ? "" : `Almost without L2, in the curves of the smallest λ cut to the lengths of the others, it is ${text(without.slope)}. `}` +
        `${several ? `Over ηλ, all η together, it is ${text(fit.slope_product)}${interval(fit.slope_product_ci)}. ` : ""}` +
        `The constant is c′\u00a0=\u00a0${text(fit.c_prime)}.`
      );
    },
  },

  predict: {
    title: "The best λ for a budget",
    caption:
      "Dots are the grid: the best accuracy that each λ reaches within the budget. The vertical line is the λ that the law predicts from the short runs, with its 95 % interval; the diamond is how networks trained there did.",
    x: { label: "L2 coefficient λ", short: "λ" },
    y: { label: "best test accuracy within the budget", short: "accuracy" },
    chart: "Best accuracy within the budget against λ",
    grid: "grid",
    predicted: "trained at the predicted λ",
    marker: (lambda: string) => `predicted λ = ${lambda}`,
    none: "No λ can be timed, so there is no prediction.",
    forecast: (f: { lambda0: string; tStar: string; n: number; budget: string; lambda: string; interval: Interval }) =>
      `The short runs at λ₀\u00a0=\u00a0${f.lambda0} have their t* at step ${f.tStar} (n\u00a0=\u00a0${f.n}), so for ${f.budget} steps the law predicts λ\u00a0=\u00a0${f.lambda}${between(f.interval)}.`,
    regret: (f: { accuracy: string; best: string; bestLambda: string; regret: string; interval: Interval; seeds: number }) =>
      `Trained there: accuracy ${f.accuracy}, against ${f.best} for a λ tuned on the other seeds (on all of them: λ\u00a0=\u00a0${f.bestLambda}). The regret is ${f.regret}${between(f.interval)}, ${seeds(f.seeds)}.`,
  },

  auto: {
    title: "A λ that adapts, beside constants",
    caption:
      "Colours are constant λ; lines in the colour of the text are schedules that start at the largest of them. The second chart shows λ itself, the median over seeds. Thin lines are single seeds. The best constant is the one with the best final test accuracy: it is picked in hindsight, as a search by hand would.",
    y: { label: "L2 coefficient λ", short: "λ" },
    chart: (clock: string) => `λ against ${clock}, on logarithmic axes`,
    path: (name: string, from: string, to: string) => `${name}: λ goes from ${from} to ${to}.`,
    range: (ends: readonly string[]) => ends.join(" to "),
    none: "No schedule is compared with it.",
    best: (f: { constants: number; name: string; accuracy: string; n: number; reach: Reach }) =>
      `${f.constants > 1 ? `The best of ${f.constants} constants` : "The constant"}, ${f.name.replaceAll(" ", "\u00a0")}, ends at test accuracy ${f.accuracy} (n\u00a0=\u00a0${f.n})` +
      `${f.reach.reached > 0 ? ` and first gets there at step ${f.reach.step}${some(f.reach)}` : ""}.`,
    schedule: (f: {
      name: string;
      accuracy: string;
      n: number;
      verdict: "even" | "loses" | "wins" | "unknown";
      less: boolean;
      by: string;
      sd: string;
      lambda: string;
      reach: Reach;
    }) =>
      `${f.name} ${{ even: "ends", unknown: "ends", loses: "loses: it ends", wins: "does better: it ends" }[f.verdict]} at ${f.accuracy} (n\u00a0=\u00a0${f.n}), ${f.by} ${f.less ? "below" : "above"}, ` +
      `${{ even: "less than", unknown: "", loses: "more than", wins: "more than" }[f.verdict]}` +
      `${f.verdict === "unknown" ? "with one seed, so that nothing can be said of chance" : ` the spread over seeds (sd ${f.sd})`}. ` +
      `${f.reach.reached > 0 ? `It first gets to the constant’s accuracy at step ${f.reach.step}${some(f.reach)}` : "It does not get to the constant’s accuracy"}; its λ ends at ${f.lambda}.`,
  },

  limits: {
    title: "Is there a late decay?",
    caption:
      "The first chart: test accuracy against τ. The second: how far the smoothed accuracy falls from its best moment to the end of the run, with its 95 % interval over seeds; or the best training accuracy, with its range.",
    barsSwitch: "Bars",
    x: { label: "L2 coefficient λ", short: "λ" },
    bars: {
      late_decay: { name: "late decay", label: "fall of test accuracy after its best", short: "late decay", chart: "Late decay by λ" },
      max_train_accuracy: {
        name: "training accuracy",
        label: "best training accuracy",
        short: "training accuracy",
        chart: "Best training accuracy by λ",
      },
    },
    /** `falls` are "by how much for which"; `seen` says how many are beyond noise, if that can be told. */
    decay: (falls: readonly (readonly [mean: string, interval: Interval, name: string])[], seen: number | null, small: boolean) =>
      `After its best moment test accuracy falls ${falls.map(([mean, interval, name]) => `by ${mean}${between(interval)} for ${name}`).join(", ")}. ` +
      `${seen === null ? "One seed does not tell it from noise." : `${seen} of ${falls.length} falls ${seen === 1 ? "is" : "are"} beyond the noise over seeds.`}` +
      `${small ? " All are less than the 0.005 that the paper counts as still at the maximum." : ""}`,
    underfit: (accuracy: string) =>
      `Training accuracy gets no further than ${accuracy}, so the network is not overparameterized and the relation is not claimed.`,
    fit: (accuracy: string) => `Training accuracy reaches ${accuracy}.`,
  },

  theory: {
    title: "An infinitely wide network, solved",
    caption:
      "The first chart: how much of each mode of the kernel is learned, and what is left of the kernel. The second: the losses. Strong modes are learned early, weak ones later; when the kernel has decayed nothing more is learned, and what was learned is forgotten. At k = 1, a linear model, the kernel stays and nothing is forgotten. The curves start from outputs of 0; trained networks start from random ones, which have to fade too, so they peak later.",
    clockSwitch: "Time in",
    times: {
      t: { name: "t = η × steps", label: "time t = η × steps", short: "t" },
      tau: { name: "τ = λt", label: "regularization time τ = λt", short: "τ" },
    },
    lambda: "L2 coefficient λ",
    lambdaHelp: "How strongly weights are pulled to zero.",
    depth: "Weight layers, k",
    depthHelp: "Without biases the depth is the homogeneity degree k; k = 1 is a linear model.",
    mode: (rank: number, gamma: string) => `mode ${rank}, γ = ${gamma}`,
    kernel: "what is left of the kernel",
    kernelMeasured: (width: number) => `kernel of a network of width ${width}`,
    modesChart: (k: number, lambda: string) => `Modes and kernel against time, k = ${k}, λ = ${lambda}`,
    modesSummary: (k: number): string =>
      k === 1
        ? "Each mode rises to a value that it keeps; the kernel stays at 1."
        : "Each mode rises at its own time; as the kernel falls, modes that are learned fall with it to zero.",
    learned: { label: "share that is learned, or left", short: "share" },
    loss: { label: "loss", short: "loss" },
    lossChart: (k: number, lambda: string) => `Losses against time, k = ${k}, λ = ${lambda}`,
    train: "training loss",
    test: "test loss",
    network: (width: number, seed: number) => `network of width ${width}, seed ${seed}`,
    networkTheory: (seed: number) => `theory from its first outputs, seed ${seed}`,
    peakMark: (time: string) => `t* = ${time}`,
    linear:
      "With k\u00a0=\u00a01 the kernel does not decay and nothing is forgotten: the training loss only falls. If the test loss rises again, that is overfitting, and its time hardly moves with λ.",
    noPeak: (k: number, time: string) => `With k\u00a0=\u00a0${k} the kernel is down to 1/e at t\u00a0=\u00a0${time}; the test loss has no minimum before.`,
    finding: (f: { k: number; kernelTime: string; tStar: string; tau: string }) =>
      `With k\u00a0=\u00a0${f.k} the kernel is down to 1/e at t\u00a0=\u00a0${f.kernelTime}. The test loss is least at t*\u00a0=\u00a0${f.tStar}, which is τ\u00a0=\u00a0${f.tau}.`,
    idle: "Move a slider, and everything is computed here, at once.",
    computing: "Computing the kernel and its modes…",
    noCurves: "Move a slider to compute the curves for these settings.",
  },

  transport: {
    label: "Run",
    play: "Play",
    playTip: "Train these networks here, on this machine",
    again: "Replay",
    againTip: "Train the same networks again, from the same initial weights",
    pause: "Pause",
    pauseTip: "Pause; Play goes on from here",
    step: "Step",
    stepTip: "A few optimizer steps, then pause",
    rewind: "Rewind",
    rewindTip: "Back to the same initial weights",
  },

  status: {
    recorded: "Recorded:",
    live: "Live on this machine",
    loadingRecorded: "Loading the recorded result…",
    noRecorded: "Press Play to train these networks here.",
    changed: "These settings have no recorded result. Press Play to train these networks here.",
    rewound: "Back at the same initial weights. Press Play.",
    starting: "Starting…",
    grid: "Training the grid",
    verify: "Training at the predicted λ",
    paused: "Paused",
    pausedUnseen: "Paused while out of sight",
    waiting: "Waiting for its turn",
    waitingFor: "Another figure on this page is training; this one begins when that has ended or is paused.",
    done: "Done",
    failed: "Stopped",
    stopped: "This figure could not be trained here. What happened and what to do is said above.",
    progress: (percent: string, speed: string, device: string) => `${percent} %, ${speed} steps/s on ${device}`,
    total: (done: string, total: string) => `${done} of ${total} steps`,
    cpu: (workers: number) => `the CPU, ${workers} worker${workers === 1 ? "" : "s"}`,
    gpu: "the GPU",
    progressLabel: "Progress",
    peaks: (peaks: readonly string[]) => `Timed: ${peaks.join("; ")}.`,
    peak: (group: string, tau: string) => `${group}, t* at τ = ${tau}`,
    ended: (finding: string) => `Done. ${finding}`,
  },

  errors: {
    lab: "The training code could not be loaded. Check the connection and reload the page.",
    recorded: (url: string) => `The recorded result ${url} could not be loaded. Play still works.`,
    version: (url: string) => `The recorded result ${url} is of another version and is not shown. Play still works.`,
    figure: (name: string) => `There is no figure called “${name}”; this shows “clock”. Others are law, predict, auto, theory and limits.`,
    source: (id: string) => `This figure should follow the one called “${id}”, but the page has none; it runs by itself.`,
    sameSource: "This figure cannot follow itself; it runs by itself.",
    theorySource: (id: string) => `This figure should follow “${id}”, which is a theory and has no runs; it runs by itself.`,
    attribute: (name: string, near: string | null) =>
      `This figure has no attribute “${name}”${near ? `; perhaps “${near}” was meant` : ""}. It is ignored.`,
    value: (name: string, value: string, allowed: string | null) =>
      `${name} cannot be “${value}”: ${allowed ? `it is one of ${allowed}` : "it takes a number, or numbers separated by commas"}. The default is used.`,
    control: (names: string, allowed: string) => `There is no control called ${names} here; controls are ${allowed}.`,
    idle: (names: string, because: string) => `${names} has no effect here, because of ${because}.`,
    settings: (problems: string) => `Some settings are not possible and were left out: ${problems}.`,
    language: (tag: string, known: string) => `There are no words in “${tag}” yet; these are in English. Languages are ${known}.`,
    languageLost: (tag: string) => `The words in “${tag}” could not be loaded; these are in English.`,
    versions: (other: string, own: string) => `Two versions of l2-lab are on this page, ${other} and ${own}; all its figures are made by ${own}.`,
    theory: (reason: string) => `The theory could not be computed: ${reason}`,
    dismiss: "Dismiss",
  },

  controls: {
    legend: "Settings",
    more: "More settings",
    reset: "Reset to default",
    undo: "Undo",
    addData: "Add files…",
    addDataHelp: "MNIST, Fashion-MNIST or CIFAR-10: IDX, IDX.gz or CIFAR binary files. They stay on this machine.",
    reading: "Reading the files…",
    added: (name: string, train: string, test: string) => `${name}: ${train} training and ${test} test images.`,
    largest: "Largest λ",
    largestHelp: "By the law its best comes first.",
    smallest: "Smallest λ",
    smallestHelp: "By the law its best comes last. It trains longest.",
    count: "Number of λ",
    countHelp: "Evenly spaced on a logarithmic scale.",
    budgetAuto: "from the grid",
    labels: {
      data: "Data",
      model: "Model",
      width: "Width",
      depth: "Depth",
      lr: "Learning rate η",
      momentum: "Momentum β",
      lambda: "L2 coefficient λ",
      seeds: "Seeds",
      compare: "Beside constants",
      "lambda-factor": "λ is divided by",
      steps: "Steps",
      budget: "Budget, steps",
      batch: "Batch",
      loss: "Loss",
      activation: "Activation",
      bias: "Biases",
      tau: "Length in τ",
      measurements: "Measurements per tenfold of steps",
      train: "Training images",
      test: "Test images",
      "label-noise": "Label noise",
      seed: "First seed",
      estimator: "Estimator of t*",
      device: "Compute on",
    },
    /** Labels of fields that are written out as lists. */
    lists: { lambda: "λ values", lr: "η values" },
    /** A sentence for each field that has a control: the core's own, but where a figure needs another. */
    help: {
      lr: HELP_LR,
      width: HELP_WIDTH,
      depth: HELP_DEPTH,
      seeds: HELP_SEEDS,
      lambda: HELP_LAMBDA,
      tau: HELP_TAU,
      seed: HELP_SEED,
      batch: HELP_BATCH,
      loss: HELP_LOSS,
      activation: HELP_ACTIVATION,
      bias: HELP_BIAS,
      train: HELP_TRAIN,
      test: HELP_TEST,
      "label-noise": HELP_LABEL_NOISE,
      measurements: HELP_MEASUREMENTS,
      estimator: HELP_ESTIMATOR,
      steps: HELP_STEPS,
      data: "512 images of Fashion-MNIST are here. Add others below, or drop their files on this figure.",
      model: "What is trained on the images.",
      momentum: "How much of the last step is repeated.",
      compare: "Each starts at the largest λ, or rises to it.",
      "lambda-factor": "How far λ falls at once.",
      budget: "Train for this many steps: which λ is best?",
      device: "With a large network both are timed on the actual work. The GPU's code is a further 1.7 MB, loaded when it is tried.",
    } as Record<string, string>,
    options: {
      model: { fc: "fully connected", linear: "linear", cnn: "convolutional" },
      loss: { "cross-entropy": "cross-entropy", mse: "squared error" },
      estimator: ESTIMATORS,
      device: { auto: "the faster device", cpu: "the CPU", gpu: "the GPU (WebGPU)" },
    } as Record<string, Record<string, string>>,
    listHelp: "Numbers separated by commas.",
    invalidList: "Write numbers above 0, separated by commas.",
    invalidNumber: (low: string, high: string) => `Write a number from ${low} to ${high}.`,
  },

  exports: {
    menu: "Export",
    csv: "Traces, CSV",
    toml: "Experiment, TOML",
    svg: "Figure, SVG",
    png: "Figure, PNG",
    tomlHead: "# l2lab sweep FILE.toml",
    failed: "The picture could not be made; the SVG file has the same content.",
  },

  share: {
    title: "Share",
    what: "Copy",
    kinds: { page: "link to this page", figure: "link to the figure", tag: "HTML tag", frame: "iframe" },
    about: {
      page: "Opens this page with these settings.",
      figure: "Opens this figure alone, with these settings and the controls that you choose.",
      tag: "One line of HTML for a page of your own. The figure takes part in that page: its colours, its keyboard, its events. Its script comes from this site.",
      frame: "For learning platforms, blogs and wherever scripts are not allowed. The figure is alone in its frame.",
    },
    controls: "Controls that readers get",
    all: "All",
    none: "None",
    more: "Also",
    locked: "Everything else stays as it is",
    autoplay: "Trains when it comes into view",
    code: "To copy",
    copy: "Copy",
    copied: "Copied",
    byHand: "This browser does not let the page copy: select the text and copy it by hand.",
  },

  url: {
    version: (v: string) => `This link is of version ${v}, which this page does not know; its settings are read as version 1.`,
    problems: (list: readonly string[]) => `Ignored from the link: ${list.join("; ")}.`,
    unknown: (name: string) => `${name} (no such setting)`,
    unchecked: "The settings in the link could not be checked.",
  },

  lab: {
    asked: "This device was asked for.",
    small: "The network is too small for a GPU to gain.",
    noWebGpu: "This browser offers no WebGPU here.",
    ratio: (ratio: number) => `Timed on this work, the GPU has ${ratio.toPrecision(2)} times the CPU's speed.`,
    disagrees: (off: number) =>
      `The GPU's first step differs from the CPU's by ${off.toPrecision(2)}, relatively: it is not trusted.`,
    gpuFailed: (what: string) => `The GPU could not be used: ${what}`,
    lostGpu: "The GPU was lost.",
    gpuLost: (what: string) => `The GPU was lost (${what}); the runs began again on the CPU, from the same seeds.`,
    panicked: "its code failed; the browser’s console says where",
    gpuRested: "The GPU was freed while this figure was out of sight; its runs began again from the same seeds.",
    crashed: (what: string) => `A worker stopped (${what}); its runs began again from the same seeds, which gives the same curves.`,
    memory: "The memory that a page can have is used up. Choose a narrower network, a smaller batch or fewer images, then play again.",
    crashes: (what: string) =>
      `The computation stopped several times (${what}). Try a smaller network or fewer runs, then rewind and play again.`,
    cannotStart: {
      file: () => "This page was opened as a file, and browsers do not compute in pages from files. Serve its folder over http and open it there.",
      policy: () =>
        "This page’s security policy forbids WebAssembly, which computes the figures. Whoever keeps the page can allow it: 'wasm-unsafe-eval' in script-src.",
      old: () => "This browser cannot compute the figures: they need WebAssembly with SIMD, which browsers have since 2023. Update it, or try another one.",
      script: (what: string) =>
        `The computation could not start (${what}). Check the connection and reload the page. If that does not help: its server must send .js and .wasm files as what they are, and its security policy must allow workers (worker-src 'self' blob:).`,
    },
  },
};
