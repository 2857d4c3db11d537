//! How well whole curves lie on one another: a diagnostic beside the times that are read off them.

use serde::{Deserialize, Serialize};

use super::{
    Grid,
    curve::{DOUBLING, STEP},
    fit::tau_at,
    interval::interval,
};
use crate::run::LambdaScheduleKind;

/// Distance of the exponents that are tried, and how many of them from the law's at most.
const FINE: f64 = 0.1;
const FARTHEST: i32 = 20;
/// Distance in log time of the moments at which curves are compared.
const COARSE: f64 = 2.0 * STEP;
/// Doublings of time before the earliest t_* from which on curves are compared.
const BEFORE: i64 = 3;

/// Curves of different λ and η, moved in log time by p·log ηλ. At p = 1 they are drawn against τ, at p = 0 against steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Collapse {
    /// The p at which the curves are nearest to one another; the law says 1.
    pub exponent: f64,
    /// Its 95 % interval over seeds; absent with one seed.
    pub exponent_ci: Option<[f64; 2]>,
    /// Standard deviation between the curves of all cells, over time, where they are drawn against τ.
    pub spread_in_tau: f64,
    /// The same where they are drawn against steps.
    pub spread_in_steps: f64,
}

/// A cell's mean curve, where it begins in log time, the log of the rate at which its τ passes, and its t_*.
struct Placed {
    values: Vec<f64>,
    first: f64,
    rate: f64,
    star: f64,
}

impl Placed {
    /// The value at a moment; before its start the curve is continued by its first value, after its end there is none.
    fn at(&self, log_time: f64) -> Option<f64> {
        let place = (log_time / STEP - self.first).max(0.0);
        let (low, share) = (place.floor() as usize, place.fract());
        match self.values.get(low + 1) {
            Some(next) => Some(self.values[low] * (1.0 - share) + next * share),
            None => self.values.get(low).copied().filter(|_| share < 1e-9),
        }
    }
}

/// The collapse of the cells of constant λ that the grid's estimator can time; `None` of fewer than two.
#[must_use]
pub fn collapse(grid: &Grid<'_>) -> Option<Collapse> {
    let mut seeds: Vec<u64> = Vec::new();
    let mut cells = Vec::new();
    for (i, curves) in grid.cells.iter().enumerate() {
        let (_, lambda, schedule) = curves.setting();
        let Some(time) = grid.time(i).filter(|_| lambda > 0.0 && schedule == LambdaScheduleKind::Constant) else {
            continue;
        };
        seeds.extend(curves.traces.iter().map(|t| t.run.seed));
        cells.push((curves, time.step.ln(), (tau_at(curves.traces[0], time.step) / time.step).ln()));
    }
    seeds.sort_unstable();
    seeds.dedup();
    if cells.len() < 2 {
        return None;
    }
    let placed = |draw: &[usize]| -> Vec<Placed> {
        let place = |(curves, star, rate): &(&super::CellCurves<'_>, f64, f64)| {
            let runs = curves.runs_of(&seeds, draw);
            let (values, first) = (curves.mean(&runs), curves.first as f64);
            (!runs.is_empty()).then_some(Placed { values, first, rate: *rate, star: *star })
        };
        cells.iter().filter_map(place).collect()
    };
    let all: Vec<usize> = (0..seeds.len()).collect();
    let curves = placed(&all);
    Some(Collapse {
        exponent: best(&curves)?,
        exponent_ci: interval(seeds.len(), &|draw| best(&placed(draw))),
        spread_in_tau: spread(&curves, 1.0)?,
        spread_in_steps: spread(&curves, 0.0)?,
    })
}

/// The exponent of the least spread: downhill from the law's, and to the top of a parabola through the last three.
fn best(curves: &[Placed]) -> Option<f64> {
    let square = |step: i32| spread(curves, 1.0 + f64::from(step) * FINE).map(|s| s * s);
    let (mut at, mut here) = (0_i32, square(0)?);
    let (mut before, mut after) = (square(-1)?, square(1)?);
    while before.min(after) < here && at.abs() < FARTHEST {
        if after < before {
            (at, before, here) = (at + 1, here, after);
            after = square(at + 1)?;
        } else {
            (at, after, here) = (at - 1, here, before);
            before = square(at - 1)?;
        }
    }
    let curvature = before - 2.0 * here + after;
    let aside = if curvature > 0.0 { (0.5 * (before - after) / curvature).clamp(-1.0, 1.0) } else { 0.0 };
    Some(1.0 + FINE * (f64::from(at) + aside))
}

/// The standard deviation between curves that are moved by p·log ηλ, from three doublings before the earliest t_* on, while there
/// are two that have not ended. `None` of fewer than two curves.
fn spread(curves: &[Placed], p: f64) -> Option<f64> {
    let moved = |c: &Placed, log_time: f64| log_time + p * c.rate;
    let from = curves.iter().map(|c| moved(c, c.star)).fold(f64::INFINITY, f64::min)
        - (BEFORE * DOUBLING as i64) as f64 * STEP;
    let end = |c: &Placed| moved(c, (c.first + (c.values.len() - 1) as f64) * STEP);
    let to = curves.iter().map(end).fold(f64::NEG_INFINITY, f64::max);
    let places = ((to - from) / COARSE).ceil().max(1.0) as usize;
    let variance = |i: usize| {
        let at = from + i as f64 * COARSE;
        let values: Vec<f64> = curves.iter().filter_map(|c| c.at(at - p * c.rate)).collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        (n > 1.0).then(|| values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0))
    };
    let variances: Vec<f64> = (0..=places).filter_map(variance).collect();
    (!variances.is_empty()).then(|| (variances.iter().sum::<f64>() / variances.len() as f64).sqrt())
}
