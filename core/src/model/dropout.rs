//! Dropout: which values are dropped is a function of the run's seed, the step, the layer and the value's place, computed where
//! the values are. Every device drops the same.

use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::Rng;

use crate::random::{Stream, stream};

/// What is dropped in one training step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dropout<'a> {
    /// One for each run.
    pub seeds: &'a [u64],
    /// Steps taken before it.
    pub step: u64,
    /// Probability of each value.
    pub share: f64,
}

/// Numbers are kept to 31 bits, on which integers of 32 bits that wrap and wider ones agree.
const MASK: i32 = i32::MAX;
/// An odd multiplier for each round of mixing.
const MULTIPLIERS: [i32; 2] = [0x7feb_352d, 0x046c_a68b];
const SHIFTS: [i32; 3] = [16, 15, 16];

impl Dropout<'_> {
    /// What layers `0..layers` are to know, all in one upload.
    pub fn on(self, layers: usize, device: &Device) -> Keys {
        let key =
            |layer: usize, seed: u64| stream(seed, Stream::Dropout, self.step << 8 | layer as u64).next_u32() >> 1;
        let keys = (0..layers).flat_map(|layer| self.seeds.iter().map(move |&seed| key(layer, seed) as i32));
        let keys = TensorData::new(keys.collect::<Vec<_>>(), [layers, self.seeds.len(), 1]);
        Keys { keys: Tensor::from_data(keys, device), share: self.share }
    }
}

/// Dropout of one training step on its device.
pub(super) struct Keys {
    /// `[layers, runs, 1]`.
    keys: Tensor<3, Int>,
    share: f64,
}

impl Keys {
    /// `x`, `[batch, runs·channels, height, width]`, with values of layer `layer` dropped and the others scaled up.
    pub fn apply(&self, x: Tensor<4>, layer: usize) -> Tensor<4> {
        let [batch, channels, height, width] = x.dims();
        let ([_, runs, _], device) = (self.keys.dims(), x.device());
        let keys = self.keys.clone().narrow(0, layer, 1);
        let values = channels / runs * height * width;
        let place: Tensor<1, Int> = Tensor::arange(0..(batch * values) as i64, &device);
        let mut mixed = place
            .reshape([batch, 1, values])
            .expand([batch, runs, values])
            .bitwise_xor(keys.expand([batch, runs, values]));
        for (shift, multiplier) in SHIFTS.into_iter().zip(MULTIPLIERS) {
            mixed = fold(mixed, shift).mul_scalar(multiplier).bitwise_and_scalar(MASK);
        }
        let dropped = fold(mixed, SHIFTS[2]).lower_scalar((self.share * f64::from(MASK)) as i32);
        let dims = x.dims();
        x.mask_fill(dropped.reshape(dims), 0.0).div_scalar(1.0 - self.share)
    }
}

/// `x ^ (x >> shift)` of numbers that are not negative.
fn fold(x: Tensor<3, Int>, shift: i32) -> Tensor<3, Int> {
    x.clone().bitwise_xor(x.bitwise_right_shift_scalar(shift))
}

#[cfg(all(test, feature = "full-scale"))]
mod tests {
    use super::*;

    fn dropped(seeds: &[u64], step: u64, layer: usize) -> Vec<f32> {
        let ones = Tensor::ones([8, seeds.len() * 16, 10, 10], &Device::flex());
        let keys = Dropout { seeds, step, share: 0.3 }.on(4, &Device::flex());
        keys.apply(ones, layer).into_data().try_to_vec().unwrap()
    }

    #[test]
    fn a_share_is_dropped_and_the_rest_scaled_so_that_the_mean_stays() {
        let values = dropped(&[5], 7, 2);
        assert!(values.iter().all(|&v| v == 0.0 || (v - 1.0 / 0.7).abs() < 1e-6));
        let share = values.iter().filter(|v| **v == 0.0).count() as f64 / values.len() as f64;
        // Four standard deviations of 12800 draws.
        assert!((share - 0.3).abs() < 4.0 * (0.21_f64 / values.len() as f64).sqrt(), "{share}");
    }

    #[test]
    fn neighbours_layers_steps_and_seeds_are_independent() {
        let values = dropped(&[5], 7, 2);
        let together = |a: &[f32], b: &[f32]| {
            a.iter().zip(b).filter(|(a, b)| **a == 0.0 && **b == 0.0).count() as f64 / a.len() as f64
        };
        let bound = 4.0 * (0.09_f64 * 0.91 / 12_000.0).sqrt();
        for other in [&values[1..], &values[10..], &values[100..], &values[1600..]] {
            assert!((together(&values[..other.len()], other) - 0.09).abs() < 1.1 * bound);
        }
        for other in [dropped(&[5], 7, 3), dropped(&[5], 8, 2), dropped(&[6], 7, 2)] {
            assert!((together(&values, &other) - 0.09).abs() < bound);
        }
    }

    #[test]
    fn a_run_of_a_stack_drops_what_it_drops_alone() {
        let (both, alone) = (dropped(&[5, 6], 7, 2), dropped(&[6], 7, 2));
        for (image, own) in both.chunks(2 * 1600).zip(alone.chunks(1600)) {
            assert_eq!(&image[1600..], own);
        }
    }
}
