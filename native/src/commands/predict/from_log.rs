//! `l2lab predict --log`: the best λ for a budget, from the log of a run made elsewhere.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow, bail};
use clap::{Arg, ArgMatches, Command, builder::PossibleValuesParser, value_parser};
use l2lab_core::{
    experiment::{ExperimentError, FIELDS},
    law::{Clock, Convention, CoupledL2, Estimator, Length, LrSum, Prediction, best_accuracy, learns, peak, predict},
    train::Measurement,
};
use serde::Serialize;

use super::check;
use crate::{
    cli,
    logs::{self, Chosen, Columns, Run, Unit, Wanted},
};

/// The experiment's fields that mean something for a log.
const FOR_LOGS: [&str; 7] = ["lambda", "lr", "momentum", "batch", "budget", "estimator", "seed"];

/// The command's flags for logs.
pub fn flags(command: Command) -> Command {
    let own = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).requires("log").help(help)
    };
    let ignored = FIELDS.iter().map(|f| f.name).filter(|name| !FOR_LOGS.contains(name));
    let ignored = ignored.chain(["file", "out", "resume", "data-dir", "device", "threads"]);
    let conventions = Convention::ALL.map(Convention::name);
    command
        .next_help_heading("A run made elsewhere instead of short runs")
        .arg(
            Arg::new("log")
                .long("log")
                .value_name("LOG")
                .action(clap::ArgAction::Append)
                .value_parser(value_parser!(PathBuf))
                .conflicts_with_all(ignored)
                .help(
                    "Metrics of a finished run: CSV, JSON lines, a TensorBoard event file or a directory of them; again \
                     for each other seed. --lambda, --lr and --momentum are the run's, and choose among the runs of a \
                     traces.csv",
                ),
        )
        .arg(
            own("convention", "WHOSE", "Whose lr and lambda are given and predicted")
                .value_parser(PossibleValuesParser::new(conventions))
                .default_value(Convention::default().name()),
        )
        .arg(own("examples", "N", "Training examples: with --batch, how many steps an epoch has").value_parser(count()))
        .arg(
            own("classes", "C", "Classes: tells chance, and translates autol2-code's lr and lambda into PyTorch's")
                .value_parser(count()),
        )
        .arg(
            own("dampening", "D", "Dampening of pytorch-sgd [default: 0]")
                .allow_hyphen_values(true)
                .value_parser(value_parser!(f64)),
        )
        .arg(own("step-column", "NAME", "Column of optimizer steps [default: step, global_step, iteration, …]"))
        .arg(own("epoch-column", "NAME", "Column of epochs, to be the clock [default: epoch, if there are no steps]"))
        .arg(
            own("epoch-zero", "WHICH", "What a row of epoch 0 is, where whole epochs are the clock: measured after the \
                 first epoch, as Keras, timm and Lightning have it, or initial, before training")
                .value_parser(["first", "initial"])
                .default_value("first"),
        )
        .arg(own(
            "accuracy-column",
            "NAME",
            "Column of test accuracy, or of test error if its name says so [default: test before val before eval; \
             accuracy, acc, top1, error]",
        ))
        .arg(own("loss-column", "NAME", "Column of test loss [default: test before val before eval]"))
}

fn count() -> clap::builder::RangedU64ValueParser<usize> {
    clap::builder::RangedU64ValueParser::new().range(1..=1 << 53)
}

/// What the user says.
struct Ask {
    wanted: Wanted,
    clock: Clock,
    classes: Option<usize>,
    lambda: Option<f64>,
    lr: Option<f64>,
    momentum: Option<f64>,
    seed: Option<u64>,
    estimator: Option<Estimator>,
    budget: Length,
    /// By --batch and --examples.
    steps_per_epoch: Option<f64>,
    zero_is_initial: bool,
}

/// What is taken for granted, each once.
#[derive(Default)]
struct Assumptions(Vec<String>);

impl Assumptions {
    fn add(&mut self, sentence: impl Into<String>) {
        let sentence = sentence.into();
        if !self.0.contains(&sentence) {
            self.0.push(sentence);
        }
    }
}

