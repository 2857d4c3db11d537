//! AutoL2: a λ that starts large, for fast training, and is divided whenever training stops to improve.

use serde::{Deserialize, Serialize};

use super::{LambdaSchedule, Probe, Progress};

/// Steps between probes, as in the authors' code.
pub(crate) const EVERY: u64 = 10;
/// What λ is divided by, as in the authors' code.
pub(crate) const FACTOR: f64 = 10.0;

/// AutoL2 as the paper's authors released it, quirks included: one minibatch a probe, bests that lag by one probe and are
/// never reset, and a refractory period of `delay`/λ in steps, whatever the learning rate.
///
/// ```
/// use l2lab_core::train::{Probe, ReferenceAutoL2};
///
/// let mut autol2 = ReferenceAutoL2::new(0.1);
/// let losses = [2.3, 1.5, 1.1, 1.2, 1.3];
/// for (i, loss) in losses.into_iter().enumerate() {
///     autol2.note(10 * (i as u64 + 1), Probe { loss, accuracy: 0.1 * i as f64 });
/// }
/// assert_eq!(autol2.lambda, 0.1 / 10.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ReferenceAutoL2 {
    /// λ now.
    pub lambda: f64,
    /// What a decay divides λ by.
    pub factor: f64,
    /// A decay is followed by `delay`/λ steps without another.
    pub delay: f64,
    /// Steps between probes.
    pub every: u64,
    /// Step of the last decay; of the start before the first.
    pub last_decay: u64,
    /// Probes so far.
    pub probes: u64,
    /// The newest probe.
    pub last: Option<Probe>,
    /// The least loss and the largest accuracy among the probes before the newest, those at which λ decayed left out.
    pub best: Option<Probe>,
}

impl ReferenceAutoL2 {
    /// The authors' `delay`.
    pub const DELAY: f64 = 0.1;

    /// From λ₀ with the authors' factor, delay and probes every ten steps.
    #[must_use]
    pub fn new(lambda: f64) -> Self {
        let (factor, delay, every) = (FACTOR, Self::DELAY, EVERY);
        Self { lambda, factor, delay, every, last_decay: 0, probes: 0, last: None, best: None }
    }

    /// Takes note of a probe at `step` and tells whether λ decayed.
    pub fn note(&mut self, step: u64, probe: Probe) -> bool {
        self.probes += 1;
        let before = self.last.replace(probe);
        let refractory = step as f64 <= self.delay / self.lambda + self.last_decay as f64;
        let stalled = match (before, self.best) {
            (Some(before), Some(best)) if self.probes > 2 => {
                let both = |stalls: &dyn Fn(&Probe) -> bool| stalls(&before) && stalls(&probe);
                both(&|p| p.loss >= best.loss) || both(&|p| p.accuracy <= best.accuracy)
            }
            _ => false,
        };
        if stalled && !refractory {
            self.lambda /= self.factor;
            self.last_decay = step;
            return true;
        }
        if let Some(before) = before {
            let best = self.best.unwrap_or(before);
            self.best = Some(Probe { loss: best.loss.min(before.loss), accuracy: best.accuracy.max(before.accuracy) });
        }
        false
    }
}

impl LambdaSchedule for ReferenceAutoL2 {
    fn lambda(&self, _: &Progress) -> f64 {
        self.lambda
    }

    fn probes_every(&self) -> Option<u64> {
        Some(self.every)
    }

    fn observe(&mut self, now: &Progress, probe: Probe) {
        self.note(now.step, probe);
    }
}

/// AutoL2 on the clock τ. The time since the last decay is cut into stretches, each ending at [`Self::GROWTH`] times the
/// τ at which the one before it ended; when the mean training loss of a stretch is not below that of the stretch before
/// by [`Self::GAIN`], λ decays. Means over stretches take the minibatches' noise out; growing with the time since the
/// decay they see slow progress too, without a scale of their own.
///
/// ```
/// use l2lab_core::train::{AutoL2, Progress, LambdaSchedule, Probe};
///
/// let (mut autol2, mut clock) = (AutoL2::new(0.1), Progress::new(0));
/// for _ in 0..10_000 {
///     let lambda = autol2.lambda(&clock);
///     // A training step with learning rate 0.1 and this λ as weight decay, then:
///     clock.tick(0.1, lambda);
///     autol2.observe(&clock, Probe { loss: 1.0, accuracy: 0.5 });
/// }
/// assert!(autol2.lambda < 0.1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AutoL2 {
    /// λ now.
    pub lambda: f64,
    /// What a decay divides λ by.
    pub factor: f64,
    /// The first stretch after a decay ends when τ has grown by this.
    pub delay: f64,
    /// The least λ.
    pub min: f64,
    /// Steps between probes.
    pub every: u64,
    /// τ at the last decay.
    pub decayed_at: f64,
    /// τ since the last decay at which the present stretch ends.
    pub ends: f64,
    /// Sum of the losses of the present stretch.
    pub sum: f64,
    /// Probes in the present stretch.
    pub probes: u64,
    /// Mean loss of the stretch before.
    pub before: Option<f64>,
}

impl AutoL2 {
    /// Default of `delay`.
    pub const DELAY: f64 = 0.1;
    /// How much later each stretch ends than the one before it.
    pub const GROWTH: f64 = 1.25;
    /// The relative fall of the loss that counts as progress.
    pub const GAIN: f64 = 0.02;
    /// Probes that a stretch has at least.
    pub const LEAST: u64 = 5;

    /// From λ₀ with the defaults.
    #[must_use]
    pub fn new(lambda: f64) -> Self {
        let (factor, delay, every) = (FACTOR, Self::DELAY, EVERY);
        Self { lambda, factor, delay, min: 0.0, every, decayed_at: 0.0, ends: delay, sum: 0.0, probes: 0, before: None }
    }
}

impl LambdaSchedule for AutoL2 {
    fn lambda(&self, _: &Progress) -> f64 {
        self.lambda
    }

    fn probes_every(&self) -> Option<u64> {
        Some(self.every)
    }

    fn observe(&mut self, now: &Progress, probe: Probe) {
        self.sum += probe.loss;
        self.probes += 1;
        let since = now.tau - self.decayed_at;
        if since < self.ends || self.probes < Self::LEAST {
            return;
        }
        let mean = self.sum / self.probes as f64;
        (self.sum, self.probes) = (0.0, 0);
        let stalled = self.before.is_some_and(|before| mean > before * (1.0 - Self::GAIN));
        if stalled && self.lambda > self.min {
            self.lambda = (self.lambda / self.factor).max(self.min);
            (self.decayed_at, self.ends, self.before) = (now.tau, self.delay, None);
        } else {
            (self.ends, self.before) = (since * Self::GROWTH, Some(mean));
        }
    }
}
