//! A run's settings, and what is recorded of it.

use serde::{Deserialize, Serialize};

use super::is_measured;

/// How λ changes within a run. λ₀ is the grid's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum LambdaScheduleKind {
    /// Always λ₀.
    Constant,
    /// λ₀, divided by a factor at 0.3, 0.6 and 0.9 of the run.
    Step,
    /// Half a cosine from λ₀ to the floor.
    Cosine,
    /// λ₀, then c′/Σ η_eff: each moment is the t_* of its own λ.
    InverseTime,
    /// λ₀, then 0.
    Off,
    /// From 0 in a line to λ₀, then λ₀.
    WarmUp,
    /// AutoL2: λ falls when training stops improving.
    #[serde(rename = "autol2")]
    AutoL2,
    /// AutoL2 exactly as in the authors' released code.
    #[serde(rename = "autol2-reference")]
    AutoL2Reference,
}

/// One run of a grid: what distinguishes it from its neighbours, and its length.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RunSpec {
    /// L2 coefficient λ; what it starts from where it has a schedule.
    pub lambda: f64,
    /// How λ changes within the run.
    pub lambda_schedule: LambdaScheduleKind,
    /// Learning rate η, before its schedule.
    pub lr: f64,
    /// Momentum β.
    pub momentum: f64,
    /// Seed of initial weights and batch order.
    pub seed: u64,
    /// Length in steps.
    pub steps: u64,
    /// Measurements for each tenfold of steps; the last step is measured too.
    pub per_decade: u64,
}

impl RunSpec {
    /// Whether step `step` of this run is measured.
    #[must_use]
    pub fn measures_at(&self, step: u64) -> bool {
        step >= self.steps || is_measured(step, self.per_decade)
    }
}

/// The state of a run at one step. Losses are without the L2 term; accuracies are from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Measurement {
    /// Steps taken.
    pub step: u64,
    /// Passes over the training set.
    pub epoch: f64,
    /// Regularization time Σ η_eff λ over the steps taken.
    pub tau: f64,
    /// Mean loss over the training examples measured.
    pub train_loss: f64,
    /// Accuracy on them.
    pub train_accuracy: f64,
    /// Mean loss over the test examples.
    pub test_loss: f64,
    /// Accuracy on them.
    pub test_accuracy: f64,
    /// ‖θ‖² over all parameters.
    pub sq_norm: f64,
    /// η of the coming step.
    pub lr: f64,
    /// λ of the coming step.
    pub lambda: f64,
}

impl Measurement {
    /// Of which nothing is known yet.
    pub(crate) const UNKNOWN: Self = Self {
        step: 0,
        epoch: 0.0,
        tau: 0.0,
        train_loss: f64::NAN,
        train_accuracy: f64::NAN,
        test_loss: f64::NAN,
        test_accuracy: f64::NAN,
        sq_norm: f64::NAN,
        lr: 0.0,
        lambda: 0.0,
    };

    /// The first number that is NaN or infinite: training diverged.
    #[must_use]
    pub fn non_finite(&self) -> Option<&'static str> {
        [
            ("training loss", self.train_loss),
            ("test loss", self.test_loss),
            ("squared norm of the parameters", self.sq_norm),
        ]
        .into_iter()
        .find(|(_, value)| !value.is_finite())
        .map(|(name, _)| name)
    }
}

/// Why a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum End {
    /// It took all its steps.
    Completed,
    /// A measured number was NaN or infinite.
    Diverged {
        /// The step at which that was seen.
        step: u64,
        /// What was not finite.
        what: String,
    },
}

/// A run and its measurements so far, in order of time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Trace {
    /// The run.
    pub run: RunSpec,
    /// Its measurements.
    pub points: Vec<Measurement>,
    /// Why it ended, if it has.
    pub end: Option<End>,
}

impl Trace {
    /// A run that has not begun.
    #[must_use]
    pub fn new(run: RunSpec) -> Self {
        Self { run, points: Vec::new(), end: None }
    }

    /// The largest training accuracy that was measured: 1 if the network fits its training data.
    #[must_use]
    pub fn best_train_accuracy(&self) -> Option<f64> {
        self.points.iter().map(|m| m.train_accuracy).filter(|a| !a.is_nan()).max_by(f64::total_cmp)
    }

    /// The run ended because its numbers did.
    #[must_use]
    pub fn diverged(&self) -> bool {
        matches!(self.end, Some(End::Diverged { .. }))
    }
}
