//! Estimators, fits, scores and predictions, on traces whose answers are known.

mod curves;
mod fits;
mod intervals;
mod optimum;
mod outcomes;
mod predictions;
mod scores;
#[cfg(not(target_arch = "wasm32"))]
mod simulated;

use l2lab_core::run::{End, LambdaScheduleKind, Measurement, RunSpec, Trace};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// A run of constant λ, without momentum.
fn run(lr: f64, lambda: f64, seed: u64, steps: u64) -> RunSpec {
    let lambda_schedule = LambdaScheduleKind::Constant;
    RunSpec { lambda, lambda_schedule, lr, momentum: 0.0, seed, steps, per_decade: 24 }
}

/// A completed run that was measured at the steps `at`; its test loss is 1 − accuracy.
fn measured(run: RunSpec, at: impl IntoIterator<Item = u64>, mut accuracy: impl FnMut(f64) -> f64) -> Trace {
    let point = |step: u64| {
        let accuracy = accuracy(step as f64);
        Measurement {
            step,
            epoch: 0.0,
            tau: run.lr * run.lambda * step as f64,
            train_loss: 0.0,
            train_accuracy: 1.0,
            test_loss: 1.0 - accuracy,
            test_accuracy: accuracy,
            sq_norm: 1.0,
            lr: run.lr,
            lambda: run.lambda,
        }
    };
    let points = at.into_iter().map(point).collect();
    Trace { run, points, end: Some(End::Completed) }
}

/// The same, measured as runs are: evenly in log time, and at the end.
fn completed(run: RunSpec, accuracy: impl FnMut(f64) -> f64) -> Trace {
    let at: Vec<u64> = (0..=run.steps).filter(|&step| run.measures_at(step)).collect();
    measured(run, at, accuracy)
}

/// This trace, of a run that diverged in its end.
fn diverged(mut trace: Trace) -> Trace {
    trace.end = Some(End::Diverged { step: 7, what: "test loss".into() });
    trace
}

/// `count` steps, evenly over `steps`.
fn evenly(steps: u64, count: u64) -> impl Iterator<Item = u64> {
    (1..=count).map(move |i| steps * i / count)
}

/// A rise from 0.5 to 0.8 at `top`, and a decline after it.
fn bump(top: f64) -> impl Fn(f64) -> f64 + Copy {
    move |t| 0.5 + 0.3 * (t / top) * (1.0 - t / top).exp()
}

/// When a bump that is 0.3 high comes within 0.005 of its top, in units of its time.
const BUMP_ARRIVES: f64 = 0.827_158;

/// A rise from 0.5 to 0.8, half of it at `middle`, to a maximum where the curve stays.
fn plateau(middle: f64) -> impl Fn(f64) -> f64 + Copy {
    move |t| 0.5 + 0.3 / (1.0 + (t / middle).powi(-4))
}

/// Noise, each value of which is correlated with the one before.
struct Noise {
    rng: ChaCha8Rng,
    deviation: f64,
    correlation: f64,
    before: f64,
}

impl Noise {
    fn new(seed: u64, deviation: f64, correlation: f64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let before = rng.sample(StandardNormal);
        Self { rng, deviation, correlation, before }
    }

    fn white(seed: u64, deviation: f64) -> Self {
        Self::new(seed, deviation, 0.0)
    }

    fn next(&mut self) -> f64 {
        let fresh: f64 = self.rng.sample(StandardNormal);
        self.before = self.correlation * self.before + (1.0 - self.correlation.powi(2)).sqrt() * fresh;
        self.deviation * self.before
    }
}
