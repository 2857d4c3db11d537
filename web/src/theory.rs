//! `Theory`: the infinite-width theory of a data set, for curves that follow a slider.

use l2lab_core::{
    Experiment,
    theory::{Homogeneous, Network, Problem, Task, TheoryError, assemble},
};
use wasm_bindgen::prelude::*;

use crate::message::{Images, give, take};

/// Depths that an experiment may have.
const MAX_DEGREE: usize = 64;

/// Kernel, modes and targets of an experiment's data, solved once; curves for any λ come at once.
#[wasm_bindgen]
pub struct Theory {
    problem: Problem,
}

#[wasm_bindgen]
impl Theory {
    /// The theory of an experiment on its images.
    ///
    /// # Errors
    /// When the theorems are not about such an experiment, or the images are damaged.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_param_type = "Experiment")] experiment: JsValue,
        #[wasm_bindgen(unchecked_param_type = "Images")] images: JsValue,
    ) -> Result<Theory, JsError> {
        let experiment: Experiment = take(experiment)?;
        let network = Network::of(&experiment)?;
        let split = take::<Images>(images)?.split()?;
        let problem = Problem::of_data(&network, &split, |_, kernel| {
            Ok::<_, TheoryError>(assemble(kernel, |tasks| tasks.into_iter().for_each(Task::run)))
        })?;
        Ok(Self { problem })
    }

    /// The kernel's eigenvalues, the largest first, over the number of training examples.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn gammas(&self) -> Vec<f64> {
        self.problem.spectrum().values.clone()
    }

    /// f/y of a mode (from 0) at each of `times`, from f(0) = 0, in a flow of homogeneity degree `k`.
    ///
    /// # Errors
    /// When λ, k, a time or the mode is not allowed.
    pub fn mode(&self, lambda: f64, k: usize, mode: usize, times: &[f64]) -> Result<Vec<f64>, JsError> {
        let gammas = &self.problem.spectrum().values;
        let Some(&gamma) = gammas.get(mode) else {
            return Err(JsError::new(&format!("mode: '{mode}' is not allowed: 0 to {}", gammas.len() - 1)));
        };
        if k > MAX_DEGREE {
            return Err(JsError::new(&format!("k: '{k}' is not allowed: 0 to {MAX_DEGREE}")));
        }
        let homogeneous = Homogeneous::new(k);
        let flow = homogeneous.flow(lambda)?;
        let mode = flow.mode(gamma)?;
        let value = |&t: &f64| Ok(flow.at(t)?.response(&mode).target);
        Ok(times.iter().map(value).collect::<Result<_, TheoryError>>()?)
    }

    /// Training loss at each of `times`, then test loss at each.
    ///
    /// # Errors
    /// When λ or a time is not allowed.
    pub fn losses(&self, lambda: f64, times: &[f64]) -> Result<Vec<f64>, JsError> {
        let losses = self.problem.losses(lambda, times)?;
        let test = losses.iter().map(|l| l.1.unwrap_or(f64::NAN));
        Ok(losses.iter().map(|l| l.0).chain(test).collect())
    }

    /// Losses, accuracies and the kernel's scale at each of `times`.
    ///
    /// # Errors
    /// When λ or a time is not allowed.
    #[wasm_bindgen(unchecked_return_type = "TheoryPoint[]")]
    pub fn trajectory(&self, lambda: f64, times: &[f64]) -> Result<JsValue, JsError> {
        give(&self.problem.trajectory(lambda, times)?)
    }

    /// The time of the least test loss, if there is one.
    ///
    /// # Errors
    /// When λ is not allowed.
    pub fn peak(&self, lambda: f64) -> Result<Option<f64>, JsError> {
        Ok(self.problem.peak(lambda)?)
    }
}
