//! The losses, without their L2 term.

use burn::tensor::{Tensor, activation::log_softmax};
use serde::{Deserialize, Serialize};

/// What is minimized, beside the L2 term. Means over examples, sums over classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Loss {
    /// −log softmax of the true class.
    CrossEntropy,
    /// ½‖f(x) − one-hot‖², whose gradient in f is the error itself.
    Mse,
}

impl Loss {
    /// Loss of each example: `[runs, batch]`, of logits `[runs, batch, classes]` and one-hot targets
    /// `[runs or 1, batch, classes]`.
    #[must_use]
    pub fn per_example(self, logits: Tensor<3>, targets: Tensor<3>) -> Tensor<2> {
        let [runs, batch, _] = logits.dims();
        let sum = match self {
            Self::CrossEntropy => (log_softmax(logits, 2) * targets).sum_dim(2).neg(),
            Self::Mse => {
                let error = logits - targets;
                (error.clone() * error).sum_dim(2).mul_scalar(0.5)
            }
        };
        sum.reshape([runs, batch])
    }
}
