//! `Processor`: a device with an experiment's images on it; `Training`: a stack of runs on it.

use std::sync::Arc;

use burn::tensor::Device;
use l2lab_core::{
    Experiment,
    data::Split,
    run::{End, Measurement, RunSpec},
    train::{Task, Trainer, disagreement},
};
use serde::Serialize;
use wasm_bindgen::prelude::*;

#[cfg(feature = "keep")]
use crate::message::Kept;
use crate::message::{Images, give, take};

/// A device and an experiment's images.
#[wasm_bindgen]
pub struct Processor {
    experiment: Experiment,
    split: Split,
    task: Arc<Task>,
}

#[wasm_bindgen]
impl Processor {
    /// The CPU.
    ///
    /// # Errors
    /// When the experiment or the images are damaged.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_param_type = "Experiment")] experiment: JsValue,
        #[wasm_bindgen(unchecked_param_type = "Images")] images: JsValue,
    ) -> Result<Self, JsError> {
        Self::on(&Device::flex(), experiment, images)
    }

    /// The GPU, by WebGPU.
    ///
    /// # Errors
    /// When there is none, or the experiment or the images are damaged.
    #[cfg(feature = "gpu")]
    pub async fn gpu(
        #[wasm_bindgen(unchecked_param_type = "Experiment")] experiment: JsValue,
        #[wasm_bindgen(unchecked_param_type = "Images")] images: JsValue,
    ) -> Result<Self, JsError> {
        Self::on(&Device::wgpu_options().init_async().await?, experiment, images)
    }

    fn on(device: &Device, experiment: JsValue, images: JsValue) -> Result<Self, JsError> {
        let experiment: Experiment = take(experiment)?;
        experiment.validate()?;
        let split = take::<Images>(images)?.split()?;
        // Whether it fits into memory.
        experiment.model(&split)?;
        let task = Arc::new(Task::new(&split, device));
        Ok(Self { experiment, split, task })
    }

    /// How far this device's first step of `run` is from the CPU's, relatively.
    ///
    /// # Errors
    /// When a device fails.
    pub async fn disagreement(
        &self,
        #[wasm_bindgen(unchecked_param_type = "RunSpec")] run: JsValue,
    ) -> Result<f64, JsError> {
        let run: RunSpec = take(run)?;
        Ok(disagreement(&self.experiment, &self.split, &run, &Device::flex(), self.task.device()).await?)
    }

    /// A stack of runs at their initial weights.
    ///
    /// # Errors
    /// When there is no run.
    pub fn train(
        &self,
        #[wasm_bindgen(unchecked_param_type = "RunSpec[]")] runs: JsValue,
    ) -> Result<Training, JsError> {
        let runs: Vec<RunSpec> = take(runs)?;
        if runs.is_empty() {
            return Err(JsError::new("runs: there is none"));
        }
        Ok(Training { trainer: Trainer::new(&self.experiment, Arc::clone(&self.task), runs) })
    }
}

/// A stack of runs.
#[wasm_bindgen]
pub struct Training {
    trainer: Trainer,
}

#[derive(Serialize)]
struct Measured {
    run: usize,
    measurement: Measurement,
}

#[derive(Serialize)]
struct Ended {
    run: usize,
    end: End,
}

#[derive(Serialize)]
struct Slice {
    step: u64,
    measured: Vec<Measured>,
    ended: Vec<Ended>,
    active: usize,
}

#[wasm_bindgen]
impl Training {
    /// Steps taken.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn step(&self) -> f64 {
        self.trainer.steps_taken() as f64
    }

    /// How many runs have not ended.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn active(&self) -> usize {
        self.trainer.active()
    }

    /// Takes up to `steps` steps, and measures what is due before and after each; stops early after a measurement.
    ///
    /// # Errors
    /// When the device fails.
    #[wasm_bindgen(unchecked_return_type = "Slice")]
    pub async fn advance(&mut self, steps: u32) -> Result<JsValue, JsError> {
        let trainer = &mut self.trainer;
        let mut due = Vec::new();
        for left in (0..=steps).rev() {
            if trainer.is_due() {
                due = trainer.measure().await?;
                break;
            }
            if left > 0 {
                trainer.step();
            }
        }
        let (mut measured, mut ended) = (Vec::new(), Vec::new());
        for (run, measurement) in due {
            let Some(trace) = trainer.traces().nth(run) else { continue };
            // What a run diverged to is no point of its curve.
            if trace.points.last() == Some(&measurement) {
                measured.push(Measured { run, measurement });
            }
            ended.extend(trace.end.clone().map(|end| Ended { run, end }));
        }
        give(&Slice { step: trainer.steps_taken(), measured, ended, active: trainer.active() })
    }

    /// Waits until the device has done what it was told: the loss of a GPU shows here.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn settle(&self) -> Result<(), JsError> {
        Ok(self.trainer.settle().await?)
    }
}

/// Only on the CPU: the GPU's module has no room for it, and its runs begin again.
#[cfg(feature = "keep")]
#[wasm_bindgen]
impl Training {
    /// All that is needed to go on from here in another worker.
    ///
    /// # Errors
    /// When the device fails.
    #[wasm_bindgen(unchecked_return_type = "Kept")]
    pub async fn keep(&self) -> Result<JsValue, JsError> {
        give(&Kept::from(self.trainer.snapshot().await?))
    }

    /// Goes on from what `keep` gave.
    ///
    /// # Errors
    /// When it is of other runs.
    pub fn resume(&mut self, #[wasm_bindgen(unchecked_param_type = "Kept")] kept: JsValue) -> Result<(), JsError> {
        Ok(self.trainer.restore(take::<Kept>(kept)?.into())?)
    }
}
