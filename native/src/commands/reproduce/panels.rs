//! Figures 2 and 3: over a grid of λ and η, each run until ηλt is the same: the time to the best accuracy, the best accuracy,
//! and the accuracy within a budget.

use std::collections::BTreeMap;

use anyhow::Result;
use l2lab_core::{
    Experiment,
    law::{Cell, Fit, Mean, RunSummary, accuracy_within, cells, fits, mean, mean_by_seed},
    model::ModelKind,
    train::Trace,
};
use plotters::prelude::SeriesLabelPosition;
use serde::Serialize;

use super::{
    Figure, Phase, Preset, about, conflict, constant_lambda, grid_of_lambda, heading, interval, premise, presets,
};
use crate::{
    commands::Job,
    figures::{self, Mark, Series},
    output::{number, with_interval},
    report::{Part, table_of, table_text},
    study::{Claim, SLOPE, Study, Verdict},
};

pub const FIG2ABC: Figure = Figure {
    name: "fig2abc",
    command: "reproduce fig2abc",
    about: "Fully connected networks over λ and η: time to the best accuracy, best accuracy, accuracy within a budget",
    base: presets::fully_connected,
    check: check_of_one,
    plan,
    make: |job, preset| {
        let what = "fully connected networks over λ and η";
        let paper = "three hidden layers on 512 images of MNIST";
        make(job, FIG2ABC.command, heading("Figures 2a to 2c", preset, what), about(job, preset, paper), FILES_2ABC)
    },
};

pub const FIG2DEF: Figure = Figure {
    name: "fig2def",
    command: "reproduce fig2def",
    about: "A Wide ResNet over λ and η, plain SGD: time to the best accuracy, best accuracy, accuracy within a budget",
    base: presets::plain_wide_resnet,
    check: check_of_one,
    plan,
    make: |job, preset| {
        let what = "a Wide ResNet over λ and η";
        let about = about(job, preset, presets::PAPER);
        make(job, FIG2DEF.command, heading("Figures 2d to 2f", preset, what), about, FILES_2DEF)
    },
};

pub const FIG3: Figure = Figure {
    name: "fig3",
    command: "reproduce fig3",
    about: "A CNN with and without batch normalization over λ: time to the best accuracy, best accuracy, accuracy in a budget",
    base: cnn,
    check: check_of_two,
    plan,
    make: |job, preset| {
        let what = "a CNN with and without batch normalization";
        let about = about(job, preset, "a CNN on CIFAR-10 with η = 0.01");
        make(job, FIG3.command, heading("Figure 3", preset, what), about, FILES_3)
    },
};

const FILES_2ABC: [&str; 3] = ["fig2a.svg", "fig2b.svg", "fig2c.svg"];
const FILES_2DEF: [&str; 3] = ["fig2d.svg", "fig2e.svg", "fig2f.svg"];
const FILES_3: [&str; 3] = ["fig3a.svg", "fig3b.svg", "fig3c.svg"];

/// What η may change of the best accuracy and still count as weak.
const WEAK: f64 = 0.01;

/// What one network showed over the grid.
#[derive(Serialize)]
struct Section {
    /// Empty where there is one.
    name: &'static str,
    runs: Vec<RunSummary>,
    cells: Vec<Cell>,
    /// By estimator.
    fits: BTreeMap<String, Fit>,
    /// Best accuracy with the largest η less that with the smallest, pairs of equal λ.
    across_lr: Option<Mean>,
    /// Best accuracy with the smallest λ less that with the largest, pairs of equal η.
    across_lambda: Option<Mean>,
    #[serde(skip)]
    traces: Vec<Trace>,
}

#[derive(Serialize)]
struct Findings {
    sections: Vec<Section>,
    /// Steps of panel c.
    budget: u64,
}

