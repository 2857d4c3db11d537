//! Figure 1a: the final accuracy of each λ, trained for one time or for a time that goes as 1/λ.

use anyhow::Result;
use l2lab_core::{
    Experiment,
    law::{Mean, Outcome, Regret, mean, regret},
    train::{LrSchedule, RunSpec, Trace},
};
use plotters::prelude::SeriesLabelPosition;
use serde::Serialize;

use super::{Figure, Phase, Preset, about, constant_lambda, heading, interval, one_length, presets};
use crate::{
    commands::Job,
    figures::{self, Mark, Series},
    output::{number, with_interval},
    report::{Part, table_of, table_text},
    study::{Claim, Study, Verdict},
};

pub const FIGURE: Figure = Figure {
    name: "fig1a",
    command: "reproduce fig1a",
    about: "Final test accuracy against λ, for a fixed time and for one that goes as 1/λ, with a schedule of η",
    base,
    check,
    plan,
    make,
};

/// How much larger the smallest λ's gain over the next may be to count as flat.
const FLAT: f64 = 0.01;

/// One λ: both times, and what came of them.
#[derive(Serialize)]
struct Row {
    lambda: f64,
    steps: [u64; 2],
    epochs: [f64; 2],
    /// Final test accuracy with the fixed time and with the one that goes as 1/λ.
    accuracy: [Option<Mean>; 2],
}

#[derive(Serialize)]
struct Findings {
    /// λ whose time goes as 1/λ is the fixed one.
    lambda_fixed: f64,
    rows: Vec<Row>,
    /// With the fixed time, what the largest and the smallest λ lose against the best one.
    ends: [Option<Regret>; 2],
    /// With a time ∝ 1/λ, from the largest λ to the smallest.
    gain: Option<Mean>,
    /// The same from the second smallest λ.
    last_gain: Option<Mean>,
    /// Final accuracy at λ = 0, trained for as long as the smallest λ.
    without: Option<Mean>,
    /// The smallest λ's, trained for a time ∝ 1/λ, less that.
    gain_over_none: Option<Mean>,
}

fn base(preset: Preset) -> Experiment {
    let of = Experiment { lr_schedule: LrSchedule::Step, flip: true, crop: 4, ..presets::of(preset) };
    match preset {
        // Times ∝ 1/λ are long: few images, and the smallest λ has ten times the fixed time.
        Preset::Mini => Experiment {
            train: 2000,
            lambda: vec![0.3, 0.1, 0.03, 0.01, 0.003].into(),
            epochs: Some(20.0),
            seeds: 3,
            ..of
        },
        Preset::Full | Preset::Smoke => of,
    }
}

fn check(experiment: &Experiment) -> Result<()> {
    one_length(experiment)?;
    constant_lambda(experiment)
}

/// The grid's λ whose time is the same in both: the one in the middle.
fn middle(experiment: &Experiment) -> f64 {
    let mut lambda = experiment.lambda.to_vec();
    lambda.sort_by(f64::total_cmp);
    lambda[lambda.len() / 2]
}

/// How many steps a run of the same λ as `run` takes for a time that goes as 1/λ.
fn scaled(run: &RunSpec, middle: f64) -> u64 {
    (run.steps as f64 * middle / run.lambda).round().max(1.0) as u64
}

fn plan(job: &Job) -> Vec<Phase> {
    let mut grid = Phase::grid(job);
    let middle = middle(&job.experiment);
    let again = job.runs.iter().filter(|r| r.lambda != middle);
    let of = |r: &RunSpec, lambda: f64, steps: u64| job.experiment.run(r.lr, lambda, r.seed, steps);
    grid[0].runs.extend(again.map(|r| of(r, r.lambda, scaled(r, middle))));
    // Without L2, as long as the longest.
    let longest = grid[0].runs.iter().map(|r| r.steps).max().unwrap_or(1);
    let seeds = job.runs.iter().filter(|r| r.lambda == middle);
    grid[0].runs.extend(seeds.map(|r| of(r, 0.0, longest)));
    grid
}

fn make(job: &Job, preset: Preset) -> Result<String> {
    let e = &job.experiment;
    let traces = plan(job)[0].train(job)?;
    let middle = middle(e);
    let fixed: Vec<&Trace> = traces[..job.runs.len()].iter().collect();
    let (others, without): (Vec<&Trace>, Vec<&Trace>) =
        traces[job.runs.len()..].iter().partition(|t| t.run.lambda > 0.0);
    let scaled: Vec<&Trace> = fixed.iter().copied().filter(|t| t.run.lambda == middle).chain(others).collect();
    let findings = findings(e, middle, [&fixed, &scaled], &without, job.train_examples());
    let claims = claims(&findings);
    let rows = rows(&findings);
    let study = Study {
        command: FIGURE.command,
        heading: heading("Figure 1a", preset, "accuracy against λ, for a fixed time and for one ∝ 1/λ"),
        about: about(job, preset, presets::PAPER),
        claims: &claims,
        findings: &findings,
        parts: vec![part(&findings)],
        tail: table_of(&HEAD, &rows),
        text: table_text(&HEAD, &rows),
    };
    study.finish(job, &[&traces])
}

