//! How well runs did within a budget, and what following a prediction costs.

use l2lab_core::{
    law::{Score, best, mean_by_lambda, regret, trend},
    run::Trace,
};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::{Noise, bump, completed, diverged, run};
#[cfg(not(target_arch = "wasm32"))]
use super::{evenly, measured};

fn score(lambda: f64, seed: u64, accuracy: f64) -> Score {
    Score { lambda, seed, accuracy }
}

fn close(found: f64, exact: f64) {
    assert!((found - exact).abs() < 1e-12, "{found}, not {exact}");
}

#[test]
fn what_happens_after_the_budget_is_not_looked_at() {
    let jump = |t: f64| bump(300.0)(t) - 0.1 + if t > 1000.0 { 0.4 } else { 0.0 };
    let of = |steps: u64, budget: f64, curve: &dyn Fn(f64) -> f64| {
        let traces: Vec<Trace> = (0..3)
            .map(|seed| {
                let mut noise = Noise::white(seed, 0.01);
                completed(run(0.1, 0.1, seed, steps), |t| curve(t) + noise.next())
            })
            .collect();
        Score::within(&traces, budget)
    };
    // 1000 is on the schedule of measurements.
    let short = of(1000, 1000.0, &jump);
    assert_eq!(of(4000, 1000.0, &jump), short);
    assert_eq!(of(4000, 1010.0, &jump), short, "the next measurement is later");
    let later = of(4000, 4000.0, &jump);
    assert!(later.iter().zip(&short).all(|(a, b)| a.accuracy > b.accuracy + 0.01), "{later:?}");
    assert!(short.iter().all(|s| (s.accuracy - 0.7).abs() < 0.03), "{short:?}");
}

#[test]
fn a_run_is_scored_where_the_others_are_best() {
    // Two runs, each with a lucky stretch of its own: neither counts.
    let lucky = |at: f64| move |t: f64| 0.7 + 0.1 * (-((t / at).ln() / 0.3).powi(2)).exp();
    let traces = [completed(run(0.1, 0.1, 0, 4000), lucky(100.0)), completed(run(0.1, 0.1, 1, 4000), lucky(1000.0))];
    let scores = Score::within(&traces, 4000.0);
    assert!(scores.iter().all(|s| (s.accuracy - 0.7).abs() < 1e-3), "{scores:?}");
    // With one run there is no other.
    let alone = Score::within(&traces[..1], 4000.0);
    assert!((alone[0].accuracy - 0.8).abs() < 5e-3, "{alone:?}");
}

/// Mean score of many cells of noise about 0.75, in standard deviations of a measurement from there.
#[cfg(not(target_arch = "wasm32"))]
fn luck(scores: impl Fn(u64) -> Vec<Score>) -> f64 {
    let of = |replicate: u64| {
        let scores = scores(replicate);
        assert_eq!(scores.len(), 3);
        scores.iter().map(|s| s.accuracy - 0.75).sum::<f64>() / 3.0
    };
    (0..200).map(of).sum::<f64>() / 200.0 / 0.02
}

#[test]
#[cfg(not(target_arch = "wasm32"))]
fn more_measurements_are_no_better_accuracy() {
    let cell = |replicate: u64, per_decade: u64, steps: u64| {
        let traces: Vec<Trace> = (0..3)
            .map(|seed| {
                let mut noise = Noise::white(replicate * 1000 + per_decade + seed, 0.02);
                let mut run = run(0.1, 0.1, seed, steps);
                run.per_decade = per_decade;
                completed(run, |_| 0.75 + noise.next())
            })
            .collect();
        Score::within(&traces, f64::INFINITY)
    };
    let few = luck(|r| cell(r, 24, 4000));
    let often = luck(|r| cell(r, 96, 4000));
    let long = luck(|r| cell(r, 24, 64_000));
    // The highest of raw measurements would be 2.3 deviations up, and of four times as many 2.8.
    for found in [few, often, long] {
        assert!(found.abs() < 0.1, "{few}, {often}, {long}");
    }
    let even = luck(|r| {
        let traces: Vec<Trace> = (0..3)
            .map(|seed| {
                let mut noise = Noise::white(r * 1000 + 7 + seed, 0.02);
                measured(run(0.1, 0.1, seed, 4000), evenly(4000, 400), |_| 0.75 + noise.next())
            })
            .collect();
        Score::within(&traces, f64::INFINITY)
    });
    assert!((even - few).abs() < 0.2, "{even}, {few}");
}

