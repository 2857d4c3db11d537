//! SGD with momentum and coupled L2, one η and one λ per run.

use burn::tensor::{Device, Tensor, TensorData};

/// One number for every run of a stack: a scalar where they agree, else `[runs, 1]` on the device.
#[derive(Debug, Clone)]
pub struct PerRun {
    values: Vec<f64>,
    column: Option<Tensor<2>>,
}

impl PerRun {
    /// From one value per run.
    ///
    /// # Panics
    /// When there is no run.
    #[must_use]
    pub fn new(values: Vec<f64>, device: &Device) -> Self {
        assert!(!values.is_empty(), "a stack has at least one run");
        let same = values.iter().all(|v| v.to_bits() == values[0].to_bits());
        let column = (!same).then(|| {
            let data: Vec<f32> = values.iter().map(|&v| v as f32).collect();
            Tensor::from_data(TensorData::new(data, [values.len(), 1]), device)
        });
        Self { values, column }
    }

    /// The values, one per run.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Each run's row of `x`, `[runs, elements]`, times its number.
    fn times(&self, x: Tensor<2>) -> Tensor<2> {
        match &self.column {
            None => x.mul_scalar(self.values[0]),
            Some(column) => x * column.clone(),
        }
    }

    fn is_zero(&self) -> bool {
        self.values.iter().all(|&v| v == 0.0)
    }
}

/// The paper's update `v ← βv + g + λθ; θ ← θ − ηv`, without dampening.
///
/// η and λ are given at each step, so they may change at any time; the velocity stays as it is.
#[derive(Debug, Clone)]
pub struct Sgd {
    /// η of this step.
    pub lr: PerRun,
    /// λ of this step.
    pub lambda: PerRun,
    /// β, the same throughout a run.
    pub momentum: PerRun,
}

impl Sgd {
    /// Whether a velocity has to be kept.
    #[must_use]
    pub fn has_momentum(&self) -> bool {
        !self.momentum.is_zero()
    }

    /// One step of one parameter: `(θ, v)`, all tensors `[runs, elements]`.
    ///
    /// `velocity` is `None` at the first step (v = 0) and stays so without momentum.
    #[must_use]
    pub fn update(
        &self,
        theta: Tensor<2>,
        grad: Tensor<2>,
        velocity: Option<Tensor<2>>,
    ) -> (Tensor<2>, Option<Tensor<2>>) {
        let mut step = if self.lambda.is_zero() { grad } else { grad + self.lambda.times(theta.clone()) };
        if let Some(velocity) = velocity {
            step = self.momentum.times(velocity) + step;
        }
        let kept = self.has_momentum().then(|| step.clone());
        (theta - self.lr.times(step), kept)
    }
}
