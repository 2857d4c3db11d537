//! Figures 2 and 3: over a grid of λ and η, each run until ηλt is the same: the time to the best accuracy, the best accuracy,
//! and the accuracy within a budget.

use anyhow::Result;
use l2lab_core::{
    Experiment,
    law::{Decision, Mean, SLOPE_TOLERANCE, Score, mean_by_lambda},
    model::ModelKind,
    run::Trace,
};
use plotters::prelude::SeriesLabelPosition;
use serde::Serialize;

use super::{
    Figure, Phase, Preset, conflict, constant_lambda, grid_of_lambda, interval, length_in_tau, presets,
    sections::{HEAD, Section},
};
use crate::{
    commands::Job,
    figures::{self, Mark, Series},
    output::with_interval,
    report::{Part, table_of, table_text},
    study::{Claim, Study},
};

pub const FIG2ABC: Figure = Figure {
    name: "fig2abc",
    command: "reproduce fig2abc",
    about: "Fully connected networks over λ and η: time to the best accuracy, best accuracy, accuracy within a budget",
    title: "Figures 2a to 2c",
    what: "fully connected networks over λ and η",
    paper: "three hidden layers on 512 images of MNIST",
    base: presets::fully_connected,
    check: check_of_one,
    plan,
    make: |figure, job, preset, phases| make(figure, job, preset, phases, FILES_2ABC),
};

pub const FIG2ABC_LARGE: Figure = Figure {
    name: "fig2abc-large",
    command: "reproduce fig2abc-large",
    about: "Figures 2a to 2c from weights that start large",
    title: "Figures 2a to 2c from large weights",
    base: |preset| {
        let of = presets::large_start(preset);
        Experiment { lr: vec![0.02, 0.05].into(), ..of }
    },
    ..FIG2ABC
};

pub const FIG2DEF: Figure = Figure {
    name: "fig2def",
    command: "reproduce fig2def",
    about: "A Wide ResNet over λ and η, plain SGD: time to the best accuracy, best accuracy, accuracy within a budget",
    title: "Figures 2d to 2f",
    what: "a Wide ResNet over λ and η",
    paper: presets::PAPER,
    base: presets::plain_wide_resnet,
    check: check_of_one,
    plan,
    make: |figure, job, preset, phases| make(figure, job, preset, phases, FILES_2DEF),
};

pub const FIG3: Figure = Figure {
    name: "fig3",
    command: "reproduce fig3",
    about: "A CNN with and without batch normalization over λ: time to the best accuracy, best accuracy, accuracy in a budget",
    title: "Figure 3",
    what: "a CNN with and without batch normalization",
    paper: "a CNN on CIFAR-10 with η = 0.01",
    base: cnn,
    check: check_of_two,
    plan,
    make: |figure, job, preset, phases| make(figure, job, preset, phases, FILES_3),
};

const FILES_2ABC: [&str; 3] = ["fig2a.svg", "fig2b.svg", "fig2c.svg"];
const FILES_2DEF: [&str; 3] = ["fig2d.svg", "fig2e.svg", "fig2f.svg"];
const FILES_3: [&str; 3] = ["fig3a.svg", "fig3b.svg", "fig3c.svg"];

/// What η may change of the best accuracy and still count as weak.
const WEAK: f64 = 0.01;

#[derive(Serialize)]
struct Findings {
    sections: Vec<Section>,
    /// Steps of panel c.
    budget: u64,
}

fn cnn(preset: Preset) -> Experiment {
    let mini = Experiment {
        model: ModelKind::Cnn,
        train: 5000,
        batch: 50,
        lr: vec![0.01].into(),
        momentum: 0.0,
        lambda: vec![0.2, 0.1, 0.05].into(),
        epochs: None,
        tau: Some(2.0),
        seeds: 3,
        batch_norm: false,
        ..presets::cnn()
    };
    match preset {
        Preset::Mini => mini,
        Preset::Standard => Experiment { lambda: vec![0.2, 0.1, 0.05, 0.02].into(), tau: Some(3.0), seeds: 10, ..mini },
        Preset::Smoke => Experiment {
            train: 64,
            test: 50,
            width: 4,
            batch: 16,
            lambda: vec![2.0, 1.0, 0.5].into(),
            lr: vec![0.1].into(),
            seeds: 2,
            ..mini
        },
        Preset::Full => Experiment {
            train: 0,
            test: 0,
            depth: 5,
            width: 64,
            batch: 128,
            lambda: vec![0.1, 0.05, 0.02, 0.01, 0.005].into(),
            ..mini
        },
    }
}

