//! Loss scaling for f16. Small gradients are rounded to 0 in f16, so the loss is multiplied by a large number, its scale,
//! before gradients are computed, and the gradients are divided by it afterwards.
//!
//! The scale is found as by PyTorch's `GradScaler`: a step with a gradient that is infinite or NaN is skipped and halves
//! the scale, and 2000 steps in a row without such a gradient double it. Unlike there, each run of a stack has its own
//! scale, and the device alone decides which runs skip a step, so the host does not wait for an answer at every step.

use burn::tensor::{Bool, Tensor};

use super::Memory;
use crate::model::{Init, ParamSpec, Precision};

/// The scale that a run starts with.
const START: f32 = 65_536.0;
/// The scale is multiplied by this to grow.
const GROWTH: f64 = 2.0;
/// The scale is multiplied by this after a skipped step.
const BACKOFF: f64 = 0.5;
/// The largest scale that growth leads to. Without a limit, a run whose gradients are all 0 would double its scale to
/// infinity, and half of infinity is infinity again: every later step would be skipped.
const MOST: f64 = (1_u128 << 100) as f64;
/// The scale grows after this number of steps in a row of which none was skipped.
const INTERVAL: f32 = 2000.0;

/// What is remembered of each run, as tensors `[runs, 1]`: its scale; its streak, which is the number of steps that it
/// took since it last skipped one or its scale last grew; and the number of all the steps that it took. There is nothing
/// to remember where the number format needs no scale.
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

/// Divides gradients of the scaled loss, `[runs, elements]` each, by the scale. Returns them with the runs that skip this step
/// because one of their gradients is infinite or NaN, and updates the state.
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

/// The runs that skip a step and stay as they were before it: true in `[runs, 1]`.
pub(super) struct Skip(Tensor<2, Bool>);

impl Skip {
    /// Rows of `before` where a run skips the step and of `after` where it takes it, all `[runs, elements]`.
    pub fn keep(&self, before: Tensor<2>, after: Tensor<2>) -> Tensor<2> {
        let shape = after.dims();
        after.mask_where(self.0.clone().expand(shape), before)
    }

    /// The same for what an optimizer remembers. Before the first step that is nothing, for which zeros stand: the optimizers
    /// begin their averages at 0.
    pub fn keep_memory(&self, before: Memory, after: Memory) -> Memory {
        let each = |before: Option<Tensor<2>>, after: Option<Tensor<2>>| {
            after.map(|after| self.keep(before.unwrap_or_else(|| after.zeros_like()), after))
        };
        Memory { velocity: each(before.velocity, after.velocity), square: each(before.square, after.square) }
    }
}
