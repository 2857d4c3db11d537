//! Bias, spread and coverage of the estimators of t_*, on simulated grids whose answers are known: `core/ESTIMATORS.md`.
//!
//! `cargo run --release --package l2lab-core --example estimators > core/ESTIMATORS.md` (three minutes)

use l2lab_core::law::{
    Analysis, Estimator, Verdict,
    simulation::{Scenario, traces},
};

/// Grids for each line of the table.
const REPLICATES: u64 = 60;

fn main() {
    let replicates = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(REPLICATES);
    println!(
        "# The estimators of t_*, on grids whose answers are known\n\n\
         Made by `cargo run --release --package l2lab-core --example estimators > core/ESTIMATORS.md`: {replicates} simulated grids a \
         line, of five λ, two η and as many seeds as the line says, with noise as measured on 1000 test images \
         (`core/src/law/simulation.rs`). *Timed* is the share of cells that the estimator times; *refused* the share of grids without \
         a fit, fewer than three λ being timed; *slope* is the mean of the fitted slopes of log t_* on log λ, *spread* their standard \
         deviation, *coverage* the share of 95 % intervals that hold the true slope; *R1 holds* the share of grids of which the \
         verdict is that t_* goes as 1/λ. Where nothing can be timed, timing something is the error.\n\n\
         | curves | seeds | estimator | timed | refused | slope | true | spread | coverage | R1 holds |\n\
         |---|---|---|---|---|---|---|---|---|---|"
    );
    for scenario in Scenario::ALL {
        for seeds in [3, 5, 10] {
            let analyses: Vec<Analysis> =
                (0..replicates).map(|r| Analysis::new(&traces(scenario, seeds, r), Estimator::Arrival)).collect();
            for estimator in [Estimator::Arrival, Estimator::Peak] {
                println!("{}", row(scenario, seeds, estimator, &analyses));
            }
        }
    }
}

fn row(scenario: Scenario, seeds: u64, estimator: Estimator, analyses: &[Analysis]) -> String {
    let cells: usize = analyses.iter().map(|a| a.cells.len()).sum();
    let timed = analyses.iter().flat_map(|a| &a.cells).filter(|c| estimator.times(c.outcome)).count();
    let fits: Vec<_> = analyses.iter().filter_map(|a| a.fits.get(estimator.name())).collect();
    let n = fits.len() as f64;
    let mean = fits.iter().map(|f| f.slope).sum::<f64>() / n;
    let spread = (fits.iter().map(|f| (f.slope - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    let covers = |truth: f64| fits.iter().filter(|f| f.slope_ci.is_some_and(|[l, h]| l <= truth && truth <= h)).count();
    let holds = fits.iter().filter(|f| f.law == Verdict::Holds).count();
    let share = |count: usize, of: usize| format!("{:.0} %", 100.0 * count as f64 / of as f64);
    let number = |value: f64| if value.is_finite() { format!("{value:.3}") } else { "—".into() };
    format!(
        "| {} | {seeds} | {} | {} | {} | {} | {} | {} | {} | {} |",
        scenario.name(),
        estimator.name(),
        share(timed, cells),
        share(analyses.len() - fits.len(), analyses.len()),
        number(mean),
        scenario.slope().map_or_else(|| "—".into(), |s| s.to_string()),
        number(spread),
        scenario.slope().filter(|_| !fits.is_empty()).map_or_else(|| "—".into(), |s| share(covers(s), fits.len())),
        share(holds, analyses.len()),
    )
}
