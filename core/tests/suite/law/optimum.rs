//! The exponent of the best λ against the budget, on quadratic surfaces.

use l2lab_core::law::{Optimum, Score, optimal_exponent};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[cfg(not(target_arch = "wasm32"))]
use super::Noise;

const BUDGETS: [f64; 3] = [10.0, 30.0, 100.0];

/// The best λ at a budget.
fn truth(p: f64, budget: f64) -> f64 {
    0.05 * (budget / 30.0).powf(-p)
}

/// Five seeds of a grid of λ within each budget, with accuracies that are a parabola of this curvature in log λ.
fn grids(p: f64, curvature: f64, mut noise: impl FnMut() -> f64) -> Vec<(f64, Vec<Score>)> {
    let lambdas: Vec<f64> = (0..13).map(|i| 0.4 * 0.6_f64.powi(i)).collect();
    let mut of_budget = |budget: f64| {
        let mut scores = Vec::new();
        for &lambda in &lambdas {
            for seed in 0..5 {
                let accuracy = 0.9 - curvature * (lambda / truth(p, budget)).ln().powi(2) + noise();
                scores.push(Score { lambda, seed, accuracy });
            }
        }
        (budget, scores)
    };
    BUDGETS.map(&mut of_budget).into()
}

#[test]
fn the_exponent_of_the_best_lambda_is_found() {
    for p in [1.0, 0.5, 0.0] {
        let (optima, exponent) = optimal_exponent(&grids(p, 0.01, || 0.0));
        let exponent = exponent.unwrap();
        assert!((exponent.p - p).abs() < 1e-9, "{exponent:?}");
        assert_eq!((exponent.budgets, exponent.seeds), (3, 5));
        assert!(exponent.cells < 39, "what is far from the best λ does not enter: {exponent:?}");
        assert_eq!(optima.iter().map(|o| o.budget).collect::<Vec<_>>(), BUDGETS);
        let is_right = |o: &Optimum| (o.lambda / truth(p, o.budget)).ln().abs() < 1e-9 && !o.censored;
        assert!(optima.iter().all(is_right), "{optima:?}");
    }
    // Two budgets are enough.
    let (optima, exponent) = optimal_exponent(&grids(1.0, 0.01, || 0.0)[1..]);
    assert!(optima.len() == 2 && (exponent.unwrap().p - 1.0).abs() < 1e-9);
}

#[test]
fn what_seeds_share_does_not_widen_the_interval() {
    // Each seed's accuracies are all higher or lower, in the order of `grids`.
    let mut turn = 0;
    let level = || {
        turn += 1;
        0.02 * f64::from(turn % 5)
    };
    let [low, high] = optimal_exponent(&grids(1.0, 0.01, level)).1.unwrap().p_ci.unwrap();
    assert!((low - 1.0).abs() < 1e-6 && (high - 1.0).abs() < 1e-6, "{low} to {high}");
}

#[test]
#[cfg(not(target_arch = "wasm32"))]
fn the_exponent_is_covered_by_its_interval() {
    for p in [1.0, 0.5] {
        let (mut inside, mut sum, mut width) = (0, 0.0, 0.0);
        for replicate in 0..100 {
            let mut noise = Noise::white(replicate, 0.01);
            let exponent = optimal_exponent(&grids(p, 0.01, || noise.next())).1.unwrap();
            let [low, high] = exponent.p_ci.unwrap();
            inside += usize::from(low <= p && p <= high);
            sum += exponent.p;
            width += (high - low) / 100.0;
        }
        assert!(
            inside >= 88 && (sum / 100.0 - p).abs() < 0.02 && width < 0.3,
            "{p}: {inside}, {}, {width}",
            sum / 100.0
        );
    }
}

#[test]
fn a_flat_surface_has_no_exponent() {
    let (_, exponent) = optimal_exponent(&grids(1.0, 0.0, || 0.0));
    assert!(exponent.as_ref().unwrap_err().contains("no top in λ beyond its noise"), "{exponent:?}");
    // A valley has none either, nor has one seed of it.
    let valley = grids(1.0, -0.01, || 0.0);
    assert!(optimal_exponent(&valley).1.unwrap_err().contains("no top"));
    let one: Vec<_> = valley.iter().map(|(b, s)| (*b, s.iter().copied().filter(|s| s.seed == 0).collect())).collect();
    assert!(optimal_exponent(&one).1.unwrap_err().contains("no top"));
}

