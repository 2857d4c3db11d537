//! `l2lab predict`: the best λ for a budget, from short runs at one large λ.

mod found;
mod from_log;

use std::{fmt::Write, path::PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Arg, ArgAction, ArgMatches, Command};
use l2lab_core::{
    Experiment,
    experiment::ExperimentError,
    law::{Grid, Outcome, Prediction, Regret, RunSummary, Score, mean_by_lambda, predict, regret},
    run::{LambdaScheduleKind, Length, RunSpec, Trace},
};
use serde::Serialize;

use super::{CHANGED, Job, Recipe, sweep};
use crate::{
    cli,
    output::{self, Summary, with_interval},
    report::Report,
    store::Store,
};

/// Short runs at a large λ; longer in τ than a sweep's, since they cost little.
pub fn base(names_model: bool) -> Experiment {
    let of = sweep::base(names_model);
    if names_model {
        return Experiment { lr: vec![0.1].into(), lambda: vec![0.1, 0.03, 0.01].into(), tau: Some(4.0), ..of };
    }
    Experiment { lr: vec![0.05].into(), lambda: vec![0.2, 0.1, 0.05].into(), ..of }
}

/// What λ_pred is multiplied by for the grid around it.
const AROUND: [f64; 4] = [0.1, 0.316_227_766_016_837_94, 3.162_277_660_168_379_5, 10.0];
const VERIFY: &str = "--verify";

/// The command's own flags.
pub fn flags(command: Command) -> Command {
    let verify = Arg::new("verify")
        .long("verify")
        .action(ArgAction::SetTrue)
        .conflicts_with("log")
        .help("Train at λ_pred and at a grid of λ around it over the whole budget, and print the regret");
    from_log::flags(
        command
            .mut_arg("lambda", |a| {
                a.help(
                    "The λ₀ of the short runs, or several: the largest whose curves show a t_* is taken, and no smaller one is \
                     trained [default: 0.2,0.1,0.05]",
                )
            })
            .arg(verify),
    )
}

fn check(experiment: &Experiment) -> Result<()> {
    let conflict = |text: &str| Err(ExperimentError::Conflict(text.into()).into());
    if experiment.lr.len() != 1 {
        let text = format!("lr: 'predict' takes one, {} were given", experiment.lr.len());
        return conflict(&text);
    }
    if experiment.lambda.contains(&0.0) {
        return conflict("lambda: '0' has no t_*; give a value above 0");
    }
    if experiment.lambda_schedule != LambdaScheduleKind::Constant || !experiment.compare.0.is_empty() {
        return conflict("lambda-schedule: t_* is that of a constant λ; leave lambda-schedule and compare alone");
    }
    if experiment.budget.is_none() {
        return conflict(
            "budget: give the training length that λ is wanted for, such as --budget 20000 or --budget 200ep",
        );
    }
    Ok(())
}

#[derive(Serialize)]
struct Answer<'a> {
    /// λ₀.
    lambda: f64,
    lr: f64,
    momentum: f64,
    budget_steps: u64,
    #[serde(flatten)]
    prediction: &'a Prediction,
    /// What the short runs show.
    outcome: Outcome,
    /// With `--verify`: λ_pred against the grid around it.
    verification: Option<&'a Verification>,
    runs: &'a [RunSummary],
}

/// What training over the whole budget says of λ_pred.
#[derive(Serialize)]
struct Verification {
    #[serde(flatten)]
    regret: Regret,
    /// Mean accuracy within the budget of the grid's λ and λ_pred.
    accuracies: Vec<(f64, f64)>,
}

/// Short runs at one λ₀.
pub struct Short {
    /// λ₀.
    pub lambda: f64,
    /// Every run.
    pub traces: Vec<Trace>,
    /// What they show.
    outcome: Outcome,
    /// Why, in words.
    why: String,
}

impl Short {
    fn new(e: &Experiment, lambda: f64, traces: Vec<Trace>) -> Self {
        let found = Grid::new(&traces, e.estimator).outcomes.pop();
        let (outcome, why) = found.unwrap_or((Outcome::Flat, "there is no run".into()));
        Self { lambda, traces, outcome, why }
    }

    /// The λ for a budget over whose steps η_eff sums to `total_lr`; `None` where the runs give no t_*.
    pub fn predict(&self, e: &Experiment, total_lr: f64) -> Option<Prediction> {
        predict(&Grid::new(&self.traces, e.estimator), 0, total_lr)
    }

    /// Whether the estimator can time these runs.
    pub fn suffices(&self, e: &Experiment) -> bool {
        e.estimator.times(self.outcome)
    }

    /// What the runs show, and what helps where that is no t_*.
    pub fn said(&self) -> String {
        let advice = match self.outcome {
            Outcome::Diverged => " (a smaller --lr helps)",
            Outcome::Flat => " (a smaller --lambda, or more test images, may show a rise)",
            Outcome::Censored => " (a larger --tau or --lambda helps)",
            Outcome::Plateau => " (--estimator arrival times a plateau)",
            Outcome::Peak => "",
        };
        format!("at λ₀ = {} the curves are {}: {}{advice}", self.lambda, self.outcome.name(), self.why)
    }
}

