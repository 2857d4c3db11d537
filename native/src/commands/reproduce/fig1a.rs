//! Figure 1a: the final accuracy of each λ, trained for one time or for a time that goes as 1/λ.

use anyhow::Result;
use l2lab_core::{
    Experiment,
    law::{Decision, Mean, Regret, Score, Verdict, mean, mean_by_seed, regret, trend},
    run::{RunSpec, Trace},
    train::LrSchedule,
};
use plotters::prelude::SeriesLabelPosition;
use serde::Serialize;

use super::{Figure, Phase, Preset, conflict, constant_lambda, interval, one_length, presets, under_premise};
use crate::{
    commands::Job,
    figures::{self, Mark, Series},
    output::{number, with_interval},
    report::{Part, table_of, table_text},
    study::{Claim, Study},
};

pub const FIGURE: Figure = Figure {
    name: "fig1a",
    command: "reproduce fig1a",
    about: "Final test accuracy against λ, for a fixed time and for one that goes as 1/λ, with a schedule of η",
    title: "Figure 1a",
    what: "accuracy against λ, for a fixed time and for one ∝ 1/λ",
    paper: presets::PAPER,
    base,
    check,
    plan: |job, _| Ok(vec![grid(job)]),
    make,
};

pub const LARGE: Figure = Figure {
    name: "fig1a-large",
    command: "reproduce fig1a-large",
    about: "Figure 1a from weights that start large",
    title: "Figure 1a from large weights",
    base: base_of_large_start,
    ..FIGURE
};

/// How much larger the smallest λ's gain over the next may be to count as flat.
const FLAT: f64 = 0.01;
/// How much longer than the fixed time the smallest λ may be trained.
const MOST: f64 = 1e6;
/// How long λ = 0 is trained, in times of the longest run with L2.
const LONGER: f64 = 2.0;

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
    /// With the fixed time, what the largest and the smallest λ lose against the best one between them.
    ends: [Option<Regret>; 2],
    /// With a time ∝ 1/λ, what a ten times larger λ changes, over all λ.
    trend: Option<Mean>,
    /// From the second smallest λ to the smallest.
    last_gain: Option<Mean>,
    /// What λ = 0, trained longer than any other, loses against the best λ with a time ∝ 1/λ.
    none: Option<Regret>,
}

fn base(preset: Preset) -> Experiment {
    let of = Experiment { lr_schedule: LrSchedule::Step, flip: true, crop: 4, ..presets::of(preset) };
    match preset {
        // Times ∝ 1/λ are long: the smallest λ has ten times the fixed time. So small a network does not fit images that are
        // cropped as well.
        Preset::Mini | Preset::Standard => Experiment {
            crop: 0,
            lambda: vec![0.3, 0.1, 0.03, 0.01, 0.003].into(),
            epochs: Some(if preset == Preset::Mini { 10.0 } else { 20.0 }),
            seeds: if preset == Preset::Mini { 3 } else { of.seeds },
            ..of
        },
        // The authors' time of 0.1/L2 epochs, here 2/λ, is their 200 at λ = 0.01: in the middle.
        Preset::Full => Experiment { lambda: vec![0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001].into(), ..of },
        Preset::Smoke => of,
    }
}

fn base_of_large_start(preset: Preset) -> Experiment {
    let of = presets::large_start(preset);
    // τ ≈ 3 in the middle of the grid.
    let steps = if preset == Preset::Smoke { 100 } else { 2000 };
    let lambda = if preset == Preset::Smoke { of.lambda.clone() } else { vec![0.2, 0.1, 0.05, 0.02, 0.01].into() };
    let seeds = if preset == Preset::Mini { 3 } else { of.seeds };
    Experiment { lr_schedule: LrSchedule::Step, lambda, tau: None, steps: Some(steps), seeds, ..of }
}

