// Made from core's types by core/tests/suite/typescript.rs, which also says how: do not edit.

export type Sampling = "epoch" | "replacement";

export type MixupBy = "example" | "batch";

export type ModelKind = "linear" | "fc" | "cnn" | "wrn";

export type Activation = "relu" | "erf" | "tanh" | "linear";

export type Parameterization = "standard" | "ntk";

export type Normalization = "running" | "batch";

export type Pooling = "stride" | "max" | "average";

export type Precision = "f32" | "bf16" | "f16";

export type Readout = "pool" | "flatten";

export type Shortcut = "1x1" | "3x3";

export type Loss = "cross-entropy" | "mse";

export type LrSchedule = "constant" | "step" | "cosine";

export type LambdaScheduleKind = "constant" | "step" | "cosine" | "inverse-time" | "off" | "warm-up" | "autol2" | "autol2-reference";

export type OptimizerKind = "sgd" | "nesterov" | "sgdw" | "adam" | "adamw";

export type Decayed = "all" | "weights";

export type Estimator = "arrival" | "peak" | "loss";

export type Length = string;

export type Grid = Array<number>;

export type Schedules = Array<LambdaScheduleKind>;

export type Experiment = { 
/**
 * Data set: fashion-mnist-512 (part of the program), fashion-mnist, mnist, cifar10 or cifar100.
 */
data: string, 
/**
 * Training examples, drawn by data-seed; 0 takes all.
 */
train: number, 
/**
 * Test examples, drawn by data-seed; 0 takes all.
 */
test: number, 
/**
 * Training examples held out and measured in place of the test set; 0 holds out none.
 */
validation: number, 
/**
 * Fraction of the training labels replaced by another class.
 */
"label-noise": number, 
/**
 * Seed of the subset, the split and the label noise.
 */
"data-seed": number, 
/**
 * Mirror half of the training images, drawn anew for every step.
 */
flip: boolean, 
/**
 * Shift training images by up to this many pixels, drawn anew for every step (a random crop of the padded image).
 */
crop: number, 
/**
 * α of mixup: training examples are mixed with others by shares from Beta(α, α); 0 mixes none.
 */
mixup: number, 
/**
 * Whose share mixup draws: each example's (as in the paper's code), or one for the batch.
 */
"mixup-by": MixupBy, 
/**
 * Model: linear, fc (fully connected), cnn, or wrn (a Wide ResNet: --depth 28 --width 10 is WRN 28-10).
 */
model: ModelKind, 
/**
 * Weight layers, the last one linear; without biases this is the homogeneity degree k. A wrn has 6n + 4.
 */
depth: number, 
/**
 * Units, or channels of a convolution, in each hidden layer; a wrn's groups have 16, 32 and 64 times as many.
 */
width: number, 
/**
 * Activation: relu, erf, tanh or linear.
 */
activation: Activation, 
/**
 * Biases in every layer.
 */
bias: boolean, 
/**
 * Parameterization: standard (weights N(0, w-std²/fan-in)) or ntk (weights N(0, 1), scaled in use).
 */
parameterization: Parameterization, 
/**
 * Weight scale σ_w; by default √2 for relu (He) and 1 for the others (LeCun).
 */
"w-std": number | null, 
/**
 * Bias scale σ_b: the standard deviation of the initial biases, or with ntk their factor.
 */
"b-std": number, 
/**
 * Batch normalization after each convolution (cnn).
 */
"batch-norm": boolean, 
/**
 * What batch normalization uses when testing: running averages, or the current batch.
 */
normalization: Normalization, 
/**
 * How a cnn shrinks the image after its first convolution: stride, max or average (2×2 pooling).
 */
pooling: Pooling, 
/**
 * What a cnn's dense layer reads: the average over pixels (pool) or every pixel (flatten).
 */
readout: Readout, 
/**
 * Convolution on a wrn's shortcuts where channels change: 1x1, or 3x3 as in the paper's code.
 */
shortcut: Shortcut, 
/**
 * Share of the values that a wrn drops in training, between the two convolutions of each block.
 */
dropout: number, 
/**
 * Number format of the network's passes: f32, bf16 or f16; weights, normalization and the loss stay f32.
 */
precision: Precision, 
/**
 * Loss: cross-entropy, or mse (½‖f − one-hot‖²).
 */
loss: Loss, 
/**
 * Share of a training target that is spread over all classes.
 */
"label-smoothing": number, 
/**
 * Examples per step; 0 is the full batch.
 */
batch: number, 
/**
 * How minibatches are drawn: epoch (without replacement) or replacement.
 */
sampling: Sampling, 
/**
 * Learning rates η of the grid.
 */
lr: Grid, 
/**
 * Learning-rate schedule over the run: constant, step (×0.2 at 0.3, 0.6 and 0.9) or cosine.
 */
"lr-schedule": LrSchedule, 
/**
 * Fraction of the run in which η rises linearly to its schedule.
 */
"lr-warm-up": number, 
/**
 * Optimizer: sgd, nesterov or adam with L2 in the gradient; sgdw or adamw with decoupled decay (θ ← θ − ηλθ).
 */
optimizer: OptimizerKind, 
/**
 * Momentum β of sgd, nesterov and sgdw, without dampening. Adam's β₁ and β₂ are 0.9 and 0.999.
 */
momentum: number, 
/**
 * L2 coefficients λ of the grid: the loss has (λ/2)‖θ‖². Where λ has a schedule, what it starts from.
 */
lambda: Grid, 
/**
 * What λ acts on: all parameters, or weights alone (no biases, no scales and shifts of a normalization).
 */
decay: Decayed, 
/**
 * Schedule of λ within a run: constant, step, cosine, inverse-time, off, warm-up, autol2 or autol2-reference.
 */
"lambda-schedule": LambdaScheduleKind, 
/**
 * Schedules of λ to run beside the grid, each from the grid's largest λ: none, or such as autol2,inverse-time.
 */
compare: Schedules, 
/**
 * What step and both autol2 divide λ by.
 */
"lambda-factor": number, 
/**
 * How soon after a decay autol2 looks for the next: in τ (by default 0.1); autol2-reference: in steps times λ (0.1).
 */
"lambda-delay": number | null, 
/**
 * The least λ of step, cosine, inverse-time and autol2.
 */
"lambda-min": number, 
/**
 * Fraction of the run after which off is 0, and warm-up has reached λ.
 */
"lambda-switch": number, 
/**
 * c′ of inverse-time, whose λ goes to c′/Σ η/(1−β).
 */
"c-prime": number, 
/**
 * Steps between the minibatches on which both autol2 watch training.
 */
"probe-every": number, 
/**
 * Length of each run in regularization time τ = η/(1−β)·λ·t; most maxima are between 0.5 and 2; 2 where no length is given.
 */
tau: number | null, 
/**
 * Length of each run in steps.
 */
steps: number | null, 
/**
 * Length of each run in epochs.
 */
epochs: number | null, 
/**
 * Measurements for each tenfold of steps, evenly spaced in log time: the same for runs of every length.
 */
measurements: number, 
/**
 * Number of seeds; each gives its own initial weights and batch order.
 */
seeds: number, 
/**
 * The first seed.
 */
seed: number, 
/**
 * Estimator of t_* for fits and predictions: arrival (near the highest test accuracy), peak, or loss (the least test loss).
 */
estimator: Estimator, 
/**
 * Training budget that λ is predicted for: steps, or with a unit 200ep or 2tau (of the largest λ).
 */
budget: Length | null, };

