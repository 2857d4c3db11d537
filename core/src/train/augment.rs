//! Varies a batch on its device as its [`Variation`]s say.

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::data::Variation;

/// Images `[sources, batch, channels·height·width]` and targets `[sources, batch, classes]`, varied by as many
/// variations, source by source. Where nothing of an image is there are zeros: the training set's mean.
#[must_use]
pub fn augment([images, targets]: [Tensor<3>; 2], shape: [usize; 3], variations: &[Variation]) -> [Tensor<3>; 2] {
    let images =
        if variations.iter().any(|v| v.flip || v.shift != [0; 2]) { moved(images, shape, variations) } else { images };
    if variations.iter().all(|v| v.share == 1.0) {
        return [images, targets];
    }
    let [sources, batch, _] = images.dims();
    let shares: Vec<f32> = variations.iter().map(|v| v.share).collect();
    let share: Tensor<3> = Tensor::from_data(TensorData::new(shares, [sources, batch, 1]), &images.device());
    [images, targets].map(|own| {
        let partners = own.clone().flip([1]);
        partners.clone() + (own - partners) * share.clone()
    })
}

fn moved(images: Tensor<3>, [channels, height, width]: [usize; 3], variations: &[Variation]) -> Tensor<3> {
    let dims = images.dims();
    let (n, device) = (variations.len(), images.device());
    let columns = Places::new(variations, width, |v, i| {
        let i = if v.flip { width - 1 - i } else { i };
        i as i32 + v.shift[1]
    });
    let rows = Places::new(variations, height, |v, i| i as i32 + v.shift[0]);
    // One axis after the other, as the last one.
    let x = columns.gather(images.reshape([n, channels * height, width]), &device);
    let x = x.reshape([n, channels, height, width]).swap_dims(2, 3).reshape([n, channels * width, height]);
    let x = rows.gather(x, &device);
    x.reshape([n, channels, width, height]).swap_dims(2, 3).reshape(dims)
}

/// For each image and place on an axis, the place that its pixels come from, and whether there is one.
struct Places {
    from: Vec<i32>,
    inside: Vec<f32>,
    shape: [usize; 3],
}

impl Places {
    fn new(variations: &[Variation], size: usize, from: impl Fn(&Variation, usize) -> i32) -> Self {
        let places = variations.iter().flat_map(|v| (0..size).map(|i| from(v, i)).collect::<Vec<_>>());
        let there = |&at: &i32| at >= 0 && at < size as i32;
        let (from, inside) = places.map(|at| if there(&at) { (at, 1.0) } else { (0, 0.0) }).unzip();
        Self { from, inside, shape: [variations.len(), 1, size] }
    }

    /// `x`, `[images, lines, size]`, with every line's pixels from their places.
    fn gather(self, x: Tensor<3>, device: &Device) -> Tensor<3> {
        let dims = x.dims();
        let from: Tensor<3, Int> = Tensor::from_data(TensorData::new(self.from, self.shape), device);
        let inside: Tensor<3> = Tensor::from_data(TensorData::new(self.inside, self.shape), device);
        x.gather(2, from.expand(dims)) * inside
    }
}
