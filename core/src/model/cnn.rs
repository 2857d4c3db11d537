//! Convolutional networks: blocks of a 3×3 convolution, optional batch normalization and activation,
//! then one dense layer. R runs are R groups of one grouped convolution.

use burn::tensor::{
    DType, FloatDType, Tensor,
    module::{avg_pool2d, batch_norm, max_pool2d},
    ops::{AvgPoolOptions, MaxPoolOptions},
};

use super::{
    Init, Mode, Model, ModelConfig, Normalization, ParamSpec, Pooling, Readout, activate, bias_scale, cpu,
    fc::{dense, push_bias, push_dense},
    scaled, weight_scale,
};

const KERNEL: usize = 3;
/// Batch normalization's ε and the weight of the newest batch in its running averages (as PyTorch).
const EPSILON: f64 = 1e-5;
const RUNNING: f64 = 0.1;

/// Height or width after block `block` (from 1): every block but the first halves it.
fn shrunk(size: usize, block: usize, pooling: Pooling) -> usize {
    match pooling {
        _ if block == 1 => size,
        Pooling::Stride => size.div_ceil(2),
        // A single pixel cannot be pooled: it stays.
        Pooling::Max | Pooling::Average => (size / 2).max(1),
    }
}

/// Parameters and buffers.
pub(super) fn params(
    config: &ModelConfig,
    [channels, mut height, mut width]: [usize; 3],
    classes: usize,
) -> (Vec<ParamSpec>, Vec<ParamSpec>) {
    let (mut params, mut buffers) = (Vec::new(), Vec::new());
    let mut c_in = channels;
    let c_out = config.width;
    for block in 1..config.depth {
        let name = format!("conv{block}");
        let (init, _) = weight_scale(config, c_in * KERNEL * KERNEL);
        params.push(ParamSpec::new(format!("{name}.weight"), vec![c_out, c_in, KERNEL, KERNEL], init));
        if config.batch_norm {
            // Normalization takes a convolution's bias away again; its shift stands in for it.
            norm_params(&mut params, &mut buffers, &format!("norm{block}"), c_out);
        } else {
            push_bias(&mut params, config, &name, c_out);
        }
        height = shrunk(height, block, config.pooling);
        width = shrunk(width, block, config.pooling);
        c_in = c_out;
    }
    let features = match config.readout {
        Readout::Pool => c_in,
        Readout::Flatten => c_in * height * width,
    };
    push_dense(&mut params, config, "dense", features, classes);
    (params, buffers)
}

/// Multiplications of one example's convolutions.
#[cfg(feature = "full-scale")]
pub(super) fn multiplications(config: &ModelConfig, [channels, mut height, mut width]: [usize; 3]) -> u64 {
    let (mut c_in, mut sum) = (channels, 0);
    for block in 1..config.depth {
        let whole = height * width;
        (height, width) = (shrunk(height, block, config.pooling), shrunk(width, block, config.pooling));
        // Pooling comes after the convolution, a stride within it.
        let pixels = if config.pooling == Pooling::Stride { height * width } else { whole };
        sum += [KERNEL, KERNEL, c_in, config.width, pixels].map(|n| n as u64).iter().product::<u64>();
        c_in = config.width;
    }
    sum
}

/// Scale and shift of a batch normalization, and its running averages.
pub(super) fn norm_params(params: &mut Vec<ParamSpec>, buffers: &mut Vec<ParamSpec>, name: &str, channels: usize) {
    let vector = |part: &str, start| ParamSpec::new(format!("{name}.{part}"), vec![channels], Init::Constant(start));
    params.extend([vector("scale", 1.0), vector("shift", 0.0)]);
    buffers.extend([vector("mean", 0.0), vector("variance", 1.0)]);
}