export type RunSpec = { 
/**
 * L2 coefficient λ; what it starts from where it has a schedule.
 */
lambda: number, 
/**
 * How λ changes within the run.
 */
lambda_schedule: LambdaScheduleKind, 
/**
 * Learning rate η, before its schedule.
 */
lr: number, 
/**
 * Momentum β.
 */
momentum: number, 
/**
 * Seed of initial weights and batch order.
 */
seed: number, 
/**
 * Length in steps.
 */
steps: number, 
/**
 * Measurements for each tenfold of steps; the last step is measured too.
 */
per_decade: number, };

export type Measurement = { 
/**
 * Steps taken.
 */
step: number, 
/**
 * Passes over the training set.
 */
epoch: number, 
/**
 * Regularization time Σ η_eff λ over the steps taken.
 */
tau: number, 
/**
 * Mean loss over the training examples measured.
 */
train_loss: number, 
/**
 * Accuracy on them.
 */
train_accuracy: number, 
/**
 * Mean loss over the test examples.
 */
test_loss: number, 
/**
 * Accuracy on them.
 */
test_accuracy: number, 
/**
 * ‖θ‖² over all parameters.
 */
sq_norm: number, 
/**
 * η of the coming step.
 */
lr: number, 
/**
 * λ of the coming step.
 */
lambda: number, };

