//! `l2lab sweep`: a grid of λ × η × seeds, the law that its t_* follow, and a prediction put to the test.

use anyhow::Result;
use clap::ArgMatches;
use l2lab_core::{Experiment, experiment::ExperimentError};

use super::{Job, Recipe};
use crate::{
    output::{self, Summary},
    report::Report,
};

fn check(experiment: &Experiment) -> Result<()> {
    if experiment.lambda.iter().all(|&l| l == 0.0) {
        let text = "lambda: a sweep needs a value above 0; at λ = 0 there is no t_* to measure";
        return Err(ExperimentError::Conflict(text.into()).into());
    }
    Ok(())
}

/// Runs the command.
///
/// # Errors
/// Whatever is wrong with the input, or happens on the way.
pub fn run(matches: &ArgMatches) -> Result<String> {
    let recipe = Recipe { keeps: true, ..Recipe::of_grid("sweep", Experiment::default(), &check) };
    let job = Job::start(matches, recipe)?;
    let traces = job.explain("sweep", job.executor().train("grid", &job.runs))?;
    let findings = job.findings(&traces)?;
    // The forecast is put to the test: runs at its λ.
    let verification = match &findings.forecast {
        Some(forecast) => job.explain("sweep", job.executor().train("verify", &forecast.runs(&job.experiment)))?,
        None => Vec::new(),
    };
    let findings = findings.tested(&verification);
    let summary = Summary::new("sweep", &job, &findings);
    if let Some(store) = &job.store {
        let recording = job.recording("sweep", &traces, &verification, findings);
        store.write("recording.json", &output::recording(&recording)?)?;
    }
    output::write(&job, &summary, &[&traces, &verification], &Report::new(&summary, &traces)?)?;
    if job.options.json {
        return summary.json();
    }
    Ok(summary.text() + &output::place(&job))
}
