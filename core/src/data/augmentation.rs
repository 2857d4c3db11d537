//! How training examples are varied before each step: a pure function of the seed and the step.

use rand::RngExt;
use rand_distr::{Beta, Distribution};
use serde::{Deserialize, Serialize};

use crate::random::{Stream, stream};

/// Whose share of mixup is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum MixupBy {
    /// Each example has its own, as in the paper's code.
    #[default]
    Example,
    /// One for the whole batch, as is common.
    Batch,
}

/// What is done with training examples; the default does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Augmentation {
    /// Half of the images are mirrored.
    pub flip: bool,
    /// Images are shifted by up to this many pixels either way: a random crop of the padded image.
    pub crop: usize,
    /// α of mixup; 0 mixes nothing.
    pub mixup: f64,
    /// Whose share is drawn.
    pub mixup_by: MixupBy,
}

/// How one example is varied.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Variation {
    /// Whether it is mirrored, after it has been shifted.
    pub flip: bool,
    /// Rows and columns that the crop begins after the image's own first.
    pub shift: [i32; 2],
    /// Its own share when it is mixed with its partner; 1 leaves it alone.
    pub share: f32,
}

impl Augmentation {
    /// Whether anything is done.
    #[must_use]
    pub fn is_none(&self) -> bool {
        !self.flip && self.crop == 0 && self.mixup == 0.0
    }

    /// The variations of a batch at step `step`. An example's partner is the one as far from the batch's other end.
    ///
    /// # Panics
    /// When α is neither 0 nor positive and finite.
    #[must_use]
    pub fn draw(&self, batch: usize, seed: u64, step: u64) -> Vec<Variation> {
        let mut rng = stream(seed, Stream::Augmentation, step);
        let share = (self.mixup > 0.0).then(|| Beta::new(self.mixup, self.mixup).expect("α is positive and finite"));
        let crop = i32::try_from(self.crop).unwrap_or(i32::MAX);
        let draw_share = |rng: &mut _| share.as_ref().map_or(1.0, |beta| beta.sample(rng) as f32);
        let common = (self.mixup_by == MixupBy::Batch).then(|| draw_share(&mut rng));
        let mut variation = || Variation {
            flip: self.flip && rng.random_bool(0.5),
            shift: if crop > 0 { [0, 1].map(|_| rng.random_range(-crop..=crop)) } else { [0; 2] },
            share: common.unwrap_or_else(|| draw_share(&mut rng)),
        };
        (0..batch).map(|_| variation()).collect()
    }
}
