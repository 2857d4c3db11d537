//! The λ that the law predicts for a training budget.

use serde::{Deserialize, Serialize};

use super::{Grid, curve::time, fit::tau_at, interval::interval_of_ratio, median};

/// A predicted λ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Prediction {
    /// t_* of the short runs, in steps, by their mean curve.
    pub t_star: f64,
    /// c′ = τ_* of the short runs.
    pub c_prime: f64,
    /// The λ whose t_* falls on the end of the budget.
    pub lambda_pred: f64,
    /// 95 % interval over the short runs' seeds; absent with one seed.
    pub lambda_pred_ci: Option<[f64; 2]>,
    /// Short runs.
    pub n: usize,
}

/// Matches τ: `λ_pred = c′ / Σ_t η_eff(t)`, the sum over the budget's steps (with a constant η that is `c′/(η_eff T)`; a schedule of
/// η enters through the sum), by the curves of cell number `cell`. `None` where the grid's estimator cannot time it, or the sum is
/// not above 0.
#[must_use]
pub fn predict(grid: &Grid<'_>, cell: usize, total_lr: f64) -> Option<Prediction> {
    let curves = &grid.cells[cell];
    let star = grid.time(cell)?;
    let c_prime = |draw: &[usize]| Some(tau_at(curves.traces[0], time(grid.place(curves, draw)?)));
    let n = curves.values.len();
    (total_lr > 0.0 && star.tau > 0.0).then(|| Prediction {
        t_star: star.step,
        c_prime: star.tau,
        lambda_pred: star.tau / total_lr,
        lambda_pred_ci: interval_of_ratio(n, &|draw| Some(c_prime(draw)? / total_lr)),
        n,
    })
}

/// The same from `(t_*, τ_*)` of runs that were timed one by one, by their medians. `None` of nothing.
#[must_use]
pub fn predict_of_runs(runs: &[(f64, f64)], total_lr: f64) -> Option<Prediction> {
    let c_prime_of = |draw: &[usize]| median(draw.iter().map(|&i| runs[i].1).collect());
    let c_prime = c_prime_of(&(0..runs.len()).collect::<Vec<_>>());
    (!runs.is_empty() && total_lr > 0.0).then(|| Prediction {
        t_star: median(runs.iter().map(|r| r.0).collect()),
        c_prime,
        lambda_pred: c_prime / total_lr,
        lambda_pred_ci: interval_of_ratio(runs.len(), &|draw| Some(c_prime_of(draw) / total_lr)),
        n: runs.len(),
    })
}