#[test]
fn scores_are_of_whole_cells() {
    let cell = |lambda: f64, steps: u64| (0..3).map(move |seed| completed(run(0.1, lambda, seed, steps), bump(300.0)));
    let mut traces: Vec<Trace> = cell(0.1, 2000).chain(cell(0.01, 2000)).chain(cell(0.001, 1)).collect();
    traces[1] = diverged(traces[1].clone());
    for scores in [Score::within(&traces, 2000.0), Score::at_end(&traces)] {
        let found: Vec<_> = scores.iter().map(|s| (s.lambda, s.seed)).collect();
        assert_eq!(found, [(0.01, 0), (0.01, 1), (0.01, 2)]);
    }
    // At their end runs have fallen from 0.8.
    let end = bump(300.0)(2000.0);
    assert!(Score::at_end(&traces).iter().all(|s| (s.accuracy - end).abs() < 0.02), "{end}");
    assert!(Score::within(&traces, 2000.0).iter().all(|s| (s.accuracy - 0.8).abs() < 2e-3));
    assert_eq!(Score::within(&traces, 1.0), []);
    assert_eq!(Score::within(&[], 10.0), []);
}

#[test]
fn a_lambda_counts_where_every_seed_ran() {
    let scores = [score(0.1, 0, 0.9), score(0.01, 0, 0.5), score(0.01, 1, 0.7), score(1.0, 1, 0.9), score(1.0, 0, 0.2)];
    let means = mean_by_lambda(&scores);
    assert_eq!(means.iter().map(|m| m.0).collect::<Vec<_>>(), [0.01, 1.0]);
    close(means[0].1, 0.6);
    close(means[1].1, 0.55);
    assert_eq!(mean_by_lambda(&[]), []);
}

#[test]
fn a_tie_goes_to_neither_end() {
    for (values, expected) in [
        (&[] as &[f64], None),
        (&[0.5], Some(0)),
        (&[0.5, 0.7, 0.6], Some(1)),
        (&[0.7, 0.7, 0.7], Some(1)),
        (&[0.7, 0.7, 0.7, 0.7, 0.7], Some(2)),
        (&[0.7, 0.7, 0.7, 0.1], Some(1)),
        (&[0.1, 0.7, 0.7, 0.7], Some(2)),
        // Of two, the one whose other neighbour does better.
        (&[0.1, 0.7, 0.7, 0.6], Some(2)),
        (&[0.6, 0.7, 0.7, 0.1], Some(1)),
        (&[0.7, 0.7, 0.6], Some(1)),
        (&[0.6, 0.7, 0.7], Some(1)),
        // What was summed in another order is no other value.
        (&[0.1 + 0.2, 0.3, 0.1 + 0.2], Some(1)),
    ] {
        assert_eq!(best(values), expected, "{values:?}");
    }
    let flat: Vec<Score> = [1.0, 0.1, 0.01].into_iter().flat_map(|l| (0..2).map(move |s| score(l, s, 0.7))).collect();
    let r = regret(&flat, &[score(0.02, 0, 0.7), score(0.02, 1, 0.7)]).unwrap();
    assert_eq!((r.best_lambda, r.regret), (0.1, 0.0));
}

