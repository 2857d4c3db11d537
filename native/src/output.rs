//! What a finished job leaves: traces.csv, summary.json, report.html with its figures, and a table on
//! the terminal.

use std::{collections::BTreeMap, fmt::Write, sync::Arc};

use anyhow::Result;
use l2lab_core::{
    Experiment,
    law::{Cell, Estimator, Fit, Forecast, Regret, RunSummary},
    recording::{Findings, ModelSummary},
    train::{LambdaScheduleKind, OptimizerKind, Trace},
};
use serde::Serialize;
use serde_json::Value;

use crate::{claims::Claim, commands::Job, executor::LOOK_EVERY, interrupt, report::Report, store::Store};

/// A prediction that a sweep has made and put to the test.
#[derive(Debug, Clone, Serialize)]
pub struct SweepPrediction {
    /// λ_pred for a budget.
    #[serde(flatten)]
    pub forecast: Forecast,
    /// How runs at λ_pred did against the grid; absent if they cannot be compared.
    #[serde(flatten)]
    pub regret: Option<Regret>,
}

/// `summary.json`: the same bits for the same experiment on the same CPU.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// The command that made it.
    pub command: &'static str,
    /// The program's version.
    pub version: &'static str,
    /// The device it ran on.
    pub device: String,
    /// What was asked for.
    pub experiment: Experiment,
    /// What learned.
    pub model: ModelSummary,
    /// One for each run of the grid.
    pub runs: Vec<RunSummary>,
    /// One for each η and λ.
    pub cells: Vec<Cell>,
    /// The fit by the experiment's estimator; absent if too few runs reached their peak.
    pub fit: Option<Fit>,
    /// The fits by all estimators.
    pub fits: BTreeMap<String, Fit>,
    /// The prediction, if the grid allows one.
    pub prediction: Option<SweepPrediction>,
}

impl Summary {
    /// Of a job's findings. A sweep's has its forecast, tested.
    pub fn new(command: &'static str, job: &Job, findings: &Findings) -> Self {
        let Findings { runs, cells, fits, forecast, regret, .. } = findings.clone();
        let prediction = forecast.filter(|_| command == "sweep").map(|forecast| SweepPrediction { forecast, regret });
        Self {
            command,
            version: env!("CARGO_PKG_VERSION"),
            device: job.options.device.to_string(),
            experiment: job.experiment.clone(),
            model: (&job.model).into(),
            cells,
            fit: fits.get(job.experiment.estimator.name()).cloned(),
            runs,
            fits,
            prediction,
        }
    }

    /// One JSON object and a line end.
    ///
    /// # Errors
    /// Never with the numbers that a summary holds.
    pub fn json(&self) -> Result<String> {
        Ok(serde_json::to_string(self)? + "\n")
    }

    /// What was learned, in a line.
    pub fn title(&self) -> String {
        title(&self.experiment, &self.model)
    }

    /// The table, the fits and the prediction, for a terminal.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let seeds = self.experiment.seeds;
        let _ = writeln!(out, "{}\n{} runs, {seeds} seed(s)\n", self.title(), self.runs.len());
        let _ = writeln!(out, "     η         λ        ηλ        t_*    τ_*  max acc  end acc    decay  train acc");
        for c in &self.cells {
            let eta_lambda = c.lr * c.lambda;
            let notes = notes(c);
            let _ = writeln!(
                out,
                "{:>6} {:>9} {eta_lambda:>9.2e} {:>10} {:>6} {:>8} {:>8} {:>8} {:>10}  {notes}",
                c.lr,
                c.lambda,
                number(c.t_star, 0),
                number(c.tau_star, 2),
                number(c.max_test_accuracy, 3),
                number(c.final_test_accuracy, 3),
                number(c.late_decay, 4),
                number(c.max_train_accuracy, 3),
            );
        }
        let _ = writeln!(out, "\nslope of log t_* on log ηλ (the law: −1)   on log λ at fixed η    c′ = median τ_*");
        for estimator in Estimator::ALL {
            let name = estimator.name();
            let mark = if estimator == self.experiment.estimator { "*" } else { " " };
            match self.fits.get(name) {
                Some(f) => {
                    let _ = writeln!(
                        out,
                        "{mark}{name:<10} {:<28} {:<26} {}  (n = {})",
                        with_interval(f.slope, f.slope_ci, 3),
                        f.slope_lambda.map_or_else(|| "—".into(), |s| with_interval(s, f.slope_lambda_ci, 3)),
                        with_interval(f.c_prime, f.c_prime_ci, 2),
                        f.n
                    );
                }
                None => {
                    let _ = writeln!(out, "{mark}{name:<10} too few runs reached their peak");
                }
            }
        }
        let _ = writeln!(out, "\n* the estimator of the table and the prediction; [ ] 95 % interval over seeds");
        if let Some(p) = &self.prediction {
            out.push_str(&p.text());
        }
        out
    }
}