/// Logits `[runs, batch, classes]` of `x`, `[runs or 1, batch, features]`.
pub(super) fn forward(
    model: &Model,
    params: &[Tensor<2>],
    buffers: &mut [Tensor<2>],
    x: Tensor<3>,
    mode: Mode,
) -> Tensor<3> {
    let config = &model.config;
    let [mut groups, batch, _] = x.dims();
    let runs = params[0].dims()[0];
    let mut layers = model.params.iter().zip(params);
    let mut x = grouped(x, model.input);
    for block in 1..config.depth {
        let (spec, weight) = layers.next().expect("the layout has a weight for every block");
        let (c_out, c_in) = (spec.shape[0], spec.shape[1]);
        let (weight_factor, bias_factor) = (weight_scale(config, c_in * KERNEL * KERNEL).1, bias_scale(config).1);
        let weight = weight.clone().reshape([runs * c_out, c_in, KERNEL, KERNEL]);
        let stride = if config.pooling == Pooling::Stride && block > 1 { 2 } else { 1 };
        let bias = (config.bias && !config.batch_norm).then(|| {
            let (_, bias) = layers.next().expect("the layout has a bias for every block");
            scaled(bias.clone().reshape([runs * c_out]), bias_factor)
        });
        // The scale goes onto the weight here: it is smaller than the convolution's output.
        x = cpu::convolve(x, scaled(weight, weight_factor), bias, stride, groups);
        if config.batch_norm {
            let mut vector = || {
                let (_, t) = layers.next().expect("the layout has scale and shift for every block");
                t.clone().reshape([runs * c_out])
            };
            let (scale, shift) = (vector(), vector());
            let running = &mut buffers[2 * (block - 1)..2 * block];
            x = normalize(x, scale, shift, running, config.normalization, mode);
        }
        x = activate(x, config.activation);
        if block > 1 {
            x = pool(x, config.pooling);
        }
        groups = runs;
    }
    let [_, _, h, w] = x.dims();
    let x = match config.readout {
        Readout::Pool => x.reshape([batch, runs, config.width, h * w]).mean_dim(3),
        Readout::Flatten => x.reshape([batch, runs, config.width * h * w, 1]),
    };
    let features = x.dims()[2];
    dense(config, &mut layers, x.reshape([batch, runs, features]).swap_dims(0, 1))
}

/// Images `[runs or 1, batch, features]` with runs as groups of channels: `[batch, runs·channels, height, width]`. A batch shared by
/// all runs needs no copies: the first convolution is then an ordinary one, with the outputs of all runs.
pub(super) fn grouped(x: Tensor<3>, [channels, height, width]: [usize; 3]) -> Tensor<4> {
    let [sources, batch, _] = x.dims();
    let x = if sources == 1 { x } else { x.swap_dims(0, 1) };
    x.reshape([batch, sources * channels, height, width])
}

fn pool(x: Tensor<4>, pooling: Pooling) -> Tensor<4> {
    let [_, _, h, w] = x.dims();
    let window = [h.min(2), w.min(2)];
    match pooling {
        Pooling::Stride => x,
        Pooling::Max => max_pool2d(x, MaxPoolOptions::new(window)),
        Pooling::Average => avg_pool2d(x, AvgPoolOptions::new(window)),
    }
}

/// Batch normalization over `[batch, runs·channels, height, width]`: channels of different runs never mix.
pub(super) fn normalize(
    x: Tensor<4>,
    scale: Tensor<1>,
    shift: Tensor<1>,
    running: &mut [Tensor<2>],
    normalization: Normalization,
    mode: Mode,
) -> Tensor<4> {
    let format = x.dtype();
    if cfg!(feature = "full-scale") && format != DType::F32 {
        // Statistics of 16 bits would be too coarse.
        let normalized = normalize(x.cast(FloatDType::F32), scale, shift, running, normalization, mode);
        return normalized.cast(format);
    }
    let [batch, channels, h, w] = x.dims();
    if mode == Mode::Test && normalization == Normalization::Running {
        let [mean, variance] = [0, 1].map(|i| running[i].clone().reshape([channels]));
        return batch_norm(x, scale, shift, mean, variance, EPSILON);
    }
    let (normalized, [mean, variance]) = cpu::normalize(x, scale, shift, EPSILON);
    if mode == Mode::Train {
        let n = (batch * h * w) as f64;
        let unbiased = n / (n - 1.0).max(1.0);
        let newest = [mean, variance.mul_scalar(unbiased)];
        for (average, new) in running.iter_mut().zip(newest) {
            let shape = average.dims();
            *average = average.clone().mul_scalar(1.0 - RUNNING) + new.reshape(shape).mul_scalar(RUNNING);
        }
    }
    normalized
}