#[test]
fn regret_is_paired_over_seeds() {
    let grid = [score(0.1, 0, 0.7), score(0.1, 1, 0.9), score(0.01, 0, 0.75), score(0.01, 1, 0.95)];
    let r = regret(&grid, &[score(0.02, 0, 0.74), score(0.02, 1, 0.94), score(0.02, 9, 0.0)]).unwrap();
    assert_eq!((r.best_lambda, r.seeds), (0.01, 2));
    close(r.regret, 0.01);
    close(r.best_accuracy, 0.85);
    close(r.accuracy, 0.84);
    // The seeds differ by 0.2, the regret within a seed by nothing.
    let [low, high] = r.regret_ci.unwrap();
    close(low, 0.01);
    close(high, 0.01);
    assert_eq!(regret(&grid, &[]), None);
    assert_eq!(regret(&grid, &[score(0.02, 9, 0.0)]), None, "no seed in common");
    assert_eq!(regret(&[], &[score(0.02, 0, 0.74)]), None);
}

#[test]
fn a_lambda_that_misses_a_seed_leaves_and_not_the_seed() {
    // 0.1 did best, but without seed 2.
    let grid = [
        score(0.1, 0, 0.9),
        score(0.1, 1, 0.9),
        score(0.01, 0, 0.6),
        score(0.01, 1, 0.6),
        score(0.01, 2, 0.6),
        score(1.0, 0, 0.5),
        score(1.0, 1, 0.5),
        score(1.0, 2, 0.5),
    ];
    let predicted = [0, 1, 2].map(|seed| score(0.02, seed, 0.58));
    let r = regret(&grid, &predicted).unwrap();
    assert_eq!((r.best_lambda, r.seeds), (0.01, 3));
    close(r.regret, 0.02);
    // Predicted runs of two seeds are compared over these two.
    let r = regret(&grid, &predicted[..2]).unwrap();
    assert_eq!((r.best_lambda, r.seeds), (0.01, 2));
    assert_eq!(regret(&grid[..3], &predicted).map(|r| r.best_lambda), Some(0.1));
    // No λ ran with every seed.
    assert_eq!(regret(&[score(0.1, 0, 0.9), score(0.01, 1, 0.9)], &predicted), None);
}

#[test]
fn a_tuned_lambda_is_chosen_by_the_other_seeds() {
    // 0.1 is best on the whole, but not for the seed that makes it so.
    let biased = [score(0.1, 0, 0.9), score(0.1, 1, 0.5), score(0.01, 0, 0.6), score(0.01, 1, 0.6)];
    let r = regret(&biased, &[score(0.02, 0, 0.6), score(0.02, 1, 0.6)]).unwrap();
    assert_eq!(r.best_lambda, 0.1);
    close(r.best_accuracy, 0.55);
    close(r.regret, -0.05);
    let one = regret(&biased[..1], &[score(0.02, 0, 0.6)]).unwrap();
    close(one.regret, 0.3);
    assert_eq!(one.regret_ci, None, "one seed has none but its own");
}

#[test]
fn a_trend_is_within_groups_and_over_seeds() {
    // 0.02 for each tenfold in each group, whose levels and seeds differ.
    let exact = |slope: f64, seed: u64| {
        [(1.0, 0.1), (1.0, 1.0), (1.0, 10.0), (2.0, 10.0), (2.0, 100.0)]
            .map(|(group, x): (f64, f64)| (seed, group, x, 0.3 * group + 0.1 * seed as f64 + slope * x.log10()))
    };
    let one = trend(exact(0.02, 0)).unwrap();
    assert_eq!((one.n, one.ci), (1, None));
    close(one.mean, 0.02);
    let two = trend([exact(0.02, 0), exact(0.04, 1)].concat()).unwrap();
    let [low, high] = two.ci.unwrap();
    close(two.mean, 0.03);
    close(high - low, 2.0 * 12.7062 * 0.01);
    // All points count, and not the ends alone, which rise by 0.1.
    let bent = trend([(0, 0.0, 1.0, 0.0), (0, 0.0, 10.0, 0.3), (0, 0.0, 100.0, 0.0), (0, 0.0, 1000.0, 0.1)]).unwrap();
    close(bent.mean, 0.0);
    assert_eq!(trend([(0, 1.0, 0.1, 0.5), (0, 2.0, 1.0, 0.7)]), None, "x is one within each group");
    assert_eq!(trend([]), None);
}
