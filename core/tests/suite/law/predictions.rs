//! The λ that a law predicts, forecasts of experiments, and what they find.

use l2lab_core::{
    Experiment,
    law::{Estimator, Grid, predict, predict_of_runs},
    recording::Findings,
    run::{Length, RunSpec, Trace},
};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::{BUMP_ARRIVES, bump, completed, plateau, run};

#[test]
fn predictions_match_tau() {
    // Tops at τ = 0.4, 0.6 and 0.5, an arrival in words, and a rise that goes on.
    let mut traces: Vec<Trace> = [0.4, 0.6, 0.5]
        .into_iter()
        .zip(0..)
        .map(|(top, seed)| completed(run(0.1, 0.1, seed, 400), bump(100.0 * top)))
        .collect();
    traces.extend((0..3).map(|seed| completed(run(0.1, 0.05, seed, 2000), plateau(50.0))));
    traces.extend((0..3).map(|seed| completed(run(0.1, 0.01, seed, 400), bump(2000.0))));
    let grid = Grid::new(&traces, Estimator::Arrival);
    let p = predict(&grid, 0, 0.1 * 2000.0).unwrap();
    assert_eq!(p.n, 3);
    assert!((p.c_prime - p.t_star * 0.01).abs() < 1e-12 && (p.lambda_pred - p.c_prime / 200.0).abs() < 1e-15, "{p:?}");
    // The mean of bumps rises before their mean does.
    assert!((p.c_prime / (0.5 * BUMP_ARRIVES) - 1.0).abs() < 0.05, "{p:?}");
    // Another budget, or a schedule whose sum is another, is another λ.
    assert!((predict(&grid, 0, 50.0).unwrap().lambda_pred / p.lambda_pred - 4.0).abs() < 1e-12);
    // As many times below as above.
    let [low, high] = p.lambda_pred_ci.unwrap();
    assert!(low > 0.0 && low < 0.9 * p.lambda_pred, "{p:?}");
    assert!(((low * high).sqrt() / p.lambda_pred - 1.0).abs() < 1e-12, "{p:?}");
    assert!(predict(&grid, 1, 200.0).is_some());
    assert_eq!(predict(&grid, 2, 200.0), None, "censored");
    for total_lr in [0.0, -1.0, f64::NAN] {
        assert_eq!(predict(&grid, 0, total_lr), None);
    }
    let peaks = Grid::new(&traces, Estimator::Peak);
    assert!(predict(&peaks, 0, 200.0).is_some() && predict(&peaks, 1, 200.0).is_none(), "a plateau has no peak");
    let one = Grid::new(&traces[..1], Estimator::Arrival);
    let alone = predict(&one, 0, 200.0).unwrap();
    assert_eq!((alone.lambda_pred_ci, alone.n), (None, 1));
    assert!((alone.c_prime / (0.4 * BUMP_ARRIVES) - 1.0).abs() < 0.02, "{alone:?}");
}

#[test]
fn runs_that_were_timed_one_by_one_predict_by_their_medians() {
    let short = [(40.0, 0.4), (90.0, 0.9), (50.0, 0.5)];
    let p = predict_of_runs(&short, 0.1 * 2000.0).unwrap();
    assert_eq!((p.t_star, p.c_prime, p.n), (50.0, 0.5, 3));
    assert!((p.lambda_pred - 0.5 / 200.0).abs() < 1e-15);
    let [low, high] = p.lambda_pred_ci.unwrap();
    assert!(low > 0.0 && low < p.lambda_pred && ((low * high).sqrt() / p.lambda_pred - 1.0).abs() < 1e-12, "{p:?}");
    assert_eq!(predict_of_runs(&short[..1], 200.0).unwrap().lambda_pred_ci, None);
    assert_eq!((predict_of_runs(&[], 200.0), predict_of_runs(&short, 0.0)), (None, None));
}

/// A grid of two seeds, run until τ = 4, in which each run has its top at τ = 1.
fn experiment(budget: Option<Length>) -> Experiment {
    Experiment { lr: vec![0.1].into(), seeds: 2, tau: Some(4.0), budget, ..Experiment::default() }
}

