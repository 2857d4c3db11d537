//! In what portions examples are measured.

use std::ops::Range;

use burn::tensor::Device;

use crate::{
    device::is_flex,
    model::{Model, Normalization},
};

/// Values that an evaluation's widest intermediate result may have: 8 MiB of f32 on a CPU, to stay in its cache; 256 MiB on a GPU,
/// to keep it busy.
const CPU_LIMIT: usize = 1 << 21;
const GPU_LIMIT: usize = 1 << 26;

/// How many examples at a time.
pub(super) struct Portions {
    most: usize,
    even: bool,
}

impl Portions {
    /// For `runs` runs that train on `batch` examples at a time.
    pub fn new(model: &Model, runs: usize, batch: usize, device: &Device) -> Self {
        // What is normalized by its batch depends on it: one as large as in training everywhere, and no small rest.
        if model.config().normalization == Normalization::Batch && !model.buffers().is_empty() {
            return Self { most: batch, even: true };
        }
        let limit = if cfg!(feature = "full-scale") && !is_flex(device) { GPU_LIMIT } else { CPU_LIMIT };
        // What memory and cache were enough for in training is no more in a test.
        Self { most: (limit / (runs * model.activation_size())).max(batch), even: false }
    }

    /// The portions of `count` examples.
    pub fn of(&self, count: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let (most, parts) = (self.most, count.div_ceil(self.most));
        let even = self.even;
        let bound = move |i: usize| if even { i * count / parts } else { (i * most).min(count) };
        (0..parts).map(move |i| bound(i)..bound(i + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Experiment;

    fn portions(settings: &[(&str, &str)], runs: usize, batch: usize, count: usize) -> Vec<usize> {
        let config = Experiment::default().with(settings).unwrap().model_config();
        let portions = Portions::new(&Model::new(config, [3, 32, 32], 10), runs, batch, &Device::flex());
        let all: Vec<Range<usize>> = portions.of(count).collect();
        assert!(all.windows(2).all(|w| w[0].end == w[1].start));
        assert_eq!((all[0].start, all[all.len() - 1].end), (0, count));
        all.into_iter().map(|range| range.len()).collect()
    }

    #[test]
    fn as_many_as_a_cache_holds_and_a_rest() {
        assert_eq!(portions(&[("model", "cnn"), ("width", "8")], 1, 100, 600), [256, 256, 88]);
        assert_eq!(
            portions(&[("model", "cnn"), ("width", "8")], 4, 100, 250),
            [100, 100, 50],
            "never less than a batch"
        );
    }

    #[test]
    fn what_is_normalized_by_its_batch_is_as_large_as_in_training_and_has_no_small_rest() {
        let by_batch = [("model", "cnn"), ("width", "8"), ("batch-norm", "true"), ("normalization", "batch")];
        let sizes = portions(&by_batch, 1, 128, 10_000);
        assert_eq!((sizes.len(), sizes.iter().min(), sizes.iter().max()), (79, Some(&126), Some(&127)));
        assert_eq!(portions(&by_batch, 4, 3, 7), [2, 2, 3], "in a stack too");
        let plain = [("model", "cnn"), ("width", "8"), ("normalization", "batch")];
        assert_eq!(portions(&plain, 1, 100, 600), [256, 256, 88], "without a normalization");
    }
}
