//! What learns: linear, fully connected and convolutional networks, R independent runs at a time.
//!
//! A [`Model`] is a description, not a bag of weights: it lists its parameters and computes logits
//! from parameters given to it. Every parameter of R runs is one tensor `[runs, elements]`, so the
//! optimizer, the norm and a snapshot treat all of them alike, and a single run is R = 1.

mod cnn;
mod config;
mod cpu;
#[cfg_attr(not(feature = "full-scale"), expect(dead_code, reason = "only Wide ResNets have dropout"))]
mod dropout;
mod fc;
mod tangent;
#[cfg_attr(not(feature = "full-scale"), path = "wrn_absent.rs")]
mod wrn;

pub use config::{
    Activation, ModelConfig, ModelKind, Normalization, Parameterization, Pooling, Precision, Readout, Shortcut,
};

pub(crate) use wrn::has_depth as is_wrn_depth;

use burn::tensor::{Device, FloatDType, Tensor, TensorData, activation};
use rand_distr::{Distribution, StandardNormal};

use crate::random::{Stream, stream};

use dropout::Dropout;

/// How a parameter starts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// Independent normals with this standard deviation.
    Normal(f32),
    /// One value everywhere.
    Constant(f32),
}

/// One parameter (or buffer) of a single run.
#[derive(Debug, Clone, PartialEq)]
pub struct ParamSpec {
    /// Its name, such as `layer1.weight`.
    pub name: String,
    /// Its shape in one run; weights are `[in, out]` or `[out, in, 3, 3]`.
    pub shape: Vec<usize>,
    /// How it starts.
    pub init: Init,
}

impl ParamSpec {
    fn new(name: String, shape: Vec<usize>, init: Init) -> Self {
        Self { name, shape, init }
    }

    /// Whether it multiplies what a layer reads: no bias, no scale or shift of a normalization.
    #[must_use]
    pub fn is_weight(&self) -> bool {
        self.shape.len() > 1
    }

    /// Whether it is the scale or the shift of a normalization.
    fn is_of_normalization(&self) -> bool {
        matches!(self.name.rsplit_once('.'), Some((_, "scale" | "shift")))
    }

    /// Number of values in one run.
    #[must_use]
    pub fn elements(&self) -> usize {
        // A browser counts to 2^32: what is beyond is refused for its size, not taken for the remainder.
        self.shape.iter().fold(1, |n: usize, &m| n.saturating_mul(m))
    }
}

/// Whether the statistics of batch normalization are being learned or used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Normalize with the batch and update the running averages.
    Train,
    /// Normalize as the configuration says; change nothing.
    Test,
}

/// A network's architecture for images of one shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    config: ModelConfig,
    input: [usize; 3],
    classes: usize,
    params: Vec<ParamSpec>,
    buffers: Vec<ParamSpec>,
}

impl Model {
    /// The model of `config` for images `[channels, height, width]` and `classes` outputs.
    #[must_use]
    pub fn new(config: ModelConfig, input: [usize; 3], classes: usize) -> Self {
        let (params, buffers) = match config.kind {
            ModelKind::Linear | ModelKind::Fc => (fc::params(&config, input, classes), Vec::new()),
            ModelKind::Cnn => cnn::params(&config, input, classes),
            ModelKind::Wrn => wrn::params(&config, input, classes),
        };
        Self { config, input, classes, params, buffers }
    }

    /// The architecture.
    #[must_use]
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// The trained parameters, in the order that [`Self::forward`] takes them.
    #[must_use]
    pub fn params(&self) -> &[ParamSpec] {
        &self.params
    }

    /// State that is not trained: running statistics of batch normalization.
    #[must_use]
    pub fn buffers(&self) -> &[ParamSpec] {
        &self.buffers
    }

    /// Trained values of one run.
    #[must_use]
    pub fn parameter_count(&self) -> usize {
        self.params.iter().map(ParamSpec::elements).fold(0, usize::saturating_add)
    }

