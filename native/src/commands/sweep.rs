//! `l2lab sweep`: a grid of λ × η × seeds, the law that its t_* follow, and a prediction put to the test.

use std::sync::Arc;

use anyhow::{Context, Result};
use clap::ArgMatches;
use l2lab_core::{Experiment, experiment::ExperimentError, law::LEAST_LAMBDAS, run::Trace, train::Trainer};

use super::{Job, Recipe};
use crate::{
    cli,
    output::{self, Summary},
    report::Report,
};

/// What is trained without flags; a network that the user names starts as networks of its kind do.
pub fn base(names_model: bool) -> Experiment {
    if names_model { Experiment::default() } else { Experiment::large_start() }
}

fn check(experiment: &Experiment) -> Result<()> {
    if experiment.lambda.iter().all(|&l| l == 0.0) {
        let text = "lambda: a sweep needs a value above 0; at λ = 0 there is no t_* to measure";
        return Err(ExperimentError::Conflict(text.into()).into());
    }
    Ok(())
}

/// The least length of runs in τ at which a maximum is usually seen.
const SHORT_TAU: f64 = 1.0;

/// Why a grid cannot show the law, as far as that is known before it is trained.
fn cannot_identify(e: &Experiment) -> Vec<String> {
    let lambdas = e.lambda.iter().filter(|&&l| l > 0.0).count();
    let mut notes = Vec::new();
    if lambdas < LEAST_LAMBDAS {
        notes.push(format!(
            "lambda: a slope takes {LEAST_LAMBDAS} values or more that can be timed, and there are {lambdas}"
        ));
    }
    if e.seeds < 2 {
        notes.push(
            "seeds: one has no interval, and its noise is known from its own scatter alone; 3 or more decide"
                .to_owned(),
        );
    }
    if let Some(tau) = e.tau.filter(|&tau| tau < SHORT_TAU) {
        notes.push(format!("tau: runs of {tau} end before most networks are at their best, which takes 0.5 to 2"));
    }
    notes
}

/// Which η would not have diverged, by the curvature of the loss at the start.
fn stable_lr(job: &Job) -> Result<String> {
    let run = job.runs.first().context("there is a run")?.clone();
    let (momentum, lambda) = (run.momentum, run.lambda);
    let trainer = Trainer::new(&job.experiment, Arc::clone(job.executor().tasks.any()), vec![run]);
    let curvature = pollster::block_on(trainer.curvature())?;
    if !curvature.is_finite() || curvature <= 0.0 {
        return Ok(String::new());
    }
    let most = 2.0 * (1.0 + momentum) / (curvature + lambda);
    Ok(format!(
        "; the loss's curvature at the start is {curvature:.3e}, so that η is stable there below {most:.1e}: try --lr {:.0e}",
        most / 2.0
    ))
}

/// Runs the command.
///
/// # Errors
/// Whatever is wrong with the input, or happens on the way.
pub fn run(matches: &ArgMatches) -> Result<String> {
    let recipe = Recipe { keeps: true, ..Recipe::of_grid("sweep", base(cli::names_model(matches)), &check) };
    let job = Job::start(matches, recipe)?;
    for note in cannot_identify(&job.experiment) {
        eprintln!("note: {note}");
    }
    let traces = job.explain("sweep", job.executor().train("grid", &job.runs))?;
    let mut findings = job.findings(&traces)?;
    if traces.iter().all(Trace::diverged) {
        let advice = stable_lr(&job)?;
        findings.refusals.values_mut().for_each(|why| *why += &advice);
    }
    // The forecast is put to the test: runs at its λ.
    let verification = match &findings.forecast {
        Some(forecast) => job.explain("sweep", job.executor().train("verify", &forecast.runs(&job.experiment)))?,
        None => Vec::new(),
    };
    let findings = findings.tested(&verification);
    let summary = Summary::new("sweep", &job, &findings);
    if let Some(store) = &job.store {
        let recording = job.recording("sweep", &base, &traces, &verification, findings);
        store.write("recording.json", &output::recording(&recording)?)?;
    }
    output::write(&job, &summary, &[&traces, &verification], &Report::new(&summary, &traces)?)?;
    if job.options.json {
        return summary.json();
    }
    Ok(summary.text() + &output::place(&job))
}
