//! A recording: an experiment, its traces and what was found in them. A page's figures draw nothing else, whether it was
//! read from a file or is growing at this moment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Experiment,
    experiment::ExperimentError,
    forecast::Forecast,
    law::{Analysis, Cell, Collapse, Fit, Regret, RunSummary, Score},
    model::Model,
    run::Trace,
};

/// The version of the format.
pub const RECORDING_VERSION: u32 = 2;

/// What a figure shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Recording {
    /// [`RECORDING_VERSION`] of the program that made it.
    pub version: u32,
    /// The command that makes it again; absent in a page's own runs.
    pub command: Option<String>,
    /// The device it ran on.
    pub device: String,
    /// What was asked for.
    pub experiment: Experiment,
    /// What learned.
    pub model: ModelSummary,
    /// The grid's runs.
    pub traces: Vec<Trace>,
    /// Runs at the forecast's λ.
    pub verification: Vec<Trace>,
    /// What was found.
    pub findings: Findings,
}

/// A network, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ModelSummary {
    /// Trained values of one run.
    pub parameters: usize,
    /// The homogeneity degree k, if there is one.
    pub homogeneity: Option<usize>,
}

impl From<&Model> for ModelSummary {
    fn from(model: &Model) -> Self {
        Self { parameters: model.parameter_count(), homogeneity: model.homogeneity() }
    }
}

/// What a grid's traces say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Findings {
    /// One for each run of the grid.
    pub runs: Vec<RunSummary>,
    /// One for each η and λ.
    pub cells: Vec<Cell>,
    /// The fits by all estimators, by name.
    pub fits: BTreeMap<String, Fit>,
    /// Why an estimator has no fit, in words, by name.
    pub refusals: BTreeMap<String, String>,
    /// How well whole curves lie on one another.
    pub collapse: Option<Collapse>,
    /// How far below its maximum a curve counts as having arrived there.
    pub tolerance: f64,
    /// λ_pred for a budget, if the grid allows one.
    pub forecast: Option<Forecast>,
    /// The grid's runs within the forecast's budget.
    pub scores: Vec<Score>,
    /// What following the forecast costs, if that was tried.
    pub regret: Option<Regret>,
}

impl Findings {
    /// Of the traces of a grid over `examples` training examples. Runs that have not ended have a summary of what
    /// they did so far, and enter nothing else.
    ///
    /// # Errors
    /// When the experiment's budget is not a possible number of steps.
    pub fn new(experiment: &Experiment, examples: usize, traces: &[Trace]) -> Result<Self, ExperimentError> {
        let ended: Vec<Trace> = traces.iter().filter(|t| t.end.is_some()).cloned().collect();
        let (analysis, grid) = Analysis::with_grid(&ended, experiment.estimator);
        let Analysis { runs, cells, fits, refusals, collapse, tolerance } = analysis;
        let mut of_ended = runs.into_iter();
        let runs = traces.iter().map(|t| match t.end {
            Some(_) => of_ended.next().unwrap_or_else(|| RunSummary::new(t)),
            None => RunSummary::new(t),
        });
        let runs = runs.collect();
        let forecast = Forecast::new(experiment, &grid, examples)?;
        let scores = forecast.as_ref().map_or_else(Vec::new, |f| f.scores(experiment, &ended));
        Ok(Self { runs, cells, fits, refusals, collapse, tolerance, forecast, scores, regret: None })
    }

    /// With what following the forecast costs, by runs at its λ.
    #[must_use]
    pub fn tested(mut self, verification: &[Trace]) -> Self {
        self.regret = self.forecast.as_ref().and_then(|f| f.regret(&self.scores, verification));
        self
    }
}

/// What the theory's figure shows: infinitely wide networks, and trained ones beside them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct TheoryRecording {
    /// [`RECORDING_VERSION`] of the program that made it.
    pub version: u32,
    /// The command that makes it again.
    pub command: String,
    /// What was asked for.
    pub experiment: Experiment,
    /// The homogeneity degree.
    pub k: usize,
    /// The kernel's eigenvalues over the number of training examples, the largest first.
    pub gammas: Vec<f64>,
    /// The theory, for each λ.
    pub lambdas: Vec<TheoryCurves>,
    /// Trained networks.
    pub networks: Vec<TrainedNetwork>,
    /// The kernels of trained networks.
    pub kernels: Vec<MeasuredKernel>,
}

/// The theory at one λ, from f(0) = 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct TheoryCurves {
    /// L2 coefficient λ.
    pub lambda: f64,
    /// Time of the least test loss, η·steps, if there is one.
    pub t_star: Option<f64>,
    /// Times of gradient flow, η·steps.
    pub times: Vec<f64>,
    /// Mean ½‖f − y‖² over the training set, at each time.
    pub train_loss: Vec<f64>,
    /// The same over the test set.
    pub test_loss: Vec<f64>,
    /// How much of some modes is learned.
    pub modes: Vec<LearnedMode>,
}

/// A mode over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct LearnedMode {
    /// Which, counted from 0.
    pub index: usize,
    /// f/y at each time.
    pub learned: Vec<f64>,
}

/// A network of finite width, trained in small steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct TrainedNetwork {
    /// L2 coefficient λ.
    pub lambda: f64,
    /// Units in each hidden layer.
    pub width: usize,
    /// Seed.
    pub seed: u64,
    /// Times, η·steps.
    pub times: Vec<f64>,
    /// Mean ½‖f − y‖² over the test set, at each time.
    pub test_loss: Vec<f64>,
    /// What the theory says of it, from the outputs that the network starts with.
    pub expected: Vec<f64>,
}

/// The kernel of a trained network at one time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct MeasuredKernel {
    /// L2 coefficient λ.
    pub lambda: f64,
    /// Units in each hidden layer.
    pub width: usize,
    /// Regularization time λ·t.
    pub tau: f64,
    /// Θ_t over Θ_0, along Θ_0.
    pub scale: f64,
}
