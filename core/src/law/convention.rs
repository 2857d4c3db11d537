//! What other frameworks call η and λ, and the clock τ that each of them runs by.

use serde::{Deserialize, Serialize};

use crate::run::effective_lr;

/// Whose optimizer a learning rate and an L2 coefficient are given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Convention {
    /// `torch.optim.SGD(lr, momentum, dampening, weight_decay)`: coupled, this project's own convention.
    #[default]
    PytorchSgd,
    /// AdamW of PyTorch, optax or Keras, and other decoupled decay: θ shrinks by η·λ a step.
    Adamw,
    /// `optax.chain(add_decayed_weights(λ), sgd(η, β))`: coupled.
    Optax,
    /// `keras.regularizers.L2(c)`, which adds `c·θ²` without the ½, under Keras' SGD.
    Keras,
    /// timm's `sgd`: PyTorch's SGD with Nesterov momentum, biases and norms left out of the decay.
    Timm,
    /// The authors' released code (`paper.md` §1): no ½, and the cross-entropy averaged over classes.
    Autol2Code,
}

impl Convention {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::PytorchSgd, Self::Adamw, Self::Optax, Self::Keras, Self::Timm, Self::Autol2Code];

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.name() == name)
    }

    /// The name that flags and files use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PytorchSgd => "pytorch-sgd",
            Self::Adamw => "adamw",
            Self::Optax => "optax",
            Self::Keras => "keras",
            Self::Timm => "timm",
            Self::Autol2Code => "autol2-code",
        }
    }

    /// What is taken for granted about an optimizer of this convention, in a sentence.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::PytorchSgd => {
                "λ is the weight_decay of PyTorch's SGD, added to the gradient before momentum: \
                 τ = η(1−dampening)/(1−β)·λ·t, with Nesterov momentum or without"
            }
            Self::Adamw => {
                "λ is the decoupled weight decay of AdamW (PyTorch, optax, Keras): parameters shrink by ηλ a step, \
                 whatever β1 and β2: τ = ηλt; the paper's law, found with SGD, is taken to hold for it"
            }
            Self::Optax => {
                "λ is optax's add_decayed_weights, chained before sgd: coupled as in PyTorch, τ = η/(1−β)·λ·t"
            }
            Self::Keras => {
                "λ is the c of keras.regularizers.L2(c), which adds c·θ² to the loss, without ½: \
                 τ = η/(1−β)·2c·t; every layer has it"
            }
            Self::Timm => {
                "λ is timm's --weight-decay under its sgd, PyTorch's with Nesterov momentum: τ = η/(1−β)·λ·t; \
                 timm does not decay biases and norms by default, and the paper decays all parameters"
            }
            Self::Autol2Code => {
                "λ is the L2 of the authors' code, which has no ½ and averages the cross-entropy over the C classes: \
                 (η, L2) there is (η/C, 2·C·L2) in PyTorch, so τ = η/(1−β)·2·L2·t, whatever C"
            }
        }
    }

    /// Whether λθ enters the gradient, and with it momentum; otherwise θ shrinks beside the gradient's step.
    #[must_use]
    pub fn is_coupled(self) -> bool {
        self != Self::Adamw
    }
}

/// An optimizer's regularization clock: all of it that τ depends on besides η and λ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clock {
    /// Whose η and λ.
    pub convention: Convention,
    /// Momentum β, from 0 to below 1; enters coupled decay alone.
    pub momentum: f64,
    /// PyTorch's dampening, from 0 to below 1; enters coupled decay alone.
    pub dampening: f64,
}

