//! R8: networks from too narrow to ample at a fixed number of images, and where the law ends.

use anyhow::Result;
use l2lab_core::{
    Experiment,
    law::{Decision, Outcome, SLOPE_TOLERANCE, Verdict},
    model::ModelKind,
    run::Trace,
};
use plotters::prelude::SeriesLabelPosition;
use serde::Serialize;

use super::{
    Figure, FitOfData, Phase, Preset, conflict, constant_lambda, grid_of_lambda, presets,
    sections::{HEAD, Section},
};
use crate::{
    commands::Job,
    figures::{self, Mark, Series},
    output::with_interval,
    report::{Part, table_of, table_text},
    study::{Claim, Study},
};

pub const FIGURE: Figure = Figure {
    name: "width",
    command: "reproduce width",
    about: "Networks from too narrow to ample for their training data: where the law ends",
    title: "Width",
    what: "where the law ends",
    paper: "no such figure, but says so of networks that are not overparameterized",
    base,
    check,
    plan,
    make,
};

const WIDTHS: [usize; 8] = [2, 3, 4, 6, 8, 16, 32, 64];
/// Length of the runs, in τ, at least.
const LONG: f64 = 20.0;
const WIDTHS_SMOKE: [usize; 2] = [1, 16];

/// The networks of one width.
#[derive(Serialize)]
struct Networks {
    width: usize,
    /// The highest training accuracy of all runs.
    training_accuracy: Option<f64>,
    #[serde(flatten)]
    section: Section,
}

#[derive(Serialize)]
struct Findings {
    widths: Vec<Networks>,
}

/// Narrow networks take longer.
fn base(preset: Preset) -> Experiment {
    let of = presets::large_start(preset);
    Experiment { tau: of.tau.map(|tau| tau.max(LONG)), ..of }
}

fn check(experiment: &Experiment) -> Result<()> {
    grid_of_lambda(experiment)?;
    if experiment.model != ModelKind::Fc {
        return Err(conflict("model: the figure trains fc networks of several widths"));
    }
    constant_lambda(experiment)
}

fn plan(job: &Job, preset: Preset) -> Result<Vec<Phase>> {
    let widths: &[usize] = if preset == Preset::Smoke { &WIDTHS_SMOKE } else { &WIDTHS };
    let of = |&width: &usize| Phase::of(format!("width-{width}"), Experiment { width, ..job.experiment.clone() }, job);
    widths.iter().map(of).collect()
}

fn make(figure: &Figure, job: &Job, preset: Preset, phases: &[Phase]) -> Result<String> {
    let widths = phases
        .iter()
        .map(|phase| {
            let width = phase.experiment.width;
            let section = Section::new(format!("width {width}"), phase.train(job)?, &phase.experiment);
            Ok(Networks { width, training_accuracy: FitOfData::of(&section.traces).map(|f| f.accuracy), section })
        })
        .collect::<Result<Vec<_>>>()?;
    let findings = Findings { widths };
    let claims = claims(&findings);
    let rows: Vec<Vec<String>> = findings.widths.iter().flat_map(|w| w.section.rows()).collect();
    let traces: Vec<&[Trace]> = findings.widths.iter().map(|w| w.section.traces.as_slice()).collect();
    let study = Study {
        command: figure.command,
        heading: figure.heading(preset),
        about: figure.about(job, preset),
        claims: &claims,
        findings: &findings,
        parts: parts(&findings),
        tail: table_of(&HEAD, &rows),
        text: table_text(&HEAD, &rows),
    };
    study.finish(job, &traces)
}

fn claims(f: &Findings) -> Vec<Claim> {
    let mut claims: Vec<Claim> = f.widths.iter().flat_map(|w| w.section.given(vec![w.section.law()])).collect();
    let narrow: Vec<&Networks> = f.widths.iter().filter(|w| !w.section.fits_training_data()).collect();
    let told = |w: &&Networks| {
        if let Some(fit) = w.section.fit() {
            return format!("width {}: slope {}", w.width, with_interval(fit.slope, fit.slope_ci, 2));
        }
        format!("width {}: no slope, {} of {} cells can be timed", w.width, w.section.timed(), w.section.cells.len())
    };
    let found = match narrow[..] {
        [] => "Every width fits its training data".into(),
        _ => narrow.iter().map(told).collect::<Vec<_>>().join("; "),
    };
    claims.push(Claim {
        premise: false,
        statement: format!(
            "Where networks do not fit their training data the law is not seen: fewer than three λ can be timed, or the slope is not −1 \
             to within {SLOPE_TOLERANCE} (R8)"
        ),
        found,
        decision: ends(&narrow.iter().map(|w| &w.section).collect::<Vec<_>>()),
    });
    claims
}

/// Of "the law is not seen" at several widths: at each its slope is another, or its curves are flat, so that there is nothing to be
/// timed. Where curves still rise, a longer run might show it.
fn ends(sections: &[&Section]) -> Decision {
    let opposite = |s: &&Section| {
        let Some(law) = s.fit().map(Decision::of_law) else {
            let is_flat = s.cells.iter().filter(|c| c.t_star.is_none()).all(|c| c.outcome == Outcome::Flat);
            return if is_flat { Decision::certain(true) } else { Decision::OPEN };
        };
        match law.verdict {
            Verdict::Holds => Decision { verdict: Verdict::Fails, ..law },
            Verdict::Fails => Decision { verdict: Verdict::Holds, ..law },
            _ => law,
        }
    };
    Decision::all(&sections.iter().map(opposite).collect::<Vec<_>>())
}

fn parts(f: &Findings) -> Vec<Part> {
    let of = |name: &str, color, value: &dyn Fn(&Networks) -> Option<f64>| Series {
        name: name.into(),
        color: Some((color, 2)),
        mark: Mark::LineAndDots,
        points: f.widths.iter().filter_map(|w| Some((w.width as f64, value(w)?))).collect(),
    };
    let best = |w: &Networks| w.section.cells.iter().filter_map(|c| c.max_test_accuracy).reduce(f64::max);
    let accuracy = figures::Figure {
        x: "width".into(),
        y: "accuracy".into(),
        series: vec![of("training, highest", 0, &|w| w.training_accuracy), of("test, best λ", 1, &best)],
        ..figures::Figure::default()
    };
    let ends = [f.widths.first(), f.widths.last()].into_iter().flatten().map(|w| (w.width as f64, -1.0)).collect();
    let slope = figures::Figure {
        x: "width".into(),
        y: "slope".into(),
        series: vec![
            of("slope of log t_* on log λ", 0, &|w| Some(w.section.fit()?.slope)),
            Series { name: "the law: −1".into(), color: None, mark: Mark::Dashed, points: ends },
        ],
        legend: SeriesLabelPosition::UpperRight,
        ..figures::Figure::default()
    };
    let part = |title: &str, text: &str, figure, file| Part {
        title: title.into(),
        text: text.into(),
        figure,
        file: Some(file),
    };
    vec![
        part("The slope against width", "At widths where three λ or more can be timed.", slope, "width-slope.svg"),
        part("Accuracy against width", "Of all λ and seeds.", accuracy, "width-accuracy.svg"),
    ]
}
