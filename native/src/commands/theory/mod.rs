//! `l2lab theory`: what infinitely wide networks do on a data set under L2, beside trained ones.

mod networks;
mod report;
mod spectrum;

use std::{fmt::Write, path::PathBuf};

use anyhow::{Result, bail};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use l2lab_core::{
    Experiment,
    data::Split,
    experiment::ExperimentError,
    law::{Exponent, exponent},
    recording::{LearnedMode, MeasuredKernel, RECORDING_VERSION, TheoryCurves, TheoryRecording},
    run::RunSpec,
    theory::{self, Clamped, Life, Network, Point, Problem, alignment, largest_stable_lr, power},
};
use serde::Serialize;

use self::networks::{Comparison, NetworkPeak};
use super::{CHANGED, Job, Recipe};
use crate::{
    cli, interrupt, kernels, memory,
    output::{self, number},
    store::Store,
    study::Claim,
    threads,
};

/// Widths of the networks that are compared with the theory.
const WIDTHS: [usize; 5] = [32, 64, 128, 256, 512];
const NO_NETWORKS: &str = "--no-networks";

/// The flags that the experiment does not have, and what the others mean here.
pub fn flags(command: Command) -> Command {
    let text = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("LIST").allow_hyphen_values(true).help(help)
    };
    let ignored = theory::FIELDS.into_iter().filter(|name| *name != "lambda");
    let ignored = ignored.chain(["file", "resume", "widths", "no-networks", "data-dir", "device", "threads"]);
    command
        .mut_arg("activation", |a| a.help("Activation: relu or linear [default: relu]"))
        .mut_arg("seeds", |a| a.help("Trained networks of each width and λ [default: 3]"))
        .mut_arg("measurements", |a| a.help("Measurements of each trained network for each tenfold of steps [default: 24]"))
        .mut_arg("out", |a| {
            a.help(
                "Directory for experiment.toml, trajectories.csv, modes.csv, summary.json, report.html and figures; never \
                 overwritten",
            )
        })
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
                .conflicts_with_all(ignored)
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
    /// Time of the least test loss: η·steps. `None` if the loss has none before the end: for k < 2, unless the network
    /// overfits.
    pub t_star: Option<f64>,
    /// λ·t_*.
    pub tau_star: Option<f64>,
    /// At t_*, or at the end if there is none.
    pub best: Moment,
    /// At the last time.
    pub r#final: Moment,
    /// Modes that are learned at some time.
    pub learned_modes: usize,
    /// The largest η at which gradient descent without momentum is stable at infinite width.
    pub largest_stable_lr: Option<f64>,
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
    heading: String,
    about: String,
    experiment: Experiment,
    /// Homogeneity degree.
    k: usize,
    /// Modes of the kernel: training examples.
    pub modes: usize,
    /// Largest and smallest eigenvalue of the kernel over the number of training examples.
    eigenvalues: [f64; 2],
    /// Eigenvalues that rounding made negative, and the least of them.
    clamped: usize,
    clamped_least: f64,
    /// Share of the targets' power in the first 10 modes.
    power_in_10_modes: f64,
    /// One for each λ.
    pub runs: Vec<LambdaSummary>,
    /// Of log t_* on log λ.
    slope: Option<f64>,
    /// The same where some mode is never learned.
    pub slope_of_peaks: Option<f64>,
    /// Trained networks, unless left out.
    pub networks: Option<Comparison>,
    /// What that says of claims, where a command asks.
    claims: Vec<Claim>,
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
    let telling = Telling {
        command: "theory",
        heading: "Why L2 is a clock: infinitely wide networks".into(),
        flags: given(&widths),
        claims: &|_| Vec::new(),
    };
    make(matches, theory::experiment(), &widths, telling)
}

/// What a command that reports the theory is, and what it has to say of claims.
pub struct Telling<'a> {
    /// Its name.
    pub command: &'static str,
    /// The report's heading.
    pub heading: String,
    /// Those of its own flags that results depend on.
    pub flags: String,
    /// What the results say of the paper's claims.
    pub claims: &'a (dyn Fn(&Summary) -> Vec<Claim> + Sync),
}

/// Refuses networks that the theory has nothing to say of.
fn check_network(experiment: &Experiment) -> Result<()> {
    Ok(Network::of(experiment).map(drop)?)
}

/// Solves the theory of an experiment, trains networks of `widths` beside it, and reports both.
///
/// # Errors
/// Whatever is wrong with the input, or happens on the way.
pub fn make(matches: &ArgMatches, base: Experiment, widths: &[usize], telling: Telling<'_>) -> Result<String> {
    let recipe = Recipe {
        flags: telling.flags.clone(),
        keeps: true,
        runs: &|e, split| check(e, split, widths),
        ..Recipe::of_grid(telling.command, base, &check_network)
    };
    let job = Job::start(matches, recipe)?;
    let outcome = threads::with(job.threads, || theory(&job, widths, &telling));
    let summary = job.explain(telling.command, outcome)?;
    if job.options.json {
        return Ok(serde_json::to_string(&summary)? + "\n");
    }
    Ok(text(&summary) + &crate::output::place(&job))
}