export type End = "completed" | { "diverged": { 
/**
 * The step at which that was seen.
 */
step: number, 
/**
 * What was not finite.
 */
what: string, } };

export type Trace = { 
/**
 * The run.
 */
run: RunSpec, 
/**
 * Its measurements.
 */
points: Array<Measurement>, 
/**
 * Why it ended, if it has.
 */
end: End | null, };

export type Outcome = "peak" | "plateau" | "flat" | "censored" | "diverged";

export type Verdict = "holds" | "does not hold here" | "not decided by this data" | "premise not met";

export type Mean = { 
/**
 * The mean.
 */
mean: number, 
/**
 * 95 % interval over seeds; absent with one.
 */
ci: [number, number] | null, 
/**
 * Seeds.
 */
n: number, };

export type Time = { 
/**
 * In steps; between two of them, since curves are smoothed.
 */
step: number, 
/**
 * In regularization time.
 */
tau: number, };

export type RunSummary = { 
/**
 * L2 coefficient λ.
 */
lambda: number, 
/**
 * How it changes within the run.
 */
lambda_schedule: LambdaScheduleKind, 
/**
 * Learning rate η.
 */
lr: number, 
/**
 * Momentum β.
 */
momentum: number, 
/**
 * Seed.
 */
seed: number, 
/**
 * Steps that it was to take.
 */
steps: number, 
/**
 * t_* in steps by the experiment's estimator, where its cell can be timed.
 */
t_star: number | null, 
/**
 * t_* in regularization time.
 */
tau_star: number | null, 
/**
 * The early-stopping performance: the highest smoothed test accuracy.
 */
max_test_accuracy: number | null, 
/**
 * Smoothed test accuracy at the end.
 */
final_test_accuracy: number | null, 
/**
 * Fall of the smoothed test accuracy from its maximum to the end.
 */
late_decay: number | null, 
/**
 * Largest training accuracy: 1 if the network is overparameterized for its data.
 */
max_train_accuracy: number | null, 
/**
 * The run ended because its numbers did.
 */
diverged: boolean, 
/**
 * Why, if it diverged.
 */
reason?: string | null, 
/**
 * t_* by every estimator that can time the run's cell.
 */
times: { [key in string]: Time }, };

