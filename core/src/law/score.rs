//! How well runs did within a budget, and what following a prediction costs against a search. Every λ is measured alike: by smoothed
//! curves on one schedule in log time, each run at the moment that is best for the other seeds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Mean, Metric,
    cell::{CellCurves, group},
    mean,
};
use crate::run::Trace;

/// How well a run with some λ and seed did at a budget.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Score {
    /// L2 coefficient λ.
    pub lambda: f64,
    /// Seed.
    pub seed: u64,
    /// Early-stopping test accuracy at the budget, 0 to 1.
    pub accuracy: f64,
}

impl Score {
    /// Of a run, with this accuracy.
    #[must_use]
    pub fn new(trace: &Trace, accuracy: f64) -> Self {
        Self { lambda: trace.run.lambda, seed: trace.run.seed, accuracy }
    }

    /// The early-stopping performance of runs within `budget` steps, by cell: what happens after the budget is not looked at. A cell
    /// with a run that diverged, or that was measured too seldom by then, has no score: not the seed is left out but the λ.
    #[must_use]
    pub fn within<'a>(traces: impl IntoIterator<Item = &'a Trace>, budget: f64) -> Vec<Self> {
        let traces: Vec<Trace> = traces.into_iter().cloned().collect();
        let cells = group(&traces).into_iter().map(|own| CellCurves::new(own, Metric::Accuracy, budget));
        let whole = cells.filter(|cell| !cell.diverged && !cell.is_empty());
        whole.flat_map(|cell| Self::of_cell(&cell, &cell.performance())).collect()
    }

    /// The smoothed accuracy at the end of runs, by cell.
    #[must_use]
    pub fn at_end<'a>(traces: impl IntoIterator<Item = &'a Trace>) -> Vec<Self> {
        let traces: Vec<Trace> = traces.into_iter().cloned().collect();
        let cells = group(&traces).into_iter().map(|own| CellCurves::new(own, Metric::Accuracy, f64::INFINITY));
        let whole = cells.filter(|cell| !cell.diverged && !cell.is_empty());
        whole
            .flat_map(|cell| {
                let ends: Vec<f64> = cell.values.iter().filter_map(|v| v.last().copied()).collect();
                Self::of_cell(&cell, &ends)
            })
            .collect()
    }

    fn of_cell(cell: &CellCurves<'_>, accuracies: &[f64]) -> Vec<Self> {
        cell.traces.iter().zip(accuracies).map(|(trace, &accuracy)| Self::new(trace, accuracy)).collect()
    }
}

/// Accuracies by the bits of λ, then by seed. Positive floats order as their bits do.
pub(super) type ByLambda = BTreeMap<u64, BTreeMap<u64, f64>>;

/// Scores by λ and seed, of the λ at which every seed has one.
pub(super) fn by_lambda(scores: &[Score]) -> ByLambda {
    let mut by_lambda = ByLambda::new();
    for s in scores {
        by_lambda.entry(s.lambda.to_bits()).or_default().insert(s.seed, s.accuracy);
    }
    let mut seeds: Vec<u64> = scores.iter().map(|s| s.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    by_lambda.retain(|_, runs| runs.len() == seeds.len());
    by_lambda
}

/// Mean accuracy over seeds for each λ, in the order of λ: `(λ, accuracy)`.
#[must_use]
pub fn mean_by_lambda(scores: &[Score]) -> Vec<(f64, f64)> {
    let mean = |runs: &BTreeMap<u64, f64>| runs.values().sum::<f64>() / runs.len() as f64;
    by_lambda(scores).iter().map(|(bits, runs)| (f64::from_bits(*bits), mean(runs))).collect()
}

/// How much a number changes for a tenfold of `x`, over all cells and not from one end of a grid to the other: for each seed the
/// least-squares slope of the number on log10 x within groups of equal `group`, as `(seed, group, x, number)`. `None` unless x varies
/// within a group.
#[must_use]
pub fn trend(samples: impl IntoIterator<Item = (u64, f64, f64, f64)>) -> Option<Mean> {
    let mut seeds: BTreeMap<u64, BTreeMap<u64, Vec<(f64, f64)>>> = BTreeMap::new();
    for (seed, group, x, y) in samples {
        seeds.entry(seed).or_default().entry(group.to_bits()).or_default().push((x.log10(), y));
    }
    let slope = |groups: &BTreeMap<u64, Vec<(f64, f64)>>| {
        let (mut sxx, mut sxy) = (0.0, 0.0);
        for points in groups.values() {
            let n = points.len() as f64;
            let middle = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
            let (mx, my) = (middle(|p| p.0), middle(|p| p.1));
            for (x, y) in points {
                sxx += (x - mx).powi(2);
                sxy += (x - mx) * (y - my);
            }
        }
        (sxx > 1e-9).then(|| sxy / sxx)
    };
    mean(&seeds.values().map(slope).collect::<Option<Vec<_>>>()?)
}

/// Which of several values, in the order of λ, is the best. Of several that are equally good it is the one in their middle, and of
/// an even number the one whose neighbours do better: a tie is no reason to go to either end.
#[must_use]
pub fn best(values: &[f64]) -> Option<usize> {
    let most = values.iter().copied().max_by(f64::total_cmp)?;
    let equal: Vec<usize> = (0..values.len()).filter(|&i| values[i] >= most - 1e-12).collect();
    let (low, high) = (equal[(equal.len() - 1) / 2], equal[equal.len() / 2]);
    let outside = |i: Option<usize>| i.and_then(|i| values.get(i)).copied().unwrap_or(f64::NEG_INFINITY);
    Some(if outside(low.checked_sub(1)) > outside(high.checked_add(1)) { low } else { high })
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
/// A λ of the grid at which a seed has no score leaves the comparison. `None` when no λ, or no common seed, is left.
#[must_use]
pub fn regret(grid: &[Score], predicted: &[Score]) -> Option<Regret> {
    let by_lambda = by_lambda(grid);
    let first = by_lambda.values().next()?;
    let paired: Vec<&Score> = predicted.iter().filter(|p| first.contains_key(&p.seed)).collect();
    let cells: Vec<(&u64, &BTreeMap<u64, f64>)> = by_lambda.iter().collect();
    // The λ that is best for all seeds but one.
    let best_without = |left_out: Option<u64>| {
        let sum = |runs: &BTreeMap<u64, f64>| {
            paired.iter().filter(|p| Some(p.seed) != left_out).map(|p| runs[&p.seed]).sum::<f64>()
        };
        best(&cells.iter().map(|(_, runs)| sum(runs)).collect::<Vec<_>>()).map(|at| cells[at])
    };
    let tuned = |p: &Score| best_without((paired.len() > 1).then_some(p.seed)).map(|(_, runs)| runs[&p.seed]);
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
