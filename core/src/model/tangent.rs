//! The empirical neural tangent kernel of a finite network, by automatic differentiation.

use burn::tensor::Tensor;

use super::{Mode, Model};
use crate::{DeviceError, device::read_back};

/// Values that the gradients of one block of examples may have: 256 MiB of f32.
const BLOCK_LIMIT: usize = 1 << 26;

impl Model {
    /// ∂f_output/∂θ at each of `images`, `[examples, features]`: a tensor `[examples, elements]` for each parameter.
    ///
    /// `params` and `buffers` are those of one run, `[1, elements]`. Examples are laid out as runs of one image each, so
    /// that a single backward pass gives all their gradients.
    #[must_use]
    pub fn gradients(
        &self,
        params: &[Tensor<2>],
        buffers: &[Tensor<2>],
        images: Tensor<2>,
        output: usize,
    ) -> Vec<Tensor<2>> {
        let [examples, features] = images.dims();
        let copies = |t: &Tensor<2>| t.clone().repeat_dim(0, examples);
        let tracked: Vec<Tensor<2>> = params.iter().map(|p| copies(p).autodiff().require_grad()).collect();
        let mut buffers: Vec<Tensor<2>> = buffers.iter().map(copies).collect();
        let outputs = self.forward(&tracked, &mut buffers, images.reshape([examples, 1, features]), Mode::Test);
        let mut grads = outputs.narrow(2, output, 1).sum().backward();
        let grad = |p: Tensor<2>| p.grad_remove(&mut grads).expect("every parameter takes part in the output");
        tracked.into_iter().map(grad).collect()
    }

    /// The empirical NTK of one run, averaged over outputs: `Θ(x, x′) = (1/C) Σ_c ⟨∂_θ f_c(x), ∂_θ f_c(x′)⟩` between
    /// `rows` and `columns`, `[examples, features]` both, or among the rows without `columns`; row-major. At infinite width
    /// all outputs have the same.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn tangent_kernel(
        &self,
        params: &[Tensor<2>],
        buffers: &[Tensor<2>],
        rows: Tensor<2>,
        columns: Option<Tensor<2>>,
    ) -> Result<Vec<f64>, DeviceError> {
        let symmetric = columns.is_none();
        let columns = columns.unwrap_or_else(|| rows.clone());
        let [height, width] = [rows.dims()[0], columns.dims()[0]];
        let block = (BLOCK_LIMIT / self.parameter_count()).max(1);
        let mut kernel = vec![0.0; height * width];
        for output in 0..self.classes {
            let gradients = |of: &Tensor<2>, start: usize, count: usize| {
                self.gradients(params, buffers, of.clone().narrow(0, start, count), output)
            };
            for top in (0..height).step_by(block) {
                let above = gradients(&rows, top, block.min(height - top));
                for left in (if symmetric { top } else { 0 }..width).step_by(block) {
                    let others = block.min(width - left);
                    let beside =
                        if symmetric && left == top { above.clone() } else { gradients(&columns, left, others) };
                    let products = above.iter().zip(&beside).map(|(a, b)| a.clone().matmul(b.clone().transpose()));
                    let sum = products.reduce(|a, b| a + b).expect("a model has parameters");
                    for (i, row) in read_back(sum).await?.chunks_exact(others).enumerate() {
                        for (j, value) in row.iter().enumerate() {
                            kernel[(top + i) * width + left + j] += f64::from(*value) / self.classes as f64;
                        }
                    }
                }
            }
        }
        if symmetric {
            for i in 0..height {
                for j in 0..i {
                    kernel[i * width + j] = kernel[j * width + i];
                }
            }
        }
        Ok(kernel)
    }
}
