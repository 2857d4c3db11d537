//! Loss scaling: f16 has no room for small gradients, so the loss is multiplied by as much as its gradients bear. As in PyTorch's
//! `GradScaler` a step whose gradients overflow is skipped and halves the scale, and many good ones in a row double it; but each
//! run of a stack has its own scale, and all is decided on the device, so that no step waits for it.

use burn::tensor::{Bool, Tensor};

use super::Memory;
use crate::model::{Init, ParamSpec, Precision};

/// The scale that a run starts with.
const START: f32 = 65_536.0;
const GROWTH: f64 = 2.0;
const BACKOFF: f64 = 0.5;
/// Growth ends here, long before infinity, which no backoff leaves.
const MOST: f64 = (1_u128 << 100) as f64;
/// Good steps in a row after which the scale grows.
const INTERVAL: f32 = 2000.0;

/// What is remembered of each run: its scale, its good steps in a row, and how many steps it took. Nothing where the format needs
/// no scale.
pub(super) fn state(precision: Precision) -> Vec<ParamSpec> {
    let number = |name: &str, start| ParamSpec { name: name.into(), shape: vec![1], init: Init::Constant(start) };
    if precision.needs_loss_scale() {
        vec![number("scale", START), number("streak", 0.0), number("taken", 0.0)]
    } else {
        Vec::new()
    }
}

/// The number of steps that each run took, `[runs, 1]`, out of its [`state`]; `None` where no step is ever skipped.
pub(super) fn taken(state: &[Tensor<2>]) -> Option<&Tensor<2>> {
    state.get(2)
}

/// The gradients of the loss itself, `[runs, elements]` each, of those of the scaled one; and the runs, `[runs, 1]`, in which one
/// is infinite or NaN. Their scales follow.
pub(super) fn unscale(grads: Vec<Tensor<2>>, state: &mut [Tensor<2>]) -> (Vec<Tensor<2>>, Skip) {
    let [scale, streak, taken] = state else { unreachable!("the state has three tensors") };
    let grads: Vec<Tensor<2>> = grads.into_iter().map(|g| g / scale.clone()).collect();
    let finite = grads.iter().map(|g| g.clone().is_finite().all_dim(1)).reduce(Tensor::bool_and);
    let skip = Skip(finite.expect("a model has parameters").bool_not());
    let longer = streak.clone().add_scalar(1.0);
    let grows = longer.clone().greater_equal_scalar(INTERVAL);
    let grown = scale.clone().mask_where(grows.clone(), scale.clone().mul_scalar(GROWTH).clamp_max(MOST));
    *scale = skip.keep(scale.clone().mul_scalar(BACKOFF), grown);
    *streak = longer.mask_fill(grows.bool_or(skip.0.clone()), 0.0);
    *taken = skip.keep(taken.clone(), taken.clone().add_scalar(1.0));
    (grads, skip)
}

/// The runs, `[runs, 1]`, that stay as they were before a step.
pub(super) struct Skip(Tensor<2, Bool>);

impl Skip {
    /// `before` of the runs that stay, `after` of the others, both `[runs, elements]`.
    pub fn keep(&self, before: Tensor<2>, after: Tensor<2>) -> Tensor<2> {
        let shape = after.dims();
        after.mask_where(self.0.clone().expand(shape), before)
    }

    /// The same for what an optimizer remembers, which was nothing, and as good as 0, before the first step.
    pub fn keep_memory(&self, before: Memory, after: Memory) -> Memory {
        let each = |before: Option<Tensor<2>>, after: Option<Tensor<2>>| {
            after.map(|after| self.keep(before.unwrap_or_else(|| after.zeros_like()), after))
        };
        Memory { velocity: each(before.velocity, after.velocity), square: each(before.square, after.square) }
    }
}