/// The networks' widths that the flags ask for, or that the directory to be resumed was made with.
fn widths(matches: &ArgMatches) -> Result<Vec<usize>> {
    let told = match matches.get_one::<String>("widths") {
        _ if matches.get_flag("no-networks") => Some(Vec::new()),
        text => text.map(|text| parse(text)).transpose()?,
    };
    let held = match cli::resumed(matches) {
        Some(dir) => Store::flags(&dir)?,
        None => None,
    };
    match (told, held) {
        (Some(told), Some(held)) if given(&told) != held => bail!(CHANGED),
        (None, Some(held)) => match held.strip_prefix("--widths ") {
            Some(text) => parse(text),
            None => Ok(Vec::new()),
        },
        (told, _) => Ok(told.unwrap_or_else(|| WIDTHS.to_vec())),
    }
}

/// The flags that ask for these widths.
fn given(widths: &[usize]) -> String {
    match widths {
        [] => NO_NETWORKS.into(),
        _ => format!("--widths {}", widths.iter().map(usize::to_string).collect::<Vec<_>>().join(",")),
    }
}

fn parse(text: &str) -> Result<Vec<usize>> {
    let mut widths = Vec::new();
    for item in text.split(',') {
        match item.trim().parse::<usize>() {
            Ok(width @ 1..=65_536) if !widths.contains(&width) => widths.push(width),
            _ => {
                let (value, allowed) = (item.to_owned(), "numbers from 1 to 65536, each once".into());
                return Err(ExperimentError::Value { field: "widths", value, allowed }.into());
            }
        }
    }
    Ok(widths)
}

/// Whether it can be done; the runs are not known before the spectrum is.
fn check(experiment: &Experiment, split: &Split, widths: &[usize]) -> Result<Vec<RunSpec>> {
    for &width in widths {
        Experiment { width, ..experiment.clone() }.model(split)?;
    }
    let (n, tests) = (split.train.len(), split.test.len());
    let what = format!("the theory of {n} training and {tests} test examples");
    memory::check(&what, Problem::bytes(n, tests, split.train.image_size()), "use fewer examples")?;
    Problem::check_scale(&Network::of(experiment)?, &split.train)?;
    Ok(Vec::new())
}

fn theory(job: &Job, widths: &[usize], telling: &Telling<'_>) -> Result<Summary> {
    let e = &job.experiment;
    let network = Network::of(e)?;
    let n = job.split.train.len();
    let problem = Problem::of_data(&network, &job.split, kernels::compute)?;
    let solved = e.lambda.iter().map(|&l| solve(&problem, l)).collect::<Result<Vec<_>>>()?;
    let networks = (!widths.is_empty()).then(|| networks::compare(job, &network, &problem, widths)).transpose()?;

    let slope = |runs: &mut dyn Iterator<Item = &Solved>| {
        let points = runs.filter_map(|s| Some((s.summary.lambda, s.summary.t_star?))).collect();
        exponent(&[points]).map(|Exponent { exponent, .. }| exponent)
    };
    let Clamped { count, least } = problem.spectrum().clamped;
    let mut summary = Summary {
        command: telling.command,
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
        heading: telling.heading.clone(),
        about: String::new(),
        claims: Vec::new(),
    };
    summary.about = summary.title();
    summary.claims = (telling.claims)(&summary);
    if let Some(store) = &job.store {
        store.write("trajectories.csv", &trajectories(&solved)?)?;
        store.write("modes.csv", &modes(&problem, &solved)?)?;
        let report = report::report(&summary, &problem, &solved, &job.flags)?;
        store.write("report.html", report.html.as_bytes())?;
        for (name, svg) in &report.figures {
            store.write(name, svg.as_bytes())?;
        }
        store.write("recording.json", &output::recording(&recording(job, &summary, &problem, &solved)?)?)?;
        store.complete(&(serde_json::to_string_pretty(&summary)? + "\n"))?;
    }
    Ok(summary)
}

/// Points of a recorded curve.
const RECORDED: usize = 48;

