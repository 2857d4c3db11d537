//! Figure 1c: AutoL2 and other schedules of λ beside the best constant λ, with a constant η and with a falling one.

use anyhow::{Context, Result};
use l2lab_core::{
    Experiment,
    experiment::Schedules,
    law::{CellCurves, Mean, Metric, Regret, Score, Verdict, best, curve::time, group, mean, mean_by_lambda, regret},
    run::{LambdaScheduleKind, Trace},
    train::LrSchedule,
};
use serde::Serialize;

use super::{Figure, Phase, Preset, about, conflict, fits, given, heading, interval, one_length, premise, presets};
use crate::{
    commands::Job,
    figures::{self, Mark, Series},
    output::{number, with_interval},
    report::{Part, table_of, table_text},
    study::{Claim, Study},
};

pub const FIGURE: Figure = Figure {
    name: "fig1c",
    command: "reproduce fig1c",
    about: "AutoL2 and other schedules of λ beside the best constant λ",
    base,
    check,
    plan: Phase::grid,
    make,
};

/// What the constants are compared with unless the reader says otherwise.
const SCHEDULES: [LambdaScheduleKind; 3] =
    [LambdaScheduleKind::AutoL2Reference, LambdaScheduleKind::AutoL2, LambdaScheduleKind::InverseTime];
/// Those that also run with a falling η.
const AUTOL2: [LambdaScheduleKind; 2] = [LambdaScheduleKind::AutoL2Reference, LambdaScheduleKind::AutoL2];

/// One line of the figure: a λ or a schedule of λ, over all seeds.
#[derive(Serialize)]
struct Arm {
    name: String,
    /// λ at the start.
    lambda: f64,
    lambda_schedule: LambdaScheduleKind,
    /// Test accuracy at the end.
    final_accuracy: Option<Mean>,
    /// The highest smoothed test accuracy, of each seed at the moment that is best for the others.
    best_accuracy: Option<Mean>,
    /// Final accuracy less that of the constant that is best for the other seeds.
    gain: Option<f64>,
    gain_ci: Option<[f64; 2]>,
    /// Seeds behind the gain.
    compared: usize,
    /// Median epochs to the best constant's final accuracy, of the smoothed curve, over the runs that reach it.
    epochs_to_reach: Option<f64>,
    reached: usize,
    diverged: usize,
    /// λ of each run's last step.
    final_lambda: Vec<f64>,
    /// Epoch and mean smoothed test accuracy.
    #[serde(skip)]
    curve: Vec<(f64, f64)>,
    /// Epoch and λ.
    #[serde(skip)]
    lambdas: Vec<(f64, f64)>,
}

/// All that ran with one schedule of η.
#[derive(Serialize)]
struct Section {
    lr_schedule: LrSchedule,
    best_lambda: f64,
    best_accuracy: f64,
    /// Constants first.
    arms: Vec<Arm>,
}

#[derive(Serialize)]
struct Findings<'a> {
    sections: &'a [Section],
}

