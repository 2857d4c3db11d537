//! The theory's report: the paper's figure 5 for this data set, and the networks beside the lines.

use std::fmt::Write;

use anyhow::Result;
use l2lab_core::theory::{Homogeneous, Problem};
use plotters::prelude::SeriesLabelPosition;

use super::{Solved, Summary, networks::ModeCourse, times};
use crate::{
    figures::{Figure, Mark, Series},
    output::{number, with_interval},
    report::{Part, Report, again, list, table_of},
    store,
};

/// Modes that are drawn of those that there are, counted from 0.
pub fn drawn(gammas: &[f64]) -> Vec<usize> {
    [0, 3, 15, 63, 255].into_iter().filter(|&m| gammas.get(m).is_some_and(|&g| g > 0.0)).collect()
}

/// Points of a line.
const POINTS: usize = 160;

pub fn report(summary: &Summary, problem: &Problem, solved: &[Solved], flags: &str) -> Result<Report> {
    let mut found = summary.findings();
    found[0] = format!("Theory, λ = {}: {}.", range(solved.iter().map(|s| s.summary.lambda)), found[0]);
    if summary.clamped > 0 {
        found.push(format!(
            "{} eigenvalues came out negative by rounding (the least {:.1e}) and were set to 0.",
            summary.clamped, summary.clamped_least
        ));
    }
    let parts = vec![curves(solved, "t", |p, _| p), curves(solved, "τ = λt", |p, l| p * l), law(summary)]
        .into_iter()
        .chain([modes(summary, problem, solved)?, kernel(summary)])
        .chain(widths(summary))
        .collect();
    let tail = numbers(summary) + &again(&store::again(summary.command, flags), &summary.experiment, &summary.device);
    Report::page(&summary.heading, &summary.about, &list(&found), parts, &tail)
}

fn line(name: String, color: (usize, usize), mark: Mark, points: Vec<(f64, f64)>) -> Series {
    Series { name, color: Some(color), mark, points }
}

fn range(values: impl Iterator<Item = f64> + Clone) -> String {
    let (low, high) = (values.clone().fold(f64::INFINITY, f64::min), values.fold(0.0, f64::max));
    format!("{low:e} … {high:e}")
}

/// Test loss over time, with the peaks.
fn curves(solved: &[Solved], x: &str, time: fn(f64, f64) -> f64) -> Part {
    let count = solved.len();
    // As many names as a legend has room for.
    let step = count.div_ceil(5);
    let curve = |(i, s): (usize, &Solved)| {
        let lambda = s.summary.lambda;
        let name = if i % step == 0 { format!("λ = {lambda:e}") } else { String::new() };
        let points = s.trajectory.iter().filter_map(|p| Some((time(p.time, lambda), p.test_loss?)));
        line(name, (i, count), Mark::Line, points.collect())
    };
    let dot = |(i, s): (usize, &Solved)| {
        let at = (time(s.summary.t_star?, s.summary.lambda), s.summary.best.test_loss);
        Some(line(String::new(), (i, count), Mark::Dots, vec![at]))
    };
    let mut series: Vec<Series> = solved.iter().enumerate().map(curve).collect();
    series.extend(solved.iter().enumerate().filter_map(dot));
    let (title, text) = if x == "t" {
        (
            "Test loss over time",
            "In closed form (Theorem 2), for each λ; dots mark t_*. The descent is the same for all λ: it goes with t alone.",
        )
    } else {
        ("Test loss over regularization time", "The same curves: their ends and their minima line up in τ = λt.")
    };
    Part {
        title: title.into(),
        text: text.into(),
        figure: Figure {
            x: x.into(),
            y: "test loss".into(),
            series,
            legend: SeriesLabelPosition::LowerLeft,
            ..Figure::default()
        },
        file: None,
    }
}

