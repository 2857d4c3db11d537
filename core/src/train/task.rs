//! A split's images and targets, resident on a device.

#[cfg(feature = "full-scale")]
use burn::tensor::DType;
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::data::{Dataset, Split};

/// Bytes of f32 beyond which images stay as small as they come: fewer are not worth what it takes to unpack them.
#[cfg(feature = "full-scale")]
const PACKED_BEYOND: usize = 1 << 28;
/// Pixels in an integer.
#[cfg(feature = "full-scale")]
const PACKED: usize = 4;

/// The images of a part, `[examples, features]`.
#[derive(Debug, Clone)]
enum Images {
    /// Normalized.
    Normalized(Tensor<2>),
    /// A byte each, four in an integer, the first one lowest, `[examples, features/4]`; and what to normalize them with.
    #[cfg(feature = "full-scale")]
    Packed(Tensor<2, Int>, [f32; 2]),
}

impl Images {
    fn new(data: &Dataset, norm: [f32; 2], device: &Device) -> Self {
        #[cfg(feature = "full-scale")]
        if size_of::<f32>() * data.len() * data.image_size() > PACKED_BEYOND && data.image_size().is_multiple_of(PACKED)
        {
            return Self::packed(data, norm, device);
        }
        let images = TensorData::new(data.normalized(norm), [data.len(), data.image_size()]);
        Self::Normalized(Tensor::from_data(images, device))
    }

    #[cfg(feature = "full-scale")]
    fn packed(data: &Dataset, norm: [f32; 2], device: &Device) -> Self {
        let integer = |p: &[u8]| i32::from_le_bytes([p[0], p[1], p[2], p[3]]);
        let integers: Vec<i32> =
            (0..data.len()).flat_map(|i| data.image(i).chunks_exact(PACKED).map(integer)).collect();
        let integers = TensorData::new(integers, [data.len(), data.image_size() / PACKED]);
        Self::Packed(Tensor::from_data(integers, (device, DType::I32)), norm)
    }

    fn all(&self) -> Tensor<2> {
        match self {
            Self::Normalized(images) => images.clone(),
            #[cfg(feature = "full-scale")]
            Self::Packed(images, norm) => unpacked(images.clone(), *norm),
        }
    }

    fn range(&self, start: usize, end: usize) -> Tensor<2> {
        match self {
            Self::Normalized(images) => images.clone().narrow(0, start, end - start),
            #[cfg(feature = "full-scale")]
            Self::Packed(images, norm) => unpacked(images.clone().narrow(0, start, end - start), *norm),
        }
    }

    fn select(&self, ids: Tensor<1, Int>) -> Tensor<2> {
        match self {
            Self::Normalized(images) => images.clone().select(0, ids),
            #[cfg(feature = "full-scale")]
            Self::Packed(images, norm) => unpacked(images.clone().select(0, ids), *norm),
        }
    }
}

/// What [`Dataset::normalized`] makes of the bytes in `[examples, features/4]`.
#[cfg(feature = "full-scale")]
fn unpacked(images: Tensor<2, Int>, [mean, std]: [f32; 2]) -> Tensor<2> {
    let [examples, integers] = images.dims();
    let images: Tensor<3, Int> = images.reshape([examples, integers, 1]);
    let bytes = [0, 8, 16, 24].map(|shift| images.clone().bitwise_right_shift_scalar(shift).bitwise_and_scalar(255));
    let pixels = Tensor::cat(bytes.to_vec(), 2).reshape([examples, integers * PACKED]).float();
    pixels.div_scalar(255.0).sub_scalar(mean).div_scalar(std)
}

/// Images and one-hot targets `[examples, classes]`.
#[derive(Debug, Clone)]
pub(super) struct Examples {
    images: Images,
    pub targets: Tensor<2>,
    pub count: usize,
}

impl Examples {
    fn new(data: &Dataset, norm: [f32; 2], device: &Device) -> Self {
        let (count, classes) = (data.len(), data.classes().len());
        let mut one_hot = vec![0.0_f32; count * classes];
        for (row, &label) in one_hot.chunks_exact_mut(classes).zip(data.labels()) {
            row[usize::from(label)] = 1.0;
        }
        Self {
            images: Images::new(data, norm, device),
            targets: Tensor::from_data(TensorData::new(one_hot, [count, classes]), device),
            count,
        }
    }

