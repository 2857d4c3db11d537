// German: every visible string of the elements and charts, in the shape of the English ones.
import type { Outcome, Verdict } from "../types.ts";
import type { Words } from "./words.ts";

type Interval = readonly [string, string] | null;

const between = (interval: Interval) => (interval ? ` (95-%-Konfidenzintervall ${interval[0]} bis ${interval[1]})` : "");
/** Runs, after "aus" and "von". */
const ofRuns = (n: number) => `${n} ${n === 1 ? "Lauf" : "Läufen"}`;
const seeds = (n: number) => `${n} Seed${n === 1 ? "" : "s"}`;

interface Reach {
  readonly step: string;
  readonly reached: number;
  readonly runs: number;
}
const some = (reach: Reach) => (reach.reached < reach.runs ? ` (${reach.reached} von ${ofRuns(reach.runs)})` : "");

/** Names that arrive in English quotes. */
const quoted = (names: string) => names.replace(/“([^”]*)”/g, "„$1“");

const ESTIMATORS = {
  arrival: "Ankunft nahe dem Maximum",
  peak: "das Maximum selbst",
  loss: "kleinster Testverlust",
};

const OUTCOMES: Readonly<Record<Outcome, (one: boolean, loss: boolean) => string>> = {
  peak: (one, loss) => `${one ? "erreicht" : "erreichen"} ein ${loss ? "Minimum" : "Maximum"}`,
  plateau: (one) => (one ? "kommt beim besten Wert an und bleibt" : "kommen beim besten Wert an und bleiben"),
  flat: (one, loss) => `${one ? "zeigt" : "zeigen"} keinen ${loss ? "Abfall" : "Anstieg"} über das Rauschen hinaus`,
  censored: (one, loss) => `${one ? "kann" : "können"} am Ende noch ${loss ? "fallen" : "steigen"}`,
  diverged: (one) => (one ? "divergiert" : "divergieren"),
};
type Outcomes = readonly (readonly [Outcome, number])[];
const total = (outcomes: Outcomes) => outcomes.reduce((sum, [, count]) => sum + count, 0);
const counted = (outcomes: Outcomes, loss: boolean) =>
  outcomes.map(([outcome, count]) => `${total(outcomes) === 1 ? "" : `${count} `}${OUTCOMES[outcome](count === 1, loss)}`).join(", ");
const curves = (outcomes: Outcomes, loss: boolean) => {
  const [all, what] = [total(outcomes), loss ? "des Testverlusts" : "der Testgenauigkeit"];
  return all === 1 ? `Die Kurve ${what} ${counted(outcomes, loss)}` : `Die ${all} Kurven ${what}: ${counted(outcomes, loss)}`;
};

const VERDICTS: Readonly<Record<Verdict, string>> = {
  holds: "In diesen Läufen gilt es",
  "does not hold here": "Hier gilt es nicht",
  "not decided by this data": "Diese Läufe entscheiden es nicht",
  "premise not met": "Was es voraussetzt, ist hier nicht der Fall",
};
const UNDECIDED = {
  seeds: "ein Seed hat kein Intervall",
  chance: "was ohne L2 oder durch Zufall entsteht, liegt auch im Intervall",
  wide: "das Intervall ist zu breit",
};

