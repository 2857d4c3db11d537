//! R6: the law with and without momentum, augmentation, a schedule of η and batch normalization.

use anyhow::Result;
use l2lab_core::{
    Experiment,
    law::{Decision, Verdict, mean_by_seed},
    model::{ModelKind, Readout},
    run::{RunSpec, Trace},
    train::LrSchedule,
};
use plotters::prelude::SeriesLabelPosition;
use serde::Serialize;

use super::{
    Figure, Phase, Preset, conflict, constant_lambda, grid_of_lambda, interval, presets,
    sections::{HEAD, Section, times},
};
use crate::{
    commands::Job,
    output::with_interval,
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

/// The condition whose runs have a schedule of η, and its runs without L2: a schedule that is stretched with a run makes times that
/// go as 1/λ by itself, if accuracy rises where η falls.
const SCHEDULE: &str = "η falling in steps";
const WITHOUT_L2: &str = "η falling in steps, λ = 0";

/// How much more accuracy L2 has to bring than the schedule alone, for what is timed to be L2's.
const MORE: f64 = 0.01;

#[derive(Serialize)]
struct Findings {
    sections: Vec<Section>,
}

fn check(experiment: &Experiment) -> Result<()> {
    grid_of_lambda(experiment)?;
    if experiment.lr.len() != 1 {
        return Err(conflict("lr: the figure takes one"));
    }
    if experiment.steps.is_some() || experiment.epochs.is_some() {
        return Err(conflict("steps, epochs: the figure's runs are as long as their λ and η ask for; give tau"));
    }
    let e = experiment;
    if e.model != ModelKind::Fc || e.momentum != 0.0 || e.flip || e.crop > 0 || !e.lr_course().is_constant() {
        return Err(conflict(
            "model, momentum, flip, crop, lr-schedule: the figure sets these itself, each in a condition of its own",
        ));
    }
    constant_lambda(experiment)
}

/// The conditions by name.
fn conditions(e: &Experiment) -> Vec<(&'static str, Experiment)> {
    let lr = e.lr[0];
    let scaled = |by: f64| e.lambda.iter().map(|l| l * by).collect::<Vec<_>>().into();
    let cnn =
        Experiment { model: ModelKind::Cnn, depth: 2, width: 8, readout: Readout::Flatten, batch: 32, ..e.clone() };
    vec![
        ("plain SGD", e.clone()),
        // The same η_eff, so that the same λ have the same clock.
        ("momentum 0.9", Experiment { momentum: 0.9, lr: vec![lr / 10.0].into(), ..e.clone() }),
        // More images to fit: a wider network, and half the λ.
        ("augmentation", Experiment { crop: 1, batch: 64, width: 2 * e.width, lambda: scaled(0.5), ..e.clone() }),
        (SCHEDULE, Experiment { lr_schedule: LrSchedule::Step, ..e.clone() }),
        ("cnn", cnn.clone()),
        ("cnn with batch norm", Experiment { batch_norm: true, ..cnn }),
    ]
}

/// One phase for each condition; last, runs without L2 that are as long as those with the schedule.
fn plan(job: &Job) -> Result<Vec<Phase>> {
    let mut phases = Vec::new();
    for (i, (_, experiment)) in conditions(&job.experiment).into_iter().enumerate() {
        phases.push(Phase::of(format!("condition-{i}"), experiment, job)?);
    }
    let scheduled = &phases[phases.len() - 3];
    let without = scheduled.runs.iter().map(|r| RunSpec { lambda: 0.0, ..r.clone() }).collect();
    phases.push(Phase { name: "without-l2".into(), experiment: scheduled.experiment.clone(), runs: without });
    Ok(phases)
}

fn make(figure: &Figure, job: &Job, preset: Preset, phases: &[Phase]) -> Result<String> {
    let names = conditions(&job.experiment).into_iter().map(|c| c.0).chain([WITHOUT_L2]);
    let mut sections = Vec::new();
    for (phase, name) in phases.iter().zip(names) {
        let mut traces = phase.train(job)?;
        if name == WITHOUT_L2 {
            as_if_with_l2(&mut traces, &phases[phases.len() - 4].runs);
        }
        sections.push(Section::new(name, traces, &phase.experiment));
    }
    let findings = Findings { sections };
    let claims = claims(&findings);
    let rows: Vec<Vec<String>> = findings.sections.iter().flat_map(Section::rows).collect();
    let traces: Vec<&[Trace]> = findings.sections.iter().map(|s| s.traces.as_slice()).collect();
    let drawn =
        times(&findings.sections[..findings.sections.len() - 1], &|s| s.name.clone(), SeriesLabelPosition::UpperRight);
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

/// Labels runs without L2 as those of the same lengths with it, whose times they are compared with.
fn as_if_with_l2(traces: &mut [Trace], runs: &[RunSpec]) {
    for (trace, run) in traces.iter_mut().zip(runs) {
        trace.run.lambda = run.lambda;
        let end = trace.points.last().map_or(1, |m| m.step).max(1) as f64;
        for m in &mut trace.points {
            // The λ is no longer what acted: τ is only drawn, and means the share of the run.
            m.tau = m.step as f64 / end;
        }
    }
}

fn claims(f: &Findings) -> Vec<Claim> {
    let Some((without, conditions)) = f.sections.split_last() else { return Vec::new() };
    let claim = |s: &Section| {
        let mut law = s.law();
        law.statement = law.statement.replace("(R1)", "(R6)");
        if s.name == SCHEDULE {
            let (said, decision) = against(law.decision, s, without);
            law.found = format!("{}. {said}", law.found);
            law.decision = decision;
        }
        s.given(vec![law])
    };
    conditions.iter().flat_map(claim).collect()
}

/// The law under a schedule that is stretched with the run, beside the same schedule without L2, which may make such times as well.
/// What arrives late is L2's where it comes to more than the schedule alone does.
fn against(law: Decision, with: &Section, without: &Section) -> (String, Decision) {
    let alone = match without.fit() {
        Some(f) => format!("the slope {}", with_interval(f.slope, f.slope_ci, 2)),
        None => "no slope".into(),
    };
    let more = mean_by_seed(
        with.runs
            .iter()
            .zip(&without.runs)
            .filter_map(|(with, without)| Some((with.seed, with.max_test_accuracy? - without.max_test_accuracy?))),
    );
    let said = format!(
        "Without L2 the same schedule, as long, gives {alone}; with L2 accuracy comes to {} more than that (n = {} seeds)",
        interval(more),
        more.map_or(0, |m| m.n)
    );
    let decision = match Decision::above(MORE, more).verdict {
        Verdict::Holds => law,
        _ if law.verdict == Verdict::Holds => Decision::OPEN,
        _ => law,
    };
    (said, decision)
}
