//! The curves of one λ and η over seeds, and what they show beyond their noise: what is not there is not timed.

use super::{
    Estimator, Metric, Outcome,
    curve::{Curve, DOUBLING, REACH, STEP, highest, mean_of},
    estimator::arrival,
    interval::{one_sided, standard_error},
    median,
};
use crate::run::{LambdaScheduleKind, Trace};

/// The paper's tolerance: 0.5 % of test accuracy, absolute.
const TOLERANCE: f64 = 0.005;
/// A rise is at least this many tolerances high.
const RISE: f64 = 2.0;
/// How much of a change of the run's end may be found again in the arrival: of an arrival that is set by the end, all of it is.
const MOVES: f64 = 0.35;
/// Standard errors by which a curve that stays may seem to rise and still pass for one that stays: all but two in a hundred do.
const STAYS: f64 = 2.0;
/// Standard errors that a single run's change has to have: its top is chosen by its own noise.
const ALONE: f64 = 2.5;
/// How much larger the error of a single run is taken to be than its measurements' scatter says, since successive ones are alike.
const CORRELATED: f64 = 1.5;
/// Degrees of freedom of a noise that is known from scatter.
const SCATTERED: usize = 30;

/// The runs of one η, λ, momentum and schedule of λ, smoothed, on the stretch of log time that all of them cover.
#[derive(Debug, Clone)]
pub struct CellCurves<'a> {
    /// The runs, in the order of their seeds.
    pub traces: Vec<&'a Trace>,
    /// A run diverged: the others are not compared either.
    pub diverged: bool,
    /// Place of the first value in log time.
    pub first: i64,
    /// For each run its smoothed values; none where a run has too few measurements.
    pub values: Vec<Vec<f64>>,
    errors: Vec<Vec<f64>>,
    /// Of each run, what the last doubling of its own time changes, and the standard error.
    drifts: Vec<(f64, f64)>,
}

/// A change of a cell's curves from one moment to another.
struct Change {
    mean: f64,
    /// How far the true change may be below, by a one-sided test over seeds at 5 %.
    half: f64,
    /// Every run by itself rises by more than its own noise.
    in_each: bool,
}

impl Change {
    /// Whether it is a rise beyond noise: over seeds, or, where few seeds differ much in its height, in each of them.
    fn is_rise(&self) -> bool {
        // Equal values differ by rounding.
        self.mean > 1e-9 && (self.mean > self.half || self.in_each)
    }
}

