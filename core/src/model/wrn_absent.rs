//! In place of Wide ResNets, for builds without them: [`Experiment::validate`](crate::Experiment::validate) refuses them.

use burn::tensor::Tensor;

use super::{Mode, Model, ModelConfig, ParamSpec, dropout::Dropout};

pub(crate) fn has_depth(_: usize) -> bool {
    false
}

pub(super) fn params(_: &ModelConfig, _: [usize; 3], _: usize) -> (Vec<ParamSpec>, Vec<ParamSpec>) {
    (Vec::new(), Vec::new())
}

pub(super) fn forward(
    _: &Model,
    _: &[Tensor<2>],
    _: &mut [Tensor<2>],
    x: Tensor<3>,
    _: Mode,
    _: Option<Dropout>,
) -> Tensor<3> {
    x
}

pub(super) fn activation_size(_: &ModelConfig, _: [usize; 3]) -> usize {
    0
}
