//! What a job's runs learn: one split of the data for all, or another for each seed.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Context, Result};
use burn::tensor::Device;
use l2lab_core::{
    Experiment,
    data::{Dataset, Split},
    train::Task,
};

/// The data of a job, on its device.
#[derive(Clone)]
pub struct Tasks {
    first: Arc<Task>,
    /// By seed; empty where all seeds share the first.
    of_seeds: BTreeMap<u64, Arc<Task>>,
}

impl Tasks {
    /// One for all runs.
    pub fn shared(split: &Split, device: &Device) -> Self {
        Self { first: Arc::new(Task::new(split, device)), of_seeds: BTreeMap::new() }
    }

    /// Images of its own for each seed of an experiment, drawn by data-seed plus seed: what is found then is found of a data set, and
    /// not of one subset of it.
    ///
    /// # Errors
    /// When more examples are asked for than there are.
    pub fn of_seeds(experiment: &Experiment, full: &Split, device: &Device) -> Result<Self> {
        let task = |seed: u64| {
            let own = Experiment { data_seed: experiment.data_seed.wrapping_add(seed), ..experiment.clone() };
            Ok((seed, Arc::new(Task::new(&own.prepare(full)?, device))))
        };
        let seeds = experiment.seed..experiment.seed + experiment.seeds as u64;
        let of_seeds = seeds.map(task).collect::<Result<BTreeMap<_, _>>>()?;
        let first = of_seeds.values().next().context("an experiment has a seed")?;
        Ok(Self { first: Arc::clone(first), of_seeds })
    }

    /// What runs of a seed learn.
    ///
    /// # Errors
    /// When it is none of the experiment's seeds.
    pub fn of(&self, seed: u64) -> Result<&Arc<Task>> {
        if self.of_seeds.is_empty() {
            return Ok(&self.first);
        }
        self.of_seeds.get(&seed).with_context(|| format!("seed {seed} is none of the experiment's"))
    }

    /// Any of them: all are of one size.
    pub fn any(&self) -> &Arc<Task> {
        &self.first
    }

    /// Whether runs of different seeds learn different data, so that they cannot share a stack.
    pub fn differ(&self) -> bool {
        !self.of_seeds.is_empty()
    }
}

/// Whether a draw leaves out any example: otherwise all seeds have the same data.
pub fn draws(experiment: &Experiment, full: &Split) -> bool {
    let some = |count: usize, of: &Dataset| count > 0 && count < of.len();
    experiment.validation > 0 || some(experiment.train, &full.train) || some(experiment.test, &full.test)
}
