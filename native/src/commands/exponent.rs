//! `l2lab exponent`: how the best λ goes with the training budget on the user's own set-up, beside the laws that people propose.

use std::fmt::Write;

use anyhow::{Result, bail};
use clap::{Arg, ArgMatches, Command};
use l2lab_core::{
    Experiment,
    experiment::ExperimentError,
    law::{Decision, OptimalExponent, Optimum, SLOPE_TOLERANCE, Score, mean_by_lambda, optimal_exponent},
    run::{Length, Trace},
};
use plotters::prelude::SeriesLabelPosition;
use serde::Serialize;

use super::{CHANGED, Job, Recipe};
use crate::{
    cli,
    figures::{Figure, Mark, Series},
    output::{title, with_interval},
    report::{Part, table_of},
    store::Store,
    study::{Claim, Study},
};

const COMMAND: &str = "exponent";
/// Budgets unless told otherwise, as fractions of the length of a run.
const BUDGETS: [f64; 4] = [0.125, 0.25, 0.5, 1.0];
const FLAG: &str = "--budgets ";

/// Exponents p of λ_opt ∝ T^(−p) that people propose, and who.
const LAWS: [(f64, &str); 4] = [
    (1.0, "Lewkowycz & Gur-Ari"),
    (0.5, "Loshchilov & Hutter's normalized decay"),
    (0.47, "Power Lines, one-epoch language models"),
    (0.0, "Wang & Aitchison, where T grows through epochs"),
];

/// A grid wide enough for the optimum to move in.
pub fn base() -> Experiment {
    Experiment {
        lr: vec![0.1].into(),
        lambda: vec![0.3, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001].into(),
        steps: Some(4000),
        ..Experiment::default()
    }
}

/// The flag that the experiment does not have.
pub fn flags(command: Command) -> Command {
    command
        .about("Measure p in λ_opt ∝ T^(−p) on your own set-up, with an interval")
        .after_help(
            "With a constant learning rate one grid of the longest length serves every budget; with a schedule each budget has \
             its own.\nExample: l2lab exponent --data mnist --budgets 500,1000,2000,4000",
        )
        .arg(
            Arg::new("budgets")
                .long("budgets")
                .value_name("LIST")
                .allow_hyphen_values(true)
                .help("Training budgets, steps or epochs: 500,1000 or 5ep,10ep [default: 1/8, 1/4, 1/2 and 1 of --steps or --epochs]"),
        )
}

fn check(experiment: &Experiment) -> Result<()> {
    let conflict = |text: &str| Err(ExperimentError::Conflict(text.into()).into());
    if experiment.lr.len() != 1 {
        return conflict("lr: 'exponent' takes one");
    }
    if experiment.lambda.iter().filter(|&&l| l > 0.0).count() < 3 {
        return conflict("lambda: an optimum needs a grid of three or more values above 0");
    }
    if experiment.steps.is_none() && experiment.epochs.is_none() {
        return conflict("tau: budgets are equal for all λ; give the longest as steps or epochs");
    }
    Ok(())
}

/// The budgets that the flags ask for, or that the directory to be resumed was made with: as text, empty for the default.
fn budgets(matches: &ArgMatches) -> Result<String> {
    let told = matches.get_one::<String>("budgets").cloned();
    let held = match cli::resumed(matches) {
        Some(dir) => Some(Store::flags(&dir)?.unwrap_or_default().trim_start_matches(FLAG).to_owned()),
        None => None,
    };
    match (told, held) {
        (Some(told), Some(held)) if told != held => bail!(CHANGED),
        (_, Some(held)) => Ok(held),
        (told, None) => Ok(told.unwrap_or_default()),
    }
}

/// Budgets in steps, rising.
fn steps(text: &str, e: &Experiment, examples: usize) -> Result<Vec<u64>> {
    let longest = e.runs(examples)?[0].steps;
    if text.is_empty() {
        let mut steps: Vec<u64> = BUDGETS.map(|f| (longest as f64 * f).round().max(1.0) as u64).to_vec();
        steps.dedup();
        return Ok(steps);
    }
    let refused = |value: &str, allowed: &str| {
        let (value, allowed) = (value.to_owned(), allowed.to_owned());
        ExperimentError::Value { field: "budgets", value, allowed }
    };
    let mut steps = Vec::new();
    for item in text.split(',') {
        let length: Length = item.parse().map_err(|e| refused(item, &format!("{e}")))?;
        if matches!(length, Length::Tau(_)) {
            return Err(refused(item, "steps or epochs: τ is another length for each λ").into());
        }
        let budget = e.length_in_steps(length, e.lr[0], e.lambda[0], examples)?;
        if budget > longest {
            return Err(refused(item, &format!("at most the length of the runs, {longest} steps")).into());
        }
        steps.push(budget);
    }
    steps.sort_unstable();
    steps.dedup();
    if steps.len() < 2 {
        return Err(refused(text, "two or more different budgets: one has no exponent").into());
    }
    Ok(steps)
}

