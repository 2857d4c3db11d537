//! `report.html`: one self-contained page with the figures and the numbers, light and dark.

use std::fmt::Write;

use anyhow::Result;
use l2lab_core::{
    experiment::FIELDS,
    law::{accuracy_at_budget, best_accuracy},
    train::Trace,
};

use crate::{
    figures::{self, Figure, Mark, SERIES_COLORS, Series},
    output::{Summary, notes, number, with_interval},
};

const STYLE: &str = include_str!("report.css");

/// The page.
///
/// # Errors
/// When a figure cannot be drawn.
pub fn html(summary: &Summary, traces: &[Trace]) -> Result<String> {
    let curves = Curves::new(summary, traces);
    let mut body = String::new();
    let mut figure = |title: &str, text: &str, figure: Figure| -> Result<()> {
        if let Some(svg) = figure.svg()? {
            let label = escape(title);
            let _ = write!(
                body,
                "<figure><figcaption><h2>{label}</h2><p>{text}</p></figcaption>{}</figure>\n",
                svg.replacen("role=\"img\"", &format!("role=\"img\" aria-label=\"{label}\""), 1)
            );
        }
        Ok(())
    };
    let legend = "Colour is λ, from light (large) to dark (small)".to_owned()
        + if curves.lrs.len() > 1 { "; dashed is the smaller η." } else { "." };
    figure(
        "Test accuracy against steps",
        &format!("Each curve is the mean over seeds of one λ and η. A smaller λ peaks later. {legend}"),
        curves.against("steps", |t, i| t.points[i].step as f64),
    )?;
    figure(
        "Test accuracy against regularization time τ = ηλt/(1−β)",
        "The same curves. Where L2 is the clock, peaks and declines line up; the early rise does not, because it goes with ηt.",
        curves.against("τ", |t, i| t.points[i].tau),
    )?;
    figure("The law: t_* against ηλ/(1−β)", &fit_text(summary), law_figure(summary, &curves))?;
    figure(
        "Maximum test accuracy against λ",
        "Each run as long as its λ asks for (constant τ). The smaller λ, the better, until nothing more is gained.",
        Figure {
            x: "λ".into(),
            y: "maximum test accuracy".into(),
            log_y: false,
            series: curves.by_lambda(|ts| {
                let best: Vec<f64> =
                    ts.iter().filter(|t| !t.diverged()).filter_map(|t| best_accuracy(&t.points)).collect();
                (!best.is_empty()).then(|| best.iter().sum::<f64>() / best.len() as f64)
            }),
            marker: None,
        },
    )?;
    if let Some(p) = &summary.prediction {
        let of_lr: Vec<&Trace> = traces.iter().filter(|t| t.run.lr == p.lr).collect();
        let mut points = accuracy_at_budget(&of_lr, p.budget as f64);
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        figure(
            &format!("Test accuracy within {} steps against λ", p.budget),
            &escape(&p.text()).replace('\n', " "),
            Figure {
                x: format!("λ   (η = {})", p.lr),
                y: "best accuracy so far".into(),
                log_y: false,
                series: vec![Series { name: String::new(), color: (0, 1), mark: Mark::LineAndDots, points }],
                marker: Some((p.prediction.lambda_pred, "λ_pred".into())),
            },
        )?;
    }
    figure(
        "Training accuracy against τ",
        "The law is claimed where the network is overparameterized: where training accuracy reaches 1.",
        curves.training(),
    )?;
    Ok(format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>l2lab: {title}</title>\
         <style>{STYLE}{colors}</style></head><body><main>\n<h1>L2 regularization as a clock</h1>\n<p>{title}</p>\n\
         {verdict}\n{body}\n{table}\n{experiment}</main></body></html>\n",
        title = escape(&summary.title()),
        colors = figures::style(),
        verdict = verdict(summary),
        table = table(summary),
        experiment = experiment(summary),
    ))
}

