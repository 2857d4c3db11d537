//! What a finished job leaves: traces.csv, summary.json, report.html with its figures, and a table on
//! the terminal.

use std::{collections::BTreeMap, fmt::Write as _, io::Write as _, sync::Arc};

use anyhow::Result;
use flate2::{Compression, GzBuilder};
use l2lab_core::{
    Experiment, Forecast,
    law::{Cell, Collapse, Estimator, Fit, Outcome, Regret, RunSummary, SLOPE_TOLERANCE},
    recording::{Findings, ModelSummary},
    run::{LambdaScheduleKind, Trace},
    train::OptimizerKind,
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
    /// The fit by the experiment's estimator.
    pub fit: Option<Fit>,
    /// Why there is none, in words.
    pub fit_refused: Option<String>,
    /// The fits by all estimators that have one.
    pub fits: BTreeMap<String, Fit>,
    /// Why the others have none.
    pub refusals: BTreeMap<String, String>,
    /// How well whole curves lie on one another.
    pub collapse: Option<Collapse>,
    /// How far below its maximum a curve counts as having arrived there.
    pub tolerance: f64,
    /// The prediction, if the grid allows one.
    pub prediction: Option<SweepPrediction>,
}

impl Summary {
    /// Of a job's findings. A sweep's has its forecast, tested.
    pub fn new(command: &'static str, job: &Job, findings: &Findings) -> Self {
        let Findings { runs, cells, fits, refusals, collapse, tolerance, forecast, regret, .. } = findings.clone();
        let own = job.experiment.estimator.name();
        let prediction = forecast.filter(|_| command == "sweep").map(|forecast| SweepPrediction { forecast, regret });
        Self {
            command,
            version: env!("CARGO_PKG_VERSION"),
            device: job.options.device.to_string(),
            experiment: job.experiment.clone(),
            model: (&job.model).into(),
            cells,
            fit: fits.get(own).cloned(),
            fit_refused: refusals.get(own).cloned(),
            runs,
            fits,
            refusals,
            collapse,
            tolerance,
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
        out += &cell_table(&self.cells);
        let _ =
            writeln!(out, "\n{}", fit_text(self.experiment.estimator, self.fit.as_ref(), self.fit_refused.as_deref()));
        let others: Vec<Estimator> = Estimator::ALL.into_iter().filter(|&e| e != self.experiment.estimator).collect();
        for estimator in others {
            let found = match self.fits.get(estimator.name()) {
                Some(f) => format!("slope {} ({} cells)", with_interval(f.slope, f.slope_ci, 3), f.cells_timed),
                None => "no fit: fewer than three λ that it can time".into(),
            };
            let _ = writeln!(out, "by the {} estimator: {found}", estimator.name());
        }
        if let Some(c) = &self.collapse {
            let _ = writeln!(out, "{}", collapse_text(c));
        }
        if let Some(p) = &self.prediction {
            out.push_str(&p.text());
        }
        out
    }
}

/// The cells of a grid as a table for a terminal.
pub fn cell_table(cells: &[Cell]) -> String {
    let mut out =
        String::from("     η         λ        ηλ  outcome         t_*    τ_*  max acc  end acc  decline  train acc\n");
    for c in cells {
        let _ = writeln!(
            out,
            "{:>6} {:>9} {:>9.2e}  {:<9} {:>9} {:>6} {:>8} {:>8} {:>8} {:>10}  {}",
            c.lr,
            c.lambda,
            c.lr * c.lambda,
            c.outcome.name(),
            time_of(c),
            number(c.tau_star, 2),
            number(c.max_test_accuracy, 3),
            number(c.final_test_accuracy, 3),
            number(c.late_decay.map(|m| m.mean), 4),
            number(c.max_train_accuracy, 3),
            notes(c),
        );
    }
    out
}

/// t_* of a cell in steps, or what it is at least.
pub fn time_of(cell: &Cell) -> String {
    match (cell.t_star, cell.at_least) {
        (Some(t), _) => format!("{t:.0}"),
        (None, Some(t)) => format!("> {t:.0}"),
        (None, None) => "—".into(),
    }
}

/// The fit of a grid in a few lines, or why there is none.
pub fn fit_text(estimator: Estimator, fit: Option<&Fit>, refused: Option<&str>) -> String {
    let Some(f) = fit else {
        return format!("no fit: {}", refused.unwrap_or("there is nothing to fit"));
    };
    let without = f.without_l2;
    let in_them = match without.slope {
        Some(slope) => format!("slope {slope:.2} from {} of {}", without.timed, without.cells),
        None => format!("it times {} of {}", without.timed, without.cells),
    };
    format!(
        "slope of log t_* on log λ at fixed η (the law: −1), by the {} estimator: {}\n\
         placebo, the same times exchanged between λ: {:.2} [{:.2}, {:.2}]; in curves without L2, cut from the smallest λ: {in_them}\n\
         slope on log ηλ: {}\n\
         c′ = median τ_*: {}, from {:.2} to {:.2}\n\
         {} cells timed, {} more bound t_* from below; {} runs, {} seed(s)\n\
         t_* goes as 1/λ, to within {SLOPE_TOLERANCE} of the slope: {}",
        estimator.name(),
        with_interval(f.slope, f.slope_ci, 3),
        f.placebo_slope,
        f.placebo_ci[0],
        f.placebo_ci[1],
        with_interval(f.slope_product, f.slope_product_ci, 3),
        with_interval(f.c_prime, f.c_prime_ci, 2),
        f.c_prime_range[0],
        f.c_prime_range[1],
        f.cells_timed,
        f.cells_bounding,
        f.n,
        f.seeds,
        f.law.text(),
    )
}

/// How well whole curves lie on one another, in a line.
pub fn collapse_text(c: &Collapse) -> String {
    format!(
        "whole curves lie on one another best at t·(ηλ)^{}; spread {:.4} over τ, {:.4} over steps",
        with_interval(c.exponent, c.exponent_ci, 2),
        c.spread_in_tau,
        c.spread_in_steps
    )
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
    let schedule = (cell.lambda_schedule != LambdaScheduleKind::Constant).then(|| "λ at the start".to_owned());
    let why = matches!(cell.outcome, Outcome::Flat | Outcome::Censored | Outcome::Diverged).then(|| cell.why.clone());
    [schedule, why].into_iter().flatten().collect::<Vec<_>>().join(", ")
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
    complete(store, summary, report)
}

/// Writes the files of a study in several phases, its traces packed: they may be many.
///
/// # Errors
/// When a file cannot be written.
pub fn write_packed(job: &Job, summary: &impl Serialize, phases: &[&[Trace]], report: &Report) -> Result<()> {
    let Some(store) = &job.store else { return Ok(()) };
    let Some(_claim) = ending(store)? else { return Ok(()) };
    let mut packed = GzBuilder::new().write(Vec::new(), Compression::best());
    packed.write_all(&csv_of_phases(phases)?)?;
    store.write("traces.csv.gz", &packed.finish()?)?;
    complete(store, summary, report)
}

/// Writes a report with its figures, and last the summary, with which a directory is complete.
fn complete(store: &Store, summary: &impl Serialize, report: &Report) -> Result<()> {
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

/// The columns of `traces.csv`.
const COLUMNS: [&str; 13] = [
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
];

/// Every measurement of every run of a study, its phase first, with the digits that an f32 has.
fn csv_of_phases(phases: &[&[Trace]]) -> Result<Vec<u8>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(["phase"].into_iter().chain(COLUMNS))?;
    let runs = phases.iter().enumerate().flat_map(|(phase, traces)| traces.iter().map(move |trace| (phase, trace)));
    for (run, (phase, trace)) in runs.enumerate() {
        for m in &trace.points {
            csv.serialize((
                (phase, run, m.lambda, m.lr, trace.run.momentum, trace.run.seed, m.step, m.epoch as f32, m.tau as f32),
                (m.train_loss as f32, m.train_accuracy as f32, m.test_loss as f32, m.test_accuracy as f32),
                m.sq_norm as f32,
            ))?;
        }
    }
    Ok(csv.into_inner()?)
}

/// Every measurement of every run, numbered through the phases.
fn csv(phases: &[&[Trace]]) -> Result<Vec<u8>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(COLUMNS)?;
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
