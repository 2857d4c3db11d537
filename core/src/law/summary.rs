//! A grid's traces in numbers: what each cell shows, one row for each run, and the fits.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Collapse, Estimator, Fit, Mean, Outcome,
    cell::{CellCurves, Tolerance, members},
    collapse::collapse,
    curve::{Curve, highest, time},
    fit::{fit, tau_at},
    mean,
};
use crate::run::{End, LambdaScheduleKind, Trace};

/// t_* of a run or a cell.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Time {
    /// In steps; between two of them, since curves are smoothed.
    pub step: f64,
    /// In regularization time.
    pub tau: f64,
}

/// The cells of a grid, and what one estimator can time in them.
#[derive(Debug, Clone)]
pub struct Grid<'a> {
    /// The cells, in the order of the first run of each.
    pub cells: Vec<CellCurves<'a>>,
    /// The numbers of each cell's traces.
    members: Vec<Vec<usize>>,
    /// What each shows, and why, in words.
    pub outcomes: Vec<(Outcome, String)>,
    /// How far below its maximum a curve counts as having arrived there: the same for all cells.
    pub tolerance: Tolerance,
    /// What t_* is by.
    pub estimator: Estimator,
}

impl<'a> Grid<'a> {
    /// The grid of traces that have ended.
    #[must_use]
    pub fn new(traces: &'a [Trace], estimator: Estimator) -> Self {
        let metric = estimator.metric();
        let members = members(traces);
        let cell = |own: &Vec<usize>| CellCurves::new(own.iter().map(|&i| &traces[i]).collect(), metric, f64::INFINITY);
        let cells: Vec<CellCurves<'a>> = members.iter().map(cell).collect();
        let tolerance = Tolerance::of(&cells, metric);
        let outcomes = cells.iter().map(|cell| cell.outcome(tolerance)).collect();
        Self { cells, members, outcomes, tolerance, estimator }
    }

    /// t_* of a cell in places of log time, by the mean curve of the runs that `draw` names; `None` of no run or no curve.
    #[must_use]
    pub fn place(&self, cell: &CellCurves<'_>, draw: &[usize]) -> Option<f64> {
        (!draw.is_empty() && !cell.is_empty()).then(|| cell.place(self.estimator, self.tolerance.tolerance, draw))
    }

    /// t_* of a cell, if the estimator can time it.
    #[must_use]
    pub fn time(&self, cell: usize) -> Option<Time> {
        let curves = &self.cells[cell];
        let is_timed = self.estimator.times(self.outcomes[cell].0);
        let place = is_timed.then(|| self.place(curves, &curves.everyone())).flatten()?;
        Some(time_of(curves.traces[0], place))
    }

    /// t_* of each run of a cell that the estimator can time, by the run's own curve.
    #[must_use]
    pub fn times_of_runs(&self, cell: usize) -> Vec<Time> {
        let curves = &self.cells[cell];
        if !self.estimator.times(self.outcomes[cell].0) {
            return Vec::new();
        }
        let of =
            |run: usize| time_of(curves.traces[run], curves.place_of(run, self.estimator, self.tolerance.tolerance));
        curves.everyone().into_iter().map(of).collect()
    }
}

fn time_of(trace: &Trace, place: f64) -> Time {
    let step = time(place);
    Time { step, tau: tau_at(trace, step) }
}

