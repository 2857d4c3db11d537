//! `Theory`: the infinite-width theory of a data set, for curves that follow a slider.

use l2lab_core::{
    Experiment,
    data::embedded,
    theory::{self, Network, Problem, Task, TheoryError, assemble},
};
use serde::Serialize;
use wasm_bindgen::prelude::*;

/// Kernel, modes and targets of an experiment's data, solved once; curves for any λ come at once.
#[wasm_bindgen]
pub struct Theory {
    problem: Problem,
}

/// Losses and accuracies at one time of gradient flow.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Point {
    time: f64,
    train_loss: f64,
    test_loss: Option<f64>,
    train_accuracy: f64,
    test_accuracy: Option<f64>,
    kernel_scale: f64,
}

#[wasm_bindgen]
impl Theory {
    /// The theory of an experiment on embedded data. `settings` are `[name, text]` pairs as on the command line, over the
    /// theory's own defaults.
    ///
    /// # Errors
    /// When a setting is not allowed, or the theorems are not about such an experiment.
    #[wasm_bindgen(constructor)]
    pub fn new(settings: JsValue) -> Result<Theory, JsError> {
        let settings: Vec<(String, String)> = serde_wasm_bindgen::from_value(settings)?;
        let settings: Vec<(&str, &str)> = settings.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let experiment: Experiment = theory::experiment().with(&settings)?;
        experiment.validate()?;
        let network = Network::of(&experiment)?;
        let images = embedded()?;
        if experiment.data != images.train.name() {
            let (given, here) = (&experiment.data, images.train.name());
            return Err(JsError::new(&format!("data: '{given}' is not here: a browser has '{here}'")));
        }
        let split = experiment.prepare(&images)?;
        let problem = Problem::of_data(&network, &split, |_, kernel| {
            Ok::<_, TheoryError>(assemble(kernel, |tasks| tasks.into_iter().for_each(Task::run)))
        })?;
        Ok(Self { problem })
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
    pub fn trajectory(&self, lambda: f64, times: &[f64]) -> Result<JsValue, JsError> {
        let points = self.problem.trajectory(lambda, times)?.into_iter().map(|p| Point {
            time: p.time,
            train_loss: p.train_loss,
            test_loss: p.test_loss,
            train_accuracy: p.train_accuracy,
            test_accuracy: p.test_accuracy,
            kernel_scale: p.kernel_scale,
        });
        Ok(serde_wasm_bindgen::to_value(&points.collect::<Vec<_>>())?)
    }

    /// The time of the least test loss, if there is one.
    ///
    /// # Errors
    /// When λ is not allowed.
    pub fn peak(&self, lambda: f64) -> Result<Option<f64>, JsError> {
        Ok(self.problem.peak(lambda)?)
    }
}
