//! The power law of t_*: its exponent against λ and against ηλ, and the constant c′, beside a placebo.

use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::{
    Decision, Estimator, Grid, Outcome, Verdict,
    cell::CellCurves,
    curve::{STEP, time},
    interval::{interval, interval_of_ratio},
    line::{Line, Point, line},
    median,
};
use crate::{
    random::{Stream, stream},
    run::{LambdaScheduleKind, Trace},
};

/// λ that have to be timed for a slope.
pub const LEAST_LAMBDAS: usize = 3;
/// Exchanges of times behind the placebo's interval.
const EXCHANGES: u64 = 1000;
/// How many times smaller a λ has to be for its curves, cut off, to stand for curves without L2.
const WITHOUT: f64 = 2.9;

/// `log t_* = slope · log λ + …`, over the cells of a grid that an estimator can time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Fit {
    /// What t_* is by.
    pub estimator: Estimator,
    /// Slope of log t_* on log λ at fixed η; the paper's relation R1 is −1. An arrival that goes with ηt alone has slope 0.
    pub slope: f64,
    /// 95 % interval over seeds; absent with one seed.
    pub slope_ci: Option<[f64; 2]>,
    /// The same slope where times are exchanged between λ at fixed η, on average over all exchanges: what chance alone gives.
    pub placebo_slope: f64,
    /// 95 % of the exchanges.
    pub placebo_ci: [f64; 2],
    /// What the same estimator finds in curves without L2.
    pub without_l2: WithoutL2,
    /// Slope of log t_* on log η_eff at fixed λ; absent where no λ has two η. The law says −1.
    #[serde(default)]
    pub slope_lr: Option<f64>,
    /// Its 95 % interval over seeds.
    #[serde(default)]
    pub slope_lr_ci: Option<[f64; 2]>,
    /// Slope on log ηλ (R2), with one intercept for all η.
    pub slope_product: f64,
    /// Its 95 % interval.
    pub slope_product_ci: Option<[f64; 2]>,
    /// log t_* where log ηλ is 0, on that line.
    pub intercept: f64,
    /// c′: the median of τ_* over the cells that were timed.
    pub c_prime: f64,
    /// Its 95 % interval over seeds; absent with one seed.
    pub c_prime_ci: Option<[f64; 2]>,
    /// Smallest and largest τ_* of a cell.
    pub c_prime_range: [f64; 2],
    /// Runs in the cells that were timed.
    pub n: usize,
    /// Their seeds.
    pub seeds: usize,
    /// Cells that were timed.
    pub cells_timed: usize,
    /// Censored cells that surely rise in the second half of their runs, which bounds t_* from below.
    pub cells_bounding: usize,
    /// What it decides about R1: that t_* goes as 1/λ.
    pub law: Verdict,
}

/// Curves without L2, by the same tests and the same estimator: those of the smallest λ, cut off where the runs of larger λ end.
/// There τ, and with it what L2 has done, is smaller by the ratio of both. What is found in them is the design's and not L2's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct WithoutL2 {
    /// Cells that can be made so.
    pub cells: usize,
    /// Those in which the estimator times something.
    pub timed: usize,
    /// Slope of these times on log λ; absent with fewer than two λ.
    pub slope: Option<f64>,
}

/// What one cell adds to a fit.
struct Entry<'a> {
    curves: &'a CellCurves<'a>,
    group: u64,
    is_bound: bool,
}