/// Runs the command.
///
/// # Errors
/// Whatever is wrong with the input, or happens on the way; and when no run reached its peak.
pub fn run(matches: &ArgMatches) -> Result<String> {
    if let Some(logs) = matches.get_many::<PathBuf>("log") {
        return from_log::run(matches, &logs.cloned().collect::<Vec<_>>());
    }
    let verify = verify(matches)?;
    let flags = if verify { VERIFY.to_owned() } else { String::new() };
    let job =
        Job::start(matches, Recipe { flags, ..Recipe::of_grid("predict", base(cli::names_model(matches)), &check) })?;
    let e = &job.experiment;
    let lr = e.lr[0];
    let short = job.explain("predict", short_runs(&job, e))?;
    if !short.suffices(e) {
        bail!("no t_*: {}", short.said());
    }
    let lambda = short.lambda;
    let budget = e.length_in_steps(e.budget.unwrap_or(Length::Steps(1.0)), lr, lambda, job.train_examples())?;
    let prediction = short.predict(e, e.total_lr(lr, budget)).context("a budget has a step")?;
    let (verification, trained) = if verify { verified(&job, &prediction, budget)? } else { (None, Vec::new()) };
    let summary = Summary::new("predict", &job, &job.findings(&short.traces)?);
    let answer = Answer {
        lambda,
        lr,
        momentum: e.momentum,
        budget_steps: budget,
        prediction: &prediction,
        outcome: short.outcome,
        verification: verification.as_ref(),
        runs: &summary.runs,
    };
    let report = Report::new(&summary, &short.traces)?;
    output::write(&job, &summary, &[&short.traces, &trained], &report)?;
    if job.options.json {
        return Ok(serde_json::to_string(&answer)? + "\n");
    }
    Ok(text(e, &answer, short.traces[0].run.steps) + &output::place(&job))
}

/// Whether λ_pred is put to the test: what the flag says, or the directory to be resumed was made with.
fn verify(matches: &ArgMatches) -> Result<bool> {
    let told = matches.get_flag("verify");
    let Some(dir) = cli::resumed(matches) else { return Ok(told) };
    let held = Store::flags(&dir)?.is_some_and(|flags| flags == VERIFY);
    if told && !held {
        bail!(CHANGED);
    }
    Ok(held)
}

/// Short runs at the largest λ₀ of an experiment that its estimator can time; or else at the smallest.
pub fn short_runs(job: &Job, e: &Experiment) -> Result<Short> {
    let runs = e.runs(job.train_examples())?;
    let mut lambdas = e.lambda.to_vec();
    lambdas.sort_by(|a, b| b.total_cmp(a));
    let mut last: Option<Short> = None;
    for lambda in lambdas {
        if let Some(short) = &last {
            eprintln!("{}; going on to λ₀ = {lambda}", short.said());
        }
        let own: Vec<RunSpec> = runs.iter().filter(|r| r.lambda == lambda).cloned().collect();
        let short = Short::new(e, lambda, job.executor_of(e)?.train(&format!("short runs at {lambda}"), &own)?);
        if short.suffices(e) {
            return Ok(short);
        }
        last = Some(short);
    }
    last.context("an experiment has a λ")
}

/// Runs at λ_pred and around it over the whole budget.
fn verified(job: &Job, prediction: &Prediction, budget: u64) -> Result<(Option<Verification>, Vec<Trace>)> {
    let e = &job.experiment;
    let at = |factor: f64| e.cell(e.lr[0], prediction.lambda_pred * factor, budget);
    let runs: Vec<RunSpec> = [1.0].into_iter().chain(AROUND).flat_map(at).collect();
    let traces = job.explain("predict", job.executor().train("verify", &runs))?;
    let scores = |traces: &[Trace]| Score::within(traces, budget as f64);
    let (at_pred, around) = traces.split_at(e.seeds);
    let accuracies = mean_by_lambda(&scores(&traces));
    let regret = regret(&scores(around), &scores(at_pred));
    Ok((regret.map(|regret| Verification { regret, accuracies }), traces))
}

fn text(e: &Experiment, answer: &Answer<'_>, steps: u64) -> String {
    let mut text = String::new();
    let Answer { lambda, lr, prediction: p, budget_steps, .. } = answer;
    let interval =
        p.lambda_pred_ci.map_or_else(String::new, |[low, high]| format!("  (95 %: {low:.3e} to {high:.3e})"));
    let _ = writeln!(text, "t_*     {:>12.0} steps at λ = {lambda}, η = {lr}, β = {}", p.t_star, e.momentum);
    let _ = writeln!(text, "c′ = τ_* {:>11.3}", p.c_prime);
    let _ = writeln!(text, "λ_pred  {:>12.3e} for a budget of {budget_steps} steps{interval}", p.lambda_pred);
    let _ = writeln!(text, "from {} short run(s) of {steps} steps, which show a {}", p.n, answer.outcome.name());
    if let Some(Verification { regret: r, accuracies }) = answer.verification {
        let _ = writeln!(text, "\nverified over {budget_steps} steps (n = {} seeds), best accuracy by λ:", r.seeds);
        for (lambda, accuracy) in accuracies {
            let mark = if *lambda == p.lambda_pred { "  λ_pred" } else { "" };
            let _ = writeln!(text, "{lambda:>12.3e} {accuracy:>9.4}{mark}");
        }
        let _ = writeln!(
            text,
            "regret  {} against the λ of these that is best for the other seeds (negative: λ_pred is better)",
            with_interval(r.regret, r.regret_ci, 4)
        );
    }
    text
}
