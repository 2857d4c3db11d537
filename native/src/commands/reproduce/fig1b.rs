//! Figure 1b: how well λ_pred does against the tuned λ, for several training budgets.

use anyhow::Result;
use l2lab_core::{
    Experiment,
    law::{Decision, OptimalExponent, Optimum, Prediction, Regret, Score, mean_by_lambda, optimal_exponent, regret},
    run::Trace,
};
use plotters::prelude::SeriesLabelPosition;
use serde::Serialize;

use super::{Figure, Phase, Preset, conflict, constant_lambda, one_length, presets, under_premise};
use crate::{
    commands::{
        Job, exponent,
        predict::{Short, short_runs},
    },
    figures::{self, Mark, Series},
    output::{number, with_interval},
    report::{Part, table_of, table_text},
    study::{Claim, Study},
};

pub const FIGURE: Figure = Figure {
    name: "fig1b",
    command: "reproduce fig1b",
    about: "Test accuracy against the budget: λ_pred beside the tuned λ",
    title: "Figure 1b",
    what: "λ_pred beside the tuned λ",
    paper: presets::PAPER,
    base,
    check,
    plan: |job, _| Ok(vec![Phase::grid(job)]),
    make,
};

pub const LARGE: Figure = Figure {
    name: "fig1b-large",
    command: "reproduce fig1b-large",
    about: "Figure 1b from weights that start large",
    title: "Figure 1b from large weights",
    base: base_of_large_start,
    ..FIGURE
};

/// Budgets, as fractions of the longest.
const BUDGETS: [f64; 3] = [0.25, 0.5, 1.0];
const BUDGETS_FULL: [f64; 7] = [0.0125, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0];
/// How many times t_* of the short runs a budget has to be: they are to be short beside it.
const SHORT: f64 = 2.0;
/// Their length in τ: twice what networks need that arrive late.
const SHORT_TAU: f64 = 6.0;
/// What following the prediction may cost and still count as good.
const TOLERANCE: f64 = 0.01;

/// λ_pred and the tuned λ at one budget.
#[derive(Serialize)]
struct Budget {
    steps: u64,
    epochs: f64,
    prediction: Prediction,
    regret: Option<Regret>,
    /// The smallest and the largest λ of the grid that are within the tolerance of its best: where they are far apart, λ hardly matters.
    good: Option<[f64; 2]>,
}

#[derive(Serialize)]
struct Findings<'a> {
    /// λ of the short runs.
    lambda0: f64,
    budgets: &'a [Budget],
    optima: &'a [Optimum],
    exponent: &'a Option<OptimalExponent>,
}

fn base(preset: Preset) -> Experiment {
    let of = presets::of(preset);
    match preset {
        // The authors' grid of L2 from 1e-2 on; their longest runs.
        Preset::Full => Experiment {
            lambda: vec![0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001].into(),
            epochs: Some(2000.0),
            ..of
        },
        _ => of,
    }
}

fn base_of_large_start(preset: Preset) -> Experiment {
    let of = presets::large_start(preset);
    let long = vec![0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002].into();
    match preset {
        Preset::Smoke => Experiment { tau: None, steps: Some(200), ..of },
        Preset::Mini => {
            Experiment { lambda: vec![0.2, 0.1, 0.05, 0.02, 0.01].into(), tau: None, steps: Some(4000), seeds: 3, ..of }
        }
        _ => Experiment { lambda: long, tau: None, steps: Some(10_000), ..of },
    }
}

fn check(experiment: &Experiment) -> Result<()> {
    one_length(experiment)?;
    // A run's curve has to serve every budget.
    if !experiment.lr_course().is_constant() {
        return Err(conflict(
            "lr-schedule: a run of a longer schedule says nothing of a shorter budget; this figure needs constant",
        ));
    }
    constant_lambda(experiment)
}

fn make(figure: &Figure, job: &Job, preset: Preset, phases: &[Phase]) -> Result<String> {
    let e = &job.experiment;
    let grid = phases[0].train(job)?;
    let short = short_runs(job, &Experiment { epochs: None, steps: None, tau: Some(SHORT_TAU), ..e.clone() })?;
    let (examples, longest) = (job.train_examples(), job.runs[0].steps);
    let fractions: &[f64] = if preset == Preset::Full { &BUDGETS_FULL } else { &BUDGETS };
    let mut budgets = Vec::new();
    let mut outcomes: Vec<(f64, Vec<Score>)> = Vec::new();
    let mut verification: Vec<Trace> = Vec::new();
    for (i, fraction) in fractions.iter().enumerate() {
        let steps = (longest as f64 * fraction).round().max(1.0) as u64;
        let prediction = short.predict(e, e.total_lr(e.lr[0], steps));
        let Some(prediction) = prediction.filter(|p| steps as f64 >= SHORT * p.t_star) else { continue };
        let runs = e.cell(e.lr[0], prediction.lambda_pred, steps);
        let trained = job.executor().train(&format!("budget{i}"), &runs)?;
        let budget = steps as f64;
        let [tuned, predicted] = [&grid, &trained].map(|traces| Score::within(traces.iter(), budget));
        let epochs = budget / e.steps_per_epoch(examples) as f64;
        budgets.push(Budget { steps, epochs, prediction, regret: regret(&tuned, &predicted), good: good(&tuned) });
        outcomes.push((budget, tuned));
        verification.extend(trained);
    }
    let (optima, exponent) = optimal_exponent(&outcomes);
    let exponent = exponent.ok();
    let claims = under_premise("", &grid, claims(&budgets, &short, exponent.as_ref()));
    let findings = Findings { lambda0: short.lambda, budgets: &budgets, optima: &optima, exponent: &exponent };
    let rows = rows(&budgets, &optima);
    let study = Study {
        command: figure.command,
        heading: figure.heading(preset),
        about: figure.about(job, preset),
        claims: &claims,
        findings: &findings,
        parts: parts(&budgets, &optima, &outcomes),
        tail: table_of(&HEAD, &rows),
        text: table_text(&HEAD, &rows),
    };
    study.finish(job, &[&grid, &short.traces, &verification])
}

