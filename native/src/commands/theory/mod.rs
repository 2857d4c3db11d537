//! `l2lab theory`: what infinitely wide networks do on a data set under L2, beside trained ones.

mod networks;
mod report;
mod spectrum;

use std::{fmt::Write, path::PathBuf};

use anyhow::{Result, bail};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use l2lab_core::{
    Experiment,
    law::{Exponent, exponent},
    theory::{self, Clamped, Life, Network, Point, Problem, alignment, power},
};
use serde::Serialize;

use self::networks::{Comparison, NetworkPeak};
use super::{Job, Start, already_complete};
use crate::{kernels, output::number, store::free_directory, threads};

/// The experiment's fields that the theory of a data set depends on.
pub const FIELDS: [&str; 14] = [
    "data",
    "train",
    "test",
    "validation",
    "label-noise",
    "data-seed",
    "depth",
    "activation",
    "w-std",
    "lambda",
    "seeds",
    "seed",
    "measurements",
    "width",
];

/// Widths of the networks that are compared with the theory.
const WIDTHS: &str = "32,64,128,256,512";

/// The flags that the experiment does not have.
pub fn flags(command: Command) -> Command {
    let text = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("LIST").allow_hyphen_values(true).help(help)
    };
    command
        .next_help_heading("Options")
        .arg(text("widths", "Hidden units of the trained networks [default: 32,64,128,256,512]"))
        .arg(Arg::new("no-networks").long("no-networks").action(ArgAction::SetTrue).help("Theory alone"))
        .next_help_heading("A bare spectrum instead of data")
        .arg(
            Arg::new("spectrum")
                .long("spectrum")
                .value_name("FILE.csv")
                .value_parser(value_parser!(PathBuf))
                .requires_all(["k", "lambda", "times", "out"])
                .help("Columns gamma,y[,f0]; --out OUT.csv then gets lambda,time,mode,f"),
        )
        .arg(
            Arg::new("k")
                .long("k")
                .value_name("K")
                .value_parser(value_parser!(usize))
                .requires("spectrum")
                .help("Homogeneity degree"),
        )
        .arg(text("times", "Times, by commas").requires("spectrum"))
}

/// What the theory says of one λ.
#[derive(Debug, Clone, Serialize)]
pub struct LambdaSummary {
    /// L2 coefficient λ.
    pub lambda: f64,
    /// Time of the least test loss: η·steps. `None` if there is none (k < 2).
    pub t_star: Option<f64>,
    /// λ·t_*.
    pub tau_star: Option<f64>,
    /// At t_*, or at the end if there is none.
    pub best: Moment,
    /// At the last time.
    pub r#final: Moment,
    /// Modes that are learned at some time.
    pub learned_modes: usize,
}

/// Losses and accuracies at one time.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Moment {
    /// Time of gradient flow: η·steps.
    pub time: f64,
    /// Mean ½‖f − y‖².
    pub train_loss: f64,
    /// Share of training examples that are right.
    pub train_accuracy: f64,
    /// Mean ½‖f − y‖².
    pub test_loss: f64,
    /// Share of test examples that are right.
    pub test_accuracy: f64,
}

impl From<Point> for Moment {
    fn from(p: Point) -> Self {
        Self {
            time: p.time,
            train_loss: p.train_loss,
            train_accuracy: p.train_accuracy,
            test_loss: p.test_loss.unwrap_or(f64::NAN),
            test_accuracy: p.test_accuracy.unwrap_or(f64::NAN),
        }
    }
}

/// `summary.json`.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    command: &'static str,
    version: &'static str,
    device: String,
    experiment: Experiment,
    /// Homogeneity degree.
    k: usize,
    /// Modes of the kernel: training examples.
    modes: usize,
    /// Largest and smallest eigenvalue of the kernel over the number of training examples.
    eigenvalues: [f64; 2],
    /// Eigenvalues that rounding made negative, and the least of them.
    clamped: usize,
    clamped_least: f64,
    /// Share of the targets' power in the first 10 modes.
    power_in_10_modes: f64,
    /// One for each λ.
    runs: Vec<LambdaSummary>,
    /// Of log t_* on log λ.
    slope: Option<f64>,
    /// The same where some mode is never learned.
    slope_of_peaks: Option<f64>,
    /// Trained networks, unless left out.
    networks: Option<Comparison>,
}