fn conflict(text: impl Into<String>) -> anyhow::Error {
    ExperimentError::Conflict(text.into()).into()
}

impl Ask {
    fn read(matches: &ArgMatches, assumed: &mut Assumptions) -> Result<Self> {
        let e = cli::experiment(matches, super::base())?;
        check(&e)?;
        e.validate()?;
        let given = |name: &str| matches.contains_id(name);
        let text = |name: &str| matches.get_one::<String>(name).cloned();
        let convention = text("convention").unwrap_or_default();
        let convention = Convention::ALL.into_iter().find(|c| c.name() == convention).unwrap_or_default();
        let dampening = matches.get_one::<f64>("dampening").copied();
        if let Some(d) = dampening {
            if convention != Convention::PytorchSgd {
                return Err(conflict(format!("dampening: '{}' has none, pytorch-sgd alone does", convention.name())));
            }
            if !(0.0..1.0).contains(&d) {
                let (value, allowed) = (d.to_string(), "at least 0 and below 1".into());
                return Err(ExperimentError::Value { field: "dampening", value, allowed }.into());
            }
        }
        let examples = matches.get_one::<usize>("examples").copied();
        let steps_per_epoch = match (given("batch").then_some(e.batch), examples) {
            (None, None) => None,
            (Some(0), _) => Some(1),
            (Some(batch), Some(examples)) => Some(examples.div_ceil(batch)),
            (Some(_), None) => return Err(conflict("batch: give --examples too, the number of training examples")),
            (None, Some(_)) => return Err(conflict("examples: give --batch too, the number of examples a step")),
        };
        if let Some(steps) = steps_per_epoch {
            let (batch, examples) = (e.batch, examples.unwrap_or(e.batch));
            assumed.add(if batch == 0 {
                "an epoch is one step of the full batch".to_owned()
            } else {
                format!("an epoch is ⌈{examples}/{batch}⌉ = {steps} steps, the last, smaller batch not dropped")
            });
        }
        Ok(Self {
            wanted: Wanted {
                step: text("step-column"),
                epoch: text("epoch-column"),
                accuracy: text("accuracy-column"),
                loss: text("loss-column"),
            },
            clock: Clock { convention, momentum: e.momentum, dampening: dampening.unwrap_or(0.0) },
            classes: matches.get_one::<usize>("classes").copied(),
            lambda: given("lambda").then(|| e.lambda[0]),
            lr: given("lr").then(|| e.lr[0]),
            momentum: given("momentum").then_some(e.momentum),
            seed: given("seed").then_some(e.seed),
            estimator: given("estimator").then_some(e.estimator),
            budget: e.budget.unwrap_or(Length::Steps(1.0)),
            steps_per_epoch: steps_per_epoch.map(|n| n as f64),
            zero_is_initial: text("epoch-zero").is_some_and(|which| which == "initial"),
        })
    }
}

/// The settings that runs have to share.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Setting {
    lambda: f64,
    /// The largest η.
    lr: f64,
    momentum: f64,
}

/// What was found in one run. Times are in steps, or in epochs where steps are not known.
struct Found {
    setting: Setting,
    in_steps: bool,
    steps_per_epoch: Option<f64>,
    estimator: Estimator,
    t_star: f64,
    tau_star: f64,
    mean_lr: f64,
    summary: RunSummary,
}

/// One run in numbers.
#[derive(Serialize)]
struct RunSummary {
    log: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<String>,
    measurements: usize,
    t_star: Option<f64>,
    t_star_epochs: Option<f64>,
    tau_star: Option<f64>,
    max_test_accuracy: Option<f64>,
    censored: bool,
    /// Where the peak of a censored run is, and where the run ends.
    #[serde(skip)]
    tail: String,
}

#[derive(Serialize)]
struct Answer {
    convention: Convention,
    lambda: f64,
    lr: f64,
    momentum: f64,
    estimator: Estimator,
    /// In steps; null where the log counts epochs, and --batch and --examples are not given.
    t_star: Option<f64>,
    t_star_epochs: Option<f64>,
    c_prime: Option<f64>,
    lambda_pred: f64,
    lambda_pred_ci: Option<[f64; 2]>,
    n: usize,
    censored: usize,
    budget_steps: Option<f64>,
    budget_epochs: Option<f64>,
    steps_per_epoch: Option<f64>,
    /// η and λ_pred as PyTorch's SGD takes them, where that can be said.
    pytorch_sgd: Option<CoupledL2>,
    assumptions: Vec<String>,
    runs: Vec<RunSummary>,
}

