//! Figure 4: training curves whose test accuracy peaks and decays, and the training loss beside them.

use anyhow::Result;
use l2lab_core::{
    Experiment,
    law::{
        CellCurves, Curve, Decision, Mean, Metric,
        curve::{highest, time},
        group, mean, mean_by_seed,
    },
    run::Trace,
};
use plotters::prelude::SeriesLabelPosition;
use serde::Serialize;

use super::{
    Figure, Phase, Preset, by_lambda, constant_lambda, grid_of_lambda, interval, one_lr, presets, under_premise,
};
use crate::{
    commands::Job,
    figures::{self, Mark, Series, mean_curve},
    output::number,
    report::{Part, table_of, table_text},
    study::{Claim, Study},
};

pub const FIGURE: Figure = Figure {
    name: "fig4",
    command: "reproduce fig4",
    about: "Training curves: test accuracy that peaks and decays, and the training loss beside it",
    title: "Figure 4",
    what: "accuracy peaks and decays",
    paper: presets::PAPER,
    base,
    check,
    plan: |job, _| Ok(vec![Phase::grid(job)]),
    make,
};

/// One λ.
#[derive(Serialize)]
struct Row {
    lambda: f64,
    /// Epoch of the highest mean test accuracy.
    peak: Option<f64>,
    /// Test accuracy at the peak less that at the end.
    decay: Option<Mean>,
    /// Training loss at the end less that at the peak.
    rise: Option<Mean>,
    /// Epoch and mean test accuracy, smoothed in log time.
    #[serde(skip)]
    curve: Vec<(f64, f64)>,
    /// Epoch and mean training loss.
    #[serde(skip)]
    losses: Vec<(f64, f64)>,
}

#[derive(Serialize)]
struct Findings {
    rows: Vec<Row>,
    /// Of all λ: for each seed the mean over λ.
    decay: Option<Mean>,
    rise: Option<Mean>,
}

fn base(preset: Preset) -> Experiment {
    let of = if preset == Preset::Full { presets::plain_wide_resnet(preset) } else { presets::fully_connected(preset) };
    // The noise of SGD, which hides the decay, is least where η is.
    let lr = vec![of.lr.iter().copied().fold(f64::INFINITY, f64::min)].into();
    match preset {
        Preset::Full => Experiment { lr, seeds: 3, ..of },
        // Long after the peak.
        Preset::Mini | Preset::Standard => {
            let lambda = vec![0.1, 0.03, 0.01].into();
            Experiment { lr, lambda, tau: Some(4.0), ..of }
        }
        Preset::Smoke => Experiment { lr, ..of },
    }
}

fn check(experiment: &Experiment) -> Result<()> {
    grid_of_lambda(experiment)?;
    one_lr(experiment)?;
    constant_lambda(experiment)
}

fn make(figure: &Figure, job: &Job, preset: Preset, phases: &[Phase]) -> Result<String> {
    let traces = phases[0].train(job)?;
    let findings = findings(&job.experiment, &traces, job.train_examples());
    let claims = under_premise("", &traces, claims(&findings));
    let rows = rows(&findings);
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
    study.finish(job, &[&traces])
}

