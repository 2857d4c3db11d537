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

/// η over a run: a schedule, and a linear rise to it at the start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LrCourse {
    /// What η follows.
    pub schedule: LrSchedule,
    /// Fraction of the run in which it rises from 0 to that.
    pub warm_up: f64,
}

impl LrCourse {
    /// Whether η never changes.
    #[must_use]
    pub fn is_constant(self) -> bool {
        self.schedule == LrSchedule::Constant && self.warm_up == 0.0
    }

    /// Factor of η at step `step` (from 0) of `steps`. The first step is not lost: the rise begins a step after 0.
    #[must_use]
    pub fn factor(self, step: u64, steps: u64) -> f64 {
        let rise = (self.warm_up * steps as f64).max(1.0);
        self.schedule.factor(step, steps) * ((step + 1) as f64 / rise).min(1.0)
    }

    /// Mean factor over a long run.
    #[must_use]
    pub fn mean(self) -> f64 {
        self.schedule.mean() - self.lost()
    }

    /// What the rise takes off the mean: ∫ (1 − t/w)·factor(t) dt from 0 to w.
    fn lost(self) -> f64 {
        let w = self.warm_up;
        if w == 0.0 {
            return 0.0;
        }
        let primitive = |t: f64| t - t * t / (2.0 * w);
        match self.schedule {
            LrSchedule::Constant => primitive(w),
            LrSchedule::Step => {
                let ends = || DROPS.into_iter().chain([1.0]).map(|end| end.min(w));
                let pieces = [0.0].into_iter().chain(ends()).zip(ends());
                let areas = pieces.scan(1.0, |factor, (from, to)| {
                    let area = *factor * (primitive(to) - primitive(from));
                    *factor *= LrSchedule::DROP;
                    Some(area)
                });
                areas.sum()
            }
            LrSchedule::Cosine => {
                let pi = std::f64::consts::PI;
                w / 4.0 + (1.0 - (pi * w).cos()) / (2.0 * pi * pi * w)
            }
        }
    }
}

/// From 1 at the start of a run to 0 at its end.
pub(super) fn half_cosine(progress: f64) -> f64 {
    f64::midpoint(1.0, (std::f64::consts::PI * progress.min(1.0)).cos())
}
