//! Figure 1c: AutoL2 and other schedules of λ beside the best constant λ and the paper's, with a constant η and with a falling one;
//! and the same from weights that start large, over a long budget.

use anyhow::{Context, Result};
use l2lab_core::{
    Experiment,
    experiment::Schedules,
    law::mean_by_lambda,
    run::{LambdaScheduleKind, Trace},
    train::LrSchedule,
};
use serde::Serialize;

use super::{
    Figure, Phase, Preset,
    arms::{Arm, HEAD, PAPERS, Section, best_constant, claims, constants, rate, rows, section, text},
    conflict, one_length, presets, under_premise,
};
use crate::{
    commands::Job,
    figures::{self, Mark, Series},
    report::{Part, table_of},
    study::Study,
};

pub const FIGURE: Figure = Figure {
    name: "fig1c",
    command: "reproduce fig1c",
    about: "AutoL2 and other schedules of λ beside the best constant λ and the paper's",
    title: "Figure 1c",
    what: "AutoL2 beside constant λ",
    paper: presets::PAPER,
    base,
    check,
    plan: |job, _| Ok(vec![Phase::grid(job)]),
    make: |figure, job, preset, phases| make(figure, job, preset, phases, true),
};

/// Where AutoL2 should win: the constant that ends best in a long budget is too small to wear large weights off soon.
pub const LARGE: Figure = Figure {
    name: "fig1c-large",
    command: "reproduce fig1c-large",
    about: "Figure 1c from weights that start large, over a long budget: where AutoL2 should win",
    title: "Figure 1c from large weights",
    base: base_of_large_start,
    make: |figure, job, preset, phases| make(figure, job, preset, phases, false),
    ..FIGURE
};

/// What the constants are compared with unless the reader says otherwise.
const SCHEDULES: [LambdaScheduleKind; 3] =
    [LambdaScheduleKind::AutoL2Reference, LambdaScheduleKind::AutoL2, LambdaScheduleKind::InverseTime];
/// Where the delay is the authors', which is in steps: that of our own AutoL2 is in τ, so that waits.
const AUTHORS: [LambdaScheduleKind; 2] = [LambdaScheduleKind::AutoL2Reference, LambdaScheduleKind::InverseTime];
/// Those that also run with a falling η.
const AUTOL2: [LambdaScheduleKind; 2] = [LambdaScheduleKind::AutoL2Reference, LambdaScheduleKind::AutoL2];

#[derive(Serialize)]
struct Findings<'a> {
    sections: &'a [Section],
}

fn base_of_large_start(preset: Preset) -> Experiment {
    let mini = Experiment {
        // AutoL2 begins at the largest, the authors' 0.1 in our units, and waits as theirs does.
        lambda: vec![2.0, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, PAPERS].into(),
        lambda_delay: Some(2.0),
        compare: Schedules(AUTHORS.to_vec()),
        tau: None,
        steps: Some(5000),
        seeds: 3,
        ..presets::large_start(Preset::Mini)
    };
    match preset {
        Preset::Mini => mini,
        Preset::Standard => Experiment { steps: Some(20_000), seeds: 10, ..mini },
        Preset::Smoke => Experiment {
            lambda: vec![0.5, 0.1, PAPERS].into(),
            steps: Some(200),
            tau: None,
            lambda_delay: mini.lambda_delay,
            compare: mini.compare,
            ..presets::large_start(preset)
        },
        Preset::Full => Experiment { test: 0, width: 512, steps: Some(200_000), seeds: 10, ..mini },
    }
}

fn base(preset: Preset) -> Experiment {
    let of = Experiment { compare: Schedules(SCHEDULES.to_vec()), ..presets::of(preset) };
    match preset {
        Preset::Mini => Experiment { seeds: 3, ..of },
        // AutoL2 begins at the authors' L2 = 0.1; among the constants is their tuned 1e-4.
        Preset::Full => Experiment {
            lambda: vec![2.0, 0.2, 0.02, 0.01, 0.005, 0.002, 0.0005].into(),
            lambda_delay: Some(2.0),
            compare: Schedules(AUTHORS.to_vec()),
            ..of
        },
        _ => of,
    }
}

fn check(experiment: &Experiment) -> Result<()> {
    one_length(experiment)?;
    if experiment.lambda_schedule != LambdaScheduleKind::Constant {
        return Err(conflict("lambda-schedule: the figure's own are constants; --compare names what runs beside them"));
    }
    if !experiment.lr_course().is_constant() {
        return Err(conflict("lr-schedule, lr-warm-up: the figure has a constant η and one that falls in steps"));
    }
    Ok(())
}

