//! Wide residual networks (Zagoruyko & Komodakis 2016): three groups of pre-activation blocks of two 3×3 convolutions.
//! R runs are R groups of one grouped convolution, as in the CNN.

use burn::tensor::{Tensor, activation};

use super::{
    Mode, Model, ModelConfig, ParamSpec, Shortcut,
    cnn::{grouped, norm_params, normalize},
    cpu,
    dropout::{Dropout, Keys},
    fc::{dense, push_dense},
    scaled, weight_scale,
};

const KERNEL: usize = 3;
/// Channels of the first convolution; those of the groups are 1, 2 and 4 times as many, times the width.
const STEM: usize = 16;
const GROUPS: usize = 3;
/// Weight layers that are in no block: the first convolution, the dense layer, and two that count as shortcuts.
const OUTSIDE: usize = 4;

/// Blocks in each group; the depth is six times as many, and four more.
fn blocks(config: &ModelConfig) -> usize {
    config.depth.saturating_sub(OUTSIDE) / (2 * GROUPS)
}

/// Whether there is a network of this depth.
#[must_use]
pub(crate) fn has_depth(depth: usize) -> bool {
    depth > OUTSIDE && (depth - OUTSIDE).is_multiple_of(2 * GROUPS)
}

/// One block: its channels, its stride, and its name.
struct Block {
    name: String,
    channels: [usize; 2],
    stride: usize,
}

impl Block {
    /// The blocks of a network, in their order.
    fn all(config: &ModelConfig) -> Vec<Self> {
        let mut c_in = STEM;
        let mut all = Vec::new();
        for group in 0..GROUPS {
            let c_out = STEM.saturating_mul(config.width) << group;
            for block in 0..blocks(config) {
                let stride = if group > 0 && block == 0 { 2 } else { 1 };
                all.push(Self {
                    name: format!("group{}.block{}", group + 1, block + 1),
                    channels: [c_in, c_out],
                    stride,
                });
                c_in = c_out;
            }
        }
        all
    }

    /// Whether what it adds to has other channels or another size than what it reads.
    fn has_shortcut(&self) -> bool {
        self.channels[0] != self.channels[1] || self.stride != 1
    }
}

/// Side of a shortcut's kernel.
fn side(shortcut: Shortcut) -> usize {
    match shortcut {
        Shortcut::One => 1,
        Shortcut::Three => KERNEL,
    }
}

/// Parameters and buffers.
pub(super) fn params(
    config: &ModelConfig,
    [channels, ..]: [usize; 3],
    classes: usize,
) -> (Vec<ParamSpec>, Vec<ParamSpec>) {
    let (mut params, mut buffers) = (Vec::new(), Vec::new());
    let conv = |name: String, [c_in, c_out]: [usize; 2], side: usize| {
        let fan_in = c_in.saturating_mul(side * side);
        ParamSpec::new(format!("{name}.weight"), vec![c_out, c_in, side, side], weight_scale(config, fan_in).0)
    };
    params.push(conv("conv".into(), [channels, STEM], KERNEL));
    let mut last = STEM;
    for block in Block::all(config) {
        let [c_in, c_out] = block.channels;
        norm_params(&mut params, &mut buffers, &format!("{}.norm1", block.name), c_in);
        params.push(conv(format!("{}.conv1", block.name), [c_in, c_out], KERNEL));
        norm_params(&mut params, &mut buffers, &format!("{}.norm2", block.name), c_out);
        params.push(conv(format!("{}.conv2", block.name), [c_out, c_out], KERNEL));
        if block.has_shortcut() {
            params.push(conv(format!("{}.shortcut", block.name), [c_in, c_out], side(config.shortcut)));
        }
        last = c_out;
    }
    norm_params(&mut params, &mut buffers, "norm", last);
    push_dense(&mut params, config, "dense", last, classes);
    (params, buffers)
}

/// What a forward pass goes through: parameters and buffers in their order.
struct Pass<'a> {
    model: &'a Model,
    params: &'a [Tensor<2>],
    buffers: &'a mut [Tensor<2>],
    next: usize,
    next_buffer: usize,
    runs: usize,
    mode: Mode,
    dropout: Option<Keys>,
    /// Blocks gone through.
    layer: usize,
}