fn base(preset: Preset) -> Experiment {
    let of = Experiment { compare: Schedules(SCHEDULES.to_vec()), ..presets::of(preset) };
    match preset {
        // AutoL2 begins at the authors' L2 = 0.1; among the constants is their tuned 1e-4.
        Preset::Full => Experiment {
            lambda: vec![2.0, 0.2, 0.02, 0.01, 0.005, 0.002, 0.0005].into(),
            // Theirs is 0.1 in their L2; that of our own AutoL2 is in τ, so that waits.
            lambda_delay: Some(2.0),
            compare: Schedules(vec![LambdaScheduleKind::AutoL2Reference, LambdaScheduleKind::InverseTime]),
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

fn make(job: &Job, preset: Preset) -> Result<String> {
    let e = &job.experiment;
    let train = |experiment: &Experiment, phase: &str, runs| job.executor_of(experiment)?.train(phase, runs);
    let mut traces = train(e, "grid", &job.runs)?;
    // The best constant, switched off half way.
    let (best, _) =
        best_constant(&constants(&traces)).context("every run with a constant λ diverged: a smaller --lr helps")?;
    let off = Experiment { lambda_schedule: LambdaScheduleKind::Off, compare: Schedules::default(), ..e.clone() };
    let steps = job.runs[0].steps;
    let runs = off.cell(e.lr[0], best, steps);
    traces.extend(train(&off, "off", &runs)?);

    // With a falling η: the constants around the best, and AutoL2 from the largest λ.
    let mut sorted = e.lambda.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = sorted.iter().position(|&l| l == best).unwrap_or(0);
    let around = sorted[at.saturating_sub(1)..(at + 2).min(sorted.len())].to_vec();
    let compare = Schedules(AUTOL2.into_iter().filter(|kind| e.compare.0.contains(kind)).collect());
    let falling = Experiment { lr_schedule: LrSchedule::Step, compare, ..e.clone() };
    let mut runs = falling.runs(job.train_examples())?;
    runs.retain(|r| r.lambda_schedule != LambdaScheduleKind::Constant || around.contains(&r.lambda));
    let falling_traces = train(&falling, "falling-lr", &runs)?;

    let sections: Vec<Section> = [(LrSchedule::Constant, &traces), (LrSchedule::Step, &falling_traces)]
        .into_iter()
        .filter_map(|(lr_schedule, traces)| section(lr_schedule, traces, job.train_examples(), e))
        .collect();
    let claims: Vec<Claim> = premise("", &traces)
        .into_iter()
        .chain(given(fits(&traces), sections.iter().filter_map(claim).collect()))
        .collect();
    let findings = Findings { sections: &sections };
    let tables: Vec<String> = sections
        .iter()
        .map(|s| format!("<h2>The numbers, {}</h2>{}", rate(s.lr_schedule), table_of(&HEAD, &rows(s))))
        .collect();
    let study = Study {
        command: FIGURE.command,
        heading: heading("Figure 1c", preset, "AutoL2 beside constant λ"),
        about: about(job, preset, presets::PAPER),
        claims: &claims,
        findings: &findings,
        parts: parts(&sections, e, &traces),
        tail: tables.concat(),
        text: sections.iter().map(text).collect::<Vec<_>>().join("\n"),
    };
    study.finish(job, &[&traces, &falling_traces])
}

fn is_constant(trace: &Trace) -> bool {
    trace.run.lambda_schedule == LambdaScheduleKind::Constant
}

/// The final accuracies of the runs with a constant λ.
fn constants(traces: &[Trace]) -> Vec<Score> {
    Score::at_end(traces.iter().filter(|t| is_constant(t)))
}

/// The λ that ends best, and its mean accuracy.
fn best_constant(constants: &[Score]) -> Option<(f64, f64)> {
    let means = mean_by_lambda(constants);
    best(&means.iter().map(|m| m.1).collect::<Vec<_>>()).map(|at| means[at])
}

/// The arms of one schedule of η; `None` where no constant can be compared with.
fn section(lr_schedule: LrSchedule, traces: &[Trace], examples: usize, e: &Experiment) -> Option<Section> {
    let constants = constants(traces);
    let (best_lambda, best_accuracy) = best_constant(&constants)?;
    let steps_per_epoch = e.steps_per_epoch(examples) as f64;
    let arms = group(traces).into_iter().map(|group| arm(group, &constants, best_accuracy, steps_per_epoch)).collect();
    Some(Section { lr_schedule, best_lambda, best_accuracy, arms })
}

fn arm(group: Vec<&Trace>, constants: &[Score], target: f64, steps_per_epoch: f64) -> Arm {
    let scores = Score::at_end(group.iter().copied());
    let compared: Option<Regret> = (!is_constant(group[0])).then(|| regret(constants, &scores)).flatten();
    let run = &group[0].run;
    let final_lambda =
        group.iter().filter(|t| !t.diverged()).filter_map(|t| t.points.last()).map(|m| m.lambda).collect();
    let diverged = group.iter().filter(|t| t.diverged()).count();
    let runs = group.len();
    let (name, lambda, lambda_schedule) = (name(run.lambda_schedule, run.lambda), run.lambda, run.lambda_schedule);
    let cell = CellCurves::new(group, Metric::Accuracy, f64::INFINITY);
    let epochs = |place: usize| time((cell.first + place as i64) as f64) / steps_per_epoch;
    let mut reached: Vec<f64> =
        cell.values.iter().filter_map(|v| v.iter().position(|&a| a >= target).map(epochs)).collect();
    reached.sort_by(f64::total_cmp);
    let accuracies = cell.mean(&cell.everyone());
    Arm {
        name,
        lambda,
        lambda_schedule,
        final_accuracy: mean(&scores.iter().map(|s| s.accuracy).collect::<Vec<_>>()),
        best_accuracy: if diverged == runs { None } else { mean(&cell.performance()) },
        compared: compared.as_ref().map_or(0, |r| r.seeds),
        gain: compared.as_ref().map(|r| -r.regret),
        gain_ci: compared.and_then(|r| r.regret_ci).map(|[low, high]| [-high, -low]),
        epochs_to_reach: reached.get(reached.len() / 2).copied(),
        reached: reached.len(),
        diverged,
        final_lambda,
        curve: accuracies.iter().enumerate().map(|(i, &a)| (epochs(i), a)).collect(),
        lambdas: lambdas(&cell.traces),
    }
}

/// Epochs and geometric means of λ (0 where one is 0), at the runs' own measurements.
fn lambdas(runs: &[&Trace]) -> Vec<(f64, f64)> {
    let count = runs.iter().map(|t| t.points.len()).min().unwrap_or(0);
    let mean = |i: usize| (runs.iter().map(|t| t.points[i].lambda.ln()).sum::<f64>() / runs.len() as f64).exp();
    (0..count).map(|i| (runs[0].points[i].epoch, mean(i))).collect()
}

fn name(schedule: LambdaScheduleKind, lambda: f64) -> String {
    match schedule {
        LambdaScheduleKind::Constant => format!("λ = {lambda}"),
        LambdaScheduleKind::AutoL2 => "AutoL2".into(),
        LambdaScheduleKind::AutoL2Reference => "AutoL2, reference".into(),
        LambdaScheduleKind::InverseTime => "λ ∝ 1/t".into(),
        LambdaScheduleKind::Off => format!("λ = {lambda}, then off"),
        other => format!("{other:?}"),
    }
}

fn rate(schedule: LrSchedule) -> &'static str {
    match schedule {
        LrSchedule::Constant => "constant η",
        _ => "η falling in steps",
    }
}

/// What the paper says of the authors' AutoL2: that it does better with a constant η, and worse with one that falls.
fn claim(section: &Section) -> Option<Claim> {
    let a = section.arms.iter().find(|a| a.lambda_schedule == LambdaScheduleKind::AutoL2Reference)?;
    let (where_, verdict) = match section.lr_schedule {
        LrSchedule::Constant => ("above", Verdict::interval_above(0.0, a.gain_ci, a.compared)),
        _ => ("below", Verdict::interval_below(0.0, a.gain_ci, a.compared)),
    };
    Some(Claim {
        statement: format!("{} ends {where_} the tuned constant λ, {} (fig. 1c)", a.name, rate(section.lr_schedule)),
        found: format!(
            "It ends {} from the constant that is best for the other seeds (n = {}); on all seeds that is λ = {}, with {:.4}",
            with_interval(a.gain?, a.gain_ci, 4),
            a.compared,
            section.best_lambda,
            section.best_accuracy
        ),
        verdict,
    })
}

const HEAD: [&str; 6] = [
    "λ",
    "final accuracy",
    "best accuracy",
    "final, less the tuned constant's",
    "epochs to its final accuracy",
    "last λ",
];

fn rows(section: &Section) -> Vec<Vec<String>> {
    let row = |a: &Arm| {
        let runs = a.final_lambda.len() + a.diverged;
        let mut last = a.final_lambda.clone();
        last.sort_by(f64::total_cmp);
        let mark = a.lambda_schedule == LambdaScheduleKind::Constant && a.lambda == section.best_lambda;
        vec![
            a.name.clone() + if mark { " *" } else { "" },
            interval(a.final_accuracy),
            interval(a.best_accuracy),
            a.gain.map_or_else(|| "—".into(), |gain| with_interval(gain, a.gain_ci, 4)),
            format!("{} ({} of {runs})", number(a.epochs_to_reach, 1), a.reached),
            last.get(last.len() / 2).map_or_else(|| "—".into(), |l| format!("{l:.1e}")),
        ]
    };
    section.arms.iter().map(row).collect()
}

fn text(section: &Section) -> String {
    let table = table_text(&HEAD, &rows(section));
    format!("{}\n{table}* the best constant; [ ] 95 % interval over seeds\n", rate(section.lr_schedule))
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
        text: format!("After {} epochs, constant η, means over {} seeds.", number(e.epochs, 0), e.seeds),
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
