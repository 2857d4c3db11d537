//! Figure 1c: AutoL2 and other schedules of λ beside the best constant λ, with a constant η and with a falling one.

use anyhow::{Context, Result};
use l2lab_core::{
    Experiment,
    experiment::Schedules,
    law::{Mean, Outcome, Regret, after_start, best_accuracy, mean, mean_by_lambda, regret, smoothed},
    train::{LambdaScheduleKind, LrSchedule, Measurement, Trace},
};
use serde::Serialize;

use super::{Figure, Phase, Preset, about, conflict, heading, interval, one_length, premise, presets};
use crate::{
    commands::Job,
    figures::{self, Mark, Series, mean_curve},
    output::{number, with_interval},
    report::{Part, table_of, table_text},
    study::{Claim, Study, Verdict},
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
    /// The largest test accuracy.
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
    #[serde(skip)]
    curve: Vec<(f64, f64, f64)>,
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
    let (best, _) = best(&constants(&traces)).context("every run with a constant λ diverged: a smaller --lr helps")?;
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
        .filter_map(|(lr_schedule, traces)| section(lr_schedule, traces))
        .collect();
    let claims: Vec<Claim> = premise("", &traces).into_iter().chain(sections.iter().filter_map(claim)).collect();
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
fn constants(traces: &[Trace]) -> Vec<Outcome> {
    traces.iter().filter(|t| is_constant(t)).filter_map(Outcome::last).collect()
}

/// The λ that ends best, and its mean accuracy.
fn best(constants: &[Outcome]) -> Option<(f64, f64)> {
    mean_by_lambda(constants).into_iter().max_by(|a, b| a.1.total_cmp(&b.1))
}

/// The arms of one schedule of η; `None` where no constant can be compared with.
fn section(lr_schedule: LrSchedule, traces: &[Trace]) -> Option<Section> {
    let mut groups: Vec<Vec<&Trace>> = Vec::new();
    for trace in traces {
        let same = |g: &&mut Vec<&Trace>| {
            g[0].run.lambda == trace.run.lambda && g[0].run.lambda_schedule == trace.run.lambda_schedule
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(trace),
            None => groups.push(vec![trace]),
        }
    }
    let constants = constants(traces);
    let (best_lambda, best_accuracy) = best(&constants)?;
    let arms = groups.iter().map(|group| arm(group, &constants, best_accuracy)).collect();
    Some(Section { lr_schedule, best_lambda, best_accuracy, arms })
}

fn arm(group: &[&Trace], constants: &[Outcome], target: f64) -> Arm {
    let outcomes: Vec<Outcome> = group.iter().filter_map(|t| Outcome::last(t)).collect();
    let compared: Option<Regret> = (!is_constant(group[0])).then(|| regret(constants, &outcomes)).flatten();
    let kept: Vec<&&Trace> = group.iter().filter(|t| !t.diverged()).collect();
    let mut reached: Vec<f64> = kept.iter().filter_map(|t| reaches(t, target)).collect();
    reached.sort_by(f64::total_cmp);
    let run = &group[0].run;
    Arm {
        name: name(run.lambda_schedule, run.lambda),
        lambda: run.lambda,
        lambda_schedule: run.lambda_schedule,
        final_accuracy: mean(&outcomes.iter().map(|o| o.accuracy).collect::<Vec<_>>()),
        best_accuracy: mean(&kept.iter().filter_map(|t| best_accuracy(&t.points)).collect::<Vec<_>>()),
        compared: compared.as_ref().map_or(0, |r| r.seeds),
        gain: compared.as_ref().map(|r| -r.regret),
        gain_ci: compared.and_then(|r| r.regret_ci).map(|[low, high]| [-high, -low]),
        epochs_to_reach: reached.get(reached.len() / 2).copied(),
        reached: reached.len(),
        diverged: group.len() - kept.len(),
        final_lambda: kept.iter().filter_map(|t| t.points.last()).map(|m| m.lambda).collect(),
        curve: curve(&kept),
    }
}

/// The epoch at which the smoothed test accuracy is first at `target`.
fn reaches(trace: &Trace, target: f64) -> Option<f64> {
    let points = after_start(&trace.points);
    let at = smoothed(points).iter().position(|&a| a >= target)?;
    Some(points[at].epoch)
}

/// Epoch, mean smoothed test accuracy and geometric mean of λ (0 where one is 0).
fn curve(runs: &[&&Trace]) -> Vec<(f64, f64, f64)> {
    let points: Vec<&[Measurement]> = runs.iter().map(|t| after_start(&t.points)).collect();
    let accuracies = mean_curve(&points.iter().map(|p| smoothed(p)).collect::<Vec<_>>());
    let logs = mean_curve(&points.iter().map(|p| p.iter().map(|m| m.lambda.ln()).collect()).collect::<Vec<_>>());
    let epochs = points.first().into_iter().flat_map(|p| p.iter().map(|m| m.epoch));
    epochs.zip(accuracies.into_iter().zip(logs)).map(|(epoch, (accuracy, log))| (epoch, accuracy, log.exp())).collect()
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
        LrSchedule::Constant => ("above", Verdict::above(0.0, a.gain_ci)),
        _ => ("below", Verdict::below(0.0, a.gain_ci)),
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
        let series = |y: &dyn Fn(&(f64, f64, f64)) -> f64| -> Vec<Series> {
            let line = |(i, a): (usize, &&Arm)| Series {
                name: a.name.clone(),
                color: Some((i, shown.len())),
                mark: if a.lambda_schedule == LambdaScheduleKind::Constant { Mark::Dashed } else { Mark::Line },
                points: a.curve.iter().map(|p| (p.0, y(p))).collect(),
            };
            shown.iter().enumerate().map(line).collect()
        };
        let rate = rate(section.lr_schedule);
        let file = (section.lr_schedule == LrSchedule::Constant).then_some("fig1c.svg");
        parts.push(Part {
            title: format!("Test accuracy, {rate}"),
            text: "Means over seeds, averaged over a tenth of the run. Dashed: the constant λ whose final accuracy is best.".into(),
            figure: figures::Figure { x: "epochs".into(), y: "test accuracy".into(), series: series(&|p| p.1), ..figures::Figure::default() },
            file,
        });
        parts.push(Part {
            title: format!("λ, {rate}"),
            text: "Geometric means over seeds. AutoL2 decays it when training stops to improve.".into(),
            figure: figures::Figure {
                x: "epochs".into(),
                y: "λ".into(),
                log_y: true,
                series: series(&|p| p.2),
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