/// The grid's traces, arranged for drawing.
struct Curves<'a> {
    traces: &'a [Trace],
    /// Distinct η, the largest first.
    lrs: Vec<f64>,
    /// Distinct λ, the largest first.
    lambdas: Vec<f64>,
}

impl<'a> Curves<'a> {
    fn new(summary: &Summary, traces: &'a [Trace]) -> Self {
        let sorted = |values: &[f64]| {
            let mut values = values.to_vec();
            values.sort_by(|a, b| b.total_cmp(a));
            values
        };
        Self { traces, lrs: sorted(&summary.experiment.lr), lambdas: sorted(&summary.experiment.lambda) }
    }

    fn cell(&self, lr: f64, lambda: f64) -> Vec<&'a Trace> {
        self.traces.iter().filter(|t| t.run.lr == lr && t.run.lambda == lambda).collect()
    }

    /// A curve for each cell: `y` averaged over seeds at `x`.
    fn curves(&self, x: impl Fn(&Trace, usize) -> f64, y: impl Fn(&Trace, usize) -> f64) -> Vec<Series> {
        let mut series = Vec::new();
        for (l, &lr) in self.lrs.iter().enumerate().rev() {
            for (i, &lambda) in self.lambdas.iter().enumerate() {
                let cell: Vec<&Trace> = self.cell(lr, lambda).into_iter().filter(|t| !t.diverged()).collect();
                let Some(length) = cell.iter().map(|t| t.points.len()).min() else { continue };
                let mean = |j: usize| cell.iter().map(|t| y(t, j)).sum::<f64>() / cell.len() as f64;
                series.push(Series {
                    name: if l == 0 { format!("λ = {lambda}") } else { String::new() },
                    color: (i, self.lambdas.len()),
                    mark: if l == 0 { Mark::Line } else { Mark::Dashed },
                    points: (0..length).map(|j| (x(cell[0], j), mean(j))).collect(),
                });
            }
        }
        series
    }

    fn against(&self, x: &str, value: impl Fn(&Trace, usize) -> f64) -> Figure {
        Figure {
            x: x.into(),
            y: "test accuracy".into(),
            log_y: false,
            series: self.curves(value, |t, i| t.points[i].test_accuracy),
            marker: None,
        }
    }

    fn training(&self) -> Figure {
        Figure {
            x: "τ".into(),
            y: "training accuracy".into(),
            log_y: false,
            series: self.curves(|t, i| t.points[i].tau, |t, i| t.points[i].train_accuracy),
            marker: None,
        }
    }

    /// A line over λ for each η.
    fn by_lambda(&self, value: impl Fn(&[&Trace]) -> Option<f64>) -> Vec<Series> {
        let line = |(i, &lr): (usize, &f64)| Series {
            name: format!("η = {lr}"),
            color: (i, self.lrs.len()),
            mark: Mark::LineAndDots,
            points: self.lambdas.iter().filter_map(|&l| Some((l, value(&self.cell(lr, l))?))).collect(),
        };
        self.lrs.iter().enumerate().map(line).collect()
    }
}