/// Runs the command on logs.
///
/// # Errors
/// Whatever is wrong with the flags or the logs; and when no run reached its peak.
pub fn run(matches: &ArgMatches, paths: &[PathBuf]) -> Result<String> {
    let mut assumed = Assumptions::default();
    let mut ask = Ask::read(matches, &mut assumed)?;
    let mut found = Vec::new();
    for path in paths {
        found.extend(read(path, &ask, &mut assumed)?);
    }
    let Some(first) = found.first() else { bail!("the logs have no run") };
    let (setting, in_steps, estimator) = (first.setting, first.in_steps, first.estimator);
    if let Some(other) = found.iter().find(|f| f.in_steps != in_steps || f.estimator != estimator) {
        bail!("'{}' and '{}' do not log the same things", first.summary.log, other.summary.log);
    }
    if let Some(other) = found.iter().find(|f| f.setting != setting) {
        bail!("'{}' has {}, and '{}' has {}", first.summary.log, setting, other.summary.log, other.setting);
    }
    ask.clock.momentum = setting.momentum;
    let steps_per_epoch = ask.steps_per_epoch.or(first.steps_per_epoch);
    let mean_lr = found.iter().map(|f| f.mean_lr).sum::<f64>() / found.len() as f64;
    let budget = budget(&ask, setting, mean_lr, in_steps, steps_per_epoch)?;

    let short: Vec<(f64, f64)> = found.iter().filter(|f| !f.summary.censored).map(|f| (f.t_star, f.tau_star)).collect();
    let censored = found.len() - short.len();
    let total = ask.clock.tau(1.0, mean_lr * budget);
    let Some(p) = predict(&short, total).filter(|p| p.lambda_pred > 0.0 && p.lambda_pred.is_finite()) else {
        let [one, several] = [
            format!("'{}': {}", first.summary.log, first.summary.tail),
            format!("all {censored} runs end before their peak; in the first, {}", first.summary.tail),
        ];
        let why = if censored == 1 { one } else { several };
        bail!("{why}: t_* was not reached, and no λ is predicted (train longer, or with a larger λ)");
    };
    conclude(&ask, setting, &p, censored, in_steps, &mut assumed);
    let in_epochs = |time: f64| if in_steps { steps_per_epoch.map(|n| time / n) } else { Some(time) };
    let answer = Answer {
        convention: ask.clock.convention,
        lambda: setting.lambda,
        lr: setting.lr,
        momentum: setting.momentum,
        estimator,
        t_star: in_steps.then_some(p.t_star),
        t_star_epochs: in_epochs(p.t_star),
        c_prime: in_steps.then_some(p.c_prime),
        lambda_pred: p.lambda_pred,
        lambda_pred_ci: p.lambda_pred_ci,
        n: p.n,
        censored,
        budget_steps: in_steps.then_some(budget),
        budget_epochs: in_epochs(budget),
        steps_per_epoch,
        pytorch_sgd: ask.clock.coupled(setting.lr, p.lambda_pred, ask.classes),
        assumptions: assumed.0,
        runs: found.into_iter().map(|f| f.summary).collect(),
    };
    if matches.get_flag("json") {
        return Ok(serde_json::to_string(&answer)? + "\n");
    }
    Ok(text(&answer, &ask.clock))
}

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "λ = {}, η = {}, β = {}", self.lambda, self.lr, self.momentum)
    }
}

