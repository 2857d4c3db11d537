//! What curves show beyond their noise: what is not there is not timed.

#[cfg(not(target_arch = "wasm32"))]
use l2lab_core::law::fit;
use l2lab_core::{
    law::{Analysis, Estimator, Grid, Outcome, Score},
    run::Trace,
};
use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::{Noise, bump, completed, diverged, measured, plateau, run};

/// A cell for each curve, of `seeds` runs each, with noise.
fn cells(curves: &[&dyn Fn(f64) -> f64], seeds: u64, deviation: f64, replicate: u64) -> Vec<Trace> {
    let mut traces = Vec::new();
    for (i, curve) in curves.iter().enumerate() {
        for seed in 0..seeds {
            let mut noise = Noise::new((replicate * 100 + i as u64) * 100 + seed, deviation, 0.5);
            let run = run(0.1, 0.1 / (i + 1) as f64, seed, 4000);
            traces.push(completed(run, |t| curve(t) + noise.next()));
        }
    }
    traces
}

fn outcomes(traces: &[Trace]) -> Vec<Outcome> {
    Grid::new(traces, Estimator::Arrival).outcomes.into_iter().map(|o| o.0).collect()
}

#[test]
fn each_curve_is_called_what_it_is() {
    let expected = [
        ("a peak", &bump(800.0) as &dyn Fn(f64) -> f64, Outcome::Peak),
        ("a maximum where it stays", &plateau(300.0), Outcome::Plateau),
        ("nothing", &|_| 0.75, Outcome::Flat),
        ("a fall alone", &|t| 0.8 - 0.02 * t.ln(), Outcome::Flat),
        ("a rise that goes on", &|t| 0.5 + 0.03 * t.ln(), Outcome::Censored),
        ("a peak that the end hides", &bump(8000.0), Outcome::Censored),
    ];
    for (seeds, deviation, least) in [(3, 0.005, 19), (5, 0.005, 19), (3, 0.015, 16), (5, 0.015, 18)] {
        let mut right = [0; 6];
        for replicate in 0..20 {
            let traces = cells(&expected.map(|e| e.1), seeds, deviation, replicate);
            for ((count, found), (_, _, meant)) in right.iter_mut().zip(outcomes(&traces)).zip(expected) {
                *count += usize::from(found == meant);
            }
        }
        for (count, (what, ..)) in right.iter().zip(expected) {
            assert!(*count >= least, "{what}, {seeds} seeds, noise of {deviation}: {count} of 20");
        }
    }
}

#[test]
fn what_is_seen_is_said_in_words() {
    let mut traces = cells(&[&bump(800.0), &plateau(300.0), &|_| 0.75, &|t| 0.5 + 0.03 * t.ln()], 3, 0.005, 0);
    // Three steps show nothing; and of the last cell two of three runs diverged.
    traces.extend((0..3).map(|seed| completed(run(0.1, 0.01, seed, 3), bump(2.0))));
    traces.extend((0..3).map(|seed| completed(run(0.1, 0.005, seed, 4000), bump(800.0))));
    let last = traces.len() - 2;
    traces[last..].iter_mut().for_each(|t| *t = diverged(t.clone()));
    let analysis = Analysis::new(&traces, Estimator::Arrival);
    let said = [
        (Outcome::Peak, "after its top"),
        (Outcome::Plateau, "stays within 0.0"),
        (Outcome::Flat, "which noise does too"),
        (Outcome::Censored, "rises by"),
        (Outcome::Censored, "too short"),
        (Outcome::Diverged, "2 of 3 runs diverged"),
    ];
    for (cell, (outcome, words)) in analysis.cells.iter().zip(said) {
        assert!(cell.outcome == outcome && cell.why.contains(words), "{words}: {cell:?}");
        let is_timed = matches!(outcome, Outcome::Peak | Outcome::Plateau);
        assert_eq!((cell.t_star.is_some(), cell.tau_star.is_some()), (is_timed, is_timed));
        assert_eq!(cell.peak.is_some(), outcome == Outcome::Peak, "a plateau has no peak");
    }
    // A rise that goes on bounds t_* by half the run.
    let bounds: Vec<_> = analysis.cells.iter().map(|c| c.at_least).collect();
    assert!(bounds[..3].iter().chain(&bounds[4..]).all(Option::is_none), "{bounds:?}");
    assert!((bounds[3].unwrap() / 2000.0).ln().abs() < 0.06, "{bounds:?}");
    // Runs of cells that are not timed have no times of their own either.
    for (i, run) in analysis.runs.iter().enumerate() {
        let names: Vec<&str> = run.times.keys().map(String::as_str).collect();
        let expected: &[&str] = match i / 3 {
            0 => &["arrival", "loss", "peak"],
            1 => &["arrival"],
            _ => &[],
        };
        assert_eq!((names.as_slice(), run.t_star.is_some()), (expected, i < 6), "run {i}");
    }
}

