//! Estimators, fits and predictions on traces whose answers are known.

use l2lab_core::{
    Experiment,
    law::{
        CoupledL2, Estimator, Length, Mean, Outcome, RunSummary, Sample, accuracy_within, best_accuracy, cells,
        decoupled_tau, effective_lr, fit, fits, late_decay, mean, mean_by_seed, optimal_exponent, peak, predict,
        regret, smoothed,
    },
    recording::Findings,
    train::{End, LambdaScheduleKind, Measurement, RunSpec, Trace},
};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn point(step: u64, tau: f64, accuracy: f64, loss: f64) -> Measurement {
    Measurement {
        step,
        epoch: 0.0,
        tau,
        train_loss: 0.0,
        train_accuracy: 1.0,
        test_loss: loss,
        test_accuracy: accuracy,
        sq_norm: 1.0,
        lr: 0.1,
        lambda: 0.1,
    }
}

/// Accuracy `0.5 + 0.3·x·e^{1−x}` with x = step/peak: its maximum, 0.8, is at `at`; the loss has its
/// minimum at `1.5·at`.
fn bump(at: f64, steps: u64, every: usize, tau_per_step: f64) -> Vec<Measurement> {
    let value = |x: f64| x * (1.0 - x).exp();
    (0..=steps)
        .step_by(every)
        .map(|s| {
            let x = s as f64 / at;
            point(s, tau_per_step * s as f64, 0.5 + 0.3 * value(x), 1.0 - value(x / 1.5))
        })
        .collect()
}

#[test]
fn estimators_find_a_known_peak() {
    let trace = bump(1000.0, 4000, 10, 1e-3);
    let at = |e| peak(&trace, e).unwrap();
    assert!(at(Estimator::Smoothed).step.abs_diff(1000) <= 60);
    assert_eq!(at(Estimator::Loss).step, 1500);
    // x·e^{1−x} is within 0.005/0.3 of 1 from x = 0.827 on.
    assert_eq!(at(Estimator::Threshold).step, 830);
    assert!((at(Estimator::Threshold).tau - 0.83).abs() < 1e-9);
    assert!(Estimator::ALL.iter().all(|&e| !at(e).censored));
}

#[test]
fn long_traces_are_smoothed_as_short_ones_are() {
    // The same curve with 20001 measurements and with every tenth of them; a gap does not spread beyond its window.
    let mut long = bump(7000.0, 20_000, 1, 1e-3);
    let short: Vec<Measurement> = long.iter().copied().step_by(10).collect();
    let (a, b) = (smoothed(&long), smoothed(&short));
    for (i, value) in b.iter().enumerate() {
        assert!((value - a[10 * i]).abs() < 1e-3, "{i}");
    }
    let steps = [&long, &short].map(|t| peak(t, Estimator::Smoothed).unwrap().step);
    assert!(steps[0].abs_diff(steps[1]) <= 20, "{steps:?}");
    let whole = smoothed(&long);
    long[15_000].test_accuracy = f64::NAN;
    let holed = smoothed(&long);
    for (i, (a, b)) in whole.iter().zip(&holed).enumerate() {
        let within = i.abs_diff(15_000) <= 1000;
        assert!(if within { b.is_nan() } else { (a - b).abs() < 1e-12 }, "{i}: {a} {b}");
    }
}

#[test]
fn a_peak_at_the_end_is_censored() {
    let rising = bump(10_000.0, 4000, 10, 1e-3);
    for e in Estimator::ALL {
        assert!(peak(&rising, e).unwrap().censored, "{e:?}");
    }
    let just_inside = bump(1000.0, 1550, 10, 1e-3);
    assert!(!peak(&just_inside, Estimator::Threshold).unwrap().censored);
    assert!(peak(&just_inside, Estimator::Loss).unwrap().censored);
}