/// What the runs of one log say that are meant.
fn read(path: &Path, ask: &Ask, assumed: &mut Assumptions) -> Result<Vec<Found>> {
    let table = logs::read(path)?;
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
        (None, ..) => Estimator::default(),
    };
    let (what, flag, metric, other) = match estimator {
        Estimator::Loss => ("loss", "--loss-column", loss, accuracy),
        _ => ("accuracy", "--accuracy-column", accuracy, loss),
    };
    let missing = || anyhow!("no column has a name known for test {what}; {flag} chooses one of: {names}");
    if ask.estimator.is_some() || estimator != Estimator::Loss {
        let how = match estimator {
            Estimator::Threshold => "the first measurement within 0.5 % of the maximum accuracy",
            Estimator::Smoothed => "the maximum of the accuracy averaged over a tenth of the run",
            Estimator::Loss => "the minimum of the test loss",
        };
        assumed.add(format!("t_* is by the {} estimator: {how}", estimator.name()));
    }
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

/// The runs of a table that the flags mean: of one setting, and several only if they differ by seed alone.
fn choose<'a>(runs: Vec<Run<'a>>, ask: &Ask) -> Result<Vec<Run<'a>>> {
    let alone = runs.len() == 1;
    let mut runs = runs;
    type Setting = fn(&Run) -> Option<f64>;
    let settings: [(&'static str, Option<f64>, Setting); 3] =
        [("lambda", ask.lambda, |r| r.lambda), ("lr", ask.lr, base_lr), ("momentum", ask.momentum, |r| r.momentum)];
    let list = |runs: &[Run], of: Setting| {
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
            (times.pop(), points.pop());
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
    if after < 3 {
        bail!("{after} measurement(s) of {what} after {unit} 0: a peak takes three to be seen");
    }
    let (first, last) = (&points[0], &points[points.len() - 1]);
    let value = |m: &Measurement| if by_loss { m.test_loss } else { m.test_accuracy };
    let best = best_accuracy(&points);
    if !learns(&points, estimator) {
        let verb = if by_loss { "falls below" } else { "rises above" };
        bail!(
            "{what} never {verb} its first value, {:.4} at {unit} {}, by more than its noise: nothing is learned at λ = {}, \
             or the peak came before the first measurement; no λ is predicted",
            value(first),
            times[0],
            setting.lambda
        );
    }
    if let (Some(best), Some(classes)) = (best.filter(|_| !by_loss), ask.classes)
        && best <= 1.0 / classes as f64
    {
        bail!(
            "test accuracy never rises above chance, {best:.4} with {classes} classes: nothing is learned at λ = {}; no λ is \
             predicted",
            setting.lambda
        );
    }
    let peak = peak(&points, estimator).context("no measurement after the start")?;
    let at = points.partition_point(|m| m.step < peak.step);
    if at == 0 || points[at - 1].step == 0 {
        assumed.add(format!("{label}: t_* is the first measurement after the start, so it may have been earlier"));
    } else if !peak.censored {
        let interval = times[at] - times[at - 1];
        assumed.add(format!("{label}: t_* is known to {}, the interval of measurements there", amount(interval, unit)));
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
    let t_star = times[at];
    Ok(Found {
        setting,
        in_steps,
        steps_per_epoch,
        estimator,
        t_star,
        tau_star: peak.tau,
        mean_lr: lr_sum.until(end) / end,
        summary: RunSummary {
            log: String::new(),
            seed: run.seed.clone(),
            measurements: points.len(),
            t_star: in_steps.then_some(t_star),
            t_star_epochs: in_epochs(t_star),
            tau_star: in_steps.then_some(peak.tau),
            max_test_accuracy: best,
            censored: peak.censored,
            tail: format!(
                "{what} is at its best in the last 5 % of the run, which ends at {unit} {}",
                if in_steps { last.step.to_string() } else { end.to_string() }
            ),
        },
    })
}

/// `3 steps`, `1 epoch`.
fn amount(count: f64, unit: &str) -> String {
    let text = format!("{count:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text} {unit}{}", if text == "1" { "" } else { "s" })
}

/// The budget in steps, or in epochs where steps are not known.
fn budget(ask: &Ask, setting: Setting, mean_lr: f64, in_steps: bool, steps_per_epoch: Option<f64>) -> Result<f64> {
    let unknown = |why: &str| conflict(format!("budget: '{}' {why}; give --batch and --examples", ask.budget));
    let budget = match (ask.budget, in_steps, steps_per_epoch) {
        (Length::Steps(steps), true, _) => steps,
        (Length::Epochs(epochs), true, Some(steps)) => epochs * steps,
        (Length::Epochs(_), true, None) => return Err(unknown("is in epochs, and the log counts steps")),
        (Length::Epochs(epochs), false, _) => epochs,
        (Length::Steps(_), false, _) => return Err(unknown("is in steps, and the log counts epochs")),
        (Length::Tau(tau), true, _) => tau / ask.clock.tau(setting.lambda, mean_lr),
        (Length::Tau(_), false, _) => return Err(unknown("is in τ, which counts steps, and the log counts epochs")),
    };
    if in_steps && budget < 1.0 {
        return Err(conflict(format!("budget: '{}' is less than a step", ask.budget)));
    }
    Ok(budget)
}

/// What the prediction as a whole takes for granted.
fn conclude(ask: &Ask, setting: Setting, p: &Prediction, censored: usize, in_steps: bool, assumed: &mut Assumptions) {
    assumed.add(ask.clock.convention.meaning());
    if let Length::Tau(_) = ask.budget {
        assumed.add(format!("the budget's τ is that of the log's λ = {}", setting.lambda));
    }
    if !in_steps {
        assumed.add("c′ is not known: the log counts epochs, and it needs --batch and --examples");
    }
    if ask.clock.convention == Convention::Autol2Code && ask.classes.is_none() {
        assumed
            .add("the number of classes enters neither c′ nor λ_pred; with --classes they are put in PyTorch's terms");
    }
    if censored > 0 {
        assumed.add(format!("{censored} of {} runs had not reached their peak and were left out", censored + p.n));
    }
    assumed.add(if p.n > 1 {
        format!("the interval is a 95 % bootstrap over {} runs, taken to differ by seed alone", p.n)
    } else {
        "there is no interval: one run does not tell the spread over seeds (give --log again for others)".to_owned()
    });
    assumed.add(format!("t_* ∝ 1/λ holds from λ = {} to {:.3e}", setting.lambda, p.lambda_pred));
}

fn text(a: &Answer, clock: &Clock) -> String {
    let mut out = String::new();
    let beta = if a.convention.is_coupled() { format!(", β = {}", a.momentum) } else { String::new() };
    let at = format!("at λ = {}, η = {}{beta}", a.lambda, a.lr);
    let with_epochs = |steps: Option<f64>, epochs: Option<f64>| match (steps, epochs) {
        (Some(steps), Some(epochs)) => (format!("{steps:.0}"), format!("steps ({})", amount(epochs, "epoch"))),
        (Some(steps), None) => (format!("{steps:.0}"), "steps".to_owned()),
        (None, epochs) => {
            let text = amount(epochs.unwrap_or(f64::NAN), "epoch");
            let (number, unit) = text.split_once(' ').unwrap_or((&text, ""));
            (number.to_owned(), unit.to_owned())
        }
    };
    let (t_star, unit) = with_epochs(a.t_star, a.t_star_epochs);
    let _ = writeln!(out, "t_*     {t_star:>12} {unit} {at}");
    match a.c_prime {
        Some(c) => {
            let _ = writeln!(out, "c′ = τ_* {c:>11.3}");
        }
        None => {
            let _ = writeln!(out, "c′ = τ_* {:>11}", "—");
        }
    }
    let (budget, unit) = with_epochs(a.budget_steps, a.budget_epochs);
    let interval = a.lambda_pred_ci.map_or_else(String::new, |[l, h]| format!("  (95 %: {l:.3e} to {h:.3e})"));
    let _ = writeln!(out, "λ_pred  {:>12.3e} for a budget of {budget} {unit}{interval}", a.lambda_pred);
    let own = [Convention::Keras, Convention::Autol2Code].contains(&clock.convention);
    if let Some(sgd) = a.pytorch_sgd.filter(|_| own) {
        let _ = writeln!(out, "in PyTorch's SGD: lr {}, weight_decay {:.3e}", sgd.lr, sgd.weight_decay);
    }
    let _ = writeln!(out, "from {} run(s); {} censored", a.n, a.censored);
    let _ = writeln!(out, "\nassumed:");
    for sentence in &a.assumptions {
        let _ = writeln!(out, "- {sentence}");
    }
    out
}
