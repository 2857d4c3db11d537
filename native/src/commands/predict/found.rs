//! What the runs of one log say: which are meant, their settings, and t_* with all that speaks against it.

use std::{fmt, path::Path};

use anyhow::{Context, Result, anyhow, bail};
use l2lab_core::{
    experiment::ExperimentError,
    law::{Clock, Convention, Estimator, Grid, LrSum, Outcome},
    run::{End, LambdaScheduleKind, Measurement, RunSpec, Trace},
};
use serde::Serialize;

use super::from_log::{Ask, Assumptions, amount, conflict};
use crate::logs::{self, Chosen, Columns, Run, Unit};

/// The settings that runs have to share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting {
    /// L2 coefficient λ, in the asked convention.
    pub lambda: f64,
    /// The largest η.
    pub lr: f64,
    /// Momentum β; 0 where decay is decoupled.
    pub momentum: f64,
}

/// What was found in one run. Times are in steps, or in epochs where steps are not known.
pub struct Found {
    /// Its settings.
    pub setting: Setting,
    /// Whether steps are known.
    pub in_steps: bool,
    /// By --batch and --examples, or by the log.
    pub steps_per_epoch: Option<f64>,
    /// What t_* is by.
    pub estimator: Estimator,
    /// t_*, if the curve has one.
    pub t_star: Option<f64>,
    /// τ at t_*; where steps are not known, as if an epoch were one.
    pub tau_star: Option<f64>,
    /// Mean η over the log.
    pub mean_lr: f64,
    /// The run in numbers.
    pub summary: RunSummary,
}

/// One run in numbers.
#[derive(Serialize)]
pub struct RunSummary {
    /// The file or directory.
    pub log: String,
    /// As the log has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<String>,
    /// Measurements that count.
    pub measurements: usize,
    /// In steps; null where they are not known.
    pub t_star: Option<f64>,
    /// In epochs; null where they are not known.
    pub t_star_epochs: Option<f64>,
    /// In regularization time; null where steps are not known.
    pub tau_star: Option<f64>,
    /// From 0 to 1; null by the loss estimator.
    pub max_test_accuracy: Option<f64>,
    /// What the curve shows.
    pub outcome: Outcome,
    /// Why it gives no t_*, if it gives none.
    #[serde(skip)]
    pub tail: String,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "λ = {}, η = {}, β = {}", self.lambda, self.lr, self.momentum)
    }
}

/// What the runs of one log say that are meant.
///
/// # Errors
/// When the log cannot be read, has not what is needed, or says nothing; the message names it.
pub fn read(path: &Path, ask: &Ask, assumed: &mut Assumptions) -> Result<Vec<Found>> {
    let table = logs::read(path)?.one_phase(None)?;
    let name = path.display().to_string();
    let here = || format!("'{name}'");
    let columns = Columns::of(&table, &ask.wanted).with_context(here)?;
    let (estimator, metric, other) = metric(&columns, ask, &table.names(), assumed).with_context(here)?;
    for note in &columns.notes {
        assumed.add(note);
    }
    assumed.add(&metric.note);
    for note in &table.notes {
        assumed.add(format!("'{name}': {note}"));
    }
    let runs = Run::all(&table, &columns, ask.zero_is_initial, &mut assumed.0).with_context(here)?;
    let runs = choose(runs, ask).with_context(here)?;
    let several = runs.len() > 1;
    let found = runs.into_iter().map(|run| {
        let label = match run.seed.as_ref().filter(|_| several) {
            Some(seed) => format!("'{name}', seed {seed}"),
            None => here(),
        };
        let mut found = measure(&run, ask, estimator, metric, other, &label, assumed).with_context(|| label.clone())?;
        found.summary.log.clone_from(&name);
        Ok(found)
    });
    found.collect()
}

/// The estimator, the column that it looks at, and the other one, if any.
fn metric<'a>(
    columns: &'a Columns,
    ask: &Ask,
    names: &str,
    assumed: &mut Assumptions,
) -> Result<(Estimator, &'a Chosen, Option<&'a Chosen>)> {
    let [accuracy, loss] = [columns.accuracy.as_ref(), columns.loss.as_ref()];
    let estimator = match (ask.estimator, accuracy, loss) {
        (Some(estimator), ..) => estimator,
        (None, None, Some(_)) => {
            assumed.add("t_* is by the loss estimator, the minimum of the test loss, since there is no accuracy");
            Estimator::Loss
        }
        // A log is of one run: the moment of its peak is what it can show beyond doubt.
        (None, ..) => Estimator::Peak,
    };
    let (what, flag, metric, other) = match estimator {
        Estimator::Loss => ("loss", "--loss-column", loss, accuracy),
        _ => ("accuracy", "--accuracy-column", accuracy, loss),
    };
    let missing = || anyhow!("no column has a name known for test {what}; {flag} chooses one of: {names}");
    if estimator == Estimator::Loss && ask.clock.convention == Convention::Keras {
        assumed.add("the test loss is without the L2 term, which Keras adds to the losses that it logs by itself");
    }
    Ok((estimator, metric.with_context(missing)?, other))
}

