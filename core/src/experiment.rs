//! The experiment: one plain value that says everything about a grid of runs.
//!
//! It is the only schema. Command-line flags, TOML files, a page's URL, an element's attributes and
//! the JavaScript API are views of it with the same kebab-case names; each reads and writes it
//! through [`Experiment::set`] and [`FIELDS`], or through serde.

use std::{ops::Deref, str::FromStr};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, IntoDeserializer},
};

use crate::{
    data::{Augmentation, DataError, Dataset, MixupBy, Sampling, Split, batch_size, steps_per_epoch},
    law::Estimator,
    model::{
        Activation, Model, ModelConfig, ModelKind, Normalization, Parameterization, Pooling, Precision, Readout,
        Shortcut, is_wrn_depth,
    },
    run::{LambdaScheduleKind, Length, RunSpec},
    train::{Decayed, LambdaSettings, Loss, LrCourse, LrSchedule, OptimizerKind, Settings},
};

/// What is wrong with an experiment: which field, which value, and what is allowed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ExperimentError {
    /// No field has this name.
    #[error("unknown key '{key}'{}", nearest.map_or_else(String::new, |n| format!("; did you mean '{n}'?")))]
    UnknownKey {
        /// The name given.
        key: String,
        /// The field whose name is nearest, if any is near.
        nearest: Option<&'static str>,
    },
    /// A field has a value that it cannot have.
    #[error("{field}: '{value}' is not allowed: {allowed}")]
    Value {
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        allowed: String,
    },
    /// Fields that do not go together.
    #[error("{0}")]
    Conflict(String),
    /// The data cannot serve the experiment.
    #[error(transparent)]
    Data(#[from] DataError),
}

/// One field of [`Experiment`]: what front ends need to offer it.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Kebab-case name: the flag, the TOML key, the URL key and the attribute.
    pub name: &'static str,
    /// What it means, in a sentence or two.
    pub help: &'static str,
    /// A flag that may stand without a value.
    pub switch: bool,
}

/// A value that can be written as text in a flag, URL or attribute.
trait Text: Sized {
    /// Whether the name alone means "true".
    const SWITCH: bool = false;
    /// Reads the value; an error says what is allowed.
    fn read(text: &str) -> Result<Self, String>;
    /// Writes what [`Text::read`] reads; `None` is "not set".
    fn write(&self) -> Option<String>;
}

macro_rules! text_by_parse {
    ($($ty:ty: $allowed:literal),* $(,)?) => {$(
        impl Text for $ty {
            fn read(text: &str) -> Result<Self, String> {
                text.trim().parse().map_err(|_| $allowed.to_owned())
            }
            fn write(&self) -> Option<String> {
                Some(self.to_string())
            }
        }
    )*};
}
text_by_parse! {
    usize: "a whole number",
    u64: "a whole number",
    f64: "a number",
    String: "text",
    Length: "a number of steps, or one with a unit: 5000, 200ep (epochs), 2tau",
}

impl Text for bool {
    const SWITCH: bool = true;
    fn read(text: &str) -> Result<Self, String> {
        text.trim().parse().map_err(|_| "true or false".to_owned())
    }
    fn write(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl<T: Text> Text for Option<T> {
    fn read(text: &str) -> Result<Self, String> {
        T::read(text).map(Some)
    }
    fn write(&self) -> Option<String> {
        self.as_ref().and_then(T::write)
    }
}

/// Values of one axis of the grid. In a file, one number may stand for a list of one.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "Array<number>"))]
pub struct Grid(pub Vec<f64>);

impl From<Vec<f64>> for Grid {
    fn from(values: Vec<f64>) -> Self {
        Self(values)
    }
}

impl Deref for Grid {
    type Target = [f64];
    fn deref(&self) -> &[f64] {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Grid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected a number or a list of numbers")]
        enum Raw {
            One(f64),
            Many(Vec<f64>),
        }
        Ok(Self(match Raw::deserialize(deserializer)? {
            Raw::One(value) => vec![value],
            Raw::Many(values) => values,
        }))
    }
}

impl FromStr for Grid {
    /// What is allowed.
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let read = |item: &str| item.trim().parse().map_err(|_| "numbers separated by commas".to_owned());
        text.split(',').map(read).collect::<Result<_, _>>().map(Self)
    }
}

impl Text for Grid {
    fn read(text: &str) -> Result<Self, String> {
        text.parse()
    }
    fn write(&self) -> Option<String> {
        Some(self.iter().map(f64::to_string).collect::<Vec<_>>().join(","))
    }
}

/// Schedules of λ. In a file, one name may stand for a list of one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "Array<LambdaScheduleKind>"))]
pub struct Schedules(pub Vec<LambdaScheduleKind>);

impl<'de> Deserialize<'de> for Schedules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected the name of a schedule or a list of them")]
        enum Raw {
            One(LambdaScheduleKind),
            Many(Vec<LambdaScheduleKind>),
        }
        Ok(Self(match Raw::deserialize(deserializer)? {
            Raw::One(kind) => vec![kind],
            Raw::Many(kinds) => kinds,
        }))
    }
}