/// One run in numbers. Accuracies are from 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RunSummary {
    /// L2 coefficient λ.
    pub lambda: f64,
    /// How it changes within the run.
    pub lambda_schedule: LambdaScheduleKind,
    /// Learning rate η.
    pub lr: f64,
    /// Momentum β.
    pub momentum: f64,
    /// Seed.
    pub seed: u64,
    /// Steps that it was to take.
    pub steps: u64,
    /// t_* in steps by the experiment's estimator, where its cell can be timed.
    pub t_star: Option<f64>,
    /// t_* in regularization time.
    pub tau_star: Option<f64>,
    /// The early-stopping performance: the highest smoothed test accuracy.
    pub max_test_accuracy: Option<f64>,
    /// Smoothed test accuracy at the end.
    pub final_test_accuracy: Option<f64>,
    /// Fall of the smoothed test accuracy from its maximum to the end.
    pub late_decay: Option<f64>,
    /// Largest training accuracy: 1 if the network is overparameterized for its data.
    pub max_train_accuracy: Option<f64>,
    /// The run ended because its numbers did.
    pub diverged: bool,
    /// Why, if it diverged.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// t_* by every estimator that can time the run's cell.
    pub times: BTreeMap<String, Time>,
}

impl RunSummary {
    /// Of one run, without times.
    #[must_use]
    pub fn new(trace: &Trace) -> Self {
        let points = &trace.points;
        let curve = Curve::new(points.iter().map(|m| (m.step as f64, m.test_accuracy))).map(|c| c.values);
        let top = curve.as_ref().map(|c| c[highest(c)]);
        let end = curve.as_ref().and_then(|c| c.last().copied());
        let reason = match &trace.end {
            Some(End::Diverged { step, what }) => Some(format!("{what} was not finite at step {step}")),
            _ => None,
        };
        Self {
            lambda: trace.run.lambda,
            lambda_schedule: trace.run.lambda_schedule,
            lr: trace.run.lr,
            momentum: trace.run.momentum,
            seed: trace.run.seed,
            steps: trace.run.steps,
            t_star: None,
            tau_star: None,
            max_test_accuracy: top,
            final_test_accuracy: end,
            late_decay: top.zip(end).map(|(top, end)| top - end),
            max_train_accuracy: trace.best_train_accuracy(),
            diverged: reason.is_some(),
            reason,
            times: BTreeMap::new(),
        }
    }
}

/// The runs of one η, λ and schedule of λ together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Cell {
    /// Learning rate η.
    pub lr: f64,
    /// L2 coefficient λ.
    pub lambda: f64,
    /// Momentum β.
    pub momentum: f64,
    /// How it changes within a run.
    pub lambda_schedule: LambdaScheduleKind,
    /// Runs.
    pub runs: usize,
    /// Runs that diverged.
    pub diverged: usize,
    /// What the curves show beyond their noise.
    pub outcome: Outcome,
    /// Why, in words.
    pub why: String,
    /// t_* in steps by the experiment's estimator, of the mean curve over seeds; absent where it cannot time the cell.
    pub t_star: Option<f64>,
    /// t_* in regularization time.
    pub tau_star: Option<f64>,
    /// The moment of the highest mean test accuracy, of a peak.
    pub peak: Option<Time>,
    /// Of a censored cell whose curve surely still rises, what t_* is at least, in steps.
    pub at_least: Option<f64>,
    /// Mean over seeds of the early-stopping performance: of each seed at the moment that is best for the others.
    pub max_test_accuracy: Option<f64>,
    /// Its 95 % interval over seeds.
    pub max_test_accuracy_ci: Option<[f64; 2]>,
    /// Mean final test accuracy, smoothed.
    pub final_test_accuracy: Option<f64>,
    /// How far test accuracy falls from that moment to the end, with its interval over seeds.
    pub late_decay: Option<Mean>,
    /// Mean of the largest training accuracy.
    pub max_train_accuracy: Option<f64>,
}

/// What a grid's traces say.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// One for each trace, in their order.
    pub runs: Vec<RunSummary>,
    /// One for each η, λ and schedule.
    pub cells: Vec<Cell>,
    /// The fits by all estimators, by name.
    pub fits: BTreeMap<String, Fit>,
    /// Why an estimator has no fit, by name.
    pub refusals: BTreeMap<String, String>,
    /// How well whole curves lie on one another, if there are two cells that can be timed.
    pub collapse: Option<Collapse>,
    /// How far below its maximum a curve counts as having arrived there.
    pub tolerance: f64,
}