/// Two ways of writing the same number.
fn same(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6 * a.abs().max(b.abs())
}

/// The largest η of a run, if it was logged.
fn base_lr(run: &Run) -> Option<f64> {
    run.lr.iter().map(|(_, lr)| *lr).max_by(f64::total_cmp)
}

fn varies(run: &Run) -> bool {
    run.lr.iter().any(|(_, lr)| !same(*lr, run.lr[0].1))
}

/// What a log says of one setting of a run.
type Of = fn(&Run) -> Option<f64>;

/// The runs of a table that the flags mean: of one setting, and several only if they differ by seed alone.
fn choose<'a>(runs: Vec<Run<'a>>, ask: &Ask) -> Result<Vec<Run<'a>>> {
    let alone = runs.len() == 1;
    let mut runs = runs;
    let settings: [(&'static str, Option<f64>, Of); 3] =
        [("lambda", ask.lambda, |r| r.lambda), ("lr", ask.lr, base_lr), ("momentum", ask.momentum, |r| r.momentum)];
    let list = |runs: &[Run], of: Of| {
        let mut values: Vec<f64> = runs.iter().filter_map(of).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        values.iter().map(f64::to_string).collect::<Vec<_>>().join(", ")
    };
    for (field, asked, of) in settings {
        let Some(asked) = asked else { continue };
        let there = list(&runs, of);
        // A schedule may begin below its η, or above: what the log says is used then, and said.
        runs.retain(|run| of(run).is_none_or(|value| same(value, asked)) || (field == "lr" && alone && varies(run)));
        if runs.is_empty() {
            let allowed = format!("the log has runs with {field} {there}");
            return Err(ExperimentError::Value { field, value: asked.to_string(), allowed }.into());
        }
    }
    if let Some(seed) = ask.seed {
        let seeds: Vec<String> = runs.iter().filter_map(|r| r.seed.clone()).collect();
        let allowed = match seeds.as_slice() {
            [] => "the log has no column 'seed'".to_owned(),
            _ => format!("the log has runs with seed {}", seeds.join(", ")),
        };
        runs.retain(|run| run.seed.as_ref().is_some_and(|s| s.parse() == Ok(seed)));
        if runs.is_empty() {
            return Err(ExperimentError::Value { field: "seed", value: seed.to_string(), allowed }.into());
        }
    }
    let differing: Vec<String> = settings
        .iter()
        .filter_map(|(field, _, of)| {
            let values = list(&runs, *of);
            values.contains(", ").then(|| format!("--{field} ({values})"))
        })
        .collect();
    if !differing.is_empty() {
        return Err(conflict(format!(
            "the log has {} runs of several settings: choose by {}",
            runs.len(),
            differing.join(" and ")
        )));
    }
    Ok(runs)
}

/// The settings of a run, from the flags and the log.
fn setting(run: &Run, ask: &Ask, assumed: &mut Assumptions) -> Result<Setting> {
    let needed =
        |field: &str, what: &str| conflict(format!("{field}: give the run's {what}, --{field}; the log has none"));
    let lambda = ask.lambda.or(run.lambda).ok_or_else(|| needed("lambda", "L2 coefficient λ"))?;
    if lambda <= 0.0 {
        return Err(conflict(format!("lambda: '{lambda}' has no t_*; a run with a value above 0 has")));
    }
    if ask.lambda.is_none() {
        assumed.add(format!("λ = {lambda} is the log's"));
    }
    let lr = match (base_lr(run), ask.lr) {
        (Some(lr), _) if varies(run) => {
            let flag = ask.lr.map_or_else(String::new, |lr| format!(", in place of --lr {lr}"));
            assumed.add(format!(
                "η varies in the log, up to {lr}: τ is the sum over its steps, each row's η holding to the next{flag}; the \
                 budget has the same schedule, stretched"
            ));
            lr
        }
        (Some(lr), given) => {
            let whose = if given.is_some() { "" } else { ", the log's," };
            assumed.add(format!("η = {lr}{whose} throughout the log and the budget"));
            lr
        }
        (None, Some(lr)) => {
            assumed.add(format!("η = {lr} throughout the log, which has none, and the budget"));
            lr
        }
        (None, None) => return Err(needed("lr", "learning rate η")),
    };
    if lr <= 0.0 {
        bail!("the learning rate is {lr} throughout; it has to be above 0");
    }
    let momentum = match (ask.momentum, run.momentum) {
        _ if !ask.clock.convention.is_coupled() => {
            if ask.momentum.is_some_and(|m| m > 0.0) {
                assumed.add("--momentum does not enter: decoupled decay has none");
            }
            0.0
        }
        (Some(momentum), _) => momentum,
        (None, Some(momentum)) if (0.0..1.0).contains(&momentum) => {
            assumed.add(format!("momentum β = {momentum} is the log's"));
            momentum
        }
        (None, Some(momentum)) => bail!("momentum is {momentum}; it is at least 0 and below 1"),
        (None, None) => {
            assumed.add("momentum is 0, since --momentum was not given");
            0.0
        }
    };
    Ok(Setting { lambda, lr, momentum })
}

/// Measurements after the start without which a log is no curve.
const LEAST: usize = 5;
/// Ticks of an epoch, where steps are not known: times are whole numbers to the estimators.
const TICKS: f64 = 1e6;

/// t_* of one run, with all that speaks against it.
fn measure(
    run: &Run,
    ask: &Ask,
    estimator: Estimator,
    metric: &Chosen,
    other: Option<&Chosen>,
    label: &str,
    assumed: &mut Assumptions,
) -> Result<Found> {
    let setting = setting(run, ask, assumed)?;
    let by_loss = estimator == Estimator::Loss;
    let series = if by_loss {
        run.series(metric.index)?
    } else {
        let (series, percent) = run.accuracies(metric)?;
        if percent {
            assumed.add("accuracies above 1 are percentages, and were divided by 100");
        }
        series
    };
    // Where the loss ceased to be a number, an accuracy says nothing either.
    let other_finite = other.map(|column| run.series(column.index)).transpose();
    other_finite?;
    for (count, what) in [
        (series.missing, "have no value of it and were left out"),
        (series.untimed, "have a value of it, but no time, and were left out"),
        (series.repeated, "were followed by another of the same time: the last one counts"),
    ] {
        if count > 0 {
            assumed.add(format!("{label}: {count} of {} rows {what}", run.len()));
        }
    }

    let (in_steps, factor) = match (run.unit, ask.steps_per_epoch) {
        (Unit::Steps, _) => (true, 1.0),
        (Unit::Epochs, Some(steps)) => (true, steps),
        (Unit::Epochs, None) => (false, 1.0),
    };
    let unit = if in_steps { "step" } else { "epoch" };
    let clock = Clock { momentum: setting.momentum, ..ask.clock };
    let lr_rows: Vec<(f64, f64)> = run.lr.iter().map(|(time, lr)| (time * factor, *lr)).collect();
    let lr_sum = if varies(run) { LrSum::piecewise(&lr_rows) } else { None };
    let lr_sum = lr_sum.unwrap_or_else(|| LrSum::constant(setting.lr));
    let tick = |time: f64| (time * if in_steps { 1.0 } else { TICKS }).round() as u64;
    let mut times: Vec<f64> = Vec::new();
    let mut points: Vec<Measurement> = Vec::new();
    for &(time, value, _) in &series.points {
        let time = time * factor;
        // Two times within half a step of each other are one.
        if points.last().is_some_and(|m| m.step == tick(time)) {
            times.pop();
            points.pop();
        }
        times.push(time);
        points.push(Measurement {
            step: tick(time),
            epoch: f64::NAN,
            tau: clock.tau(setting.lambda, lr_sum.until(time)),
            train_loss: f64::NAN,
            train_accuracy: f64::NAN,
            test_loss: if by_loss { value } else { f64::NAN },
            test_accuracy: if by_loss { f64::NAN } else { value },
            sq_norm: f64::NAN,
            lr: f64::NAN,
            lambda: setting.lambda,
        });
    }
    let after = points.iter().filter(|m| m.step > 0).count();
    let what = if by_loss { "test loss" } else { "test accuracy" };
    if after < LEAST {
        bail!("{after} measurement(s) of {what} after {unit} 0: a curve takes {LEAST} to be read");
    }
    let last = *points.last().context("there are measurements")?;
    let trace = Trace {
        run: RunSpec {
            lambda: setting.lambda,
            lambda_schedule: LambdaScheduleKind::Constant,
            lr: setting.lr,
            momentum: setting.momentum,
            seed: 0,
            steps: last.step,
            per_decade: 1,
        },
        points,
        end: Some(End::Completed),
    };
    let traces = [trace];
    let mut grid = Grid::new(&traces, estimator);
    // What stays at its best has no moment of it but the one at which it arrives, if the user has not asked for the moment itself.
    if ask.estimator.is_none() && estimator == Estimator::Peak && grid.outcomes[0].0 == Outcome::Plateau {
        grid.estimator = Estimator::Arrival;
    }
    let estimator = grid.estimator;
    let points = &traces[0].points;
    let (outcome, why) = &grid.outcomes[0];
    let best = grid.cells[0].performance().first().copied().filter(|_| !by_loss && !grid.cells[0].is_empty());
    if *outcome == Outcome::Flat {
        bail!(
            "{what} does not get better than at first by more than its noise: nothing is learned at λ = {}, or the peak came \
             before the first measurement; no λ is predicted",
            setting.lambda
        );
    }
    if let (Some(best), Some(classes)) = (best, ask.classes)
        && best <= 1.0 / classes as f64
    {
        bail!(
            "test accuracy never rises above chance, {best:.4} with {classes} classes: nothing is learned at λ = {}; no λ is \
             predicted",
            setting.lambda
        );
    }
    // Measurements of a log are often further apart than the smoothed curve's places: t_* is one of them.
    let time = grid.time(0);
    let at = time.map(|time| {
        let distance = |i: usize| ((points[i].step as f64).ln() - time.step.ln()).abs();
        (0..points.len())
            .filter(|&i| points[i].step > 0)
            .min_by(|&a, &b| distance(a).total_cmp(&distance(b)))
            .unwrap_or(0)
    });
    if let Some(at) = at {
        if at == 0 || points[at - 1].step == 0 {
            assumed.add(format!("{label}: t_* is the first measurement after the start, so it may have been earlier"));
        } else {
            let interval = times[at] - times[at - 1];
            assumed.add(format!(
                "{label}: t_* is known to {}, the interval of measurements there",
                amount(interval, unit)
            ));
        }
        let how = match estimator {
            Estimator::Arrival => format!(
                "when the smoothed accuracy comes within {:.4} of its maximum, as near as its noise allows to tell",
                grid.tolerance.tolerance
            ),
            Estimator::Peak => "the measurement nearest to the maximum of the smoothed accuracy".into(),
            Estimator::Loss => "the measurement nearest to the minimum of the smoothed test loss".into(),
        };
        assumed.add(format!("t_* is by the {} estimator: {how}", estimator.name()));
        assumed.add(format!("the curve is a {}: {why}; one run's noise is taken from its own scatter", outcome.name()));
    }
    let steps_per_epoch = match ask.steps_per_epoch {
        Some(steps) => Some(steps),
        None => run.steps_per_epoch()?,
    };
    if ask.steps_per_epoch.is_none()
        && let Some(steps) = steps_per_epoch
    {
        assumed.add(format!("an epoch is {steps:.6} steps, as the log counts both").replace(".000000", ""));
    }
    let end = times[times.len() - 1];
    let in_epochs = |time: f64| if in_steps { steps_per_epoch.map(|n| time / n) } else { Some(time) };
    let t_star = at.map(|at| times[at]);
    let tau_star = at.map(|at| points[at].tau);
    Ok(Found {
        setting,
        in_steps,
        steps_per_epoch,
        estimator,
        t_star,
        tau_star,
        mean_lr: lr_sum.until(end) / end,
        summary: RunSummary {
            log: String::new(),
            seed: run.seed.clone(),
            measurements: points.len(),
            outcome: *outcome,
            t_star: t_star.filter(|_| in_steps),
            t_star_epochs: t_star.and_then(in_epochs),
            tau_star: tau_star.filter(|_| in_steps),
            max_test_accuracy: best,
            tail: format!(
                "{what} is {}, and it ends at {unit} {}: {why}",
                if *outcome == Outcome::Plateau {
                    "a plateau, whose arrival --estimator arrival times"
                } else {
                    outcome.name()
                },
                if in_steps { last.step.to_string() } else { end.to_string() }
            ),
        },
    })
}