    /// All of them, `[1, examples, …]`.
    pub fn all(&self) -> [Tensor<3>; 2] {
        [self.images.all().unsqueeze(), self.targets.clone().unsqueeze()]
    }

    /// Those from `start` to `end`, `[1, end − start, …]`.
    pub fn range(&self, start: usize, end: usize) -> [Tensor<3>; 2] {
        if (start, end) == (0, self.count) {
            return self.all();
        }
        [self.images.range(start, end), self.targets.clone().narrow(0, start, end - start)].map(Tensor::unsqueeze)
    }

    /// Those at `indices`, `[runs, indices per run, …]`.
    pub fn gather(&self, indices: &[usize], runs: usize) -> [Tensor<3>; 2] {
        let each = indices.len() / runs;
        let ids: Vec<i32> = indices.iter().map(|&i| i32::try_from(i).expect("fewer than 2^31 examples")).collect();
        let ids: Tensor<1, Int> = Tensor::from_data(TensorData::new(ids, [indices.len()]), &self.targets.device());
        [self.images.select(ids.clone()), self.targets.clone().select(0, ids)].map(|t| {
            let [_, features] = t.dims();
            t.reshape([runs, each, features])
        })
    }
}

/// What a trainer learns and is measured on: a split, normalized by its training part, on a device.
#[derive(Debug, Clone)]
pub struct Task {
    pub(super) train: Examples,
    pub(super) test: Examples,
    input: [usize; 3],
    classes: usize,
    device: Device,
}

impl Task {
    /// Uploads a split. Both parts are normalized with the training part's mean and deviation.
    #[must_use]
    pub fn new(split: &Split, device: &Device) -> Self {
        let norm = split.train.mean_std();
        Self {
            train: Examples::new(&split.train, norm, device),
            test: Examples::new(&split.test, norm, device),
            input: split.train.shape(),
            classes: split.train.classes().len(),
            device: device.clone(),
        }
    }

    /// `[channels, height, width]` of every image.
    #[must_use]
    pub fn input(&self) -> [usize; 3] {
        self.input
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The training images, `[examples, features]`.
    #[must_use]
    pub fn train_images(&self) -> Tensor<2> {
        self.train.images.all()
    }

    /// The test images, `[examples, features]`.
    #[must_use]
    pub fn test_images(&self) -> Tensor<2> {
        self.test.images.all()
    }

    /// Number of training examples.
    #[must_use]
    pub fn train_examples(&self) -> usize {
        self.train.count
    }

    /// Number of test examples.
    #[must_use]
    pub fn test_examples(&self) -> usize {
        self.test.count
    }

    /// Where the tensors are.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }
}

#[cfg(all(test, feature = "full-scale"))]
mod tests {
    use super::*;

    #[test]
    fn packed_images_are_those_that_are_normalized_at_once() {
        let pixels: Vec<u8> = (0..6 * 48).map(|i| (i * 89 % 256) as u8).collect();
        let classes = vec!["a".to_owned(), "b".to_owned()];
        let data = Dataset::new("bytes", [3, 4, 4], pixels, vec![0, 1, 0, 1, 0, 1], classes).unwrap();
        assert!((0..6).any(|i| data.image(i).contains(&255)), "the sign bit too");
        let (norm, device) = (data.mean_std(), Device::flex());
        let packed = Images::packed(&data, norm, &device);
        let ready = Images::Normalized(Tensor::from_data(TensorData::new(data.normalized(norm), [6, 48]), &device));
        let ids = || Tensor::from_data(TensorData::new(vec![4, 0, 4], [3]), &device);
        let ways: [fn(&Images, Tensor<1, Int>) -> Tensor<2>; 3] =
            [|images, _| images.all(), |images, _| images.range(2, 5), |images, ids| images.select(ids)];
        for rows in ways {
            let [a, b] = [&packed, &ready].map(|i| rows(i, ids()).into_data().try_to_vec::<f32>().unwrap());
            assert_eq!(a.len(), b.len());
            assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-6), "{a:?} {b:?}");
        }
    }
}