#[test]
fn estimators_on_degenerate_traces() {
    for e in Estimator::ALL {
        assert_eq!(peak(&[], e), None);
        assert_eq!(peak(&[point(0, 0.0, 0.1, 1.0)], e), None, "the initial state is no peak");
        let nan = [point(1, 0.1, f64::NAN, f64::NAN)];
        assert_eq!(peak(&nan, e), None);
    }
    let falling: Vec<_> = (0..=10).map(|s| point(s, 0.0, 0.9 - s as f64 / 100.0, s as f64)).collect();
    assert_eq!(peak(&falling, Estimator::Threshold).unwrap().step, 1);
    let flat: Vec<_> = (0..=10).map(|s| point(s, 0.0, 0.5, 1.0)).collect();
    assert_eq!(peak(&flat, Estimator::Threshold).unwrap().step, 1);
    assert_eq!(best_accuracy(&falling), Some(0.89));
    assert!((late_decay(&falling).unwrap() - 0.08).abs() < 0.011);
    assert_eq!((late_decay(&flat), late_decay(&[])), (Some(0.0), None));
    assert_eq!(accuracy_within(&bump(100.0, 400, 10, 1.0), 50.0), Some(0.5 + 0.3 * 0.5 * 0.5_f64.exp()));
}

fn sample(lambda: f64, lr: f64, seed: u64, t_star: f64) -> Sample {
    Sample { lambda, lr, momentum: 0.0, seed, t_star, tau_star: lr * lambda * t_star }
}

fn grid(t_star: impl Fn(f64, f64, u64) -> f64) -> Vec<Sample> {
    let mut samples = Vec::new();
    for lr in [0.05, 0.1, 0.2] {
        for lambda in [0.1, 0.03, 0.01, 0.003] {
            for seed in 0..8 {
                samples.push(sample(lambda, lr, seed, t_star(lambda, lr, seed)));
            }
        }
    }
    samples
}

#[test]
fn an_exact_law_is_recovered_exactly() {
    let f = fit(&grid(|lambda, lr, _| 0.6 / (lr * lambda))).unwrap();
    assert!((f.slope + 1.0).abs() < 1e-12 && (f.c_prime - 0.6).abs() < 1e-12);
    assert!((f.slope_lambda.unwrap() + 1.0).abs() < 1e-12);
    assert!((f.intercept - 0.6_f64.ln()).abs() < 1e-12);
    assert_eq!((f.n, f.seeds), (96, 8));
    // Other exponents are told apart: λ^-0.5 at fixed η, whatever η does.
    let f = fit(&grid(|lambda, lr, _| lambda.powf(-0.5) / lr.powi(2))).unwrap();
    assert!((f.slope_lambda.unwrap() + 0.5).abs() < 1e-12);
    assert!(f.slope < -0.55);
}

#[test]
fn a_noisy_law_lies_within_its_interval() {
    // Noise that every run of a seed shares and noise of its own, as real runs have.
    let noise = |a: f64, b: f64| ((a * 12.9898 + b * 78.233).sin() * 43758.547).fract() - 0.5;
    let f = fit(&grid(|lambda, lr, seed| {
        let log = noise(seed as f64, 1.0) * 0.3 + noise(lambda * 1e3 + lr, seed as f64) * 0.4;
        0.6 / (lr * lambda) * log.exp()
    }))
    .unwrap();
    let [low, high] = f.slope_ci.unwrap();
    assert!(low <= -1.0 && -1.0 <= high && high - low > 0.005 && high - low < 0.3, "{f:?}");
    let [low, high] = f.c_prime_ci.unwrap();
    assert!(low <= f.c_prime && f.c_prime <= high);
}