export type Cell = { 
/**
 * Learning rate η.
 */
lr: number, 
/**
 * L2 coefficient λ.
 */
lambda: number, 
/**
 * Momentum β.
 */
momentum: number, 
/**
 * How it changes within a run.
 */
lambda_schedule: LambdaScheduleKind, 
/**
 * Runs.
 */
runs: number, 
/**
 * Runs that diverged.
 */
diverged: number, 
/**
 * What the curves show beyond their noise.
 */
outcome: Outcome, 
/**
 * Why, in words.
 */
why: string, 
/**
 * t_* in steps by the experiment's estimator, of the mean curve over seeds; absent where it cannot time the cell.
 */
t_star: number | null, 
/**
 * t_* in regularization time.
 */
tau_star: number | null, 
/**
 * The moment of the highest mean test accuracy, of a peak.
 */
peak: Time | null, 
/**
 * Of a censored cell whose curve surely still rises, what t_* is at least, in steps.
 */
at_least: number | null, 
/**
 * Mean over seeds of the early-stopping performance: of each seed at the moment that is best for the others.
 */
max_test_accuracy: number | null, 
/**
 * Its 95 % interval over seeds.
 */
max_test_accuracy_ci: [number, number] | null, 
/**
 * Mean final test accuracy, smoothed.
 */
final_test_accuracy: number | null, 
/**
 * How far test accuracy falls from that moment to the end, with its interval over seeds.
 */
late_decay: Mean | null, 
/**
 * Mean of the largest training accuracy.
 */
max_train_accuracy: number | null, };

export type WithoutL2 = { 
/**
 * Cells that can be made so.
 */
cells: number, 
/**
 * Those in which the estimator times something.
 */
timed: number, 
/**
 * Slope of these times on log λ; absent with fewer than two λ.
 */
slope: number | null, };

export type Fit = { 
/**
 * What t_* is by.
 */
estimator: Estimator, 
/**
 * Slope of log t_* on log λ at fixed η; the paper's relation R1 is −1. An arrival that goes with ηt alone has slope 0.
 */
slope: number, 
/**
 * 95 % interval over seeds; absent with one seed.
 */
slope_ci: [number, number] | null, 
/**
 * The same slope where times are exchanged between λ at fixed η, on average over all exchanges: what chance alone gives.
 */
placebo_slope: number, 
/**
 * 95 % of the exchanges.
 */
placebo_ci: [number, number], 
/**
 * What the same estimator finds in curves without L2.
 */
without_l2: WithoutL2, 
/**
 * Slope of log t_* on log η_eff at fixed λ; absent where no λ has two η. The law says −1.
 */
slope_lr: number | null, 
/**
 * Its 95 % interval over seeds.
 */
slope_lr_ci: [number, number] | null, 
/**
 * Slope on log ηλ (R2), with one intercept for all η.
 */
slope_product: number, 
/**
 * Its 95 % interval.
 */
slope_product_ci: [number, number] | null, 
/**
 * log t_* where log ηλ is 0, on that line.
 */
intercept: number, 
/**
 * c′: the median of τ_* over the cells that were timed.
 */
c_prime: number, 
/**
 * Its 95 % interval over seeds; absent with one seed.
 */
c_prime_ci: [number, number] | null, 
/**
 * Smallest and largest τ_* of a cell.
 */
c_prime_range: [number, number], 
/**
 * Runs in the cells that were timed.
 */
n: number, 
/**
 * Their seeds.
 */
seeds: number, 
/**
 * Cells that were timed.
 */
cells_timed: number, 
/**
 * Censored cells that surely rise in the second half of their runs, which bounds t_* from below.
 */
cells_bounding: number, 
/**
 * What it decides about R1: that t_* goes as 1/λ.
 */
law: Verdict, };

export type Collapse = { 
/**
 * The p at which the curves are nearest to one another; the law says 1.
 */
exponent: number, 
/**
 * Its 95 % interval over seeds; absent with one seed.
 */
exponent_ci: [number, number] | null, 
/**
 * Standard deviation between the curves of all cells, over time, where they are drawn against τ.
 */
spread_in_tau: number, 
/**
 * The same where they are drawn against steps.
 */
spread_in_steps: number, };