    /// The degree k with `f_{αθ}(x) = α^k f_θ(x)` for α > 0, or `None` if there is none
    /// (the paper's k-homogeneous networks). One layer is linear in its parameters, biases included: k = 1. In deeper
    /// networks biases break homogeneity (unless NTK parameterization multiplies them by σ_b = 0), and so does a hidden
    /// activation other than ReLU and the identity. Batch normalization (up to its ε, with the batch's own statistics) forgets the scale
    /// of all that comes before it: its last scale and shift and the dense layer leave k = 2.
    #[must_use]
    pub fn homogeneity(&self) -> Option<usize> {
        let c = &self.config;
        let biases = c.bias && (c.b_std > 0.0 || c.parameterization == Parameterization::Standard);
        let positive = matches!(c.activation, Activation::Relu | Activation::Linear);
        match c.depth {
            1 => Some(1),
            _ if biases || !positive => None,
            // Of width 1 the first blocks add what has been scaled twice to what has been scaled once.
            _ if c.kind == ModelKind::Wrn => (c.width > 1).then_some(2),
            _ if c.batch_norm => Some(2),
            depth => Some(depth),
        }
    }

    /// Initial parameters, one run for each seed: tensors `[runs, elements]`.
    ///
    /// Drawn on the host, so every device starts from the same numbers.
    #[must_use]
    pub fn init(&self, seeds: &[u64], device: &Device) -> Vec<Tensor<2>> {
        Self::draw(&self.params, seeds, device)
    }

    /// Initial buffers, `[runs, elements]`.
    #[must_use]
    pub fn init_buffers(&self, runs: usize, device: &Device) -> Vec<Tensor<2>> {
        Self::draw(&self.buffers, &vec![0; runs], device)
    }

    /// What `specs` start with, `[runs, elements]` each.
    pub(crate) fn draw(specs: &[ParamSpec], seeds: &[u64], device: &Device) -> Vec<Tensor<2>> {
        let tensor = |(i, spec): (usize, &ParamSpec)| {
            let n = spec.elements();
            let mut values = Vec::with_capacity(seeds.len() * n);
            for &seed in seeds {
                match spec.init {
                    Init::Constant(c) => values.extend(std::iter::repeat_n(c, n)),
                    Init::Normal(std) => {
                        let rng = stream(seed, Stream::Init, i as u64);
                        let draws: rand_distr::Iter<StandardNormal, _, f32> = StandardNormal.sample_iter(rng);
                        values.extend(draws.take(n).map(|z| std * z));
                    }
                }
            }
            Tensor::from_data(TensorData::new(values, [seeds.len(), n]), device)
        };
        specs.iter().enumerate().map(tensor).collect()
    }

    /// Logits `[runs, batch, classes]` of `x`, `[runs or 1, batch, features]` (1: shared by all runs).
    ///
    /// `params` and `buffers` are tensors `[runs, elements]` in the order of [`Self::params`] and
    /// [`Self::buffers`]. In [`Mode::Train`] the buffers are updated in place.
    #[must_use]
    pub fn forward(&self, params: &[Tensor<2>], buffers: &mut [Tensor<2>], x: Tensor<3>, mode: Mode) -> Tensor<3> {
        self.pass(params, buffers, x, mode, None)
    }

    /// [`Self::forward`] in [`Mode::Train`] for a training step, after `step` others: with dropout, drawn for each run's seed.
    #[must_use]
    pub fn forward_step(
        &self,
        params: &[Tensor<2>],
        buffers: &mut [Tensor<2>],
        x: Tensor<3>,
        seeds: &[u64],
        step: u64,
    ) -> Tensor<3> {
        let share = self.config.dropout;
        let dropout = (cfg!(feature = "full-scale") && share > 0.0).then_some(Dropout { seeds, step, share });
        self.pass(params, buffers, x, Mode::Train, dropout)
    }

    /// A forward pass in the network's number format.
    fn pass(
        &self,
        params: &[Tensor<2>],
        buffers: &mut [Tensor<2>],
        x: Tensor<3>,
        mode: Mode,
        dropout: Option<Dropout>,
    ) -> Tensor<3> {
        let Some(format) = self.config.precision.reduced() else {
            return self.logits(params, buffers, x, mode, dropout);
        };
        let cast = |(spec, param): (&ParamSpec, &Tensor<2>)| {
            if spec.is_of_normalization() { param.clone() } else { param.clone().cast(format) }
        };
        let params: Vec<Tensor<2>> = self.params.iter().zip(params).map(cast).collect();
        self.logits(&params, buffers, x.cast(format), mode, dropout).cast(FloatDType::F32)
    }

