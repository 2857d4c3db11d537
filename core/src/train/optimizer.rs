//! Optimizers with coupled L2 or decoupled weight decay, one η and one λ per run.

use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

/// Which update, and how λ enters it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum OptimizerKind {
    /// The paper's: `g ← ∇ℓ + λθ; v ← βv + g; θ ← θ − ηv`, without dampening.
    Sgd,
    /// As SGD, with the step `g + βv` (PyTorch's Nesterov).
    Nesterov,
    /// SGD on ∇ℓ alone and decoupled decay: `θ ← θ − ηλθ − ηv`.
    Sgdw,
    /// Adam on `∇ℓ + λθ`.
    Adam,
    /// Adam on ∇ℓ alone and decoupled decay.
    Adamw,
}

impl OptimizerKind {
    /// The rate at which regularization time passes per step and λ, in which a weight that no gradient holds decays as
    /// e^(−τ): η/(1−β) where L2 goes through momentum, η where decay is decoupled. For [`Self::Adam`], which scales
    /// λθ by the gradient's history, η is a convention and no e-fold.
    #[must_use]
    pub fn effective_lr(self, lr: f64, momentum: f64) -> f64 {
        match self {
            Self::Sgd | Self::Nesterov => crate::run::effective_lr(lr, momentum),
            Self::Sgdw | Self::Adam | Self::Adamw => lr,
        }
    }

    /// Whether it is a variant of Adam, which has β₁ and β₂ in place of β.
    #[must_use]
    pub fn is_adam(self) -> bool {
        matches!(self, Self::Adam | Self::Adamw)
    }

    fn is_decoupled(self) -> bool {
        matches!(self, Self::Sgdw | Self::Adamw)
    }
}

/// What λ acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Decayed {
    /// Every parameter, as in the paper.
    All,
    /// Weights alone: no biases, no scales and shifts of a normalization.
    Weights,
}

/// Adam's β₁, β₂ and ε, as everyone's defaults have them.
const BETAS: [f64; 2] = [0.9, 0.999];
const EPSILON: f64 = 1e-8;

/// One number for every run of a stack: a scalar where they agree, else `[runs, 1]` on the device.
#[derive(Debug, Clone)]
struct PerRun {
    values: Vec<f64>,
    column: Option<Tensor<2>>,
}

impl PerRun {
    /// From one value per run.
    fn new(values: Vec<f64>, device: &Device) -> Self {
        assert!(!values.is_empty(), "a stack has at least one run");
        let same = values.iter().all(|v| v.to_bits() == values[0].to_bits());
        let column = (!same).then(|| {
            let data: Vec<f32> = values.iter().map(|&v| v as f32).collect();
            Tensor::from_data(TensorData::new(data, [values.len(), 1]), device)
        });
        Self { values, column }
    }

    /// Each run's row of `x`, `[runs, elements]`, times its number.
    fn times(&self, x: Tensor<2>) -> Tensor<2> {
        match &self.column {
            None => x.mul_scalar(self.values[0]),
            Some(column) => x * column.clone(),
        }
    }

    fn is_zero(&self) -> bool {
        self.values.iter().all(|&v| v == 0.0)
    }
}

/// The update of one step.
///
/// η and λ are given anew at each step, so they may change at any time; what the optimizer remembers stays as it is.
#[derive(Debug, Clone)]
pub struct Optimizer {
    kind: OptimizerKind,
    lr: PerRun,
    /// λ where it is coupled, ηλ where it is decoupled.
    decay: PerRun,
    momentum: PerRun,
}

/// What an optimizer remembers of one parameter, tensors `[runs, elements]`: nothing before the first step.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// Velocity v, or Adam's first moment.
    pub velocity: Option<Tensor<2>>,
    /// Adam's second moment.
    pub square: Option<Tensor<2>>,
}

/// What Adam divides its moments by. A moment is an average that began at 0, so after t steps it holds only 1 − β^t of the
/// weight of a whole average.
#[derive(Debug, Clone)]
pub enum BiasCorrection {
    /// 1 − β₁^t and 1 − β₂^t of every run.
    Shared([f64; 2]),
    /// The same of each run, `[runs, 1]`, where runs differ in the steps that they took.
    PerRun(Box<[Tensor<2>; 2]>),
}