impl<'a> CellCurves<'a> {
    /// Of runs that share everything but the seed; `until` cuts them off, in steps.
    #[must_use]
    pub fn new(traces: Vec<&'a Trace>, metric: Metric, until: f64) -> Self {
        let diverged = traces.iter().any(|t| t.diverged());
        let points = |t: &&'a Trace| {
            let within = t.points.iter().filter(|m| m.step as f64 <= until);
            Curve::new(within.map(|m| (m.step as f64, metric.of(m))))
        };
        let curves: Vec<Curve> = traces.iter().map(points).collect::<Option<_>>().unwrap_or_default();
        let first = curves.iter().map(|c| c.first).max().unwrap_or(0);
        let last = curves.iter().map(Curve::last).min().unwrap_or(-1);
        let common: Vec<Curve> =
            curves.iter().map(|c| c.between(first, last)).collect::<Option<_>>().unwrap_or_default();
        let drifts = common.iter().map(|c| c.drift).collect();
        let (values, errors) = common.into_iter().map(|c| (c.values, c.errors)).unzip();
        Self { traces, diverged, first, values, errors, drifts }
    }

    /// λ, η and what else the runs share.
    #[must_use]
    pub fn setting(&self) -> (f64, f64, LambdaScheduleKind) {
        let run = &self.traces[0].run;
        (run.lr, run.lambda, run.lambda_schedule)
    }

    /// All runs.
    #[must_use]
    pub fn everyone(&self) -> Vec<usize> {
        (0..self.values.len()).collect()
    }

    /// The mean curve of the runs that `draw` names.
    #[must_use]
    pub fn mean(&self, draw: &[usize]) -> Vec<f64> {
        mean_of(&self.values, draw)
    }

    /// Places on the grid.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.first().map_or(0, Vec::len)
    }

    /// Whether there is no curve: too few measurements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The moment of the highest mean of all runs but `seed`, so that no run's own noise chooses where it is looked at; of a
    /// single run, its own.
    fn top_without(&self, seed: usize) -> usize {
        let others: Vec<usize> = self.everyone().into_iter().filter(|&i| i != seed || self.values.len() == 1).collect();
        highest(&self.mean(&others))
    }

    /// For each run the place of [`Self::performance`], counted from the first.
    #[must_use]
    pub fn tops(&self) -> Vec<usize> {
        (0..self.values.len()).map(|s| self.top_without(s)).collect()
    }

    /// For each run its value at the moment that is best for the others: its performance, without the luck of its own maximum.
    #[must_use]
    pub fn performance(&self) -> Vec<f64> {
        self.values.iter().zip(self.tops()).map(|(values, top)| values[top]).collect()
    }

    /// The change from one place of each run to another.
    fn changes(&self, from: &[usize], to: &[usize]) -> Vec<f64> {
        self.values.iter().zip(from.iter().zip(to)).map(|(values, (&from, &to))| values[to] - values[from]).collect()
    }

    /// The same with what decides whether it is beyond noise.
    fn change(&self, from: &[usize], to: &[usize]) -> Change {
        let changes = self.changes(from, to);
        let mean = changes.iter().sum::<f64>() / changes.len() as f64;
        let half = standard_error(&changes).map_or(f64::INFINITY, |error| one_sided(changes.len()) * error);
        let own = |s: usize| ALONE * CORRELATED * self.errors[s][from[s]].hypot(self.errors[s][to[s]]);
        let in_each = changes.iter().enumerate().all(|(s, change)| *change > own(s));
        Change { mean, half, in_each }
    }

    /// The same place of every run.
    fn at(&self, place: usize) -> Vec<usize> {
        vec![place; self.values.len()]
    }

    /// From the first measurement to the top.
    fn rise(&self, tops: &[usize]) -> Change {
        self.change(&self.at(0), tops)
    }

    /// How far each run falls from its top to its end.
    #[must_use]
    pub fn declines(&self) -> Vec<f64> {
        self.changes(&self.at(self.len().saturating_sub(1)), &self.tops())
    }

    /// What the last doubling of time changes, on average over the runs that `draw` names.
    fn late_change(&self, draw: &[usize]) -> f64 {
        draw.iter().map(|&i| self.drifts[i].0).sum::<f64>() / draw.len() as f64
    }

    /// The variance of what the last doubling of time changes on average over the seeds; `None` where there is none to tell.
    fn noise(&self) -> Option<f64> {
        if self.diverged || self.len() <= 2 * DOUBLING {
            return None;
        }
        let changes: Vec<f64> = self.drifts.iter().map(|d| d.0).collect();
        let error = standard_error(&changes).unwrap_or_else(|| CORRELATED * self.drifts[0].1);
        Some(error * error)
    }

    /// What the curves show beyond their noise, and why, for a tolerance that all cells share.
    #[must_use]
    pub fn outcome(&self, tolerance: Tolerance) -> (Outcome, String) {
        let Tolerance { tolerance, change } = tolerance;
        if self.diverged {
            let count = self.traces.iter().filter(|t| t.diverged()).count();
            return (Outcome::Diverged, format!("{count} of {} runs diverged", self.traces.len()));
        }
        if self.len() <= 2 * DOUBLING {
            let why = "the run is too short: a curve can be told over a factor of 4 in time or more";
            return (Outcome::Censored, why.into());
        }
        let mean = self.mean(&self.everyone());
        let (tops, last) = (self.tops(), self.len() - 1);
        let (rise, decline) = (self.rise(&tops), self.change(&self.at(last), &tops));
        let late = self.late_change(&self.everyone());
        if !rise.is_rise() || rise.mean < RISE * tolerance {
            let why =
                format!("from its first measurement to its top it rises by {}, which noise does too", short(rise.mean));
            return (Outcome::Flat, why);
        }
        let beyond_window = last as f64 - REACH / STEP;
        if decline.is_rise() && highest(&mean) as f64 <= beyond_window {
            return (Outcome::Peak, format!("it falls by {} after its top", short(decline.mean)));
        }
        let arrives = arrival(&mean, tolerance);
        let earlier = arrival(&mean[..=last - DOUBLING], tolerance);
        if late + change > tolerance {
            let (late, most) = (short(late), short(late + change));
            let why = format!("in the last doubling of time it rises by {late} and perhaps by {most}: it may go on");
            (Outcome::Censored, why)
        } else if arrives > (last - DOUBLING) as f64 {
            (
                Outcome::Censored,
                "it arrives at its maximum in the last half of the run: a longer run may have a higher one".into(),
            )
        } else if (arrives - earlier).abs() > MOVES * DOUBLING as f64 {
            (Outcome::Censored, "with half the run its arrival would be another: it is set by the run's end".into())
        } else {
            (Outcome::Plateau, format!("it stays within {} of its maximum", short(tolerance)))
        }
    }

    /// What t_* is at least, in places of the grid, by the mean curve of the runs that `draw` names: half the run's length, where the
    /// curve has surely risen by more than the tolerance since then; `None` where that is not sure.
    #[must_use]
    pub fn bound(&self, tolerance: Tolerance, draw: &[usize]) -> Option<f64> {
        let before = self.len().checked_sub(1 + DOUBLING)?;
        let risen = self.late_change(draw);
        (risen > tolerance.tolerance + tolerance.change).then(|| (self.first + before as i64) as f64)
    }

    /// The runs whose seeds a draw names, as often as it names them.
    pub(super) fn runs_of(&self, seeds: &[u64], draw: &[usize]) -> Vec<usize> {
        draw.iter().filter_map(|&i| self.traces.iter().position(|t| t.run.seed == seeds[i])).collect()
    }

    /// t_* in places of the grid, of the mean of the runs that `draw` names.
    #[must_use]
    pub fn place(&self, estimator: Estimator, tolerance: f64, draw: &[usize]) -> f64 {
        self.first as f64 + estimator.read(&self.mean(draw), tolerance)
    }

    /// The same of one run.
    #[must_use]
    pub fn place_of(&self, run: usize, estimator: Estimator, tolerance: f64) -> f64 {
        self.first as f64 + estimator.read(&self.values[run], tolerance)
    }
}

