//! `l2lab train`: one network, its curve and its t_*.

use std::fmt::Write;

use anyhow::Result;
use clap::ArgMatches;
use l2lab_core::{
    Experiment,
    experiment::ExperimentError,
    law::{Cell, Outcome, RunSummary},
    run::{Measurement, Trace},
};

use super::{Job, Recipe, sweep};
use crate::{
    cli,
    output::{self, Summary},
    report::Report,
};

/// Rows of the curve that are printed.
const ROWS: usize = 20;

/// One run where a sweep has a grid.
pub fn base(names_model: bool) -> Experiment {
    let (lr, lambda) = if names_model { (0.1, 0.01) } else { (0.05, 0.02) };
    Experiment { lr: vec![lr].into(), lambda: vec![lambda].into(), seeds: 1, ..sweep::base(names_model) }
}

fn check(experiment: &Experiment) -> Result<()> {
    for (name, count) in [("lr", experiment.lr.len()), ("lambda", experiment.lambda.len()), ("seeds", experiment.seeds)]
    {
        if count != 1 {
            let text = format!("{name}: 'train' takes one, {count} were given; a grid is for 'l2lab sweep'");
            return Err(ExperimentError::Conflict(text).into());
        }
    }
    Ok(())
}

/// Runs the command.
///
/// # Errors
/// Whatever is wrong with the input, or happens on the way.
pub fn run(matches: &ArgMatches) -> Result<String> {
    let job = Job::start(matches, Recipe::of_grid("train", base(cli::names_model(matches)), &check))?;
    let traces = job.explain("train", job.executor().train("train", &job.runs))?;
    let summary = Summary::new("train", &job, &job.findings(&traces)?);
    output::write(&job, &summary, &[&traces], &Report::new(&summary, &traces)?)?;
    if job.options.json {
        return summary.json();
    }
    Ok(text(&traces[0], &summary.runs[0], &summary.cells[0]) + &output::place(&job))
}

fn text(trace: &Trace, run: &RunSummary, cell: &Cell) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "    step    epoch      tau  train loss  accuracy   test loss  accuracy      |θ|²");
    let every = trace.points.len().div_ceil(ROWS).max(1);
    let last = trace.points.len().saturating_sub(1);
    for (i, m) in trace.points.iter().enumerate() {
        if i % every == 0 || i == last {
            let Measurement { step, epoch, tau, train_loss, train_accuracy, test_loss, test_accuracy, sq_norm, .. } = m;
            let _ = writeln!(
                out,
                "{step:>8} {epoch:>8.1} {tau:>8.4}  {train_loss:>10.4}  {train_accuracy:>8.4}  {test_loss:>10.4}  {test_accuracy:>8.4}  {sq_norm:>8.1}"
            );
        }
    }
    let best = run.max_test_accuracy.map_or_else(String::new, |best| format!("maximum test accuracy {best:.4}; "));
    let said = match (cell.outcome, cell.t_star, cell.tau_star) {
        (Outcome::Diverged, ..) => {
            format!(
                "diverged: {}; try a smaller --lr",
                run.reason.as_deref().unwrap_or("its numbers ceased to be finite")
            )
        }
        (outcome, Some(t), Some(tau)) => format!("{best}{}: t_* = {t:.0} steps, τ_* = {tau:.3}", outcome.name()),
        (outcome, ..) => format!("{best}no t_*, the curve is {}: {}", outcome.name(), cell.why),
    };
    let _ = writeln!(out, "{said}");
    out
}
