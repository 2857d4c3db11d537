//! Figures 2a to 2c: fully connected networks over a grid of λ and η, each run until ηλt is the same.

use std::fmt::Write;

use anyhow::Result;
use clap::ArgMatches;
use l2lab_core::{
    Experiment,
    experiment::ExperimentError,
    law::{Cell, Fit, Mean, RunSummary, accuracy_within, cells, fits, mean},
    train::Trace,
};
use serde::Serialize;

use super::{Start, already_complete, on_data, preset, start};
use crate::{
    figures::{Figure, Mark, Series},
    output::{self, number, with_interval},
    report::{Part, table_of},
    study::{Claim, Study, Verdict},
};

pub const NAME: &str = "fig2abc";
const COMMAND: &str = "reproduce fig2abc";

/// What η may change of the best accuracy and still count as weak.
const WEAK: f64 = 0.01;
/// How wide the slope's interval may be to say anything.
const WIDE: f64 = 0.5;

#[derive(Serialize)]
struct Findings<'a> {
    runs: &'a [RunSummary],
    cells: &'a [Cell],
    fit: Option<&'a Fit>,
    /// Best accuracy with the largest η less that with the smallest, a mean over λ for each seed.
    across_lr: Option<Mean>,
    /// Best accuracy with the smallest λ less that with the largest, a mean over η for each seed.
    across_lambda: Option<Mean>,
    /// Steps of panel c.
    budget: u64,
}

/// The paper's network, narrower, with its data and its plain SGD.
pub fn mini() -> Experiment {
    Experiment {
        data: "mnist".into(),
        test: 2000,
        width: 128,
        lambda: vec![0.1, 0.03, 0.01, 0.003].into(),
        lr: vec![0.05, 0.1, 0.2].into(),
        tau: Some(2.0),
        seeds: 3,
        ..Experiment::default()
    }
}

fn base(matches: &ArgMatches) -> Experiment {
    let mini = mini();
    let base = if preset(matches) == "smoke" {
        let lambda = vec![1.0, 0.3, 0.1].into();
        Experiment { train: 64, test: 50, width: 8, batch: 16, lambda, lr: vec![0.1, 0.2].into(), seeds: 2, ..mini }
    } else {
        mini
    };
    on_data(matches, base)
}

fn check(experiment: &Experiment) -> Result<()> {
    let conflict = |text: &str| Err(ExperimentError::Conflict(text.into()).into());
    if experiment.lambda.len() < 3 || experiment.lambda.contains(&0.0) {
        return conflict("lambda: the figure needs a grid of three or more values above 0");
    }
    if experiment.lr.len() < 2 {
        return conflict("lr: the figure needs two values or more");
    }
    Ok(())
}

pub fn run(matches: &ArgMatches) -> Result<String> {
    let job = match start(matches, COMMAND, base(matches), &check)? {
        Start::Job(job) => job,
        Start::Complete { dir, summary } => return already_complete(&dir, summary, matches.get_flag("json")),
    };
    let e = &job.experiment;
    let traces = job.explain(COMMAND, job.executor().train("grid", &job.runs))?;
    let runs: Vec<RunSummary> = traces.iter().map(|t| RunSummary::new(t, e.estimator)).collect();
    let cells = cells(&runs, e.estimator);
    let fits = fits(&runs);
    let fit = fits.get(e.estimator.name());
    let ends =
        |values: &[f64]| [values.iter().copied().fold(f64::MAX, f64::min), values.iter().copied().fold(0.0, f64::max)];
    let ([low_lr, high_lr], [low, high]) = (ends(&e.lr), ends(&e.lambda));
    let budget = budget(&traces);
    let findings = Findings {
        runs: &runs,
        cells: &cells,
        fit,
        across_lr: difference(&runs, |r| r.lr == high_lr, |r| r.lr == low_lr),
        across_lambda: difference(&runs, |r| r.lambda == low, |r| r.lambda == high),
        budget,
    };
    let claims = claims(&findings);
    let scale = if e.data == "mnist" {
        ": narrower networks than the paper's"
    } else {
        ": Fashion-MNIST in place of MNIST, narrower networks"
    };
    let study = Study {
        command: COMMAND,
        heading: "Figures 2a to 2c: fully connected networks",
        about: format!("{}{scale}. {}; {} seed(s)", preset(matches), output::title(e, &(&job.model).into()), e.seeds),
        claims: &claims,
        findings: &findings,
        parts: parts(&cells, &traces, e, budget),
        tail: table_of(&HEAD, &rows(&cells)),
        text: text(&cells),
    };
    study.finish(&job, &[&traces])
}

/// The length of the run in the middle of all, in steps: what panel c gives every run.
fn budget(traces: &[Trace]) -> u64 {
    let mut steps: Vec<u64> = traces.iter().map(|t| t.run.steps).collect();
    steps.sort_unstable();
    steps.get(steps.len() / 2).copied().unwrap_or(0)
}