impl Analysis {
    /// Of runs that have ended; `own` is the experiment's estimator.
    #[must_use]
    pub fn new(traces: &[Trace], own: Estimator) -> Self {
        Self::with_grid(traces, own).0
    }

    /// The same, with the grid that it is of.
    #[must_use]
    pub fn with_grid(traces: &[Trace], own: Estimator) -> (Self, Grid<'_>) {
        let mut runs: Vec<RunSummary> = traces.iter().map(RunSummary::new).collect();
        let (mut fits, mut refusals) = (BTreeMap::new(), BTreeMap::new());
        let (accuracy, loss) = (Grid::new(traces, Estimator::Arrival), Grid::new(traces, Estimator::Loss));
        // Both estimators of accuracy see the same curves.
        let grids = [accuracy.clone(), Grid { estimator: Estimator::Peak, ..accuracy }, loss];
        for grid in &grids {
            let name = grid.estimator.name();
            match fit(grid) {
                Ok(fit) => drop(fits.insert(name.to_owned(), fit)),
                Err(why) => drop(refusals.insert(name.to_owned(), why)),
            }
            for (i, members) in grid.members.iter().enumerate() {
                for (&member, time) in members.iter().zip(grid.times_of_runs(i)) {
                    let run = &mut runs[member];
                    run.times.insert(name.to_owned(), time);
                    if grid.estimator == own {
                        (run.t_star, run.tau_star) = (Some(time.step), Some(time.tau));
                    }
                }
            }
        }
        let own_grid = grids.iter().find(|grid| grid.estimator == own).unwrap_or(&grids[0]);
        let cells = (0..own_grid.cells.len()).map(|i| cell(own_grid, &grids[0], &grids[1], i)).collect();
        let [arrival, peak, loss] = grids;
        let chosen = match own {
            Estimator::Arrival => arrival,
            Estimator::Peak => peak,
            Estimator::Loss => loss,
        };
        let tolerance = chosen.tolerance.tolerance;
        (Self { runs, cells, fits, refusals, collapse: collapse(&chosen), tolerance }, chosen)
    }
}

/// One cell, by the experiment's own grid; accuracies are those of `accuracy`, whatever times the cell.
fn cell(own: &Grid<'_>, accuracy: &Grid<'_>, peak: &Grid<'_>, i: usize) -> Cell {
    let (curves, (outcome, why)) = (&own.cells[i], &own.outcomes[i]);
    let run = &curves.traces[0].run;
    let time = own.time(i);
    let at = &accuracy.cells[i];
    let whole = !at.diverged && !at.is_empty();
    let performance = whole.then(|| mean(&at.performance())).flatten();
    let ends: Vec<f64> = at.values.iter().filter_map(|v| v.last().copied()).collect();
    let fitted: Vec<f64> =
        curves.traces.iter().filter(|t| !t.diverged()).filter_map(|t| t.best_train_accuracy()).collect();
    let bound = (*outcome == Outcome::Censored).then(|| curves.bound(own.tolerance, &curves.everyone())).flatten();
    Cell {
        lr: run.lr,
        lambda: run.lambda,
        momentum: run.momentum,
        lambda_schedule: run.lambda_schedule,
        runs: curves.traces.len(),
        diverged: curves.traces.iter().filter(|t| t.diverged()).count(),
        outcome: *outcome,
        why: why.clone(),
        t_star: time.map(|t| t.step),
        tau_star: time.map(|t| t.tau),
        peak: peak.time(i),
        at_least: bound.map(super::curve::time),
        max_test_accuracy: performance.map(|m| m.mean),
        max_test_accuracy_ci: performance.and_then(|m| m.ci),
        final_test_accuracy: mean(&ends).filter(|_| whole).map(|m| m.mean),
        late_decay: mean(&at.declines()).filter(|_| whole),
        max_train_accuracy: mean(&fitted).map(|m| m.mean),
    }
}