fn check(experiment: &Experiment) -> Result<()> {
    grid_of_lambda(experiment)?;
    length_in_tau(experiment)?;
    if !experiment.lr_course().is_constant() {
        return Err(conflict("lr-schedule, lr-warm-up: a run of a longer schedule says nothing of a shorter budget"));
    }
    constant_lambda(experiment)
}

fn check_of_one(experiment: &Experiment) -> Result<()> {
    check(experiment)?;
    if experiment.lr.len() < 2 {
        return Err(conflict("lr: the figure needs two values or more"));
    }
    Ok(())
}

fn check_of_two(experiment: &Experiment) -> Result<()> {
    check(experiment)?;
    if experiment.model != ModelKind::Cnn {
        return Err(conflict("model: the figure compares a cnn with batch normalization and without"));
    }
    if experiment.batch_norm {
        return Err(conflict("batch-norm: the figure trains both; leave it out"));
    }
    Ok(())
}

fn plan(job: &Job, _: Preset) -> Result<Vec<Phase>> {
    let mut phases = vec![Phase::grid(job)];
    if job.experiment.model == ModelKind::Cnn {
        let experiment = Experiment { batch_norm: true, ..job.experiment.clone() };
        phases.push(Phase::of("batch-norm", experiment, job)?);
    }
    Ok(phases)
}

