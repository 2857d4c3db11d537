//! Convolution and batch normalization on Burn's CPU backend, flex, by hand: several times faster than its own.
//! Other devices keep what Burn has.

mod convolution;
mod normalization;
mod parallel;

use burn::{
    backend::{
        Autodiff, Flex,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::NoCheckpointing},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind},
        },
        tensor::FloatTensor,
    },
    tensor::{
        DType, Shape, Tensor, TensorData,
        module::{batch_norm_train, conv2d},
        ops::ConvOptions,
    },
};

use crate::device::is_flex;
use convolution::Convolution;
use normalization::Normalization;

/// A 3×3 convolution with a padding of 1 of `x`, `[images, groups·channels, height, width]`, by `weight`,
/// `[groups·outputs, channels, 3, 3]`, plus `bias`, `[groups·outputs]`. The stride is 1 or 2.
pub(super) fn convolve(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    stride: usize,
    groups: usize,
) -> Tensor<4> {
    if !on_flex(&x) {
        return conv2d(x, weight, bias, ConvOptions::new([stride; 2], [1; 2], [1; 2], groups));
    }
    let [images, _, height, width] = x.dims();
    let [outputs, channels, ..] = weight.dims();
    let convolution =
        Convolution { images, groups, channels: [channels, outputs / groups], size: [height, width], stride };
    let [height, width] = convolution.output();
    let bias = bias.unwrap_or_else(|| Tensor::zeros([outputs], &x.device()));
    let inputs = Inputs::new(x, weight, bias);
    let [x, weight, bias] = inputs.values.each_ref().map(slice);
    let output = tensor(convolution.forward(x, weight, bias), [images, outputs, height, width]);
    inputs.record(Operation::Convolution(convolution), output)
}

/// A 1×1 convolution of `x`, `[images, groups·channels, height, width]`, by `weight`, `[groups·outputs, channels, 1, 1]`.
#[cfg(feature = "full-scale")]
pub(super) fn mix(x: Tensor<4>, weight: Tensor<4>, stride: usize, groups: usize) -> Tensor<4> {
    if !on_flex(&x) {
        return conv2d(x, weight, None, ConvOptions::new([stride; 2], [0; 2], [1; 2], groups));
    }
    let step = stride as isize;
    let x = if stride == 1 { x } else { x.slice(burn::tensor::s![.., .., 0..;step, 0..;step]) };
    let ([images, _, height, width], [outputs, channels, ..]) = (x.dims(), weight.dims());
    let x = x.reshape([images, groups, channels, height * width]);
    let weight = weight.reshape([1, groups, outputs / groups, channels]);
    weight.matmul(x).reshape([images, outputs, height, width])
}

/// Batch normalization of `x`, `[images, channels, height, width]`, with the batch's own statistics, times `scale` plus
/// `shift`, both `[channels]`. With it come the mean and the biased variance, `[channels]`, without gradients.
pub(super) fn normalize(x: Tensor<4>, scale: Tensor<1>, shift: Tensor<1>, epsilon: f64) -> (Tensor<4>, [Tensor<1>; 2]) {
    if !on_flex(&x) {
        let normalized = batch_norm_train(x, scale, shift, epsilon);
        return (normalized.output, [normalized.mean.inner(), normalized.variance.inner()]);
    }
    let (shape, device) = (x.dims(), x.device().inner());
    let [images, channels, height, width] = shape;
    let inputs = Inputs::new(x, scale, shift);
    let [x, scale, shift] = inputs.values.each_ref().map(slice);
    let normalization = Normalization::of(x, [images, channels, height * width], epsilon);
    let statistics = [0, 1].map(|i| {
        let values: Vec<f32> = normalization.statistics.iter().map(|s| s[i]).collect();
        Tensor::from_data(TensorData::new(values, [channels]), &device)
    });
    let output = tensor(normalization.forward(x, scale, shift), shape);
    (inputs.record(Operation::Normalization(normalization), output), statistics)
}

/// Whether what is made by hand here takes `x`: a tensor of flex, in single precision.
fn on_flex(x: &Tensor<4>) -> bool {
    !(cfg!(feature = "full-scale") && x.dtype() != DType::F32) && is_flex(&x.device())
}

/// A tensor's memory, in flex.
type Values = FloatTensor<Flex>;
/// The same in a graph that gradients flow through.
type Node = FloatTensor<Autodiff<Flex>>;

fn slice(values: &Values) -> &[f32] {
    values.as_slice().expect("single precision, and contiguous")
}

fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> Values {
    Values::from_data(TensorData::new(values, shape.into()))
}

/// What an operation reads: a batch of images, a factor and a summand.
struct Inputs {
    tensors: [Node; 3],
    values: [Values; 3],
    autodiff: bool,
}

impl Inputs {
    fn new<const D: usize>(x: Tensor<4>, factor: Tensor<D>, summand: Tensor<1>) -> Self {
        let autodiff = x.is_autodiff() || factor.is_autodiff() || summand.is_autodiff();
        let tensors = [lower(x), lower(factor), lower(summand)];
        let values = tensors.each_ref().map(|t| t.primitive().to_contiguous());
        Self { tensors, values, autodiff }
    }

    /// The output of an operation on them, with the way back if a gradient may be wanted.
    fn record(self, operation: Operation, output: Values) -> Tensor<4> {
        let nodes = self.tensors.each_ref().map(Node::node);
        let output = match operation.prepare::<NoCheckpointing>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(step) => step.finish(self.values, output),
            OpsKind::UnTracked(step) => step.finish(output),
        };
        let output = Tensor::from_primitive::<Autodiff<Flex>>(output);
        if self.autodiff { output } else { output.inner() }
    }
}

fn lower<const D: usize>(tensor: Tensor<D>) -> Node {
    tensor.autodiff().try_into_primitive::<Autodiff<Flex>>().expect("a tensor of flex, without checkpoints")
}

/// What was done with the [`Inputs`].
#[derive(Debug)]
enum Operation {
    Convolution(Convolution),
    Normalization(Normalization),
}

impl Backward<Flex, 3> for Operation {
    type State = [Values; 3];

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let gradient = slice(&gradient);
        let [x, factor, _] = ops.state.each_ref().map(slice);
        let gradients = match self {
            Self::Convolution(c) => {
                let [weight, bias] = c.parameter_gradients(x, gradient);
                // The first convolution's input, the images, has no gradient.
                let x = ops.parents[0].as_ref().map_or_else(Vec::new, |_| c.input_gradient(factor, gradient));
                [x, weight, bias]
            }
            Self::Normalization(n) => n.gradients(x, factor, gradient),
        };
        for ((parent, values), input) in ops.parents.iter().zip(gradients).zip(&ops.state) {
            if let Some(parent) = parent {
                grads.register::<Flex>(parent.id, tensor(values, input.layout().shape().clone()));
            }
        }
    }
}
