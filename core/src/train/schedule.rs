//! Learning-rate schedules over a run, and λ schedules fed by measurements.

use serde::{Deserialize, Serialize};

use super::Measurement;

/// The learning rate over a run of known length, as a factor of η.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum LrSchedule {
    /// Always 1.
    Constant,
    /// ×0.2 at 0.3, 0.6 and 0.9 of the run, as in the authors' code.
    Step,
    /// Half a cosine from 1 to 0.
    Cosine,
}

impl LrSchedule {
    const DROPS: [f64; 3] = [0.3, 0.6, 0.9];
    const DROP: f64 = 0.2;

    /// Factor of η at step `step` (from 0) of `steps`.
    #[must_use]
    pub fn factor(self, step: u64, steps: u64) -> f64 {
        let progress = step as f64 / steps as f64;
        match self {
            Self::Constant => 1.0,
            Self::Step => Self::DROPS.iter().filter(|&&at| progress >= at).fold(1.0, |f, _| f * Self::DROP),
            Self::Cosine => f64::midpoint(1.0, (std::f64::consts::PI * progress.min(1.0)).cos()),
        }
    }

    /// Mean factor over a long run: what turns η·T into Σ η.
    #[must_use]
    pub fn mean(self) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Step => {
                let mut sum = 0.0;
                let mut from = 0.0;
                let mut factor = 1.0;
                for to in Self::DROPS.into_iter().chain([1.0]) {
                    sum += factor * (to - from);
                    from = to;
                    factor *= Self::DROP;
                }
                sum
            }
            Self::Cosine => 0.5,
        }
    }
}

/// Decides λ for the steps that follow a measurement.
///
/// A schedule is a small value that can be saved, so that a resumed run continues with it.
pub trait LambdaSchedule {
    /// λ from here on, given what was just measured.
    fn next(&mut self, measurement: &Measurement) -> f64;
}

/// Always the same λ.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Constant(pub f64);

impl LambdaSchedule for Constant {
    fn next(&mut self, _: &Measurement) -> f64 {
        self.0
    }
}

/// Which λ schedule an experiment uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum LambdaScheduleKind {
    /// [`Constant`].
    Constant,
}

impl LambdaScheduleKind {
    /// The schedule at the start of a run whose grid value is `lambda`.
    #[must_use]
    pub fn start(self, lambda: f64) -> LambdaState {
        match self {
            Self::Constant => LambdaState::Constant(Constant(lambda)),
        }
    }
}

/// A λ schedule with its state, as a snapshot holds it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LambdaState {
    /// A constant λ.
    Constant(Constant),
}

impl LambdaSchedule for LambdaState {
    fn next(&mut self, measurement: &Measurement) -> f64 {
        match self {
            Self::Constant(schedule) => schedule.next(measurement),
        }
    }
}