/// The fit of a grid, or, in words, why there is none.
///
/// # Errors
/// When fewer than three λ can be timed.
pub fn fit(grid: &Grid<'_>) -> Result<Fit, String> {
    let entries = entries(grid);
    let timed: Vec<&Entry<'_>> = entries.iter().filter(|e| !e.is_bound).collect();
    let mut lambdas: Vec<u64> = timed.iter().map(|e| e.curves.setting().1.to_bits()).collect();
    lambdas.sort_unstable();
    lambdas.dedup();
    if lambdas.len() < LEAST_LAMBDAS {
        return Err(refusal(grid, lambdas.len()));
    }
    let mut seeds: Vec<u64> = timed.iter().flat_map(|e| e.curves.traces.iter().map(|t| t.run.seed)).collect();
    seeds.sort_unstable();
    seeds.dedup();
    let points = |draw: &[usize]| -> Vec<(Point, f64, f64)> {
        let point = |e: &Entry<'_>| {
            let runs = e.curves.runs_of(&seeds, draw);
            let bound = || e.curves.bound(grid.tolerance, &runs);
            let place = if e.is_bound { bound()? } else { grid.place(e.curves, &runs)? };
            let (_, lambda, _) = e.curves.setting();
            let tau = tau_at(e.curves.traces[0], time(place));
            let at = Point { group: e.group, x: lambda.ln(), y: place * STEP, is_bound: e.is_bound };
            // The rate at which τ passes: ln η_eff λ.
            Some((at, tau.ln() - at.y, tau))
        };
        entries.iter().filter_map(point).collect()
    };
    let at_fixed_lr = |draw: &[usize]| line(&points(draw).into_iter().map(|p| p.0).collect::<Vec<_>>());
    let on_product = |draw: &[usize]| {
        line(&points(draw).into_iter().map(|(p, rate, _)| Point { group: 0, x: rate, ..p }).collect::<Vec<_>>())
    };
    // The rate is ln η_eff λ.
    let at_fixed_lambda = |draw: &[usize]| {
        let of_lr = |(p, rate, _): (Point, f64, f64)| Point { group: p.x.to_bits(), x: rate - p.x, ..p };
        line(&points(draw).into_iter().map(of_lr).collect::<Vec<_>>())
    };
    let c_prime = |draw: &[usize]| Some(median(taus(&points(draw))));
    let all: Vec<usize> = (0..seeds.len()).collect();
    let slope = |line: Option<Line>| line.map(|l| l.slope);
    let none = || "the λ that can be timed do not differ at any one η".to_owned();
    let product = on_product(&all).ok_or_else(none)?;
    let of_all = points(&all);
    let (placebo_slope, placebo_ci) = placebo(&of_all.iter().map(|p| p.0).collect::<Vec<_>>()).ok_or_else(none)?;
    let taus = taus(&of_all);
    let fit = Fit {
        estimator: grid.estimator,
        slope: slope(at_fixed_lr(&all)).ok_or_else(none)?,
        slope_ci: interval(seeds.len(), &|draw| slope(at_fixed_lr(draw))),
        placebo_slope,
        placebo_ci,
        without_l2: without_l2(grid),
        slope_lr: slope(at_fixed_lambda(&all)),
        slope_lr_ci: interval(seeds.len(), &|draw| slope(at_fixed_lambda(draw))),
        slope_product: product.slope,
        slope_product_ci: interval(seeds.len(), &|draw| slope(on_product(draw))),
        intercept: product.intercepts.first().map_or(0.0, |(_, b)| *b),
        c_prime: c_prime(&all).unwrap_or(f64::NAN),
        c_prime_ci: interval_of_ratio(seeds.len(), &c_prime),
        c_prime_range: [
            taus.iter().copied().fold(f64::INFINITY, f64::min),
            taus.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        ],
        n: timed.iter().map(|e| e.curves.traces.len()).sum(),
        seeds: seeds.len(),
        cells_timed: timed.len(),
        cells_bounding: entries.len() - timed.len(),
        law: Verdict::Open,
    };
    Ok(Fit { law: Decision::of_law(&fit).verdict, ..fit })
}

/// τ_* of the cells that were timed.
fn taus(points: &[(Point, f64, f64)]) -> Vec<f64> {
    points.iter().filter(|p| !p.0.is_bound).map(|p| p.2).collect()
}

/// The cells of constant λ > 0 that are timed, or censored and so bound what they would have shown.
fn entries<'a>(grid: &'a Grid<'a>) -> Vec<Entry<'a>> {
    let mut groups = Vec::new();
    let mut entries = Vec::new();
    for (curves, (outcome, _)) in grid.cells.iter().zip(&grid.outcomes) {
        let (lr, lambda, schedule) = curves.setting();
        let is_timed = grid.estimator.times(*outcome);
        let bounds = *outcome == Outcome::Censored && curves.bound(grid.tolerance, &curves.everyone()).is_some();
        if schedule == LambdaScheduleKind::Constant && lambda > 0.0 && (is_timed || bounds) {
            let key = (lr.to_bits(), curves.traces[0].run.momentum.to_bits());
            let group = groups.iter().position(|k| *k == key).unwrap_or_else(|| {
                groups.push(key);
                groups.len() - 1
            }) as u64;
            entries.push(Entry { curves, group, is_bound: !is_timed });
        }
    }
    entries
}

/// τ of a run at time `t`, in steps, between its measurements by a straight line.
#[must_use]
pub fn tau_at(trace: &Trace, t: f64) -> f64 {
    let points = &trace.points;
    let next = points.partition_point(|m| (m.step as f64) < t);
    match (next.checked_sub(1).and_then(|i| points.get(i)), points.get(next)) {
        (Some(a), Some(b)) => a.tau + (b.tau - a.tau) * (t - a.step as f64) / (b.step - a.step) as f64,
        // Before the first measurement τ rises from 0; after the last one it is not known.
        (None, Some(b)) if b.step > 0 => b.tau * t / b.step as f64,
        (Some(last), None) | (None, Some(last)) => last.tau,
        (None, None) => f64::NAN,
    }
}

