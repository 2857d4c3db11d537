//! `report.html`: one self-contained page with the figures and the numbers, light and dark.

use std::fmt::Write;

use anyhow::Result;
use l2lab_core::{
    Experiment,
    experiment::{FIELDS, Field},
    law::{Cell, Fit, after_start, best_accuracy, mean_by_lambda, smoothed},
    train::{Measurement, Trace},
};
use plotters::prelude::SeriesLabelPosition;

use crate::{
    figures::{self, Figure, Mark, Series, mean_curve},
    output::{Summary, notes, number, with_interval},
    store,
    study::{FITTED, SLOPE, Verdict},
};

const STYLE: &str = include_str!("report.css");

/// The report of a job: the page, and its main figures as files of their own.
pub struct Report {
    /// `report.html`.
    pub html: String,
    /// `clock.svg`, accuracy against τ, and `law.svg`, t_* against ηλ: name and content.
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
    let mut parts = vec![
        part(
            "Test accuracy against steps",
            format!(
                "Means over seeds, averaged over a tenth of each run. A smaller λ peaks later. Dots mark the median t_*. \
                 Colour is λ{others}"
            ),
            curves.against("steps", |m| m.step as f64, |c| c.t_star),
        ),
        Part {
            file: Some("clock.svg"),
            ..part(
                "Test accuracy against regularization time τ = ηλt/(1−β)",
                "The same curves. Where L2 is the clock, peaks and declines line up; the early rise does not, \
                 because it goes with ηt."
                    .into(),
                curves.against("τ", |m| m.tau, |c| c.tau_star),
            )
        },
        Part {
            file: Some("law.svg"),
            ..part("The law: t_* against ηλ/(1−β)", fit_text(summary), law_figure(summary, &curves))
        },
        part(
            "Maximum test accuracy against λ",
            "Each run as long as its λ asks for. The paper: the smaller λ, the better, until nothing more is gained."
                .into(),
            Figure {
                x: "λ".into(),
                y: "maximum test accuracy".into(),
                series: curves.by_lambda(|runs| {
                    let runs = runs.iter().filter(|t| !t.diverged());
                    let best: Vec<f64> = runs.filter_map(|t| best_accuracy(&t.points)).collect();
                    (!best.is_empty()).then(|| best.iter().sum::<f64>() / best.len() as f64)
                }),
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
                    points: mean_by_lambda(&p.forecast.outcomes(&summary.experiment, traces)),
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

/// How far below the lowest curve's maximum the accuracy axis reaches.
const BELOW_PEAKS: f64 = 0.08;

/// The curve of one cell of the grid.
struct Curve<'a> {
    cell: &'a Cell,
    series: Series,
}

/// The grid's traces, arranged for drawing.
struct Curves<'a> {
    traces: &'a [Trace],
    cells: &'a [Cell],
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
        Self { traces, cells: &summary.cells, lrs, lambdas }
    }

    fn runs(&self, lr: f64, lambda: f64) -> Vec<&'a Trace> {
        self.traces.iter().filter(|t| t.run.lr == lr && t.run.lambda == lambda).collect()
    }

    /// A curve for each cell: `y` averaged over seeds at `x`; the largest η last, so that it is on top.
    fn curves(&self, x: impl Fn(&Measurement) -> f64, y: impl Fn(&[Measurement]) -> Vec<f64>) -> Vec<Curve<'a>> {
        let mut cells: Vec<&Cell> = self.cells.iter().collect();
        cells.sort_by(|a, b| a.lr.total_cmp(&b.lr).then(b.lambda.total_cmp(&a.lambda)));
        let curve = |cell: &'a Cell| {
            let runs: Vec<&Trace> = self.runs(cell.lr, cell.lambda).into_iter().filter(|t| !t.diverged()).collect();
            let values: Vec<Vec<f64>> = runs.iter().map(|t| y(after_start(&t.points))).collect();
            let means = mean_curve(&values);
            let times = after_start(&runs.first()?.points);
            let solid = cell.lr == self.lrs[0];
            let color = self.lambdas.iter().position(|&l| l == cell.lambda)?;
            let series = Series {
                name: if solid { format!("λ = {}", cell.lambda) } else { String::new() },
                color: Some((color, self.lambdas.len())),
                mark: if solid { Mark::Line } else { Mark::Dashed },
                points: times.iter().map(&x).zip(means).collect(),
            };
            Some(Curve { cell, series })
        };
        cells.into_iter().filter_map(curve).collect()
    }

    /// Test accuracy of each cell, with a dot at its median t_*. The early rise is cut off where it
    /// would leave no room for the peaks.
    fn against(&self, x: &str, time: impl Fn(&Measurement) -> f64, t_star: impl Fn(&Cell) -> Option<f64>) -> Figure {
        let curves = self.curves(time, smoothed);
        let top = |c: &Curve| c.series.points.iter().map(|p| p.1).fold(f64::MIN, f64::max);
        let floor = curves.iter().map(top).fold(f64::INFINITY, f64::min) - BELOW_PEAKS;
        let dot = |c: &Curve| {
            let x = t_star(c.cell)?;
            let nearest = c.series.points.iter().min_by(|a, b| (a.0 - x).abs().total_cmp(&(b.0 - x).abs()))?;
            Some(Series { name: String::new(), mark: Mark::Dots, points: vec![(x, nearest.1)], ..c.series.clone() })
        };
        let dots: Vec<Series> = curves.iter().filter_map(dot).collect();
        let series = curves.into_iter().map(|c| c.series).chain(dots).collect();
        Figure { x: x.into(), y: "test accuracy".into(), series, floor: Some(floor), ..Figure::default() }
    }

    fn training(&self) -> Figure {
        let curves = self.curves(|m| m.tau, |points| points.iter().map(|m| m.train_accuracy).collect());
        let series = curves.into_iter().map(|c| c.series).collect();
        Figure { x: "τ".into(), y: "training accuracy".into(), series, ..Figure::default() }
    }

    /// A line over λ for each η.
    fn by_lambda(&self, value: impl Fn(&[&Trace]) -> Option<f64>) -> Vec<Series> {
        let line = |(i, &lr): (usize, &f64)| Series {
            name: format!("η = {lr}"),
            color: Some((i, self.lrs.len())),
            mark: Mark::LineAndDots,
            points: self.lambdas.iter().filter_map(|&l| Some((l, value(&self.runs(lr, l))?))).collect(),
        };
        self.lrs.iter().enumerate().map(line).collect()
    }
}