/// t_* against λ, theory and networks.
fn law(summary: &Summary) -> Part {
    let theory: Vec<(f64, f64)> = summary.runs.iter().filter_map(|r| Some((r.lambda, r.t_star?))).collect();
    let mut series = vec![line("theory from f(0) = 0".into(), (5, 8), Mark::Line, theory)];
    let mut text = "t_* is the time of the least test loss.".to_owned();
    if let Some(c) = summary.networks.as_ref().filter(|c| !c.peaks.is_empty()) {
        let means = |lambda: f64| {
            let logs: Vec<f64> = c.expected.iter().filter(|p| p.lambda == lambda).map(|p| p.t_star.ln()).collect();
            (!logs.is_empty()).then(|| (lambda, (logs.iter().sum::<f64>() / logs.len() as f64).exp()))
        };
        let expected = summary.runs.iter().filter_map(|r| means(r.lambda)).collect();
        series.push(line("theory from the networks' f(0)".into(), (5, 8), Mark::Dashed, expected));
        let points = c.peaks.iter().map(|p| (p.lambda, p.t_star)).collect();
        series.push(line(format!("networks of width {}", c.peak_width), (0, 8), Mark::Dots, points));
        text += " Dots are trained networks, each seed one, at the λ whose runs are short enough. They start from random outputs, \
                 which have to decay too, so they peak later than the mean over networks (solid, from f(0) = 0).";
    }
    Part {
        title: "t_* against λ".into(),
        text,
        figure: Figure {
            x: "λ".into(),
            y: "t_*".into(),
            log_y: true,
            series,
            legend: SeriesLabelPosition::UpperRight,
            ..Figure::default()
        },
        file: Some("law.svg"),
    }
}

/// The paper's figure 5: modes over time for this k, and for k = 1. With networks these are the modes of the few examples that
/// they were compared on.
fn modes(summary: &Summary, problem: &Problem, solved: &[Solved]) -> Result<Part> {
    let gammas = &problem.spectrum().values;
    let of_theory = |mode| ModeCourse { mode, gamma: gammas[mode], points: Vec::new() };
    let of_network = summary.networks.as_ref().and_then(|c| Some((c, c.lambda?)));
    let (lambda, courses, on) = if let Some((c, lambda)) = of_network {
        let width = c.widths.iter().map(|w| w.width).max().unwrap_or(0);
        let on = format!(
            " Dots: a network of width {width} trained on {} images, less what theory leaves of its random start.",
            c.examples
        );
        (lambda, c.modes.clone(), on)
    } else {
        let lambda = solved[solved.len() / 2].summary.lambda;
        (lambda, drawn(gammas).into_iter().map(of_theory).collect(), String::new())
    };
    let largest = courses.first().map_or(1.0, |c| c.gamma);
    let linear = Homogeneous::new(1);
    let mut series = Vec::new();
    for (homogeneous, mark) in [(problem.homogeneous(), Mark::Line), (&linear, Mark::Dashed)] {
        let flow = homogeneous.flow(lambda)?;
        for (i, course) in courses.iter().enumerate() {
            let mode = flow.mode(course.gamma)?;
            let mut points = Vec::with_capacity(POINTS);
            for t in times(largest, lambda, POINTS) {
                points.push((t, flow.at(t)?.response(&mode).target));
            }
            let name = match mark {
                Mark::Line => format!("mode {}: γ = {:.1e}", course.mode + 1, course.gamma),
                _ => String::new(),
            };
            series.push(line(name, (i, courses.len()), mark, points));
        }
    }
    for (i, course) in courses.iter().enumerate().filter(|(_, c)| !c.points.is_empty()) {
        series.push(line(String::new(), (i, courses.len()), Mark::Dots, course.points.clone()));
    }
    Ok(Part {
        title: format!("Modes over time at λ = {lambda:e}"),
        text: format!(
            "f/y of some modes: learned at t ≈ 1/γ, and for k = {} forgotten when the kernel has decayed; dashed k = 1, where \
             they stay (ridge regression).{on}",
            summary.k
        ),
        figure: Figure {
            x: "t".into(),
            y: "f / y".into(),
            series,
            legend: SeriesLabelPosition::UpperLeft,
            ..Figure::default()
        },
        file: Some("modes.svg"),
    })
}