/// One λ in full.
struct Solved {
    summary: LambdaSummary,
    trajectory: Vec<Point>,
    lives: Vec<Life>,
}

/// Times of a trajectory.
const TIMES: usize = 120;

/// Runs the command.
///
/// # Errors
/// Whatever is wrong with the input, or happens on the way.
pub fn run(matches: &ArgMatches) -> Result<String> {
    if let Some(path) = matches.get_one::<PathBuf>("spectrum") {
        return spectrum::run(matches, path);
    }
    let widths = widths(matches)?;
    let job = match Job::start(
        "theory",
        matches,
        theory::experiment(),
        |e| check(e, &widths),
        || Some(free_directory("theory")),
    )? {
        Start::Job(job) => job,
        Start::Complete { dir, summary } => return already_complete(&dir, summary, matches.get_flag("json")),
    };
    let outcome = threads::with(job.threads, || theory(&job, &widths));
    let summary = job.explain("theory", outcome)?;
    if job.options.json {
        return Ok(serde_json::to_string(&summary)? + "\n");
    }
    Ok(text(&summary) + &crate::output::place(&job))
}

fn widths(matches: &ArgMatches) -> Result<Vec<usize>> {
    if matches.get_flag("no-networks") {
        return Ok(Vec::new());
    }
    let text = matches.get_one::<String>("widths").map_or(WIDTHS, String::as_str);
    let mut widths = Vec::new();
    for item in text.split(',') {
        match item.trim().parse::<usize>() {
            Ok(width @ 1..=65_536) if !widths.contains(&width) => widths.push(width),
            _ => bail!("--widths: '{item}' is not allowed: numbers from 1 to 65536, each once"),
        }
    }
    Ok(widths)
}

fn check(experiment: &Experiment, widths: &[usize]) -> Result<()> {
    Network::of(experiment)?;
    for &width in widths {
        Experiment { width, ..experiment.clone() }.validate()?;
    }
    Ok(())
}

fn theory(job: &Job, widths: &[usize]) -> Result<Summary> {
    let e = &job.experiment;
    let network = Network::of(e)?;
    let (n, tests) = (job.split.train.len(), job.split.test.len());
    kernels::check_memory(
        &format!("the theory of {n} training and {tests} test examples"),
        // Kernel, eigenvectors with their work space, the form of the test loss; the test kernel, in examples and in modes.
        size_of::<f64>().saturating_mul(n).saturating_mul(7 * n + 2 * tests),
    )?;
    let problem = Problem::of_data(&network, &job.split, |what, kernel| kernels::compute(what, kernel, 0))?;
    let solved = e.lambda.iter().map(|&l| solve(&problem, l)).collect::<Result<Vec<_>>>()?;
    let networks = (!widths.is_empty()).then(|| networks::compare(job, &network, &problem, widths)).transpose()?;

    let slope = |runs: &mut dyn Iterator<Item = &Solved>| {
        let points = runs.filter_map(|s| Some((s.summary.lambda, s.summary.t_star?))).collect();
        exponent(&[points]).map(|Exponent { exponent, .. }| exponent)
    };
    let Clamped { count, least } = problem.spectrum().clamped;
    let summary = Summary {
        command: "theory",
        version: env!("CARGO_PKG_VERSION"),
        device: job.options.device.to_string(),
        experiment: e.clone(),
        k: problem.homogeneous().degree(),
        modes: n,
        eigenvalues: [problem.spectrum().values[0], problem.spectrum().values[n - 1]],
        clamped: count,
        clamped_least: least,
        power_in_10_modes: *alignment(problem.target()).get(9).unwrap_or(&1.0),
        runs: solved.iter().map(|s| s.summary.clone()).collect(),
        slope: slope(&mut solved.iter()),
        slope_of_peaks: slope(&mut solved.iter().filter(|s| s.summary.learned_modes < n)),
        networks,
    };
    if let Some(store) = &job.store {
        store.write("trajectories.csv", &trajectories(&solved)?)?;
        store.write("modes.csv", &modes(&problem, &solved)?)?;
        let report = report::report(&summary, &problem, &solved)?;
        store.write("report.html", report.html.as_bytes())?;
        for (name, svg) in &report.figures {
            store.write(name, svg.as_bytes())?;
        }
        store.complete(&(serde_json::to_string_pretty(&summary)? + "\n"))?;
    }
    Ok(summary)
}

