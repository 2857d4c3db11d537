//! What is recorded of a run.

use serde::{Deserialize, Serialize};

use super::LambdaScheduleKind;

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
    /// Steps between measurements; the last step is measured too.
    pub measure_every: u64,
}

impl RunSpec {
    /// Whether step `step` of this run is measured.
    #[must_use]
    pub fn measures_at(&self, step: u64) -> bool {
        step.is_multiple_of(self.measure_every) || step >= self.steps
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
    pub(super) const UNKNOWN: Self = Self {
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

    /// The run ended because its numbers did.
    #[must_use]
    pub fn diverged(&self) -> bool {
        matches!(self.end, Some(End::Diverged { .. }))
    }
}
