//! R7: a linear model beside a fully connected network. L2 shrinks both, and only the network's accuracy is lost by it.

use anyhow::Result;
use l2lab_core::{
    Experiment,
    law::{CellCurves, Decision, Mean, Metric, Outcome, group, mean_by_seed},
    model::ModelKind,
    run::Trace,
};
use plotters::prelude::SeriesLabelPosition;
use serde::Serialize;

use super::{
    Figure, Phase, Preset, by_lambda, conflict, constant_lambda, grid_of_lambda, interval, one_lr, presets,
    sections::{HEAD, Section},
};
use crate::{
    commands::Job,
    figures::{self, Mark, Series},
    report::{Part, table_of, table_text},
    study::{Claim, Study},
};

pub const FIGURE: Figure = Figure {
    name: "linear",
    command: "reproduce linear",
    about: "A linear model beside a fully connected network: whether accuracy declines late under L2",
    title: "Linear",
    what: "a linear model beside a fully connected network",
    paper: "no such figure, but says so of linear models",
    base,
    check,
    plan,
    make,
};

/// What a decline may be and still count as none.
const NONE: f64 = 0.01;
/// Initial weights of the models that start large.
const LARGE: f64 = 8.0;
const LARGE_SMOKE: f64 = 4.0;

/// One model.
#[derive(Serialize)]
struct Model {
    /// Test accuracy at its highest less that at the end: for each seed the mean over λ.
    decline: Option<Mean>,
    #[serde(skip)]
    declines: Vec<(u64, f64, f64)>,
    #[serde(flatten)]
    section: Section,
}

#[derive(Serialize)]
struct Findings {
    models: Vec<Model>,
    /// The network's decline less the linear model's, of the same λ and seed.
    more: Option<Mean>,
}

fn base(preset: Preset) -> Experiment {
    let of = Experiment {
        // The noise of SGD, which hides small declines, is less where η is.
        lr: vec![0.02].into(),
        lambda: vec![1.0, 0.3, 0.1, 0.03].into(),
        tau: Some(5.0),
        ..presets::fully_connected(Preset::Mini)
    };
    match preset {
        Preset::Mini => of,
        Preset::Standard => Experiment { seeds: 12, ..of },
        Preset::Smoke => Experiment { train: 64, test: 100, width: 16, batch: 32, tau: Some(3.0), seeds: 2, ..of },
        Preset::Full => Experiment { test: 0, width: 512, seeds: 12, ..of },
    }
}

fn check(experiment: &Experiment) -> Result<()> {
    grid_of_lambda(experiment)?;
    one_lr(experiment)?;
    if experiment.model != ModelKind::Fc || experiment.depth < 2 {
        return Err(conflict("model, depth: the figure compares an fc of two layers or more with a linear model"));
    }
    constant_lambda(experiment)
}