/// `falls` adds the same with a falling η.
fn make(figure: &Figure, job: &Job, preset: Preset, phases: &[Phase], falls: bool) -> Result<String> {
    let e = &job.experiment;
    let train = |experiment: &Experiment, phase: &str, runs| job.executor_of(experiment)?.train(phase, runs);
    let mut traces = phases[0].train(job)?;
    // The best constant, switched off half way.
    let (best, _) =
        best_constant(&constants(&traces)).context("every run with a constant λ diverged: a smaller --lr helps")?;
    let off = Experiment { lambda_schedule: LambdaScheduleKind::Off, compare: Schedules::default(), ..e.clone() };
    let steps = job.runs[0].steps;
    let runs = off.cell(e.lr[0], best, steps);
    traces.extend(train(&off, "off", &runs)?);

    let falling = if falls { Some(falling(job, best)?) } else { None };
    let falling_traces: &[Trace] = falling.as_deref().unwrap_or_default();

    let sections: Vec<Section> = [(LrSchedule::Constant, &traces[..]), (LrSchedule::Step, falling_traces)]
        .into_iter()
        .filter_map(|(lr_schedule, traces)| section(lr_schedule, traces, job.train_examples(), e))
        .collect();
    let claims = under_premise("", &traces, sections.iter().flat_map(claims).collect());
    let findings = Findings { sections: &sections };
    let tables: Vec<String> = sections
        .iter()
        .map(|s| format!("<h2>The numbers, {}</h2>{}", rate(s.lr_schedule), table_of(&HEAD, &rows(s))))
        .collect();
    let study = Study {
        command: figure.command,
        heading: figure.heading(preset),
        about: figure.about(job, preset),
        claims: &claims,
        findings: &findings,
        parts: parts(&sections, e, &traces),
        tail: tables.concat(),
        text: sections.iter().map(text).collect::<Vec<_>>().join("\n"),
    };
    study.finish(job, &[&traces, falling_traces])
}

/// With a falling η: the constants around the best, and AutoL2 from the largest λ.
fn falling(job: &Job, best: f64) -> Result<Vec<Trace>> {
    let e = &job.experiment;
    let mut sorted = e.lambda.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = sorted.iter().position(|&l| l == best).unwrap_or(0);
    let around = sorted[at.saturating_sub(1)..(at + 2).min(sorted.len())].to_vec();
    let compare = Schedules(AUTOL2.into_iter().filter(|kind| e.compare.0.contains(kind)).collect());
    let falling = Experiment { lr_schedule: LrSchedule::Step, compare, ..e.clone() };
    let mut runs = falling.runs(job.train_examples())?;
    runs.retain(|r| r.lambda_schedule != LambdaScheduleKind::Constant || around.contains(&r.lambda));
    job.executor_of(&falling)?.train("falling-lr", &runs)
}

fn parts(sections: &[Section], e: &Experiment, traces: &[Trace]) -> Vec<Part> {
    let mut parts = Vec::new();
    for section in sections {
        let shown: Vec<&Arm> = section
            .arms
            .iter()
            .filter(|a| a.lambda_schedule != LambdaScheduleKind::Constant || a.lambda == section.best_lambda)
            .collect();
        let series = |points: &dyn Fn(&Arm) -> Vec<(f64, f64)>| -> Vec<Series> {
            let line = |(i, a): (usize, &&Arm)| Series {
                name: a.name.clone(),
                color: Some((i, shown.len())),
                mark: if a.lambda_schedule == LambdaScheduleKind::Constant { Mark::Dashed } else { Mark::Line },
                points: points(a),
            };
            shown.iter().enumerate().map(line).collect()
        };
        let rate = rate(section.lr_schedule);
        let file = (section.lr_schedule == LrSchedule::Constant).then_some("fig1c.svg");
        parts.push(Part {
            title: format!("Test accuracy, {rate}"),
            text: "Means over seeds, smoothed in log time. Dashed: the constant λ whose final accuracy is best.".into(),
            figure: figures::Figure {
                x: "epochs".into(),
                y: "test accuracy".into(),
                series: series(&|a| a.curve.clone()),
                ..figures::Figure::default()
            },
            file,
        });
        parts.push(Part {
            title: format!("λ, {rate}"),
            text: "Geometric means over seeds. AutoL2 decays it when training stops to improve.".into(),
            figure: figures::Figure {
                x: "epochs".into(),
                y: "λ".into(),
                log_y: true,
                series: series(&|a| a.lambdas.clone()),
                ..figures::Figure::default()
            },
            file: None,
        });
    }
    parts.push(Part {
        title: "Final test accuracy against constant λ".into(),
        text: format!("At the end, constant η, means over {} seeds.", e.seeds),
        figure: figures::Figure {
            x: "λ".into(),
            y: "final test accuracy".into(),
            series: vec![Series {
                name: String::new(),
                color: None,
                mark: Mark::LineAndDots,
                points: mean_by_lambda(&constants(traces)),
            }],
            ..figures::Figure::default()
        },
        file: None,
    });
    parts
}
