//! Varies a batch on its device as its [`Variation`]s say.

use burn::{
    backend::Flex,
    tensor::{DType, Device, Int, Tensor, TensorData},
};

use crate::{data::Variation, device::is_flex};

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

fn moved(images: Tensor<3>, shape: [usize; 3], variations: &[Variation]) -> Tensor<3> {
    if is_flex(&images.device()) && images.dtype() == DType::F32 {
        copied(images, shape, variations)
    } else {
        gathered(images, shape, variations)
    }
}

/// On a CPU: line by line in memory, tens of times faster than gathering.
fn copied(images: Tensor<3>, [channels, height, width]: [usize; 3], variations: &[Variation]) -> Tensor<3> {
    let (dims, device) = (images.dims(), images.device());
    let images = if images.is_autodiff() { images.inner() } else { images };
    let values = images.try_into_primitive::<Flex>().expect("a tensor of flex").to_contiguous();
    let from = values.as_slice::<f32>().expect("single precision, and contiguous");
    let mut to = vec![0.0; from.len()];
    let size = channels * height * width;
    // The first place that comes from within the image, and the first after those.
    let within = |shift: i32, size: usize| {
        let (shift, size) = (i64::from(shift), size as i64);
        ((-shift).clamp(0, size) as usize, (size - shift).clamp(0, size) as usize)
    };
    for ((v, from), to) in variations.iter().zip(from.chunks_exact(size)).zip(to.chunks_exact_mut(size)) {
        let ((top, bottom), (left, right)) = (within(v.shift[0], height), within(v.shift[1], width));
        if top >= bottom || left >= right {
            continue;
        }
        let moved = |place: usize, shift: i32| (place as i64 + i64::from(shift)) as usize;
        for line in 0..channels * height {
            let (channel, row) = (line / height, line % height);
            if row < top || row >= bottom {
                continue;
            }
            let begin = (channel * height + moved(row, v.shift[0])) * width;
            let pixels = &from[begin + moved(left, v.shift[1])..][..right - left];
            let to = &mut to[line * width..][..width];
            if v.flip {
                to[width - right..width - left].iter_mut().rev().zip(pixels).for_each(|(to, from)| *to = *from);
            } else {
                to[left..right].copy_from_slice(pixels);
            }
        }
    }
    Tensor::from_data(TensorData::new(to, dims), &device)
}

/// On any device, by its own operations.
fn gathered(images: Tensor<3>, [channels, height, width]: [usize; 3], variations: &[Variation]) -> Tensor<3> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copying_gives_what_gathering_gives() {
        let (shape, device) = ([3, 5, 4], Device::flex());
        let variations: Vec<Variation> = (-6..=6)
            .flat_map(|row| (-5..=5).flat_map(move |column| [false, true].map(|flip| (flip, [row, column]))))
            .map(|(flip, shift)| Variation { flip, shift, share: 1.0 })
            .collect();
        let values: Vec<f32> = (0..variations.len() * 60).map(|i| 1.0 + (i as f32 * 0.37).sin()).collect();
        let images = Tensor::<3>::from_data(TensorData::new(values, [2, variations.len() / 2, 60]), &device);
        let [copied, gathered] = [copied, gathered].map(|way| way(images.clone(), shape, &variations).into_data());
        assert_eq!(copied, gathered);
        let zeros = copied.as_slice::<f32>().unwrap().iter().filter(|v| **v == 0.0).count();
        assert!(zeros > 0 && zeros < variations.len() * 60, "some pixels come from outside: {zeros}");
    }
}