/// Mean slope and 95 % of the slopes where times are exchanged between the λ of each group.
fn placebo(points: &[Point]) -> Option<(f64, [f64; 2])> {
    let timed: Vec<Point> = points.iter().filter(|p| !p.is_bound).copied().collect();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (i, point) in timed.iter().enumerate() {
        match groups.iter_mut().find(|own| timed[own[0]].group == point.group) {
            Some(own) => own.push(i),
            None => groups.push(vec![i]),
        }
    }
    let slopes = (0..EXCHANGES).map(|draw| {
        let mut rng = stream(0, Stream::Placebo, draw);
        let mut exchanged = timed.clone();
        for own in &groups {
            let mut times: Vec<f64> = own.iter().map(|&i| timed[i].y).collect();
            times.shuffle(&mut rng);
            own.iter().zip(times).for_each(|(&i, y)| exchanged[i].y = y);
        }
        line(&exchanged).map(|l| l.slope)
    });
    let mut slopes: Vec<f64> = slopes.collect::<Option<_>>()?;
    slopes.sort_by(f64::total_cmp);
    let at = |share: f64| slopes[((slopes.len() - 1) as f64 * share).round() as usize];
    Some((slopes.iter().sum::<f64>() / slopes.len() as f64, [at(0.025), at(0.975)]))
}

/// What the estimator finds in the curves of each η's smallest λ, cut off where the runs of larger λ end.
fn without_l2(grid: &Grid<'_>) -> WithoutL2 {
    let is_constant = |c: &&CellCurves<'_>| {
        let (_, lambda, schedule) = c.setting();
        schedule == LambdaScheduleKind::Constant && lambda > 0.0 && !c.diverged && !c.is_empty()
    };
    // Of each η and β the cell of the smallest λ.
    let mut smallest: Vec<&CellCurves<'_>> = Vec::new();
    let same = |a: &CellCurves<'_>, b: &CellCurves<'_>| {
        (a.setting().0, a.traces[0].run.momentum) == (b.setting().0, b.traces[0].run.momentum)
    };
    for cell in grid.cells.iter().filter(is_constant) {
        match smallest.iter_mut().find(|held| same(held, cell)) {
            Some(held) if cell.setting().1 < held.setting().1 => *held = cell,
            Some(_) => {}
            None => smallest.push(cell),
        }
    }
    let mut found = WithoutL2 { cells: 0, timed: 0, slope: None };
    let mut points = Vec::new();
    for cell in grid.cells.iter().filter(is_constant) {
        let (lr, lambda, _) = cell.setting();
        let Some(smallest) = smallest.iter().find(|held| same(held, cell)) else { continue };
        if lambda < WITHOUT * smallest.setting().1 {
            continue;
        }
        let end = cell.traces.iter().filter_map(|t| t.points.last()).map(|m| m.step).min().unwrap_or(0);
        let cut = CellCurves::new(smallest.traces.clone(), grid.estimator.metric(), end as f64);
        found.cells += 1;
        if grid.estimator.times(cut.outcome(grid.tolerance).0) {
            found.timed += 1;
            let place = cut.place(grid.estimator, grid.tolerance.tolerance, &cut.everyone());
            points.push(Point {
                group: lr.to_bits() ^ cell.traces[0].run.momentum.to_bits().rotate_left(32),
                x: lambda.ln(),
                y: place * STEP,
                is_bound: false,
            });
        }
    }
    found.slope = line(&points).map(|l| l.slope);
    found
}

/// Why there is no fit.
fn refusal(grid: &Grid<'_>, lambdas: usize) -> String {
    let count = |outcome: Outcome| grid.outcomes.iter().filter(|(o, _)| *o == outcome).count();
    let counts: Vec<String> =
        Outcome::ALL.into_iter().filter(|&o| count(o) > 0).map(|o| format!("{} {}", count(o), o.name())).collect();
    let advice = if count(Outcome::Censored) > 0 {
        "; longer runs (--tau) may show where those that are censored peak"
    } else if count(Outcome::Diverged) > 0 {
        "; a smaller --lr keeps runs from diverging"
    } else {
        ""
    };
    format!(
        "a slope needs {LEAST_LAMBDAS} λ whose curves the {} estimator can time, and there {} {lambdas}: of {} cells {}{advice}",
        grid.estimator.name(),
        if lambdas == 1 { "is" } else { "are" },
        grid.outcomes.len(),
        if counts.is_empty() { "none has a curve".into() } else { counts.join(", ") },
    )
}

impl Fit {
    /// Whether the slope's interval excludes the placebo's slope, and what the same estimator finds without L2.
    #[must_use]
    pub fn excludes_placebo(&self) -> bool {
        let Some([low, high]) = self.slope_ci else { return false };
        [Some(self.placebo_slope), self.without_l2.slope].into_iter().flatten().all(|slope| slope < low || slope > high)
    }
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
    let point = |&(x, y): &(f64, f64)| Point { group: 0, x: x.ln(), y: y.ln(), is_bound: false };
    let logs: Vec<Vec<Point>> = groups
        .iter()
        .map(|g| g.iter().filter(|(x, y)| *x > 0.0 && *y > 0.0).map(point).collect::<Vec<_>>())
        .filter(|logs| !logs.is_empty())
        .collect();
    let all = logs.concat();
    let of_draw = |draw: &[usize]| line(&draw.iter().flat_map(|&g| logs[g].iter().copied()).collect::<Vec<_>>());
    let exponent_ci = interval(logs.len(), &|draw| of_draw(draw).map(|l| l.slope));
    Some(Exponent { exponent: line(&all)?.slope, exponent_ci, n: all.len() })
}