export type Forecast = { 
/**
 * η of the runs it concerns.
 */
lr: number, 
/**
 * The large λ whose t_* was read: the largest one that the experiment's estimator can time.
 */
lambda0: number, 
/**
 * The budget in steps.
 */
budget: number, 
/**
 * t_* of the short runs, in steps, by their mean curve.
 */
t_star: number, 
/**
 * c′ = τ_* of the short runs.
 */
c_prime: number, 
/**
 * The λ whose t_* falls on the end of the budget.
 */
lambda_pred: number, 
/**
 * 95 % interval over the short runs' seeds; absent with one seed.
 */
lambda_pred_ci: [number, number] | null, 
/**
 * Short runs.
 */
n: number, };

export type Score = { 
/**
 * L2 coefficient λ.
 */
lambda: number, 
/**
 * Seed.
 */
seed: number, 
/**
 * Early-stopping test accuracy at the budget, 0 to 1.
 */
accuracy: number, };

export type Regret = { 
/**
 * The grid's best λ at the budget, by mean accuracy over seeds.
 */
best_lambda: number, 
/**
 * Mean accuracy of a tuned λ: for each seed the one that is best for the other seeds, since a λ that a seed has chosen
 * itself does too well there. With one seed, its own.
 */
best_accuracy: number, 
/**
 * Mean accuracy at λ_pred.
 */
accuracy: number, 
/**
 * `best_accuracy − accuracy`; negative where the prediction beats the tuned λ.
 */
regret: number, 
/**
 * 95 % interval over seeds; absent with one.
 */
regret_ci: [number, number] | null, 
/**
 * Seeds behind the means.
 */
seeds: number, };

export type ModelSummary = { 
/**
 * Trained values of one run.
 */
parameters: number, 
/**
 * The homogeneity degree k, if there is one.
 */
homogeneity: number | null, };

export type Findings = { 
/**
 * One for each run of the grid.
 */
runs: Array<RunSummary>, 
/**
 * One for each η and λ.
 */
cells: Array<Cell>, 
/**
 * The fits by all estimators, by name.
 */
fits: { [key in string]: Fit }, 
/**
 * Why an estimator has no fit, in words, by name.
 */
refusals: { [key in string]: string }, 
/**
 * How well whole curves lie on one another.
 */
collapse: Collapse | null, 
/**
 * How far below its maximum a curve counts as having arrived there.
 */
tolerance: number, 
/**
 * λ_pred for a budget, if the grid allows one.
 */
forecast: Forecast | null, 
/**
 * The grid's runs within the forecast's budget.
 */
scores: Array<Score>, 
/**
 * What following the forecast costs, if that was tried.
 */
regret: Regret | null, };

export type Recording = { 
/**
 * [`RECORDING_VERSION`] of the program that made it.
 */
version: number, 
/**
 * The command that makes it again; absent in a page's own runs.
 */
command: string | null, 
/**
 * The device it ran on.
 */
device: string, 
/**
 * What was asked for.
 */
experiment: Experiment, 
/**
 * What learned.
 */
model: ModelSummary, 
/**
 * The grid's runs.
 */
traces: Array<Trace>, 
/**
 * Runs at the forecast's λ.
 */
verification: Array<Trace>, 
/**
 * What was found.
 */
findings: Findings, };

export type FigureName = "clock" | "law" | "predict" | "auto" | "theory" | "limits";

export type TheoryPoint = { 
/**
 * Time of gradient flow: η times steps.
 */
time: number, 
/**
 * Mean ½‖f − y‖² over the training set.
 */
train_loss: number, 
/**
 * Share of training examples whose largest output is the target's.
 */
train_accuracy: number, 
/**
 * The same over the test set, if there is one.
 */
test_loss: number | null, 
/**
 * The same over the test set, if there is one.
 */
test_accuracy: number | null, 
/**
 * Θ_t/Θ_0.
 */
kernel_scale: number, };

