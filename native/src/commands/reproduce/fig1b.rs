//! Figure 1b: how well λ_pred does against the tuned λ, for several training budgets.

use std::fmt::Write;

use anyhow::{Result, bail};
use clap::ArgMatches;
use l2lab_core::{
    Experiment,
    experiment::ExperimentError,
    law::{Forecast, Length, OptimalExponent, Optimum, Outcome, Regret, RunSummary, mean_by_lambda, optimal_exponent},
    train::Trace,
};
use plotters::prelude::SeriesLabelPosition;
use serde::Serialize;

use super::{Start, about, already_complete, base, check, preset, start};
use crate::{
    figures::{Figure, Mark, Series},
    output::{number, with_interval},
    report::{Part, table_of},
    study::{Claim, Study, Verdict},
};

pub const NAME: &str = "fig1b";
const COMMAND: &str = "reproduce fig1b";

/// Budgets, as fractions of the longest.
const BUDGETS: [f64; 3] = [0.25, 0.5, 1.0];
/// What following the prediction may cost and still count as good.
const TOLERANCE: f64 = 0.01;

/// λ_pred and the tuned λ at one budget.
#[derive(Serialize)]
struct Budget {
    steps: u64,
    epochs: f64,
    forecast: Forecast,
    regret: Option<Regret>,
}

#[derive(Serialize)]
struct Findings<'a> {
    budgets: &'a [Budget],
    optima: &'a [Optimum],
    exponent: &'a Option<OptimalExponent>,
}

/// A run's curve has to serve every budget.
fn one_curve(experiment: &Experiment) -> Result<()> {
    check(experiment)?;
    if !experiment.lr_course().is_constant() {
        let text =
            "lr-schedule: a run of a longer schedule says nothing of a shorter budget; this figure needs constant";
        return Err(ExperimentError::Conflict(text.into()).into());
    }
    Ok(())
}

pub fn run(matches: &ArgMatches) -> Result<String> {
    let job = match start(matches, COMMAND, base(matches), &one_curve)? {
        Start::Job(job) => job,
        Start::Complete { dir, summary } => return already_complete(&dir, summary, matches.get_flag("json")),
    };
    let e = &job.experiment;
    let grid = job.explain(COMMAND, job.executor().train("grid", &job.runs))?;
    let runs: Vec<RunSummary> = grid.iter().map(|t| RunSummary::new(t, e.estimator)).collect();
    let (examples, longest) = (job.train_examples(), job.runs[0].steps);
    let mut budgets = Vec::new();
    let mut outcomes: Vec<(f64, Vec<Outcome>)> = Vec::new();
    let mut verification: Vec<Trace> = Vec::new();
    for (i, fraction) in BUDGETS.into_iter().enumerate() {
        let steps = (longest as f64 * fraction).round().max(1.0);
        let asked = Experiment { budget: Some(Length::Steps(steps)), ..e.clone() };
        let Some(forecast) = Forecast::new(&asked, &runs, examples)? else {
            bail!("no λ of the grid reached its peak with every seed: give longer runs or a larger λ");
        };
        let phase = format!("budget{i}");
        let trained = job.explain(COMMAND, job.executor().train(&phase, &forecast.runs(&asked)))?;
        let within = forecast.outcomes(&asked, &grid);
        let epochs = steps / e.steps_per_epoch(examples) as f64;
        budgets.push(Budget { steps: steps as u64, epochs, regret: forecast.regret(&within, &trained), forecast });
        outcomes.push((steps, within));
        verification.extend(trained);
    }
    let (optima, exponent) = optimal_exponent(&outcomes);
    let claims = claims(&budgets, exponent.as_ref());
    let findings = Findings { budgets: &budgets, optima: &optima, exponent: &exponent };
    let study = Study {
        command: COMMAND,
        heading: "Figure 1b: λ_pred beside the tuned λ",
        about: about(&job, &preset(matches)),
        claims: &claims,
        findings: &findings,
        parts: parts(&budgets, &optima, &outcomes),
        tail: table_of(&HEAD, &rows(&budgets, &optima)),
        text: text(&budgets, &optima),
    };
    study.finish(&job, &[&grid, &verification])
}

