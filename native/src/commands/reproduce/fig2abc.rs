//! Figures 2a to 2c: fully connected networks over a grid of λ and η, each run until ηλt is the same.

use std::{collections::BTreeMap, fmt::Write};

use anyhow::Result;
use clap::ArgMatches;
use l2lab_core::{
    Experiment,
    experiment::ExperimentError,
    law::{Cell, Fit, Mean, RunSummary, accuracy_within, cells, fits, mean},
    train::{LambdaScheduleKind, Trace},
};
use plotters::prelude::SeriesLabelPosition;
use serde::Serialize;

use super::{INSTEAD, Start, already_complete, on_data, preset, start};
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
    /// Best accuracy with the largest η less that with the smallest, pairs of equal λ.
    across_lr: Option<Mean>,
    /// Best accuracy with the smallest λ less that with the largest, pairs of equal η.
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
    if experiment.steps.is_some() || experiment.epochs.is_some() {
        return conflict("steps, epochs: the figure's runs are as long as their λ and η ask for; give tau");
    }
    if !experiment.lr_course().is_constant() {
        return conflict("lr-schedule, lr-warm-up: a run of a longer schedule says nothing of a shorter budget");
    }
    let constant = experiment.lambda_schedule == LambdaScheduleKind::Constant;
    if !constant || !experiment.compare.0.is_empty() {
        return conflict("lambda-schedule, compare: the figure is about constant λ");
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
        across_lr: difference(&runs, |r| r.lr == high_lr, |r| r.lr == low_lr, |a, b| a.lambda == b.lambda),
        across_lambda: difference(&runs, |r| r.lambda == low, |r| r.lambda == high, |a, b| a.lr == b.lr),
        budget,
    };
    let claims = claims(&findings);
    let scale = match e.data.as_str() {
        "mnist" => ": narrower networks than the paper's",
        INSTEAD | "fashion-mnist" => ": Fashion-MNIST in place of MNIST, narrower networks",
        _ => "",
    };
    let study = Study {
        command: COMMAND,
        heading: "Figures 2a to 2c: fully connected networks",
        about: format!("{}{scale}. {}; {} seed(s)", preset(matches), output::title(e, &(&job.model).into()), e.seeds),
        claims: &claims,
        findings: &findings,
        parts: parts(&findings, &traces, e),
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

/// The best accuracy of `ours` less that of `theirs`, which differ from it in one thing alone (`paired`): for each seed a mean over the
/// pairs of which neither run diverged.
fn difference(
    runs: &[RunSummary],
    ours: impl Fn(&RunSummary) -> bool,
    theirs: impl Fn(&RunSummary) -> bool,
    paired: impl Fn(&RunSummary, &RunSummary) -> bool,
) -> Option<Mean> {
    let best = |r: &RunSummary| if r.diverged { None } else { r.max_test_accuracy };
    let mut seeds: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for run in runs.iter().filter(|r| ours(r)) {
        let other = runs.iter().find(|r| r.seed == run.seed && theirs(r) && paired(run, r));
        if let Some(gain) = other.and_then(|r| Some(best(run)? - best(r)?)) {
            seeds.entry(run.seed).or_default().push(gain);
        }
    }
    let of_seed = |gains: &Vec<f64>| gains.iter().sum::<f64>() / gains.len() as f64;
    mean(&seeds.values().map(of_seed).collect::<Vec<_>>())
}

fn claims(f: &Findings<'_>) -> Vec<Claim> {
    let mut claims = Vec::new();
    if let Some(fit) = f.fit {
        claims.push(Claim {
            statement: "The time to the best accuracy goes as 1/(ηλ) (R1, R2)".into(),
            found: format!(
                "The slope of log t_* on log ηλ is {} (n = {} runs, {} seeds)",
                with_interval(fit.slope, fit.slope_ci, 2),
                fit.n,
                fit.seeds
            ),
            verdict: Verdict::equal(-1.0, fit.slope_ci, WIDE),
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

fn parts(findings: &Findings<'_>, traces: &[Trace], e: &Experiment) -> Vec<Part> {
    let Findings { cells, budget, .. } = *findings;
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
    let of_time = by_lr(&|lr, lambda| Some((lr * lambda, cell(lr, lambda)?.t_star?)));
    // What the law says of the products that there are.
    let law = findings.fit.map(|fit| Series {
        name: "slope −1".into(),
        color: None,
        mark: Mark::Dashed,
        points: of_time.iter().flat_map(|s| &s.points).map(|p| (p.0, fit.c_prime / p.0)).collect(),
    });
    let law = law.map(|mut l| {
        l.points.sort_by(|a, b| a.0.total_cmp(&b.0));
        l
    });
    let part = |title: &str, text: String, figure, file| Part { title: title.into(), text, figure, file };
    let accuracy = |series| Figure {
        x: "λ".into(),
        y: "best test accuracy".into(),
        series,
        legend: SeriesLabelPosition::LowerLeft,
        ..Figure::default()
    };
    vec![
        part(
            "a: time to the best accuracy",
            "Medians over seeds. The law is a straight line of slope −1 on which every η lies.".into(),
            Figure {
                x: "ηλ".into(),
                y: "t_*, steps".into(),
                log_y: true,
                series: of_time.into_iter().chain(law).collect(),
                legend: SeriesLabelPosition::UpperRight,
                ..Figure::default()
            },
            Some("fig2a.svg"),
        ),
        part(
            "b: best accuracy",
            "Means over seeds of the best accuracy of runs until the same ηλt.".into(),
            accuracy(by_lr(&|lr, lambda| Some((lambda, cell(lr, lambda)?.max_test_accuracy?)))),
            Some("fig2b.svg"),
        ),
        part(
            "c: best accuracy within a budget",
            format!("Within {budget} steps, means over seeds; runs with a large λ end before."),
            accuracy(by_lr(&within)),
            Some("fig2c.svg"),
        ),
    ]
}