/// The best accuracy of some runs less that of others: for each seed the mean of the one less the mean of the other.
fn difference(
    runs: &[RunSummary],
    ours: impl Fn(&RunSummary) -> bool,
    theirs: impl Fn(&RunSummary) -> bool,
) -> Option<Mean> {
    let mut seeds: Vec<u64> = runs.iter().map(|r| r.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    let best = |seed: u64, chosen: &dyn Fn(&RunSummary) -> bool| {
        let of = runs.iter().filter(|r| r.seed == seed && !r.diverged && chosen(r));
        mean(&of.filter_map(|r| r.max_test_accuracy).collect::<Vec<_>>()).map(|m| m.mean)
    };
    let of_seed = |&seed: &u64| Some(best(seed, &ours)? - best(seed, &theirs)?);
    mean(&seeds.iter().filter_map(of_seed).collect::<Vec<_>>())
}

fn claims(f: &Findings<'_>) -> Vec<Claim> {
    let mut claims = Vec::new();
    if let Some(fit) = f.fit {
        let verdict = match fit.slope_ci {
            Some([low, high]) if low > -1.0 || high < -1.0 => Verdict::Fails,
            Some([low, high]) if high - low < WIDE => Verdict::Holds,
            _ => Verdict::Open,
        };
        claims.push(Claim {
            statement: "The time to the best accuracy goes as 1/(ηλ) (R1, R2)".into(),
            found: format!(
                "The slope of log t_* on log ηλ is {} (n = {} runs, {} seeds)",
                with_interval(fit.slope, fit.slope_ci, 2),
                fit.n,
                fit.seeds
            ),
            verdict,
        });
    }
    if let Some(m) = f.across_lr {
        let verdict = match m.ci {
            Some([low, high]) if low > -WEAK && high < WEAK => Verdict::Holds,
            Some([low, high]) if low > WEAK || high < -WEAK => Verdict::Fails,
            _ => Verdict::Open,
        };
        claims.push(Claim {
            statement: format!("The best accuracy depends only weakly on η: by less than {WEAK} (R2)"),
            found: format!("From the smallest η to the largest it changes by {}", interval(m)),
            verdict,
        });
    }
    if let Some(m) = f.across_lambda {
        claims.push(Claim {
            statement: "Trained for a time that goes as 1/λ, a smaller λ does better (R3)".into(),
            found: format!("From the largest λ to the smallest the best accuracy changes by {}", interval(m)),
            verdict: Verdict::above(0.0, m.ci),
        });
    }
    claims
}

fn interval(m: Mean) -> String {
    format!("{} (n = {} seeds)", with_interval(m.mean, m.ci, 4), m.n)
}

const HEAD: [&str; 6] = ["η", "λ", "t_*, steps", "τ_*", "best accuracy", "final accuracy"];

fn rows(cells: &[Cell]) -> Vec<Vec<String>> {
    let row = |c: &Cell| {
        vec![
            c.lr.to_string(),
            c.lambda.to_string(),
            number(c.t_star, 0),
            number(c.tau_star, 2),
            number(c.max_test_accuracy, 4),
            number(c.final_test_accuracy, 4),
        ]
    };
    cells.iter().map(row).collect()
}

fn text(cells: &[Cell]) -> String {
    let mut out =
        format!("{:>6} {:>8} {:>11} {:>6} {:>14} {:>15}\n", HEAD[0], HEAD[1], HEAD[2], HEAD[3], HEAD[4], HEAD[5]);
    for r in rows(cells) {
        let _ = writeln!(out, "{:>6} {:>8} {:>11} {:>6} {:>14} {:>15}", r[0], r[1], r[2], r[3], r[4], r[5]);
    }
    out
}

fn parts(cells: &[Cell], traces: &[Trace], e: &Experiment, budget: u64) -> Vec<Part> {
    let by_lr = |value: &dyn Fn(f64, f64) -> Option<(f64, f64)>| -> Vec<Series> {
        let series = |(i, &lr): (usize, &f64)| Series {
            name: format!("η = {lr}"),
            color: Some((i, e.lr.len())),
            mark: Mark::LineAndDots,
            points: e.lambda.iter().filter_map(|&lambda| value(lr, lambda)).collect(),
        };
        e.lr.iter().enumerate().map(series).collect()
    };
    let cell = |lr: f64, lambda: f64| cells.iter().find(|c| c.lr == lr && c.lambda == lambda);
    let within = |lr: f64, lambda: f64| {
        let own = traces.iter().filter(|t| t.run.lr == lr && t.run.lambda == lambda && !t.diverged());
        let accuracies: Vec<f64> = own.filter_map(|t| accuracy_within(&t.points, budget as f64)).collect();
        Some((lambda, mean(&accuracies)?.mean))
    };
    let part = |title: &str, text: String, y: &str, log_y: bool, series, file| Part {
        title: title.into(),
        text,
        figure: Figure { x: if log_y { "ηλ" } else { "λ" }.into(), y: y.into(), log_y, series, ..Figure::default() },
        file,
    };
    vec![
        part(
            "a: time to the best accuracy",
            "Medians over seeds; the law is a straight line of slope −1 on which every η lies.".into(),
            "t_*, steps",
            true,
            by_lr(&|lr, lambda| Some((lr * lambda, cell(lr, lambda)?.t_star?))),
            Some("fig2a.svg"),
        ),
        part(
            "b: best accuracy",
            "Means over seeds of the best accuracy of runs until the same ηλt.".into(),
            "best test accuracy",
            false,
            by_lr(&|lr, lambda| Some((lambda, cell(lr, lambda)?.max_test_accuracy?))),
            Some("fig2b.svg"),
        ),
        part(
            "c: best accuracy within a budget",
            format!("Within {budget} steps, means over seeds; runs with a large λ end before."),
            "best test accuracy",
            false,
            by_lr(&within),
            Some("fig2c.svg"),
        ),
    ]
}
