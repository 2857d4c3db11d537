//! Schedules of λ within a run: functions of its clock, and AutoL2, which watches training.

use serde::{Deserialize, Serialize};

use super::{
    autol2::{AutoL2, ReferenceAutoL2},
    schedule::{DROPS, half_cosine},
};
use crate::run::{LambdaScheduleKind, RunSpec};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// Steps taken.
    pub step: u64,
    /// Steps that the run is to take; 0 where nobody knows.
    pub steps: u64,
    /// Regularization time Σ η_eff λ over the steps taken.
    pub tau: f64,
    /// Σ η_eff over the steps taken.
    pub total_lr: f64,
}

impl Progress {
    /// A run of `steps` steps that has not begun.
    #[must_use]
    pub fn new(steps: u64) -> Self {
        Self { steps, ..Self::default() }
    }

    /// One step more, taken with η_eff and λ.
    pub fn tick(&mut self, effective_lr: f64, lambda: f64) {
        self.step += 1;
        self.tau += effective_lr * lambda;
        self.total_lr += effective_lr;
    }

    /// Fraction of the run that is over.
    fn fraction(&self) -> f64 {
        self.step as f64 / self.steps.max(1) as f64
    }
}

/// How training does at some step, on a fresh minibatch of training examples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// Mean loss without the L2 term.
    pub loss: f64,
    /// Accuracy, 0 to 1.
    pub accuracy: f64,
}

/// Decides λ, step by step. A schedule is a small value that can be saved, so that a resumed run continues with it.
pub trait LambdaSchedule {
    /// λ of the step that follows `now`.
    fn lambda(&self, now: &Progress) -> f64;

    /// Steps between the probes of training that it wants to see; `None` if it looks at none.
    fn probes_every(&self) -> Option<u64> {
        None
    }

    /// Takes note of a probe of training at `now`.
    fn observe(&mut self, _now: &Progress, _probe: Probe) {}
}

/// What schedules of λ are told besides λ₀.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LambdaSettings {
    /// What step and both kinds of AutoL2 divide λ by.
    pub factor: f64,
    /// How soon after a decay AutoL2 looks for the next; by default the kind's own.
    pub delay: Option<f64>,
    /// The least λ of those that fall gradually.
    pub min: f64,
    /// Fraction of the run after which off is 0, and warm-up has reached λ₀.
    pub switch: f64,
    /// c′ of inverse-time.
    pub c_prime: f64,
    /// Steps between the minibatches on which AutoL2 watches training.
    pub probe_every: u64,
}

/// A λ schedule with its state, as a snapshot holds it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LambdaState {
    /// A function of the clock.
    OpenLoop(OpenLoop),
    /// [`AutoL2`].
    AutoL2(AutoL2),
    /// [`ReferenceAutoL2`].
    AutoL2Reference(ReferenceAutoL2),
}

impl LambdaState {
    /// A run's schedule at its start.
    #[must_use]
    pub fn new(settings: &LambdaSettings, run: &RunSpec) -> Self {
        let (e, lambda) = (settings, run.lambda);
        match run.lambda_schedule {
            LambdaScheduleKind::AutoL2 => Self::AutoL2(AutoL2 {
                factor: e.factor,
                delay: e.delay.unwrap_or(AutoL2::DELAY),
                min: e.min,
                every: e.probe_every,
                ..AutoL2::new(lambda)
            }),
            LambdaScheduleKind::AutoL2Reference => Self::AutoL2Reference(ReferenceAutoL2 {
                factor: e.factor,
                delay: e.delay.unwrap_or(ReferenceAutoL2::DELAY),
                every: e.probe_every,
                ..ReferenceAutoL2::new(lambda)
            }),
            kind => Self::OpenLoop(OpenLoop {
                kind,
                lambda,
                factor: e.factor,
                min: e.min,
                switch: e.switch,
                c_prime: e.c_prime,
            }),
        }
    }

    fn get(&self) -> &dyn LambdaSchedule {
        match self {
            Self::OpenLoop(schedule) => schedule,
            Self::AutoL2(schedule) => schedule,
            Self::AutoL2Reference(schedule) => schedule,
        }
    }
}

impl LambdaSchedule for LambdaState {
    fn lambda(&self, now: &Progress) -> f64 {
        self.get().lambda(now)
    }

    fn probes_every(&self) -> Option<u64> {
        self.get().probes_every()
    }

    fn observe(&mut self, now: &Progress, probe: Probe) {
        match self {
            Self::OpenLoop(schedule) => schedule.observe(now, probe),
            Self::AutoL2(schedule) => schedule.observe(now, probe),
            Self::AutoL2Reference(schedule) => schedule.observe(now, probe),
        }
    }
}

/// A λ schedule that looks at nothing but the clock.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OpenLoop {
    /// Which.
    pub kind: LambdaScheduleKind,
    /// λ₀.
    pub lambda: f64,
    /// What a drop of [`LambdaScheduleKind::Step`] divides by.
    pub factor: f64,
    /// The least λ of those that fall gradually.
    pub min: f64,
    /// Fraction of the run after which [`LambdaScheduleKind::Off`] is 0 and [`LambdaScheduleKind::WarmUp`] is λ₀.
    pub switch: f64,
    /// c′ of [`LambdaScheduleKind::InverseTime`].
    pub c_prime: f64,
}

impl LambdaSchedule for OpenLoop {
    fn lambda(&self, now: &Progress) -> f64 {
        let progress = now.fraction();
        // The floor holds what falls; λ₀ below it stays where it is.
        let floor = self.min.min(self.lambda);
        match self.kind {
            LambdaScheduleKind::Step => {
                let drops = DROPS.iter().filter(|&&at| progress >= at);
                drops.fold(self.lambda, |lambda, _| lambda / self.factor).max(floor)
            }
            LambdaScheduleKind::Cosine => floor + (self.lambda - floor) * half_cosine(progress),
            // c′/(Σ η_eff + c′/λ₀), so that it starts at λ₀.
            LambdaScheduleKind::InverseTime => {
                (self.lambda / (1.0 + self.lambda * now.total_lr / self.c_prime)).max(floor)
            }
            LambdaScheduleKind::Off if progress >= self.switch => 0.0,
            LambdaScheduleKind::WarmUp if progress < self.switch => self.lambda * progress / self.switch,
            _ => self.lambda,
        }
    }
}