#[test]
fn a_cell_diverges_with_one_of_its_seeds_and_the_others_are_fitted() {
    let lambdas = [0.2, 0.1, 0.05, 0.02, 0.01];
    let mut traces = Vec::new();
    for lambda in lambdas {
        for seed in 0..3 {
            let mut noise = Noise::white((lambda * 1e4) as u64 + seed, 0.003);
            let run = run(0.1, lambda, seed, (40.0 / lambda) as u64);
            traces.push(completed(run, |t| bump(8.0 / lambda)(t) + noise.next()));
        }
    }
    let whole = Analysis::new(&traces, Estimator::Arrival);
    assert_eq!((whole.fits["arrival"].cells_timed, whole.fits["arrival"].n), (5, 15));
    traces[4] = diverged(traces[4].clone());
    let analysis = Analysis::new(&traces, Estimator::Arrival);
    let (cell, fit) = (&analysis.cells[1], &analysis.fits["arrival"]);
    assert_eq!((cell.outcome, cell.runs, cell.diverged, cell.t_star), (Outcome::Diverged, 3, 1, None));
    assert_eq!((cell.max_test_accuracy, cell.final_test_accuracy, cell.late_decay), (None, None, None));
    assert_eq!((fit.cells_timed, fit.n, fit.seeds), (4, 12, 3));
    assert!((fit.slope + 1.0).abs() < 0.1, "{fit:?}");
    let reasons: Vec<_> = analysis.runs.iter().filter_map(|r| r.reason.as_deref()).collect();
    assert_eq!(reasons, ["test loss was not finite at step 7"]);
    assert_eq!(analysis.runs.iter().filter(|r| r.diverged).count(), 1);
    // The λ leaves comparisons, not the seed.
    for budget in [50.0, f64::INFINITY] {
        let scores = Score::within(&traces, budget);
        let of = |lambda: f64| scores.iter().filter(|s| s.lambda == lambda).map(|s| s.seed).collect::<Vec<_>>();
        assert_eq!(lambdas.map(|l| of(l).len()), [3, 0, 3, 3, 3]);
        assert_eq!(of(0.2), [0, 1, 2]);
    }
}

/// Of 200 cells of noise alone, those that are timed.
#[cfg(not(target_arch = "wasm32"))]
fn timed_in_noise(estimator: Estimator, seeds: u64, cells_of_a_grid: u64, deviation: f64, correlation: f64) -> usize {
    let mut timed = 0;
    for replicate in 0..200 / cells_of_a_grid {
        let mut traces = Vec::new();
        for cell in 0..cells_of_a_grid {
            for seed in 0..seeds {
                let mut noise = Noise::new((replicate * 100 + cell) * 100 + seed, deviation, correlation);
                // All as long as one τ, like real runs.
                let lambda = 0.2 / 1.5_f64.powi(cell as i32);
                let run = run(0.1, lambda, seed, (20.0 / lambda) as u64);
                traces.push(completed(run, |_| 0.75 + noise.next()));
            }
        }
        let grid = Grid::new(&traces, estimator);
        timed += (0..grid.cells.len()).filter(|&cell| grid.time(cell).is_some()).count();
        assert!(fit(&grid).is_err(), "three λ timed in noise");
    }
    timed
}

#[test]
#[cfg(not(target_arch = "wasm32"))]
fn noise_alone_is_hardly_ever_timed() {
    for seeds in [1, 3, 5] {
        for cells_of_a_grid in [10, 1] {
            // As of a test set of 400 images, and of 7500.
            for deviation in [0.022, 0.005] {
                for correlation in [0.0, 0.8] {
                    for estimator in [Estimator::Arrival, Estimator::Loss] {
                        let timed = timed_in_noise(estimator, seeds, cells_of_a_grid, deviation, correlation);
                        let of = (estimator, seeds, cells_of_a_grid, deviation, correlation);
                        assert!(timed <= 6, "{of:?}: {timed} of 200");
                    }
                }
            }
        }
    }
}

/// Of 200 cells of noise alone that were measured at these steps, those that are timed.
#[cfg(not(target_arch = "wasm32"))]
fn timed_in_a_few(steps: &[u64], seeds: u64) -> usize {
    let is_timed = |replicate: &u64| {
        let of = |seed: u64| {
            let mut noise = Noise::white(replicate * 10 + seed, 0.02);
            measured(run(0.1, 0.1, seed, 4000), steps.iter().copied(), |_| 0.75 + noise.next())
        };
        let traces: Vec<Trace> = (0..seeds).map(of).collect();
        matches!(outcomes(&traces)[0], Outcome::Peak | Outcome::Plateau)
    };
    (0..200).filter(is_timed).count()
}