/// How no schedule is written.
const NONE: &str = "none";

impl Text for Schedules {
    fn read(text: &str) -> Result<Self, String> {
        if text.trim() == NONE {
            return Ok(Self::default());
        }
        let kinds = text.split(',').map(Text::read).collect::<Result<_, String>>();
        kinds.map(Self).map_err(|allowed| format!("{NONE}, or names separated by commas: {allowed}"))
    }
    fn write(&self) -> Option<String> {
        if self.0.is_empty() {
            return Some(NONE.into());
        }
        Some(self.0.iter().filter_map(Text::write).collect::<Vec<_>>().join(","))
    }
}

/// A choice reads and writes the names that serde gives its variants.
trait Choice: Serialize + DeserializeOwned {}

impl<T: Choice> Text for T {
    fn read(text: &str) -> Result<Self, String> {
        T::deserialize(text.trim().into_deserializer()).map_err(|e: serde::de::value::Error| {
            let message = e.to_string();
            message.split_once(", expected ").map_or(message.clone(), |(_, names)| names.to_owned())
        })
    }
    fn write(&self) -> Option<String> {
        serde_json::to_value(self).ok()?.as_str().map(str::to_owned)
    }
}

macro_rules! choices {
    ($($ty:ty),* $(,)?) => {$(impl Choice for $ty {})*};
}
choices!(
    Activation,
    Decayed,
    Estimator,
    LambdaScheduleKind,
    Loss,
    LrSchedule,
    MixupBy,
    ModelKind,
    Normalization,
    OptimizerKind,
    Parameterization,
    Pooling,
    Precision,
    Readout,
    Sampling,
    Shortcut,
);

