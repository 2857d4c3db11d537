//! AutoL2 and the other λ schedules: the reference against decisions worked out by hand, all of them on a run's clock.

use l2lab_core::{
    Experiment,
    train::{AutoL2, LambdaSchedule, LambdaState, Probe, Progress, ReferenceAutoL2, Settings},
};
use serde::Deserialize;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// What a port of AutoL2 checks itself against: `log` has step, loss and accuracy, `decays` step and the λ after it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    name: String,
    lambda0: Option<f64>,
    factor: Option<f64>,
    delay: Option<f64>,
    log: Vec<(u64, f64, f64)>,
    decays: Vec<(u64, f64)>,
}

#[test]
fn the_reference_decides_as_worked_out_by_hand() {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("../../../tests/autol2-vectors.json")).unwrap();
    assert!(vectors.iter().any(|v| !v.decays.is_empty()));
    for v in vectors {
        let mut autol2 = ReferenceAutoL2::new(v.lambda0.unwrap_or(0.1));
        autol2.factor = v.factor.unwrap_or(autol2.factor);
        autol2.delay = v.delay.unwrap_or(autol2.delay);
        let mut decays = Vec::new();
        for (step, loss, accuracy) in v.log {
            if autol2.note(step, Probe { loss, accuracy }) {
                decays.push((step, autol2.lambda));
            }
        }
        let near = |a: &[(u64, f64)], b: &[(u64, f64)]| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.0 == b.0 && (a.1 / b.1 - 1.0).abs() < 1e-12)
        };
        assert!(near(&decays, &v.decays), "{}\n{decays:?}, expected {:?}", v.name, v.decays);
    }
}

#[test]
fn the_refractory_period_is_that_of_the_papers_table() {
    // On a loss that never moves λ decays as soon as it may: after 1, 10, 100, 1000 and 10 000 steps more.
    let mut autol2 = ReferenceAutoL2::new(0.1);
    let probe = Probe { loss: 1.0, accuracy: 0.5 };
    let decays: Vec<u64> = (1..=12_000).filter(|&step| autol2.note(step, probe)).collect();
    assert_eq!(decays, [3, 14, 115, 1116, 11_117]);
    assert!((autol2.lambda / 1e-6 - 1.0).abs() < 1e-12);
}

/// The steps at which λ changes in `steps` steps of training whose loss is `loss` of λ and of τ since the last change.
fn changes(schedule: &mut impl LambdaSchedule, lr: f64, steps: u64, loss: impl Fn(f64, f64) -> f64) -> Vec<(u64, f64)> {
    let mut clock = Progress::new(steps);
    let (mut changes, mut lambda, mut since) = (Vec::new(), schedule.lambda(&clock), 0.0);
    for _ in 0..steps {
        let next = schedule.lambda(&clock);
        if next != lambda {
            changes.push((clock.step, next));
            (lambda, since) = (next, clock.tau);
        }
        clock.tick(lr, next);
        if schedule.probes_every().is_some_and(|n| clock.step.is_multiple_of(n)) {
            let probe = Probe { loss: loss(next, clock.tau - since), accuracy: 0.5 };
            schedule.observe(&clock, probe);
        }
    }
    changes
}

#[test]
fn autol2_waits_for_a_plateau_and_keeps_to_the_clock() {
    // The loss falls to the level √λ within a few tenths of τ, as the paper's does.
    let loss = |lambda: f64, since: f64| lambda.sqrt() * (1.0 + 3.0 * (-8.0 * since).exp());
    let decays = changes(&mut AutoL2::new(0.1), 0.1, 200_000, loss);
    assert!(decays.len() >= 3, "{decays:?}");
    // Each λ takes ten times the steps of the one before it: the same τ.
    let lengths: Vec<f64> = decays.windows(2).map(|d| (d[1].0 - d[0].0) as f64 * 0.1 * d[0].1).collect();
    assert!(lengths.iter().all(|tau| (0.5..1.2).contains(tau) && (tau / lengths[0] - 1.0).abs() < 0.15), "{lengths:?}");
    // Half the learning rate, twice the steps between the same decays; the first waits for its few probes.
    let slower = changes(&mut AutoL2::new(0.1), 0.05, 400_000, loss);
    assert!(slower.len() >= 3, "{slower:?}");
    for (a, b) in decays.windows(2).zip(slower.windows(2)) {
        let ratio = (b[1].0 - b[0].0) as f64 / (a[1].0 - a[0].0) as f64;
        assert!(a[1].1 == b[1].1 && (ratio / 2.0 - 1.0).abs() < 0.1, "{decays:?} {slower:?}");
    }
    // As long as the loss falls by half in each τ, nothing decays; a floor is kept.
    assert_eq!(changes(&mut AutoL2::new(0.1), 0.1, 2000, |_, since| 0.5_f64.powf(since * 4.0)), []);
    let mut floored = AutoL2 { min: 0.004, factor: 5.0, ..AutoL2::new(0.1) };
    let values: Vec<f64> = changes(&mut floored, 0.1, 200_000, loss).iter().map(|c| c.1).collect();
    assert!((values[0] - 0.02).abs() < 1e-12 && values[1..] == [0.004], "{values:?}");
}