fn cnn(preset: Preset) -> Experiment {
    let mini = Experiment {
        model: ModelKind::Cnn,
        batch: 50,
        lr: vec![0.01].into(),
        momentum: 0.0,
        lambda: vec![0.2, 0.1, 0.05, 0.02].into(),
        epochs: None,
        tau: Some(3.0),
        seeds: 3,
        batch_norm: false,
        ..presets::cnn()
    };
    match preset {
        Preset::Mini => mini,
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
    if experiment.steps.is_some() || experiment.epochs.is_some() {
        return Err(conflict("steps, epochs: the figure's runs are as long as their λ and η ask for; give tau"));
    }
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

fn plan(job: &Job) -> Vec<Phase> {
    let mut phases = Phase::grid(job);
    if job.experiment.model == ModelKind::Cnn {
        let experiment = Experiment { batch_norm: true, ..job.experiment.clone() };
        phases.push(Phase { name: "batch-norm", experiment, runs: job.runs.clone() });
    }
    phases
}

fn make(job: &Job, command: &'static str, heading: String, about: String, files: [&'static str; 3]) -> Result<String> {
    let phases = plan(job);
    let names = if phases.len() == 1 { [""; 2] } else { ["without batch norm", "with batch norm"] };
    let train = |(phase, name): (&Phase, &'static str)| -> Result<Section> {
        Ok(section(name, phase.train(job)?, &phase.experiment))
    };
    let sections = phases.iter().zip(names).map(train).collect::<Result<Vec<_>>>()?;
    let budget = budget(&sections[0].traces);
    let findings = Findings { sections, budget };
    let own = job.experiment.estimator.name();
    let claims: Vec<Claim> = findings.sections.iter().flat_map(|s| claims(s, own)).collect();
    let rows: Vec<Vec<String>> = findings.sections.iter().flat_map(rows).collect();
    let head = if findings.sections.len() == 1 { &HEAD[1..] } else { &HEAD };
    let traces: Vec<&[Trace]> = findings.sections.iter().map(|s| s.traces.as_slice()).collect();
    let study = Study {
        command,
        heading,
        about,
        claims: &claims,
        findings: &findings,
        parts: parts(&findings, &job.experiment, files),
        tail: table_of(head, &rows),
        text: table_text(head, &rows),
    };
    study.finish(job, &traces)
}

fn section(name: &'static str, traces: Vec<Trace>, e: &Experiment) -> Section {
    let runs: Vec<RunSummary> = traces.iter().map(|t| RunSummary::new(t, e.estimator)).collect();
    let ends =
        |values: &[f64]| [values.iter().copied().fold(f64::MAX, f64::min), values.iter().copied().fold(0.0, f64::max)];
    let ([low_lr, high_lr], [low, high]) = (ends(&e.lr), ends(&e.lambda));
    let across_lr = difference(&runs, |r| r.lr == high_lr, |r| r.lr == low_lr, |a, b| a.lambda == b.lambda);
    Section {
        name,
        cells: cells(&runs, e.estimator),
        fits: fits(&runs),
        across_lr: across_lr.filter(|_| low_lr != high_lr),
        across_lambda: difference(&runs, |r| r.lambda == low, |r| r.lambda == high, |a, b| a.lr == b.lr),
        runs,
        traces,
    }
}

/// The length of the run in the middle of all, in steps: what panel c gives every run.
fn budget(traces: &[Trace]) -> u64 {
    let mut steps: Vec<u64> = traces.iter().map(|t| t.run.steps).collect();
    steps.sort_unstable();
    steps.get(steps.len() / 2).copied().unwrap_or(0)
}

/// The best accuracy of `ours` less that of `theirs`, which differ from it in one thing alone (`paired`), over the pairs of which
/// neither run diverged.
fn difference(
    runs: &[RunSummary],
    ours: impl Fn(&RunSummary) -> bool,
    theirs: impl Fn(&RunSummary) -> bool,
    paired: impl Fn(&RunSummary, &RunSummary) -> bool,
) -> Option<Mean> {
    let best = |r: &RunSummary| if r.diverged { None } else { r.max_test_accuracy };
    mean_by_seed(runs.iter().filter(|r| ours(r)).filter_map(|run| {
        let other = runs.iter().find(|r| r.seed == run.seed && theirs(r) && paired(run, r))?;
        Some((run.seed, best(run)? - best(other)?))
    }))
}

fn claims(s: &Section, estimator: &str) -> Vec<Claim> {
    let which = if s.name.is_empty() { String::new() } else { format!(", {}", s.name) };
    let seeds = |m: Mean| format!("{} (n = {} seeds)", interval(Some(m)), m.n);
    let mut claims = Vec::from_iter(premise(&which, &s.traces));
    if let Some(fit) = s.fits.get(estimator) {
        let slope = |f: &Fit| with_interval(f.slope, f.slope_ci, 2);
        let others: Vec<String> = s
            .fits
            .iter()
            .filter(|(name, _)| name.as_str() != estimator)
            .map(|(name, f)| format!("{} by the {name} estimator", slope(f)))
            .collect();
        claims.push(Claim {
            statement: format!("The time to the best accuracy goes as 1/(ηλ), to within {SLOPE} of the slope{which} (R1, R2)"),
            found: format!(
                "The slope of log t_* on log ηλ is {} by the {estimator} estimator ({} of {} runs reached their peak, {} \
                 seeds); {}",
                slope(fit),
                fit.n,
                s.runs.len(),
                fit.seeds,
                others.join(", "),
            ),
            verdict: Verdict::near(-1.0, SLOPE, fit.slope_ci),
        });
    }
    if let Some(m) = s.across_lr {
        claims.push(Claim {
            statement: format!("The best accuracy depends only weakly on η: by less than {WEAK}{which} (R2)"),
            found: format!("From the smallest η to the largest it changes by {}", seeds(m)),
            verdict: Verdict::near(0.0, WEAK, m.ci),
        });
    }
    if let Some(m) = s.across_lambda {
        claims.push(Claim {
            statement: format!("Trained for a time that goes as 1/λ, a smaller λ does better{which} (R3)"),
            found: format!("From the largest λ to the smallest the best accuracy changes by {}", seeds(m)),
            verdict: Verdict::above(0.0, m.ci),
        });
    }
    claims
}

const HEAD: [&str; 7] = ["network", "η", "λ", "t_*, steps", "τ_*", "best accuracy", "final accuracy"];

fn rows(s: &Section) -> Vec<Vec<String>> {
    let row = |c: &Cell| {
        let name = (!s.name.is_empty()).then(|| s.name.to_owned());
        let numbers = [
            c.lr.to_string(),
            c.lambda.to_string(),
            number(c.t_star, 0),
            number(c.tau_star, 2),
            number(c.max_test_accuracy, 4),
            number(c.final_test_accuracy, 4),
        ];
        name.into_iter().chain(numbers).collect()
    };
    s.cells.iter().map(row).collect()
}

/// A point of a network's line, of its η and λ.
type Value<'a> = dyn Fn(&Section, f64, f64) -> Option<(f64, f64)> + 'a;

fn parts(f: &Findings, e: &Experiment, files: [&'static str; 3]) -> Vec<Part> {
    let lines: Vec<(&Section, f64)> = f.sections.iter().flat_map(|s| e.lr.iter().map(move |&lr| (s, lr))).collect();
    let draw = |value: &Value<'_>| -> Vec<Series> {
        let series = |(i, &(section, lr)): (usize, &(&Section, f64))| Series {
            name: if section.name.is_empty() { format!("η = {lr}") } else { section.name.into() },
            color: Some((i, lines.len())),
            mark: Mark::LineAndDots,
            points: e.lambda.iter().filter_map(|&lambda| value(section, lr, lambda)).collect(),
        };
        lines.iter().enumerate().map(series).collect()
    };
    let cell = |s: &Section, lr: f64, lambda: f64| s.cells.iter().find(|c| c.lr == lr && c.lambda == lambda).cloned();
    let within = |s: &Section, lr: f64, lambda: f64| {
        let own = s.traces.iter().filter(|t| t.run.lr == lr && t.run.lambda == lambda && !t.diverged());
        let accuracies: Vec<f64> = own.filter_map(|t| accuracy_within(&t.points, f.budget as f64)).collect();
        Some((lambda, mean(&accuracies)?.mean))
    };
    let mut of_time = draw(&|s, lr, lambda| Some((lr * lambda, cell(s, lr, lambda)?.t_star?)));
    // What the law says of the products that there are.
    if let Some(fit) = f.sections.iter().find_map(|s| s.fits.get(e.estimator.name())) {
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
            "Medians over seeds. The law is a straight line of slope −1 on which every η lies.".into(),
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