export const de: Words = {
  lang: "de",
  dir: "ltr",

  chart: {
    role: "Diagramm",
    hint: "Die Pfeiltasten nach links und rechts lesen die Werte einer Reihe vor, die nach oben und unten wechseln die Reihe.",
  },

  lambda: (lambda: string) => `λ = ${lambda}`,
  group: (lambda: string, lr: string) => `${lambda}, η = ${lr}`,
  run: (group: string, seed: number) => `${group}, Seed ${seed}`,

  clocks: {
    tau: { name: "τ = ηλt", label: "Regularisierungszeit τ = ηλt/(1−β)", short: "τ" },
    step: { name: "Schritte", label: "Schritte t", short: "Schritt" },
    epoch: { name: "Epochen", label: "Epochen", short: "Epoche" },
  },
  quantities: {
    test_accuracy: { name: "Testgenauigkeit", label: "Testgenauigkeit", short: "Genauigkeit" },
    test_loss: { name: "Testverlust", label: "Testverlust", short: "Verlust" },
    train_accuracy: { name: "Trainingsgenauigkeit", label: "Trainingsgenauigkeit", short: "Trainingsgenauigkeit" },
  },
  schedules: {
    constant: "konstant",
    autol2: "AutoL2",
    "autol2-reference": "Referenz-AutoL2",
    "inverse-time": "λ ∝ 1/t",
    step: "λ in Stufen",
    cosine: "λ als Kosinus",
    off: "λ mit Abschaltung",
    "warm-up": "λ mit Aufwärmphase",
  },
  estimators: ESTIMATORS,

  clock: {
    title: "Die Genauigkeit nach drei Uhren",
    caption:
      "Dünne Linien sind einzelne Seeds, kräftige ihr Mittel; jeder Punkt mittelt die Messungen von t/1.25 bis 1.25 t. Das Gesetz sagt, dass die Maxima und die Abfälle aller λ in τ übereinanderliegen; ob sie es hier tun, steht in den Sätzen darüber.",
    clockSwitch: "Zeitachse",
    quantitySwitch: "Anzeigen",
    star: (estimator: string, final: boolean) => `t*: ${estimator}${final ? "" : ", bisher"}`,
    chart: (quantity: string, clock: string) => `${quantity} gegen ${clock}`,
    cell: (f) =>
      `${f.name}: beste Genauigkeit ${f.best}; ${f.loss ? "ihr Testverlust" : "sie"} ${OUTCOMES[f.outcome](true, f.loss)}` +
      `${f.at ? ` (Schritt ${f.at[0]}, τ\u00a0=\u00a0${f.at[1]})` : ""}${f.decline === null ? "" : `, und fällt dann um ${f.decline}`}` +
      `${f.atLeast === null ? "" : `; t* liegt bei Schritt ${f.atLeast} oder später`}.`,
    ends: (group: string, best: string, end: string) => `${group}: beste Genauigkeit ${best}, am Ende ${end}.`,
    shown: (outcomes, loss) => `${curves(outcomes, loss)}.`,
    finding: (f) =>
      `Die ${f.times} t* liegen zwischen Schritt ${f.steps[0]} und Schritt ${f.steps[1]}, um einen Faktor ${f.steps[2]} auseinander; in τ zwischen ${f.tau[0]} und ${f.tau[1]}, das ist ein Faktor ${f.tau[2]}. Nach dem Gesetz sind sie in τ gleich.` +
      `${f.spread ? ` Die Kurven liegen in τ ${f.spread.nearer ? "näher" : "nicht näher"} beieinander (Abstand ${f.spread.tau}, Standardabweichung) als in Schritten (${f.spread.steps}).` : ""}`,
  },

  law: {
    title: "Die Zeit bis zum besten Ergebnis in Abhängigkeit von λ",
    caption:
      "Ein Punkt für jeden Lauf der λ, deren Kurven sich zeitlich bestimmen lassen. Pfeile sind λ, deren Kurven am Ende der Läufe noch steigen: Ihr t* liegt dort oder später. Das Band umfasst die Steigungen des 95-%-Intervalls über die Seeds. „Durch Zufall“ ist die Steigung derselben Zeiten, zwischen den λ vertauscht.",
    estimatorSwitch: "t* ist",
    x: { label: "L2-Koeffizient λ", short: "λ" },
    xRate: { label: "ηλ/(1−β)", short: "ηλ" },
    y: { label: "t* in Schritten", short: "t*" },
    chart: "t* in Schritten gegen λ, auf logarithmischen Achsen",
    runKey: "ein Lauf",
    later: "steigt noch: mindestens",
    guide: "das Gesetz: Steigung −1",
    placebo: "durch Zufall",
    fit: (slope: string) => `Anpassung: Steigung ${slope}`,
    // The core's reason is in English.
    refused: (f) =>
      `Es gibt keine Anpassung: Sie braucht drei λ, deren Kurven sich zeitlich bestimmen lassen, und hier ${f.lambdas === 1 ? "ist es eines" : f.lambdas === 0 ? "ist es keines" : `sind es ${f.lambdas}`}.` +
      `${f.outcomes.length > 0 ? ` ${curves(f.outcomes, f.loss)}.` : ""}`,
    finding: (fit, text, cells, several, undecided) => {
      const interval = (ci: readonly [number, number] | null) => between(ci && [text(ci[0]), text(ci[1])]);
      const { cells_bounding: bounds, without_l2: without } = fit;
      return (
        `t* skaliert wie λ hoch ${text(fit.slope)}${interval(fit.slope_ci)}, bestimmt aus ${ofRuns(fit.n)} und ${seeds(fit.seeds)}: ${fit.cells_timed} von ${cells} Kurven lassen sich zeitlich bestimmen` +
        `${bounds > 0 ? `, und ${bounds} weitere ${bounds === 1 ? "begrenzt" : "begrenzen"} t* nach unten` : ""}. ` +
        `Das Gesetz sagt −1 bis auf 0.2. ${VERDICTS[fit.law]}${undecided ? `, denn ${UNDECIDED[undecided]}` : ""}. ` +
        `Durch Zufall, mit zwischen den λ vertauschten Zeiten, ist der Exponent ${text(fit.placebo_slope)}${interval(fit.placebo_ci)}. ` +
        `${without.slope === null ? "" : `Fast ohne L2, in den Kurven des kleinsten λ, gekürzt auf die Längen der anderen, ist er ${text(without.slope)}. `}` +
        `${several ? `Über ηλ, alle η zusammen, ist er ${text(fit.slope_product)}${interval(fit.slope_product_ci)}. ` : ""}` +
        `Die Konstante ist c′\u00a0=\u00a0${text(fit.c_prime)}.`
      );
    },
  },

  predict: {
    title: "Das beste λ für ein Budget",
    caption:
      "Punkte sind das Raster: die beste Genauigkeit, die jedes λ innerhalb des Budgets erreicht. Die senkrechte Linie ist das λ, das das Gesetz aus den kurzen Läufen vorhersagt, mit seinem 95-%-Konfidenzintervall; die Raute zeigt, wie dort trainierte Netze abschneiden.",
    x: { label: "L2-Koeffizient λ", short: "λ" },
    y: { label: "beste Testgenauigkeit innerhalb des Budgets", short: "Genauigkeit" },
    chart: "Beste Genauigkeit innerhalb des Budgets gegen λ",
    grid: "Raster",
    predicted: "beim vorhergesagten λ trainiert",
    marker: (lambda: string) => `vorhergesagtes λ = ${lambda}`,
    none: "Kein λ lässt sich zeitlich bestimmen, daher gibt es keine Vorhersage.",
    forecast: (f: { lambda0: string; tStar: string; n: number; budget: string; lambda: string; interval: Interval }) =>
      `Die kurzen Läufe bei λ₀\u00a0=\u00a0${f.lambda0} haben ihr t* bei Schritt ${f.tStar} (n\u00a0=\u00a0${f.n}); für ${f.budget} Schritte sagt das Gesetz daher λ\u00a0=\u00a0${f.lambda}${between(f.interval)} voraus.`,
    regret: (f: { accuracy: string; best: string; bestLambda: string; regret: string; interval: Interval; seeds: number }) =>
      `Dort trainiert: Genauigkeit ${f.accuracy}, gegenüber ${f.best} bei einem λ, das auf den anderen Seeds abgestimmt ist (auf allen: λ\u00a0=\u00a0${f.bestLambda}). Die Einbuße (Regret) beträgt ${f.regret}${between(f.interval)}, ${seeds(f.seeds)}.`,
  },

  auto: {
    title: "Ein λ, das sich anpasst, neben Konstanten",
    caption:
      "Farbig sind konstante λ; Linien in der Textfarbe sind Zeitpläne, die beim größten davon beginnen. Das zweite Diagramm zeigt λ selbst, den Median über die Seeds. Dünne Linien sind einzelne Seeds. Die beste Konstante ist die mit der besten Testgenauigkeit am Ende: Sie wird im Nachhinein ausgewählt, wie es bei einer Suche von Hand geschähe.",
    y: { label: "L2-Koeffizient λ", short: "λ" },
    chart: (clock: string) => `λ gegen ${clock}, auf logarithmischen Achsen`,
    path: (name: string, from: string, to: string) => `${name}: λ beginnt bei ${from} und endet bei ${to}.`,
    range: (ends: readonly string[]) => ends.join(" bis "),
    none: "Kein Zeitplan wird damit verglichen.",
    best: (f: { constants: number; name: string; accuracy: string; n: number; reach: Reach }) =>
      `${f.constants > 1 ? `Die beste von ${f.constants} Konstanten` : "Die Konstante"}, ${f.name.replaceAll(" ", "\u00a0")}, endet bei einer Testgenauigkeit von ${f.accuracy} (n\u00a0=\u00a0${f.n})` +
      `${f.reach.reached > 0 ? ` und erreicht sie erstmals bei Schritt ${f.reach.step}${some(f.reach)}` : ""}.`,
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
      `${f.name} ${{ even: "endet", unknown: "endet", loses: "unterliegt und endet", wins: "ist besser und endet" }[f.verdict]} bei ${f.accuracy} (n\u00a0=\u00a0${f.n}), ${f.by} ${f.less ? "unter" : "über"} der Konstanten` +
      `${f.verdict === "unknown" ? ", bei nur einem Seed, sodass sich über den Zufall nichts sagen lässt" : `, und das ist ${f.verdict === "even" ? "weniger" : "mehr"} als die Streuung über die Seeds (SD ${f.sd})`}. ` +
      `${f.reach.reached > 0 ? `Die Genauigkeit der Konstanten wird erstmals bei Schritt ${f.reach.step} erreicht${some(f.reach)}` : "Die Genauigkeit der Konstanten wird nicht erreicht"}; λ endet bei ${f.lambda}.`,
  },

  limits: {
    title: "Gibt es einen späten Abfall?",
    caption:
      "Das erste Diagramm: Testgenauigkeit gegen τ. Das zweite: wie weit die geglättete Genauigkeit von ihrem besten Moment bis zum Ende des Laufs fällt, mit dem 95-%-Intervall über die Seeds; oder die beste Trainingsgenauigkeit, mit ihrer Spannweite.",
    barsSwitch: "Balken",
    x: { label: "L2-Koeffizient λ", short: "λ" },
    bars: {
      late_decay: {
        name: "später Abfall",
        label: "Abfall der Testgenauigkeit nach ihrem Bestwert",
        short: "später Abfall",
        chart: "Später Abfall je λ",
      },
      max_train_accuracy: {
        name: "Trainingsgenauigkeit",
        label: "beste Trainingsgenauigkeit",
        short: "Trainingsgenauigkeit",
        chart: "Beste Trainingsgenauigkeit je λ",
      },
    },
    decay: (falls, seen, small) =>
      `Nach ihrem besten Moment fällt die Testgenauigkeit ${falls.map(([mean, interval, name]) => `um ${mean}${between(interval)} bei ${name}`).join(", ")}. ` +
      `${seen === null ? "Ein Seed zeigt nicht, ob das mehr als Rauschen ist." : `${seen} von ${falls.length} ${seen === 1 ? "geht" : "gehen"} über das Rauschen zwischen den Seeds hinaus.`}` +
      `${small ? " Alle sind kleiner als die 0.005, bis zu denen das Maximum im Paper noch als gehalten gilt." : ""}`,
    underfit: (accuracy: string) =>
      `Die Trainingsgenauigkeit kommt nicht über ${accuracy} hinaus; das Netz ist also nicht überparametrisiert, und die Beziehung wird dafür nicht behauptet.`,
    fit: (accuracy: string) => `Die Trainingsgenauigkeit erreicht ${accuracy}.`,
  },

  theory: {
    title: "Ein unendlich breites Netz, gelöst",
    caption:
      "Das erste Diagramm: wie viel von jeder Mode des Kerns gelernt ist und was vom Kern übrig ist. Das zweite: die Verluste. Starke Moden werden früh gelernt, schwache später; ist der Kern abgeklungen, wird nichts mehr gelernt, und Gelerntes wird vergessen. Bei k = 1, einem linearen Modell, bleibt der Kern bestehen, und nichts wird vergessen. Die Kurven beginnen mit Ausgaben von 0; trainierte Netze beginnen mit zufälligen, die ebenfalls erst abklingen müssen, und erreichen ihr Optimum deshalb später.",
    clockSwitch: "Zeitachse",
    times: {
      t: { name: "t = η × Schritte", label: "Zeit t = η × Schritte", short: "t" },
      tau: { name: "τ = λt", label: "Regularisierungszeit τ = λt", short: "τ" },
    },
    lambda: "L2-Koeffizient λ",
    lambdaHelp: "Wie stark die Gewichte gegen null gezogen werden.",
    depth: "Gewichtsschichten, k",
    depthHelp: "Ohne Biases ist die Tiefe der Homogenitätsgrad k; k = 1 ist ein lineares Modell.",
    mode: (rank: number, gamma: string) => `Mode ${rank}, γ = ${gamma}`,
    kernel: "was vom Kern übrig ist",
    kernelMeasured: (width: number) => `Kern eines Netzes der Breite ${width}`,
    modesChart: (k: number, lambda: string) => `Moden und Kern gegen die Zeit, k = ${k}, λ = ${lambda}`,
    // The English one's type is its two sentences.
    modesSummary: (k: number) =>
      k === 1
        ? "Jede Mode steigt auf einen Wert, den sie behält; der Kern bleibt bei 1."
        : "Jede Mode steigt zu ihrer eigenen Zeit; mit dem Kern fallen auch die gelernten Moden auf null.",
    learned: { label: "gelernter oder übriger Anteil", short: "Anteil" },
    loss: { label: "Verlust", short: "Verlust" },
    lossChart: (k: number, lambda: string) => `Verluste gegen die Zeit, k = ${k}, λ = ${lambda}`,
    train: "Trainingsverlust",
    test: "Testverlust",
    network: (width: number, seed: number) => `Netz der Breite ${width}, Seed ${seed}`,
    networkTheory: (seed: number) => `Theorie ab seinen ersten Ausgaben, Seed ${seed}`,
    peakMark: (time: string) => `t* = ${time}`,
    linear:
      "Bei k\u00a0=\u00a01 klingt der Kern nicht ab, und nichts wird vergessen: Der Trainingsverlust fällt nur. Steigt der Testverlust wieder, so ist das Überanpassung, und ihr Zeitpunkt verschiebt sich mit λ kaum.",
    noPeak: (k: number, time: string) =>
      `Bei k\u00a0=\u00a0${k} ist der Kern bei t\u00a0=\u00a0${time} auf 1/e abgeklungen; davor hat der Testverlust kein Minimum.`,
    finding: (f: { k: number; kernelTime: string; tStar: string; tau: string }) =>
      `Bei k\u00a0=\u00a0${f.k} ist der Kern bei t\u00a0=\u00a0${f.kernelTime} auf 1/e abgeklungen. Der Testverlust ist bei t*\u00a0=\u00a0${f.tStar} am kleinsten, das heißt bei τ\u00a0=\u00a0${f.tau}.`,
    idle: "Einen Regler bewegen, und alles wird sofort hier berechnet.",
    computing: "Der Kern und seine Moden werden berechnet\u00a0…",
    noCurves: "Einen Regler bewegen, um die Kurven für diese Einstellungen zu berechnen.",
  },

  transport: {
    label: "Ablauf",
    play: "Abspielen",
    playTip: "Diese Netze hier trainieren, auf diesem Gerät",
    again: "Wiederholen",
    againTip: "Dieselben Netze noch einmal trainieren, von denselben Anfangsgewichten aus",
    pause: "Pause",
    pauseTip: "Anhalten; mit „Abspielen“ geht es von hier aus weiter",
    step: "Schritt",
    stepTip: "Einige Optimierungsschritte, dann Pause",
    rewind: "Zurückspulen",
    rewindTip: "Zurück zu denselben Anfangsgewichten",
  },

  status: {
    recorded: "Aufgezeichnet:",
    live: "Live auf diesem Gerät",
    loadingRecorded: "Das aufgezeichnete Ergebnis wird geladen\u00a0…",
    noRecorded: "Mit „Abspielen“ werden diese Netze hier trainiert.",
    changed: "Für diese Einstellungen gibt es kein aufgezeichnetes Ergebnis. Mit „Abspielen“ werden diese Netze hier trainiert.",
    rewound: "Zurück bei denselben Anfangsgewichten. Weiter mit „Abspielen“.",
    starting: "Wird gestartet\u00a0…",
    grid: "Training des Rasters",
    verify: "Training beim vorhergesagten λ",
    paused: "Pausiert",
    pausedUnseen: "Pausiert, solange nicht im Bild",
    waiting: "In der Warteschlange",
    waitingFor: "Auf dieser Seite trainiert gerade eine andere Abbildung; diese beginnt, sobald jene fertig ist oder pausiert.",
    done: "Fertig",
    failed: "Abgebrochen",
    stopped: "Diese Abbildung konnte hier nicht trainiert werden. Was geschehen ist und was zu tun ist, steht oben.",
    progress: (percent: string, speed: string, device: string) => `${percent} %, ${speed} Schritte/s auf ${device}`,
    total: (done: string, total: string) => `${done} von ${total} Schritten`,
    cpu: (workers: number) => `der CPU, ${workers} Worker`,
    gpu: "der GPU",
    progressLabel: "Fortschritt",
    peaks: (peaks: readonly string[]) => `Zeitlich bestimmt: ${peaks.join("; ")}.`,
    peak: (group: string, tau: string) => `${group}, t* bei τ = ${tau}`,
    ended: (finding: string) => `Fertig. ${finding}`,
  },

  errors: {
    lab: "Der Trainingscode konnte nicht geladen werden. Bitte die Verbindung prüfen und die Seite neu laden.",
    recorded: (url: string) => `Das aufgezeichnete Ergebnis ${url} konnte nicht geladen werden. „Abspielen“ funktioniert trotzdem.`,
    version: (url: string) =>
      `Das aufgezeichnete Ergebnis ${url} stammt von einer anderen Version und wird nicht gezeigt. „Abspielen“ funktioniert trotzdem.`,
    figure: (name: string) =>
      `Eine Abbildung namens „${name}“ gibt es nicht; gezeigt wird „clock“. Die anderen sind law, predict, auto, theory und limits.`,
    source: (id: string) =>
      `Diese Abbildung soll der mit der id „${id}“ folgen, aber die gibt es auf dieser Seite nicht; sie läuft eigenständig.`,
    sameSource: "Diese Abbildung kann nicht sich selbst folgen; sie läuft eigenständig.",
    theorySource: (id: string) =>
      `Diese Abbildung soll „${id}“ folgen, aber das ist eine Theorie und hat keine Läufe; sie läuft eigenständig.`,
    attribute: (name: string, near: string | null) =>
      `Diese Abbildung kennt kein Attribut „${name}“${near ? ` (vielleicht war „${near}“ gemeint)` : ""}; es wird ignoriert.`,
    value: (name: string, value: string, allowed: string | null) =>
      `${name} kann nicht „${value}“ sein: ${allowed ? `möglich sind ${allowed}` : "möglich ist eine Zahl oder mehrere, durch Kommas getrennt"}. Verwendet wird der Standardwert.`,
    control: (names: string, allowed: string) =>
      `Ein Bedienelement namens ${quoted(names)} gibt es hier nicht; Bedienelemente sind ${allowed}.`,
    idle: (names: string, because: string) => `${names}: hier ohne Wirkung, wegen ${because}.`,
    settings: (problems: string) => `Einige Einstellungen sind nicht möglich und wurden weggelassen: ${problems}.`,
    language: (tag: string, known: string) =>
      `Für „${tag}“ gibt es noch keine Texte; diese hier sind auf Englisch. Verfügbare Sprachen sind ${known}.`,
    languageLost: (tag: string) => `Die Texte für „${tag}“ konnten nicht geladen werden; diese hier sind auf Englisch.`,
    versions: (other: string, own: string) =>
      `Auf dieser Seite sind zwei Versionen von l2-lab, ${other} und ${own}; alle Abbildungen werden von ${own} erzeugt.`,
    theory: (reason: string) => `Die Theorie konnte nicht berechnet werden: ${reason}`,
    dismiss: "Schließen",
  },

  controls: {
    legend: "Einstellungen",
    more: "Weitere Einstellungen",
    reset: "Zurücksetzen",
    undo: "Rückgängig",
    addData: "Dateien hinzufügen\u00a0…",
    addDataHelp: "MNIST, Fashion-MNIST oder CIFAR-10: Dateien im Format IDX, IDX.gz oder CIFAR-Binärdateien. Sie bleiben auf diesem Gerät.",
    reading: "Die Dateien werden gelesen\u00a0…",
    added: (name: string, train: string, test: string) => `${name}: ${train} Trainings- und ${test} Testbilder.`,
    largest: "Größtes λ",
    largestHelp: "Nach dem Gesetz kommt sein Bestwert zuerst.",
    smallest: "Kleinstes λ",
    smallestHelp: "Nach dem Gesetz kommt sein Bestwert zuletzt. Sein Training dauert am längsten.",
    count: "Anzahl der λ",
    countHelp: "Gleichmäßig auf einer logarithmischen Skala verteilt.",
    budgetAuto: "aus dem Raster",
    labels: {
      data: "Daten",
      model: "Modell",
      width: "Breite",
      depth: "Tiefe",
      lr: "Lernrate η",
      momentum: "Momentum β",
      lambda: "L2-Koeffizient λ",
      seeds: "Seeds",
      compare: "Neben Konstanten",
      "lambda-factor": "λ wird geteilt durch",
      steps: "Schritte",
      budget: "Budget in Schritten",
      batch: "Batch",
      loss: "Verlustfunktion",
      activation: "Aktivierung",
      bias: "Biases",
      tau: "Länge in τ",
      measurements: "Messungen je Verzehnfachung der Schritte",
      train: "Trainingsbilder",
      test: "Testbilder",
      "label-noise": "Label-Rauschen",
      seed: "Erster Seed",
      estimator: "Schätzer für t*",
      device: "Recheneinheit",
    },
    lists: { lambda: "λ-Werte", lr: "η-Werte" },
    help: {
      data: "512 Bilder aus Fashion-MNIST sind enthalten. Weitere lassen sich unten hinzufügen oder als Dateien auf diese Abbildung ziehen.",
      train: "Trainingsbeispiele, mit data-seed ausgewählt; 0 nimmt alle.",
      test: "Testbeispiele, mit data-seed ausgewählt; 0 nimmt alle.",
      validation: "Trainingsbeispiele, die zurückgehalten und anstelle der Testmenge gemessen werden; 0 hält keine zurück.",
      "label-noise": "Anteil der Trainingslabels, die durch eine andere Klasse ersetzt werden.",
      "data-seed": "Seed für die Teilmenge, die Aufteilung und das Label-Rauschen.",
      model: "Linear, vollständig verbunden (fc) oder ein Faltungsnetz (cnn).",
      depth: "Gewichtsschichten, die letzte davon linear; ohne Biases ist das der Homogenitätsgrad k.",
      width: "Einheiten, bei einer Faltung Kanäle, in jeder verdeckten Schicht.",
      activation: "Aktivierungsfunktion: ReLU, erf, tanh oder linear.",
      bias: "Ein Bias in jeder Schicht.",
      parameterization: "Parametrisierung: standard (Gewichte N(0, w-std²/fan-in)) oder ntk (Gewichte N(0, 1), bei der Verwendung skaliert).",
      "w-std": "Gewichtsskala σ_w; standardmäßig √2 für relu (He) und 1 für die anderen (LeCun).",
      "b-std": "Bias-Skala σ_b: die Standardabweichung der anfänglichen Biases, bei ntk ihr Faktor.",
      "batch-norm": "Batch-Normalisierung nach jeder Faltung (cnn).",
      normalization: "Was die Batch-Normalisierung beim Testen verwendet: laufende Mittelwerte (running) oder den aktuellen Batch (batch).",
      pooling: "Wie ein cnn das Bild nach seiner ersten Faltung verkleinert: stride, max oder average (2×2-Pooling).",
      readout: "Was die dichte Schicht eines cnn liest: den Mittelwert über die Pixel (pool) oder jedes Pixel (flatten).",
      loss: "Kreuzentropie oder quadratischer Fehler (½‖f − one-hot‖²).",
      batch: "Beispiele je Schritt; 0 ist der volle Batch.",
      sampling: "Wie Minibatches gezogen werden: epoch (ohne Zurücklegen) oder replacement (mit Zurücklegen).",
      lr: "Lernraten η des Rasters.",
      "lr-schedule": "Zeitplan der Lernrate über den Lauf: constant, step (×0.2 bei 0.3, 0.6 und 0.9) oder cosine.",
      optimizer: "Optimierer: sgd, nesterov oder adam mit L2 im Gradienten; sgdw oder adamw mit entkoppeltem Weight Decay (θ ← θ − ηλθ).",
      momentum: "Momentum β von sgd, nesterov und sgdw, ohne Dämpfung. β₁ und β₂ von Adam sind 0.9 und 0.999.",
      lambda: "L2-Koeffizienten λ des Rasters: Zum Verlust gehört (λ/2)‖θ‖². Hat λ einen Zeitplan, ist das sein Anfangswert.",
      decay: "Worauf λ wirkt: auf alle Parameter (all) oder nur auf Gewichte (weights), also nicht auf Biases und nicht auf Skalierung und Verschiebung einer Normalisierung.",
      "lambda-schedule": "Zeitplan von λ innerhalb eines Laufs: constant, step, cosine, inverse-time, off, warm-up, autol2 oder autol2-reference.",
      compare: "Jeder dieser Zeitpläne beginnt beim größten λ oder steigt bis dorthin.",
      "lambda-factor": "Wie weit λ auf einmal fällt.",
      "lambda-delay":
        "Wie bald nach einer Verringerung von λ autol2 nach der nächsten sucht: in τ (standardmäßig 0.1); bei autol2-reference: in Schritten mal λ (0.1).",
      "lambda-min": "Das kleinste λ von step, cosine, inverse-time und autol2.",
      "lambda-switch": "Anteil des Laufs, nach dem λ bei off gleich 0 ist und bei warm-up seinen vollen Wert erreicht hat.",
      "c-prime": "c′ von inverse-time, dessen λ gegen c′/Σ η/(1−β) geht.",
      "probe-every": "Schritte zwischen den Minibatches, an denen autol2 und autol2-reference das Training beobachten.",
      tau: "Länge jedes Laufs in Regularisierungszeit τ = η/(1−β)·λ·t; der Standardwert 2 ist mindestens das Doppelte der Zeit bis zum Maximum.",
      steps: "Länge jedes Laufs in Schritten.",
      epochs: "Länge jedes Laufs in Epochen.",
      measurements: "Messungen je Verzehnfachung der Schritte, gleichmäßig in der logarithmischen Zeit verteilt: für Läufe jeder Länge dieselben.",
      seeds: "Anzahl der Seeds; jeder ergibt eigene Anfangsgewichte und eine eigene Reihenfolge der Batches.",
      seed: "Der erste Seed.",
      estimator: "Schätzer von t* für Anpassungen und Vorhersagen: Ankunft nahe der höchsten Testgenauigkeit, ihr Maximum selbst oder der kleinste Testverlust.",
      budget: "So viele Schritte trainieren: Welches λ ist am besten?",
      device:
        "Bei einem großen Netz wird die Geschwindigkeit beider an der tatsächlichen Arbeit gemessen. Der Code für die GPU umfasst weitere 1.7 MB, die geladen werden, wenn sie erprobt wird.",
    },
    options: {
      model: { fc: "vollständig verbunden", linear: "linear", cnn: "Faltungsnetz" },
      loss: { "cross-entropy": "Kreuzentropie", mse: "quadratischer Fehler" },
      activation: { relu: "ReLU", tanh: "tanh", erf: "erf", linear: "linear" },
      estimator: ESTIMATORS,
      device: { auto: "die schnellere", cpu: "CPU", gpu: "GPU (WebGPU)" },
    },
    listHelp: "Zahlen, durch Kommas getrennt.",
    invalidList: "Bitte Zahlen über 0 eingeben, durch Kommas getrennt.",
    invalidNumber: (low: string, high: string) => `Bitte eine Zahl von ${low} bis ${high} eingeben.`,
  },

  exports: {
    menu: "Exportieren",
    csv: "Messreihen, CSV",
    toml: "Experiment, TOML",
    svg: "Abbildung, SVG",
    png: "Abbildung, PNG",
    tomlHead: "# l2lab sweep FILE.toml",
    failed: "Das Bild konnte nicht erzeugt werden; die SVG-Datei hat denselben Inhalt.",
  },

  share: {
    title: "Teilen",
    what: "Kopieren",
    kinds: { page: "Link zu dieser Seite", figure: "Link zur Abbildung", tag: "HTML-Tag", frame: "iframe" },
    about: {
      page: "Öffnet diese Seite mit diesen Einstellungen.",
      figure: "Öffnet nur diese Abbildung, mit diesen Einstellungen und den ausgewählten Bedienelementen.",
      tag: "Eine Zeile HTML für eine eigene Seite. Die Abbildung wird Teil dieser Seite: ihrer Farben, ihrer Tastaturbedienung, ihrer Ereignisse. Ihr Skript kommt von dieser Website.",
      frame: "Für Lernplattformen, Blogs und überall dort, wo Skripte nicht erlaubt sind. Die Abbildung steht allein in ihrem Rahmen.",
    },
    controls: "Bedienelemente für Lesende",
    all: "Alle",
    none: "Keine",
    more: "Außerdem",
    locked: "Alles andere bleibt, wie es ist",
    autoplay: "Trainiert, sobald sie ins Bild kommt",
    code: "Zum Kopieren",
    copy: "Kopieren",
    copied: "Kopiert",
    byHand: "Dieser Browser erlaubt der Seite das Kopieren nicht: Bitte den Text markieren und von Hand kopieren.",
  },

  url: {
    version: (v: string) =>
      `Dieser Link hat die Version ${v}, die diese Seite nicht kennt; seine Einstellungen werden als Version 1 gelesen.`,
    problems: (list: readonly string[]) => `Aus dem Link ignoriert: ${list.join("; ")}.`,
    unknown: (name: string) => `${name} (keine solche Einstellung)`,
    unchecked: "Die Einstellungen im Link konnten nicht geprüft werden.",
  },

  lab: {
    asked: "Diese Recheneinheit wurde verlangt.",
    small: "Das Netz ist zu klein, als dass eine GPU etwas brächte.",
    noWebGpu: "Dieser Browser bietet hier kein WebGPU.",
    ratio: (ratio: number) => `Bei dieser Arbeit gemessen, erreicht die GPU das ${ratio.toPrecision(2)}-Fache der Geschwindigkeit der CPU.`,
    disagrees: (off: number) =>
      `Der erste Schritt der GPU weicht relativ um ${off.toPrecision(2)} von dem der CPU ab: Auf sie ist kein Verlass.`,
    gpuFailed: (what: string) => `Die GPU konnte nicht verwendet werden: ${what}`,
    lostGpu: "Die GPU ist ausgefallen.",
    gpuLost: (what: string) => `Die GPU ist ausgefallen (${what}); die Läufe haben auf der CPU neu begonnen, mit denselben Seeds.`,
    panicked: "der Code ist gescheitert; wo, steht in der Konsole des Browsers",
    gpuRested: "Die GPU wurde freigegeben, solange diese Abbildung nicht zu sehen war; ihre Läufe begannen von denselben Seeds neu.",
    crashed: (what: string) =>
      `Ein Worker ist ausgefallen (${what}); seine Läufe haben mit denselben Seeds neu begonnen, was dieselben Kurven ergibt.`,
    memory:
      "Der Speicher, den eine Seite haben kann, ist erschöpft. Bitte ein schmaleres Netz, einen kleineren Batch oder weniger Bilder wählen und dann erneut abspielen.",
    crashes: (what: string) =>
      `Die Berechnung ist mehrmals ausgefallen (${what}). Bitte ein kleineres Netz oder weniger Läufe wählen, dann zurückspulen und erneut abspielen.`,
    cannotStart: {
      file: () =>
        "Diese Seite wurde als Datei geöffnet, und in Seiten aus Dateien rechnen Browser nicht. Den Ordner bitte über http bereitstellen und die Seite dort öffnen.",
      policy: () =>
        "Die Sicherheitsrichtlinie dieser Seite verbietet WebAssembly, das die Abbildungen berechnet. Wer die Seite betreut, kann es erlauben: 'wasm-unsafe-eval' in script-src.",
      old: () =>
        "Dieser Browser kann die Abbildungen nicht berechnen: Sie brauchen WebAssembly mit SIMD, das Browser seit 2023 haben. Bitte den Browser aktualisieren oder einen anderen verwenden.",
      script: (what: string) =>
        `Die Berechnung konnte nicht starten (${what}). Bitte die Verbindung prüfen und die Seite neu laden. Hilft das nicht: Der Server der Seite muss .js- und .wasm-Dateien als das ausliefern, was sie sind, und ihre Sicherheitsrichtlinie muss Worker erlauben (worker-src 'self' blob:).`,
    },
  },
};
