//! `l2lab fit`: the law, on traces of anyone's sweep.

use std::{fmt::Write, path::PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Arg, ArgAction, ArgMatches, Command, builder::PossibleValuesParser, value_parser};
use l2lab_core::{
    experiment::ExperimentError,
    law::{Analysis, Cell, Clock, Collapse, Convention, Estimator, Fit, LrSum},
    run::{End, LambdaScheduleKind, Length, Measurement, RunSpec, Trace},
};
use serde::Serialize;

use crate::{
    logs::{self, Columns, Run, Unit, Wanted},
    output::{cell_table, collapse_text, fit_text},
};

/// The command line.
pub fn command(json: Arg) -> Command {
    let number = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("X").allow_hyphen_values(true).value_parser(value_parser!(f64)).help(help)
    };
    let column = |name: &'static str, help: &'static str| Arg::new(name).long(name).value_name("NAME").help(help);
    Command::new("fit")
        .about("Fit the law to the traces of a sweep made anywhere: what each λ shows, the slope beside its placebo, and λ for a budget")
        .after_help(
            "A file is CSV, JSON lines or a TensorBoard log with a row for each measurement: columns run, or lambda, lr, momentum and \
             seed; step; test_accuracy or test_loss. The traces.csv of this program is such a file.\n\
             Example: l2lab fit runs/sweep-1/traces.csv --budget 20000",
        )
        .arg(
            Arg::new("files")
                .value_name("TRACES")
                .required(true)
                .num_args(1..)
                .value_parser(value_parser!(PathBuf))
                .help("Traces of the sweep; several files are one grid"),
        )
        .arg(
            Arg::new("estimator")
                .long("estimator")
                .value_name("NAME")
                .value_parser(PossibleValuesParser::new(Estimator::ALL.map(Estimator::name)))
                .help("Estimator of t_* [default: arrival, or loss where there is no accuracy]"),
        )
        .arg(
            Arg::new("convention")
                .long("convention")
                .value_name("WHOSE")
                .value_parser(PossibleValuesParser::new(Convention::ALL.map(Convention::name)))
                .default_value(Convention::default().name())
                .help("Whose lr and lambda the traces give"),
        )
        .arg(number("lr", "η of runs that do not say it"))
        .arg(number("momentum", "β of runs that do not say it [default: 0]"))
        .arg(
            Arg::new("budget")
                .long("budget")
                .value_name("STEPS")
                .value_parser(value_parser!(Length))
                .help("Training budget in steps that λ is predicted for, at the largest η"),
        )
        .arg(
            Arg::new("phase")
                .long("phase")
                .value_name("N")
                .value_parser(value_parser!(u64))
                .help("Which phase of a study's traces.csv.gz, from 0: its networks or lengths, which are not mixed"),
        )
        .arg(column("step-column", "Column of optimizer steps [default: step, global_step, iteration, …]"))
        .arg(column("accuracy-column", "Column of test accuracy, or of test error if its name says so"))
        .arg(column("loss-column", "Column of test loss"))
        .arg(json.action(ArgAction::SetTrue))
}

/// λ for a budget.
#[derive(Serialize)]
struct Predicted {
    lr: f64,
    momentum: f64,
    budget: f64,
    lambda_pred: f64,
    lambda_pred_ci: Option<[f64; 2]>,
}

#[derive(Serialize)]
struct Answer {
    command: &'static str,
    version: &'static str,
    estimator: Estimator,
    runs: usize,
    cells: Vec<Cell>,
    fit: Option<Fit>,
    fit_refused: Option<String>,
    collapse: Option<Collapse>,
    tolerance: f64,
    prediction: Option<Predicted>,
    assumptions: Vec<String>,
}

/// What the flags say of runs that do not say it themselves.
struct Given {
    clock: Clock,
    lr: Option<f64>,
    momentum: Option<f64>,
}