export type TheoryCurves = { 
/**
 * L2 coefficient λ.
 */
lambda: number, 
/**
 * Time of the least test loss, η·steps, if there is one.
 */
t_star: number | null, 
/**
 * Times of gradient flow, η·steps.
 */
times: Array<number>, 
/**
 * Mean ½‖f − y‖² over the training set, at each time.
 */
train_loss: Array<number>, 
/**
 * The same over the test set.
 */
test_loss: Array<number>, 
/**
 * How much of some modes is learned.
 */
modes: Array<LearnedMode>, };

export type LearnedMode = { 
/**
 * Which, counted from 0.
 */
index: number, 
/**
 * f/y at each time.
 */
learned: Array<number>, };

export type TrainedNetwork = { 
/**
 * L2 coefficient λ.
 */
lambda: number, 
/**
 * Units in each hidden layer.
 */
width: number, 
/**
 * Seed.
 */
seed: number, 
/**
 * Times, η·steps.
 */
times: Array<number>, 
/**
 * Mean ½‖f − y‖² over the test set, at each time.
 */
test_loss: Array<number>, 
/**
 * What the theory says of it, from the outputs that the network starts with.
 */
expected: Array<number>, };

export type MeasuredKernel = { 
/**
 * L2 coefficient λ.
 */
lambda: number, 
/**
 * Units in each hidden layer.
 */
width: number, 
/**
 * Regularization time λ·t.
 */
tau: number, 
/**
 * Θ_t over Θ_0, along Θ_0.
 */
scale: number, };

export type TheoryRecording = { 
/**
 * [`RECORDING_VERSION`] of the program that made it.
 */
version: number, 
/**
 * The command that makes it again.
 */
command: string, 
/**
 * What was asked for.
 */
experiment: Experiment, 
/**
 * The homogeneity degree.
 */
k: number, 
/**
 * The kernel's eigenvalues over the number of training examples, the largest first.
 */
gammas: Array<number>, 
/**
 * The theory, for each λ.
 */
lambdas: Array<TheoryCurves>, 
/**
 * Trained networks.
 */
networks: Array<TrainedNetwork>, 
/**
 * The kernels of trained networks.
 */
kernels: Array<MeasuredKernel>, };

export const RECORDING_VERSION = 2;

/** The experiment's fields: names of flags, URL keys and attributes. */
export const FIELDS: readonly (keyof Experiment)[] = [
  "data",
  "train",
  "test",
  "validation",
  "label-noise",
  "data-seed",
  "flip",
  "crop",
  "mixup",
  "mixup-by",
  "model",
  "depth",
  "width",
  "activation",
  "bias",
  "parameterization",
  "w-std",
  "b-std",
  "batch-norm",
  "normalization",
  "pooling",
  "readout",
  "shortcut",
  "dropout",
  "precision",
  "loss",
  "label-smoothing",
  "batch",
  "sampling",
  "lr",
  "lr-schedule",
  "lr-warm-up",
  "optimizer",
  "momentum",
  "lambda",
  "decay",
  "lambda-schedule",
  "compare",
  "lambda-factor",
  "lambda-delay",
  "lambda-min",
  "lambda-switch",
  "c-prime",
  "probe-every",
  "tau",
  "steps",
  "epochs",
  "measurements",
  "seeds",
  "seed",
  "estimator",
  "budget"
];

