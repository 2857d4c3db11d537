//! `report.html`: one self-contained page with the figures and the numbers, light and dark.

use std::fmt::Write;

use anyhow::Result;
use l2lab_core::{
    Experiment,
    experiment::{FIELDS, Field},
    law::{Cell, CellCurves, FITTED, Fit, Metric, curve::time, group, mean, mean_by_lambda, tau_at},
    run::{Measurement, Trace},
};
use plotters::prelude::SeriesLabelPosition;

use crate::{
    figures::{self, Figure, Mark, Series},
    output::{Summary, collapse_text, fit_text, notes, number, time_of, with_interval},
    store,
};

const STYLE: &str = include_str!("report.css");

/// The report of a job: the page, and its main figures as files of their own.
pub struct Report {
    /// `report.html`.
    pub html: String,
    /// `steps.svg` and `clock.svg`, accuracy against steps and against τ, and `law.svg`, t_* against ηλ: name and content.
    pub figures: Vec<(&'static str, String)>,
}

impl Report {
    /// Of a grid of runs.
    ///
    /// # Errors
    /// When a figure cannot be drawn.
    pub fn new(summary: &Summary, traces: &[Trace]) -> Result<Self> {
        let tail = table(summary) + &experiment(summary);
        let heading = "L2 regularization as a clock";
        Self::page(heading, &summary.title(), &verdict(summary), parts(summary, traces), &tail)
    }

    /// A page: heading, what it is about, what was found (HTML), the figures, the numbers (HTML).
    ///
    /// # Errors
    /// When a figure cannot be drawn.
    pub fn page(heading: &str, about: &str, verdict: &str, parts: Vec<Part>, tail: &str) -> Result<Self> {
        let mut body = String::new();
        let mut files = Vec::new();
        for part in parts {
            let Some(svg) = part.figure.svg()? else { continue };
            let label = escape(&part.title);
            let svg = svg.replacen("role=\"img\"", &format!("role=\"img\" aria-label=\"{label}\""), 1);
            let text = escape(&part.text);
            let _ = writeln!(
                body,
                "<figure><figcaption><h2>{label}</h2><p>{text}</p></figcaption><div class=\"wide\">{svg}</div></figure>"
            );
            files.extend(part.file.map(|name| (name, figures::standalone(&svg))));
        }
        let (heading, about, colors) = (escape(heading), escape(about), figures::style());
        let html = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"color-scheme\" content=\"light dark\"><title>l2lab: {about}</title>\
             <style>{colors}{STYLE}</style></head><body><main>\n<h1>{heading}</h1>\n<p>{about}</p>\n\
             {verdict}\n{body}\n{tail}</main></body></html>\n"
        );
        Ok(Self { html, figures: files })
    }
}

/// A figure of the report, with what its reader has to know.
pub struct Part {
    /// Its heading.
    pub title: String,
    /// Below the heading.
    pub text: String,
    /// The figure; left out if it has nothing to show.
    pub figure: Figure,
    /// The file that it is also written to.
    pub file: Option<&'static str>,
}

/// Sentences as a list.
pub fn list(items: &[String]) -> String {
    format!("<ul>{}</ul>", items.iter().map(|i| format!("<li>{}</li>", escape(i))).collect::<String>())
}

/// A table that scrolls where it is too wide.
pub fn table_of(head: &[&str], rows: &[Vec<String>]) -> String {
    let head: String = head.iter().map(|h| format!("<th>{}</th>", escape(h))).collect();
    let row = |row: &Vec<String>| {
        let cells: String = row.iter().map(|c| format!("<td>{}</td>", escape(c))).collect();
        format!("<tr>{cells}</tr>\n")
    };
    let rows: String = rows.iter().map(row).collect();
    format!("<div class=\"wide\"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>")
}