#[test]
fn autol2_is_not_fooled_by_minibatch_noise() {
    // Loss falling from 2 to 1 over the run with noise of 20 %: the reference, which looks at two minibatches, decays at once.
    let noise = |step: u64| 1.0 + 0.2 * (f64::from((step.wrapping_mul(2_654_435_761) >> 7) as u16) / 32_768.0 - 1.0);
    let mut clock = Progress::new(0);
    let (mut modern, mut reference) = (AutoL2::new(0.01), ReferenceAutoL2::new(0.01));
    for _ in 0..1000 {
        clock.tick(0.1, 0.01);
        if clock.step.is_multiple_of(10) {
            let probe =
                Probe { loss: 2.0 * 0.5_f64.powf(clock.step as f64 / 300.0) * noise(clock.step), accuracy: 0.5 };
            modern.observe(&clock, probe);
            reference.observe(&clock, Probe { accuracy: probe.loss.recip(), ..probe });
        }
    }
    assert_eq!(modern.lambda, 0.01);
    assert!(reference.lambda < 0.01);
}

#[test]
fn open_loop_schedules_follow_their_formulas() {
    let at = |settings: &[(&str, &str)], progress: f64| {
        let e = Experiment::default().with(settings).unwrap();
        e.validate().unwrap();
        let schedule = LambdaState::new(&Settings::from(&e).lambda, &e.run(0.1, 0.1, 0, 1000));
        assert_eq!(schedule.probes_every(), None);
        // Constant η_eff = 0.1 over 1000 steps.
        let step = (1000.0 * progress) as u64;
        schedule.lambda(&Progress { step, steps: 1000, tau: 0.0, total_lr: 0.1 * step as f64 })
    };
    let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12 * b.abs().max(1.0), "{a}, expected {b}");
    for progress in [0.0, 0.5, 1.0] {
        near(at(&[], progress), 0.1);
    }
    let step = &[("lambda-schedule", "step"), ("lambda-factor", "5"), ("lambda-min", "0.002")];
    for (progress, lambda) in [(0.0, 0.1), (0.29, 0.1), (0.3, 0.02), (0.6, 0.004), (0.9, 0.002)] {
        near(at(step, progress), lambda);
    }
    let cosine = &[("lambda-schedule", "cosine"), ("lambda-min", "0.02")];
    for (progress, lambda) in [(0.0, 0.1), (0.5, 0.06), (1.0, 0.02)] {
        near(at(cosine, progress), lambda);
    }
    // λ(t) = c′/(Σ η + c′/λ₀): 2/(0.1·1000 + 20) at the end.
    let inverse = &[("lambda-schedule", "inverse-time"), ("c-prime", "2")];
    for (progress, lambda) in [(0.0, 0.1), (0.5, 2.0 / 70.0), (1.0, 2.0 / 120.0)] {
        near(at(inverse, progress), lambda);
    }
    let off = &[("lambda-schedule", "off"), ("lambda-switch", "0.25")];
    for (progress, lambda) in [(0.0, 0.1), (0.249, 0.1), (0.25, 0.0), (1.0, 0.0)] {
        near(at(off, progress), lambda);
    }
    let warm = &[("lambda-schedule", "warm-up"), ("lambda-switch", "0.5")];
    for (progress, lambda) in [(0.0, 0.0), (0.25, 0.05), (0.5, 0.1), (1.0, 0.1)] {
        near(at(warm, progress), lambda);
    }
}

#[test]
fn settings_of_another_schedule_are_refused() {
    for (setting, value) in [("lambda-switch", "0.3"), ("c-prime", "2"), ("lambda-delay", "1"), ("probe-every", "5")] {
        let e = Experiment::default().with(&[(setting, value)]).unwrap();
        let error = e.validate().unwrap_err().to_string();
        assert!(error.starts_with(setting) && error.contains("not constant"), "{error}");
    }
    for (setting, value) in
        [("lambda-factor", "1"), ("lambda-min", "-1"), ("lambda-switch", "1.5"), ("probe-every", "0")]
    {
        let error = Experiment::default().with(&[(setting, value)]).unwrap().validate().unwrap_err().to_string();
        assert!(error.starts_with(&format!("{setting}: '{value}' is not allowed")), "{error}");
    }
}
