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
  smoothed: "smoothed maximum",
  threshold: "within 0.5 % of the maximum",
  loss: "least test loss",
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
      "Thin lines are single seeds, strong lines their mean, all averaged over a tenth of the run. In τ the peaks and the declines line up. The early rise does not: it goes with ηt, whatever λ is.",
    clockSwitch: "Time in",
    quantitySwitch: "Show",
    peak: "time to the best accuracy, t*",
    peakSoFar: "best so far",
    peakOf: (group: string) => `${group}, t*`,
    chart: (quantity: string, clock: string) => `${quantity[0]?.toUpperCase()}${quantity.slice(1)} against ${clock}`,
    peaked: (group: string, best: string, step: string, tau: string) =>
      `${group}: best accuracy ${best}, peak at step ${step}, τ\u00a0=\u00a0${tau}.`,
    noPeak: (group: string, best: string) => `${group}: best accuracy ${best}, no peak yet.`,
    ends: (group: string, best: string, end: string) => `${group}: best accuracy ${best}, at the end ${end}.`,
    finding: (f: { peaks: number; steps: readonly string[]; tau: readonly string[] }) =>
      `The ${f.peaks} peaks come between step ${f.steps[0]} and step ${f.steps[1]}, a factor of ${f.steps[2]} apart. ` +
      (f.tau[0] === f.tau[1] ? `In τ all lie at ${f.tau[0]}.` : `In τ they lie between ${f.tau[0]} and ${f.tau[1]}, a factor of ${f.tau[2]}.`),
  },

  law: {
    title: "The time to the peak against λ",
    caption:
      "One dot for each run. Arrows are runs that ended before their peak could be told: the peak is there or later, and they are in no fit. The band holds the slopes of the 95 % interval over seeds.",
    estimatorSwitch: "t* is",
    x: { label: "L2 coefficient λ", short: "λ" },
    xRate: { label: "ηλ/(1−β)", short: "ηλ" },
    y: { label: "t*, steps to the best accuracy", short: "t*" },
    chart: "Steps to the best accuracy against λ, on logarithmic axes",
    runKey: "a run",
    censoredKey: "not reached: at least",
    censored: (group: string) => `${group}, not reached: at least`,
    guide: "the law: slope −1",
    fit: (slope: string) => `fit: slope ${slope}`,
    tooFew: "Too few runs reached their peak for a fit.",
    finding: (f: { slope: string; interval: Interval; holds: boolean | null; wide: boolean; n: number; seeds: number; cPrime: string; censored: number }) =>
      `t* goes as λ to the power ${f.slope}${between(f.interval)}, from ${runs(f.n)} and ${seeds(f.seeds)}; the law says −1` +
      `${f.holds === null ? "" : f.holds ? ", which is inside the interval" : ", which is outside the interval"}${f.holds && f.wide ? ", and so is much else: more seeds narrow it" : ""}. ` +
      `The constant is c′\u00a0=\u00a0${f.cPrime}.` +
      `${f.censored > 0 ? ` ${f.censored} more ${f.censored === 1 ? "run is" : "runs are"} left out, not having reached a peak.` : ""}`,
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
    none: "No λ reached its peak with every seed, so there is no prediction.",
    forecast: (f: { lambda0: string; tStar: string; n: number; budget: string; lambda: string; interval: Interval }) =>
      `The short runs at λ₀\u00a0=\u00a0${f.lambda0} peak at step ${f.tStar} (n\u00a0=\u00a0${f.n}), so for ${f.budget} steps the law predicts λ\u00a0=\u00a0${f.lambda}${between(f.interval)}.`,
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
      "The first chart: test accuracy against τ. The second: how far the smoothed accuracy falls from its maximum to the end of the run, or the best training accuracy; means over seeds, with their range.",
    barsSwitch: "Bars",
    x: { label: "L2 coefficient λ", short: "λ" },
    bars: {
      late_decay: { name: "late decay", label: "fall of test accuracy after its peak", short: "late decay", chart: "Late decay by λ" },
      max_train_accuracy: {
        name: "training accuracy",
        label: "best training accuracy",
        short: "training accuracy",
        chart: "Best training accuracy by λ",
      },
    },
    decay: (f: { seen: boolean; mean: string; sd: string; n: number }) =>
      f.seen
        ? `Test accuracy falls by ${f.mean} after its peak (sd ${f.sd}, n\u00a0=\u00a0${runs(f.n)}).`
        : `There is no late decay to speak of: test accuracy falls by ${f.mean} after its maximum (sd ${f.sd}, n\u00a0=\u00a0${runs(f.n)}), less than the 0.005 that the paper counts as being still there.`,
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
    peaks: (peaks: readonly string[]) => `Peaked: ${peaks.join("; ")}.`,
    peak: (group: string, tau: string) => `${group} at τ = ${tau}`,
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
    largestHelp: "It peaks first.",
    smallest: "Smallest λ",
    smallestHelp: "It peaks last, and takes the longest to train.",
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
      measurements: "Measurements",
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
    slower: (ratio: number) => `Timed on this work, the GPU has ${ratio.toPrecision(2)} times the CPU's speed.`,
    faster: (ratio: number) => `Timed on this work, the GPU has ${ratio.toPrecision(2)} times the CPU's speed.`,
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
