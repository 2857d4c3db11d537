//! Where the law is sharp: how slope and collapse depend on how large the weights start, for three kinds of networks; and late
//! generalization on L2's clock.

use std::f64::consts::SQRT_2;

use anyhow::Result;
use l2lab_core::{
    Experiment,
    law::{self, Decision, FITTED, Grid, Mean, RunSummary, SLOPE_TOLERANCE, mean, mean_by_seed},
    model::ModelKind,
    run::Trace,
};
use plotters::prelude::SeriesLabelPosition;
use serde::Serialize;

use super::{
    Figure, Phase, Preset, conflict, constant_lambda, grid_of_lambda, interval, length_in_tau, one_lr, presets,
    sections::{Section, law_found},
};
use crate::{
    commands::Job,
    figures::{self, Mark, Series},
    output::{number, with_interval},
    report::{Part, table_of, table_text},
    study::{Claim, Study},
};

pub const FIGURE: Figure = Figure {
    name: "sharpness",
    command: "reproduce sharpness",
    about: "Where the law is sharp: slope and collapse against the scale of initial weights, for three kinds of networks",
    title: "Sharpness",
    what: "the law against the scale of initial weights",
    paper: "nothing like it",
    base: presets::large_start,
    check,
    plan,
    make,
};

/// Scales of initial weights, as `w-std` has them. √2 keeps a ReLU network's signal as it is.
const SCALES: [f64; 6] = [1.0, SQRT_2, 2.0, 3.0, 5.0, 8.0];
const SCALES_MINI: [f64; 3] = [SQRT_2, 3.0, 8.0];
const SCALES_SMOKE: [f64; 2] = [SQRT_2, 8.0];
/// How much smaller than the grid's the λ are by which late generalization is followed further.
const FURTHER: f64 = 10.0;
/// Up to which τ the rate is measured at which ‖θ‖² falls.
const EARLY: f64 = 0.5;
/// What L2 alone makes of ‖θ‖²: e^(−2τ). How far from that rate counts as the same.
const RATE: f64 = -2.0;
const RATE_TOLERANCE: f64 = 0.2;

/// One kind of network, whose weights start at one scale.
#[derive(Serialize)]
struct Start {
    network: &'static str,
    w_std: f64,
    /// Cells that can be timed, as a share of all.
    share_timed: f64,
    /// d ln ‖θ‖² / dτ up to τ = [`EARLY`].
    norm_rate: Option<Mean>,
    /// ‖θ‖² at the start over that at the end: the geometric mean over runs.
    norm_ratio: Option<f64>,
    #[serde(flatten)]
    section: Section,
}

#[derive(Serialize)]
struct Findings {
    starts: Vec<Start>,
    /// The first network from the largest weights, over λ that are smaller yet.
    late: Section,
    /// Median step at which its training data are fitted.
    fitted_at: Option<f64>,
    /// How much later test accuracy arrives, run by run.
    after: Vec<After>,
}

/// ln of t_* over the step at which a run fits its training data.
#[derive(Serialize)]
struct After {
    lambda: f64,
    seed: u64,
    log: f64,
}

fn check(experiment: &Experiment) -> Result<()> {
    grid_of_lambda(experiment)?;
    one_lr(experiment)?;
    length_in_tau(experiment)?;
    if experiment.model != ModelKind::Fc {
        return Err(conflict("model: the figure compares an fc with a cnn, with and without batch normalization"));
    }
    if !experiment.lr_course().is_constant() {
        return Err(conflict("lr-schedule, lr-warm-up: the figure has a constant η"));
    }
    constant_lambda(experiment)
}

/// The kinds of networks, the experiment's own first.
fn networks(e: &Experiment) -> [(&'static str, Experiment); 3] {
    let cnn = presets::small_cnn(e);
    let normalized = Experiment { batch_norm: true, ..cnn.clone() };
    [("fc", e.clone()), ("cnn", cnn), ("cnn with batch norm", normalized)]
}

fn scales(preset: Preset) -> &'static [f64] {
    match preset {
        Preset::Smoke => &SCALES_SMOKE,
        Preset::Mini => &SCALES_MINI,
        Preset::Standard | Preset::Full => &SCALES,
    }
}