#[test]
fn fits_need_a_spread_and_intervals_need_seeds() {
    assert_eq!(fit(&[]), None);
    assert_eq!(fit(&[sample(0.1, 0.1, 0, 50.0), sample(0.1, 0.1, 1, 60.0)]), None);
    let one = fit(&[sample(0.1, 0.1, 0, 50.0), sample(0.01, 0.1, 0, 500.0)]).unwrap();
    assert_eq!((one.slope_ci, one.c_prime_ci), (None, None));
    let zero = fit(&[sample(0.1, 0.1, 0, 0.0), sample(0.01, 0.1, 0, 500.0)]);
    assert_eq!(zero, None, "t_* = 0 has no logarithm");
}

fn trace(lambda: f64, seed: u64, points: Vec<Measurement>, end: End) -> Trace {
    let run = RunSpec {
        lambda,
        lambda_schedule: LambdaScheduleKind::Constant,
        lr: 0.1,
        momentum: 0.0,
        seed,
        steps: 4000,
        measure_every: 10,
    };
    Trace { run, points, end: Some(end) }
}

#[test]
fn censored_and_diverged_runs_enter_no_fit() {
    let good = |lambda: f64, seed| trace(lambda, seed, bump(100.0 / lambda, 4000, 10, 0.1 * lambda), End::Completed);
    let diverged = trace(0.1, 2, bump(300.0, 4000, 10, 0.01), End::Diverged { step: 7, what: "test loss".into() });
    let traces = [good(0.2, 0), good(0.1, 0), good(0.2, 1), good(0.1, 1), good(0.001, 0), diverged];
    let runs: Vec<RunSummary> = traces.iter().map(|t| RunSummary::new(t, Estimator::Threshold)).collect();
    let fits = fits(&runs);
    let f = &fits["threshold"];
    assert_eq!(f.n, 4);
    // Measured every 10 steps of 416 and 832.
    assert!((f.slope + 1.0).abs() < 0.03, "{f:?}");
    assert!(runs[4].censored && !runs[4].diverged);
    assert!(runs[5].diverged && runs[5].reason.as_deref() == Some("test loss was not finite at step 7"));
    let cells = cells(&runs, Estimator::Threshold);
    let by = |lambda| cells.iter().find(|c| c.lambda == lambda).unwrap();
    assert_eq!((by(0.1).runs, by(0.1).diverged, by(0.001).censored), (3, 1, 1));
    assert_eq!(by(0.001).t_star, None);
    assert!((by(0.2).max_test_accuracy.unwrap() - 0.8).abs() < 1e-9);
}

#[test]
fn predictions_match_tau() {
    let short = [(40.0, 0.4), (60.0, 0.6), (50.0, 0.5)];
    let p = predict(&short, 0.1 * 2000.0).unwrap();
    assert_eq!((p.t_star, p.c_prime, p.n), (50.0, 0.5, 3));
    assert!((p.lambda_pred - 0.5 / 200.0).abs() < 1e-15);
    // As many times below as above.
    let [low, high] = p.lambda_pred_ci.unwrap();
    assert!(low > 0.0 && low < 0.4 / 200.0 && (low * high).sqrt() / p.lambda_pred - 1.0 < 1e-12);
    assert_eq!(predict(&short[..1], 200.0).unwrap().lambda_pred_ci, None);
    assert_eq!(predict(&[], 200.0), None);
    assert_eq!(predict(&short, 0.0), None);
}

