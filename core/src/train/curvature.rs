//! How curved the loss is at the start: what bounds the learning rates at which a run stays finite.

use burn::tensor::Tensor;

use super::{TrainError, Trainer};
use crate::device::read_back;

/// Training examples that it is measured on, at most.
const EXAMPLES: usize = 256;
/// Rounds of power iteration.
const ROUNDS: usize = 24;
/// Length of a finite difference over the length of θ.
const STEP: f64 = 1e-3;

impl Trainer {
    /// The largest curvature h of the loss without L2 at the current weights of the first run: the largest eigenvalue of its Hessian,
    /// by power iteration with differences of gradients, on 256 training examples or all there are. Gradient descent with
    /// momentum β leaves the start in oscillations that grow where η > 2(1+β)/(h+λ).
    ///
    /// # Errors
    /// When the device fails.
    pub async fn curvature(&self) -> Result<f64, TrainError> {
        let start: Vec<Tensor<2>> = self.params().iter().map(|p| p.clone().narrow(0, 0, 1)).collect();
        // Any direction that is not orthogonal to the steepest one.
        let mut direction = self.gradient(&start);
        let mut curvature = 0.0;
        let length = norm(&start).await?;
        for _ in 0..ROUNDS {
            let size = norm(&direction).await?;
            if !(size > 0.0 && size.is_finite()) {
                break;
            }
            // Of unit length: the eigenvalue's powers would overflow.
            direction = direction.into_iter().map(|d| d.div_scalar(size)).collect();
            let step = STEP * length.max(1.0);
            let moved = |sign: f64| -> Vec<Tensor<2>> {
                let pairs = start.iter().zip(&direction);
                pairs.map(|(p, d)| p.clone() + d.clone().mul_scalar(sign * step)).collect()
            };
            let (ahead, behind) = (self.gradient(&moved(1.0)), self.gradient(&moved(-1.0)));
            direction = ahead.into_iter().zip(behind).map(|(a, b)| (a - b).div_scalar(2.0 * step)).collect();
            curvature = norm(&direction).await?;
        }
        Ok(curvature)
    }

    /// The gradient of the mean loss without L2 at `params`, of one run.
    fn gradient(&self, params: &[Tensor<2>]) -> Vec<Tensor<2>> {
        let tracked: Vec<Tensor<2>> = params.iter().map(|p| p.clone().autodiff().require_grad()).collect();
        let [images, targets] = self.task.train.range(0, self.task.train_examples().min(EXAMPLES));
        let mut buffers: Vec<Tensor<2>> = self.buffers.iter().map(|b| b.clone().narrow(0, 0, 1)).collect();
        let seed = self.runs[self.rows[0]].trace.run.seed;
        let logits = self.model.forward_step(&tracked, &mut buffers, images, &[seed], self.step);
        let examples = logits.dims()[1] as f64;
        let mut grads = self.loss.per_example(logits, targets).sum().div_scalar(examples).backward();
        tracked.iter().map(|t| t.grad_remove(&mut grads).expect("every parameter takes part in the loss")).collect()
    }
}

/// The Euclidean length of all tensors together.
async fn norm(tensors: &[Tensor<2>]) -> Result<f64, TrainError> {
    let squares = tensors.iter().map(|t| (t.clone() * t.clone()).sum_dim(1)).reduce(|a, b| a + b);
    let values = read_back(squares.expect("a model has parameters")).await?;
    Ok(values.iter().map(|&v| f64::from(v)).sum::<f64>().sqrt())
}