impl BiasCorrection {
    /// For step `step`, counted from 1, of every run.
    #[must_use]
    pub fn shared(step: u64) -> Self {
        let step = i32::try_from(step).unwrap_or(i32::MAX);
        Self::Shared(BETAS.map(|beta| 1.0 - beta.powi(step)))
    }

    /// For the steps that each run took, the coming one included: `taken` is `[runs, 1]`. A run that took none has no moments
    /// to correct, and its correction is 0.
    #[must_use]
    pub fn per_run(taken: &Tensor<2>) -> Self {
        Self::PerRun(Box::new(BETAS.map(|beta| {
            // With h = tanh(x/2), 1 − e^x is −2h/(1 − h), which keeps the digits that 1 − e^x loses where x is small.
            let h = taken.clone().mul_scalar(0.5 * beta.ln()).tanh();
            h.clone().mul_scalar(-2.0) / h.neg().add_scalar(1.0)
        })))
    }

    /// The two moments, `[runs, elements]`, corrected.
    fn correct(&self, [velocity, square]: [Tensor<2>; 2]) -> [Tensor<2>; 2] {
        match self {
            Self::Shared([first, second]) => [velocity.div_scalar(*first), square.div_scalar(*second)],
            Self::PerRun(each) => {
                let [first, second] = each.as_ref().clone();
                [velocity / first, square / second]
            }
        }
    }
}

impl Optimizer {
    /// With η, λ and β of each run for the coming step.
    ///
    /// # Panics
    /// When there is no run.
    #[must_use]
    pub fn new(kind: OptimizerKind, lr: &[f64], lambda: &[f64], momentum: &[f64], device: &Device) -> Self {
        let decay = if kind.is_decoupled() {
            lr.iter().zip(lambda).map(|(lr, lambda)| lr * lambda).collect()
        } else {
            lambda.to_vec()
        };
        let [lr, decay, momentum] = [lr.to_vec(), decay, momentum.to_vec()].map(|values| PerRun::new(values, device));
        Self { kind, lr, decay, momentum }
    }

    /// A step of one parameter θ with gradient `grad`, tensors `[runs, elements]`; λ acts on it if `decays`. Adam alone uses
    /// the `correction`, which is that of this step.
    #[must_use]
    pub fn update(
        &self,
        theta: Tensor<2>,
        grad: Tensor<2>,
        memory: Memory,
        decays: bool,
        correction: &BiasCorrection,
    ) -> (Tensor<2>, Memory) {
        let shrink = (decays && !self.decay.is_zero()).then(|| self.decay.times(theta.clone()));
        let (grad, theta) = match shrink {
            Some(shrink) if self.kind.is_decoupled() => (grad, theta - shrink),
            Some(shrink) => (grad + shrink, theta),
            None => (grad, theta),
        };
        let (step, memory) =
            if self.kind.is_adam() { adam(grad, memory, correction) } else { self.descend(grad, memory.velocity) };
        (theta - self.lr.times(step), memory)
    }

    /// The step of SGD, to be multiplied by η.
    fn descend(&self, grad: Tensor<2>, velocity: Option<Tensor<2>>) -> (Tensor<2>, Memory) {
        if self.momentum.is_zero() {
            return (grad, Memory::default());
        }
        let nesterov = (self.kind == OptimizerKind::Nesterov).then(|| grad.clone());
        let velocity = match velocity {
            Some(velocity) => self.momentum.times(velocity) + grad,
            None => grad,
        };
        let step = match nesterov {
            Some(grad) => grad + self.momentum.times(velocity.clone()),
            None => velocity.clone(),
        };
        (step, Memory { velocity: Some(velocity), square: None })
    }
}

/// The step of Adam, to be multiplied by η.
fn adam(grad: Tensor<2>, memory: Memory, correction: &BiasCorrection) -> (Tensor<2>, Memory) {
    let average = |beta: f64, old: Option<Tensor<2>>, new: Tensor<2>| {
        let new = new.mul_scalar(1.0 - beta);
        old.map_or(new.clone(), |old| old.mul_scalar(beta) + new)
    };
    let velocity = average(BETAS[0], memory.velocity, grad.clone());
    let square = average(BETAS[1], memory.square, grad.clone() * grad);
    let [first, second] = correction.correct([velocity.clone(), square.clone()]);
    (first / second.sqrt().add_scalar(EPSILON), Memory { velocity: Some(velocity), square: Some(square) })
}