// What they are, in the core's English.
export const HELP_DATA = "Data set: fashion-mnist-512 (part of the program), fashion-mnist, mnist, cifar10 or cifar100.";
export const HELP_TRAIN = "Training examples, drawn by data-seed; 0 takes all.";
export const HELP_TEST = "Test examples, drawn by data-seed; 0 takes all.";
export const HELP_VALIDATION = "Training examples held out and measured in place of the test set; 0 holds out none.";
export const HELP_LABEL_NOISE = "Fraction of the training labels replaced by another class.";
export const HELP_DATA_SEED = "Seed of the subset, the split and the label noise.";
export const HELP_FLIP = "Mirror half of the training images, drawn anew for every step.";
export const HELP_CROP = "Shift training images by up to this many pixels, drawn anew for every step (a random crop of the padded image).";
export const HELP_MIXUP = "α of mixup: training examples are mixed with others by shares from Beta(α, α); 0 mixes none.";
export const HELP_MIXUP_BY = "Whose share mixup draws: each example's (as in the paper's code), or one for the batch.";
export const HELP_MODEL = "Model: linear, fc (fully connected), cnn, or wrn (a Wide ResNet: --depth 28 --width 10 is WRN 28-10).";
export const HELP_DEPTH = "Weight layers, the last one linear; without biases this is the homogeneity degree k. A wrn has 6n + 4.";
export const HELP_WIDTH = "Units, or channels of a convolution, in each hidden layer; a wrn's groups have 16, 32 and 64 times as many.";
export const HELP_ACTIVATION = "Activation: relu, erf, tanh or linear.";
export const HELP_BIAS = "Biases in every layer.";
export const HELP_PARAMETERIZATION = "Parameterization: standard (weights N(0, w-std²/fan-in)) or ntk (weights N(0, 1), scaled in use).";
export const HELP_W_STD = "Weight scale σ_w; by default √2 for relu (He) and 1 for the others (LeCun).";
export const HELP_B_STD = "Bias scale σ_b: the standard deviation of the initial biases, or with ntk their factor.";
export const HELP_BATCH_NORM = "Batch normalization after each convolution (cnn).";
export const HELP_NORMALIZATION = "What batch normalization uses when testing: running averages, or the current batch.";
export const HELP_POOLING = "How a cnn shrinks the image after its first convolution: stride, max or average (2×2 pooling).";
export const HELP_READOUT = "What a cnn's dense layer reads: the average over pixels (pool) or every pixel (flatten).";
export const HELP_SHORTCUT = "Convolution on a wrn's shortcuts where channels change: 1x1, or 3x3 as in the paper's code.";
export const HELP_DROPOUT = "Share of the values that a wrn drops in training, between the two convolutions of each block.";
export const HELP_PRECISION = "Number format of the network's passes: f32, bf16 or f16; weights, normalization and the loss stay f32.";
export const HELP_LOSS = "Loss: cross-entropy, or mse (½‖f − one-hot‖²).";
export const HELP_LABEL_SMOOTHING = "Share of a training target that is spread over all classes.";
export const HELP_BATCH = "Examples per step; 0 is the full batch.";
export const HELP_SAMPLING = "How minibatches are drawn: epoch (without replacement) or replacement.";
export const HELP_LR = "Learning rates η of the grid.";
export const HELP_LR_SCHEDULE = "Learning-rate schedule over the run: constant, step (×0.2 at 0.3, 0.6 and 0.9) or cosine.";
export const HELP_LR_WARM_UP = "Fraction of the run in which η rises linearly to its schedule.";
export const HELP_OPTIMIZER = "Optimizer: sgd, nesterov or adam with L2 in the gradient; sgdw or adamw with decoupled decay (θ ← θ − ηλθ).";
export const HELP_MOMENTUM = "Momentum β of sgd, nesterov and sgdw, without dampening. Adam's β₁ and β₂ are 0.9 and 0.999.";
export const HELP_LAMBDA = "L2 coefficients λ of the grid: the loss has (λ/2)‖θ‖². Where λ has a schedule, what it starts from.";
export const HELP_DECAY = "What λ acts on: all parameters, or weights alone (no biases, no scales and shifts of a normalization).";
export const HELP_LAMBDA_SCHEDULE = "Schedule of λ within a run: constant, step, cosine, inverse-time, off, warm-up, autol2 or autol2-reference.";
export const HELP_COMPARE = "Schedules of λ to run beside the grid, each from the grid's largest λ: none, or such as autol2,inverse-time.";
export const HELP_LAMBDA_FACTOR = "What step and both autol2 divide λ by.";
export const HELP_LAMBDA_DELAY = "How soon after a decay autol2 looks for the next: in τ (by default 0.1); autol2-reference: in steps times λ (0.1).";
export const HELP_LAMBDA_MIN = "The least λ of step, cosine, inverse-time and autol2.";
export const HELP_LAMBDA_SWITCH = "Fraction of the run after which off is 0, and warm-up has reached λ.";
export const HELP_C_PRIME = "c′ of inverse-time, whose λ goes to c′/Σ η/(1−β).";
export const HELP_PROBE_EVERY = "Steps between the minibatches on which both autol2 watch training.";
export const HELP_TAU = "Length of each run in regularization time τ = η/(1−β)·λ·t; most maxima are between 0.5 and 2; 2 where no length is given.";
export const HELP_STEPS = "Length of each run in steps.";
export const HELP_EPOCHS = "Length of each run in epochs.";
export const HELP_MEASUREMENTS = "Measurements for each tenfold of steps, evenly spaced in log time: the same for runs of every length.";
export const HELP_SEEDS = "Number of seeds; each gives its own initial weights and batch order.";
export const HELP_SEED = "The first seed.";
export const HELP_ESTIMATOR = "Estimator of t_* for fits and predictions: arrival (near the highest test accuracy), peak, or loss (the least test loss).";
export const HELP_BUDGET = "Training budget that λ is predicted for: steps, or with a unit 200ep or 2tau (of the largest λ).";

