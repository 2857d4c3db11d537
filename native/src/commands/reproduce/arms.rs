//! The arms of figure 1c: AutoL2, other schedules of λ and constants, how they did, and what that says.

use l2lab_core::{
    Experiment,
    law::{CellCurves, Decision, Mean, Metric, Regret, Score, best, curve::time, group, mean, mean_by_lambda, regret},
    run::{LambdaScheduleKind, Trace},
    train::LrSchedule,
};
use serde::Serialize;

use super::interval;
use crate::{
    output::{number, with_interval},
    report::table_text,
    study::Claim,
};

/// The constant that the paper compares AutoL2 with: 1e-4 in the units of its code, for ten classes.
pub const PAPERS: f64 = 0.002;
/// A run has caught up with the paper's constant when it is within this of that run's final accuracy.
const NEARLY: f64 = 0.005;

/// One line of the figure: a λ or a schedule of λ, over all seeds.
#[derive(Serialize)]
pub struct Arm {
    pub name: String,
    /// λ at the start.
    pub lambda: f64,
    pub lambda_schedule: LambdaScheduleKind,
    /// Test accuracy at the end.
    pub final_accuracy: Option<Mean>,
    /// The highest smoothed test accuracy, of each seed at the moment that is best for the others.
    pub best_accuracy: Option<Mean>,
    /// Final accuracy less that of the constant that is best for the other seeds.
    pub gain: Option<f64>,
    pub gain_ci: Option<[f64; 2]>,
    /// Seeds behind the gain.
    pub compared: usize,
    /// Final accuracy less that of the paper's constant, of the same seed.
    pub gain_over_papers: Option<Mean>,
    /// Against the paper's constant of the same seed, who comes to nearly its final accuracy first.
    pub race: Option<Race>,
    /// Median epochs to the best constant's final accuracy, of the smoothed curve, over the runs that reach it.
    pub epochs_to_reach: Option<f64>,
    pub reached: usize,
    pub diverged: usize,
    /// λ of each run's last step.
    pub final_lambda: Vec<f64>,
    /// Epoch and mean smoothed test accuracy.
    #[serde(skip)]
    pub curve: Vec<(f64, f64)>,
    /// Epoch and λ.
    #[serde(skip)]
    pub lambdas: Vec<(f64, f64)>,
}

/// All that ran with one schedule of η.
#[derive(Serialize)]
pub struct Section {
    pub lr_schedule: LrSchedule,
    pub best_lambda: f64,
    pub best_accuracy: f64,
    /// Constants first.
    pub arms: Vec<Arm>,
}

pub fn is_constant(trace: &Trace) -> bool {
    trace.run.lambda_schedule == LambdaScheduleKind::Constant
}

/// The final accuracies of the runs with a constant λ.
pub fn constants(traces: &[Trace]) -> Vec<Score> {
    Score::at_end(traces.iter().filter(|t| is_constant(t)))
}

/// The λ that ends best, and its mean accuracy.
pub fn best_constant(constants: &[Score]) -> Option<(f64, f64)> {
    let means = mean_by_lambda(constants);
    best(&means.iter().map(|m| m.1).collect::<Vec<_>>()).map(|at| means[at])
}

/// The arms of one schedule of η; `None` where no constant can be compared with.
pub fn section(lr_schedule: LrSchedule, traces: &[Trace], examples: usize, e: &Experiment) -> Option<Section> {
    let constants = constants(traces);
    let (best_lambda, best_accuracy) = best_constant(&constants)?;
    let steps_per_epoch = e.steps_per_epoch(examples) as f64;
    let papers = Papers::new(traces);
    let arm = |group| arm(group, &constants, best_accuracy, papers.as_ref(), steps_per_epoch);
    let arms = group(traces).into_iter().map(arm).collect();
    Some(Section { lr_schedule, best_lambda, best_accuracy, arms })
}

/// In how many seeds a run comes to nearly the final accuracy of the paper's constant, and in how many sooner than that does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Race {
    pub seeds: usize,
    pub reached: usize,
    pub sooner: usize,
    /// Median time over the constant's own, of the seeds in which it is reached.
    pub time: Option<f64>,
}

/// The paper's constant.
struct Papers<'a> {
    /// Final accuracy by seed.
    ends: Vec<Score>,
    curves: CellCurves<'a>,
}

impl<'a> Papers<'a> {
    fn new(traces: &'a [Trace]) -> Option<Self> {
        let own: Vec<&Trace> = traces.iter().filter(|t| is_constant(t) && t.run.lambda == PAPERS).collect();
        let ends = Score::at_end(own.iter().copied());
        (!ends.is_empty()).then(|| Self { ends, curves: CellCurves::new(own, Metric::Accuracy, f64::INFINITY) })
    }

    /// Final accuracy less the constant's, of the same seed.
    fn gain(&self, scores: &[Score]) -> Option<Mean> {
        let own = |seed: u64| self.ends.iter().find(|s| s.seed == seed);
        mean(&scores.iter().filter_map(|s| Some(s.accuracy - own(s.seed)?.accuracy)).collect::<Vec<_>>())
    }