impl Pass<'_> {
    fn take(&mut self) -> (&ParamSpec, Tensor<2>) {
        let at = self.next;
        self.next += 1;
        (&self.model.params[at], self.params[at].clone())
    }

    /// The next convolution, in `groups` groups of channels.
    fn convolve(&mut self, x: Tensor<4>, stride: usize, groups: usize) -> Tensor<4> {
        let runs = self.runs;
        let (spec, weight) = self.take();
        let [c_out, c_in, side] = [spec.shape[0], spec.shape[1], spec.shape[2]];
        let factor = weight_scale(&self.model.config, c_in * side * side).1;
        let weight = scaled(weight.reshape([runs * c_out, c_in, side, side]), factor);
        if side == KERNEL {
            cpu::convolve(x, weight, None, stride, groups)
        } else {
            cpu::mix(x, weight, stride, groups)
        }
    }

    /// The next batch normalization, and ReLU after it.
    fn activate(&mut self, x: Tensor<4>) -> Tensor<4> {
        let channels = x.dims()[1];
        let [scale, shift] = [0, 1].map(|_| self.take().1.reshape([channels]));
        let running = &mut self.buffers[self.next_buffer..self.next_buffer + 2];
        self.next_buffer += 2;
        activation::relu(normalize(x, scale, shift, running, self.model.config.normalization, self.mode))
    }

    fn block(&mut self, x: Tensor<4>, block: &Block) -> Tensor<4> {
        let runs = self.runs;
        let active = self.activate(x.clone());
        let y = self.convolve(active.clone(), block.stride, runs);
        let mut y = self.activate(y);
        if let Some(dropout) = &self.dropout {
            y = dropout.apply(y, self.layer);
        }
        self.layer += 1;
        let y = self.convolve(y, 1, runs);
        // What changes its channels goes on from the activation, as in the original.
        if block.has_shortcut() { y + self.convolve(active, block.stride, runs) } else { y + x }
    }
}

/// Logits `[runs, batch, classes]` of `x`, `[runs or 1, batch, features]`.
pub(super) fn forward(
    model: &Model,
    params: &[Tensor<2>],
    buffers: &mut [Tensor<2>],
    x: Tensor<3>,
    mode: Mode,
    dropout: Option<Dropout>,
) -> Tensor<3> {
    let config = &model.config;
    let [sources, batch, _] = x.dims();
    let runs = params[0].dims()[0];
    let blocks = Block::all(config);
    let dropout = dropout.map(|dropout| dropout.on(blocks.len(), &x.device()));
    let mut pass = Pass { model, params, buffers, next: 0, next_buffer: 0, runs, mode, dropout, layer: 0 };
    let mut x = pass.convolve(grouped(x, model.input), 1, sources);
    for block in &blocks {
        x = pass.block(x, block);
    }
    let x = pass.activate(x);
    let [_, c, h, w] = x.dims();
    let features = x.reshape([batch, runs, c / runs, h * w]).mean_dim(3).reshape([batch, runs, c / runs]);
    let mut rest = model.params.iter().zip(params).skip(pass.next);
    dense(config, &mut rest, features.swap_dims(0, 1))
}

/// The largest number of values per example between two layers.
pub(super) fn activation_size(config: &ModelConfig, [_, height, width]: [usize; 3]) -> usize {
    height * width * STEM.saturating_mul(config.width)
}

/// The blocks, and how many pixels each leaves of an image.
fn sized(config: &ModelConfig, [_, mut height, mut width]: [usize; 3]) -> impl Iterator<Item = (Block, usize)> {
    Block::all(config).into_iter().map(move |block| {
        (height, width) = (height.div_ceil(block.stride), width.div_ceil(block.stride));
        (block, height * width)
    })
}

/// Multiplications of one example's convolutions.
pub(super) fn multiplications(config: &ModelConfig, input: [usize; 3]) -> u64 {
    let of = |c_in: usize, c_out: usize, side: usize, pixels: usize| {
        [side, side, c_in, c_out, pixels].map(|n| n as u64).iter().product::<u64>()
    };
    let mut sum = of(input[0], STEM, KERNEL, input[1] * input[2]);
    for (block, pixels) in sized(config, input) {
        let [c_in, c_out] = block.channels;
        sum += of(c_in, c_out, KERNEL, pixels) + of(c_out, c_out, KERNEL, pixels);
        if block.has_shortcut() {
            sum += of(c_in, c_out, side(config.shortcut), pixels);
        }
    }
    sum
}

/// Tensors as large as a block's output that its backward pass needs, found by measuring a CPU's memory.
const KEPT: usize = 7;

/// Values that a training step keeps of one example for its backward pass.
pub(super) fn kept(config: &ModelConfig, input: [usize; 3]) -> usize {
    let outputs = sized(config, input).map(|(block, pixels)| block.channels[1].saturating_mul(pixels));
    outputs.fold(STEM * input[1] * input[2], usize::saturating_add).saturating_mul(KEPT)
}
