//! The power law of t_*: its exponent against ηλ and against λ, and the constant c′.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    effective_lr,
    interval::{interval, interval_of_ratio},
    median,
};

/// One run's contribution to a fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// L2 coefficient λ.
    pub lambda: f64,
    /// Learning rate η.
    pub lr: f64,
    /// Momentum β.
    pub momentum: f64,
    /// Seed; runs of one seed are resampled together.
    pub seed: u64,
    /// t_* in steps.
    pub t_star: f64,
    /// t_* in regularization time.
    pub tau_star: f64,
}

/// `log t_* = slope · log(η_eff λ) + …` over a grid's uncensored runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Fit {
    /// Slope of log t_* on log(η_eff λ); the paper's relation R2 is −1.
    pub slope: f64,
    /// 95 % interval over seeds; absent with one seed.
    pub slope_ci: Option<[f64; 2]>,
    /// Slope of log t_* on log λ within each η (relation R1); absent if no η has two λ.
    pub slope_lambda: Option<f64>,
    /// Its interval.
    pub slope_lambda_ci: Option<[f64; 2]>,
    /// c′: the median of τ_* = η_eff λ t_*.
    pub c_prime: f64,
    /// Its 95 % interval over seeds; absent with one seed.
    pub c_prime_ci: Option<[f64; 2]>,
    /// Smallest and largest τ_* over the runs.
    pub c_prime_range: [f64; 2],
    /// log t_* where log(η_eff λ) is 0, so that the line can be drawn.
    pub intercept: f64,
    /// Runs in the fit.
    pub n: usize,
    /// Seeds in the fit.
    pub seeds: usize,
}

/// Least squares in logarithms. `None` unless two different ηλ are left.
#[must_use]
pub fn fit(samples: &[Sample]) -> Option<Fit> {
    let mut by_seed: BTreeMap<u64, Vec<Sample>> = BTreeMap::new();
    for s in samples.iter().filter(|s| s.t_star > 0.0 && s.tau_star > 0.0) {
        by_seed.entry(s.seed).or_default().push(*s);
    }
    let groups: Vec<Vec<Sample>> = by_seed.into_values().collect();
    let all = groups.concat();
    let of_draw = |draw: &[usize]| draw.iter().flat_map(|&g| &groups[g]).copied().collect::<Vec<_>>();
    let slope_of = |s: &[Sample]| line(&points(s)).map(|(slope, _)| slope);
    let c_prime_of = |s: &[Sample]| Some(median(s.iter().map(|s| s.tau_star).collect()));
    let (slope, intercept) = line(&points(&all))?;
    let taus = all.iter().map(|s| s.tau_star);
    Some(Fit {
        slope,
        slope_ci: interval(groups.len(), |draw| slope_of(&of_draw(draw))),
        slope_lambda: slope_within_lr(&all),
        slope_lambda_ci: interval(groups.len(), |draw| slope_within_lr(&of_draw(draw))),
        c_prime: c_prime_of(&all)?,
        c_prime_ci: interval_of_ratio(groups.len(), |draw| c_prime_of(&of_draw(draw))),
        c_prime_range: [taus.clone().fold(f64::INFINITY, f64::min), taus.fold(f64::NEG_INFINITY, f64::max)],
        intercept,
        n: all.len(),
        seeds: groups.len(),
    })
}

/// The exponent p of y ∝ x^p, by least squares in logarithms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Exponent {
    /// p.
    pub exponent: f64,
    /// 95 % interval over groups; absent with one group.
    pub exponent_ci: Option<[f64; 2]>,
    /// Points in the fit.
    pub n: usize,
}

/// The exponent of `(x, y)` points in groups of what belongs together, such as the runs of one seed; points that are not
/// positive are left out. `None` unless two different x are left.
#[must_use]
pub fn exponent(groups: &[Vec<(f64, f64)>]) -> Option<Exponent> {
    let logs: Vec<Vec<[f64; 2]>> = groups
        .iter()
        .map(|g| g.iter().filter(|(x, y)| *x > 0.0 && *y > 0.0).map(|(x, y)| [x.ln(), y.ln()]).collect::<Vec<_>>())
        .filter(|logs| !logs.is_empty())
        .collect();
    let all = logs.concat();
    let (slope, _) = line(&all)?;
    let of_draw = |draw: &[usize]| line(&draw.iter().flat_map(|&g| logs[g].iter().copied()).collect::<Vec<_>>());
    let exponent_ci = interval(logs.len(), |draw| of_draw(draw).map(|(slope, _)| slope));
    Some(Exponent { exponent: slope, exponent_ci, n: all.len() })
}

/// `(log η_eff λ, log t_*)` of each sample.
fn points(samples: &[Sample]) -> Vec<[f64; 2]> {
    samples.iter().map(|s| [(effective_lr(s.lr, s.momentum) * s.lambda).ln(), s.t_star.ln()]).collect()
}

/// Slope of log t_* on log λ, with an intercept of its own for each η.
fn slope_within_lr(samples: &[Sample]) -> Option<f64> {
    let mut by_lr: BTreeMap<u64, Vec<[f64; 2]>> = BTreeMap::new();
    for s in samples {
        by_lr.entry(s.lr.to_bits()).or_default().push([s.lambda.ln(), s.t_star.ln()]);
    }
    let centred: Vec<[f64; 2]> = by_lr
        .values()
        .flat_map(|points| {
            let [mx, my] = mean(points);
            points.iter().map(move |[x, y]| [x - mx, y - my])
        })
        .collect();
    line(&centred).map(|(slope, _)| slope)
}

fn mean(points: &[[f64; 2]]) -> [f64; 2] {
    let n = points.len() as f64;
    let sum = points.iter().fold([0.0, 0.0], |[x, y], p| [x + p[0], y + p[1]]);
    [sum[0] / n, sum[1] / n]
}

/// Least-squares line: `(slope, intercept)`; `None` unless x varies.
pub(super) fn line(points: &[[f64; 2]]) -> Option<(f64, f64)> {
    let [mx, my] = mean(points);
    let sxx: f64 = points.iter().map(|p| (p[0] - mx).powi(2)).sum();
    let sxy: f64 = points.iter().map(|p| (p[0] - mx) * (p[1] - my)).sum();
    // A grid's smallest spread worth a slope: 0.1 % in x.
    (sxx > 1e-6).then(|| (sxy / sxx, my - sxy / sxx * mx))
}
