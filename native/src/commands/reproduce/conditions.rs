//! R6: the law with and without momentum, augmentation, a schedule of η and batch normalization.

use anyhow::Result;
use l2lab_core::{
    Experiment,
    model::ModelKind,
    run::Trace,
    train::{LrCourse, LrSchedule},
};
use plotters::prelude::SeriesLabelPosition;
use serde::Serialize;

use super::{
    Figure, Phase, Preset, conflict, constant_lambda, grid_of_lambda, length_in_tau, one_lr, presets,
    sections::{HEAD, Section, times},
};
use crate::{
    commands::Job,
    report::{Part, table_of, table_text},
    study::{Claim, Study},
};

pub const FIGURE: Figure = Figure {
    name: "conditions",
    command: "reproduce conditions",
    about: "The law with and without momentum, augmentation, a schedule of η and batch normalization",
    title: "Conditions",
    what: "the law with momentum, augmentation, a schedule and batch normalization",
    paper: "these for a Wide ResNet on CIFAR-10",
    base: presets::large_start,
    check,
    plan,
    make,
};

/// The condition under which η falls in the same steps for all λ. A schedule that is stretched with the run would give times that go
/// as 1/λ by itself, wherever accuracy rises as η falls.
const FALLING: &str = "η falling as a cosine";

#[derive(Serialize)]
struct Findings {
    sections: Vec<Section>,
}

fn check(experiment: &Experiment) -> Result<()> {
    grid_of_lambda(experiment)?;
    one_lr(experiment)?;
    length_in_tau(experiment)?;
    let e = experiment;
    if e.model != ModelKind::Fc
        || e.momentum != 0.0
        || e.flip
        || e.crop > 0
        || e.mixup > 0.0
        || !e.lr_course().is_constant()
    {
        return Err(conflict(
            "model, momentum, flip, crop, mixup, lr-schedule: the figure sets these itself, each in a condition of its own",
        ));
    }
    constant_lambda(experiment)
}

/// The conditions by name.
fn conditions(job: &Job) -> Vec<(&'static str, Experiment)> {
    let e = &job.experiment;
    let lr = e.lr[0];
    let cnn = presets::small_cnn(e);
    // More images to fit: a wider network, smaller batches and half the λ.
    let half = e.lambda.iter().map(|l| 0.5 * l).collect::<Vec<_>>().into();
    let wider = Experiment { batch: 64, width: 2 * e.width, lambda: half, ..e.clone() };
    // One length for all, over which the smallest λ comes to the same τ as without a schedule: a cosine halves it.
    let longest = job.runs.iter().map(|r| r.steps).max().unwrap_or(1);
    let falling = Experiment { lr_schedule: LrSchedule::Cosine, tau: None, steps: Some(2 * longest), ..e.clone() };
    vec![
        ("plain SGD", e.clone()),
        // The same η_eff, so that the same λ have the same clock.
        ("momentum 0.9", Experiment { momentum: 0.9, lr: vec![lr / 10.0].into(), ..e.clone() }),
        ("twice as wide, batch 64, without augmentation", wider.clone()),
        ("twice as wide, batch 64, shifted by up to a pixel", Experiment { crop: 1, ..wider }),
        (FALLING, falling),
        ("cnn", cnn.clone()),
        ("cnn with batch norm", Experiment { batch_norm: true, ..cnn }),
    ]
}

fn plan(job: &Job, _: Preset) -> Result<Vec<Phase>> {
    let of = |(i, (_, experiment))| Phase::of(format!("condition-{i}"), experiment, job);
    conditions(job).into_iter().enumerate().map(of).collect()
}

fn make(figure: &Figure, job: &Job, preset: Preset, phases: &[Phase]) -> Result<String> {
    let traces = phases.iter().map(|phase| phase.train(job)).collect::<Result<Vec<_>>>()?;
    let mut sections = Vec::new();
    for ((phase, (name, _)), traces) in phases.iter().zip(conditions(job)).zip(&traces) {
        let mut traces = traces.clone();
        if name == FALLING {
            traces.iter_mut().for_each(|trace| in_full_steps(trace, phase.experiment.lr_course()));
        }
        sections.push(Section::new(name, traces, &phase.experiment));
    }
    let findings = Findings { sections };
    let claims = claims(&findings);
    let rows: Vec<Vec<String>> = findings.sections.iter().flat_map(Section::rows).collect();
    let traces: Vec<&[Trace]> = traces.iter().map(Vec::as_slice).collect();
    let drawn = times(&findings.sections, &|s| s.name.clone(), SeriesLabelPosition::UpperRight);
    let part = Part {
        title: "Time to the best accuracy".into(),
        text: "Of the mean curve over seeds, where it shows a t_*. The law is a straight line of slope −1.".into(),
        figure: drawn,
        file: Some("conditions.svg"),
    };
    let study = Study {
        command: figure.command,
        heading: figure.heading(preset),
        about: figure.about(job, preset),
        claims: &claims,
        findings: &findings,
        parts: vec![part],
        tail: table_of(&HEAD, &rows),
        text: table_text(&HEAD, &rows),
    };
    study.finish(job, &traces)
}

/// Counts a run's time in steps of the full η: that is what L2's clock counts, Σ η.
fn in_full_steps(trace: &mut Trace, course: LrCourse) {
    let mut sum = 0.0;
    let mut done = 0;
    for m in &mut trace.points {
        for step in done..m.step {
            sum += course.factor(step, trace.run.steps);
        }
        done = m.step;
        m.step = sum.round() as u64;
    }
    // Measurements that lie within one such step are one.
    trace.points.dedup_by_key(|m| m.step);
}

fn claims(f: &Findings) -> Vec<Claim> {
    let claim = |s: &Section| {
        let mut law = s.law();
        law.statement = law.statement.replace("(R1)", "(R6)");
        if s.name == FALLING {
            law.statement = law.statement.replace("The time to", "Counted in Σ η, the time to");
        }
        s.given(vec![law])
    };
    f.sections.iter().flat_map(claim).collect()
}
