//! What is found: the time t_* of a trace's best performance, the law that it follows, and the λ
//! that the law predicts. Pure functions of numbers; nothing here knows of tensors.

mod convention;
mod fit;
mod forecast;
mod interval;
mod optimum;
mod peak;
mod predict;
mod summary;
mod units;

pub use convention::{Clock, Convention, LrSum};
pub use fit::{Exponent, Fit, Sample, exponent, fit};
pub use forecast::Forecast;
pub use optimum::{Mean, OptimalExponent, Optimum, mean, mean_by_seed, optimal_exponent};
pub use peak::{
    Estimator, Peak, accuracy_within, after_start, averaged, best_accuracy, late_decay, learns, peak, smoothed,
};
pub use predict::{Outcome, Prediction, Regret, mean_by_lambda, predict, regret};
pub use summary::{Cell, RunSummary, cells, fits};
pub use units::{CoupledL2, Length, ParseLengthError, decoupled_tau, effective_lr};

/// The median; NaN of nothing.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}
