//! Which examples each step sees: a pure function of the seed and the step.

use rand::{
    RngExt,
    seq::{SliceRandom, index},
};
use serde::{Deserialize, Serialize};

use crate::random::{Stream, stream};

/// How minibatches are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Sampling {
    /// Every example once an epoch, in an order drawn anew each epoch. A last incomplete batch is
    /// dropped, so that every step has the same batch size.
    #[default]
    Epoch,
    /// Every batch drawn afresh from all examples.
    Replacement,
}

/// Examples per step where `batch` are asked for: 0, or more than there are, means all.
pub(crate) fn batch_size(batch: usize, examples: usize) -> usize {
    if batch == 0 { examples } else { batch.min(examples) }
}

/// Steps of an epoch over `examples` examples, in batches of `batch`; a last, smaller batch is dropped.
pub(crate) fn steps_per_epoch(batch: usize, examples: usize) -> u64 {
    examples.checked_div(batch_size(batch, examples)).unwrap_or(1) as u64
}

/// The minibatches of one run.
///
/// Nothing but `(seed, step)` decides a batch, so a resumed run sees what an unbroken one sees.
#[derive(Debug, Clone)]
pub struct Batches {
    examples: usize,
    batch: usize,
    sampling: Sampling,
    seed: u64,
    /// Whether a full batch has another order in each step.
    shuffles: bool,
    /// The current epoch's order; recomputed when the epoch changes.
    order: Option<(u64, Vec<usize>)>,
}

impl Batches {
    /// Batches of `batch` out of `examples`; 0, or more than there are, means all. A full batch has the examples' own order.
    #[must_use]
    pub fn new(examples: usize, batch: usize, sampling: Sampling, seed: u64) -> Self {
        let batch = batch_size(batch, examples);
        Self { examples, batch, sampling, seed, shuffles: false, order: None }
    }

    /// The same batches, but for a full one: if `shuffles`, its order is drawn anew for each step.
    #[must_use]
    pub fn shuffling(self, shuffles: bool) -> Self {
        Self { shuffles, ..self }
    }

    /// The same batches for another seed.
    #[must_use]
    pub fn with_seed(&self, seed: u64) -> Self {
        Self { seed, order: None, ..self.clone() }
    }

    /// Examples per step.
    #[must_use]
    pub fn batch_size(&self) -> usize {
        self.batch
    }

    /// Every step sees every example, whatever the sampling.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.batch == self.examples
    }

    /// As many examples, drawn without replacement and for nothing but a look at training at step `step`.
    #[must_use]
    pub fn probe(&self, step: u64) -> Vec<usize> {
        index::sample(&mut stream(self.seed, Stream::Probe, step), self.examples, self.batch).into_vec()
    }

    /// The examples of step `step` (from 0).
    pub fn indices(&mut self, step: u64) -> Vec<usize> {
        let is_full = self.is_full();
        if is_full && !self.shuffles {
            return (0..self.examples).collect();
        }
        match self.sampling {
            Sampling::Replacement if !is_full => {
                let mut rng = stream(self.seed, Stream::Batch, step);
                (0..self.batch).map(|_| rng.random_range(0..self.examples)).collect()
            }
            _ => {
                let per_epoch = (self.examples / self.batch) as u64;
                let (epoch, position) = (step / per_epoch, (step % per_epoch) as usize);
                if self.order.as_ref().is_none_or(|(e, _)| *e != epoch) {
                    let mut order: Vec<usize> = (0..self.examples).collect();
                    order.shuffle(&mut stream(self.seed, Stream::Batch, epoch));
                    self.order = Some((epoch, order));
                }
                let (_, order) = self.order.as_ref().expect("set above");
                order[position * self.batch..(position + 1) * self.batch].to_vec()
            }
        }
    }
}
