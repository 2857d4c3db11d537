//! Figure 4: training curves whose test accuracy peaks and decays, and the training loss beside them.

use anyhow::Result;
use l2lab_core::{
    Experiment,
    law::{Mean, after_start, averaged, mean, mean_by_seed},
    train::{Measurement, Trace},
};
use plotters::prelude::SeriesLabelPosition;
use serde::Serialize;

use super::{
    Figure, Phase, Preset, about, conflict, constant_lambda, grid_of_lambda, heading, interval, premise, presets,
};
use crate::{
    commands::Job,
    figures::{self, Mark, Series, mean_curve},
    output::number,
    report::{Part, table_of, table_text},
    study::{Claim, Study, Verdict},
};

pub const FIGURE: Figure = Figure {
    name: "fig4",
    command: "reproduce fig4",
    about: "Training curves: test accuracy that peaks and decays, and the training loss beside it",
    base,
    check,
    plan: Phase::grid,
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
    #[serde(skip)]
    curve: Vec<[f64; 3]>,
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
        Preset::Mini => {
            let lambda = vec![0.1, 0.03, 0.01].into();
            Experiment { lr, lambda, tau: Some(4.0), measurements: 100, ..of }
        }
        Preset::Smoke => Experiment { lr, ..of },
    }
}

fn check(experiment: &Experiment) -> Result<()> {
    grid_of_lambda(experiment)?;
    if experiment.lr.len() != 1 {
        return Err(conflict("lr: the figure takes one"));
    }
    constant_lambda(experiment)
}

/// A run's curves, averaged over a tenth of it.
struct Course {
    seed: u64,
    epochs: Vec<f64>,
    accuracy: Vec<f64>,
    loss: Vec<f64>,
}

impl Course {
    fn of(trace: &Trace) -> Option<Self> {
        let points = after_start(&trace.points);
        let of = |value: fn(&Measurement) -> f64| points.iter().map(value).collect::<Vec<_>>();
        (!trace.diverged() && !points.is_empty()).then(|| Self {
            seed: trace.run.seed,
            epochs: of(|m| m.epoch),
            accuracy: averaged(&of(|m| m.test_accuracy)),
            loss: averaged(&of(|m| m.train_loss)),
        })
    }
}

/// Where a curve is highest, first.
fn top(curve: &[f64]) -> Option<usize> {
    (0..curve.len()).max_by(|&a, &b| curve[a].total_cmp(&curve[b]).then(b.cmp(&a)))
}

/// By how much accuracy falls and training loss rises from the peak to the end, for each seed: where the peak is is read off the
/// other seeds' curves, or the fall would be above 0 by that choice alone.
fn after_peak(courses: &[Course]) -> Vec<(u64, [f64; 2])> {
    let of = |own: &Course| {
        let others = courses.iter().filter(|c| c.seed != own.seed).map(|c| c.accuracy.clone());
        let top = top(&mean_curve(&others.collect::<Vec<_>>()))?;
        let last = own.accuracy.len() - 1;
        Some((own.seed, [own.accuracy[top] - own.accuracy[last], own.loss[last] - own.loss[top]]))
    };
    courses.iter().filter_map(of).collect()
}

fn make(job: &Job, preset: Preset) -> Result<String> {
    let traces = job.executor().train("grid", &job.runs)?;
    let findings = findings(&job.experiment, &traces);
    let claims: Vec<Claim> = premise("", &traces).into_iter().chain(claims(&findings)).collect();
    let rows = rows(&findings);
    let study = Study {
        command: FIGURE.command,
        heading: heading("Figure 4", preset, "accuracy peaks and decays"),
        about: about(job, preset, presets::PAPER),
        claims: &claims,
        findings: &findings,
        parts: parts(&findings),
        tail: table_of(&HEAD, &rows),
        text: table_text(&HEAD, &rows),
    };
    study.finish(job, &[&traces])
}

fn findings(e: &Experiment, traces: &[Trace]) -> Findings {
    let mut changes: Vec<(u64, [f64; 2])> = Vec::new();
    let mut rows = Vec::new();
    for &lambda in e.lambda.iter() {
        let courses: Vec<Course> = traces.iter().filter(|t| t.run.lambda == lambda).filter_map(Course::of).collect();
        let mean_of =
            |value: fn(&Course) -> &Vec<f64>| mean_curve(&courses.iter().map(value).cloned().collect::<Vec<_>>());
        let [epochs, accuracy, loss] = [mean_of(|c| &c.epochs), mean_of(|c| &c.accuracy), mean_of(|c| &c.loss)];
        let own = after_peak(&courses);
        let each = |i: usize| mean(&own.iter().map(|(_, c)| c[i]).collect::<Vec<_>>());
        rows.push(Row {
            lambda,
            peak: top(&accuracy).map(|i| epochs[i]),
            decay: each(0),
            rise: each(1),
            curve: (0..epochs.len()).map(|i| [epochs[i], accuracy[i], loss[i]]).collect(),
        });
        changes.extend(own);
    }
    let over_seeds = |i: usize| mean_by_seed(changes.iter().map(|(seed, change)| (*seed, change[i])));
    let (decay, rise) = (over_seeds(0), over_seeds(1));
    Findings { rows, decay, rise }
}

fn claims(f: &Findings) -> Vec<Claim> {
    let claim = |statement: &str, what: &str, m: Option<Mean>| {
        let m = m?;
        Some(Claim {
            statement: statement.into(),
            found: format!("{what} {} (n = {} seeds, means over λ)", interval(Some(m)), m.n),
            verdict: Verdict::above(0.0, m.ci),
        })
    };
    let decay = claim(
        "Test accuracy peaks and then decays under L2 (R1)",
        "From its peak, read off the other seeds, to the end it falls by",
        f.decay,
    );
    let rise = claim(
        "After that peak the fit of the training data is lost too: their loss, without the L2 term, rises",
        "From the peak of accuracy to the end it rises by",
        f.rise,
    );
    decay.into_iter().chain(rise).collect()
}

const HEAD: [&str; 4] = ["λ", "peak, epochs", "accuracy falls by", "training loss rises by"];

fn rows(f: &Findings) -> Vec<Vec<String>> {
    let row = |r: &Row| vec![r.lambda.to_string(), number(r.peak, 1), interval(r.decay), interval(r.rise)];
    f.rows.iter().map(row).collect()
}

fn parts(f: &Findings) -> Vec<Part> {
    let figure = |y: &str, column: usize, legend, log_y| figures::Figure {
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
                points: r.curve.iter().map(|p| (p[0], p[column])).collect(),
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
            "Means over seeds, averaged over a tenth of each run.",
            figure("test accuracy", 1, SeriesLabelPosition::LowerRight, false),
            "fig4-accuracy.svg",
        ),
        part(
            "Training loss",
            "Of the same runs, without the L2 term: what L2 takes from the fit of the training data.",
            figure("training loss", 2, SeriesLabelPosition::LowerLeft, true),
            "fig4-loss.svg",
        ),
    ]
}