/// t_* of each run that counts, and the fitted line.
fn law_figure(summary: &Summary, curves: &Curves) -> Figure {
    let estimator = summary.experiment.estimator;
    let scale = summary.experiment.effective_lr(1.0);
    let dots = |(i, &lr): (usize, &f64)| Series {
        name: format!("η = {lr}"),
        color: Some((i, curves.lrs.len())),
        mark: Mark::Dots,
        points: summary
            .runs
            .iter()
            .filter(|r| r.lr == lr)
            .filter_map(|r| Some((lr * scale * r.lambda, r.sample(estimator)?.t_star)))
            .collect(),
    };
    let mut series: Vec<Series> = curves.lrs.iter().enumerate().map(dots).collect();
    if let Some(fit) = &summary.fit {
        let xs = series.iter().flat_map(|s| &s.points).map(|p| p.0);
        let (low, high) = (xs.clone().fold(f64::INFINITY, f64::min), xs.fold(0.0, f64::max));
        let at = |x: f64| (x, (fit.intercept + fit.slope * x.ln()).exp());
        series.push(Series {
            name: format!("fit, slope {:.2}", fit.slope),
            color: None,
            mark: Mark::Dashed,
            points: vec![at(low), at(high)],
        });
    }
    let legend = SeriesLabelPosition::UpperRight;
    Figure { x: "η_eff λ".into(), y: "t_* (steps)".into(), log_y: true, series, legend, ..Figure::default() }
}

fn fit_text(summary: &Summary) -> String {
    let estimator = summary.experiment.estimator.name();
    match &summary.fit {
        Some(f) => format!(
            "Slope {} (the law: −1) by the {estimator} estimator; c′ = {}, from {:.2} to {:.2} over {} runs; {} seed(s).",
            with_interval(f.slope, f.slope_ci, 3),
            with_interval(f.c_prime, f.c_prime_ci, 2),
            f.c_prime_range[0],
            f.c_prime_range[1],
            f.n,
            f.seeds
        ),
        None => format!("Too few runs reached their peak for a fit by the {estimator} estimator."),
    }
}

/// What the numbers say of the paper's claims, in words.
fn verdict(summary: &Summary) -> String {
    let mut items = Vec::new();
    if let Some(f) = &summary.fit {
        let verdict = Verdict::near(-1.0, SLOPE, f.slope_ci).text();
        items.push(format!(
            "t_* against ηλ has slope {}; that it is −1, to within {SLOPE}: {verdict}.",
            with_interval(f.slope, f.slope_ci, 3)
        ));
    }
    let decay: Vec<f64> = summary.cells.iter().filter_map(|c| c.late_decay).collect();
    if !decay.is_empty() {
        let mean = decay.iter().sum::<f64>() / decay.len() as f64;
        items.push(format!(
            "Late decay: from its maximum to the end of a run, smoothed test accuracy falls by {mean:.4} on average."
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
            number(c.t_star, 0),
            number(c.tau_star, 3),
            number(c.max_test_accuracy, 4),
            number(c.final_test_accuracy, 4),
            number(c.late_decay, 4),
            number(c.max_train_accuracy, 4),
            c.runs.to_string(),
            notes(c),
        ]
    };
    let fit = |(name, f): (&String, &Fit)| {
        vec![
            name.clone(),
            with_interval(f.slope, f.slope_ci, 3),
            f.slope_lambda.map_or_else(|| "—".into(), |s| with_interval(s, f.slope_lambda_ci, 3)),
            with_interval(f.c_prime, f.c_prime_ci, 3),
            f.n.to_string(),
        ]
    };
    let head =
        ["η", "λ", "t_*", "τ_*", "max. accuracy", "final accuracy", "late decay", "max. training", "runs", "notes"];
    format!(
        "<h2>The numbers</h2><p>Medians of t_* and means of accuracies over seeds, by the {} estimator.</p>{}\
         <h2>The estimators</h2><p>[ ]: 95 % interval over seeds.</p>{}",
        summary.experiment.estimator.name(),
        table_of(&head, &summary.cells.iter().map(cell).collect::<Vec<_>>()),
        table_of(
            &["estimator", "slope on log ηλ", "slope on log λ", "c′", "runs"],
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
