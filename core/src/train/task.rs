//! A split's images and targets, resident on a device.

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::data::{Dataset, Split};

/// Images `[examples, features]` and one-hot targets `[examples, classes]`.
#[derive(Debug, Clone)]
pub(super) struct Examples {
    pub images: Tensor<2>,
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
        let images = TensorData::new(data.normalized(norm), [count, data.image_size()]);
        Self {
            images: Tensor::from_data(images, device),
            targets: Tensor::from_data(TensorData::new(one_hot, [count, classes]), device),
            count,
        }
    }

    /// All of them, `[1, examples, …]`.
    pub fn all(&self) -> [Tensor<3>; 2] {
        [self.images.clone().unsqueeze(), self.targets.clone().unsqueeze()]
    }

    /// Those from `start` to `end`, `[1, end − start, …]`.
    pub fn range(&self, start: usize, end: usize) -> [Tensor<3>; 2] {
        if (start, end) == (0, self.count) {
            return self.all();
        }
        [&self.images, &self.targets].map(|t| t.clone().narrow(0, start, end - start).unsqueeze())
    }

    /// Those at `indices`, `[runs, indices per run, …]`.
    pub fn gather(&self, indices: &[usize], runs: usize) -> [Tensor<3>; 2] {
        let each = indices.len() / runs;
        let ids: Vec<i32> = indices.iter().map(|&i| i32::try_from(i).expect("fewer than 2^31 examples")).collect();
        let ids: Tensor<1, Int> = Tensor::from_data(TensorData::new(ids, [indices.len()]), &self.images.device());
        [&self.images, &self.targets].map(|t| {
            let [_, features] = t.dims();
            t.clone().select(0, ids.clone()).reshape([runs, each, features])
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
        self.train.images.clone()
    }

    /// The test images, `[examples, features]`.
    #[must_use]
    pub fn test_images(&self) -> Tensor<2> {
        self.test.images.clone()
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
