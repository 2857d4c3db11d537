//! What one network showed over a grid of λ and η: a section of a figure that compares several.

use std::collections::BTreeMap;

use l2lab_core::{
    Experiment,
    law::{
        Analysis, Cell, CellCurves, Collapse, Decision, Estimator, Fit, Mean, Metric, RunSummary, SLOPE_TOLERANCE,
        group, trend,
    },
    run::Trace,
};
use serde::Serialize;

use super::{FitOfData, under_premise};
use crate::{
    figures::{self, Mark, Series},
    output::{number, time_of, with_interval},
    study::Claim,
};

/// What one network showed over the grid.
#[derive(Serialize)]
pub struct Section {
    /// Empty where there is one.
    pub name: String,
    pub runs: Vec<RunSummary>,
    pub cells: Vec<Cell>,
    /// By estimator.
    pub fits: BTreeMap<String, Fit>,
    /// Why an estimator has no fit.
    pub refusals: BTreeMap<String, String>,
    /// How well whole curves lie on one another.
    pub collapse: Option<Collapse>,
    /// What the best accuracy changes from the smallest η to the largest, by its trend over all cells of equal λ.
    pub across_lr: Option<Mean>,
    /// What a ten times larger λ changes of it, by its trend over all cells of equal η.
    pub across_lambda: Option<Mean>,
    /// The experiment's estimator.
    pub estimator: Estimator,
    #[serde(skip)]
    pub traces: Vec<Trace>,
}

impl Section {
    /// Of runs that have ended.
    pub fn new(name: impl Into<String>, traces: Vec<Trace>, e: &Experiment) -> Self {
        let Analysis { runs, cells, fits, refusals, collapse, .. } = Analysis::new(&traces, e.estimator);
        // Of each cell whose runs are all there, the best accuracy of each seed.
        let mut best: Vec<(u64, f64, f64, f64)> = Vec::new();
        for own in group(&traces) {
            let cell = CellCurves::new(own, Metric::Accuracy, f64::INFINITY);
            if !cell.diverged && !cell.is_empty() {
                let seeds = cell.traces.iter().map(|t| &t.run);
                best.extend(seeds.zip(cell.performance()).map(|(r, accuracy)| (r.seed, r.lr, r.lambda, accuracy)));
            }
        }
        let decades = {
            let lr = || e.lr.iter().copied();
            (lr().fold(0.0, f64::max) / lr().fold(f64::INFINITY, f64::min)).log10()
        };
        let over_range = |m: Mean| Mean { mean: m.mean * decades, ci: m.ci.map(|ci| ci.map(|c| c * decades)), n: m.n };
        Self {
            name: name.into(),
            across_lr: trend(best.iter().map(|&(seed, lr, lambda, accuracy)| (seed, lambda, lr, accuracy)))
                .map(over_range),
            across_lambda: trend(best.iter().map(|&(seed, lr, lambda, accuracy)| (seed, lr, lambda, accuracy))),
            cells,
            fits,
            refusals,
            collapse,
            runs,
            estimator: e.estimator,
            traces,
        }
    }

    /// The fit by the experiment's estimator.
    pub fn fit(&self) -> Option<&Fit> {
        self.fits.get(self.estimator.name())
    }

    /// Whether the network fits its training data.
    pub fn fits_training_data(&self) -> bool {
        FitOfData::of(&self.traces).is_some_and(|f| f.holds())
    }

    /// How many of its cells can be timed.
    pub fn timed(&self) -> usize {
        self.cells.iter().filter(|c| c.t_star.is_some()).count()
    }

    /// `, with batch norm`: which of several networks a statement is about.
    pub fn which(&self) -> String {
        if self.name.is_empty() { String::new() } else { format!(", {}", self.name) }
    }

    /// R1: t_* goes as 1/λ.
    pub fn law(&self) -> Claim {
        let which = self.which();
        Claim {
            premise: false,
            statement: format!(
                "The time to the best accuracy goes as 1/λ at fixed η, to within {SLOPE_TOLERANCE} of the slope{which} (R1)"
            ),
            found: match self.fit() {
                Some(f) => law_found(f, self.cells.len()),
                None => self.refused(),
            },
            decision: self.fit().map_or(Decision::OPEN, Decision::of_law),
        }
    }

    /// Why there is no fit by the experiment's estimator, as a sentence.
    pub fn refused(&self) -> String {
        let why = self.refusals.get(self.estimator.name()).map_or("", String::as_str);
        let mut letters = why.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    }

    /// Claims under the paper's premise, and the premise itself before them.
    pub fn given(&self, claims: Vec<Claim>) -> Vec<Claim> {
        under_premise(&self.which(), &self.traces, claims)
    }

    /// One row for each cell, under [`HEAD`]; without the network's name where there is one.
    pub fn rows(&self) -> Vec<Vec<String>> {
        let row = |c: &Cell| {
            let name = (!self.name.is_empty()).then(|| self.name.clone());
            let numbers = [
                c.lr.to_string(),
                c.lambda.to_string(),
                c.outcome.name().to_owned(),
                time_of(c),
                number(c.tau_star, 2),
                number(c.max_test_accuracy, 4),
                number(c.final_test_accuracy, 4),
            ];
            name.into_iter().chain(numbers).collect()
        };
        self.cells.iter().map(row).collect()
    }
}

/// What [`Section::rows`] hold.
pub const HEAD: [&str; 8] = ["network", "η", "λ", "outcome", "t_*, steps", "τ_*", "best accuracy", "final accuracy"];

/// What a fit says of R1, beside its placebo.
pub fn law_found(f: &Fit, cells: usize) -> String {
    let without = match f.without_l2.slope {
        Some(slope) => format!("in curves without L2 the same estimator gives {slope:.2}"),
        None => format!("in curves without L2 it times {} of {}", f.without_l2.timed, f.without_l2.cells),
    };
    format!(
        "The slope of log t_* on log λ is {} by the {} estimator ({} of {cells} cells timed, {} seeds); with the times exchanged \
         between λ it is {:.2} [{:.2}, {:.2}], and {without}",
        with_interval(f.slope, f.slope_ci, 2),
        f.estimator.name(),
        f.cells_timed,
        f.seeds,
        f.placebo_slope,
        f.placebo_ci[0],
        f.placebo_ci[1],
    )
}

/// t_* of several networks' cells against ηλ, and the line of the law through the first that has a fit.
pub fn times(
    sections: &[Section],
    name: &dyn Fn(&Section) -> String,
    legend: plotters::prelude::SeriesLabelPosition,
) -> figures::Figure {
    let line = |(i, s): (usize, &Section)| Series {
        name: name(s),
        color: Some((i, sections.len())),
        mark: Mark::LineAndDots,
        points: s.cells.iter().filter_map(|c| Some((c.tau_star? / c.t_star?, c.t_star?))).collect(),
    };
    let mut series: Vec<Series> = sections.iter().enumerate().map(line).collect();
    if let Some(first) = sections.iter().zip(&series).find_map(|(s, own)| s.fit().and(own.points.first())) {
        let through = first.0 * first.1;
        let mut points: Vec<(f64, f64)> = series.iter().flat_map(|s| &s.points).map(|p| (p.0, through / p.0)).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        series.push(Series { name: "slope −1".into(), color: None, mark: Mark::Dashed, points });
    }
    figures::Figure {
        x: "τ per step: η_eff λ".into(),
        y: "t_*, steps".into(),
        log_y: true,
        series,
        legend,
        ..figures::Figure::default()
    }
}
