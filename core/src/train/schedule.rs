//! Learning-rate schedules over a run.

use serde::{Deserialize, Serialize};

/// Where a step schedule drops, as fractions of the run: the authors' code.
pub(super) const DROPS: [f64; 3] = [0.3, 0.6, 0.9];

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
    const DROP: f64 = 0.2;

    /// Factor of η at step `step` (from 0) of `steps`.
    #[must_use]
    pub fn factor(self, step: u64, steps: u64) -> f64 {
        let progress = step as f64 / steps as f64;
        match self {
            Self::Constant => 1.0,
            Self::Step => DROPS.iter().filter(|&&at| progress >= at).fold(1.0, |f, _| f * Self::DROP),
            Self::Cosine => half_cosine(progress),
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
                for to in DROPS.into_iter().chain([1.0]) {
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

/// From 1 at the start of a run to 0 at its end.
pub(super) fn half_cosine(progress: f64) -> f64 {
    f64::midpoint(1.0, (std::f64::consts::PI * progress.min(1.0)).cos())
}