    fn logits(
        &self,
        params: &[Tensor<2>],
        buffers: &mut [Tensor<2>],
        x: Tensor<3>,
        mode: Mode,
        dropout: Option<Dropout>,
    ) -> Tensor<3> {
        match self.config.kind {
            ModelKind::Linear | ModelKind::Fc => fc::forward(&self.config, &self.params, params, x),
            ModelKind::Cnn => cnn::forward(self, params, buffers, x, mode),
            ModelKind::Wrn => wrn::forward(self, params, buffers, x, mode, dropout),
        }
    }

    /// Multiplications of one example's forward pass in convolutions and dense layers; a backward pass has twice as many.
    #[cfg(feature = "full-scale")]
    #[must_use]
    pub fn multiplications(&self) -> u64 {
        let convolutions = match self.config.kind {
            ModelKind::Linear | ModelKind::Fc => 0,
            ModelKind::Cnn => cnn::multiplications(&self.config, self.input),
            ModelKind::Wrn => wrn::multiplications(&self.config, self.input),
        };
        let dense = self.params.iter().filter(|spec| spec.shape.len() == 2);
        convolutions + dense.map(|spec| spec.elements() as u64).sum::<u64>()
    }

    /// Bytes that a training step of one run takes beside the data: weights, gradients and velocities, and what the backward pass
    /// needs of a batch. `None` where it is so little that nobody has to know.
    #[cfg(feature = "full-scale")]
    #[must_use]
    pub fn training_bytes(&self, batch: usize) -> Option<usize> {
        const COPIES: usize = 4;
        let value = size_of::<f32>();
        // Formats of 16 bits keep half as much, but for normalization.
        let kept = wrn::kept(&self.config, self.input).saturating_mul(batch);
        let values = kept.saturating_add(self.parameter_count().saturating_mul(COPIES));
        (self.config.kind == ModelKind::Wrn).then(|| values.saturating_mul(value))
    }

    /// The largest number of values per example between two layers: what bounds a forward pass's memory.
    #[must_use]
    pub fn activation_size(&self) -> usize {
        let input: usize = self.input.iter().product();
        match self.config.kind {
            ModelKind::Linear => input,
            ModelKind::Fc => input.max(self.config.width),
            ModelKind::Wrn => wrn::activation_size(&self.config, self.input),
            ModelKind::Cnn => self.input[1] * self.input[2] * self.config.width.max(self.input[0]),
        }
    }
}

/// The activation's function.
fn activate<const D: usize>(x: Tensor<D>, activation: Activation) -> Tensor<D> {
    match activation {
        Activation::Relu => activation::relu(x),
        Activation::Erf => x.erf(),
        Activation::Tanh => x.tanh(),
        Activation::Linear => x,
    }
}

/// Weight of a layer with `fan_in` inputs: its initial standard deviation, and the factor by which
/// the layer's output is multiplied (NTK parameterization scales in use, not at the start).
fn weight_scale(config: &ModelConfig, fan_in: usize) -> (Init, f64) {
    let std = config.w_std() / (fan_in as f64).sqrt();
    match config.parameterization {
        Parameterization::Standard => (Init::Normal(std as f32), 1.0),
        Parameterization::Ntk => (Init::Normal(1.0), std),
    }
}

/// The same for a bias.
fn bias_scale(config: &ModelConfig) -> (Init, f64) {
    match config.parameterization {
        Parameterization::Standard if config.b_std == 0.0 => (Init::Constant(0.0), 1.0),
        Parameterization::Standard => (Init::Normal(config.b_std as f32), 1.0),
        Parameterization::Ntk => (Init::Normal(1.0), config.b_std),
    }
}

/// `x · scale`, without an operation where the scale is 1.
fn scaled<const D: usize>(x: Tensor<D>, scale: f64) -> Tensor<D> {
    if scale == 1.0 { x } else { x.mul_scalar(scale) }
}