/// One λ: its curve, its t_*, the course of its modes.
fn solve(problem: &Problem, lambda: f64) -> Result<Solved> {
    let largest = problem.spectrum().values[0];
    // From before the first mode is learned to after the last is forgotten.
    let (low, high) = ((0.01 / largest).ln(), (10.0 / lambda).ln());
    let times: Vec<f64> = (0..TIMES).map(|i| (low + (high - low) * i as f64 / (TIMES - 1) as f64).exp()).collect();
    let trajectory = problem.trajectory(lambda, &times)?;
    let t_star = problem.peak(lambda)?;
    let last = trajectory[TIMES - 1];
    let best = match t_star {
        Some(time) => problem.trajectory(lambda, &[time])?[0],
        None => last,
    };
    let flow = problem.homogeneous().flow(lambda)?;
    let life = |&gamma: &f64| Ok(flow.life(&flow.mode(gamma)?));
    let lives = problem.spectrum().values.iter().map(life).collect::<Result<Vec<Life>>>()?;
    let summary = LambdaSummary {
        lambda,
        t_star,
        tau_star: t_star.map(|t| lambda * t),
        best: best.into(),
        r#final: last.into(),
        learned_modes: lives.iter().filter(|l| l.learned.is_some()).count(),
    };
    Ok(Solved { summary, trajectory, lives })
}

fn trajectories(solved: &[Solved]) -> Result<Vec<u8>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(["lambda", "time", "train_loss", "test_loss", "test_accuracy", "kernel_scale"])?;
    for s in solved {
        for p in &s.trajectory {
            csv.serialize((s.summary.lambda, p.time, p.train_loss, p.test_loss, p.test_accuracy, p.kernel_scale))?;
        }
    }
    Ok(csv.into_inner()?)
}

fn modes(problem: &Problem, solved: &[Solved]) -> Result<Vec<u8>> {
    let powers = power(problem.target());
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(["lambda", "mode", "gamma", "target_power", "peak", "learned", "half_life"])?;
    for s in solved {
        for (mode, ((gamma, power), life)) in problem.spectrum().values.iter().zip(&powers).zip(&s.lives).enumerate() {
            csv.serialize((s.summary.lambda, mode, gamma, power, life.peak, life.learned, life.half_life))?;
        }
    }
    Ok(csv.into_inner()?)
}

impl Summary {
    /// What the theory is of, in a line.
    fn title(&self) -> String {
        let e = &self.experiment;
        format!(
            "{} ({} training, {} test images); infinitely wide {} network of depth {}, k = {}; MSE, gradient flow",
            e.data,
            e.train,
            e.test,
            e.get("activation").unwrap_or_default(),
            e.depth,
            self.k
        )
    }

    /// Where the theory's t_* is no peak, in words.
    fn plateau(&self) -> Option<String> {
        let flat: Vec<f64> = self.runs.iter().filter(|r| r.learned_modes == self.modes).map(|r| r.lambda).collect();
        let largest = flat.iter().copied().reduce(f64::max)?;
        Some(format!(
            "At λ = {largest:e} and below every mode is learned before L2 undoes any: t_* is the lowest point of a plateau there, \
             and λt_* need not be constant. Without these the slope is {}.",
            number(self.slope_of_peaks, 3)
        ))
    }

