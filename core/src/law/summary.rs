//! A grid's traces in numbers: one row for each run, one for each cell of the grid, and the fits.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Estimator, Fit, Peak, Sample, best_accuracy, fit, late_decay, median, peak};
use crate::train::{End, LambdaScheduleKind, Trace};

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
    /// t_* in steps by the experiment's estimator.
    pub t_star: Option<u64>,
    /// t_* in regularization time.
    pub tau_star: Option<f64>,
    /// The early-stopping performance.
    pub max_test_accuracy: Option<f64>,
    /// Test accuracy at the end.
    pub final_test_accuracy: Option<f64>,
    /// Fall of the smoothed test accuracy from its maximum to the end.
    pub late_decay: Option<f64>,
    /// Largest training accuracy: 1 if the network is overparameterized for its data.
    pub max_train_accuracy: Option<f64>,
    /// The peak fell on the end of the run: it was too short to tell, and t_* enters no fit.
    pub censored: bool,
    /// The run ended because its numbers did; it enters no fit.
    pub diverged: bool,
    /// Why, if it diverged.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// t_* by every estimator.
    pub estimates: BTreeMap<String, Peak>,
}

impl RunSummary {
    /// Of one run; `estimator` decides which t_* is the run's own.
    #[must_use]
    pub fn new(trace: &Trace, estimator: Estimator) -> Self {
        let points = &trace.points;
        let own = peak(points, estimator);
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
            t_star: own.map(|p| p.step),
            tau_star: own.map(|p| p.tau),
            max_test_accuracy: best_accuracy(points),
            final_test_accuracy: points.last().map(|m| m.test_accuracy),
            late_decay: late_decay(points),
            max_train_accuracy: points.iter().map(|m| m.train_accuracy).max_by(f64::total_cmp),
            censored: own.is_none_or(|p| p.censored),
            diverged: reason.is_some(),
            reason,
            estimates: Estimator::ALL
                .into_iter()
                .filter_map(|e| Some((e.name().to_owned(), peak(points, e)?)))
                .collect(),
        }
    }

    /// What this run adds to a fit by `estimator`, unless it diverged, its peak is censored or its λ is not constant.
    #[must_use]
    pub fn sample(&self, estimator: Estimator) -> Option<Sample> {
        if self.lambda_schedule != LambdaScheduleKind::Constant {
            return None;
        }
        let peak = self.estimates.get(estimator.name()).filter(|p| !p.censored && !self.diverged)?;
        Some(Sample {
            lambda: self.lambda,
            lr: self.lr,
            momentum: self.momentum,
            seed: self.seed,
            t_star: peak.step as f64,
            tau_star: peak.tau,
        })
    }
}

/// The fit by every estimator, by name; those that have too few uncensored runs are absent.
#[must_use]
pub fn fits(runs: &[RunSummary]) -> BTreeMap<String, Fit> {
    let of = |e: Estimator| fit(&runs.iter().filter_map(|r| r.sample(e)).collect::<Vec<_>>());
    Estimator::ALL.into_iter().filter_map(|e| Some((e.name().to_owned(), of(e)?))).collect()
}

/// The runs of one η, λ and schedule of λ together: means over seeds, medians of times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Cell {
    /// Learning rate η.
    pub lr: f64,
    /// L2 coefficient λ.
    pub lambda: f64,
    /// How it changes within a run.
    pub lambda_schedule: LambdaScheduleKind,
    /// Runs.
    pub runs: usize,
    /// Runs whose peak is censored.
    pub censored: usize,
    /// Runs that diverged.
    pub diverged: usize,
    /// Median t_* in steps of the others.
    pub t_star: Option<f64>,
    /// Median τ_* of the others.
    pub tau_star: Option<f64>,
    /// Mean early-stopping performance of the runs that did not diverge.
    pub max_test_accuracy: Option<f64>,
    /// Mean final test accuracy of them.
    pub final_test_accuracy: Option<f64>,
    /// Mean of their late decay.
    pub late_decay: Option<f64>,
    /// Mean of their largest training accuracy.
    pub max_train_accuracy: Option<f64>,
}

/// The grid's cells, in the order of its runs.
#[must_use]
pub fn cells(runs: &[RunSummary], estimator: Estimator) -> Vec<Cell> {
    let mut groups: Vec<Vec<&RunSummary>> = Vec::new();
    for run in runs {
        let same =
            |r: &RunSummary| r.lr == run.lr && r.lambda == run.lambda && r.lambda_schedule == run.lambda_schedule;
        match groups.iter_mut().find(|g| same(g[0])) {
            Some(group) => group.push(run),
            None => groups.push(vec![run]),
        }
    }
    let cell = |group: &Vec<&RunSummary>| {
        let samples: Vec<Sample> = group.iter().filter_map(|r| r.sample(estimator)).collect();
        let middle =
            |f: &dyn Fn(&Sample) -> f64| (!samples.is_empty()).then(|| median(samples.iter().map(f).collect()));
        let mean = |f: &dyn Fn(&RunSummary) -> Option<f64>| {
            let values: Vec<f64> = group.iter().filter(|r| !r.diverged).filter_map(|r| f(r)).collect();
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        let diverged = group.iter().filter(|r| r.diverged).count();
        Cell {
            lr: group[0].lr,
            lambda: group[0].lambda,
            lambda_schedule: group[0].lambda_schedule,
            runs: group.len(),
            censored: group.iter().filter(|r| r.censored && !r.diverged).count(),
            diverged,
            t_star: middle(&|s| s.t_star),
            tau_star: middle(&|s| s.tau_star),
            max_test_accuracy: mean(&|r| r.max_test_accuracy),
            final_test_accuracy: mean(&|r| r.final_test_accuracy),
            late_decay: mean(&|r| r.late_decay),
            max_train_accuracy: mean(&|r| r.max_train_accuracy),
        }
    };
    groups.iter().map(cell).collect()
}