#[derive(Serialize)]
struct Findings<'a> {
    budgets: &'a [u64],
    optima: &'a [Optimum],
    exponent: &'a Option<OptimalExponent>,
    /// Why there is none, in words.
    refused: Option<String>,
    /// The exponents that people propose, and whether the interval has them.
    laws: Vec<Law>,
}

#[derive(Serialize)]
struct Law {
    p: f64,
    of: &'static str,
    inside: Option<bool>,
}

/// Runs the command.
///
/// # Errors
/// Whatever is wrong with the input, or happens on the way.
pub fn run(matches: &ArgMatches) -> Result<String> {
    let text = budgets(matches)?;
    let flags = if text.is_empty() { String::new() } else { format!("{FLAG}{text}") };
    let runs = |e: &Experiment, split: &l2lab_core::data::Split| {
        steps(&text, e, split.train.len())?;
        Ok(e.runs(split.train.len())?)
    };
    let recipe = Recipe { flags, keeps: true, runs: &runs, ..Recipe::of_grid(COMMAND, base(), &check) };
    let job = Job::start(matches, recipe)?;
    let e = &job.experiment;
    let budgets = steps(&text, e, job.train_examples())?;
    let phases = train(&job, &budgets)?;
    let outcomes: Vec<(f64, Vec<Score>)> = budgets
        .iter()
        .enumerate()
        .map(|(i, &budget)| {
            let grid = &phases[i.min(phases.len() - 1)];
            let budget = budget as f64;
            (budget, Score::within(grid, budget))
        })
        .collect();
    let (optima, exponent) = optimal_exponent(&outcomes);
    let (exponent, refused) = (exponent.as_ref().ok().cloned(), exponent.err());
    let claims: Vec<Claim> = exponent.as_ref().map(claim).into_iter().collect();
    let findings =
        Findings { budgets: &budgets, optima: &optima, exponent: &exponent, refused, laws: laws(exponent.as_ref()) };
    let tail = table_of(&HEAD, &rows(&optima, &outcomes)) + &table_of(&LAW_HEAD, &law_rows(&findings.laws));
    let study = Study {
        command: COMMAND,
        heading: "The best λ against the training budget".into(),
        about: title(e, &(&job.model).into()),
        claims: &claims,
        findings: &findings,
        parts: parts(&optima, &outcomes, exponent.as_ref()),
        tail,
        text: table(&optima, &outcomes, &findings),
    };
    let phases: Vec<&[Trace]> = phases.iter().map(Vec::as_slice).collect();
    study.finish(&job, &phases)
}

/// The grid's traces: one for all budgets, or one for each where η has a schedule, which ends with the budget.
fn train(job: &Job, budgets: &[u64]) -> Result<Vec<Vec<Trace>>> {
    if job.experiment.lr_course().is_constant() {
        return Ok(vec![job.explain(COMMAND, job.executor().train("grid", &job.runs))?]);
    }
    let of_budget = |(i, &steps): (usize, &u64)| {
        let e = &job.experiment;
        let runs: Vec<_> = job.runs.iter().map(|r| e.run(r.lr, r.lambda, r.seed, steps)).collect();
        job.explain(COMMAND, job.executor().train(&format!("budget{i}"), &runs))
    };
    budgets.iter().enumerate().map(of_budget).collect()
}

fn laws(exponent: Option<&OptimalExponent>) -> Vec<Law> {
    let interval = exponent.and_then(|x| x.p_ci);
    let inside = |p: f64| interval.map(|[low, high]| (low..=high).contains(&p));
    LAWS.into_iter().map(|(p, of)| Law { p, of, inside: inside(p) }).collect()
}

/// The paper's claim about the best λ.
pub fn claim(x: &OptimalExponent) -> Claim {
    Claim {
        premise: false,
        statement: format!("The best λ goes as T^(−p) with the budget T and p = 1, to within {SLOPE_TOLERANCE} (R4)"),
        found: format!(
            "p = {} by how the top of one quadratic through {} cells moves over {} budgets (n = {} seeds)",
            with_interval(x.p, x.p_ci, 2),
            x.cells,
            x.budgets,
            x.seeds
        ),
        decision: Decision::interval_near(1.0, SLOPE_TOLERANCE, x.p_ci, x.seeds),
    }
}