fn make(figure: &Figure, job: &Job, preset: Preset, phases: &[Phase], files: [&'static str; 3]) -> Result<String> {
    let names = if phases.len() == 1 { [""; 2] } else { ["without batch norm", "with batch norm"] };
    let train = |(phase, name): (&Phase, &'static str)| -> Result<Section> {
        Ok(Section::new(name, phase.train(job)?, &phase.experiment))
    };
    let sections = phases.iter().zip(names).map(train).collect::<Result<Vec<_>>>()?;
    let budget = budget(&sections[0].traces);
    let findings = Findings { sections, budget };
    let claims: Vec<Claim> = findings.sections.iter().flat_map(claims).collect();
    let rows: Vec<Vec<String>> = findings.sections.iter().flat_map(Section::rows).collect();
    let head = if findings.sections.len() == 1 { &HEAD[1..] } else { &HEAD };
    let traces: Vec<&[Trace]> = findings.sections.iter().map(|s| s.traces.as_slice()).collect();
    let study = Study {
        command: figure.command,
        heading: figure.heading(preset),
        about: figure.about(job, preset),
        claims: &claims,
        findings: &findings,
        parts: parts(&findings, &job.experiment, files),
        tail: table_of(head, &rows),
        text: table_text(head, &rows),
    };
    study.finish(job, &traces)
}

/// The length of the run in the middle of all, in steps: what panel c gives every run.
fn budget(traces: &[Trace]) -> u64 {
    let mut steps: Vec<u64> = traces.iter().map(|t| t.run.steps).collect();
    steps.sort_unstable();
    steps.get(steps.len() / 2).copied().unwrap_or(0)
}

fn claims(s: &Section) -> Vec<Claim> {
    let which = s.which();
    let seeds = |m: Mean| format!("{} (n = {} seeds)", interval(Some(m)), m.n);
    let mut claims = vec![s.law()];
    if s.across_lr.is_some() {
        let exponents = s.fit().map(|f| {
            let of = |ci, seeds| Decision::interval_near(-1.0, SLOPE_TOLERANCE, ci, seeds);
            let found = format!(
                "The slope of log t_* is {} on log λ at fixed η, and {} on log η at fixed λ ({} cells, {} seeds)",
                with_interval(f.slope, f.slope_ci, 2),
                f.slope_lr.map_or_else(|| "—".into(), |slope| with_interval(slope, f.slope_lr_ci, 2)),
                f.cells_timed,
                f.seeds
            );
            (found, Decision::all(&[of(f.slope_ci, f.seeds), of(f.slope_lr_ci, f.seeds)]))
        });
        let (found, decision) = exponents.unwrap_or_else(|| (s.refused(), Decision::OPEN));
        claims.push(Claim {
            premise: false,
            statement: format!(
                "It goes as 1/(ηλ): as 1/λ and as 1/η, to within {SLOPE_TOLERANCE} of each slope{which} (R2)"
            ),
            found,
            decision,
        });
    }
    if let Some(m) = s.across_lr {
        claims.push(Claim {
            premise: false,
            statement: format!("The best accuracy depends only weakly on η: by less than {WEAK}{which} (R2)"),
            found: format!("From the smallest η to the largest it changes by {}, by its trend over all λ", seeds(m)),
            decision: Decision::near(0.0, WEAK, Some(m)),
        });
    }
    if let Some(m) = s.across_lambda {
        claims.push(Claim {
            premise: false,
            statement: format!("Trained for a time that goes as 1/λ, a smaller λ does better{which} (R3)"),
            found: format!(
                "A ten times larger λ changes the best accuracy by {}, by its trend over all cells",
                seeds(m)
            ),
            decision: Decision::below(0.0, Some(m)),
        });
    }
    s.given(claims)
}

/// A point of a network's line, of its η and λ.
type Value<'a> = dyn Fn(&Section, f64, f64) -> Option<(f64, f64)> + 'a;

fn parts(f: &Findings, e: &Experiment, files: [&'static str; 3]) -> Vec<Part> {
    let lines: Vec<(&Section, f64)> = f.sections.iter().flat_map(|s| e.lr.iter().map(move |&lr| (s, lr))).collect();
    let draw = |value: &Value<'_>| -> Vec<Series> {
        let series = |(i, &(section, lr)): (usize, &(&Section, f64))| Series {
            name: if section.name.is_empty() { format!("η = {lr}") } else { section.name.clone() },
            color: Some((i, lines.len())),
            mark: Mark::LineAndDots,
            points: e.lambda.iter().filter_map(|&lambda| value(section, lr, lambda)).collect(),
        };
        lines.iter().enumerate().map(series).collect()
    };
    let cell = |s: &Section, lr: f64, lambda: f64| s.cells.iter().find(|c| c.lr == lr && c.lambda == lambda).cloned();
    let within = |s: &Section, lr: f64, lambda: f64| {
        let own = s.traces.iter().filter(|t| t.run.lr == lr && t.run.lambda == lambda);
        mean_by_lambda(&Score::within(own, f.budget as f64)).pop()
    };
    let mut of_time = draw(&|s, lr, lambda| Some((lr * lambda, cell(s, lr, lambda)?.t_star?)));
    // What the law says of the products that there are.
    if let Some(fit) = f.sections.iter().find_map(Section::fit) {
        let at = |x: f64| (x, fit.c_prime / e.effective_lr(x));
        let mut points: Vec<(f64, f64)> = of_time.iter().flat_map(|s| &s.points).map(|p| at(p.0)).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        of_time.push(Series { name: "slope −1".into(), color: None, mark: Mark::Dashed, points });
    }
    let part = |title: &str, text: String, figure, file| Part { title: title.into(), text, figure, file: Some(file) };
    let accuracy = |series| figures::Figure {
        x: "λ".into(),
        y: "best test accuracy".into(),
        series,
        legend: SeriesLabelPosition::LowerLeft,
        ..figures::Figure::default()
    };
    let [a, b, c] = files;
    vec![
        part(
            "a: time to the best accuracy",
            "Of the mean curve over seeds, where it shows a t_*. The law is a straight line of slope −1 on which every η lies.".into(),
            figures::Figure {
                x: "ηλ".into(),
                y: "t_*, steps".into(),
                log_y: true,
                series: of_time,
                legend: SeriesLabelPosition::UpperRight,
                ..figures::Figure::default()
            },
            a,
        ),
        part(
            "b: best accuracy",
            "Means over seeds of the best accuracy of runs until the same ηλt.".into(),
            accuracy(draw(&|s, lr, lambda| Some((lambda, cell(s, lr, lambda)?.max_test_accuracy?)))),
            b,
        ),
        part(
            "c: best accuracy within a budget",
            format!("Within {} steps, means over seeds; runs with a large λ end before.", f.budget),
            accuracy(draw(&within)),
            c,
        ),
    ]
}