const COMMON: Readonly<Record<string, string>> = {
  "activation": "relu",
  "b-std": "0",
  "batch": "128",
  "batch-norm": "false",
  "bias": "true",
  "c-prime": "1",
  "compare": "none",
  "crop": "0",
  "data": "fashion-mnist-512",
  "data-seed": "0",
  "decay": "all",
  "depth": "4",
  "dropout": "0",
  "estimator": "arrival",
  "flip": "false",
  "label-noise": "0",
  "label-smoothing": "0",
  "lambda": "0.1,0.03,0.01",
  "lambda-factor": "10",
  "lambda-min": "0",
  "lambda-schedule": "constant",
  "lambda-switch": "0.5",
  "loss": "cross-entropy",
  "lr": "0.01",
  "lr-schedule": "constant",
  "lr-warm-up": "0",
  "measurements": "24",
  "mixup": "0",
  "mixup-by": "example",
  "model": "linear",
  "momentum": "0",
  "normalization": "running",
  "optimizer": "sgd",
  "parameterization": "standard",
  "pooling": "stride",
  "precision": "f32",
  "probe-every": "10",
  "readout": "pool",
  "sampling": "epoch",
  "seed": "0",
  "seeds": "3",
  "shortcut": "1x1",
  "test": "400",
  "train": "512",
  "validation": "0",
  "width": "64"
};

/** What each figure's experiment is unless told otherwise, as text. */
export const BASES: Readonly<Record<FigureName, Readonly<Record<string, string>>>> = {
  clock: { ...COMMON, ...{"bias":"false","depth":"2","lambda":"0.2,0.1,0.05,0.02","lr":"0.05","model":"fc","tau":"5","w-std":"8"} },
  law: { ...COMMON, ...{"bias":"false","depth":"2","lambda":"0.2,0.1,0.05,0.02","lr":"0.05","model":"fc","tau":"5","w-std":"8"} },
  predict: { ...COMMON, ...{"bias":"false","depth":"2","lambda":"0.2,0.1,0.05,0.02","lr":"0.05","model":"fc","tau":"5","w-std":"8"} },
  auto: { ...COMMON, ...{"compare":"autol2","lambda":"0.1,0.03,0.01,0.003,0.001","lr":"0.1","model":"fc","steps":"3000"} },
  theory: { ...COMMON, ...{"batch":"0","bias":"false","depth":"3","lambda":"0.03","loss":"mse","lr":"0.05,0.1","model":"fc","parameterization":"ntk","test":"256","train":"256"} },
  limits: COMMON,
};
