//! What estimators read off curves: noise-free ones, whose peaks and arrivals are known.

use l2lab_core::{
    law::{Estimator, Grid, Time},
    run::Trace,
};
use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::{BUMP_ARRIVES, bump, completed, evenly, measured, plateau, run};

/// t_* of a single run.
fn time(trace: &Trace, estimator: Estimator) -> Time {
    let grid = Grid::new(std::slice::from_ref(trace), estimator);
    assert_eq!(grid.tolerance.tolerance, 0.005, "without noise the tolerance is the paper's");
    grid.time(0).unwrap_or_else(|| panic!("{}: {:?}", estimator.name(), grid.outcomes))
}

fn close(found: f64, truth: f64, within: f64, what: &str) {
    assert!((found / truth - 1.0).abs() < within, "{what}: {found}, not {truth}");
}

/// 0.8 at `top`; in log time a parabola to either side, after the top `fall` times as curved as before it.
fn parabola(top: f64, fall: f64) -> impl Fn(f64) -> f64 + Copy {
    move |t| {
        let log = (t / top).ln();
        0.8 - 0.02 * log * log * if log > 0.0 { fall } else { 1.0 }
    }
}

/// The same curve, measured once as runs are, and once evenly over its time.
fn on_both_schedules(steps: u64, curve: impl Fn(f64) -> f64 + Copy) -> [Trace; 2] {
    let run = || run(0.1, 0.1, 0, steps);
    [completed(run(), curve), measured(run(), evenly(steps, 800), curve)]
}

/// Tops all over two places of the grid on which curves stand.
fn tops() -> impl Iterator<Item = f64> {
    (0..20).map(|i| 1000.0 * (0.005 * f64::from(i)).exp())
}

#[test]
fn a_peak_that_falls_faster_than_it_rises_is_found() {
    // On average over where tops are between two places of the grid. Smoothing draws a top towards its flatter side.
    for (fall, within) in [(1.0, 0.005), (3.0, 0.035), (9.0, 0.06)] {
        for schedule in [0, 1] {
            let of = |top: f64| {
                let trace = &on_both_schedules(4000, parabola(top, fall))[schedule];
                (time(trace, Estimator::Peak).step / top).ln()
            };
            let bias = tops().map(of).sum::<f64>() / tops().count() as f64;
            assert!(bias.abs() < within, "{fall} times as fast, schedule {schedule}: {bias}");
        }
    }
}

#[test]
fn a_peak_anywhere_is_found_to_three_percent() {
    for top in tops() {
        for trace in on_both_schedules(4000, parabola(top, 3.0)) {
            close(time(&trace, Estimator::Peak).step, top, 0.03, "peak");
        }
    }
}

#[test]
fn an_arrival_is_found_to_two_percent() {
    for top in tops() {
        for trace in on_both_schedules(4000, bump(top)) {
            let found = time(&trace, Estimator::Arrival);
            close(found.step, BUMP_ARRIVES * top, 0.02, "bump");
            close(found.tau, 0.01 * BUMP_ARRIVES * top, 0.02, "bump, τ");
        }
        for trace in on_both_schedules(8000, plateau(top / 2.0)) {
            // Within 0.005 of the value at the end.
            let most = 0.3 / (1.0 + (16_000.0 / top).powi(-4));
            let arrives = top / 2.0 * (0.3 / (most - 0.005) - 1.0).powf(-0.25);
            close(time(&trace, Estimator::Arrival).step, arrives, 0.02, "plateau");
        }
    }
}

#[test]
fn the_least_loss_is_found() {
    // Loss is 1 − accuracy.
    for trace in on_both_schedules(4000, bump(1000.0)) {
        let found = |estimator| Grid::new(std::slice::from_ref(&trace), estimator).time(0).unwrap().step;
        assert!((found(Estimator::Loss) / found(Estimator::Peak) - 1.0).abs() < 1e-9);
    }
}

#[test]
fn neither_a_runs_length_nor_its_measurements_decide() {
    for estimator in [Estimator::Arrival, Estimator::Peak] {
        for curve in [0, 1] {
            let curve = move |t: f64| if curve == 0 { bump(900.0)(t) } else { parabola(900.0, 3.0)(t) };
            let expected = time(&completed(run(0.1, 0.1, 0, 4000), curve), estimator).step;
            for steps in [8000, 16_000] {
                close(time(&completed(run(0.1, 0.1, 0, steps), curve), estimator).step, expected, 0.01, "longer");
            }
            let mut often = run(0.1, 0.1, 0, 4000);
            often.per_decade = 48;
            close(time(&completed(often, curve), estimator).step, expected, 0.01, "twice as often");
            let [once, twice] = [800, 1600].map(|n| measured(run(0.1, 0.1, 0, 4000), evenly(4000, n), curve));
            close(time(&twice, estimator).step, time(&once, estimator).step, 0.01, "evenly, twice as often");
        }
    }
    let expected = time(&completed(run(0.1, 0.1, 0, 4000), plateau(300.0)), Estimator::Arrival).step;
    for steps in [8000, 16_000] {
        let longer = completed(run(0.1, 0.1, 0, steps), plateau(300.0));
        close(time(&longer, Estimator::Arrival).step, expected, 0.01, "plateau, longer");
    }
}

#[test]
fn a_gap_in_the_measurements_is_bridged() {
    let mut trace = completed(run(0.1, 0.1, 0, 4000), bump(1000.0));
    let whole = time(&trace, Estimator::Arrival).step;
    for point in &mut trace.points {
        if (200..400).contains(&point.step) || point.step % 7 == 0 {
            point.test_accuracy = f64::NAN;
        }
    }
    close(time(&trace, Estimator::Arrival).step, whole, 0.01, "with a gap");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn times_scale_with_time(at in 200_u64..900, factor in 2_u64..20) {
        let near = completed(run(0.1, 0.1, 0, 4000), bump(at as f64));
        let mut far = near.clone();
        far.points.iter_mut().for_each(|m| m.step *= factor);
        // A peak is a place of the grid, and the factor is no whole number of them.
        for (estimator, within) in [(Estimator::Arrival, 0.01), (Estimator::Peak, 0.051)] {
            let (a, b) = (time(&near, estimator), time(&far, estimator));
            prop_assert!((b.step / (a.step * factor as f64)).ln().abs() < within, "{a:?} {b:?}");
            prop_assert!((b.tau / a.tau).ln().abs() < within, "{a:?} {b:?}");
        }
    }
}
