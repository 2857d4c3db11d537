//! The best λ of a grid at each of several budgets, and the exponent p of λ_opt ∝ T^(−p).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    Score,
    interval::interval,
    score::{ByLambda, best, by_lambda},
};

/// How far in ln λ from a budget's best λ cells enter the fit: a factor of 10 to either side.
const WINDOW: f64 = std::f64::consts::LN_10;
/// Cells that a quadratic in two variables needs: its six coefficients and one to spare.
const LEAST: usize = 7;

/// The best λ within one budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Optimum {
    /// The budget T.
    pub budget: f64,
    /// The top of the joint quadratic at this budget; without one, the grid's best λ by mean accuracy over seeds.
    pub lambda: f64,
    /// It lies outside the grid, or the grid's best is at its edge: the optimum may lie beyond.
    pub censored: bool,
}

/// How the best λ goes with the budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OptimalExponent {
    /// p in λ_opt ∝ T^(−p).
    pub p: f64,
    /// 95 % interval over seeds.
    pub p_ci: Option<[f64; 2]>,
    /// Budgets in the fit.
    pub budgets: usize,
    /// Cells, of λ and budget, in the fit.
    pub cells: usize,
    /// Seeds.
    pub seeds: usize,
}

/// One λ at one budget: its place in ln λ and ln T, and the accuracy of each seed.
struct Place {
    x: f64,
    z: f64,
    accuracies: Vec<f64>,
}

/// The best λ at each budget and the exponent, of runs of a grid of λ within each budget: `(T, scores)`, by one quadratic of
/// accuracy in ln λ and ln T through the cells near the best ones. Which cells these are is decided once, by the means over all
/// seeds, and held fixed in the resamples. A λ at which a seed has no score at some budget leaves that budget. The exponent is an
/// error, in words, where accuracy has no top in ln λ beyond its noise: a flat optimum has no place.
pub fn optimal_exponent(budgets: &[(f64, Vec<Score>)]) -> (Vec<Optimum>, Result<OptimalExponent, String>) {
    let grids: Vec<(f64, ByLambda)> = budgets
        .iter()
        .map(|(budget, scores)| {
            let positive: Vec<Score> = scores.iter().filter(|s| s.lambda > 0.0).copied().collect();
            (*budget, by_lambda(&positive))
        })
        .filter(|(_, grid)| !grid.is_empty())
        .collect();
    let mut seeds: Vec<u64> =
        grids.iter().flat_map(|(_, grid)| grid.values().flat_map(|r| r.keys().copied())).collect();
    seeds.sort_unstable();
    seeds.dedup();
    seeds.retain(|seed| grids.iter().all(|(_, grid)| grid.values().all(|runs| runs.contains_key(seed))));
    if seeds.is_empty() {
        return (Vec::new(), Err("no seed ran at every λ of every budget".into()));
    }
    let mut optima = Vec::new();
    let mut places = Vec::new();
    for (budget, grid) in &grids {
        let cells: Vec<Place> = grid
            .iter()
            .map(|(bits, runs)| Place {
                x: f64::from_bits(*bits).ln(),
                z: budget.ln(),
                accuracies: seeds.iter().map(|seed| runs[seed]).collect(),
            })
            .collect();
        let means: Vec<f64> = cells.iter().map(|c| c.accuracies.iter().sum::<f64>()).collect();
        let Some(top) = best(&means) else { continue };
        let at_edge = top == 0 || top + 1 == cells.len();
        optima.push((
            Optimum { budget: *budget, lambda: cells[top].x.exp(), censored: at_edge },
            cells[0].x,
            cells[cells.len() - 1].x,
        ));
        let middle = cells[top].x;
        places.extend(cells.into_iter().filter(|c| (c.x - middle).abs() <= WINDOW + 1e-9));
    }
    let all: Vec<usize> = (0..seeds.len()).collect();
    let quadratic = |draw: &[usize]| quadratic(&places, draw);
    let Some(fitted) = quadratic(&all).filter(|_| optima.len() > 1) else {
        let why =
            format!("{} cells near the best λ of {} budgets are too few for a quadratic", places.len(), optima.len());
        return (optima.into_iter().map(|o| o.0).collect(), Err(why));
    };
    // A top needs a curvature that is negative beyond its noise; the cells were chosen about the highest, which bends noise too.
    let curvature = interval(seeds.len(), &|draw| quadratic(draw).map(|q| q.curvature));
    let is_curved = curvature.map_or(fitted.curvature, |[_, high]| high) < 0.0;
    if !is_curved {
        let why =
            "accuracy has no top in λ beyond its noise: where it is flat, there is no best λ to follow".to_owned();
        return (optima.into_iter().map(|o| o.0).collect(), Err(why));
    }
    let optima: Vec<Optimum> = optima
        .into_iter()
        .map(|(o, low, high)| {
            let x = fitted.top(o.budget.ln());
            Optimum { lambda: x.exp(), censored: !(low..=high).contains(&x), ..o }
        })
        .collect();
    let exponent = OptimalExponent {
        p: fitted.exponent(),
        p_ci: interval(seeds.len(), &|draw| quadratic(draw).filter(|q| q.curvature < 0.0).map(|q| q.exponent())),
        budgets: optima.len(),
        cells: places.len(),
        seeds: seeds.len(),
    };
    (optima, Ok(exponent))
}