fn findings(e: &Experiment, traces: &[Trace], examples: usize) -> Findings {
    let steps_per_epoch = e.steps_per_epoch(examples) as f64;
    let (mut decays, mut rises) = (Vec::new(), Vec::new());
    let mut rows = Vec::new();
    for own in group(traces) {
        let seeds: Vec<u64> = own.iter().map(|t| t.run.seed).collect();
        let accuracy = CellCurves::new(own.clone(), Metric::Accuracy, f64::INFINITY);
        let lambda = accuracy.traces[0].run.lambda;
        if accuracy.diverged || accuracy.is_empty() {
            rows.push(Row { lambda, peak: None, decay: None, rise: None, curve: Vec::new(), losses: Vec::new() });
            continue;
        }
        let losses: Vec<Curve> = own
            .iter()
            .filter_map(|t| Curve::new(t.points.iter().map(|m| (m.step as f64, m.train_loss))))
            .filter_map(|c| c.between(accuracy.first, accuracy.first + accuracy.len() as i64 - 1))
            .collect();
        // Where the top is is read off the other seeds, or the fall would be above 0 by that choice alone.
        let tops = accuracy.tops();
        let last = accuracy.len() - 1;
        let decay = accuracy.declines();
        let rise: Vec<f64> = losses.iter().zip(&tops).map(|(c, &top)| c.values[last] - c.values[top]).collect();
        let epochs = |place: usize| time((accuracy.first + place as i64) as f64) / steps_per_epoch;
        let mean_accuracy = accuracy.mean(&accuracy.everyone());
        let mean_loss = mean_curve(&losses.iter().map(|c| c.values.clone()).collect::<Vec<_>>());
        let points = |values: &[f64]| values.iter().enumerate().map(|(i, &v)| (epochs(i), v)).collect();
        rows.push(Row {
            lambda,
            peak: Some(epochs(highest(&mean_accuracy))),
            decay: mean(&decay),
            rise: mean(&rise),
            curve: points(&mean_accuracy),
            losses: points(&mean_loss),
        });
        decays.extend(seeds.iter().copied().zip(decay));
        rises.extend(seeds.into_iter().zip(rise));
    }
    Findings { rows, decay: mean_by_seed(decays), rise: mean_by_seed(rises) }
}

fn claims(f: &Findings) -> Vec<Claim> {
    let seeds = f.rows.iter().filter_map(|r| r.decay).map(|m| m.n).min().unwrap_or(0);
    let claim = |statement: &str, what: &str, of: fn(&Row) -> Option<Mean>| {
        let (found, decision) = by_lambda(f.rows.iter().map(|r| (r.lambda, of(r))), |_, m| Decision::above(0.0, m));
        Claim {
            premise: false,
            statement: statement.into(),
            found: format!("{what} {found} (n = {seeds} seeds)"),
            decision,
        }
    };
    vec![
        claim(
            "At every λ test accuracy peaks and then decays under L2",
            "From its peak, read off the other seeds, to the end it falls by",
            |r| r.decay,
        ),
        claim(
            "After that peak the fit of the training data is lost too, at every λ: their loss, without the L2 term, rises",
            "From the peak of accuracy to the end it rises by",
            |r| r.rise,
        ),
    ]
}

const HEAD: [&str; 4] = ["λ", "peak, epochs", "accuracy falls by", "training loss rises by"];

fn rows(f: &Findings) -> Vec<Vec<String>> {
    let row = |r: &Row| vec![r.lambda.to_string(), number(r.peak, 1), interval(r.decay), interval(r.rise)];
    f.rows.iter().map(row).collect()
}

fn parts(f: &Findings) -> Vec<Part> {
    let figure = |y: &str, of: fn(&Row) -> &Vec<(f64, f64)>, legend, log_y| figures::Figure {
        x: "epochs".into(),
        y: y.into(),
        log_y,
        series: f
            .rows
            .iter()
            .enumerate()
            .map(|(i, r)| Series {
                name: format!("λ = {}", r.lambda),
                color: Some((i, f.rows.len())),
                mark: Mark::Line,
                points: of(r).clone(),
            })
            .collect(),
        legend,
        ..figures::Figure::default()
    };
    let part = |title: &str, text: &str, figure, file| Part {
        title: title.into(),
        text: text.into(),
        figure,
        file: Some(file),
    };
    vec![
        part(
            "Test accuracy",
            "Means over seeds, smoothed in log time.",
            figure("test accuracy", |r| &r.curve, SeriesLabelPosition::LowerRight, false),
            "fig4-accuracy.svg",
        ),
        part(
            "Training loss",
            "Of the same runs, without the L2 term: what L2 takes from the fit of the training data.",
            figure("training loss", |r| &r.losses, SeriesLabelPosition::LowerLeft, true),
            "fig4-loss.svg",
        ),
    ]
}