/// Each network at each scale, the networks outermost; last the runs of small λ.
fn plan(job: &Job, preset: Preset) -> Result<Vec<Phase>> {
    let e = &job.experiment;
    let scales = scales(preset);
    let mut phases = Vec::new();
    for (network, of) in networks(e) {
        for &w_std in scales {
            let name = format!("{}-{w_std:.2}", network.replace(' ', "-"));
            phases.push(Phase::of(name, Experiment { w_std: Some(w_std), ..of.clone() }, job)?);
        }
    }
    let smaller: Vec<f64> = e.lambda.iter().map(|l| l / FURTHER).filter(|l| !e.lambda.contains(l)).collect();
    // The experiment's own network, from the largest weights.
    let late = Experiment { w_std: scales.last().copied(), lambda: smaller.into(), ..e.clone() };
    phases.push(Phase::of("late", late, job)?);
    Ok(phases)
}

fn make(figure: &Figure, job: &Job, preset: Preset, phases: &[Phase]) -> Result<String> {
    let e = &job.experiment;
    let scales = scales(preset);
    let [of_starts @ .., last] = phases else { unreachable!("the plan ends with the runs of small λ") };
    let kinds = networks(e).into_iter().flat_map(|(network, _)| scales.iter().map(move |&w_std| (network, w_std)));
    let starts = kinds
        .zip(of_starts)
        .map(|((network, w_std), phase)| Ok(start(network, w_std, phase.train(job)?, &phase.experiment)))
        .collect::<Result<Vec<_>>>()?;
    let (own, smaller) = (&starts[scales.len() - 1].section.traces, last.train(job)?);
    let late = Section::new(
        "fc from large weights, over smaller λ too",
        own.iter().cloned().chain(smaller.iter().cloned()).collect(),
        &last.experiment,
    );
    let findings = Findings { fitted_at: fitted_at(&late.traces), after: after(&late), starts, late };
    let claims = claims(&findings, scales.len());
    let rows: Vec<Vec<String>> = findings.starts.iter().map(row).collect();
    let traces: Vec<&[Trace]> =
        findings.starts.iter().map(|s| s.section.traces.as_slice()).chain([smaller.as_slice()]).collect();
    let study = Study {
        command: figure.command,
        heading: figure.heading(preset),
        about: figure.about(job, preset),
        claims: &claims,
        findings: &findings,
        parts: parts(&findings, scales.len()),
        tail: table_of(&HEAD, &rows),
        text: table_text(&HEAD, &rows),
    };
    study.finish(job, &traces)
}

fn start(network: &'static str, w_std: f64, traces: Vec<Trace>, e: &Experiment) -> Start {
    let section = Section::new(format!("{network}, w-std {w_std:.2}"), traces, e);
    Start {
        network,
        w_std,
        share_timed: section.timed() as f64 / section.cells.len().max(1) as f64,
        norm_rate: norm_rate(&section.traces),
        norm_ratio: norm_ratio(&section.traces),
        section,
    }
}

/// d ln ‖θ‖² / dτ of each run, by a straight line through its start; the mean over seeds.
fn norm_rate(traces: &[Trace]) -> Option<Mean> {
    let rate = |trace: &Trace| {
        let first = trace.points.first()?.sq_norm;
        let early = trace.points.iter().filter(|m| m.tau > 0.0 && m.tau <= EARLY);
        let (products, squares) = early.fold((0.0, 0.0), |(products, squares), m| {
            (products + m.tau * (m.sq_norm / first).ln(), squares + m.tau * m.tau)
        });
        (squares > 0.0).then_some((trace.run.seed, products / squares)).filter(|(_, rate)| rate.is_finite())
    };
    mean_by_seed(traces.iter().filter(|t| !t.diverged()).filter_map(rate))
}

fn norm_ratio(traces: &[Trace]) -> Option<f64> {
    let ratio = |trace: &Trace| {
        let (first, last) = (trace.points.first()?, trace.points.last()?);
        Some((first.sq_norm / last.sq_norm).ln()).filter(|r| r.is_finite())
    };
    let ratios: Vec<f64> = traces.iter().filter(|t| !t.diverged()).filter_map(ratio).collect();
    (!ratios.is_empty()).then(|| (ratios.iter().sum::<f64>() / ratios.len() as f64).exp())
}