/// What an experiment learns, in a line.
pub fn title(e: &Experiment, model: &ModelSummary) -> String {
    let get = |name| e.get(name).unwrap_or_default();
    let network = match get("model").as_str() {
        "linear" => "linear model".to_owned(),
        kind => format!("{kind}, depth {}, width {}, {}", e.depth, e.width, get("activation")),
    };
    let k = model.homogeneity.map_or_else(|| "no homogeneity".to_owned(), |k| format!("k = {k}"));
    let batch = if e.batch == 0 { "full batch".to_owned() } else { format!("batch {}", e.batch) };
    let examples = |n: usize| if n == 0 { "all".to_owned() } else { n.to_string() };
    let optimizer = match e.optimizer {
        OptimizerKind::Sgd => String::new(),
        _ => format!("{}, ", get("optimizer")),
    };
    format!(
        "{} ({} training, {} test images); {network}; {k}; {} parameters; {}, {batch}, {optimizer}momentum {}",
        e.data,
        examples(e.train),
        examples(if e.validation > 0 { e.validation } else { e.test }),
        model.parameters,
        get("loss"),
        e.momentum
    )
}

impl SweepPrediction {
    /// The prediction and its regret, in a few lines.
    pub fn text(&self) -> String {
        let Forecast { lr, lambda0, budget, prediction: p } = &self.forecast;
        let lambda = match p.lambda_pred_ci {
            Some([low, high]) => format!("{:.2e} [{low:.2e}, {high:.2e}]", p.lambda_pred),
            None => format!("{:.2e}", p.lambda_pred),
        };
        let mut out = format!(
            "\nprediction at η = {lr}: t_* = {:.0} steps at λ₀ = {lambda0}, so for {budget} steps λ_pred = {lambda}\n",
            p.t_star
        );
        if let Some(r) = &self.regret {
            let _ = writeln!(
                out,
                "verified: accuracy {:.3} at λ_pred, {:.3} for a λ tuned on the other seeds (on all: {}); regret {} (n = {} seeds)",
                r.accuracy,
                r.best_accuracy,
                r.best_lambda,
                with_interval(r.regret, r.regret_ci, 4),
                r.seeds
            );
        }
        out
    }
}

/// What a reader of a cell's numbers has to know.
pub fn notes(cell: &Cell) -> String {
    let count = |n: usize, what: &str| (n > 0).then(|| format!("{n} of {} {what}", cell.runs));
    let schedule = (cell.lambda_schedule != LambdaScheduleKind::Constant).then(|| "λ at the start".to_owned());
    [schedule, count(cell.censored, "censored"), count(cell.diverged, "diverged")]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ")
}

/// A number with `digits` decimals, or a dash.
pub fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "—".to_owned(), |v| format!("{v:.digits$}"))
}

/// `value [low, high]`.
pub fn with_interval(value: f64, interval: Option<[f64; 2]>, digits: usize) -> String {
    match interval {
        Some([low, high]) => format!("{value:.digits$} [{low:.digits$}, {high:.digits$}]"),
        None => format!("{value:.digits$}"),
    }
}

