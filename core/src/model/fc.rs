//! Fully connected networks; with one layer, the linear model.

use burn::tensor::Tensor;

use super::{Init, ModelConfig, ParamSpec, activate, bias_scale, scaled, weight_scale};

/// Weights `[in, out]` and biases `[out]`, layer by layer.
pub(super) fn params(config: &ModelConfig, input: [usize; 3], classes: usize) -> Vec<ParamSpec> {
    let mut params = Vec::new();
    let mut fan_in = input.iter().product();
    for layer in 1..=config.depth {
        let out = if layer == config.depth { classes } else { config.width };
        push_dense(&mut params, config, &format!("layer{layer}"), fan_in, out);
        fan_in = out;
    }
    params
}

/// Adds one dense layer's weight `[in, out]` and, if there are biases, bias `[out]`.
pub(super) fn push_dense(params: &mut Vec<ParamSpec>, config: &ModelConfig, name: &str, fan_in: usize, out: usize) {
    let (init, _) = weight_scale(config, fan_in);
    params.push(ParamSpec::new(format!("{name}.weight"), vec![fan_in, out], init));
    push_bias(params, config, name, out);
}

/// Adds a layer's bias if there are biases.
pub(super) fn push_bias(params: &mut Vec<ParamSpec>, config: &ModelConfig, name: &str, out: usize) {
    if config.bias {
        let init: Init = bias_scale(config).0;
        params.push(ParamSpec::new(format!("{name}.bias"), vec![out], init));
    }
}

/// Logits `[runs, batch, classes]` of `x`, `[runs or 1, batch, features]`.
pub(super) fn forward(config: &ModelConfig, specs: &[ParamSpec], params: &[Tensor<2>], x: Tensor<3>) -> Tensor<3> {
    let mut layers = specs.iter().zip(params);
    let mut x = x;
    for layer in 1..=config.depth {
        x = dense(config, &mut layers, x);
        if layer < config.depth {
            x = activate(x, config.activation);
        }
    }
    x
}

/// One dense layer: takes its weight and bias off `layers`.
pub(super) fn dense<'a>(
    config: &ModelConfig,
    layers: &mut impl Iterator<Item = (&'a ParamSpec, &'a Tensor<2>)>,
    x: Tensor<3>,
) -> Tensor<3> {
    let (spec, weight) = layers.next().expect("the layout has a weight for every layer");
    let [runs, _] = weight.dims();
    let (fan_in, out) = (spec.shape[0], spec.shape[1]);
    let weight = weight.clone().reshape([runs, fan_in, out]);
    let y = scaled(x.matmul(weight), weight_scale(config, fan_in).1);
    if !config.bias {
        return y;
    }
    let (_, bias) = layers.next().expect("the layout has a bias for every layer");
    y + scaled(bias.clone().reshape([runs, 1, out]), bias_scale(config).1)
}
