//! The architecture's choices, under the names that flags and files use.

use burn::tensor::FloatDType;
use serde::{Deserialize, Serialize};

macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
        pub enum $name { $($(#[$variant_doc])* $variant),* }
    };
}

choice! {
    /// The kind of network.
    ModelKind {
        /// One linear layer: k = 1, the model without a late decay.
        Linear,
        /// Fully connected layers.
        Fc,
        /// 3×3 convolutions and a dense layer.
        Cnn,
        /// A Wide ResNet.
        Wrn,
    }
}

choice! {
    /// The non-linearity between layers.
    Activation {
        /// max(0, x).
        Relu,
        /// The error function.
        Erf,
        /// The hyperbolic tangent.
        Tanh,
        /// The identity.
        Linear,
    }
}

choice! {
    /// Where the scale of the weights lives.
    Parameterization {
        /// In the initial weights: N(0, σ_w²/fan-in).
        Standard,
        /// In the forward pass: weights N(0, 1), multiplied by σ_w/√fan-in.
        Ntk,
    }
}

choice! {
    /// What batch normalization uses when testing.
    Normalization {
        /// Running averages of the training batches.
        Running,
        /// The batch that is being tested, as the authors' code does.
        Batch,
    }
}

choice! {
    /// How a convolutional network shrinks the image after its first convolution.
    Pooling {
        /// Convolutions of stride 2.
        Stride,
        /// 2×2 max pooling after the convolution.
        Max,
        /// 2×2 average pooling after the convolution.
        Average,
    }
}

choice! {
    /// What the dense layer of a convolutional network reads.
    Readout {
        /// The average over pixels.
        Pool,
        /// Every pixel.
        Flatten,
    }
}

choice! {
    /// The convolution on a Wide ResNet's shortcuts that change size or channels.
    Shortcut {
        /// 1×1, the common one.
        #[serde(rename = "1x1")]
        One,
        /// 3×3, as in the paper's code.
        #[serde(rename = "3x3")]
        Three,
    }
}

choice! {
    /// The number format of a network's forward and backward pass. Weights, normalization and the loss are always f32.
    Precision {
        /// 32 bits.
        F32,
        /// 16 bits with the range of f32.
        Bf16,
        /// 16 bits with more digits and a small range.
        F16,
    }
}

impl Precision {
    /// The format of tensors, where it is not f32.
    #[must_use]
    pub fn reduced(self) -> Option<FloatDType> {
        match self {
            _ if !cfg!(feature = "full-scale") => None,
            Self::F32 => None,
            Self::Bf16 => Some(FloatDType::BF16),
            Self::F16 => Some(FloatDType::F16),
        }
    }

    /// Whether its range is so small that gradients vanish or overflow but for a scale that fits them.
    pub(crate) fn needs_loss_scale(self) -> bool {
        cfg!(feature = "full-scale") && self == Self::F16
    }
}

/// A network's architecture, apart from the data's shape.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelConfig {
    /// Kind of network.
    pub kind: ModelKind,
    /// Weight layers, the last one linear.
    pub depth: usize,
    /// Hidden units or channels; of a Wide ResNet, how many times 16, 32 and 64 channels.
    pub width: usize,
    /// Hidden activation.
    pub activation: Activation,
    /// Biases in every layer.
    pub bias: bool,
    /// Parameterization of weights and biases.
    pub parameterization: Parameterization,
    /// σ_w, or the activation's default.
    pub w_std: Option<f64>,
    /// σ_b.
    pub b_std: f64,
    /// Batch normalization after convolutions.
    pub batch_norm: bool,
    /// What it uses when testing.
    pub normalization: Normalization,
    /// How the image shrinks.
    pub pooling: Pooling,
    /// What the dense layer reads.
    pub readout: Readout,
    /// The convolution on a Wide ResNet's shortcuts.
    pub shortcut: Shortcut,
    /// Share of the values that a Wide ResNet drops in training, between the convolutions of a block.
    pub dropout: f64,
    /// The number format of the passes.
    pub precision: Precision,
}

impl ModelConfig {
    /// σ_w: as given, or √2 for ReLU (He) and 1 for the others (LeCun).
    #[must_use]
    pub fn w_std(&self) -> f64 {
        let default = if self.activation == Activation::Relu { std::f64::consts::SQRT_2 } else { 1.0 };
        self.w_std.unwrap_or(default)
    }
}
