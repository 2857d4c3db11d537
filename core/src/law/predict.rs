//! The λ that the law predicts for a training budget, and what following it costs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{accuracy_within, interval::interval_of_ratio, mean, median};
use crate::train::Trace;

/// A predicted λ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Prediction {
    /// Median t_* of the short runs, in steps.
    pub t_star: f64,
    /// Median c′ = τ_* of the short runs.
    pub c_prime: f64,
    /// The λ whose t_* falls on the end of the budget.
    pub lambda_pred: f64,
    /// 95 % interval over the short runs' seeds; absent with one seed.
    pub lambda_pred_ci: Option<[f64; 2]>,
    /// Short runs that reached their peak.
    pub n: usize,
}

/// Matches τ: `λ_pred = c′ / Σ_t η_eff(t)`, the sum over the budget's steps (with a constant η that
/// is `c′/(η_eff T)`; a schedule of η enters through the sum).
///
/// `short` holds `(t_*, τ_*)` of uncensored short runs, one per seed. `None` when there is none.
#[must_use]
pub fn predict(short: &[(f64, f64)], total_lr: f64) -> Option<Prediction> {
    let c_prime_of = |draw: &[usize]| median(draw.iter().map(|&i| short[i].1).collect());
    let all: Vec<usize> = (0..short.len()).collect();
    let c_prime = c_prime_of(&all);
    (!short.is_empty() && total_lr > 0.0).then(|| Prediction {
        t_star: median(short.iter().map(|s| s.0).collect()),
        c_prime,
        lambda_pred: c_prime / total_lr,
        lambda_pred_ci: interval_of_ratio(short.len(), |draw| Some(c_prime_of(draw) / total_lr)),
        n: short.len(),
    })
}

/// How well a run with some λ and seed did at a budget.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Outcome {
    /// L2 coefficient λ.
    pub lambda: f64,
    /// Seed.
    pub seed: u64,
    /// Early-stopping test accuracy at the budget, 0 to 1.
    pub accuracy: f64,
}

impl Outcome {
    /// Of a run, with this accuracy.
    #[must_use]
    pub fn new(trace: &Trace, accuracy: f64) -> Self {
        Self { lambda: trace.run.lambda, seed: trace.run.seed, accuracy }
    }

    /// The accuracy at the end of a run; `None` if it diverged or was not measured.
    #[must_use]
    pub fn last(trace: &Trace) -> Option<Self> {
        let last = trace.points.last().filter(|_| !trace.diverged())?;
        Some(Self::new(trace, last.test_accuracy))
    }

    /// The early-stopping performance of a run within `budget` steps; `None` if it diverged or was not measured by then.
    #[must_use]
    pub fn within(trace: &Trace, budget: f64) -> Option<Self> {
        let accuracy = accuracy_within(&trace.points, budget).filter(|_| !trace.diverged())?;
        Some(Self::new(trace, accuracy))
    }

    /// The same of each of the runs that has one.
    #[must_use]
    pub fn all_within(traces: &[Trace], budget: f64) -> Vec<Self> {
        traces.iter().filter_map(|t| Self::within(t, budget)).collect()
    }
}

/// Accuracies by the bits of λ, then by seed. Positive floats order as their bits do.
pub(super) type ByLambda = BTreeMap<u64, BTreeMap<u64, f64>>;

/// Outcomes by λ and seed.
pub(super) fn by_lambda<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> ByLambda {
    let mut by_lambda = ByLambda::new();
    for o in outcomes {
        by_lambda.entry(o.lambda.to_bits()).or_default().insert(o.seed, o.accuracy);
    }
    by_lambda
}

/// Mean accuracy over seeds for each λ, in the order of λ: `(λ, accuracy)`.
#[must_use]
pub fn mean_by_lambda(outcomes: &[Outcome]) -> Vec<(f64, f64)> {
    let mean = |runs: &BTreeMap<u64, f64>| runs.values().sum::<f64>() / runs.len() as f64;
    by_lambda(outcomes).iter().map(|(bits, runs)| (f64::from_bits(*bits), mean(runs))).collect()
}

/// The accuracy lost by following a prediction instead of searching a grid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Regret {
    /// The grid's best λ at the budget, by mean accuracy over seeds.
    pub best_lambda: f64,
    /// Mean accuracy of a tuned λ: for each seed the one that is best for the other seeds, since a λ that a seed has chosen
    /// itself does too well there. With one seed, its own.
    pub best_accuracy: f64,
    /// Mean accuracy at λ_pred.
    pub accuracy: f64,
    /// `best_accuracy − accuracy`; negative where the prediction beats the tuned λ.
    pub regret: f64,
    /// 95 % interval over seeds; absent with one.
    pub regret_ci: Option<[f64; 2]>,
    /// Seeds behind the means.
    pub seeds: usize,
}

/// Regret of runs at λ_pred (`predicted`) against a grid of runs at the same budget and seeds.
///
/// Only seeds that ran at λ_pred and at every λ of the grid count. `None` when there is none.
#[must_use]
pub fn regret(grid: &[Outcome], predicted: &[Outcome]) -> Option<Regret> {
    let by_lambda = by_lambda(grid);
    let paired: Vec<&Outcome> =
        predicted.iter().filter(|p| by_lambda.values().all(|runs| runs.contains_key(&p.seed))).collect();
    // The λ that is best for all seeds but one, and its runs.
    let best_without = |left_out: Option<u64>| {
        let sum = |runs: &BTreeMap<u64, f64>| {
            paired.iter().filter(|p| Some(p.seed) != left_out).map(|p| runs[&p.seed]).sum::<f64>()
        };
        by_lambda.iter().max_by(|a, b| sum(a.1).total_cmp(&sum(b.1)))
    };
    let tuned = |p: &Outcome| best_without((paired.len() > 1).then_some(p.seed)).map(|(_, runs)| runs[&p.seed]);
    let tuned: Vec<f64> = paired.iter().filter_map(|p| tuned(p)).collect();
    let regrets: Vec<f64> = tuned.iter().zip(&paired).map(|(best, p)| best - p.accuracy).collect();
    let regret = mean(&regrets)?;
    Some(Regret {
        best_lambda: f64::from_bits(*best_without(None)?.0),
        best_accuracy: mean(&tuned)?.mean,
        accuracy: mean(&paired.iter().map(|p| p.accuracy).collect::<Vec<_>>())?.mean,
        regret: regret.mean,
        regret_ci: regret.ci,
        seeds: regret.n,
    })
}