/// How near to its maximum a curve counts as having arrived there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    /// The tolerance itself.
    pub tolerance: f64,
    /// By how much more a mean curve may have risen in the last doubling of time than it seems to: one-sided at 5 %.
    change: f64,
}

impl Tolerance {
    /// The paper's tolerance, or, where the noise is larger, the least at which it can be told of most curves that stay that they do.
    /// One for all cells, so that no λ is timed by another rule than the others, and the noise is that of all cells together. Losses
    /// have no scale of their own, so theirs is a hundredth of their largest rise, or as much as the noise asks for.
    #[must_use]
    pub fn of(cells: &[CellCurves<'_>], metric: Metric) -> Self {
        let least = match metric {
            Metric::Accuracy => TOLERANCE,
            Metric::Loss => {
                let rises = cells.iter().filter(|c| !c.diverged && !c.is_empty()).map(|c| c.rise(&c.tops()).mean);
                0.01 * rises.fold(0.0, f64::max)
            }
        };
        let variances: Vec<f64> = cells.iter().filter_map(CellCurves::noise).collect();
        if variances.is_empty() {
            return Self { tolerance: least, change: 0.0 };
        }
        let freedom = match cells.iter().map(|c| c.values.len()).max() {
            Some(seeds @ 2..) => seeds - 1,
            _ => SCATTERED,
        };
        // The median of χ² over its degrees of freedom, by Wilson and Hilferty.
        let usual = (1.0 - 2.0 / (9.0 * freedom as f64)).powi(3);
        let error = (median(variances.clone()) / usual).sqrt();
        let change = one_sided(1 + freedom * variances.len()) * error;
        Self { tolerance: least.max(change + STAYS * error), change }
    }
}

/// A number for a sentence.
fn short(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// Traces by cell, in the order of the first of each.
#[must_use]
pub fn group(traces: &[Trace]) -> Vec<Vec<&Trace>> {
    members(traces).into_iter().map(|own| own.into_iter().map(|i| &traces[i]).collect()).collect()
}

/// The numbers of the traces of each cell, in the order of the first of each.
pub(super) fn members(traces: &[Trace]) -> Vec<Vec<usize>> {
    let key = |t: &Trace| {
        [t.run.lr.to_bits(), t.run.lambda.to_bits(), t.run.momentum.to_bits(), t.run.lambda_schedule as u64]
    };
    let mut cells: Vec<Vec<usize>> = Vec::new();
    // Keys in their own order, and the cell of each.
    let mut known: Vec<([u64; 4], usize)> = Vec::new();
    for (i, trace) in traces.iter().enumerate() {
        let key = key(trace);
        match known.binary_search_by(|(k, _)| k.cmp(&key)) {
            Ok(at) => cells[known[at].1].push(i),
            Err(at) => {
                known.insert(at, (key, cells.len()));
                cells.push(vec![i]);
            }
        }
    }
    cells
}