    /// Each seed against its own run with the constant: one that does not come near is not sooner.
    fn race(&self, cell: &CellCurves<'_>) -> Option<Race> {
        let pairs: Vec<[Option<f64>; 2]> = self
            .ends
            .iter()
            .filter_map(|end| {
                let curves = [(cell, curve_of(cell, end.seed)?), (&self.curves, curve_of(&self.curves, end.seed)?)];
                Some(curves.map(|(cell, curve)| time_to(cell, curve, end.accuracy - NEARLY)))
            })
            .collect();
        let reached = || pairs.iter().filter_map(|[own, papers]| Some((*own)? / (*papers)?));
        let mut times: Vec<f64> = reached().collect();
        times.sort_by(f64::total_cmp);
        (!pairs.is_empty()).then(|| Race {
            seeds: pairs.len(),
            reached: pairs.iter().filter(|p| p[0].is_some()).count(),
            sooner: reached().filter(|ratio| *ratio < 1.0).count(),
            time: times.get(times.len() / 2).copied(),
        })
    }
}

/// The smoothed curve of a seed's run.
fn curve_of<'a>(cell: &'a CellCurves<'_>, seed: u64) -> Option<&'a [f64]> {
    cell.traces.iter().zip(&cell.values).find(|(t, _)| t.run.seed == seed).map(|(_, values)| values.as_slice())
}

/// The time at which a curve of a cell first reaches an accuracy, if it does.
fn time_to(cell: &CellCurves<'_>, curve: &[f64], target: f64) -> Option<f64> {
    let place = curve.iter().position(|&a| a >= target)?;
    Some(time((cell.first + place as i64) as f64))
}

fn arm(group: Vec<&Trace>, constants: &[Score], target: f64, papers: Option<&Papers<'_>>, steps_per_epoch: f64) -> Arm {
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
        gain_over_papers: papers.and_then(|p| p.gain(&scores)),
        race: papers.filter(|_| diverged < runs).and_then(|p| p.race(&cell)),
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

pub fn rate(schedule: LrSchedule) -> &'static str {
    match schedule {
        LrSchedule::Constant => "constant η",
        _ => "η falling in steps",
    }
}

/// What the paper says of the authors' AutoL2: that it does better with a constant η, and worse with one that falls.
pub fn claims(section: &Section) -> Vec<Claim> {
    let Some(a) = section.arms.iter().find(|a| a.lambda_schedule == LambdaScheduleKind::AutoL2Reference) else {
        return Vec::new();
    };
    let rate = rate(section.lr_schedule);
    let mut claims: Vec<Claim> = against_tuned(section, a).into_iter().collect();
    if section.lr_schedule != LrSchedule::Constant {
        return claims;
    }
    claims.push(Claim {
        premise: false,
        statement: format!(
            "{} ends above the constant that the paper compares it with (λ = {PAPERS} here), {rate} (fig. 1c)",
            a.name
        ),
        found: a.gain_over_papers.map_or_else(
            || "There are too few runs to tell".into(),
            |m| format!("It ends {} from it (n = {} seeds)", interval(Some(m)), m.n),
        ),
        decision: Decision::above(0.0, a.gain_over_papers),
    });
    claims.push(Claim {
        premise: false,
        statement: format!(
            "In most seeds {} comes within {NEARLY} of the final accuracy of that constant, and sooner than it (fig. 1c)",
            a.name
        ),
        found: a.race.map_or_else(
            || "There are too few runs to tell".into(),
            |r| {
                let times = r.time.map_or_else(String::new, |t| format!(", in {t:.2} times its time (median of these)"));
                format!("It comes near in {} of {} seeds{times}; sooner in {}", r.reached, r.seeds, r.sooner)
            },
        ),
        decision: a.race.map_or(Decision::OPEN, |r| Decision::in_most(r.sooner, r.seeds)),
    });
    claims
}

fn against_tuned(section: &Section, a: &Arm) -> Option<Claim> {
    let (where_, decision) = match section.lr_schedule {
        LrSchedule::Constant => ("above", Decision::interval_above(0.0, a.gain_ci, a.compared)),
        _ => ("below", Decision::interval_below(0.0, a.gain_ci, a.compared)),
    };
    Some(Claim {
        premise: false,
        statement: format!("{} ends {where_} the tuned constant λ, {} (fig. 1c)", a.name, rate(section.lr_schedule)),
        found: format!(
            "It ends {} from the constant that is best for the other seeds (n = {}); on all seeds that is λ = {}, with {:.4}",
            with_interval(a.gain?, a.gain_ci, 4),
            a.compared,
            section.best_lambda,
            section.best_accuracy
        ),
        decision,
    })
}

pub const HEAD: [&str; 7] = [
    "λ",
    "final accuracy",
    "best accuracy",
    "final, less the tuned constant's",
    "less the paper's constant's",
    "epochs to the tuned constant's final accuracy",
    "last λ",
];

pub fn rows(section: &Section) -> Vec<Vec<String>> {
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
            interval(a.gain_over_papers),
            format!("{} ({} of {runs})", number(a.epochs_to_reach, 1), a.reached),
            last.get(last.len() / 2).map_or_else(|| "—".into(), |l| format!("{l:.1e}")),
        ]
    };
    section.arms.iter().map(row).collect()
}

pub fn text(section: &Section) -> String {
    let table = table_text(&HEAD, &rows(section));
    format!("{}\n{table}* the best constant; [ ] 95 % interval over seeds\n", rate(section.lr_schedule))
}