/// The kernel's decay, theory and networks.
fn kernel(summary: &Summary) -> Part {
    let rate = 2.0 * (summary.k as f64 - 1.0);
    let decay = (0..POINTS).map(|j| 10_f64.powf(-3.0 + 3.3 * j as f64 / (POINTS - 1) as f64));
    let theory = decay.map(|tau| (tau, (-rate * tau).exp())).collect();
    let mut series = vec![line(format!("theory: e^(−{rate}τ)"), (5, 8), Mark::Line, theory)];
    if summary.k != 1 {
        series.push(line("k = 1: no decay".into(), (5, 8), Mark::Dashed, vec![(1e-3, 1.0), (2.0, 1.0)]));
    }
    let mut text = "Every entry of the kernel decays alike.".to_owned();
    if let Some((c, lambda)) = summary.networks.as_ref().and_then(|c| Some((c, c.lambda?))) {
        for (i, w) in c.widths.iter().enumerate() {
            let of_width = c.kernels.iter().filter(|p| p.width == w.width).map(|p| (p.tau, p.scale));
            series.push(line(format!("width {}", w.width), (i, c.widths.len()), Mark::Dots, of_width.collect()));
        }
        let _ = write!(text, " Dots: the measured kernel of trained networks along its start, at λ = {lambda}.");
    }
    Part {
        title: "The kernel against regularization time".into(),
        text,
        figure: Figure {
            x: "τ = λt".into(),
            y: "Θ_t / Θ_0".into(),
            series,
            legend: SeriesLabelPosition::LowerLeft,
            ..Figure::default()
        },
        file: None,
    }
}

/// How networks approach the theory.
fn widths(summary: &Summary) -> Option<Part> {
    let c = summary.networks.as_ref().filter(|c| !c.widths.is_empty())?;
    let dots = |name: &str, color: usize, value: fn(&super::networks::Distances) -> &[f64]| {
        let points = c.widths.iter().flat_map(|w| value(w).iter().map(|&v| (w.width as f64, v)));
        line(name.into(), (color, 8), Mark::Dots, points.collect())
    };
    Some(Part {
        title: "Networks approach the theory as they grow".into(),
        text: summary.exponents().unwrap_or_default(),
        figure: Figure {
            x: "width".into(),
            y: "largest distance over time".into(),
            log_y: true,
            series: vec![dots("outputs", 5, |w| &w.function), dots("kernel", 0, |w| &w.kernel)],
            legend: SeriesLabelPosition::UpperRight,
            ..Figure::default()
        },
        file: None,
    })
}

fn numbers(summary: &Summary) -> String {
    let row = |r: &super::LambdaSummary| {
        vec![
            format!("{:e}", r.lambda),
            number(r.t_star, 3),
            number(r.tau_star, 4),
            format!("{:.4}", r.best.test_loss),
            format!("{:.4}", r.best.test_accuracy),
            format!("{:.4}", r.r#final.test_accuracy),
            r.learned_modes.to_string(),
            number(r.largest_stable_lr, 4),
        ]
    };
    let head = [
        "λ",
        "t_*",
        "λt_*",
        "least test loss",
        "accuracy there",
        "accuracy at t = 10/λ",
        "modes learned",
        "largest stable η",
    ];
    let mut out = format!("<h2>The numbers</h2>{}", table_of(&head, &summary.runs.iter().map(row).collect::<Vec<_>>()));
    if let Some(c) = summary.networks.as_ref().filter(|c| !c.widths.is_empty()) {
        let mean = |v: &[f64]| {
            let finite: Vec<f64> = v.iter().copied().filter(|v| v.is_finite()).collect();
            number((!finite.is_empty()).then(|| finite.iter().sum::<f64>() / finite.len() as f64), 4)
        };
        let row = |w: &super::networks::Distances| vec![w.width.to_string(), mean(&w.function), mean(&w.kernel)];
        let shown = |e: &Option<l2lab_core::law::Exponent>| {
            e.as_ref().map_or("—".into(), |e| with_interval(e.exponent, e.exponent_ci, 2))
        };
        let mut rows: Vec<Vec<String>> = c.widths.iter().map(row).collect();
        rows.push(vec!["exponent".into(), shown(&c.function_exponent), shown(&c.kernel_exponent)]);
        let _ = write!(
            out,
            "<h2>Networks</h2><p>Means over seeds of the largest distance over time.</p>{}",
            table_of(&["width", "outputs", "kernel"], &rows)
        );
    }
    out
}
