//! Estimators of t_*, the time a run takes to its best performance.

use serde::{Deserialize, Serialize};

use super::curve::top;
use crate::run::Measurement;

/// How t_* is read off curves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Estimator {
    /// The paper's: when test accuracy arrives within a tolerance of its maximum. The maximum is that of the smoothed curve, and
    /// the tolerance is the paper's 0.5 % or as much as the noise asks for.
    #[default]
    Arrival,
    /// The moment of the highest smoothed test accuracy. Only a curve that falls again has one.
    Peak,
    /// The moment of the lowest smoothed test loss. Only a curve that rises again has one.
    Loss,
}

impl Estimator {
    /// All of them, in the order reports show them.
    pub const ALL: [Self; 3] = [Self::Arrival, Self::Peak, Self::Loss];

    /// The name that flags and files use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Arrival => "arrival",
            Self::Peak => "peak",
            Self::Loss => "loss",
        }
    }

    /// What it looks at.
    #[must_use]
    pub fn metric(self) -> Metric {
        match self {
            Self::Arrival | Self::Peak => Metric::Accuracy,
            Self::Loss => Metric::Loss,
        }
    }

    /// Whether it can time a curve of this kind.
    #[must_use]
    pub fn times(self, outcome: Outcome) -> bool {
        match outcome {
            Outcome::Peak => true,
            Outcome::Plateau => self == Self::Arrival,
            Outcome::Flat | Outcome::Censored | Outcome::Diverged => false,
        }
    }

    /// Where on a smoothed curve t_* is, counted in places of the grid from its first.
    pub(super) fn read(self, values: &[f64], tolerance: f64) -> f64 {
        match self {
            Self::Arrival => arrival(values, tolerance),
            Self::Peak | Self::Loss => top(values),
        }
    }
}

/// What is watched of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Test accuracy.
    Accuracy,
    /// Test loss, whose curves are turned upside down: larger is better everywhere here.
    Loss,
}

impl Metric {
    /// Its value at a measurement; larger is better.
    #[must_use]
    pub fn of(self, m: &Measurement) -> f64 {
        match self {
            Self::Accuracy => m.test_accuracy,
            Self::Loss => -m.test_loss,
        }
    }
}

/// What the curves of one λ and η show beyond their noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Outcome {
    /// A rise, and a decline after it: both estimators of accuracy can time it.
    Peak,
    /// A rise to a maximum where the curve stays: its arrival can be timed.
    Plateau,
    /// No rise beyond the noise: nothing can be timed.
    Flat,
    /// It still rises when the run ends, or may: t_* is later than what was seen.
    Censored,
    /// A run's numbers ceased to be finite.
    Diverged,
}

impl Outcome {
    /// All of them, in the order in which they are counted.
    pub const ALL: [Self; 5] = [Self::Peak, Self::Plateau, Self::Flat, Self::Censored, Self::Diverged];

    /// The name that files and tables use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Peak => "peak",
            Self::Plateau => "plateau",
            Self::Flat => "flat",
            Self::Censored => "censored",
            Self::Diverged => "diverged",
        }
    }
}

/// Where a curve first comes within `tolerance` of its maximum, in places from its first; between two places by a straight line.
pub(super) fn arrival(values: &[f64], tolerance: f64) -> f64 {
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let target = most - tolerance;
    match values.iter().position(|&v| v >= target) {
        None | Some(0) => 0.0,
        Some(i) => i as f64 - (values[i] - target) / (values[i] - values[i - 1]),
    }
}