fn after(late: &Section) -> Vec<After> {
    let of = |(trace, run): (&Trace, &RunSummary)| {
        let fitted = first_fit(trace)?;
        Some(After { lambda: run.lambda, seed: run.seed, log: (run.t_star? / fitted.max(1.0)).ln() })
    };
    late.traces.iter().zip(&late.runs).filter_map(of).collect()
}

/// The step of the first measurement at which a run fits its training data.
fn first_fit(trace: &Trace) -> Option<f64> {
    trace.points.iter().find(|m| m.train_accuracy > FITTED).map(|m| m.step as f64)
}

/// The median step, over runs, of the first measurement at which the training data are fitted.
fn fitted_at(traces: &[Trace]) -> Option<f64> {
    let mut steps: Vec<f64> = traces.iter().filter_map(first_fit).collect();
    steps.sort_by(f64::total_cmp);
    steps.get(steps.len() / 2).copied()
}

/// How the slope changes for each e-fold of the scale of initial weights, over all scales that have one: with its standard error by
/// leaving out one seed at a time (the jackknife), since all scales have the same seeds.
fn steepening(of_network: &[Start]) -> Option<Mean> {
    let mut seeds: Vec<u64> = of_network[0].section.traces.iter().map(|t| t.run.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    let slope = |s: &Section, without: Option<u64>| {
        let traces: Vec<Trace> = s.traces.iter().filter(|t| Some(t.run.seed) != without).cloned().collect();
        Some(law::fit(&Grid::new(&traces, s.estimator)).ok()?.slope)
    };
    let trend = |without: Option<u64>| {
        let points: Vec<(f64, f64)> =
            of_network.iter().filter_map(|s| Some((s.w_std.ln(), slope(&s.section, without)?))).collect();
        let n = points.len() as f64;
        let [x, y] = [points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n];
        let (products, squares) = points
            .iter()
            .fold((0.0, 0.0), |(products, squares), p| (products + (p.0 - x) * (p.1 - y), squares + (p.0 - x).powi(2)));
        (squares > 0.0).then(|| products / squares)
    };
    let n = seeds.len() as f64;
    // Pseudovalues: their mean and its interval are those of the jackknife.
    let all = trend(None)?;
    let values =
        seeds.iter().map(|&seed| Some(n * all - (n - 1.0) * trend(Some(seed))?)).collect::<Option<Vec<_>>>()?;
    mean(&values)
}

fn claims(f: &Findings, scales: usize) -> Vec<Claim> {
    let mut claims = Vec::new();
    for of_network in f.starts.chunks(scales) {
        let large = &of_network[scales - 1];
        claims.extend(large.section.given(vec![large.section.law()]));
        let steeper = steepening(of_network);
        claims.push(Claim {
            premise: false,
            statement: format!("{}: the larger the initial weights, the steeper the slope", large.network),
            found: slopes(of_network, steeper),
            decision: Decision::below(0.0, steeper),
        });
        claims.push(Claim {
            premise: false,
            statement: format!(
                "{}: from large weights ‖θ‖² falls as e^(−2τ) at first, to within {RATE_TOLERANCE} of the rate",
                large.network
            ),
            found: format!(
                "Up to τ = {EARLY} ln ‖θ‖² changes by {} for each τ (n = {} seeds)",
                interval(large.norm_rate),
                large.norm_rate.map_or(0, |m| m.n)
            ),
            decision: Decision::near(RATE, RATE_TOLERANCE, large.norm_rate),
        });
    }
    claims.extend(f.late.given(vec![late(f)]));
    claims
}

/// Late generalization.
fn late(f: &Findings) -> Claim {
    let after = |lambda: f64| mean(&f.after.iter().filter(|a| a.lambda == lambda).map(|a| a.log).collect::<Vec<_>>());
    let timed: Vec<f64> = f.late.cells.iter().filter(|c| c.t_star.is_some()).map(|c| c.lambda).collect();
    let later: Vec<Decision> = timed.iter().map(|&lambda| Decision::above(0.0, after(lambda))).collect();
    let times = || f.late.cells.iter().filter_map(|c| c.t_star);
    let factors = || timed.iter().filter_map(|&lambda| Some(after(lambda)?.mean.exp()));
    let law = f.late.fit().map_or(Decision::OPEN, Decision::of_law);
    Claim {
        premise: false,
        statement: format!(
            "Late generalization: at every λ test accuracy comes up after the training data are fitted, at a step that goes as 1/λ over \
             {:.1} decades, to within {SLOPE_TOLERANCE} of the slope",
            decades(&f.late)
        ),
        found: match f.late.fit() {
            Some(fit) => format!(
                "The training data are fitted at step {} (median), t_* lies between the steps {:.0} and {:.0}: {:.1} to {:.1} times as \
                 late in the same runs. {}",
                number(f.fitted_at, 0),
                times().fold(f64::INFINITY, f64::min),
                times().fold(0.0, f64::max),
                factors().fold(f64::INFINITY, f64::min),
                factors().fold(0.0, f64::max),
                law_found(fit, f.late.cells.len())
            ),
            None => f.late.refused(),
        },
        decision: Decision::all(&[&later[..], &[law]].concat()),
    }
}

/// The slope at each scale, and how it changes.
fn slopes(of_network: &[Start], steeper: Option<Mean>) -> String {
    let told = |s: &Start| match s.section.fit() {
        Some(fit) => format!("{:.2} at {:.2}", fit.slope, s.w_std),
        None => format!("none at {:.2}, where {:.0} % of the cells can be timed", s.w_std, 100.0 * s.share_timed),
    };
    let each = of_network.iter().map(told).collect::<Vec<_>>().join(", ");
    let change = steeper.map_or_else(String::new, |m| {
        let ten = std::f64::consts::LN_10;
        let ci = m.ci.map(|ci| ci.map(|end| end * ten));
        format!("; it changes by {} for ten times the scale (n = {} seeds)", with_interval(m.mean * ten, ci, 2), m.n)
    });
    format!("The slope is {each}{change}")
}

/// Over how many decades of λ cells were timed.
fn decades(s: &Section) -> f64 {
    let lambdas = || s.cells.iter().filter(|c| c.t_star.is_some()).map(|c| c.lambda);
    let ratio = lambdas().fold(0.0, f64::max) / lambdas().fold(f64::INFINITY, f64::min);
    if ratio > 0.0 { ratio.log10() } else { 0.0 }
}

const HEAD: [&str; 9] = [
    "network",
    "w-std",
    "cells timed",
    "slope",
    "c′",
    "curves lie together at t·(ηλ)^",
    "spread over τ, over steps",
    "d ln ‖θ‖² / dτ at first",
    "‖θ‖² initial/final",
];

fn row(s: &Start) -> Vec<String> {
    let fit = s.section.fit();
    let collapse = s.section.collapse.as_ref();
    let dash = || "—".to_owned();
    vec![
        s.network.to_owned(),
        format!("{:.2}", s.w_std),
        format!("{} of {}", s.section.timed(), s.section.cells.len()),
        fit.map_or_else(dash, |f| with_interval(f.slope, f.slope_ci, 2)),
        number(fit.map(|f| f.c_prime), 2),
        collapse.map_or_else(dash, |c| with_interval(c.exponent, c.exponent_ci, 2)),
        collapse.map_or_else(dash, |c| format!("{:.4}, {:.4}", c.spread_in_tau, c.spread_in_steps)),
        s.norm_rate.map_or_else(dash, |m| with_interval(m.mean, m.ci, 2)),
        number(s.norm_ratio, 1),
    ]
}

fn parts(f: &Findings, scales: usize) -> Vec<Part> {
    let networks = f.starts.len() / scales;
    let lines = |value: &dyn Fn(&Start) -> Option<f64>| -> Vec<Series> {
        let line = |(i, starts): (usize, &[Start])| Series {
            name: starts[0].network.into(),
            color: Some((i, networks)),
            mark: Mark::LineAndDots,
            points: starts.iter().filter_map(|s| Some((s.w_std, value(s)?))).collect(),
        };
        f.starts.chunks(scales).enumerate().map(line).collect()
    };
    let of_scale = |y: &str, series: Vec<Series>, legend| figures::Figure {
        x: "scale of initial weights (w-std)".into(),
        y: y.into(),
        series,
        legend,
        ..figures::Figure::default()
    };
    let part = |title: &str, text: &str, figure, file| Part {
        title: title.into(),
        text: text.into(),
        figure,
        file: Some(file),
    };
    let mut slopes = lines(&|s| Some(s.section.fit()?.slope));
    let ends = |y: f64| {
        let at = |end: Option<&Start>| end.map(|s| (s.w_std, y));
        [at(f.starts.first()), at(f.starts.last())].into_iter().flatten().collect()
    };
    slopes.push(Series { name: "the law: −1".into(), color: None, mark: Mark::Dashed, points: ends(-1.0) });
    let late = Series {
        name: "t_*: test accuracy has come up".into(),
        color: Some((0, 2)),
        mark: Mark::LineAndDots,
        points: f.late.cells.iter().filter_map(|c| Some((c.lr * c.lambda, c.t_star?))).collect(),
    };
    let fitted = Series {
        name: "training data fitted".into(),
        color: Some((1, 2)),
        mark: Mark::Dashed,
        points: late.points.iter().filter_map(|p| Some((p.0, f.fitted_at?))).collect(),
    };
    vec![
        part(
            "The slope of log t_* on log λ",
            "One point for each network and scale at which three λ or more can be timed.",
            of_scale("slope", slopes, SeriesLabelPosition::UpperRight),
            "sharpness-slope.svg",
        ),
        part(
            "How far curves lie from one another in τ",
            "Standard deviation of test accuracy between the mean curves of all λ, drawn against τ: 0 where L2's clock is all there is.",
            of_scale(
                "spread over τ",
                lines(&|s| Some(s.section.collapse.as_ref()?.spread_in_tau)),
                SeriesLabelPosition::UpperRight,
            ),
            "sharpness-spread.svg",
        ),
        part(
            "‖θ‖² against τ",
            "Means over the runs of each λ, from the largest weights, each over its start. Dashed: e^(−2τ), which L2 alone gives.",
            norms(&f.starts[..scales]),
            "sharpness-norm.svg",
        ),
        part(
            "Late generalization",
            "The step at which test accuracy arrives at its maximum, beside the one at which the training data are fitted.",
            figures::Figure {
                x: "ηλ".into(),
                y: "steps".into(),
                log_y: true,
                series: vec![late, fitted],
                legend: SeriesLabelPosition::UpperRight,
                ..figures::Figure::default()
            },
            "sharpness-late.svg",
        ),
    ]
}

/// ‖θ‖² of the first network from its largest weights, over its start.
fn norms(of_network: &[Start]) -> figures::Figure {
    let Some(start) = of_network.last() else { return figures::Figure::default() };
    let traces = &start.section.traces;
    let mut lambdas: Vec<f64> = start.section.cells.iter().map(|c| c.lambda).collect();
    lambdas.dedup();
    let of = |lambda: f64| -> Vec<(f64, f64)> {
        let runs: Vec<&Trace> = traces.iter().filter(|t| t.run.lambda == lambda && !t.diverged()).collect();
        let count = runs.iter().map(|t| t.points.len()).min().unwrap_or(0);
        let mean = |i: usize| runs.iter().map(|t| t.points[i].sq_norm / t.points[0].sq_norm).sum::<f64>();
        (1..count).map(|i| (runs[0].points[i].tau, mean(i) / runs.len() as f64)).collect()
    };
    let mut series: Vec<Series> = lambdas
        .iter()
        .enumerate()
        .map(|(i, &lambda)| Series {
            name: format!("λ = {lambda}"),
            color: Some((i, lambdas.len())),
            mark: Mark::Line,
            points: of(lambda),
        })
        .collect();
    let taus: Vec<f64> = series.iter().flat_map(|s| s.points.iter().map(|p| p.0)).collect();
    let law = taus.iter().map(|&tau| (tau, (RATE * tau).exp()));
    let least = series.iter().flat_map(|s| s.points.iter().map(|p| p.1)).fold(1.0, f64::min);
    let mut law: Vec<(f64, f64)> = law.filter(|p| p.1 >= least / 3.0).collect();
    law.sort_by(|a, b| a.0.total_cmp(&b.0));
    series.push(Series { name: "e^(−2τ)".into(), color: None, mark: Mark::Dashed, points: law });
    figures::Figure {
        x: "τ".into(),
        y: "‖θ‖² over its start".into(),
        log_y: true,
        series,
        legend: SeriesLabelPosition::LowerLeft,
        ..figures::Figure::default()
    }
}