/// Logs may hold a number for each tenfold of steps, for each of a few epochs, or for each doubling.
const FEW: [&[u64]; 4] =
    [&[10, 100, 1000, 4000], &[1, 2, 3, 4, 5, 6], &[100, 200, 400, 800, 1600], &[10, 50, 100, 500, 1000, 5000]];

#[test]
#[cfg(not(target_arch = "wasm32"))]
fn a_few_measurements_of_noise_are_seldom_timed() {
    for seeds in [1, 3] {
        for steps in FEW {
            let timed = timed_in_a_few(steps, seeds);
            assert!(timed <= 18, "{steps:?}, {seeds} seeds: {timed} of 200");
        }
    }
}

#[test]
fn runs_that_ended_before_others_began_have_no_curve() {
    let of = |(seed, steps): (u64, [u64; 3])| measured(run(0.1, 0.1, seed, 100), steps, |t| 0.5 + 0.01 * t);
    let traces = [(0, [1, 2, 3]), (1, [3, 6, 12])].map(of);
    let analysis = Analysis::new(&traces, Estimator::Arrival);
    let cell = &analysis.cells[0];
    assert_eq!(
        (cell.outcome, cell.t_star, cell.max_test_accuracy, cell.late_decay),
        (Outcome::Censored, None, None, None)
    );
    assert_eq!(Score::within(&traces, 100.0), []);
}

#[test]
fn a_constant_has_nothing_to_time() {
    let of = |lambda: f64| (0..2).map(move |seed| completed(run(0.1, lambda, seed, (40.0 / lambda) as u64), |_| 0.7));
    let traces: Vec<Trace> = [0.1, 0.03, 0.01].into_iter().flat_map(of).collect();
    for estimator in Estimator::ALL {
        let grid = Grid::new(&traces, estimator);
        assert!(grid.outcomes.iter().all(|o| o.0 == Outcome::Flat), "{}: {:?}", estimator.name(), grid.outcomes);
    }
}

/// Any number at all.
fn anything() -> impl Strategy<Value = f64> {
    prop_oneof![prop::num::f64::ANY, 0.0..1.0]
}

/// A run of which any numbers were measured, some of them at the same step.
fn any_trace() -> impl Strategy<Value = Trace> {
    let points = prop::collection::vec((0..3_u64, anything(), anything()), 0..40);
    let lambda = prop::sample::select(vec![0.0, 0.1, 0.01]);
    (lambda, points, any::<bool>()).prop_map(|(lambda, points, diverges)| {
        let steps = points.iter().scan(0, |step, (further, ..)| {
            *step += further;
            Some(*step)
        });
        let mut trace = measured(run(0.1, lambda, 0, 100), steps, |_| 0.0);
        for (point, (_, accuracy, loss)) in trace.points.iter_mut().zip(&points) {
            (point.test_accuracy, point.test_loss) = (*accuracy, *loss);
        }
        if diverges { diverged(trace) } else { trace }
    })
}

proptest! {
    #[test]
    fn no_trace_makes_an_analysis_panic(mut traces in prop::collection::vec(any_trace(), 1..=3)) {
        traces.iter_mut().zip(0..).for_each(|(trace, seed)| trace.run.seed = seed);
        for estimator in Estimator::ALL {
            let analysis = Analysis::new(&traces, estimator);
            prop_assert_eq!(analysis.runs.len(), traces.len());
            prop_assert_eq!(analysis.fits.len() + analysis.refusals.len(), 3);
            prop_assert!(analysis.cells.iter().all(|c| c.t_star.is_none_or(|t| t > 0.0)), "{:?}", analysis.cells);
        }
        let _ = Score::within(&traces, 50.0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// A grid that is timed and fitted, with some numbers of it replaced by any.
    #[test]
    fn no_number_makes_an_analysis_panic(changes in prop::collection::vec((0..6_usize, 0..40_usize, anything(), anything()), 1..6)) {
        let lambdas = [0.1, 0.03, 0.01];
        let mut traces: Vec<Trace> = (0..6)
            .map(|i| (lambdas[i / 2], i as u64 % 2))
            .map(|(lambda, seed)| completed(run(0.1, lambda, seed, (40.0 / lambda) as u64), bump(10.0 / lambda)))
            .collect();
        for (trace, point, accuracy, loss) in changes {
            let points = &mut traces[trace].points;
            let point = &mut points[point];
            (point.test_accuracy, point.test_loss) = (accuracy, loss);
        }
        let analysis = Analysis::new(&traces, Estimator::Arrival);
        prop_assert_eq!(analysis.fits.len() + analysis.refusals.len(), 3);
        prop_assert!(analysis.fits.values().all(|f| f.slope.is_finite()), "{:?}", analysis.fits);
    }
}
