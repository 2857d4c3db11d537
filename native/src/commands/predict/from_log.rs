//! `l2lab predict --log`: the best λ for a budget, from the log of a run made elsewhere.

use std::{fmt::Write, path::PathBuf};

use anyhow::{Result, bail};
use clap::{Arg, ArgMatches, Command, builder::PossibleValuesParser, value_parser};
use l2lab_core::{
    Experiment,
    experiment::{ExperimentError, FIELDS},
    law::{Clock, Convention, CoupledL2, Estimator, Prediction, predict_of_runs},
    run::Length,
};
use serde::Serialize;

use super::{
    check,
    found::{Found, RunSummary, Setting, read},
};
use crate::{cli, logs::Wanted};

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
pub struct Ask {
    /// The columns that are named.
    pub wanted: Wanted,
    /// Convention, momentum (0 if not given) and dampening.
    pub clock: Clock,
    /// --classes.
    pub classes: Option<usize>,
    /// --lambda.
    pub lambda: Option<f64>,
    /// --lr.
    pub lr: Option<f64>,
    /// --momentum.
    pub momentum: Option<f64>,
    /// --seed.
    pub seed: Option<u64>,
    /// --estimator.
    pub estimator: Option<Estimator>,
    /// --budget.
    pub budget: Length,
    /// By --batch and --examples.
    pub steps_per_epoch: Option<f64>,
    /// --epoch-zero initial.
    pub zero_is_initial: bool,
}

/// What is taken for granted, each once.
#[derive(Default)]
pub struct Assumptions(pub Vec<String>);

impl Assumptions {
    /// Adds one.
    pub fn add(&mut self, sentence: impl Into<String>) {
        let sentence = sentence.into();
        if !self.0.contains(&sentence) {
            self.0.push(sentence);
        }
    }
}

/// An error of usage.
pub fn conflict(text: impl Into<String>) -> anyhow::Error {
    ExperimentError::Conflict(text.into()).into()
}

impl Ask {
    fn read(matches: &ArgMatches, assumed: &mut Assumptions) -> Result<Self> {
        let e = cli::experiment(matches, Experiment { lambda: vec![0.1].into(), ..super::base(true) })?;
        check(&e)?;
        if e.lambda.len() != 1 {
            return Err(conflict(format!("lambda: a log is of one run, {} were given", e.lambda.len())));
        }
        e.validate()?;
        let given = |name: &str| matches.contains_id(name);
        let text = |name: &str| matches.get_one::<String>(name).cloned();
        let convention = text("convention").unwrap_or_default();
        let convention = Convention::named(&convention).unwrap_or_default();
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
    let before = assumed.0.clone();
    let mut found = read_all(paths, &ask, &mut assumed)?;
    // Of several runs some may show a peak and some a plateau: an arrival both have.
    let arrives = |f: &Found| f.estimator == Estimator::Arrival;
    if found.iter().any(arrives) && !found.iter().all(arrives) {
        ask.estimator = Some(Estimator::Arrival);
        assumed.0 = before;
        found = read_all(paths, &ask, &mut assumed)?;
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

    let short: Vec<(f64, f64)> = found.iter().filter_map(|f| Some((f.t_star?, f.tau_star?))).collect();
    let censored = found.len() - short.len();
    let total = ask.clock.tau(1.0, mean_lr * budget);
    let Some(p) = predict_of_runs(&short, total).filter(|p| p.lambda_pred > 0.0 && p.lambda_pred.is_finite()) else {
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

fn read_all(paths: &[PathBuf], ask: &Ask, assumed: &mut Assumptions) -> Result<Vec<Found>> {
    let read = |path: &PathBuf| read(path, ask, assumed);
    Ok(paths.iter().map(read).collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

/// `3 steps`, `1 epoch`.
pub fn amount(count: f64, unit: &str) -> String {
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
        format!("the interval is a 95 % one over {} runs, taken to differ by seed alone", p.n)
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
