//! The λ that a sweep forecasts for a budget, and how runs at that λ do against the sweep's grid.

use serde::{Deserialize, Serialize};

use crate::{
    Experiment,
    experiment::{DEFAULT_TAU, ExperimentError},
    law::{Grid, Prediction, Regret, Score, predict, regret},
    run::{LambdaScheduleKind, Length, RunSpec, Trace},
};

/// λ_pred for a budget, read off a grid's shortest runs. Only runs of the largest η take part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Forecast {
    /// η of the runs it concerns.
    pub lr: f64,
    /// The large λ whose t_* was read: the largest one that the experiment's estimator can time.
    pub lambda0: f64,
    /// The budget in steps.
    pub budget: u64,
    /// λ_pred and where it comes from.
    #[serde(flatten)]
    pub prediction: Prediction,
}

impl Forecast {
    /// The forecast of a grid's traces that have ended, over `examples` training examples. `None` when no λ that ran with every
    /// seed can be timed, or there is no second λ to compare with.
    ///
    /// # Errors
    /// When the experiment's budget is not a possible number of steps.
    pub fn new(experiment: &Experiment, grid: &Grid<'_>, examples: usize) -> Result<Option<Self>, ExperimentError> {
        let lr = experiment.lr.iter().copied().fold(0.0, f64::max);
        let mut lambdas: Vec<f64> = experiment.lambda.iter().copied().filter(|&l| l > 0.0).collect();
        lambdas.sort_by(|a, b| b.total_cmp(a));
        let cell_of = |lambda: f64| {
            let is_meant = |i: &usize| {
                let curves = &grid.cells[*i];
                curves.setting() == (lr, lambda, LambdaScheduleKind::Constant)
                    && curves.traces.len() == experiment.seeds
            };
            (0..grid.cells.len()).find(is_meant).filter(|&i| grid.time(i).is_some())
        };
        let found = lambdas.iter().find_map(|&l| Some((l, cell_of(l)?)));
        let Some((lambda0, cell)) = found.filter(|_| lambdas.len() > 1) else { return Ok(None) };
        let budget = budget(experiment, lr, lambda0, &lambdas, examples)?;
        let prediction = predict(grid, cell, experiment.total_lr(lr, budget));
        let possible = |p: &Prediction| p.lambda_pred > 0.0 && p.lambda_pred.is_finite();
        Ok(prediction.filter(possible).map(|prediction| Self { lr, lambda0, budget, prediction }))
    }

    /// The runs that put it to the test: λ_pred over the budget, once for each seed.
    #[must_use]
    pub fn runs(&self, experiment: &Experiment) -> Vec<RunSpec> {
        experiment.cell(self.lr, self.prediction.lambda_pred, self.budget)
    }

    /// How well the grid did within the budget: its runs that can be compared with those at λ_pred.
    #[must_use]
    pub fn scores(&self, experiment: &Experiment, ended: &[Trace]) -> Vec<Score> {
        // With a schedule, what a longer run has reached by the budget says nothing: its η is another.
        let comparable = |t: &&Trace| {
            t.run.lr == self.lr
                && t.run.lambda_schedule == LambdaScheduleKind::Constant
                && (experiment.lr_course().is_constant() || t.run.steps == self.budget)
        };
        Score::within(ended.iter().filter(comparable), self.budget as f64)
    }

    /// What following the forecast costs against the grid's `scores`; `None` before its runs are there.
    #[must_use]
    pub fn regret(&self, scores: &[Score], verification: &[Trace]) -> Option<Regret> {
        regret(scores, &Score::within(verification, self.budget as f64))
    }
}

/// The budget that λ is predicted for, in steps of runs with this η: the experiment's, or the length of a run in the
/// middle (geometrically) of the grid's λ, so that λ_pred falls inside it.
fn budget(
    experiment: &Experiment,
    lr: f64,
    lambda0: f64,
    lambdas: &[f64],
    examples: usize,
) -> Result<u64, ExperimentError> {
    let e = experiment;
    let length = match (e.budget, e.steps, e.epochs) {
        (Some(budget), ..) => return e.length_in_steps(budget, lr, lambda0, examples),
        // All runs are of one length: that is the budget.
        (None, Some(steps), _) => return Ok(steps),
        (None, None, Some(epochs)) => Length::Epochs(epochs),
        (None, None, None) => Length::Tau(e.tau.unwrap_or(DEFAULT_TAU)),
    };
    let middle = (lambdas[0] * lambdas[lambdas.len() - 1]).sqrt();
    e.length_in_steps(length, lr, middle, examples)
}
