//! What is found: the time t_* of a trace's best performance, the law that it follows, and the λ
//! that the law predicts. Pure functions of numbers; nothing here knows of tensors.

mod convention;
mod fit;
mod forecast;
mod optimum;
mod peak;
mod predict;
mod summary;
mod units;

pub use convention::{Clock, Convention, LrSum};
pub use fit::{Exponent, Fit, Sample, exponent, fit};
pub use forecast::Forecast;
pub use optimum::{Mean, OptimalExponent, Optimum, mean, optimal_exponent};
pub use peak::{
    Estimator, Peak, accuracy_within, after_start, averaged, best_accuracy, late_decay, learns, peak, smoothed,
};
pub use predict::{Outcome, Prediction, Regret, mean_by_lambda, predict, regret};
pub use summary::{Cell, RunSummary, cells, fits};
pub use units::{CoupledL2, Length, ParseLengthError, decoupled_tau, effective_lr};

use rand::RngExt;

use crate::random::{Stream, stream};

/// Bootstrap resamples behind every interval.
const RESAMPLES: u64 = 2000;

/// Percentile bootstrap interval (95 %) of `statistic` over seeds: each resample draws as many
/// groups as there are, with replacement. A group is everything that shares a seed, because runs of
/// one seed share initial weights and batch order and are not independent.
///
/// `None` with fewer than two groups: one seed says nothing about the spread over seeds.
fn bootstrap(groups: usize, statistic: impl Fn(&[usize]) -> Option<f64>) -> Option<[f64; 2]> {
    if groups < 2 {
        return None;
    }
    let mut values: Vec<f64> = (0..RESAMPLES)
        .filter_map(|i| {
            let mut rng = stream(0, Stream::Bootstrap, i);
            let draw: Vec<usize> = (0..groups).map(|_| rng.random_range(0..groups)).collect();
            statistic(&draw).filter(|v| v.is_finite())
        })
        .collect();
    if values.is_empty() {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let at = |q: f64| values[(q * (values.len() - 1) as f64).round() as usize];
    Some([at(0.025), at(0.975)])
}

/// The median; NaN of nothing.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}