#[test]
fn regret_is_paired_over_seeds() {
    let outcome = |lambda, seed, accuracy| Outcome { lambda, seed, accuracy };
    let grid = [outcome(0.1, 0, 0.7), outcome(0.1, 1, 0.9), outcome(0.01, 0, 0.75), outcome(0.01, 1, 0.95)];
    let r = regret(&grid, &[outcome(0.02, 0, 0.74), outcome(0.02, 1, 0.94), outcome(0.02, 9, 0.0)]).unwrap();
    assert_eq!((r.best_lambda, r.seeds), (0.01, 2));
    assert!((r.regret - 0.01).abs() < 1e-12);
    // The seeds differ by 0.2, the regret within a seed by nothing.
    let [low, high] = r.regret_ci.unwrap();
    assert!((low - 0.01).abs() < 1e-12 && (high - 0.01).abs() < 1e-12);
    // λ is chosen by the other seeds: 0.1 is best on the whole, but not for the seed that makes it so.
    let biased = [outcome(0.1, 0, 0.9), outcome(0.1, 1, 0.5), outcome(0.01, 0, 0.6), outcome(0.01, 1, 0.6)];
    let r = regret(&biased, &[outcome(0.02, 0, 0.6), outcome(0.02, 1, 0.6)]).unwrap();
    assert!(r.best_lambda == 0.1 && (r.best_accuracy - 0.55).abs() < 1e-12 && (r.regret + 0.05).abs() < 1e-12, "{r:?}");
    let one = regret(&biased[..1], &[outcome(0.02, 0, 0.6)]).unwrap();
    assert!((one.regret - 0.3).abs() < 1e-12 && one.regret_ci.is_none(), "one seed has none but its own");
    assert_eq!(regret(&grid, &[]), None);
    assert_eq!(regret(&[], &[outcome(0.02, 0, 0.74)]), None);
}

#[test]
fn units_and_conventions() {
    // The authors' η = 0.2, L2 = 1e-4 with ten classes is lr 0.02, wd 2e-3; L2 = 5e-4 is wd 1e-2.
    let ours = CoupledL2::from_autol2_code(0.2, 1e-4, 10);
    assert!((ours.lr - 0.02).abs() < 1e-15 && (ours.weight_decay - 2e-3).abs() < 1e-15);
    assert!((CoupledL2::from_autol2_code(0.2, 5e-4, 10).weight_decay - 1e-2).abs() < 1e-15);
    let (lr, l2) = ours.to_autol2_code(10);
    assert!((lr - 0.2).abs() < 1e-12 && (l2 - 1e-4).abs() < 1e-15);
    assert!((effective_lr(0.02, 0.9) - 0.2).abs() < 1e-12);
    // c ≈ 0.0066 epochs of 48 steps at L2 = 0.01 is τ ≈ 0.6.
    let tau = CoupledL2::from_autol2_code(0.2, 0.01, 10).tau(0.9, 0.0066 / 0.01 * 48.0 * 0.5);
    assert!((tau - 0.63).abs() < 0.01, "{tau}");
    assert!((decoupled_tau(1e-3, 0.1, 1e4) - 1.0).abs() < 1e-12);
    assert_eq!("5000".parse(), Ok(Length::Steps(5000.0)));
    assert_eq!("200ep".parse(), Ok(Length::Epochs(200.0)));
    assert_eq!("2.5 tau".parse(), Ok(Length::Tau(2.5)));
    assert!("ep".parse::<Length>().is_err() && "5 steps".parse::<Length>().is_err());
}

proptest! {
    #[test]
    fn no_trace_makes_an_estimator_panic(values in prop::collection::vec((any::<f64>(), any::<f64>()), 0..40)) {
        let points: Vec<_> =
            values.iter().enumerate().map(|(i, &(a, l))| point(i as u64, i as f64, a, l)).collect();
        for e in Estimator::ALL {
            if let Some(p) = peak(&points, e) {
                prop_assert!(p.step > 0 && (p.step as usize) < points.len());
            }
        }
        let _ = RunSummary::new(&trace(0.1, 0, points, End::Completed), Estimator::Loss);
    }

    #[test]
    fn a_peak_scales_with_time(at in 200_u64..900, factor in 2_u64..6) {
        let near = bump(at as f64, 4000, 10, 1.0);
        let far: Vec<_> = near.iter().map(|m| Measurement { step: m.step * factor, ..*m }).collect();
        for e in Estimator::ALL {
            let (a, b) = (peak(&near, e).unwrap(), peak(&far, e).unwrap());
            prop_assert_eq!(a.step * factor, b.step);
        }
    }
}