/// t_* of each run that counts, and the fitted line.
fn law_figure(summary: &Summary, curves: &Curves) -> Figure {
    let estimator = summary.experiment.estimator;
    let scale = 1.0 / (1.0 - summary.experiment.momentum);
    let dots = |(i, &lr): (usize, &f64)| Series {
        name: format!("η = {lr}"),
        color: (i, curves.lrs.len()),
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
            color: (usize::from(SERIES_COLORS) - 1, usize::from(SERIES_COLORS)),
            mark: Mark::Dashed,
            points: vec![at(low), at(high)],
        });
    }
    Figure { x: "η_eff λ".into(), y: "t_* (steps)".into(), log_y: true, series, marker: None }
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
        let claim = match f.slope_ci {
            None => "one seed cannot decide it",
            Some([low, high]) if low <= -1.0 && -1.0 <= high => "−1 lies within the interval",
            Some(_) if (f.slope + 1.0).abs() < 0.15 => "near −1, but the interval leaves −1 out",
            Some(_) => "the interval leaves −1 out",
        };
        items.push(format!("t_* against ηλ has slope {}: {claim}.", with_interval(f.slope, f.slope_ci, 3)));
    }
    let decay: Vec<f64> =
        summary.cells.iter().filter_map(|c| Some(c.max_test_accuracy? - c.final_test_accuracy?)).collect();
    if !decay.is_empty() {
        let mean = decay.iter().sum::<f64>() / decay.len() as f64;
        items.push(format!("From its maximum to the end of the run, test accuracy falls by {:.3} on average.", mean));
    }
    let least = summary.cells.iter().filter_map(|c| Some((c.lambda, c.max_train_accuracy?)));
    if let Some((lambda, accuracy)) = least.min_by(|a, b| a.0.total_cmp(&b.0)) {
        let what = if accuracy > 0.999 {
            "the network is overparameterized"
        } else {
            "the network is not overparameterized, and the law is not claimed"
        };
        items.push(format!("At the smallest λ = {lambda} training accuracy reaches {accuracy:.3}: {what}."));
    }
    format!("<ul>{}</ul>", items.iter().map(|i| format!("<li>{}</li>", escape(i))).collect::<String>())
}

fn table(summary: &Summary) -> String {
    let rows: String = summary
        .cells
        .iter()
        .map(|c| {
            let cells = [
                c.lr.to_string(),
                c.lambda.to_string(),
                number(c.t_star, 0),
                number(c.tau_star, 3),
                number(c.max_test_accuracy, 4),
                number(c.final_test_accuracy, 4),
                number(c.max_train_accuracy, 4),
                c.runs.to_string(),
                notes(c),
            ];
            format!("<tr>{}</tr>\n", cells.map(|t| format!("<td>{}</td>", escape(&t))).concat())
        })
        .collect();
    let fits: String = summary
        .fits
        .iter()
        .map(|(name, f)| {
            let slope_lambda = f.slope_lambda.map_or_else(|| "—".into(), |s| with_interval(s, f.slope_lambda_ci, 3));
            format!(
                "<tr><td>{name}</td><td>{}</td><td>{slope_lambda}</td><td>{}</td><td>{}</td></tr>\n",
                with_interval(f.slope, f.slope_ci, 3),
                with_interval(f.c_prime, f.c_prime_ci, 3),
                f.n
            )
        })
        .collect();
    format!(
        "<h2>The numbers</h2><p>Medians of t_* and means of accuracies over seeds, by the {} estimator.</p>\
         <div class=\"wide\"><table><thead><tr><th>η</th><th>λ</th><th>t_*</th><th>τ_*</th><th>max. accuracy</th>\
         <th>final accuracy</th><th>max. training</th><th>runs</th><th>notes</th></tr></thead><tbody>{rows}</tbody></table></div>\
         <h2>The estimators</h2><p>[ ]: 95 % bootstrap interval over seeds.</p><div class=\"wide\"><table><thead><tr>\
         <th>estimator</th><th>slope on log ηλ</th><th>slope on log λ</th><th>c′</th><th>runs</th></tr></thead>\
         <tbody>{fits}</tbody></table></div>",
        summary.experiment.estimator.name()
    )
}

/// The command that makes this page again, and the whole experiment.
fn experiment(summary: &Summary) -> String {
    let rows: String = FIELDS
        .iter()
        .filter_map(|f| {
            let value = summary.experiment.get(f.name)?;
            Some(format!("<tr><td><code>{}</code></td><td>{}</td></tr>", f.name, escape(&value)))
        })
        .collect();
    format!(
        "<h2>The experiment</h2><p>Run again: <code>l2lab {} experiment.toml --out DIR</code> with the experiment.toml beside \
         this page (l2lab {}, device {}).</p><details><summary>All of it</summary><div class=\"wide\"><table>{rows}</table></div></details>",
        summary.command,
        summary.version,
        escape(&summary.device)
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
