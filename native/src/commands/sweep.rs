//! `l2lab sweep`: a grid of λ × η × seeds, the law that its t_* follow, and a prediction put to the test.

use anyhow::Result;
use clap::ArgMatches;
use l2lab_core::{
    Experiment,
    experiment::ExperimentError,
    law::{Length, Outcome, RunSummary, accuracy_within, predict, regret},
    train::{LrSchedule, RunSpec, Trace},
};

use super::{Job, Recipe, Start, already_complete};
use crate::{
    output::{self, Summary, SweepPrediction},
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
    let job = match Job::start(matches, recipe)? {
        Start::Job(job) => job,
        Start::Complete { dir, summary } => return already_complete(&dir, summary, matches.get_flag("json")),
    };
    let traces = job.explain("sweep", job.executor().train("grid", &job.runs))?;
    let runs = job.summaries(&traces);
    let (prediction, verification) = job.explain("sweep", verify(&job, &traces, &runs))?;
    let summary = Summary::new("sweep", &job, runs, prediction);
    output::write(&job, &summary, &[&traces, &verification], &Report::new(&summary, &traces)?)?;
    if job.options.json {
        return summary.json();
    }
    Ok(summary.text() + &output::place(&job))
}

/// Predicts λ for a budget from the grid's shortest runs, trains it, and compares it with the grid.
///
/// Only runs of the largest η take part. The second value holds the traces at λ_pred.
fn verify(job: &Job, traces: &[Trace], runs: &[RunSummary]) -> Result<(Option<SweepPrediction>, Vec<Trace>)> {
    let experiment = &job.experiment;
    let none = Ok((None, Vec::new()));
    let lr = experiment.lr.iter().copied().fold(0.0, f64::max);
    let mut lambdas: Vec<f64> = experiment.lambda.iter().copied().filter(|&l| l > 0.0).collect();
    lambdas.sort_by(|a, b| b.total_cmp(a));
    // λ₀: the largest λ that reached its peak with every seed.
    let short = |lambda: f64| {
        let of_cell = runs.iter().filter(|r| r.lr == lr && r.lambda == lambda);
        of_cell.map(|r| r.sample(experiment.estimator)).collect::<Option<Vec<_>>>()
    };
    let Some((lambda0, short)) = lambdas.iter().find_map(|&l| Some((l, short(l)?))) else { return none };
    if lambdas.len() < 2 {
        return none;
    }
    let budget = job.budget(lr, lambda0, &lambdas)?;
    let total_lr = experiment.total_lr(lr, budget);
    let short: Vec<(f64, f64)> = short.iter().map(|s| (s.t_star, s.tau_star)).collect();
    let Some(prediction) = predict(&short, total_lr).filter(|p| p.lambda_pred > 0.0 && p.lambda_pred.is_finite())
    else {
        return none;
    };

    let seeds = experiment.seed..experiment.seed + experiment.seeds as u64;
    let specs: Vec<RunSpec> = seeds.map(|s| experiment.run(lr, prediction.lambda_pred, s, budget)).collect();
    let verification = job.executor().train("verify", &specs)?;
    // With a schedule, what a longer run has reached by the budget says nothing: its η is another.
    let comparable =
        |t: &&Trace| t.run.lr == lr && (experiment.lr_schedule == LrSchedule::Constant || t.run.steps == budget);
    let outcome = |t: &Trace| {
        let accuracy = accuracy_within(&t.points, budget as f64).filter(|_| !t.diverged())?;
        Some(Outcome { lambda: t.run.lambda, seed: t.run.seed, accuracy })
    };
    let grid: Vec<Outcome> = traces.iter().filter(comparable).filter_map(outcome).collect();
    let predicted: Vec<Outcome> = verification.iter().filter_map(outcome).collect();
    let regret = regret(&grid, &predicted);
    Ok((Some(SweepPrediction { lr, lambda0, budget, prediction, regret }), verification))
}

impl Job {
    /// The budget that λ is predicted for, in steps of runs with this η: the experiment's, or the
    /// length of a run in the middle (geometrically) of the grid's λ, so that λ_pred falls inside it.
    fn budget(&self, lr: f64, lambda0: f64, lambdas: &[f64]) -> Result<u64> {
        let e = &self.experiment;
        let examples = self.train_examples();
        if let Some(budget) = e.budget {
            return Ok(e.length_in_steps(budget, lr, lambda0, examples)?);
        }
        if e.steps.is_some() || e.epochs.is_some() {
            // All runs are of one length: that is the budget.
            return Ok(self.runs[0].steps);
        }
        let middle = (lambdas[0] * lambdas[lambdas.len() - 1]).sqrt();
        let tau = e.tau.unwrap_or(l2lab_core::experiment::DEFAULT_TAU);
        Ok(e.length_in_steps(Length::Tau(tau), lr, middle, examples)?)
    }
}