/// Of 200 grids of noise alone, those that have an exponent; each has `count` λ, a factor `ratio` apart.
#[cfg(not(target_arch = "wasm32"))]
fn found_in_noise(count: i32, ratio: f64) -> usize {
    let has_exponent = |replicate: &u64| {
        let mut noise = Noise::white(*replicate, 0.01);
        let grids = BUDGETS.map(|budget| {
            let cells = (0..count).flat_map(|i| (0..5).map(move |seed| (0.4 * ratio.powi(i), seed)));
            (budget, cells.map(|(lambda, seed)| Score { lambda, seed, accuracy: 0.9 + noise.next() }).collect())
        });
        optimal_exponent(&grids).1.is_ok()
    };
    (0..200).filter(has_exponent).count()
}

#[test]
#[cfg(not(target_arch = "wasm32"))]
fn noise_has_seldom_an_exponent() {
    let found = found_in_noise(13, 0.6);
    assert!(found <= 26, "{found} of 200");
}

#[test]
#[cfg(not(target_arch = "wasm32"))]
fn noise_has_an_exponent_in_one_of_twenty_coarse_grids() {
    let found = found_in_noise(7, 0.3);
    assert!(found <= 16, "{found} of 200");
}

#[test]
fn an_optimum_outside_the_grid_is_censored() {
    // The best λ at T = 10, 30 and 100 are 0.15, 0.05 and 0.015.
    let below = |most: f64| -> Vec<(f64, Vec<Score>)> {
        let keep =
            |(budget, scores): (f64, Vec<Score>)| (budget, scores.into_iter().filter(|s| s.lambda < most).collect());
        grids(1.0, 0.01, || 0.0).into_iter().map(keep).collect()
    };
    let (optima, exponent) = optimal_exponent(&below(0.1));
    assert_eq!(optima.iter().map(|o| o.censored).collect::<Vec<_>>(), [true, false, false]);
    // Its place is where the quadratic says.
    assert!((optima[0].lambda / truth(1.0, 10.0) - 1.0).abs() < 1e-9 && (exponent.unwrap().p - 1.0).abs() < 1e-9);
    // Without a fit it is the grid's edge.
    let (optima, exponent) = optimal_exponent(&below(0.1)[..1]);
    assert!(exponent.is_err() && optima[0].censored && (optima[0].lambda / 0.0864 - 1.0).abs() < 1e-9, "{optima:?}");
    let (optima, _) = optimal_exponent(&grids(1.0, 0.01, || 0.0)[1..2]);
    assert!(!optima[0].censored);
}

#[test]
fn what_is_missing_leaves_its_budget_or_every_budget() {
    let all = grids(1.0, 0.01, || 0.0);
    let cells = optimal_exponent(&all).1.unwrap().cells;
    // One seed is missing at one λ near the best one: that λ leaves.
    let mut partial = all.clone();
    partial[1].1.remove(5 * 5);
    let exponent = optimal_exponent(&partial).1.unwrap();
    assert_eq!((exponent.seeds, exponent.cells), (5, cells - 1));
    assert!((exponent.p - 1.0).abs() < 1e-9);
    // A seed that ran within one budget alone is no seed of all.
    let mut partial = all.clone();
    for (_, scores) in &mut partial[1..] {
        scores.retain(|s| s.seed != 3);
    }
    assert_eq!(optimal_exponent(&partial).1.unwrap().seeds, 4);
    // λ = 0 has no logarithm.
    let mut zero = all.clone();
    zero[0].1.extend((0..5).map(|seed| Score { lambda: 0.0, seed, accuracy: 1.0 }));
    assert_eq!(optimal_exponent(&zero), optimal_exponent(&all));
    assert!(optimal_exponent(&[]).1.unwrap_err().contains("no seed"));
    assert!(optimal_exponent(&all[..1]).1.unwrap_err().contains("too few for a quadratic"));
    let mut few = all;
    few.iter_mut().for_each(|(_, scores)| scores.truncate(10));
    assert!(optimal_exponent(&few).1.unwrap_err().contains("too few for a quadratic"));
}