fn check(experiment: &Experiment) -> Result<()> {
    one_length(experiment)?;
    let least = experiment.lambda.iter().copied().fold(f64::INFINITY, f64::min);
    if middle(experiment) > MOST * least {
        return Err(conflict(&format!(
            "lambda: the smallest is trained for a time ∝ 1/λ; it may be at most {MOST} times below the one in the middle"
        )));
    }
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

/// The runs for a fixed time, those for a time that goes as 1/λ where that is another, and those without L2.
fn grid(job: &Job) -> Phase {
    let mut grid = Phase::grid(job);
    let middle = middle(&job.experiment);
    let again = job.runs.iter().filter(|r| r.lambda != middle);
    let of = |r: &RunSpec, lambda: f64, steps: u64| job.experiment.run(r.lr, lambda, r.seed, steps);
    grid.runs.extend(again.map(|r| of(r, r.lambda, scaled(r, middle))));
    let longest = grid.runs.iter().map(|r| r.steps).max().unwrap_or(1);
    let longer = (longest as f64 * LONGER) as u64;
    let seeds = job.runs.iter().filter(|r| r.lambda == middle);
    grid.runs.extend(seeds.map(|r| of(r, 0.0, longer)));
    grid
}

fn make(figure: &Figure, job: &Job, preset: Preset, phases: &[Phase]) -> Result<String> {
    let e = &job.experiment;
    let traces = phases[0].train(job)?;
    let middle = middle(e);
    let fixed: Vec<&Trace> = traces[..job.runs.len()].iter().collect();
    let (others, without): (Vec<&Trace>, Vec<&Trace>) =
        traces[job.runs.len()..].iter().partition(|t| t.run.lambda > 0.0);
    let scaled: Vec<&Trace> = fixed.iter().copied().filter(|t| t.run.lambda == middle).chain(others).collect();
    let findings = findings(e, middle, [&fixed, &scaled], &without, job.train_examples());
    let claims = under_premise("", &traces, claims(&findings));
    let rows = rows(&findings);
    let study = Study {
        command: figure.command,
        heading: figure.heading(preset),
        about: figure.about(job, preset),
        claims: &claims,
        findings: &findings,
        parts: vec![part(&findings, e)],
        tail: table_of(&HEAD, &rows),
        text: table_text(&HEAD, &rows),
    };
    study.finish(job, &[&traces])
}

fn findings(e: &Experiment, middle: f64, sets: [&[&Trace]; 2], without: &[&Trace], examples: usize) -> Findings {
    let scores = |traces: &[&Trace]| Score::at_end(traces.iter().copied());
    let at = |scores: &[Score], lambda: f64| -> Vec<Score> {
        scores.iter().filter(|o| o.lambda == lambda).copied().collect()
    };
    let mut lambdas = e.lambda.to_vec();
    lambdas.sort_by(|a, b| b.total_cmp(a));
    let [fixed, scaled] = sets.map(scores);
    let row = |&lambda: &f64| {
        let steps = sets.map(|traces| traces.iter().find(|t| t.run.lambda == lambda).map_or(0, |t| t.run.steps));
        let accuracies = |o: &Vec<Score>| mean(&at(o, lambda).iter().map(|o| o.accuracy).collect::<Vec<_>>());
        Row {
            lambda,
            steps,
            epochs: steps.map(|s| s as f64 / e.steps_per_epoch(examples) as f64),
            accuracy: [&fixed, &scaled].map(accuracies),
        }
    };
    let [largest, smallest] = [lambdas[0], lambdas[lambdas.len() - 1]];
    let between: Vec<Score> = fixed.iter().filter(|o| o.lambda != largest && o.lambda != smallest).copied().collect();
    let gain = |from: f64| {
        let before = at(&scaled, from);
        mean_by_seed(at(&scaled, smallest).into_iter().filter_map(|o| {
            let other = before.iter().find(|b| b.seed == o.seed)?;
            Some((o.seed, o.accuracy - other.accuracy))
        }))
    };
    Findings {
        lambda_fixed: middle,
        rows: lambdas.iter().map(row).collect(),
        ends: [largest, smallest].map(|lambda| regret(&between, &at(&fixed, lambda))),
        trend: trend(scaled.iter().map(|s| (s.seed, 0.0, s.lambda, s.accuracy))),
        last_gain: gain(lambdas[lambdas.len() - 2]),
        none: regret(&scaled, &scores(without)),
    }
}

fn claims(f: &Findings) -> Vec<Claim> {
    let claim = |statement: String, told: Option<(String, Decision)>| {
        let (found, decision) = told.unwrap_or_else(|| ("Too many runs diverged to tell".into(), Decision::OPEN));
        Claim { premise: false, statement, found, decision }
    };
    let loss = |r: &Regret| with_interval(r.regret, r.regret_ci, 4);
    let peak = f.ends[0].as_ref().zip(f.ends[1].as_ref()).map(|(large, small)| {
        let found = format!(
            "Against the best λ between them, {} with {:.4}, the largest λ loses {}, the smallest {} (n = {} seeds)",
            large.best_lambda,
            large.best_accuracy,
            loss(large),
            loss(small),
            large.seeds
        );
        (found, Decision::all(&[large, small].map(|r| Decision::interval_above(0.0, r.regret_ci, r.seeds))))
    });
    let rise = f.trend.map(|m| {
        let change = interval(Some(m));
        let found =
            format!("A ten times larger λ changes the final accuracy by {change}, over all λ (n = {} seeds)", m.n);
        (found, Decision::below(0.0, Some(m)))
    });
    let plateau = f.last_gain.map(|m| {
        // Where accuracy still rises, the plateau may lie at a smaller λ.
        let decision = match Decision::near(0.0, FLAT, Some(m)) {
            Decision { verdict: Verdict::Fails, .. } if m.mean > 0.0 => Decision::OPEN,
            decision => decision,
        };
        let change = interval(Some(m));
        (format!("From the second smallest λ to the smallest it changes by {change} (n = {} seeds)", m.n), decision)
    });
    let none = f.none.as_ref().map(|r| {
        let found = format!(
            "At λ = 0 the final accuracy is {:.4}; the best of those trained for a time ∝ 1/λ (λ = {}) ends above it by {} (n = {} \
             seeds)",
            r.accuracy,
            r.best_lambda,
            loss(r),
            r.seeds
        );
        (found, Decision::interval_above(0.0, r.regret_ci, r.seeds))
    });
    vec![
        claim("Trained for a fixed time, accuracy peaks at one λ (R4)".into(), peak),
        claim("Trained for a time that goes as 1/λ, a smaller λ does better (R3)".into(), rise),
        claim(format!("The two smallest λ end alike, to within {FLAT}: it is flat there (R3)"), plateau),
        claim(
            format!(
                "A small λ does better than none, even when that is trained {LONGER} times as long as any other (R5)"
            ),
            none,
        ),
    ]
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

fn part(f: &Findings, e: &Experiment) -> Part {
    let series = |i: usize, name: &str| Series {
        name: name.into(),
        color: Some((i, 2)),
        mark: Mark::LineAndDots,
        points: f.rows.iter().filter_map(|r| Some((r.lambda, r.accuracy[i]?.mean))).collect(),
    };
    Part {
        title: "Final test accuracy against λ".into(),
        text: format!(
            "Means over seeds; {}both times are the same at λ = {}.",
            if e.lr_course().is_constant() { "" } else { "η has a schedule as long as the run; " },
            f.lambda_fixed
        ),
        figure: figures::Figure {
            x: "λ".into(),
            y: "final test accuracy".into(),
            series: vec![series(0, "fixed time"), series(1, "time ∝ 1/λ")],
            legend: SeriesLabelPosition::LowerMiddle,
            ..figures::Figure::default()
        },
        file: Some("fig1a.svg"),
    }
}
