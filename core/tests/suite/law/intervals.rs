//! Means over seeds, and how often their intervals are true.

use l2lab_core::law::{Mean, equivalence_interval, mean, mean_by_seed};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn a_mean_has_students_interval_if_there_are_seeds_enough() {
    assert_eq!(mean(&[]), None);
    assert_eq!(mean(&[0.5]), Some(Mean { mean: 0.5, ci: None, n: 1 }));
    // Student's t has n − 1 degrees of freedom; the standard deviations are √2, 1 and √2.5.
    for (values, t, deviation) in [
        (&[-1.0, 1.0] as &[f64], 12.7062, 2.0_f64.sqrt()),
        (&[-1.0, 0.0, 1.0], 4.3027, 1.0),
        (&[-2.0, -1.0, 0.0, 1.0, 2.0], 2.7764, 2.5_f64.sqrt()),
    ] {
        let values: Vec<f64> = values.iter().map(|v| 0.5 + 0.1 * v).collect();
        let Mean { mean, ci, n } = mean(&values).unwrap();
        let (half, [low, high]) = (0.1 * t * deviation / (n as f64).sqrt(), ci.unwrap());
        assert_eq!(n, values.len());
        for (found, exact) in [(mean, 0.5), (low, 0.5 - half), (high, 0.5 + half)] {
            assert!((found - exact).abs() < 1e-12, "{found}, not {exact}");
        }
    }
}

#[test]
fn an_interval_holds_the_truth_as_often_as_it_says() {
    // A few seeds of a normal distribution about 0, many times: 95 % of the intervals have 0 inside.
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    for seeds in [2, 3, 5, 10] {
        let trials = 4000;
        let mut inside = [0, 0];
        for _ in 0..trials {
            let values: Vec<f64> = (0..seeds).map(|_| StandardNormal.sample(&mut rng)).collect();
            let ci = mean(&values).unwrap().ci.unwrap();
            for (count, [low, high]) in inside.iter_mut().zip([ci, equivalence_interval(ci, seeds)]) {
                *count += usize::from(low < 0.0 && 0.0 < high);
            }
        }
        let [wide, narrow] = inside.map(|n| n as f64 / f64::from(trials));
        assert!((wide - 0.95).abs() < 0.012 && (narrow - 0.9).abs() < 0.017, "{seeds} seeds: {wide} and {narrow}");
    }
}

#[test]
fn runs_of_one_seed_count_once() {
    let m = mean_by_seed([(0, 0.0), (0, 1.0), (1, 0.7)]).unwrap();
    assert!(m.n == 2 && (m.mean - 0.6).abs() < 1e-12, "{m:?}");
    assert_eq!(m, mean(&[0.5, 0.7]).unwrap());
    assert_eq!(mean_by_seed([(3, 0.2), (3, 0.4)]).unwrap().ci, None, "one seed");
    assert_eq!(mean_by_seed([]), None);
}