impl Clock {
    /// The optimizer with this η and λ as PyTorch's SGD without dampening; `None` for decoupled decay, whose η also
    /// goes through Adam. The authors' code needs its number of classes.
    #[must_use]
    pub fn coupled(&self, lr: f64, lambda: f64, classes: Option<usize>) -> Option<CoupledL2> {
        // v ← βv + (1−d)g with d is v ← βv + g at a learning rate of η(1−d).
        let lr = lr * (1.0 - self.dampening);
        match self.convention {
            Convention::Adamw => None,
            Convention::PytorchSgd | Convention::Optax | Convention::Timm => {
                Some(CoupledL2 { lr, weight_decay: lambda })
            }
            // c·θ² has the gradient 2cθ.
            Convention::Keras => Some(CoupledL2 { lr, weight_decay: 2.0 * lambda }),
            Convention::Autol2Code => classes.map(|c| CoupledL2::from_autol2_code(lr, lambda, c)),
        }
    }

    /// τ, in weight-decay e-folds, of this λ over steps whose learning rates η sum to `lr_sum`.
    #[must_use]
    pub fn tau(&self, lambda: f64, lr_sum: f64) -> f64 {
        // The number of classes cancels in η·λ: one class is as good as any.
        match self.coupled(1.0, lambda, Some(1)) {
            Some(coupled) => coupled.tau(self.momentum, lr_sum),
            None => decoupled_tau(1.0, lambda, lr_sum),
        }
    }
}

/// Σ η over the steps of a run whose learning rate was recorded at some of them.
#[derive(Debug, Clone, PartialEq)]
pub struct LrSum {
    /// Time (steps, or epochs), η from there on, and Σ η before it; in order of time.
    pieces: Vec<(f64, f64, f64)>,
}

impl LrSum {
    /// Of one learning rate throughout.
    #[must_use]
    pub fn constant(lr: f64) -> Self {
        Self { pieces: vec![(0.0, lr, 0.0)] }
    }

    /// Of pairs of a time and the η that holds from there to the next; the first η also holds before its time. Times
    /// must not fall. `None` without a pair.
    #[must_use]
    pub fn piecewise(rows: &[(f64, f64)]) -> Option<Self> {
        let mut pieces = vec![(0.0, rows.first()?.1, 0.0)];
        for &(time, lr) in rows {
            let (before, held, sum) = pieces[pieces.len() - 1];
            pieces.push((time, lr, sum + held * (time - before)));
        }
        Some(Self { pieces })
    }

    /// Σ η over the steps up to `time`; per step, or per epoch where times are epochs.
    #[must_use]
    pub fn until(&self, time: f64) -> f64 {
        let next = self.pieces.partition_point(|piece| piece.0 <= time);
        let (from, lr, sum) = self.pieces[next.saturating_sub(1)];
        sum + lr * (time - from)
    }
}

/// Learning rate and weight decay in the convention of PyTorch, Burn and this project:
/// `g ← ∇ℓ + λθ` with ℓ averaged over the batch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CoupledL2 {
    /// Learning rate η.
    pub lr: f64,
    /// L2 coefficient λ (`weight_decay`).
    pub weight_decay: f64,
}

impl CoupledL2 {
    /// From the authors' released code, which has no ½ before λ‖θ‖² and averages the cross-entropy
    /// over classes too: `(η/C, 2·C·L2)`.
    #[must_use]
    pub fn from_autol2_code(lr: f64, l2: f64, classes: usize) -> Self {
        let c = classes as f64;
        Self { lr: lr / c, weight_decay: 2.0 * c * l2 }
    }

    /// To the authors' code: `(η·C, λ/(2·C))`, the inverse of [`Self::from_autol2_code`].
    #[must_use]
    pub fn to_autol2_code(self, classes: usize) -> (f64, f64) {
        let c = classes as f64;
        (self.lr * c, self.weight_decay / (2.0 * c))
    }

    /// τ after `steps` steps with momentum β: `η/(1−β)·λ·t`.
    #[must_use]
    pub fn tau(self, momentum: f64, steps: f64) -> f64 {
        effective_lr(self.lr, momentum) * self.weight_decay * steps
    }
}

/// τ of decoupled decay (AdamW: θ shrinks by η·λ a step): the same clock with β = 0.
#[must_use]
pub fn decoupled_tau(lr: f64, weight_decay: f64, steps: f64) -> f64 {
    lr * weight_decay * steps
}