/// The linear model and the network, as they usually start; then the linear model from large weights.
fn models(job: &Job, preset: Preset) -> [(&'static str, Experiment); 3] {
    let e = &job.experiment;
    let linear = Experiment { depth: 1, ..e.clone() };
    let w_std = Some(if preset == Preset::Smoke { LARGE_SMOKE } else { LARGE });
    [
        ("linear", linear.clone()),
        ("fc", e.clone()),
        // Twice as long: it arrives later.
        ("linear from large weights", Experiment { w_std, bias: false, tau: e.tau.map(|tau| 2.0 * tau), ..linear }),
    ]
}

fn plan(job: &Job, preset: Preset) -> Result<Vec<Phase>> {
    models(job, preset).into_iter().enumerate().map(|(i, (_, e))| Phase::of(format!("model-{i}"), e, job)).collect()
}

fn make(figure: &Figure, job: &Job, preset: Preset, phases: &[Phase]) -> Result<String> {
    let models = phases
        .iter()
        .zip(models(job, preset))
        .map(|(phase, (name, e))| Ok(model(Section::new(name, phase.train(job)?, &e))))
        .collect::<Result<Vec<_>>>()?;
    let findings = Findings { more: more(&models), models };
    let claims = claims(&findings);
    let rows: Vec<Vec<String>> = findings.models.iter().flat_map(|m| m.section.rows()).collect();
    let traces: Vec<&[Trace]> = findings.models.iter().map(|m| m.section.traces.as_slice()).collect();
    let study = Study {
        command: figure.command,
        heading: figure.heading(preset),
        about: figure.about(job, preset),
        claims: &claims,
        findings: &findings,
        parts: parts(&findings, job),
        tail: table_of(&HEAD, &rows),
        text: table_text(&HEAD, &rows),
    };
    study.finish(job, &traces)
}

fn model(section: Section) -> Model {
    let mut declines = Vec::new();
    for own in group(&section.traces) {
        let cell = CellCurves::new(own, Metric::Accuracy, f64::INFINITY);
        if !cell.diverged && !cell.is_empty() {
            let runs = cell.traces.iter().map(|t| &t.run);
            declines.extend(runs.zip(cell.declines()).map(|(run, decline)| (run.seed, run.lambda, decline)));
        }
    }
    Model { decline: mean_by_seed(declines.iter().map(|&(seed, _, decline)| (seed, decline))), declines, section }
}

/// What the network loses more than the linear model, for each seed the mean over the λ that both have.
fn more(models: &[Model]) -> Option<Mean> {
    let [linear, network, ..] = models else { return None };
    mean_by_seed(network.declines.iter().filter_map(|&(seed, lambda, decline)| {
        let own = linear.declines.iter().find(|d| (d.0, d.1) == (seed, lambda))?;
        Some((seed, decline - own.2))
    }))
}

fn claims(f: &Findings) -> Vec<Claim> {
    let mut claims = Vec::new();
    for m in f.models.iter().filter(|m| m.section.name != "fc") {
        let cells = &m.section.cells;
        // A curve that still rises says nothing of what comes late.
        let rises = |lambda: f64| cells.iter().any(|c| c.lambda == lambda && c.outcome == Outcome::Censored);
        let decide = |lambda, m| if rises(lambda) { Decision::OPEN } else { Decision::below(NONE, m) };
        let (found, decision) = by_lambda(cells.iter().map(|c| (c.lambda, c.late_decay)), decide);
        claims.push(Claim {
            premise: false,
            statement: format!("At no λ a late decline of test accuracy by more than {NONE}{} (R7)", m.section.which()),
            found: format!(
                "From its best, read off the other seeds, to the end it falls by {found} (n = {} seeds)",
                m.decline.map_or(0, |m| m.n)
            ),
            decision,
        });
    }
    let network = f.models.iter().find(|m| m.section.name == "fc");
    let decline = network.and_then(|m| m.decline);
    let both = Decision::all(&[Decision::above(0.0, decline), Decision::above(0.0, f.more)]);
    let claim = Claim {
        premise: false,
        statement: "Over all λ a fully connected network declines late, and by more than a linear model (R7)".into(),
        found: format!(
            "It falls by {}, which is {} more than the linear model at the same λ and seed (n = {} seeds, means over λ)",
            interval(decline),
            interval(f.more),
            f.more.map_or(0, |m| m.n)
        ),
        decision: both,
    };
    claims.extend(network.map_or_else(Vec::new, |m| m.section.given(vec![claim])));
    if let Some(large) = f.models.last() {
        let law = large.section.law();
        claims.extend(large.section.given(vec![law]));
    }
    claims
}

fn parts(f: &Findings, job: &Job) -> Vec<Part> {
    let line = |(i, m): (usize, &Model)| Series {
        name: m.section.name.clone(),
        color: Some((i, f.models.len())),
        mark: Mark::LineAndDots,
        points: m.section.cells.iter().filter_map(|c| Some((c.lambda, c.late_decay?.mean))).collect(),
    };
    let decline = figures::Figure {
        x: "λ".into(),
        y: "decline of test accuracy".into(),
        series: f.models.iter().enumerate().map(line).collect(),
        legend: SeriesLabelPosition::UpperLeft,
        ..figures::Figure::default()
    };
    // The largest λ, where the decline is largest.
    let largest = job.experiment.lambda.iter().copied().fold(0.0, f64::max);
    let curve = |(i, m): (usize, &Model)| {
        let runs: Vec<&Trace> = m.section.traces.iter().filter(|t| t.run.lambda == largest).collect();
        let values: Vec<Vec<f64>> = runs.iter().map(|t| t.points.iter().map(|p| p.test_accuracy).collect()).collect();
        let means = figures::mean_curve(&values);
        let points = means.into_iter().enumerate().map(|(i, mean)| (runs[0].points[i].tau, mean)).collect();
        Series { name: m.section.name.clone(), color: Some((i, f.models.len())), mark: Mark::Line, points }
    };
    let curves = figures::Figure {
        x: "τ".into(),
        y: "test accuracy".into(),
        series: f.models.iter().enumerate().map(curve).collect(),
        legend: SeriesLabelPosition::UpperLeft,
        ..figures::Figure::default()
    };
    let part = |title: &str, text: String, figure, file| Part { title: title.into(), text, figure, file: Some(file) };
    vec![
        part(
            "Decline of test accuracy",
            "From its best to the end, means over seeds.".into(),
            decline,
            "linear-decline.svg",
        ),
        part(
            &format!("Test accuracy at λ = {largest}"),
            "Means over seeds, against τ.".into(),
            curves,
            "linear-curves.svg",
        ),
    ]
}