/// The final accuracies of the runs that did not diverge.
fn outcomes<'a>(traces: &'a [&'a Trace]) -> impl Iterator<Item = Outcome> + 'a {
    traces.iter().filter(|t| !t.diverged()).filter_map(|t| Some(Outcome::new(t, t.points.last()?.test_accuracy)))
}

fn findings(e: &Experiment, middle: f64, sets: [&[&Trace]; 2], without: &[&Trace], examples: usize) -> Findings {
    let of: [Vec<Outcome>; 2] = sets.map(|traces| outcomes(traces).collect());
    let at = |outcomes: &[Outcome], lambda: f64| -> Vec<Outcome> {
        outcomes.iter().filter(|o| o.lambda == lambda).copied().collect()
    };
    let mut lambdas = e.lambda.to_vec();
    lambdas.sort_by(|a, b| b.total_cmp(a));
    let row = |&lambda: &f64| {
        let steps = sets.map(|traces| traces.iter().find(|t| t.run.lambda == lambda).map_or(0, |t| t.run.steps));
        let accuracies = |o: &Vec<Outcome>| mean(&at(o, lambda).iter().map(|o| o.accuracy).collect::<Vec<_>>());
        Row {
            lambda,
            steps,
            epochs: steps.map(|s| s as f64 / e.steps_per_epoch(examples) as f64),
            accuracy: of.each_ref().map(accuracies),
        }
    };
    let last = lambdas.len() - 1;
    let without: Vec<Outcome> = outcomes(without).collect();
    let mean_without = mean(&without.iter().map(|o| o.accuracy).collect::<Vec<_>>());
    let gain = |before: Vec<Outcome>, to: f64| {
        let gains = at(&of[1], to).into_iter().filter_map(|o| {
            let other = before.iter().find(|b| b.seed == o.seed)?;
            Some(o.accuracy - other.accuracy)
        });
        mean(&gains.collect::<Vec<_>>())
    };
    Findings {
        lambda_fixed: middle,
        rows: lambdas.iter().map(row).collect(),
        ends: [lambdas[0], lambdas[last]].map(|lambda| regret(&of[0], &at(&of[0], lambda))),
        gain: gain(at(&of[1], lambdas[0]), lambdas[last]),
        last_gain: gain(at(&of[1], lambdas[last - 1]), lambdas[last]),
        without: mean_without,
        gain_over_none: gain(without, lambdas[last]),
    }
}

fn claims(f: &Findings) -> Vec<Claim> {
    let mut claims = Vec::new();
    if let [Some(large), Some(small)] = &f.ends {
        let verdicts = [large, small].map(|r| {
            // An end that is itself the best loses nothing.
            let is_best = r.regret <= 0.0;
            if is_best { Verdict::Fails } else { Verdict::above(0.0, r.regret_ci) }
        });
        let verdict = match verdicts {
            [Verdict::Holds, Verdict::Holds] => Verdict::Holds,
            v if v.contains(&Verdict::Fails) => Verdict::Fails,
            _ => Verdict::Open,
        };
        claims.push(Claim {
            statement: "Trained for a fixed time, accuracy peaks at one λ (R4)".into(),
            found: format!(
                "The best is λ = {} with {:.4}; the largest λ loses {}, the smallest {} (n = {} seeds)",
                large.best_lambda,
                large.best_accuracy,
                with_interval(large.regret, large.regret_ci, 4),
                with_interval(small.regret, small.regret_ci, 4),
                large.seeds
            ),
            verdict,
        });
    }
    if let Some(m) = f.gain {
        claims.push(Claim {
            statement: "Trained for a time that goes as 1/λ, a smaller λ does better (R3)".into(),
            found: format!(
                "From the largest λ to the smallest the final accuracy changes by {} (n = {} seeds)",
                interval(Some(m)),
                m.n
            ),
            verdict: Verdict::above(0.0, m.ci),
        });
    }
    if let Some(m) = f.last_gain {
        claims.push(Claim {
            statement: format!(
                "In the end a smaller λ does no better: from the second smallest to the smallest by less than {FLAT} (R3)"
            ),
            found: format!("It changes by {} (n = {} seeds)", interval(Some(m)), m.n),
            verdict: Verdict::within(FLAT, m.ci),
        });
    }
    if let (Some(m), Some(none)) = (f.gain_over_none, f.without) {
        claims.push(Claim {
            statement: "A small λ does better than none, even when that is trained as long (R5)".into(),
            found: format!(
                "At λ = 0 the final accuracy is {}; the smallest λ is above it by {} (n = {} seeds)",
                interval(Some(none)),
                interval(Some(m)),
                m.n
            ),
            verdict: Verdict::above(0.0, m.ci),
        });
    }
    claims
}

const HEAD: [&str; 5] = ["λ", "fixed: epochs", "accuracy", "∝ 1/λ: epochs", "accuracy of these"];

fn rows(f: &Findings) -> Vec<Vec<String>> {
    let row = |r: &Row| {
        vec![
            r.lambda.to_string(),
            number(Some(r.epochs[0]), 1),
            interval(r.accuracy[0]),
            number(Some(r.epochs[1]), 1),
            interval(r.accuracy[1]),
        ]
    };
    f.rows.iter().map(row).collect()
}

fn part(f: &Findings) -> Part {
    let series = |i: usize, name: &str| Series {
        name: name.into(),
        color: Some((i, 2)),
        mark: Mark::LineAndDots,
        points: f.rows.iter().filter_map(|r| Some((r.lambda, r.accuracy[i]?.mean))).collect(),
    };
    Part {
        title: "Final test accuracy against λ".into(),
        text: format!(
            "Means over seeds; η falls in steps, and its schedule is as long as the run. Both times are the same at λ = {}.",
            f.lambda_fixed
        ),
        figure: figures::Figure {
            x: "λ".into(),
            y: "final test accuracy".into(),
            series: vec![series(0, "fixed time"), series(1, "time ∝ 1/λ")],
            legend: SeriesLabelPosition::LowerLeft,
            ..figures::Figure::default()
        },
        file: Some("fig1a.svg"),
    }
}