const HEAD: [&str; 4] = ["budget, steps", "λ_opt", "best of the grid", "its accuracy"];
const LAW_HEAD: [&str; 3] = ["p", "of", "inside the interval"];

fn rows(optima: &[Optimum], outcomes: &[(f64, Vec<Score>)]) -> Vec<Vec<String>> {
    let row = |(o, (budget, outcomes)): (&Optimum, &(f64, Vec<Score>))| {
        let means = mean_by_lambda(outcomes);
        let best = means.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        vec![
            format!("{budget:.0}"),
            if o.censored { "at the grid's edge".into() } else { format!("{:.2e}", o.lambda) },
            best.map_or_else(|| "—".into(), |b| b.0.to_string()),
            best.map_or_else(|| "—".into(), |b| format!("{:.4}", b.1)),
        ]
    };
    optima.iter().zip(outcomes).map(row).collect()
}

fn law_rows(laws: &[Law]) -> Vec<Vec<String>> {
    let inside = |i: Option<bool>| i.map_or("—", |i| if i { "yes" } else { "no" });
    laws.iter().map(|l| vec![l.p.to_string(), l.of.into(), inside(l.inside).into()]).collect()
}

fn table(optima: &[Optimum], outcomes: &[(f64, Vec<Score>)], findings: &Findings<'_>) -> String {
    let mut out = String::from("budget, steps               λ_opt  best of the grid  its accuracy\n");
    for r in rows(optima, outcomes) {
        let _ = writeln!(out, "{:>13} {:>19} {:>17} {:>13}", r[0], r[1], r[2], r[3]);
    }
    match findings.exponent {
        Some(x) => {
            let _ = writeln!(out, "\nλ_opt ∝ T^(−p), p = {}  (n = {} seeds)", with_interval(x.p, x.p_ci, 2), x.seeds);
            for r in law_rows(&findings.laws) {
                let _ = writeln!(out, "  p = {:<5} {:<48} inside the interval: {}", r[0], r[1], r[2]);
            }
        }
        None => {
            let _ =
                writeln!(out, "\nno exponent: {}", findings.refused.as_deref().unwrap_or("there is nothing to fit"));
        }
    }
    out
}

fn parts(optima: &[Optimum], outcomes: &[(f64, Vec<Score>)], exponent: Option<&OptimalExponent>) -> Vec<Part> {
    let inside: Vec<(f64, f64)> = optima.iter().filter(|o| !o.censored).map(|o| (o.budget, o.lambda)).collect();
    let mut series =
        vec![Series { name: "λ_opt".into(), color: Some((0, 2)), mark: Mark::Dots, points: inside.clone() }];
    if let Some(x) = exponent {
        // Through the dots' middle.
        let n = inside.len() as f64;
        let middle = |f: fn(&(f64, f64)) -> f64| inside.iter().map(|p| f(p).ln()).sum::<f64>() / n;
        let (t, l) = (middle(|p| p.0), middle(|p| p.1));
        let at = |p: &(f64, f64)| (p.0, (l - x.p * (p.0.ln() - t)).exp());
        let points = inside.iter().map(at).collect();
        series.push(Series { name: format!("T^−{:.2}", x.p), color: None, mark: Mark::Dashed, points });
    }
    let grid = outcomes.iter().enumerate().map(|(i, (budget, o))| Series {
        name: format!("{budget:.0} steps"),
        color: Some((i, outcomes.len())),
        mark: Mark::LineAndDots,
        points: mean_by_lambda(o),
    });
    let x = "λ".to_owned();
    vec![
        Part {
            title: "The best λ against the budget".into(),
            text: "The top of one quadratic of accuracy in log λ and log T, through the cells within a factor of 10 of the best λ.".into(),
            figure: Figure { x: "T, steps".into(), y: "λ_opt".into(), log_y: true, series, ..Figure::default() },
            file: Some("exponent.svg"),
        },
        Part {
            title: "Best test accuracy within the budget against λ".into(),
            text: "Means over seeds. Where a curve is flat, λ hardly matters, and its optimum is uncertain.".into(),
            figure: Figure { x, y: "test accuracy".into(), series: grid.collect(), legend: SeriesLabelPosition::LowerLeft, ..Figure::default() },
            file: None,
        },
    ]
}