/// A grid of two seeds in which each run peaks at τ = 1.
fn lawful(experiment: &Experiment) -> Vec<Trace> {
    let runs = experiment.runs(512).unwrap();
    let trace = |run: RunSpec| {
        let tau_per_step = run.lr * run.lambda;
        let points = bump(1.0 / tau_per_step, run.steps, run.measure_every as usize, tau_per_step);
        Trace { run, points, end: Some(End::Completed) }
    };
    runs.into_iter().map(trace).collect()
}

#[test]
fn a_forecast_is_read_off_the_largest_lambda_and_put_to_the_test() {
    let e = Experiment { lr: vec![0.1].into(), seeds: 2, budget: Some(Length::Steps(500.0)), ..Experiment::default() };
    let traces = lawful(&e);
    let forecast = Findings::new(&e, 512, &traces).unwrap().forecast.unwrap();
    assert_eq!((forecast.lambda0, forecast.budget), (0.1, 500));
    // c′ = 1 to the measurement's interval: λ_pred = 1/(0.1·500).
    assert!((forecast.prediction.lambda_pred - 0.02).abs() < 2e-3, "{forecast:?}");
    let runs = forecast.runs(&e);
    assert_eq!(runs.iter().map(|r| r.seed).collect::<Vec<_>>(), [0, 1]);
    assert!(runs.iter().all(|r| r.steps == 500 && r.lambda == forecast.prediction.lambda_pred));

    let accuracy = |value: f64| {
        move |run: &RunSpec| Trace {
            run: run.clone(),
            points: vec![point(500, 1.0, value, 0.1)],
            end: Some(End::Completed),
        }
    };
    let verification: Vec<Trace> = runs.iter().map(accuracy(0.75)).collect();
    let findings = Findings::new(&e, 512, &traces).unwrap().tested(&verification);
    let regret = findings.regret.unwrap();
    // 0.1 and 0.03 peak within the budget, at 0.8.
    assert!(regret.best_lambda >= 0.03, "{regret:?}");
    assert!((regret.regret - 0.05).abs() < 2e-3, "{regret:?}");
    assert_eq!(findings.outcomes.len(), 8);
}

#[test]
fn runs_under_way_enter_no_fit_and_no_forecast() {
    let e = Experiment { lr: vec![0.1].into(), seeds: 2, ..Experiment::default() };
    let mut traces = lawful(&e);
    let whole = Findings::new(&e, 512, &traces).unwrap();
    assert_eq!(whole.fits["smoothed"].n, 8);
    for trace in &mut traces[..2] {
        trace.points.truncate(20);
        trace.end = None;
    }
    let partial = Findings::new(&e, 512, &traces).unwrap();
    assert_eq!((partial.runs.len(), partial.cells.len(), partial.fits["smoothed"].n), (8, 3, 6));
    assert_eq!(partial.forecast.unwrap().lambda0, 0.03);
    // One seed of λ₀ is not all of them.
    traces[1] = whole_run(&e, 1);
    assert_eq!(Findings::new(&e, 512, &traces).unwrap().forecast.unwrap().lambda0, 0.03);
}

fn whole_run(e: &Experiment, index: usize) -> Trace {
    lawful(e).swap_remove(index)
}

/// Accuracies of a grid whose best λ at budget T is `0.05·(T/30)^(−p)`, a parabola in log λ, with some noise for each seed.
fn grids(p: f64, noise: f64) -> Vec<(f64, Vec<Outcome>)> {
    let lambdas: Vec<f64> = (0..13).map(|i| 0.2 * 0.6_f64.powi(i)).collect();
    let of_budget = |budget: f64| {
        let best = (0.05 * (budget / 30.0).powf(-p)).ln();
        let outcome = |lambda: f64, seed: u64| {
            let shift = noise * (seed as f64 - 2.0);
            Outcome { lambda, seed, accuracy: 0.9 - 0.01 * (lambda.ln() - best - shift).powi(2) }
        };
        (budget, lambdas.iter().flat_map(|&l| (0..5).map(move |s| outcome(l, s))).collect())
    };
    [10.0, 30.0, 100.0].into_iter().map(of_budget).collect()
}