fn claims(budgets: &[Budget], exponent: Option<&OptimalExponent>) -> Vec<Claim> {
    let regrets = budgets.iter().filter_map(|b| Some((b.epochs, b.regret.as_ref()?)));
    // A regret below the tolerance: minus it, above minus the tolerance.
    let worst = regrets.clone().max_by(|a, b| a.1.regret.total_cmp(&b.1.regret));
    let mut claims = Vec::new();
    if let Some((epochs, r)) = worst {
        claims.push(Claim {
            statement: format!(
                "λ_pred from one short run is as good as a tuned λ, to within {TOLERANCE} of test accuracy (R4)"
            ),
            found: format!(
                "The largest regret of {} budgets, at {epochs:.0} epochs, is {} (n = {} seeds)",
                budgets.len(),
                with_interval(r.regret, r.regret_ci, 4),
                r.seeds
            ),
            verdict: Verdict::above(-TOLERANCE, r.regret_ci.map(|[low, high]| [-high, -low])),
        });
    }
    if let Some(x) = exponent {
        claims.push(Claim {
            statement: "The tuned λ goes as T^(−1) with the budget T (R1, R4)".into(),
            found: format!(
                "Its exponent is {} from {} budgets and {} seeds",
                with_interval(-x.p, x.p_ci.map(|[low, high]| [-high, -low]), 2),
                x.budgets,
                x.seeds
            ),
            verdict: Verdict::equal(1.0, x.p_ci, 1.0),
        });
    }
    claims
}

const HEAD: [&str; 7] =
    ["epochs", "λ_pred", "accuracy at λ_pred", "tuned λ", "its accuracy", "regret", "λ of the optimum"];

fn rows(budgets: &[Budget], optima: &[Optimum]) -> Vec<Vec<String>> {
    let row = |(b, o): (&Budget, &Optimum)| {
        let r = b.regret.as_ref();
        vec![
            format!("{:.1}", b.epochs),
            format!("{:.2e}", b.forecast.prediction.lambda_pred),
            number(r.map(|r| r.accuracy), 4),
            r.map_or_else(|| "—".into(), |r| r.best_lambda.to_string()),
            number(r.map(|r| r.best_accuracy), 4),
            r.map_or_else(|| "—".into(), |r| with_interval(r.regret, r.regret_ci, 4)),
            if o.censored { "at the grid's edge".into() } else { format!("{:.2e}", o.lambda) },
        ]
    };
    budgets.iter().zip(optima).map(row).collect()
}

fn text(budgets: &[Budget], optima: &[Optimum]) -> String {
    let mut out = String::from("epochs    λ_pred  accuracy   tuned λ  accuracy  regret                      optimum\n");
    for r in rows(budgets, optima) {
        let _ = writeln!(out, "{:>6} {:>9} {:>9} {:>9} {:>9}  {:<26}  {}", r[0], r[1], r[2], r[3], r[4], r[5], r[6]);
    }
    out
}

fn parts(budgets: &[Budget], optima: &[Optimum], outcomes: &[(f64, Vec<Outcome>)]) -> Vec<Part> {
    let line = |name: &str, color, mark, y: &dyn Fn(&Regret) -> f64| Series {
        name: name.into(),
        color,
        mark,
        points: budgets.iter().filter_map(|b| Some((b.epochs, y(b.regret.as_ref()?)))).collect(),
    };
    let accuracy = Figure {
        x: "budget, epochs".into(),
        y: "best test accuracy within it".into(),
        series: vec![
            line("tuned λ", Some((0, 2)), Mark::LineAndDots, &|r| r.best_accuracy),
            line("λ_pred", Some((1, 2)), Mark::LineAndDots, &|r| r.accuracy),
        ],
        ..Figure::default()
    };
    let lambdas = Figure {
        x: "budget, epochs".into(),
        y: "λ".into(),
        log_y: true,
        series: vec![
            Series {
                name: "tuned λ".into(),
                color: Some((0, 2)),
                mark: Mark::Dots,
                points: budgets.iter().zip(optima).map(|(b, o)| (b.epochs, o.lambda)).collect(),
            },
            Series {
                name: "λ_pred ∝ 1/T".into(),
                color: Some((1, 2)),
                mark: Mark::LineAndDots,
                points: budgets.iter().map(|b| (b.epochs, b.forecast.prediction.lambda_pred)).collect(),
            },
        ],
        ..Figure::default()
    };
    let grid = Figure {
        x: "λ".into(),
        y: "best test accuracy within the budget".into(),
        series: budgets
            .iter()
            .zip(outcomes)
            .enumerate()
            .map(|(i, (b, (_, o)))| Series {
                name: format!("{:.1} epochs", b.epochs),
                color: Some((i, budgets.len())),
                mark: Mark::LineAndDots,
                points: mean_by_lambda(o),
            })
            .collect(),
        legend: SeriesLabelPosition::UpperLeft,
        ..Figure::default()
    };
    let part = |title: &str, text: &str, figure, file| Part { title: title.into(), text: text.into(), figure, file };
    vec![
        part(
            "Test accuracy against the budget",
            "Means over seeds. The tuned λ is the grid's best for each budget.",
            accuracy,
            Some("fig1b.svg"),
        ),
        part(
            "λ against the budget",
            "The tuned λ is the top of a parabola through the grid's best λ and its neighbours.",
            lambdas,
            None,
        ),
        part(
            "Test accuracy against λ",
            "The grid, cut off at each budget. Where it is flat, λ hardly matters.",
            grid,
            None,
        ),
    ]
}
