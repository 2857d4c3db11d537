//! Other people's conventions and clocks against arithmetic worked by hand, and whether a trace shows learning at all.

use l2lab_core::{
    law::{Clock, Convention, Estimator, LrSum, learns},
    train::Measurement,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn clock(convention: Convention, momentum: f64) -> Clock {
    Clock { convention, momentum, dampening: 0.0 }
}

fn close(a: f64, b: f64) {
    assert!((a - b).abs() <= 1e-12 * b.abs(), "{a}, not {b}");
}

#[test]
fn every_convention_has_its_clock() {
    // 1000 steps at η = 0.1 and β = 0.9: Σ η = 100, and coupled decay has η/(1−β) = 1 a step, 1000 together.
    for (convention, lambda, tau) in [
        (Convention::PytorchSgd, 5e-4, 0.5),
        (Convention::Optax, 5e-4, 0.5),
        (Convention::Timm, 5e-4, 0.5),
        // The gradient of c·θ² is 2cθ.
        (Convention::Keras, 5e-4, 1.0),
        // θ shrinks by 0.1·5e-4 a step, whatever β1 is.
        (Convention::Adamw, 5e-4, 0.05),
        // lr 0.01 and weight decay 2·10·5e-4 = 1e-2 with ten classes: 0.1·1e-2 a step.
        (Convention::Autol2Code, 5e-4, 1.0),
    ] {
        close(clock(convention, 0.9).tau(lambda, 100.0), tau);
    }
    // v ← 0.9v + (1−0.2)g tends to 8g.
    close(Clock { dampening: 0.2, ..clock(Convention::PytorchSgd, 0.9) }.tau(0.01, 100.0), 8.0);
}

/// A weight without a gradient, stepped as each framework steps it, shrinks as e^{−τ} at small ηλ.
#[test]
fn clocks_are_those_of_the_update_rules() {
    let (lr, lambda, beta, steps) = (1e-3, 1e-2, 0.9, 200_000);
    let run = |step: &dyn Fn(f64, f64, bool) -> (f64, f64)| {
        let (mut theta, mut v) = (1.0_f64, 0.0);
        for i in 0..steps {
            (theta, v) = step(theta, v, i == 0);
        }
        -theta.ln()
    };
    let sum = lr * f64::from(steps);
    let check = |found: f64, clock: Clock| {
        let tau = clock.tau(lambda, sum);
        // Momentum's start takes a few steps of 200000.
        assert!((found / tau - 1.0).abs() < 2e-3, "{clock:?}: {found}, not {tau}");
    };
    let pytorch = clock(Convention::PytorchSgd, beta);
    check(
        run(&|theta, v, _| {
            let v = beta * v + lambda * theta;
            (theta - lr * v, v)
        }),
        pytorch,
    );
    // Nesterov: g + βv.
    check(
        run(&|theta, v, _| {
            let g = lambda * theta;
            let v = beta * v + g;
            (theta - lr * (g + beta * v), v)
        }),
        clock(Convention::Timm, beta),
    );
    // PyTorch's first step is not dampened.
    check(
        run(&|theta, v, first| {
            let g = lambda * theta;
            let v = if first { g } else { beta * v + 0.25 * g };
            (theta - lr * v, v)
        }),
        Clock { dampening: 0.75, ..pytorch },
    );
    // Keras: v ← βv − ηg, and the regularizer's gradient is 2cθ.
    check(
        run(&|theta, v, _| {
            let v = beta * v - lr * 2.0 * lambda * theta;
            (theta + v, v)
        }),
        clock(Convention::Keras, beta),
    );
    check(run(&|theta, v, _| (theta * (1.0 - lr * lambda), v)), clock(Convention::Adamw, beta));
}

#[test]
fn what_other_conventions_are_in_pytorch() {
    let of = |convention, classes| {
        let found = clock(convention, 0.9).coupled(0.2, 1e-4, classes)?;
        Some((found.lr, found.weight_decay))
    };
    for convention in [Convention::PytorchSgd, Convention::Optax, Convention::Timm] {
        assert_eq!(of(convention, None), Some((0.2, 1e-4)));
    }
    assert_eq!(of(Convention::Keras, None), Some((0.2, 2e-4)));
    // paper.md §1: η = 0.2, L2 = 1e-4 with ten classes is lr 0.02, wd 2e-3.
    let (lr, wd) = of(Convention::Autol2Code, Some(10)).unwrap();
    close(lr, 0.02);
    close(wd, 2e-3);
    assert_eq!(of(Convention::Autol2Code, None), None);
    assert_eq!(of(Convention::Adamw, Some(10)), None);
    let dampened = Clock { dampening: 0.5, ..clock(Convention::PytorchSgd, 0.9) };
    assert_eq!(dampened.coupled(0.2, 1e-4, None).map(|c| c.lr), Some(0.1));
}

#[test]
fn names_are_what_flags_and_files_use() {
    for convention in Convention::ALL {
        assert_eq!(serde_json::to_value(convention).unwrap(), convention.name());
        assert!(convention.meaning().starts_with("λ is "), "{convention:?}");
    }
    assert_eq!(Convention::default().name(), "pytorch-sgd");
}

#[test]
fn a_learning_rate_is_summed_piece_by_piece() {
    assert_eq!(LrSum::constant(0.5).until(8.0), 4.0);
    // 0.25 until step 100 (also before step 10, where it was logged first), 0.5 until 200, 0.125 from there on.
    let sum = LrSum::piecewise(&[(10.0, 0.25), (100.0, 0.5), (200.0, 0.125)]).unwrap();
    for (time, expected) in
        [(0.0, 0.0), (4.0, 1.0), (10.0, 2.5), (100.0, 25.0), (150.0, 50.0), (200.0, 75.0), (280.0, 85.0)]
    {
        assert_eq!(sum.until(time), expected, "at {time}");
    }
    // A warm-up logged at every step: Σ t/8 over t = 0 … 7.
    let warm: Vec<(f64, f64)> = (0..8).map(|t| (f64::from(t), f64::from(t) / 8.0)).collect();
    assert_eq!(LrSum::piecewise(&warm).unwrap().until(8.0), 28.0 / 8.0);
    // Two at one time: the last holds.
    assert_eq!(LrSum::piecewise(&[(0.0, 9.0), (0.0, 1.0)]).unwrap().until(3.0), 3.0);
    assert_eq!(LrSum::piecewise(&[]), None);
}

fn trace(values: impl IntoIterator<Item = f64>) -> Vec<Measurement> {
    let point = |(i, value): (usize, f64)| Measurement {
        step: i as u64,
        epoch: 0.0,
        tau: 0.0,
        train_loss: 0.0,
        train_accuracy: 0.0,
        test_loss: 1.0 - value,
        test_accuracy: value,
        sq_norm: 0.0,
        lr: 0.1,
        lambda: 0.1,
    };
    values.into_iter().enumerate().map(point).collect()
}

#[test]
fn noise_about_chance_is_no_learning() {
    let mut learned = 0;
    for seed in 0..200 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let noise: Vec<f64> = (0..60).map(|_| 0.01 * rng.sample::<f64, _>(StandardNormal)).collect();
        learned += usize::from(learns(&trace(noise.iter().map(|n| 0.1 + n)), Estimator::Smoothed));
        // The same noise on a curve that rises to 0.3 and falls.
        let bump = |i: usize| 0.1 + 0.2 * (i as f64 / 20.0) * (1.0 - i as f64 / 20.0).exp();
        let curve = trace(noise.iter().enumerate().map(|(i, n)| bump(i) + n));
        assert!(Estimator::ALL.iter().all(|&e| learns(&curve, e)), "seed {seed}");
    }
    assert!(learned <= 2, "{learned} of 200 flat curves");
}

#[test]
fn learning_is_against_the_first_measurement() {
    for e in Estimator::ALL {
        assert!(!learns(&[], e) && !learns(&trace([0.1; 30]), e) && !learns(&trace([0.1, 0.1, 0.09]), e));
        assert!(!learns(&trace((0..30).map(|i| 0.9 - f64::from(i) / 100.0)), e), "it only gets worse");
        assert!(!learns(&trace([f64::NAN; 12]), e));
        assert!(learns(&trace([0.1, 0.5, 0.3]), e), "three are enough");
        assert!(learns(&trace((0..30).map(|i| 0.98 + f64::from(i.min(9)) * 1e-4)), e), "little, but without noise");
    }
    // One lucky measurement among many.
    let mut lucky = [0.1; 40];
    lucky[17] = 0.104;
    lucky.iter_mut().enumerate().for_each(|(i, v)| *v += if i % 3 == 0 { 0.002 } else { -0.001 });
    assert!(!learns(&trace(lucky), Estimator::Smoothed));
}
