//! Batch normalization with the batch's own statistics, and its gradients, in as few passes over memory as there can be.

use super::parallel::each_chunk;

/// Partial sums, for SIMD.
const LANES: usize = 16;

/// The statistics of a batch.
#[derive(Debug, Clone)]
pub(super) struct Normalization {
    /// Images, channels, and pixels of a plane.
    shape: [usize; 3],
    epsilon: f32,
    /// Mean and biased variance of each channel.
    pub statistics: Vec<[f32; 2]>,
}

impl Normalization {
    /// Of `x`, `[images, channels, pixels]`.
    pub fn of(x: &[f32], shape: [usize; 3], epsilon: f64) -> Self {
        let [images, channels, area] = shape;
        let mut statistics = vec![[0.0; 2]; channels];
        each_chunk(
            &mut statistics,
            1,
            || (),
            |(), channel, statistics| {
                let average = |sum: f64| (sum / (images * area) as f64) as f32;
                let mean = average(sum(shape, channel, [x], |[x]| x));
                statistics[0] = [mean, average(sum(shape, channel, [x], |[x]| (x - mean) * (x - mean)))];
            },
        );
        Self { shape, epsilon: epsilon as f32, statistics }
    }

    /// `(x − mean) / √(variance + ε) · scale + shift`.
    pub fn forward(&self, x: &[f32], scale: &[f32], shift: &[f32]) -> Vec<f32> {
        self.map([x], |channel| {
            let ([mean, factor], shift) = (self.factor(channel, scale), shift[channel]);
            move |[x]| (x - mean) * factor + shift
        })
    }

    /// The gradients of `x`, scale and shift, of the output's.
    pub fn gradients(&self, x: &[f32], scale: &[f32], gradient: &[f32]) -> [Vec<f32>; 3] {
        let [images, channels, area] = self.shape;
        // Σ dy and Σ dy·(x − mean).
        let mut sums = vec![[0.0; 2]; channels];
        each_chunk(
            &mut sums,
            1,
            || (),
            |(), channel, sums| {
                let mean = self.statistics[channel][0];
                let along = sum(self.shape, channel, [gradient], |[dy]| dy);
                let across = sum(self.shape, channel, [x, gradient], |[x, dy]| dy * (x - mean));
                sums[0] = [along as f32, across as f32];
            },
        );
        let x_gradient = self.map([x, gradient], |channel| {
            let ([mean, factor], [_, variance]) = (self.factor(channel, scale), self.statistics[channel]);
            let [along, across] = sums[channel].map(|s| s / (images * area) as f32);
            let across = across / (variance + self.epsilon);
            move |[x, dy]| (dy - along - (x - mean) * across) * factor
        });
        let scale_gradient = sums.iter().zip(&self.statistics).map(|(s, [_, v])| s[1] / (v + self.epsilon).sqrt());
        [x_gradient, scale_gradient.collect(), sums.iter().map(|s| s[0]).collect()]
    }

    /// A channel's mean, and what its deviations are multiplied by.
    fn factor(&self, channel: usize, scale: &[f32]) -> [f32; 2] {
        let [mean, variance] = self.statistics[channel];
        [mean, scale[channel] / (variance + self.epsilon).sqrt()]
    }

    /// A new tensor, pixel by pixel of others.
    fn map<const N: usize, F: Fn([f32; N]) -> f32>(
        &self,
        tensors: [&[f32]; N],
        of: impl Fn(usize) -> F + Sync + Send,
    ) -> Vec<f32> {
        let [_, channels, area] = self.shape;
        let mut out = vec![0.0; tensors[0].len()];
        each_chunk(
            &mut out,
            channels * area,
            || (),
            |(), image, out| {
                for (channel, out) in out.chunks_exact_mut(area).enumerate() {
                    let f = of(channel);
                    let planes = tensors.map(|t| &t[(image * channels + channel) * area..][..area]);
                    for (i, out) in out.iter_mut().enumerate() {
                        *out = f(planes.map(|p| p[i]));
                    }
                }
            },
        );
        out
    }
}

/// A sum over a channel's pixels: in single precision in a plane, in double precision over images.
fn sum<const N: usize>(
    [images, channels, area]: [usize; 3],
    channel: usize,
    tensors: [&[f32]; N],
    f: impl Fn([f32; N]) -> f32,
) -> f64 {
    let plane = |image: usize| {
        let planes = tensors.map(|t| t[(image * channels + channel) * area..][..area].as_chunks::<LANES>());
        let mut sums = [0.0; LANES];
        for i in 0..area / LANES {
            let values = planes.map(|(chunks, _)| &chunks[i]);
            for (lane, sum) in sums.iter_mut().enumerate() {
                *sum += f(values.map(|v| v[lane]));
            }
        }
        for (i, sum) in sums[..area % LANES].iter_mut().enumerate() {
            *sum += f(planes.map(|(_, rest)| rest[i]));
        }
        f64::from(sums.iter().sum::<f32>())
    };
    (0..images).map(plane).sum()
}