    /// The theory of the trained networks' t_*, in words.
    fn own_starts(&self) -> Option<String> {
        let c = self.networks.as_ref()?;
        let slope = c.expected_slope.as_ref()?;
        let off = |p: &NetworkPeak| {
            let expected = c.expected.iter().find(|e| (e.lambda, e.seed) == (p.lambda, p.seed))?;
            Some((p.t_star / expected.t_star - 1.0).abs())
        };
        let largest = c.peaks.iter().filter_map(off).reduce(f64::max);
        let measured = largest.map_or(String::new(), |l| {
            format!(
                " Trained networks peak within {:.0} % of it (n = {} runs, the largest difference).",
                100.0 * l,
                c.peaks.len()
            )
        });
        Some(format!(
            "From the random outputs that networks of width {} start with, the theory's slope is {} over all λ.{measured}",
            c.peak_width,
            crate::output::with_interval(slope.exponent, slope.exponent_ci, 3)
        ))
    }

    /// The trained networks' exponents, in words.
    fn exponents(&self) -> Option<String> {
        let c = self.networks.as_ref()?;
        let shown = |e: &Option<Exponent>| {
            e.as_ref().map_or_else(|| "—".to_owned(), |e| crate::output::with_interval(e.exponent, e.exponent_ci, 2))
        };
        Some(format!(
            "Networks at λ = {} on {} images: the distance of their outputs from theory goes as width^{} (theory: −½), that of \
             their kernel from its decay as width^{} (theory: −1); 95 % bootstrap over {} seeds.",
            c.lambda,
            c.examples,
            shown(&c.function_exponent),
            shown(&c.kernel_exponent),
            self.experiment.seeds
        ))
    }
}

/// The table for a terminal.
fn text(summary: &Summary) -> String {
    let mut out = String::new();
    let [largest, smallest] = summary.eigenvalues;
    let _ = writeln!(out, "{}", summary.title());
    let _ = writeln!(
        out,
        "kernel/n: eigenvalues {largest:.3e} to {smallest:.3e}, {} clamped; {:.0} % of the targets in 10 modes\n",
        summary.clamped,
        100.0 * summary.power_in_10_modes
    );
    let _ = writeln!(out, "        λ        t_*     λt_*  test loss  best acc   end acc  modes learned");
    for r in &summary.runs {
        let _ = writeln!(
            out,
            "{:>9.1e} {:>10} {:>8} {:>10.4} {:>9.4} {:>9.4} {:>14}",
            r.lambda,
            number(r.t_star, 2),
            number(r.tau_star, 4),
            r.best.test_loss,
            r.best.test_accuracy,
            r.r#final.test_accuracy,
            r.learned_modes
        );
    }
    match summary.slope {
        Some(slope) => {
            let _ = writeln!(out, "\nslope of log t_* on log λ: {slope:.4} (the law: −1)");
        }
        None => out.push_str("\nno peak before the end: L2 does not undo what is learned (k < 2)\n"),
    }
    for text in [summary.plateau(), summary.own_starts(), summary.exponents()].into_iter().flatten() {
        let _ = writeln!(out, "{text}");
    }
    if let Some(c) = summary.networks.as_ref().filter(|c| !c.peaks.is_empty()) {
        let _ = writeln!(
            out,
            "\nt_* of trained networks of width {}, and of the theory from their own f(0):",
            c.peak_width
        );
        let _ = writeln!(out, "        λ  seed        t_*     λt_*     theory");
        for p in &c.peaks {
            let expected = c.expected.iter().find(|e| (e.lambda, e.seed) == (p.lambda, p.seed)).map(|e| e.t_star);
            let expected = number(expected, 2);
            let _ =
                writeln!(out, "{:>9.1e} {:>5} {:>10.2} {:>8.4} {expected:>10}", p.lambda, p.seed, p.t_star, p.tau_star);
        }
    }
    out
}
