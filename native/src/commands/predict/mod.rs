//! `l2lab predict`: the best λ for a budget, from short runs at one large λ.

mod found;
mod from_log;

use std::{fmt::Write, path::PathBuf};

use anyhow::{Result, bail};
use clap::ArgMatches;
use l2lab_core::{
    Experiment,
    experiment::ExperimentError,
    law::{Length, Prediction, RunSummary, predict},
};
use serde::Serialize;

pub use self::from_log::flags;
use super::{Job, Recipe, Start, already_complete};
use crate::{
    output::{self, Summary},
    report::Report,
};

/// Short runs at a large λ; longer in τ than a sweep's, since they cost little.
pub fn base() -> Experiment {
    Experiment { lr: vec![0.1].into(), lambda: vec![0.1].into(), tau: Some(4.0), ..Experiment::default() }
}

fn check(experiment: &Experiment) -> Result<()> {
    for (name, count) in [("lr", experiment.lr.len()), ("lambda", experiment.lambda.len())] {
        if count != 1 {
            let text = format!("{name}: 'predict' takes one, {count} were given");
            return Err(ExperimentError::Conflict(text).into());
        }
    }
    if experiment.lambda[0] == 0.0 {
        return Err(ExperimentError::Conflict("lambda: '0' has no t_*; give a value above 0".into()).into());
    }
    if experiment.budget.is_none() {
        let text = "budget: give the training length that λ is wanted for, such as --budget 20000 or --budget 200ep";
        return Err(ExperimentError::Conflict(text.into()).into());
    }
    Ok(())
}

#[derive(Serialize)]
struct Answer<'a> {
    lambda: f64,
    lr: f64,
    momentum: f64,
    budget_steps: u64,
    #[serde(flatten)]
    prediction: &'a Prediction,
    censored: usize,
    diverged: usize,
    runs: &'a [RunSummary],
}

/// Runs the command.
///
/// # Errors
/// Whatever is wrong with the input, or happens on the way; and when no run reached its peak.
pub fn run(matches: &ArgMatches) -> Result<String> {
    if let Some(logs) = matches.get_many::<PathBuf>("log") {
        return from_log::run(matches, &logs.cloned().collect::<Vec<_>>());
    }
    let job = match Job::start(matches, Recipe::of_grid("predict", base(), &check))? {
        Start::Job(job) => job,
        Start::Complete { dir, summary } => return already_complete(&dir, summary, matches.get_flag("json")),
    };
    let e = &job.experiment;
    let (lr, lambda) = (e.lr[0], e.lambda[0]);
    let budget = e.length_in_steps(e.budget.unwrap_or(Length::Steps(1.0)), lr, lambda, job.train_examples())?;
    let traces = job.explain("predict", job.executor().train("short runs", &job.runs))?;
    let findings = job.findings(&traces)?;
    let runs = &findings.runs;
    let short: Vec<(f64, f64)> =
        runs.iter().filter_map(|r| r.sample(e.estimator)).map(|s| (s.t_star, s.tau_star)).collect();
    let diverged = runs.iter().filter(|r| r.diverged).count();
    let censored = runs.len() - short.len() - diverged;
    let total_lr = e.total_lr(lr, budget);
    let Some(prediction) = predict(&short, total_lr) else {
        bail!(
            "no t_*: of {} runs {diverged} diverged (a smaller --lr helps) and {censored} had not reached their peak (a larger --tau or --lambda helps)",
            runs.len()
        );
    };
    let summary = Summary::new("predict", &job, &findings);
    let answer = Answer {
        lambda,
        lr,
        momentum: e.momentum,
        budget_steps: budget,
        prediction: &prediction,
        censored,
        diverged,
        runs: &summary.runs,
    };
    output::write(&job, &summary, &[&traces], &Report::new(&summary, &traces)?)?;
    if job.options.json {
        return Ok(serde_json::to_string(&answer)? + "\n");
    }
    let mut text = String::new();
    let p = &prediction;
    let interval =
        p.lambda_pred_ci.map_or_else(String::new, |[low, high]| format!("  (95 %: {low:.3e} to {high:.3e})"));
    let _ = writeln!(text, "t_*     {:>12.0} steps at λ = {lambda}, η = {lr}, β = {}", p.t_star, e.momentum);
    let _ = writeln!(text, "c′ = τ_* {:>11.3}", p.c_prime);
    let _ = writeln!(text, "λ_pred  {:>12.3e} for a budget of {budget} steps{interval}", p.lambda_pred);
    let _ = writeln!(
        text,
        "from {} short run(s) of {} steps; {censored} censored, {diverged} diverged",
        p.n, job.runs[0].steps
    );
    Ok(text + &output::place(&job))
}