/// Writes everything into the job's directory, if it has one; the summary last.
///
/// # Errors
/// When a file cannot be written.
pub fn write(job: &Job, summary: &impl Serialize, traces: &[&[Trace]], report: &Report) -> Result<()> {
    let Some(store) = &job.store else { return Ok(()) };
    // Of several processes that have all runs one writes.
    let Some(_claim) = ending(store)? else { return Ok(()) };
    store.write("traces.csv", &csv(traces)?)?;
    store.write("report.html", report.html.as_bytes())?;
    for (name, svg) in &report.figures {
        store.write(name, svg.as_bytes())?;
    }
    store.complete(&(serde_json::to_string_pretty(summary)? + "\n"))
}

/// The right to complete a directory, as soon as no other process has it; `None` of one that is complete.
fn ending(store: &Store) -> Result<Option<Vec<Arc<Claim>>>> {
    loop {
        if store.summary().is_some() {
            return Ok(None);
        }
        match store.claim("report", &[0]) {
            Ok(None) => {
                interrupt::check()?;
                std::thread::sleep(LOOK_EVERY);
            }
            // It was completed just now, and its state is gone.
            _ if store.summary().is_some() => return Ok(None),
            claim => return claim,
        }
    }
}

/// Where the results are, as a last line; empty if nowhere.
pub fn place(job: &Job) -> String {
    job.store.as_ref().map_or_else(String::new, |s| format!("\nreport: {}\n", s.dir().join("report.html").display()))
}

/// Every measurement of every run, numbered through the phases.
fn csv(phases: &[&[Trace]]) -> Result<Vec<u8>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record([
        "run",
        "lambda",
        "lr",
        "momentum",
        "seed",
        "step",
        "epoch",
        "tau",
        "train_loss",
        "train_accuracy",
        "test_loss",
        "test_accuracy",
        "sq_norm",
    ])?;
    for (run, trace) in phases.iter().copied().flatten().enumerate() {
        for m in &trace.points {
            csv.serialize((
                (run, m.lambda, m.lr, trace.run.momentum, trace.run.seed, m.step, m.epoch, m.tau),
                (m.train_loss, m.train_accuracy, m.test_loss, m.test_accuracy, m.sq_norm),
            ))?;
        }
    }
    Ok(csv.into_inner()?)
}

/// Significant digits of a recording's numbers: what a figure can show, in a third of the size.
const DIGITS: usize = 4;

/// A recording as a file for pages.
///
/// # Errors
/// Never with the numbers that a recording holds.
pub fn recording(recording: &impl Serialize) -> Result<Vec<u8>> {
    let mut value = serde_json::to_value(recording)?;
    round(&mut value);
    Ok(serde_json::to_vec(&value)?)
}

fn round(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(round),
        Value::Object(fields) => fields.values_mut().for_each(round),
        Value::Number(number) => {
            if let Some(x) = number.as_f64().filter(|_| number.is_f64()) {
                let rounded = format!("{x:.*e}", DIGITS - 1).parse::<f64>().unwrap_or(x);
                // Whole numbers without a decimal point.
                *value = if rounded.fract() == 0.0 && rounded.abs() < 1e15 {
                    (rounded as i64).into()
                } else {
                    rounded.into()
                };
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn of_two_processes_that_have_all_runs_one_writes() {
        let dir = tempfile::tempdir().unwrap();
        let (out, lease) = (dir.path().join("o"), Duration::from_mins(1));
        let first = Store::create(&out, &Experiment::default(), "sweep", "", lease).unwrap();
        let (second, _) = Store::resume(&out, lease).unwrap();
        let claim = ending(&first).unwrap().unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| ending(&second).unwrap());
            std::thread::sleep(LOOK_EVERY / 2);
            assert!(!waiting.is_finished(), "the first is at it");
            first.complete("{}").unwrap();
            drop(claim);
            assert!(waiting.join().unwrap().is_none(), "nothing is left to write");
        });
    }
}
