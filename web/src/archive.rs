//! `Archive`: the data sets that a page has, and the experiments on them.

use std::collections::{BTreeMap, BTreeSet};

use js_sys::Uint8Array;
use l2lab_core::{
    Experiment,
    data::{File, Split, split_of_files},
    experiment::ExperimentError,
    recording::ModelSummary,
    run::RunSpec,
    train::{Execution, plan},
};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::message::{Images, give, take};

/// Data sets by the name that an experiment's `data` gives them.
#[wasm_bindgen]
#[derive(Default)]
pub struct Archive {
    sets: BTreeMap<String, Split>,
}

#[derive(Serialize)]
struct DataSummary {
    name: String,
    train: usize,
    test: usize,
}

#[derive(Serialize)]
struct Plan {
    images: Images,
    model: ModelSummary,
    runs: Vec<RunSpec>,
    single: Vec<Vec<usize>>,
    stacked: Vec<Vec<usize>>,
}

#[wasm_bindgen]
impl Archive {
    /// An empty one.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the data set that these files make; `name` is what it is to be called, or what it is recognized as.
    ///
    /// # Errors
    /// When they are no data set that is known, or damaged.
    #[wasm_bindgen(unchecked_return_type = "DataSummary")]
    pub fn add(
        &mut self,
        names: Vec<String>,
        contents: Vec<Uint8Array>,
        name: Option<String>,
    ) -> Result<JsValue, JsError> {
        let files: Vec<File> = names.into_iter().zip(contents.iter().map(Uint8Array::to_vec)).collect();
        let split = split_of_files(&files)?;
        let name = name.unwrap_or_else(|| split.train.name().to_owned());
        let summary = DataSummary { name: name.clone(), train: split.train.len(), test: split.test.len() };
        self.sets.insert(name, split);
        give(&summary)
    }

    /// What an experiment trains: its images, its runs, its network.
    ///
    /// # Errors
    /// When the experiment is not allowed, or its data is not here.
    #[wasm_bindgen(unchecked_return_type = "Plan")]
    pub fn plan(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Experiment")] experiment: JsValue,
    ) -> Result<JsValue, JsError> {
        let experiment: Experiment = take(experiment)?;
        let split = self.split(&experiment)?;
        let model = experiment.model(&split)?;
        let runs = experiment.runs(split.train.len())?;
        let batch = experiment.batch_size(split.train.len());
        let [single, stacked] =
            [Execution::Single, Execution::Stacked].map(|execution| plan(&runs, execution, &model, batch, false));
        give(&Plan { images: (&split).into(), model: (&model).into(), runs, single, stacked })
    }
}

impl Archive {
    fn split(&self, experiment: &Experiment) -> Result<Split, ExperimentError> {
        experiment.validate()?;
        let full = self.sets.get(&experiment.data).ok_or_else(|| {
            // The page brings its own set when it is asked for it.
            let own = Experiment::default().data;
            let here: BTreeSet<&str> = self.sets.keys().map(String::as_str).chain([own.as_str()]).collect();
            let here = Vec::from_iter(here).join(", ");
            ExperimentError::Conflict(format!(
                "data: '{}' is not here; drop its files on the page, or take one that is here: {here}",
                experiment.data
            ))
        })?;
        experiment.prepare(full)
    }
}