/// The same for a terminal.
pub fn table_text(head: &[&str], rows: &[Vec<String>]) -> String {
    let lines: Vec<Vec<&str>> =
        [head.to_vec()].into_iter().chain(rows.iter().map(|r| r.iter().map(String::as_str).collect())).collect();
    let width =
        |column: usize| lines.iter().filter_map(|l| l.get(column)).map(|c| c.chars().count()).max().unwrap_or(0);
    let line = |cells: &Vec<&str>| {
        let cells = cells.iter().enumerate().map(|(i, cell)| format!("{cell:<0$}", width(i)));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    lines.iter().map(line).collect()
}

/// The report's figures, in their order.
fn parts(summary: &Summary, traces: &[Trace]) -> Vec<Part> {
    let curves = Curves::new(summary, traces);
    let others = if curves.lrs.len() > 1 { "; solid lines are the largest η, dashed ones the others." } else { "." };
    let part = |title: &str, text: String, figure| Part { title: title.into(), text, figure, file: None };
    let collapse = summary.collapse.as_ref().map_or_else(String::new, |c| format!(" Here {}.", collapse_text(c)));
    let mut parts = vec![
        Part {
            file: Some("steps.svg"),
            ..part(
                "Test accuracy against steps",
                format!(
                    "Means over seeds, smoothed in log time. Dots mark t_* where it can be told: {} Colour is λ{others}",
                    "the moment at which a curve arrives at its best, or has it."
                ),
                curves.against("steps", |m, _| m),
            )
        },
        Part {
            file: Some("clock.svg"),
            ..part(
                "Test accuracy against regularization time τ = ηλt/(1−β)",
                format!(
                    "The same curves. Where L2 is the clock, curves of all λ lie on one another; an early rise that goes with ηt does \
                     not.{collapse}"
                ),
                curves.against("τ", |t, trace| tau_at(trace, t)),
            )
        },
        Part {
            file: Some("law.svg"),
            ..part("The law: t_* against ηλ/(1−β)", law_text(summary), law_figure(summary, &curves))
        },
        part(
            "‖θ‖² against τ",
            "L2 alone shrinks it as e^(−2τ), the dashed line, until the gradient holds it.".into(),
            curves.norms(),
        ),
        part(
            "Best test accuracy against λ",
            "Each run as long as its λ asks for, each seed at the moment that is best for the others. The paper: the smaller λ, the \
             better, until nothing more is gained."
                .into(),
            Figure {
                x: "λ".into(),
                y: "best test accuracy".into(),
                series: curves.by_lambda(|cell| cell.max_test_accuracy),
                legend: SeriesLabelPosition::LowerLeft,
                ..Figure::default()
            },
        ),
    ];
    if let Some(p) = &summary.prediction {
        parts.push(part(
            &format!("Test accuracy within {} steps against λ", p.forecast.budget),
            p.text().trim().replace('\n', ". "),
            Figure {
                x: format!("λ   (η = {})", p.forecast.lr),
                y: "best accuracy so far".into(),
                series: vec![Series {
                    name: String::new(),
                    color: None,
                    mark: Mark::LineAndDots,
                    points: mean_by_lambda(&p.forecast.scores(&summary.experiment, traces)),
                }],
                marker: Some((p.forecast.prediction.lambda_pred, "λ_pred".into())),
                ..Figure::default()
            },
        ));
    }
    parts.push(part(
        "Training accuracy against τ",
        "The law is claimed where the network is overparameterized: where training accuracy reaches 1.".into(),
        curves.training(),
    ));
    parts
}

/// The curve of one cell of the grid.
struct Curve<'a> {
    cell: &'a Cell,
    trace: &'a Trace,
    series: Series,
}

/// The grid's traces, arranged for drawing.
struct Curves<'a> {
    /// Each cell with its runs; those that diverged are not drawn.
    groups: Vec<(&'a Cell, Vec<&'a Trace>)>,
    /// Distinct η, the largest first.
    lrs: Vec<f64>,
    /// Distinct λ, the largest first.
    lambdas: Vec<f64>,
}

impl<'a> Curves<'a> {
    fn new(summary: &'a Summary, traces: &'a [Trace]) -> Self {
        let sorted = |values: &[f64]| {
            let mut values = values.to_vec();
            values.sort_by(|a, b| b.total_cmp(a));
            values
        };
        let (lrs, lambdas) = (sorted(&summary.experiment.lr), sorted(&summary.experiment.lambda));
        let mut groups: Vec<(&Cell, Vec<&Trace>)> = summary.cells.iter().zip(group(traces)).collect();
        // The largest η last, so that it is on top.
        groups.sort_by(|a, b| a.0.lr.total_cmp(&b.0.lr).then(b.0.lambda.total_cmp(&a.0.lambda)));
        for (_, runs) in &mut groups {
            runs.retain(|t| !t.diverged());
        }
        Self { groups, lrs, lambdas }
    }

