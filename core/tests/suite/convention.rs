//! Other people's conventions and clocks against arithmetic worked by hand.

use l2lab_core::{
    law::{Clock, Convention, CoupledL2, LrSum, decoupled_tau},
    run::{Length, effective_lr},
};
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