/// The ends of the λ whose mean accuracy is within the tolerance of the best.
fn good(tuned: &[Score]) -> Option<[f64; 2]> {
    let means = mean_by_lambda(tuned);
    let best = means.iter().map(|m| m.1).reduce(f64::max)?;
    let near = || means.iter().filter(|m| m.1 >= best - TOLERANCE).map(|m| m.0);
    Some([near().reduce(f64::min)?, near().reduce(f64::max)?])
}

fn claims(budgets: &[Budget], short: &Short, exponent: Option<&OptimalExponent>) -> Vec<Claim> {
    let statement =
        format!("λ_pred from short runs at one λ is as good as a tuned λ, to within {TOLERANCE} of test accuracy (R4)");
    let regrets: Vec<(f64, &Regret)> = budgets.iter().filter_map(|b| Some((b.epochs, b.regret.as_ref()?))).collect();
    let worst = regrets.iter().max_by(|a, b| a.1.regret.total_cmp(&b.1.regret));
    let found = match (worst, budgets.first()) {
        (Some((epochs, r)), Some(budget)) => format!(
            "Short runs at λ₀ = {} are at their best from step {:.0} on; the largest regret of {} budgets from {:.0} epochs on, at {epochs:.0}, is {} \
             (n = {} seeds)",
            short.lambda,
            budget.prediction.t_star,
            budgets.len(),
            budget.epochs,
            with_interval(r.regret, r.regret_ci, 4),
            r.seeds
        ),
        _ => format!(
            "Of the short runs, {}; where that is a t_*, it is early enough before the end of no budget",
            short.said()
        ),
    };
    // At every budget; of none, nothing is known.
    let decisions: Vec<Decision> =
        regrets.iter().map(|(_, r)| Decision::interval_below(TOLERANCE, r.regret_ci, r.seeds)).collect();
    let decision = Decision::all(&decisions);
    let prediction = Claim { premise: false, statement, found, decision };
    [prediction].into_iter().chain(exponent.map(exponent::claim)).collect()
}

const HEAD: [&str; 8] = [
    "epochs",
    "λ_pred",
    "accuracy at λ_pred",
    "tuned λ",
    "its accuracy",
    "regret",
    "λ within 0.01 of the best",
    "top of the quadratic",
];

fn rows(budgets: &[Budget], optima: &[Optimum]) -> Vec<Vec<String>> {
    let row = |(b, o): (&Budget, &Optimum)| {
        let r = b.regret.as_ref();
        vec![
            format!("{:.1}", b.epochs),
            format!("{:.2e}", b.prediction.lambda_pred),
            number(r.map(|r| r.accuracy), 4),
            r.map_or_else(|| "—".into(), |r| r.best_lambda.to_string()),
            number(r.map(|r| r.best_accuracy), 4),
            r.map_or_else(|| "—".into(), |r| with_interval(r.regret, r.regret_ci, 4)),
            b.good.map_or_else(|| "—".into(), |[low, high]| format!("{low} to {high}")),
            if o.censored { "at the grid's edge".into() } else { format!("{:.2e}", o.lambda) },
        ]
    };
    budgets.iter().zip(optima).map(row).collect()
}

fn parts(budgets: &[Budget], optima: &[Optimum], outcomes: &[(f64, Vec<Score>)]) -> Vec<Part> {
    let line = |name: &str, color, mark, y: &dyn Fn(&Regret) -> f64| Series {
        name: name.into(),
        color,
        mark,
        points: budgets.iter().filter_map(|b| Some((b.epochs, y(b.regret.as_ref()?)))).collect(),
    };
    let accuracy = figures::Figure {
        x: "budget, epochs".into(),
        y: "best test accuracy within it".into(),
        series: vec![
            line("tuned λ", Some((0, 2)), Mark::LineAndDots, &|r| r.best_accuracy),
            line("λ_pred", Some((1, 2)), Mark::LineAndDots, &|r| r.accuracy),
        ],
        ..figures::Figure::default()
    };
    let lambdas = figures::Figure {
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
                points: budgets.iter().map(|b| (b.epochs, b.prediction.lambda_pred)).collect(),
            },
        ],
        ..figures::Figure::default()
    };
    let grid = figures::Figure {
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
        ..figures::Figure::default()
    };
    let part = |title: &str, text: &str, figure, file| Part { title: title.into(), text: text.into(), figure, file };
    vec![
        part(
            "Test accuracy against the budget",
            "Means over seeds. The tuned λ is, for each seed, the grid's best at that budget for the other seeds.",
            accuracy,
            Some("fig1b.svg"),
        ),
        part(
            "λ against the budget",
            "The tuned λ is the top of one quadratic of accuracy in log λ and log T, or without one the grid's best.",
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