/// Runs the command.
///
/// # Errors
/// Whatever is wrong with the flags or the files.
pub fn run(matches: &ArgMatches) -> Result<String> {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let wanted =
        Wanted { step: text("step-column"), epoch: None, accuracy: text("accuracy-column"), loss: text("loss-column") };
    let convention = text("convention").unwrap_or_default();
    let convention = Convention::named(&convention).unwrap_or_default();
    let given = Given {
        clock: Clock { convention, momentum: 0.0, dampening: 0.0 },
        lr: positive("lr", matches.get_one("lr").copied())?,
        momentum: matches.get_one("momentum").copied(),
    };
    if let Some(momentum) = given.momentum.filter(|m| !(0.0..1.0).contains(m)) {
        return Err(value("momentum", momentum, "at least 0 and below 1"));
    }
    let asked = text("estimator").and_then(|name| Estimator::ALL.into_iter().find(|e| e.name() == name));
    let budget = match matches.get_one::<Length>("budget") {
        None => None,
        Some(Length::Steps(steps)) => positive("budget", Some(*steps))?,
        Some(other) => return Err(value("budget", other, "a number of steps")),
    };

    let mut assumptions = vec![convention.meaning().to_owned()];
    let mut traces = Vec::new();
    let mut estimator = asked;
    for path in matches.get_many::<PathBuf>("files").into_iter().flatten() {
        let mut read = || -> Result<(Estimator, Vec<Trace>)> {
            let table = logs::read(path)?.one_phase(matches.get_one("phase").copied())?;
            let columns = Columns::of(&table, &wanted)?;
            self::read(&table, &columns, estimator, &given, &mut assumptions)
        };
        let (by, own) = read().with_context(|| format!("'{}'", path.display()))?;
        estimator = Some(by);
        traces.extend(own);
    }
    let estimator = estimator.unwrap_or_default();
    traces.sort_by(|a, b| {
        let key = |t: &Trace| (-t.run.lr, -t.run.lambda);
        key(a).partial_cmp(&key(b)).unwrap_or(std::cmp::Ordering::Equal).then(a.run.seed.cmp(&b.run.seed))
    });
    let Analysis { cells, mut fits, mut refusals, collapse, tolerance, .. } = Analysis::new(&traces, estimator);
    let (fit, fit_refused) = (fits.remove(estimator.name()), refusals.remove(estimator.name()));
    let prediction = budget.zip(fit.as_ref()).map(|(budget, fit)| predicted(&traces, fit, &given.clock, budget));
    let mut seen = std::collections::HashSet::new();
    assumptions.retain(|a| seen.insert(a.clone()));
    let answer = Answer {
        command: "fit",
        version: env!("CARGO_PKG_VERSION"),
        estimator,
        runs: traces.len(),
        cells,
        fit,
        fit_refused,
        collapse,
        tolerance,
        prediction,
        assumptions,
    };
    if matches.get_flag("json") {
        return Ok(serde_json::to_string(&answer)? + "\n");
    }
    Ok(answer.text(budget))
}

impl Answer {
    fn text(&self, budget: Option<f64>) -> String {
        let mut out = format!("{} runs in {} cells\n\n{}\n", self.runs, self.cells.len(), cell_table(&self.cells));
        out += &fit_text(self.estimator, self.fit.as_ref(), self.fit_refused.as_deref());
        out.push('\n');
        if let Some(c) = &self.collapse {
            out += &(collapse_text(c) + "\n");
        }
        match (&self.prediction, budget) {
            (Some(p), _) => {
                let interval =
                    p.lambda_pred_ci.map_or_else(String::new, |[low, high]| format!(" [{low:.3e}, {high:.3e}]"));
                let Predicted { lambda_pred, budget, lr, .. } = p;
                let _ = writeln!(out, "\nλ_pred {lambda_pred:.3e}{interval} for {budget} steps at η = {lr}");
            }
            (None, Some(_)) => out += "\nno λ_pred: without a fit there is no c′\n",
            (None, None) => {}
        }
        out += "\nassumed:\n";
        for sentence in &self.assumptions {
            let _ = writeln!(out, "- {sentence}");
        }
        out
    }
}

fn value(field: &'static str, value: impl ToString, allowed: &str) -> anyhow::Error {
    ExperimentError::Value { field, value: value.to_string(), allowed: allowed.into() }.into()
}

fn positive(field: &'static str, number: Option<f64>) -> Result<Option<f64>> {
    match number {
        Some(x) if !(x > 0.0 && x.is_finite()) => Err(value(field, x, "a number above 0")),
        number => Ok(number),
    }
}

/// c′ in terms of λ, for a budget at the largest η.
fn predicted(traces: &[Trace], fit: &Fit, clock: &Clock, budget: f64) -> Predicted {
    let run = traces.iter().map(|t| &t.run).max_by(|a, b| a.lr.total_cmp(&b.lr));
    let (lr, momentum) = run.map_or((1.0, 0.0), |run| (run.lr, run.momentum));
    let total = Clock { momentum, ..*clock }.tau(1.0, lr * budget);
    Predicted {
        lr,
        momentum,
        budget,
        lambda_pred: fit.c_prime / total,
        lambda_pred_ci: fit.c_prime_ci.map(|ci| ci.map(|c| c / total)),
    }
}

