//! The best λ of a grid at each of several budgets, and the exponent p of λ_opt ∝ T^(−p).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Outcome,
    fit::line,
    interval::interval,
    predict::{ByLambda, by_lambda},
};

/// The mean of one number per seed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// 95 % interval over seeds; absent with one.
    pub ci: Option<[f64; 2]>,
    /// Seeds.
    pub n: usize,
}

/// The mean of `values`, one per seed; `None` of nothing.
#[must_use]
pub fn mean(values: &[f64]) -> Option<Mean> {
    let of = |draw: &[usize]| Some(draw.iter().map(|&i| values[i]).sum::<f64>() / draw.len() as f64);
    let n = values.len();
    (n > 0).then(|| Mean { mean: values.iter().sum::<f64>() / n as f64, ci: interval(n, of), n })
}

/// The mean over seeds of `(seed, value)`: runs of one seed are no independent samples, so each seed counts once, by its own mean.
/// `None` of nothing.
#[must_use]
pub fn mean_by_seed(values: impl IntoIterator<Item = (u64, f64)>) -> Option<Mean> {
    let mut seeds: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for (seed, value) in values {
        seeds.entry(seed).or_default().push(value);
    }
    mean(&seeds.values().map(|own| own.iter().sum::<f64>() / own.len() as f64).collect::<Vec<_>>())
}

/// The best λ within one budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Optimum {
    /// The budget T.
    pub budget: f64,
    /// λ at the top of the parabola in log λ through the grid's best λ, by mean accuracy over seeds, and its neighbours.
    pub lambda: f64,
    /// The grid's best λ is its largest or smallest: the optimum may lie beyond, and enters no fit.
    pub censored: bool,
}

/// How the best λ goes with the budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OptimalExponent {
    /// p in λ_opt ∝ T^(−p).
    pub p: f64,
    /// 95 % interval over seeds, the optima found anew in every resample.
    pub p_ci: Option<[f64; 2]>,
    /// Budgets whose optimum is inside the grid.
    pub budgets: usize,
    /// Seeds.
    pub seeds: usize,
}

/// The best λ at each budget and the exponent, of runs of a grid of λ within each budget: `(T, outcomes)`. Only seeds that
/// ran at every λ of every budget count. The exponent is `None` where fewer than two budgets have an optimum inside the grid.
#[must_use]
pub fn optimal_exponent(budgets: &[(f64, Vec<Outcome>)]) -> (Vec<Optimum>, Option<OptimalExponent>) {
    let grids: Vec<(f64, ByLambda)> = budgets
        .iter()
        .map(|(budget, outcomes)| (*budget, by_lambda(outcomes.iter().filter(|o| o.lambda > 0.0))))
        .collect();
    let mut seeds: Vec<u64> = budgets.iter().flat_map(|(_, outcomes)| outcomes.iter().map(|o| o.seed)).collect();
    seeds.sort_unstable();
    seeds.dedup();
    seeds.retain(|seed| grids.iter().all(|(_, grid)| grid.values().all(|runs| runs.contains_key(seed))));
    let optima = |draw: &[usize]| -> Vec<Optimum> {
        let of_grid = |(budget, grid): &(f64, ByLambda)| {
            let mean =
                |runs: &BTreeMap<u64, f64>| draw.iter().map(|&i| runs[&seeds[i]]).sum::<f64>() / draw.len() as f64;
            let curve: Vec<[f64; 2]> =
                grid.iter().map(|(bits, runs)| [f64::from_bits(*bits).ln(), mean(runs)]).collect();
            let top = (0..curve.len()).max_by(|&a, &b| curve[a][1].total_cmp(&curve[b][1]))?;
            let inside = top > 0 && top + 1 < curve.len();
            let log = if inside { vertex([curve[top - 1], curve[top], curve[top + 1]]) } else { curve[top][0] };
            Some(Optimum { budget: *budget, lambda: log.exp(), censored: !inside })
        };
        grids.iter().filter_map(of_grid).collect()
    };
    let slope = |draw: &[usize]| {
        let points: Vec<[f64; 2]> =
            optima(draw).iter().filter(|o| !o.censored).map(|o| [o.budget.ln(), o.lambda.ln()]).collect();
        line(&points).map(|(slope, _)| -slope)
    };
    if seeds.is_empty() {
        return (Vec::new(), None);
    }
    let all: Vec<usize> = (0..seeds.len()).collect();
    let found = optima(&all);
    let exponent = slope(&all).map(|p| OptimalExponent {
        p,
        p_ci: interval(seeds.len(), slope),
        budgets: found.iter().filter(|o| !o.censored).count(),
        seeds: seeds.len(),
    });
    (found, exponent)
}

/// Where the parabola through three points, the middle one the highest, is highest: between the outer two.
fn vertex([[x0, y0], [x1, y1], [x2, y2]]: [[f64; 2]; 3]) -> f64 {
    let (left, right) = ((y1 - y0) / (x1 - x0), (y2 - y1) / (x2 - x1));
    let curvature = (right - left) / (x2 - x0);
    if curvature < 0.0 { f64::midpoint(x0, x1) - left / (2.0 * curvature) } else { x1 }
}
