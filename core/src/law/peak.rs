//! Estimators of t_*, the time a run takes to its best performance: the paper's and two more.

use serde::{Deserialize, Serialize};

use super::median;
use crate::train::Measurement;

/// How t_* is read off a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Estimator {
    /// The paper's: the first measurement whose test accuracy is within 0.5 % (absolute) of the
    /// run's maximum.
    Threshold,
    /// The maximum of the test accuracy, smoothed over a tenth of the run: the least dependent on
    /// data, test images and measurement interval (README).
    #[default]
    Smoothed,
    /// The minimum of the test loss.
    Loss,
}

impl Estimator {
    /// All of them, in the order reports show them.
    pub const ALL: [Self; 3] = [Self::Threshold, Self::Smoothed, Self::Loss];

    /// The name that flags and files use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Threshold => "threshold",
            Self::Smoothed => "smoothed",
            Self::Loss => "loss",
        }
    }
}

/// The authors' tolerance: 0.5 % of test accuracy, absolute.
const TOLERANCE: f64 = 0.005;
/// A peak in the last 5 % of a run may not be the peak: the run was too short to tell.
const CENSORED_TAIL: f64 = 0.05;
/// Width of the smoothing window as a fraction of the run.
const WINDOW: f64 = 0.1;
/// Measurements from which on their noise can be told from their curve.
const NOISE_NEEDS: usize = 10;

/// Where a trace peaks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Peak {
    /// t_* in steps.
    pub step: u64,
    /// t_* in regularization time.
    pub tau: f64,
    /// The run may not have reached its peak: it must not enter a fit.
    pub censored: bool,
}

/// t_* of a trace of measurements in order of time; `None` if nothing after step 0 was measured.
///
/// The initial state is never a peak: a run that only gets worse peaks at its first measurement.
#[must_use]
pub fn peak(trace: &[Measurement], estimator: Estimator) -> Option<Peak> {
    let trace = after_start(trace);
    let last = trace.last()?;
    // `top` decides the censoring, `first` is the estimate.
    let (first, top) = match estimator {
        Estimator::Threshold => {
            let accuracy = |m: &Measurement| m.test_accuracy;
            let top = first_max(trace.iter().map(accuracy))?;
            let least = trace[top].test_accuracy - TOLERANCE;
            // Accuracies are counts over n: a hair of slack keeps "exactly 0.5 % below" inside.
            (trace.iter().position(|m| m.test_accuracy >= least - 1e-9)?, top)
        }
        Estimator::Smoothed => {
            let top = first_max(smoothed(trace).into_iter())?;
            (top, top)
        }
        Estimator::Loss => {
            let top = first_max(trace.iter().map(|m| -m.test_loss))?;
            (top, top)
        }
    };
    let horizon = last.step as f64 * (1.0 - CENSORED_TAIL);
    let at = &trace[first];
    Some(Peak { step: at.step, tau: at.tau, censored: trace[top].step as f64 > horizon })
}

/// Whether anything is learned: what the estimator looks at becomes better than at the trace's first measurement, the
/// initial state if it is there, by more than the measurements' own noise. Without, a peak is a peak of noise (or came
/// before the first measurement).
///
/// The noise is four standard deviations, taken robustly from second differences, in which a curve cancels: of white
/// noise alone, two to three traces in a hundred pass with 10 or 20 measurements, and two in a thousand with 60. Below
/// ten measurements any rise counts.
#[must_use]
pub fn learns(trace: &[Measurement], estimator: Estimator) -> bool {
    let by_loss = estimator == Estimator::Loss;
    let value = |m: &Measurement| if by_loss { -m.test_loss } else { m.test_accuracy };
    let values: Vec<f64> = trace.iter().map(value).collect();
    let Some(first) = values.first() else { return false };
    let enough = values.len() >= NOISE_NEEDS;
    // One lucky measurement is no learning.
    let best = if enough { averaged(&values) } else { values.clone() };
    let Some(top) = first_max(best.iter().copied()) else { return false };
    // Averages of equal values differ from them by rounding.
    let mut noise = 1e-9 * first.abs();
    if enough {
        let bends: Vec<f64> = values.array_windows().map(|[a, b, c]| (a - 2.0 * b + c).abs()).collect();
        // 1.4826 medians of |x| are a standard deviation; that of a second difference is √6 times that of a value.
        noise += 4.0 * 1.4826 * median(bends) / 6.0_f64.sqrt();
    }
    best[top] - first > noise
}

/// A trace without its initial state, which is no result of training.
#[must_use]
pub fn after_start(trace: &[Measurement]) -> &[Measurement] {
    match trace {
        [first, rest @ ..] if first.step == 0 => rest,
        _ => trace,
    }
}

/// Test accuracy, [`averaged`].
#[must_use]
pub fn smoothed(trace: &[Measurement]) -> Vec<f64> {
    averaged(&trace.iter().map(|m| m.test_accuracy).collect::<Vec<_>>())
}

/// Measurements on either side of one up to which a window is summed as it stands.
const SUMMED: usize = 512;

/// A run's values averaged over a window a tenth of it wide, cut off at its ends. (A window that shrinks there instead leaves
/// more noise, and so more false peaks, at the end of a plateau.)
#[must_use]
pub fn averaged(values: &[f64]) -> Vec<f64> {
    let reach = (values.len() as f64 * WINDOW / 2.0).round() as usize;
    let window = |i: usize| i.saturating_sub(reach)..(i + reach + 1).min(values.len());
    if reach <= SUMMED {
        let mean = |w: &[f64]| w.iter().sum::<f64>() / w.len() as f64;
        return (0..values.len()).map(|i| mean(&values[window(i)])).collect();
    }
    // A log of a measurement a step has windows too long for that: differences of running sums, in which a value that
    // is no number must not stay.
    let mut before = vec![(0.0, 0_usize)];
    for value in values {
        let (sum, missing) = before[before.len() - 1];
        before.push(if value.is_finite() { (sum + value, missing) } else { (sum, missing + 1) });
    }
    let mean = |i: usize| {
        let (from, to) = (window(i).start, window(i).end);
        let ((sum, missing), (earlier, of_them)) = (before[to], before[from]);
        if missing > of_them { f64::NAN } else { (sum - earlier) / (to - from) as f64 }
    };
    (0..values.len()).map(mean).collect()
}

/// Index of the first largest value that is a number.
fn first_max(values: impl Iterator<Item = f64>) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (i, v) in values.enumerate() {
        if !v.is_nan() && best.is_none_or(|(_, b)| v > b) {
            best = Some((i, v));
        }
    }
    best.map(|(i, _)| i)
}

/// Late decay: how far the smoothed test accuracy falls from its maximum to the end of the run.
#[must_use]
pub fn late_decay(trace: &[Measurement]) -> Option<f64> {
    let smoothed = smoothed(after_start(trace));
    let top = first_max(smoothed.iter().copied())?;
    Some(smoothed[top] - smoothed.last()?)
}

/// The early-stopping performance: the largest test accuracy after step 0.
#[must_use]
pub fn best_accuracy(trace: &[Measurement]) -> Option<f64> {
    accuracy_within(trace, f64::INFINITY)
}

/// The early-stopping performance at a budget: the largest test accuracy within `budget` steps.
#[must_use]
pub fn accuracy_within(trace: &[Measurement], budget: f64) -> Option<f64> {
    let within = after_start(trace).iter().filter(|m| m.step as f64 <= budget);
    within.map(|m| m.test_accuracy).filter(|a| !a.is_nan()).max_by(f64::total_cmp)
}