/// The traces of a table, and what they are timed by.
fn read(
    table: &logs::Table,
    columns: &Columns,
    asked: Option<Estimator>,
    given: &Given,
    assumptions: &mut Vec<String>,
) -> Result<(Estimator, Vec<Trace>)> {
    let (estimator, metric) = match (asked, &columns.accuracy, &columns.loss) {
        (None | Some(Estimator::Arrival | Estimator::Peak), Some(accuracy), _) => (asked.unwrap_or_default(), accuracy),
        (None | Some(Estimator::Loss), _, Some(loss)) => (Estimator::Loss, loss),
        _ => bail!(
            "no column has a name known for what is to be timed, test accuracy or test loss; there are {}",
            table.names()
        ),
    };
    assumptions.push(metric.note.clone());
    assumptions.extend(columns.notes.iter().chain(&table.notes).cloned());
    let runs = Run::grid(table, columns, assumptions)?;
    let mut traces: Vec<Trace> = Vec::new();
    for (number, run) in runs.iter().enumerate() {
        let trace = trace(run, columns, estimator, given, number, assumptions)
            .with_context(|| format!("run {} of {}", number + 1, runs.len()))?;
        traces.push(trace);
    }
    Ok((estimator, traces))
}

fn trace(
    run: &Run<'_>,
    columns: &Columns,
    estimator: Estimator,
    given: &Given,
    number: usize,
    assumptions: &mut Vec<String>,
) -> Result<Trace> {
    if run.unit != Unit::Steps {
        bail!("time is in epochs; a fit needs a column 'step' of optimizer steps (an epoch times its steps)");
    }
    let lambda = run.lambda.context("there is no column 'lambda': it takes several λ for a slope")?;
    if !(lambda >= 0.0 && lambda.is_finite()) {
        bail!("lambda is {lambda}; it is 0 or more");
    }
    let logged = run.lr.iter().map(|(_, lr)| *lr).max_by(f64::total_cmp);
    let lr = logged.or(given.lr).context("there is no column 'lr'; give the learning rate as --lr")?;
    let momentum = run.momentum.or(given.momentum).unwrap_or_else(|| {
        assumptions.push("momentum is 0 where neither the traces nor --momentum say it".into());
        0.0
    });
    if !(0.0..1.0).contains(&momentum) {
        bail!("momentum is {momentum}; it is at least 0 and below 1");
    }
    let seed = run.seed.as_deref().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
        assumptions.push("runs without a whole number as seed are taken for seeds of their own, in their order".into());
        number as u64
    });
    let by_loss = estimator == Estimator::Loss;
    let metric = if by_loss { &columns.loss } else { &columns.accuracy };
    let metric = metric.as_ref().context("the files do not log the same things")?;
    let diverged = run.diverges_at(metric.index)?;
    let (values, percent) = if by_loss { (run.series(metric.index)?, false) } else { run.accuracies(metric)? };
    if percent {
        assumptions.push("accuracies above 1 are percentages, and were divided by 100".into());
    }
    let clock = Clock { momentum, ..given.clock };
    let lr_sum = LrSum::piecewise(&run.lr).unwrap_or_else(|| LrSum::constant(lr));
    let point = |&(time, value, _): &logs::Point| Measurement {
        step: time as u64,
        epoch: f64::NAN,
        tau: clock.tau(lambda, lr_sum.until(time)),
        train_loss: f64::NAN,
        train_accuracy: f64::NAN,
        test_loss: if by_loss { value } else { f64::NAN },
        test_accuracy: if by_loss { f64::NAN } else { value },
        sq_norm: f64::NAN,
        lr,
        lambda,
    };
    let points: Vec<Measurement> = values.points.iter().map(point).collect();
    let steps = points.last().map(|m| m.step).or(diverged.map(|at| at as u64)).context("no measurement")?;
    let end = diverged
        .map_or(End::Completed, |at| End::Diverged { step: at as u64, what: run.name(metric.index).to_owned() });
    let spec =
        RunSpec { lambda, lambda_schedule: LambdaScheduleKind::Constant, lr, momentum, seed, steps, per_decade: 1 };
    Ok(Trace { run: spec, points, end: Some(end) })
}