/// What a page's figure shows.
fn recording(job: &Job, summary: &Summary, problem: &Problem, solved: &[Solved]) -> Result<TheoryRecording> {
    let gammas = problem.spectrum().values.clone();
    let curves = |s: &Solved| {
        let lambda = s.summary.lambda;
        let times = times(gammas[0], lambda, RECORDED);
        let losses = problem.losses(lambda, &times)?;
        let flow = problem.homogeneous().flow(lambda)?;
        let mode = |index: usize| {
            let mode = flow.mode(gammas[index])?;
            let learned = times.iter().map(|&t| Ok(flow.at(t)?.response(&mode).target));
            Ok(LearnedMode { index, learned: learned.collect::<Result<_>>()? })
        };
        Ok(TheoryCurves {
            lambda,
            t_star: s.summary.t_star,
            modes: report::drawn(&gammas).into_iter().map(mode).collect::<Result<_>>()?,
            train_loss: losses.iter().map(|l| l.0).collect(),
            test_loss: losses.iter().filter_map(|l| l.1).collect(),
            times,
        })
    };
    let networks = summary.networks.as_ref();
    let kernels = networks.and_then(|n| n.lambda).into_iter().flat_map(|lambda| {
        let points = networks.into_iter().flat_map(|n| &n.kernels);
        points.map(move |p| MeasuredKernel { lambda, width: p.width, tau: p.tau, scale: p.scale })
    });
    let own = if job.flags == given(&WIDTHS) { String::new() } else { format!(" {}", job.flags.trim()) };
    Ok(TheoryRecording {
        version: RECORDING_VERSION,
        command: cli::command_line("theory", &|_| theory::experiment(), &summary.experiment) + &own,
        experiment: summary.experiment.clone(),
        k: summary.k,
        lambdas: solved.iter().map(curves).collect::<Result<_>>()?,
        networks: networks.map_or_else(Vec::new, |n| n.trained.clone()),
        kernels: kernels.collect(),
        gammas,
    })
}

/// Times in equal ratios, from before the first mode is learned to after the last is forgotten.
fn times(largest: f64, lambda: f64, count: usize) -> Vec<f64> {
    let (low, high) = ((0.01 / largest.max(lambda)).ln(), (10.0 / lambda).ln());
    (0..count).map(|i| (low + (high - low) * i as f64 / (count - 1) as f64).exp()).collect()
}

/// One λ: its curve, its t_*, the course of its modes.
fn solve(problem: &Problem, lambda: f64) -> Result<Solved> {
    interrupt::check()?;
    let largest = problem.spectrum().values[0];
    let times = times(largest, lambda, TIMES);
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
        largest_stable_lr: largest_stable_lr(problem.homogeneous().degree(), largest, lambda, 0.0),
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
    /// Trained networks of each width and λ.
    pub fn seeds(&self) -> usize {
        self.experiment.seeds
    }

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

    /// How t_* goes with λ, in words.
    fn law(&self) -> String {
        let peaks = self.runs.iter().filter(|r| r.t_star.is_some()).count();
        let law = match self.slope {
            Some(slope) => format!("slope of log t_* on log λ: {slope:.4} (the law: −1)"),
            None if peaks == 0 => "no t_*: for none of these λ the test loss is least before the end".to_owned(),
            None => format!(
                "no slope of log t_* on log λ: it needs two λ that have a t_*, here {peaks} of {} has one",
                self.runs.len()
            ),
        };
        // Ridge regression, at most.
        let forgets = if self.k < 2 {
            format!("; with k = {} L2 does not undo what is learned, so a t_* is overfitting's", self.k)
        } else {
            String::new()
        };
        law + &forgets
    }

    /// Where the theory's t_* is no peak, in words.
    fn plateau(&self) -> Option<String> {
        let flat = self.runs.iter().filter(|r| self.k >= 2 && r.t_star.is_some() && r.learned_modes == self.modes);
        let largest = flat.map(|r| r.lambda).reduce(f64::max)?;
        let others = self.slope_of_peaks.map_or(String::new(), |s| format!(" Without these the slope is {s:.3}."));
        Some(format!(
            "At λ = {largest:e} and below every mode is learned before L2 undoes any: t_* is the lowest point of a plateau there, \
             and λt_* need not be constant.{others}"
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

    /// All that is to be said, in words.
    fn findings(&self) -> Vec<String> {
        let notes = self.networks.iter().flat_map(|c| c.notes.clone());
        let found = [Some(self.law()), self.plateau(), self.own_starts(), self.exponents()];
        found.into_iter().flatten().chain(notes).chain(self.claims.iter().map(Claim::text)).collect()
    }

    /// The trained networks' exponents, in words.
    fn exponents(&self) -> Option<String> {
        let c = self.networks.as_ref()?;
        let lambda = c.lambda?;
        let shown = |e: &Option<Exponent>| {
            e.as_ref().map_or_else(|| "—".to_owned(), |e| crate::output::with_interval(e.exponent, e.exponent_ci, 2))
        };
        Some(format!(
            "Networks at λ = {lambda} on {} images: the distance of their outputs from theory goes as width^{} (theory: −½), that of \
             their kernel from its decay as width^{} (theory: −1); 95 % intervals over {} seeds.",
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
    let _ = writeln!(out, "        λ        t_*     λt_*  test loss  best acc   end acc  modes learned  largest η");
    for r in &summary.runs {
        let _ = writeln!(
            out,
            "{:>9.1e} {:>10} {:>8} {:>10.4} {:>9.4} {:>9.4} {:>14} {:>10}",
            r.lambda,
            number(r.t_star, 2),
            number(r.tau_star, 4),
            r.best.test_loss,
            r.best.test_accuracy,
            r.r#final.test_accuracy,
            r.learned_modes,
            number(r.largest_stable_lr, 4)
        );
    }
    let _ = writeln!(out, "\n{}", summary.findings().join("\n"));
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