/// Declares the struct, its defaults and [`FIELDS`] from one list.
macro_rules! experiment {
    ($($(#[doc = $doc:literal])+ $field:ident, $name:literal: $ty:ty = $default:expr;)*) => {
        /// Everything about a grid of runs: data, model, optimizer, grid, length, seeds.
        ///
        /// `lr` × `lambda` × `seeds` spans the grid; a single run is a grid of one.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
        #[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
        pub struct Experiment {
            $($(#[doc = $doc])+ pub $field: $ty,)*
        }

        impl Default for Experiment {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        /// The experiment's fields, in their order.
        pub const FIELDS: &[Field] = &[$(Field {
            name: $name,
            help: concat!($($doc),+),
            switch: <$ty as Text>::SWITCH,
        },)*];

        impl Experiment {
            /// Sets the field called `name` from text, as a flag, URL key or attribute gives it.
            ///
            /// # Errors
            /// When no field has this name or the text is not a value of its type. Ranges and
            /// conflicts are [`Self::validate`]'s.
            pub fn set(&mut self, name: &str, text: &str) -> Result<(), ExperimentError> {
                match name {
                    $($name => self.$field = Text::read(text).map_err(|allowed| {
                        ExperimentError::Value { field: $name, value: text.to_owned(), allowed }
                    })?,)*
                    _ => return Err(unknown_key(name)),
                }
                Ok(())
            }

            /// This experiment with the fields in `settings`, pairs of name and text, set.
            ///
            /// # Errors
            /// As [`Self::set`].
            pub fn with(mut self, settings: &[(&str, &str)]) -> Result<Self, ExperimentError> {
                for (name, text) in settings {
                    self.set(name, text)?;
                }
                Ok(self)
            }

            /// The value of the field called `name` as [`Self::set`] reads it; `None` when it is
            /// not set or there is no such field.
            #[must_use]
            pub fn get(&self, name: &str) -> Option<String> {
                match name {
                    $($name => self.$field.write(),)*
                    _ => None,
                }
            }
        }
    };
}

experiment! {
    /// Data set: fashion-mnist-512 (part of the program), fashion-mnist, mnist, cifar10 or cifar100.
    data, "data": String = "fashion-mnist-512".into();
    /// Training examples, drawn by data-seed; 0 takes all.
    train, "train": usize = 512;
    /// Test examples, drawn by data-seed; 0 takes all.
    test, "test": usize = 1000;
    /// Training examples held out and measured in place of the test set; 0 holds out none.
    validation, "validation": usize = 0;
    /// Fraction of the training labels replaced by another class.
    label_noise, "label-noise": f64 = 0.0;
    /// Seed of the subset, the split and the label noise.
    data_seed, "data-seed": u64 = 0;
    /// Mirror half of the training images, drawn anew for every step.
    flip, "flip": bool = false;
    /// Shift training images by up to this many pixels, drawn anew for every step (a random crop of the padded image).
    crop, "crop": usize = 0;
    /// α of mixup: training examples are mixed with others by shares from Beta(α, α); 0 mixes none.
    mixup, "mixup": f64 = 0.0;
    /// Whose share mixup draws: each example's (as in the paper's code), or one for the batch.
    mixup_by, "mixup-by": MixupBy = MixupBy::Example;
    /// Model: linear, fc (fully connected), cnn, or wrn (a Wide ResNet: --depth 28 --width 10 is WRN 28-10).
    model, "model": ModelKind = ModelKind::Fc;
    /// Weight layers, the last one linear; without biases this is the homogeneity degree k. A wrn has 6n + 4.
    depth, "depth": usize = 4;
    /// Units, or channels of a convolution, in each hidden layer; a wrn's groups have 16, 32 and 64 times as many.
    width, "width": usize = 64;
    /// Activation: relu, erf, tanh or linear.
    activation, "activation": Activation = Activation::Relu;
    /// Biases in every layer.
    bias, "bias": bool = true;
    /// Parameterization: standard (weights N(0, w-std²/fan-in)) or ntk (weights N(0, 1), scaled in use).
    parameterization, "parameterization": Parameterization = Parameterization::Standard;
    /// Weight scale σ_w; by default √2 for relu (He) and 1 for the others (LeCun).
    w_std, "w-std": Option<f64> = None;
    /// Bias scale σ_b: the standard deviation of the initial biases, or with ntk their factor.
    b_std, "b-std": f64 = 0.0;
    /// Batch normalization after each convolution (cnn).
    batch_norm, "batch-norm": bool = false;
    /// What batch normalization uses when testing: running averages, or the current batch.
    normalization, "normalization": Normalization = Normalization::Running;
    /// How a cnn shrinks the image after its first convolution: stride, max or average (2×2 pooling).
    pooling, "pooling": Pooling = Pooling::Stride;
    /// What a cnn's dense layer reads: the average over pixels (pool) or every pixel (flatten).
    readout, "readout": Readout = Readout::Pool;
    /// Convolution on a wrn's shortcuts where channels change: 1x1, or 3x3 as in the paper's code.
    shortcut, "shortcut": Shortcut = Shortcut::One;
    /// Share of the values that a wrn drops in training, between the two convolutions of each block.
    dropout, "dropout": f64 = 0.0;
    /// Number format of the network's passes: f32, bf16 or f16; weights, normalization and the loss stay f32.
    precision, "precision": Precision = Precision::F32;
    /// Loss: cross-entropy, or mse (½‖f − one-hot‖²).
    loss, "loss": Loss = Loss::CrossEntropy;
    /// Share of a training target that is spread over all classes.
    label_smoothing, "label-smoothing": f64 = 0.0;
    /// Examples per step; 0 is the full batch.
    batch, "batch": usize = 128;
    /// How minibatches are drawn: epoch (without replacement) or replacement.
    sampling, "sampling": Sampling = Sampling::Epoch;
    /// Learning rates η of the grid.
    lr, "lr": Grid = vec![0.05, 0.1].into();
    /// Learning-rate schedule over the run: constant, step (×0.2 at 0.3, 0.6 and 0.9) or cosine.
    lr_schedule, "lr-schedule": LrSchedule = LrSchedule::Constant;
    /// Fraction of the run in which η rises linearly to its schedule.
    lr_warm_up, "lr-warm-up": f64 = 0.0;
    /// Optimizer: sgd, nesterov or adam with L2 in the gradient; sgdw or adamw with decoupled decay (θ ← θ − ηλθ).
    optimizer, "optimizer": OptimizerKind = OptimizerKind::Sgd;
    /// Momentum β of sgd, nesterov and sgdw, without dampening. Adam's β₁ and β₂ are 0.9 and 0.999.
    momentum, "momentum": f64 = 0.0;
    /// L2 coefficients λ of the grid: the loss has (λ/2)‖θ‖². Where λ has a schedule, what it starts from.
    lambda, "lambda": Grid = vec![0.1, 0.03, 0.01, 0.003].into();
    /// What λ acts on: all parameters, or weights alone (no biases, no scales and shifts of a normalization).
    decay, "decay": Decayed = Decayed::All;
    /// Schedule of λ within a run: constant, step, cosine, inverse-time, off, warm-up, autol2 or autol2-reference.
    lambda_schedule, "lambda-schedule": LambdaScheduleKind = LambdaScheduleKind::Constant;
    /// Schedules of λ to run beside the grid, each from the grid's largest λ: none, or such as autol2,inverse-time.
    compare, "compare": Schedules = Schedules::default();
    /// What step and both autol2 divide λ by.
    lambda_factor, "lambda-factor": f64 = 10.0;
    /// How soon after a decay autol2 looks for the next: in τ (by default 0.1); autol2-reference: in steps times λ (0.1).
    lambda_delay, "lambda-delay": Option<f64> = None;
    /// The least λ of step, cosine, inverse-time and autol2.
    lambda_min, "lambda-min": f64 = 0.0;
    /// Fraction of the run after which off is 0, and warm-up has reached λ.
    lambda_switch, "lambda-switch": f64 = 0.5;
    /// c′ of inverse-time, whose λ goes to c′/Σ η/(1−β).
    c_prime, "c-prime": f64 = 1.0;
    /// Steps between the minibatches on which both autol2 watch training.
    probe_every, "probe-every": u64 = 10;
    /// Length of each run in regularization time τ = η/(1−β)·λ·t; most maxima are between 0.5 and 2; 2 where no length is given.
    tau, "tau": Option<f64> = None;
    /// Length of each run in steps.
    steps, "steps": Option<u64> = None;
    /// Length of each run in epochs.
    epochs, "epochs": Option<f64> = None;
    /// Measurements for each tenfold of steps, evenly spaced in log time: the same for runs of every length.
    measurements, "measurements": u64 = 24;
    /// Number of seeds; each gives its own initial weights and batch order.
    seeds, "seeds": usize = 5;
    /// The first seed.
    seed, "seed": u64 = 0;
    /// Estimator of t_* for fits and predictions: arrival (near the highest test accuracy), peak, or loss (the least test loss).
    estimator, "estimator": Estimator = Estimator::default();
    /// Training budget that λ is predicted for: steps, or with a unit 200ep or 2tau (of the largest λ).
    budget, "budget": Option<Length> = None;
}

/// The fields that are the length of a run: one of them at most is set.
pub const LENGTHS: [&str; 3] = ["tau", "steps", "epochs"];
/// The default length of a run in τ when none is given.
pub const DEFAULT_TAU: f64 = 2.0;
/// Runs a grid may have: beyond it a mistake is likelier than a wish.
const MAX_RUNS: usize = 100_000;
/// Steps a run may take.
const MAX_STEPS: u64 = 1_000_000_000_000;
/// Parameters a model may have: 1 GiB of f32, seven times a WRN 28-10; training holds several copies.
const MAX_PARAMETERS: usize = 1 << 28;
/// Values between two layers that a batch may have: 2 GiB of f32.
const MAX_ACTIVATIONS: usize = 1 << 29;

/// The error for a name that no field has.
#[must_use]
pub fn unknown_key(key: &str) -> ExperimentError {
    let nearest = FIELDS
        .iter()
        .map(|f| (strsim::damerau_levenshtein(key, f.name), f.name))
        .min()
        .filter(|&(distance, name)| distance <= 1 + name.len() / 3)
        .map(|(_, name)| name);
    ExperimentError::UnknownKey { key: key.to_owned(), nearest }
}

impl Experiment {
    /// The fields that differ from `base`, as [`Self::with`] takes them.
    #[must_use]
    pub fn settings_over(&self, base: &Self) -> Vec<(&'static str, String)> {
        let differing = FIELDS.iter().filter(|f| self.get(f.name) != base.get(f.name));
        differing.filter_map(|f| Some((f.name, self.get(f.name)?))).collect()
    }

    /// This experiment with those of `settings` that can be heeded together, and what is wrong with the others. For
    /// settings that come from an edited URL: the earlier ones come first where two conflict. A length of the runs takes the
    /// place of the one that is here.
    #[must_use]
    pub fn heeding(self, settings: &[(&str, &str)]) -> (Self, Vec<ExperimentError>) {
        let mut heeded = self.clone();
        if settings.iter().any(|(name, _)| LENGTHS.contains(name)) {
            (heeded.tau, heeded.steps, heeded.epochs) = (None, None, None);
        }
        let (mut heeded, problems) = heeded.heeding_all(settings);
        if (heeded.tau, heeded.steps, heeded.epochs) == (None, None, None) {
            (heeded.tau, heeded.steps, heeded.epochs) = (self.tau, self.steps, self.epochs);
        }
        (heeded, problems)
    }

    fn heeding_all(self, settings: &[(&str, &str)]) -> (Self, Vec<ExperimentError>) {
        let mut heeded = self;
        let mut left = settings.to_vec();
        loop {
            let mut problems = Vec::new();
            let mut refused = Vec::new();
            // What is refused by itself may be allowed with a later one: λ = 0 with a length in steps.
            if let Ok(all) = heeded.clone().with_valid(&left) {
                return (all, problems);
            }
            for &setting in &left {
                match heeded.clone().with_valid(&[setting]) {
                    Ok(experiment) => heeded = experiment,
                    Err(problem) => {
                        refused.push(setting);
                        problems.push(problem);
                    }
                }
            }
            if refused.len() == left.len() {
                return (heeded, problems);
            }
            left = refused;
        }
    }

    fn with_valid(self, settings: &[(&str, &str)]) -> Result<Self, ExperimentError> {
        let experiment = self.with(settings)?;
        experiment.validate()?;
        Ok(experiment)
    }

    /// Checks every field by itself and against the others.
    ///
    /// # Errors
    /// The first field that has a value it cannot have, or the fields that conflict.
    pub fn validate(&self) -> Result<(), ExperimentError> {
        let check = |field: &'static str, value: String, ok: bool, allowed: &str| {
            if ok { Ok(()) } else { Err(ExperimentError::Value { field, value, allowed: allowed.to_owned() }) }
        };
        let number =
            |field, value: f64, ok: bool, allowed| check(field, value.to_string(), value.is_finite() && ok, allowed);
        let count = |field, value: usize, ok: bool, allowed| check(field, value.to_string(), ok, allowed);

        number("label-noise", self.label_noise, (0.0..=1.0).contains(&self.label_noise), "a fraction from 0 to 1")?;
        number("mixup", self.mixup, (0.0..=1000.0).contains(&self.mixup), "0, or an α up to 1000")?;
        count("crop", self.crop, self.crop <= 64, "0 to 64 pixels")?;
        let smoothing = self.label_smoothing;
        number("label-smoothing", smoothing, (0.0..1.0).contains(&smoothing), "a share from 0 to below 1")?;
        number("lr-warm-up", self.lr_warm_up, (0.0..1.0).contains(&self.lr_warm_up), "a fraction from 0 to below 1")?;
        number("dropout", self.dropout, (0.0..1.0).contains(&self.dropout), "a share from 0 to below 1")?;
        count("depth", self.depth, (1..=64).contains(&self.depth), "1 to 64 weight layers")?;
        count("width", self.width, (1..=65_536).contains(&self.width), "1 to 65536 units")?;
        if let Some(w) = self.w_std {
            number("w-std", w, w > 0.0, "a number above 0")?;
        }
        number("b-std", self.b_std, self.b_std >= 0.0, "0 or more")?;
        number("momentum", self.momentum, (0.0..1.0).contains(&self.momentum), "at least 0 and below 1")?;
        number("lambda-factor", self.lambda_factor, self.lambda_factor > 1.0, "a number above 1")?;
        if let Some(delay) = self.lambda_delay {
            number("lambda-delay", delay, delay >= 0.0, "0 or more")?;
        }
        number("lambda-min", self.lambda_min, self.lambda_min >= 0.0, "0 or more")?;
        number(
            "lambda-switch",
            self.lambda_switch,
            (0.0..=1.0).contains(&self.lambda_switch),
            "a fraction from 0 to 1",
        )?;
        number("c-prime", self.c_prime, self.c_prime > 0.0, "a number above 0")?;
        check("probe-every", self.probe_every.to_string(), self.probe_every >= 1, "1 or more")?;
        for (field, values, least) in [("lr", &self.lr, f64::MIN_POSITIVE), ("lambda", &self.lambda, 0.0)] {
            let allowed = if least > 0.0 { "numbers above 0, at least one" } else { "numbers from 0, at least one" };
            check(field, self.get(field).unwrap_or_default(), !values.is_empty(), allowed)?;
            for &v in values.iter() {
                number(field, v, v >= least && v <= 1e6, allowed)?;
            }
            for (i, &v) in values.iter().enumerate() {
                number(field, v, !values[..i].contains(&v), "each value of a grid once")?;
            }
        }
        count("seeds", self.seeds, self.seeds >= 1, "1 or more")?;
        let cells = self.lr.len().saturating_mul(self.lambda.len() + self.compare.0.len());
        let runs = self.seeds.saturating_mul(cells);
        count("seeds", self.seeds, runs <= MAX_RUNS, "so many that lr × lambda × seeds is at most 100000 runs")?;
        // The page keeps numbers as f64: beyond 2^53 it would run another seed than the one shown.
        for (field, seed) in [("seed", self.seed.saturating_add(self.seeds as u64)), ("data-seed", self.data_seed)] {
            let value = self.get(field).unwrap_or_default();
            check(field, value, seed <= 1 << 53, "so small that no seed is above 2^53")?;
        }
        check("measurements", self.measurements.to_string(), (1..=10_000).contains(&self.measurements), "1 to 10000")?;
        let given = [self.tau.is_some(), self.steps.is_some(), self.epochs.is_some()];
        if given.iter().filter(|g| **g).count() > 1 {
            return Err(ExperimentError::Conflict("give one length of a run: tau, steps or epochs".into()));
        }
        if let Some(tau) = self.tau {
            number("tau", tau, tau > 0.0, "a number above 0")?;
        }
        if let Some(steps) = self.steps {
            check("steps", steps.to_string(), (1..=MAX_STEPS).contains(&steps), "1 to 10^12")?;
        }
        if let Some(epochs) = self.epochs {
            number("epochs", epochs, epochs > 0.0, "a number above 0")?;
        }
        if self.steps.is_none() && self.epochs.is_none() && self.lambda.contains(&0.0) {
            return Err(ExperimentError::Conflict(
                "lambda: '0' has no regularization time; give the length as steps or epochs".into(),
            ));
        }
        if let Some(budget) = self.budget {
            number("budget", budget.amount(), budget.amount() > 0.0, "a number above 0")?;
        }
        self.validate_schedule()?;
        self.validate_model()
    }

    /// Settings that the others make idle are refused: a reader would take them for used.
    fn validate_schedule(&self) -> Result<(), ExperimentError> {
        use LambdaScheduleKind as Kind;
        let base = Self::default();
        let users: [(&str, &[Kind]); 6] = [
            ("lambda-factor", &[Kind::Step, Kind::AutoL2, Kind::AutoL2Reference]),
            ("lambda-delay", &[Kind::AutoL2, Kind::AutoL2Reference]),
            ("lambda-min", &[Kind::Step, Kind::Cosine, Kind::InverseTime, Kind::AutoL2]),
            ("lambda-switch", &[Kind::Off, Kind::WarmUp]),
            ("c-prime", &[Kind::InverseTime]),
            ("probe-every", &[Kind::AutoL2, Kind::AutoL2Reference]),
        ];
        for (name, kinds) in users {
            let used = kinds.iter().any(|k| *k == self.lambda_schedule || self.compare.0.contains(k));
            if !used && self.get(name) != base.get(name) {
                let names: Vec<String> = kinds.iter().filter_map(Text::write).collect();
                return Err(ExperimentError::Conflict(format!(
                    "{name}: only the lambda-schedule {} has it, not {}",
                    names.join(" or "),
                    self.lambda_schedule.write().unwrap_or_default()
                )));
            }
        }
        if !self.compare.0.is_empty() {
            if self.lambda_schedule != Kind::Constant {
                let text =
                    "compare: the grid that schedules are compared with has constant λ; leave lambda-schedule alone";
                return Err(ExperimentError::Conflict(text.into()));
            }
            let repeated = (1..self.compare.0.len()).any(|i| self.compare.0[..i].contains(&self.compare.0[i]));
            if repeated || self.compare.0.contains(&Kind::Constant) {
                return Err(ExperimentError::Value {
                    field: "compare",
                    value: self.compare.write().unwrap_or_default(),
                    allowed: "each schedule once, and not constant, which the grid is".into(),
                });
            }
        }
        if self.optimizer.is_adam() && self.momentum != 0.0 {
            let text = "momentum: adam and adamw have their own (β₁ = 0.9); leave it at 0";
            return Err(ExperimentError::Conflict(text.into()));
        }
        Ok(())
    }

    fn validate_model(&self) -> Result<(), ExperimentError> {
        let conflict = |text: &str| Err(ExperimentError::Conflict(text.to_owned()));
        let full_scale = cfg!(feature = "full-scale");
        let of_wrn = self.model == ModelKind::Wrn || self.precision != Precision::F32;
        if !full_scale && (of_wrn || !self.augmentation().is_none()) {
            return conflict(
                "model, flip, crop, mixup, precision: Wide ResNets, augmentation and 16 bits are for the command line",
            );
        }
        if self.dropout > 0.0 && self.model != ModelKind::Wrn {
            return conflict("dropout: only a wrn has it; use --model wrn");
        }
        match self.model {
            ModelKind::Cnn if self.depth < 2 => {
                conflict("depth: a cnn needs 2 weight layers or more, the last one dense")
            }
            ModelKind::Fc | ModelKind::Linear if self.batch_norm => {
                conflict("batch-norm: only the cnn has it; use --model cnn")
            }
            ModelKind::Wrn if !is_wrn_depth(self.depth) => {
                conflict("depth: a wrn has 6n + 4 weight layers: 10, 16, 22, 28, …")
            }
            ModelKind::Wrn if self.activation != Activation::Relu => conflict("activation: a wrn has relu"),
            _ => Ok(()),
        }
    }

    /// The network of `l2lab sweep` without flags, and of the page: fully connected, without biases, with weights that start large.
    /// It fits its training data at once and generalizes when L2 has worn the initial weights off, so that L2's clock is seen by
    /// itself. With the standard initial scale ([`Self::default`]) an early rise, which goes with ηt, lies over it.
    #[must_use]
    pub fn large_start() -> Self {
        Self {
            depth: 2,
            bias: false,
            w_std: Some(8.0),
            lr: vec![0.02, 0.05].into(),
            lambda: vec![0.2, 0.1, 0.05, 0.02, 0.01].into(),
            tau: Some(5.0),
            ..Self::default()
        }
    }

    /// η over a run, as a factor.
    #[must_use]
    pub fn lr_course(&self) -> LrCourse {
        LrCourse { schedule: self.lr_schedule, warm_up: self.lr_warm_up }
    }

    /// What is done with training examples.
    #[must_use]
    pub fn augmentation(&self) -> Augmentation {
        Augmentation { flip: self.flip, crop: self.crop, mixup: self.mixup, mixup_by: self.mixup_by }
    }

    /// The model's part of the experiment.
    #[must_use]
    pub fn model_config(&self) -> ModelConfig {
        ModelConfig {
            kind: self.model,
            depth: if self.model == ModelKind::Linear { 1 } else { self.depth },
            width: self.width,
            activation: self.activation,
            bias: self.bias,
            parameterization: self.parameterization,
            w_std: self.w_std,
            b_std: self.b_std,
            batch_norm: self.batch_norm,
            normalization: self.normalization,
            pooling: self.pooling,
            readout: self.readout,
            shortcut: self.shortcut,
            dropout: self.dropout,
            precision: self.precision,
        }
    }

    /// The model for this split, if it and a batch of it fit into memory.
    ///
    /// # Errors
    /// When they are too large.
    pub fn model(&self, split: &Split) -> Result<Model, ExperimentError> {
        let model = Model::new(self.model_config(), split.train.shape(), split.train.classes().len());
        let parameters = model.parameter_count();
        if parameters > MAX_PARAMETERS {
            return Err(ExperimentError::Conflict(format!(
                "width: '{}' with depth {} gives {parameters} parameters; allowed are {MAX_PARAMETERS}",
                self.width, self.depth
            )));
        }
        let activations = self.batch_size(split.train.len()).saturating_mul(model.activation_size());
        if activations > MAX_ACTIVATIONS {
            return Err(ExperimentError::Conflict(format!(
                "batch: '{}' gives {activations} values a layer with this model; allowed are {MAX_ACTIVATIONS}",
                self.batch
            )));
        }
        Ok(model)
    }

    /// The examples that the experiment trains and measures on, out of a whole data set.
    ///
    /// # Errors
    /// When more examples are asked for than there are.
    pub fn prepare(&self, full: &Split) -> Result<Split, ExperimentError> {
        let take = |data: &Dataset, count: usize, part: &'static str| match count {
            0 => Ok(data.clone()),
            n => data.subset(n, self.data_seed, part),
        };
        let held_out = self.validation > 0;
        let (pool, test) = if held_out {
            let (rest, validation) = full.train.split(self.validation, self.data_seed)?;
            (rest, validation)
        } else {
            (full.train.clone(), take(&full.test, self.test, "test")?)
        };
        let train = take(&pool, self.train, "training")?.with_label_noise(self.label_noise, self.data_seed);
        if self.batch > train.len() {
            return Err(ExperimentError::Value {
                field: "batch",
                value: self.batch.to_string(),
                allowed: format!("at most the {} training examples (0 is the full batch)", train.len()),
            });
        }
        Ok(Split { train, test })
    }

    /// Examples per step, out of `examples`.
    #[must_use]
    pub fn batch_size(&self, examples: usize) -> usize {
        batch_size(self.batch, examples)
    }

    /// η_eff of this η: τ per step and λ.
    #[must_use]
    pub fn effective_lr(&self, lr: f64) -> f64 {
        self.optimizer.effective_lr(lr, self.momentum)
    }

    /// Σ_t η_eff(t) over a run of `steps` steps with this η: what τ is per λ.
    #[must_use]
    pub fn total_lr(&self, lr: f64, steps: u64) -> f64 {
        self.effective_lr(lr) * self.lr_course().mean() * steps as f64
    }

    /// Steps of one epoch over `examples` training examples.
    #[must_use]
    pub fn steps_per_epoch(&self, examples: usize) -> u64 {
        steps_per_epoch(self.batch, examples)
    }

    /// The grid's runs, seeds innermost: `lr` × `lambda` × seeds; then those that are compared with them, from its largest
    /// λ and as long as the longest.
    ///
    /// # Errors
    /// When a run would be too long to count, or end before its first step.
    pub fn runs(&self, examples: usize) -> Result<Vec<RunSpec>, ExperimentError> {
        let mut runs = Vec::with_capacity(self.lr.len() * self.lambda.len() * self.seeds);
        for &lr in self.lr.iter() {
            for &lambda in self.lambda.iter() {
                runs.extend(self.cell(lr, lambda, self.steps_of(lr, lambda, examples)?));
            }
        }
        let largest = self.lambda.iter().copied().fold(0.0, f64::max);
        let longest = runs.iter().map(|r| r.steps).max().unwrap_or(1);
        for &lambda_schedule in &self.compare.0 {
            let scheduled = Self { lambda_schedule, ..self.clone() };
            for &lr in self.lr.iter() {
                runs.extend(scheduled.cell(lr, largest, longest));
            }
        }
        Ok(runs)
    }

    /// The runs of one cell of a grid: one of `steps` steps for each seed.
    #[must_use]
    pub fn cell(&self, lr: f64, lambda: f64, steps: u64) -> Vec<RunSpec> {
        let seeds = self.seed..self.seed + self.seeds as u64;
        seeds.map(|seed| self.run(lr, lambda, seed, steps)).collect()
    }

    /// One run of `steps` steps, measured as the experiment says.
    #[must_use]
    pub fn run(&self, lr: f64, lambda: f64, seed: u64, steps: u64) -> RunSpec {
        let (momentum, lambda_schedule) = (self.momentum, self.lambda_schedule);
        RunSpec { lambda, lambda_schedule, lr, momentum, seed, steps, per_decade: self.measurements }
    }

    /// Steps of a run with this η and λ.
    fn steps_of(&self, lr: f64, lambda: f64, examples: usize) -> Result<u64, ExperimentError> {
        let length = match (self.steps, self.epochs, self.tau) {
            (Some(steps), ..) => return Ok(steps),
            (None, Some(epochs), _) => Length::Epochs(epochs),
            (None, None, tau) => Length::Tau(tau.unwrap_or(DEFAULT_TAU)),
        };
        self.length_in_steps(length, lr, lambda, examples)
    }

    /// `length` in steps, for a run with this η and λ; with a learning-rate schedule τ is the sum
    /// over the whole schedule.
    ///
    /// # Errors
    /// When that is less than one step or more than 10¹².
    pub fn length_in_steps(
        &self,
        length: Length,
        lr: f64,
        lambda: f64,
        examples: usize,
    ) -> Result<u64, ExperimentError> {
        let steps = match length {
            Length::Steps(steps) => steps,
            Length::Epochs(epochs) => epochs * self.steps_per_epoch(examples) as f64,
            Length::Tau(tau) => tau / (self.effective_lr(lr) * self.lr_course().mean() * lambda),
        };
        let steps = steps.ceil();
        if !(1.0..=MAX_STEPS as f64).contains(&steps) {
            return Err(ExperimentError::Conflict(format!(
                "a run with lr {lr} and lambda {lambda} would take {steps:e} steps; allowed are 1 to 1e12"
            )));
        }
        Ok(steps as u64)
    }
}

impl From<&Experiment> for Settings {
    fn from(e: &Experiment) -> Self {
        Self {
            model: e.model_config(),
            loss: e.loss,
            label_smoothing: e.label_smoothing,
            lr_course: e.lr_course(),
            augmentation: e.augmentation(),
            optimizer: e.optimizer,
            decay: e.decay,
            batch: e.batch,
            sampling: e.sampling,
            lambda: LambdaSettings {
                factor: e.lambda_factor,
                delay: e.lambda_delay,
                min: e.lambda_min,
                switch: e.lambda_switch,
                c_prime: e.c_prime,
                probe_every: e.probe_every,
            },
        }
    }
}
