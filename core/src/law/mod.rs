//! What is found: whether there is anything to time in a grid's curves, the time t_* of its best performance, the law that it
//! follows beside a placebo, and the λ that the law predicts. Pure functions of numbers; nothing here knows of tensors.

mod cell;
mod collapse;
mod convention;
pub mod curve;
mod estimator;
mod fit;
mod interval;
mod line;
mod optimum;
mod predict;
mod score;
pub mod simulation;
mod summary;
mod verdict;

pub use cell::{CellCurves, Tolerance, group};
pub use collapse::{Collapse, collapse};
pub use convention::{Clock, Convention, CoupledL2, LrSum, decoupled_tau};
pub use curve::Curve;
pub use estimator::{Estimator, Metric, Outcome};
pub use fit::{Exponent, Fit, LEAST_LAMBDAS, WithoutL2, exponent, fit, tau_at};
pub use interval::{Mean, equivalence_interval, mean, mean_by_seed, seeds_needed};
pub use optimum::{OptimalExponent, Optimum, optimal_exponent};
pub use predict::{Prediction, predict, predict_of_runs};
pub use score::{Regret, Score, best, mean_by_lambda, regret, trend};
pub use summary::{Analysis, Cell, Grid, RunSummary, Time};
pub use verdict::{Decision, FITTED, SLOPE_TOLERANCE, Verdict};

/// The median; NaN of nothing.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}
