//! A recording: an experiment, its traces and what was found in them. A page's figures draw nothing else, whether it was
//! read from a file or is growing at this moment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Experiment,
    experiment::ExperimentError,
    law::{Cell, Fit, Forecast, Outcome, Regret, RunSummary, cells, fits},
    model::Model,
    train::Trace,
};

/// The version of the format.
pub const RECORDING_VERSION: u32 = 1;

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
    /// The fits by all estimators, by name; those that have too few uncensored runs are absent.
    pub fits: BTreeMap<String, Fit>,
    /// λ_pred for a budget, if the grid allows one.
    pub forecast: Option<Forecast>,
    /// The grid's runs within the forecast's budget.
    pub outcomes: Vec<Outcome>,
    /// What following the forecast costs, if that was tried.
    pub regret: Option<Regret>,
}

impl Findings {
    /// Of the traces of a grid over `examples` training examples, and of runs at its forecast's λ. Runs that have not ended
    /// have a summary of what they did so far, and enter nothing else.
    ///
    /// # Errors
    /// When the experiment's budget is not a possible number of steps.
    pub fn new(
        experiment: &Experiment,
        examples: usize,
        traces: &[Trace],
        verification: &[Trace],
    ) -> Result<Self, ExperimentError> {
        let runs: Vec<RunSummary> = traces.iter().map(|t| RunSummary::new(t, experiment.estimator)).collect();
        let ended: Vec<RunSummary> =
            runs.iter().zip(traces).filter(|(_, t)| t.end.is_some()).map(|(r, _)| r.clone()).collect();
        let forecast = Forecast::new(experiment, &ended, examples)?;
        let finished: Vec<Trace> = traces.iter().filter(|t| t.end.is_some()).cloned().collect();
        Ok(Self {
            cells: cells(&ended, experiment.estimator),
            fits: fits(&ended),
            outcomes: forecast.as_ref().map_or_else(Vec::new, |f| f.outcomes(experiment, &finished)),
            regret: forecast.as_ref().and_then(|f| f.regret(experiment, &finished, verification)),
            forecast,
            runs,
        })
    }
}