fn lawful(experiment: &Experiment) -> Vec<Trace> {
    let trace = |run: RunSpec| {
        let top = 1.0 / (run.lr * run.lambda);
        completed(run, bump(top))
    };
    experiment.runs(512).unwrap().into_iter().map(trace).collect()
}

#[test]
fn a_forecast_is_read_off_the_largest_lambda_and_put_to_the_test() {
    let e = experiment(Some(Length::Steps(500.0)));
    let traces = lawful(&e);
    let findings = Findings::new(&e, 512, &traces).unwrap();
    assert_eq!((findings.runs.len(), findings.cells.len(), findings.refusals.len()), (8, 4, 0));
    assert_eq!(findings.tolerance, 0.005);
    assert!(findings.regret.is_none());
    let forecast = findings.forecast.clone().unwrap();
    assert_eq!((forecast.lr, forecast.lambda0, forecast.budget), (0.1, 0.1, 500));
    // λ_pred = c′/(0.1·500).
    assert!((forecast.prediction.lambda_pred / (BUMP_ARRIVES / 50.0) - 1.0).abs() < 0.02, "{forecast:?}");
    let runs = forecast.runs(&e);
    assert_eq!(runs.iter().map(|r| r.seed).collect::<Vec<_>>(), [0, 1]);
    assert!(runs.iter().all(|r| r.steps == 500 && r.lambda == forecast.prediction.lambda_pred));

    let verification: Vec<Trace> = runs.into_iter().map(|run| completed(run, |_| 0.75)).collect();
    let regret = findings.clone().tested(&verification).regret.unwrap();
    // 0.1 and 0.03 have their top within the budget, at 0.8.
    assert!(regret.best_lambda >= 0.03, "{regret:?}");
    assert!((regret.regret - 0.05).abs() < 2e-3 && regret.seeds == 2, "{regret:?}");
    assert_eq!(findings.scores.len(), 8);
    // The others are scored at the budget: λ = 0.003 has reached τ = 0.15.
    let of = |lambda: f64| findings.scores.iter().find(|s| s.lambda == lambda).unwrap().accuracy;
    assert!((of(0.003) - bump(1.0)(0.15)).abs() < 0.01 && (of(0.1) - 0.8).abs() < 2e-3, "{:?}", findings.scores);
    assert!(findings.tested(&[]).regret.is_none());
}

#[test]
fn runs_under_way_enter_no_fit_and_no_forecast() {
    let e = experiment(None);
    let whole = lawful(&e);
    let findings = Findings::new(&e, 512, &whole).unwrap();
    assert_eq!((findings.fits["arrival"].n, findings.forecast.unwrap().lambda0), (8, 0.1));
    let mut traces = whole.clone();
    for trace in &mut traces[..2] {
        trace.points.truncate(20);
        trace.end = None;
    }
    let partial = Findings::new(&e, 512, &traces).unwrap();
    assert_eq!((partial.runs.len(), partial.cells.len(), partial.fits["arrival"].n), (8, 3, 6));
    assert_eq!(partial.forecast.unwrap().lambda0, 0.03);
    // What they did so far is told, in their places.
    assert!(partial.runs[..2].iter().all(|r| r.lambda == 0.1 && r.t_star.is_none() && r.max_test_accuracy.is_some()));
    assert!(partial.runs[2..].iter().all(|r| r.lambda < 0.1 && r.t_star.is_some()));
    // One seed of λ₀ is not all of them.
    traces[1] = whole[1].clone();
    let partial = Findings::new(&e, 512, &traces).unwrap();
    assert_eq!((partial.cells.len(), partial.forecast.unwrap().lambda0), (4, 0.03));
    // Where nothing is timed there is no forecast, and nothing to compare.
    let falling = |t: f64| 0.9 - 0.02 * t.max(1.0).ln();
    let flat: Vec<Trace> = whole.iter().map(|t| completed(t.run.clone(), falling)).collect();
    let nothing = Findings::new(&e, 512, &flat).unwrap();
    assert!(nothing.forecast.is_none() && nothing.scores.is_empty() && nothing.fits.is_empty());
    assert_eq!(nothing.refusals.keys().collect::<Vec<_>>(), ["arrival", "loss", "peak"]);
}