    /// A curve for each cell, of points of its runs.
    fn curves(&self, points: impl Fn(&[&'a Trace]) -> Vec<(f64, f64)>) -> Vec<Curve<'a>> {
        let curve = |(cell, runs): &(&'a Cell, Vec<&'a Trace>)| {
            let solid = cell.lr == self.lrs[0];
            let color = self.lambdas.iter().position(|&l| l == cell.lambda)?;
            let series = Series {
                name: if solid { format!("λ = {}", cell.lambda) } else { String::new() },
                color: Some((color, self.lambdas.len())),
                mark: if solid { Mark::Line } else { Mark::Dashed },
                points: points(runs),
            };
            Some(Curve { cell, trace: runs.first()?, series })
        };
        self.groups.iter().filter_map(curve).collect()
    }

    /// Test accuracy of each cell against a time made of steps, with a dot on the curve at its t_*.
    fn against(&self, x: &str, at: impl Fn(f64, &Trace) -> f64) -> Figure {
        let smoothed = |runs: &[&'a Trace]| {
            let cell = CellCurves::new(runs.to_vec(), Metric::Accuracy, f64::INFINITY);
            let mean = cell.mean(&cell.everyone());
            let place = |i: usize| at(time((cell.first + i as i64) as f64), runs[0]);
            mean.iter().enumerate().map(|(i, &accuracy)| (place(i), accuracy)).collect()
        };
        let curves = self.curves(smoothed);
        let dot = |c: &Curve| {
            let x = at(c.cell.t_star?, c.trace);
            let nearest = c.series.points.iter().min_by(|a, b| (a.0 - x).abs().total_cmp(&(b.0 - x).abs()))?;
            Some(Series { name: String::new(), mark: Mark::Dots, points: vec![(x, nearest.1)], ..c.series.clone() })
        };
        let dots: Vec<Series> = curves.iter().filter_map(dot).collect();
        let series = curves.into_iter().map(|c| c.series).chain(dots).collect();
        Figure { x: x.into(), y: "test accuracy".into(), series, ..Figure::default() }
    }

    /// Means over seeds of what was measured, against τ.
    fn measured(&self, of: impl Fn(&Measurement) -> f64) -> Vec<Curve<'a>> {
        self.curves(|runs| {
            let count = runs.iter().map(|t| t.points.len()).min().unwrap_or(0);
            let mean = |i: usize| runs.iter().map(|t| of(&t.points[i])).sum::<f64>() / runs.len() as f64;
            (0..count).map(|i| (runs[0].points[i].tau, mean(i))).collect()
        })
    }

    fn training(&self) -> Figure {
        let series = self.measured(|m| m.train_accuracy).into_iter().map(|c| c.series).collect();
        Figure { x: "τ".into(), y: "training accuracy".into(), series, ..Figure::default() }
    }

    /// ‖θ‖², and what L2 alone would leave of it.
    fn norms(&self) -> Figure {
        let curves = self.measured(|m| m.sq_norm);
        let starts = || self.groups.iter().filter_map(|(_, runs)| Some(runs.first()?.points.first()?.sq_norm));
        let start = starts().sum::<f64>() / starts().count().max(1) as f64;
        let least = curves.iter().flat_map(|c| &c.series.points).map(|p| p.1).fold(f64::INFINITY, f64::min);
        let mut series: Vec<Series> = curves.into_iter().map(|c| c.series).collect();
        let alone = |i: i32| {
            let tau = 0.01 * 10_f64.powf(f64::from(i) / 20.0);
            (tau, start * (-2.0 * tau).exp())
        };
        let points = (0..80).map(alone).filter(|p| p.1 > least).collect();
        series.push(Series { name: "e^(−2τ)".into(), color: None, mark: Mark::Dashed, points });
        let legend = SeriesLabelPosition::LowerLeft;
        Figure { x: "τ".into(), y: "‖θ‖²".into(), log_y: true, series, legend, ..Figure::default() }
    }

    /// A line over λ for each η.
    fn by_lambda(&self, value: impl Fn(&Cell) -> Option<f64>) -> Vec<Series> {
        let cell = |lr: f64, lambda: f64| self.groups.iter().map(|g| g.0).find(|c| c.lr == lr && c.lambda == lambda);
        let line = |(i, &lr): (usize, &f64)| Series {
            name: format!("η = {lr}"),
            color: Some((i, self.lrs.len())),
            mark: Mark::LineAndDots,
            points: self.lambdas.iter().filter_map(|&l| Some((l, value(cell(lr, l)?)?))).collect(),
        };
        self.lrs.iter().enumerate().map(line).collect()
    }
}

/// t_* of each cell that can be timed, the fitted line, and the placebo's slope through the same dots.
fn law_figure(summary: &Summary, curves: &Curves) -> Figure {
    let rate = |c: &Cell| Some((c.tau_star? / c.t_star?, c.t_star?));
    let dots = |(i, &lr): (usize, &f64)| Series {
        name: format!("η = {lr}"),
        color: Some((i, curves.lrs.len())),
        mark: Mark::Dots,
        points: summary.cells.iter().filter(|c| c.lr == lr).filter_map(rate).collect(),
    };
    let mut series: Vec<Series> = curves.lrs.iter().enumerate().map(dots).collect();
    if let Some(fit) = &summary.fit {
        let points: Vec<(f64, f64)> = series.iter().flat_map(|s| s.points.clone()).collect();
        let xs = || points.iter().map(|p| p.0);
        let (low, high) = (xs().fold(f64::INFINITY, f64::min), xs().fold(0.0, f64::max));
        let n = points.len() as f64;
        let middle = |of: fn(&(f64, f64)) -> f64| points.iter().map(|p| of(p).ln()).sum::<f64>() / n;
        let (mx, my) = (middle(|p| p.0), middle(|p| p.1));
        let line = |name: String, slope: f64| Series {
            name,
            color: None,
            mark: Mark::Dashed,
            points: [low, high].map(|x| (x, (my + slope * (x.ln() - mx)).exp())).to_vec(),
        };
        series.push(line(format!("fit, slope {:.2}", fit.slope), fit.slope));
        series.push(line(format!("placebo, slope {:.2}", fit.placebo_slope), fit.placebo_slope));
    }
    let legend = SeriesLabelPosition::UpperRight;
    Figure { x: "η_eff λ".into(), y: "t_* (steps)".into(), log_y: true, series, legend, ..Figure::default() }
}

fn law_text(summary: &Summary) -> String {
    let text = fit_text(summary.experiment.estimator, summary.fit.as_ref(), summary.fit_refused.as_deref());
    text.replace("\n\n", "\n").replace('\n', ". ")
}

/// What the numbers say of the paper's claims, in words.
fn verdict(summary: &Summary) -> String {
    let mut items = vec![law_text(summary)];
    items.extend(summary.collapse.as_ref().map(collapse_text));
    let decays: Vec<f64> = summary.cells.iter().filter_map(|c| Some(c.late_decay?.mean)).collect();
    if let Some(m) = mean(&decays) {
        items.push(format!(
            "From the moment of its best accuracy to the end a cell loses {} of it (interval over {} cells).",
            with_interval(m.mean, m.ci, 4),
            m.n
        ));
    }
    let least = summary.cells.iter().filter_map(|c| Some((c.lambda, c.max_train_accuracy?)));
    if let Some((lambda, accuracy)) = least.min_by(|a, b| a.0.total_cmp(&b.0)) {
        let what = if accuracy > FITTED {
            "the network is overparameterized"
        } else {
            "the network is not overparameterized, and the law is not claimed"
        };
        items.push(format!("At the smallest λ = {lambda} training accuracy reaches {accuracy:.3}: {what}."));
    }
    list(&items)
}

fn table(summary: &Summary) -> String {
    let cell = |c: &Cell| {
        vec![
            c.lr.to_string(),
            c.lambda.to_string(),
            c.outcome.name().to_owned(),
            time_of(c),
            number(c.tau_star, 3),
            c.max_test_accuracy.map_or_else(|| "—".into(), |a| with_interval(a, c.max_test_accuracy_ci, 4)),
            number(c.final_test_accuracy, 4),
            c.late_decay.map_or_else(|| "—".into(), |m| with_interval(m.mean, m.ci, 4)),
            number(c.max_train_accuracy, 4),
            c.runs.to_string(),
            notes(c),
        ]
    };
    let fit = |(name, f): (&String, &Fit)| {
        vec![
            name.clone(),
            with_interval(f.slope, f.slope_ci, 3),
            format!("{:.2} [{:.2}, {:.2}]", f.placebo_slope, f.placebo_ci[0], f.placebo_ci[1]),
            with_interval(f.slope_product, f.slope_product_ci, 3),
            with_interval(f.c_prime, f.c_prime_ci, 3),
            f.cells_timed.to_string(),
        ]
    };
    let head = [
        "η",
        "λ",
        "outcome",
        "t_*",
        "τ_*",
        "best accuracy",
        "final accuracy",
        "decline",
        "max. training",
        "runs",
        "notes",
    ];
    format!(
        "<h2>The numbers</h2><p>t_* of the mean curve over seeds, by the {} estimator; a curve has arrived within {:.4} of its \
         maximum.</p>{}<h2>The estimators</h2><p>[ ]: 95 % interval over seeds; of the placebo, 95 % of the exchanges of times \
         between λ.</p>{}",
        summary.experiment.estimator.name(),
        summary.tolerance,
        table_of(&head, &summary.cells.iter().map(cell).collect::<Vec<_>>()),
        table_of(
            &["estimator", "slope on log λ", "placebo", "slope on log ηλ", "c′", "cells"],
            &summary.fits.iter().map(fit).collect::<Vec<_>>()
        )
    )
}

fn experiment(summary: &Summary) -> String {
    again(&store::again(summary.command, ""), &summary.experiment, &summary.device)
}

/// The command line that makes a page again, and the whole experiment.
pub fn again(line: &str, experiment: &Experiment, device: &str) -> String {
    let row = |f: &Field| Some(vec![f.name.to_owned(), experiment.get(f.name)?]);
    format!(
        "<h2>The experiment</h2><p>Run again: <code>{}</code> with the experiment.toml beside this page (l2lab {}, \
         device {}).</p><details><summary>All of it</summary>{}</details>",
        escape(line),
        env!("CARGO_PKG_VERSION"),
        escape(device),
        table_of(&["field", "value"], &FIELDS.iter().filter_map(row).collect::<Vec<_>>())
    )
}

/// Text as HTML.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