#[test]
fn the_exponent_of_the_best_lambda_is_found_with_its_interval() {
    for p in [1.0, 0.5, 0.0] {
        let (optima, exponent) = optimal_exponent(&grids(p, 0.0));
        let exponent = exponent.unwrap();
        assert!((exponent.p - p).abs() < 1e-9, "{exponent:?}");
        assert_eq!((exponent.budgets, exponent.seeds), (3, 5));
        assert!(
            optima.iter().all(|o| !o.censored && (o.lambda / (0.05 * (o.budget / 30.0).powf(-p)) - 1.0).abs() < 1e-9)
        );
    }
    let [low, high] = optimal_exponent(&grids(1.0, 0.2)).1.unwrap().p_ci.unwrap();
    assert!(low <= 1.0 && 1.0 <= high && high - low < 0.5, "{low} to {high}");
    // A seed that is missing at one λ counts nowhere.
    let mut partial = grids(1.0, 0.0);
    partial[1].1.remove(0);
    assert_eq!(optimal_exponent(&partial).1.unwrap().seeds, 4);
}

#[test]
fn an_optimum_at_the_grids_edge_enters_no_fit() {
    // At T = 1 the best λ, 1.5, is above the grid.
    let mut edge = grids(1.0, 0.0);
    edge[0] = (
        1.0,
        edge[0].1.iter().map(|o| Outcome { accuracy: 0.9 - 0.01 * (o.lambda / 1.5).ln().powi(2), ..*o }).collect(),
    );
    let (optima, exponent) = optimal_exponent(&edge);
    assert!(optima[0].censored && optima[0].lambda == 0.2, "{optima:?}");
    assert_eq!(exponent.unwrap().budgets, 2);
    assert!(optimal_exponent(&edge[..2]).1.is_none(), "one point has no slope");
    assert_eq!(optimal_exponent(&[]), (Vec::new(), None));
}

#[test]
fn a_mean_has_an_interval_if_there_are_seeds_enough() {
    assert_eq!(mean(&[]), None);
    assert_eq!(mean(&[0.5]), Some(Mean { mean: 0.5, ci: None, n: 1 }));
    // Student's, with two degrees of freedom: 0.5 ± 4.303·0.1/√3, but for the bootstrap's own noise.
    let Mean { mean, ci, n } = mean(&[0.4, 0.5, 0.6]).unwrap();
    let [low, high] = ci.unwrap();
    assert!((mean - 0.5).abs() < 1e-12 && n == 3 && (high + low - 1.0).abs() < 1e-12, "{low} to {high}");
    assert!(((high - low) / 2.0 / (4.303 * 0.1 / 3.0_f64.sqrt()) - 1.0).abs() < 0.03, "{low} to {high}");
}

#[test]
fn an_interval_holds_the_truth_as_often_as_it_says() {
    // Three seeds of a normal distribution about 0, many times: 95 % of the intervals have 0 inside.
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let normal = Normal::new(0.0, 1.0).unwrap();
    let trials = 1000;
    let inside = (0..trials)
        .filter(|_| {
            let [low, high] = mean(&[0; 3].map(|_| normal.sample(&mut rng))).unwrap().ci.unwrap();
            low < 0.0 && 0.0 < high
        })
        .count();
    let share = inside as f64 / f64::from(trials);
    assert!((0.93..0.97).contains(&share), "{share}");
}

#[test]
fn runs_of_one_seed_count_once() {
    let m = mean_by_seed([(0, 0.0), (0, 1.0), (1, 0.7)]).unwrap();
    assert!(m.n == 2 && (m.mean - 0.6).abs() < 1e-12, "{m:?}");
    assert_eq!(mean_by_seed([]), None);
}
