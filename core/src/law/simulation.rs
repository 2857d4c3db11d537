//! Traces whose answers are known, for the estimators' tests and for the table of their bias, spread and coverage
//! (`core/ESTIMATORS.md`, made by `cargo run --release --package l2lab-core --example estimators`).

use rand_distr::{Distribution, StandardNormal};

use crate::{
    random::{ChaCha8Rng, Stream, stream},
    run::{End, LambdaScheduleKind, Measurement, RunSpec, Trace, is_measured},
};

/// What the simulated curves do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// A rise and a decline on L2's clock: slope −1.
    Law,
    /// A rise on L2's clock to a maximum where the curve stays: slope −1.
    LawPlateau,
    /// As [`Self::Law`], with all runs of the same number of steps: the smallest λ end before their rise. Slope −1.
    LawCensored,
    /// A rise and a decline whose time goes as λ^(−½): slope −0.5.
    HalfLaw,
    /// A rise that goes with ηt, whatever λ: slope 0.
    EarlyRise,
    /// A rise without end in log time, which has no time of its own: nothing to time.
    EndlessRise,
    /// Noise about a constant: nothing to time.
    Noise,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Law,
        Self::LawPlateau,
        Self::LawCensored,
        Self::HalfLaw,
        Self::EarlyRise,
        Self::EndlessRise,
        Self::Noise,
    ];

    /// The true slope of log t_* on log λ; `None` where there is nothing to time.
    #[must_use]
    pub fn slope(self) -> Option<f64> {
        match self {
            Self::Law | Self::LawPlateau | Self::LawCensored => Some(-1.0),
            Self::HalfLaw => Some(-0.5),
            Self::EarlyRise => Some(0.0),
            Self::EndlessRise | Self::Noise => None,
        }
    }

    /// In words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Law => "law true, peaks",
            Self::LawPlateau => "law true, plateaus",
            Self::LawCensored => "law true, the smallest λ end too early",
            Self::HalfLaw => "t_* ∝ λ^(−½)",
            Self::EarlyRise => "law false: a rise with ηt",
            Self::EndlessRise => "law false: a rise without end",
            Self::Noise => "noise alone",
        }
    }

    /// Test accuracy without noise.
    fn accuracy(self, lambda: f64, lr: f64, t: f64) -> f64 {
        let rise = |log: f64| 0.62 + 0.16 / (1.0 + (-log / 0.25).exp());
        let decline = |log: f64| 0.03 * (log - 0.6).max(0.0).powi(2).min(1.0);
        let tau = (lr * lambda * t).ln();
        let half = (lr * (lambda * LAMBDAS[0]).sqrt() * t).ln();
        match self {
            Self::Law | Self::LawCensored => rise(tau) - decline(tau),
            Self::LawPlateau => rise(tau),
            Self::HalfLaw => rise(half) - decline(half),
            Self::EarlyRise => rise((lr * t / 3.0).ln()),
            Self::EndlessRise => 0.6 + 0.015 * t.ln(),
            Self::Noise => 0.75,
        }
    }
}

/// The λ of simulated grids.
pub const LAMBDAS: [f64; 5] = [0.2, 0.1, 0.05, 0.02, 0.01];
const LRS: [f64; 2] = [0.02, 0.05];
/// Standard deviations: of a measurement, half of its variance correlated with the one before; of a seed's accuracy; of a seed's
/// clock, in ln t.
const NOISE: f64 = 0.005;
const CORRELATION: f64 = 0.6;
const LEVEL: f64 = 0.005;
const CLOCK: f64 = 0.05;

/// The traces of a grid of five λ and two η, each run until τ = 6, with `seeds` seeds; `replicate` chooses the noise.
#[must_use]
pub fn traces(scenario: Scenario, seeds: u64, replicate: u64) -> Vec<Trace> {
    let mut traces = Vec::new();
    for lr in LRS {
        for lambda in LAMBDAS {
            for seed in 0..seeds {
                let mut rng = stream(
                    replicate,
                    Stream::Subset,
                    (lr * 1e6) as u64 * 1_000_003 + (lambda * 1e6) as u64 * 101 + seed,
                );
                // What the runs of a seed share.
                let mut shared = stream(replicate, Stream::Init, seed);
                let (level, clock): (f64, f64) = (normal(&mut shared) * LEVEL, normal(&mut shared) * CLOCK);
                let own_clock = clock + normal(&mut rng) * CLOCK;
                let end = if scenario == Scenario::LawCensored { 6.0 / (0.05 * lr) } else { 6.0 / (lambda * lr) };
                traces.push(trace(scenario, (lr, lambda, seed, end as u64), level, own_clock, &mut rng));
            }
        }
    }
    traces
}

fn trace(
    scenario: Scenario,
    (lr, lambda, seed, steps): (f64, f64, u64, u64),
    level: f64,
    clock: f64,
    rng: &mut ChaCha8Rng,
) -> Trace {
    let lambda_schedule = LambdaScheduleKind::Constant;
    let run = RunSpec { lambda, lambda_schedule, lr, momentum: 0.0, seed, steps, per_decade: 24 };
    let mut before: f64 = normal(rng);
    let mut point = |step: u64| {
        before = CORRELATION * before + (1.0 - CORRELATION * CORRELATION).sqrt() * normal(rng);
        let noise = NOISE * (before + normal(rng)) / 2.0_f64.sqrt();
        let accuracy = scenario.accuracy(lambda, lr, step as f64 * clock.exp()) + level + noise;
        Measurement {
            step,
            tau: lr * lambda * step as f64,
            train_accuracy: 1.0,
            test_accuracy: accuracy,
            test_loss: 1.0 - accuracy,
            lr,
            lambda,
            ..Measurement::UNKNOWN
        }
    };
    let points =
        (1..=steps).filter(|&step| step == steps || is_measured(step, run.per_decade)).map(&mut point).collect();
    Trace { run, points, end: Some(End::Completed) }
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(rng)
}