/// accuracy = a + b·x + c·z + curvature·x² + mixed·x·z + d·z², about the means of x and z.
#[derive(Debug, Clone, Copy)]
struct Quadratic {
    slope: f64,
    curvature: f64,
    mixed: f64,
    middle: (f64, f64),
}

impl Quadratic {
    /// ln λ at the top, for a budget.
    fn top(&self, z: f64) -> f64 {
        self.middle.0 - (self.slope + self.mixed * (z - self.middle.1)) / (2.0 * self.curvature)
    }

    /// p: by how much less ln λ is at the top, for a unit more of ln T.
    fn exponent(&self) -> f64 {
        self.mixed / (2.0 * self.curvature)
    }
}

/// Least squares through the mean accuracies of the seeds that `draw` names; `None` where the cells do not determine it.
fn quadratic(places: &[Place], draw: &[usize]) -> Option<Quadratic> {
    const N: usize = 6;
    if places.len() < LEAST {
        return None;
    }
    let n = places.len() as f64;
    let middle = (places.iter().map(|p| p.x).sum::<f64>() / n, places.iter().map(|p| p.z).sum::<f64>() / n);
    let mut system = [[0.0; N + 1]; N];
    for place in places {
        let (x, z) = (place.x - middle.0, place.z - middle.1);
        let y = draw.iter().map(|&i| place.accuracies[i]).sum::<f64>() / draw.len() as f64;
        let terms = [1.0, x, z, x * x, x * z, z * z];
        for (row, term) in system.iter_mut().zip(terms) {
            for (entry, value) in row.iter_mut().zip(terms.into_iter().chain([y])) {
                *entry += term * value;
            }
        }
    }
    // With two budgets z² is a function of z: a curvature in T is then left out.
    let distinct = places.iter().map(|p| p.z.to_bits()).collect::<BTreeSet<_>>().len();
    let unknowns = if distinct > 2 { N } else { N - 1 };
    if distinct < 2 {
        return None;
    }
    let solution = solve(system, unknowns)?;
    Some(Quadratic { slope: solution[1], curvature: solution[3], mixed: solution[4], middle })
}

/// Gauss elimination with pivoting of the first `unknowns` equations; `None` if they do not determine the solution.
fn solve(mut system: [[f64; 7]; 6], unknowns: usize) -> Option<[f64; 6]> {
    let scale = (0..unknowns).map(|i| system[i][i].abs()).fold(0.0, f64::max);
    for column in 0..unknowns {
        let pivot = (column..unknowns).max_by(|&a, &b| system[a][column].abs().total_cmp(&system[b][column].abs()))?;
        if system[pivot][column].abs() <= 1e-12 * scale {
            return None;
        }
        system.swap(column, pivot);
        for row in (0..unknowns).filter(|&row| row != column) {
            let factor = system[row][column] / system[column][column];
            let pivot_row = system[column];
            for (entry, pivot) in system[row].iter_mut().zip(pivot_row) {
                *entry -= factor * pivot;
            }
        }
    }
    let mut solution = [0.0; 6];
    for (i, value) in solution.iter_mut().enumerate().take(unknowns) {
        *value = system[i][6] / system[i][i];
    }
    Some(solution)
}
