//! What is learned from: labelled images, the formats they come in, and the order they are seen in.

mod augmentation;
mod batches;
mod cifar;
#[cfg(feature = "embedded")]
mod embedded;
mod files;
mod idx;

pub use augmentation::{Augmentation, MixupBy, Variation};
pub use batches::{Batches, Sampling};
pub(crate) use batches::{batch_size, steps_per_epoch};
pub use cifar::{CIFAR10_CLASSES, cifar10, cifar100, cifar100_class_names};
#[cfg(feature = "embedded")]
pub use embedded::embedded;
pub use files::{File, split_of_files};
pub use idx::{FASHION_MNIST_CLASSES, MNIST_CLASSES, idx_dataset};

use std::sync::Arc;

use rand::{RngExt, seq::SliceRandom};

use crate::random::{Stream, stream};

/// Why bytes are no data set, or a request cannot be met by one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DataError {
    /// The bytes start with something else than the format's magic number.
    #[error("not an IDX file of {what}: its magic number is {found:#010x}, expected {expected:#010x}")]
    Magic {
        /// `images` or `labels`.
        what: &'static str,
        /// The number found.
        found: u32,
        /// The number the format asks for.
        expected: u32,
    },
    /// The bytes are not as many as the header or the format implies.
    #[error("{what}: {found} bytes, expected {expected} (the file is truncated or has extra bytes)")]
    Length {
        /// What was read.
        what: String,
        /// Bytes found.
        found: usize,
        /// Bytes expected.
        expected: String,
    },
    /// A label names no class.
    #[error("label {label} of example {index} is out of range: the classes are 0 to {max}")]
    Label {
        /// The label found.
        label: u8,
        /// The example that has it.
        index: usize,
        /// The largest allowed label.
        max: usize,
    },
    /// Images and labels do not belong together.
    #[error("{images} images but {labels} labels")]
    Count {
        /// Number of images.
        images: usize,
        /// Number of labels.
        labels: usize,
    },
    /// There is nothing in it.
    #[error("{0} has no examples")]
    Empty(String),
    /// More examples were asked for than there are.
    #[error("{asked} {what} examples were asked for, but {name} has {available}")]
    TooFew {
        /// `training`, `test` or `validation`.
        what: &'static str,
        /// The data set's name.
        name: String,
        /// How many were asked for.
        asked: usize,
        /// How many there are.
        available: usize,
    },
    /// The gzip stream is damaged.
    #[error("damaged gzip stream: {0}")]
    Gzip(String),
    /// A file is of no known format.
    #[error(
        "'{0}' is neither an IDX file (MNIST, Fashion-MNIST) nor whole CIFAR records: it is something else, or truncated"
    )]
    Foreign(String),
    /// A file is not among those given.
    #[error("{0} is missing; give all files of the data set together")]
    Missing(&'static str),
    /// What is wrong with named files.
    #[error("{files}: {error}")]
    In {
        /// Their names.
        files: String,
        /// What is wrong.
        error: Box<DataError>,
    },
}

impl DataError {
    fn within(self, files: &[&str]) -> Self {
        Self::In { files: files.join(", "), error: Box::new(self) }
    }
}

/// Labelled 8-bit images of one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    name: String,
    channels: usize,
    height: usize,
    width: usize,
    /// `[examples, channels, height, width]`, row-major.
    pixels: Arc<[u8]>,
    labels: Vec<u8>,
    classes: Vec<String>,
}

impl Dataset {
    /// Checks that pixels, labels and class names belong together.
    ///
    /// `pixels` is `[examples, channels, height, width]`, row-major.
    ///
    /// # Errors
    /// When there is no example, the counts disagree, or a label names no class.
    pub fn new(
        name: impl Into<String>,
        [channels, height, width]: [usize; 3],
        pixels: Vec<u8>,
        labels: Vec<u8>,
        classes: Vec<String>,
    ) -> Result<Self, DataError> {
        let name = name.into();
        let size = channels * height * width;
        if labels.is_empty() || size == 0 {
            return Err(DataError::Empty(name));
        }
        if pixels.len() != labels.len() * size {
            return Err(DataError::Count { images: pixels.len() / size, labels: labels.len() });
        }
        if let Some((index, &label)) =
            labels.iter().enumerate().find(|&(_, &label)| usize::from(label) >= classes.len())
        {
            return Err(DataError::Label { label, index, max: classes.len().saturating_sub(1) });
        }
        Ok(Self { name, channels, height, width, pixels: pixels.into(), labels, classes })
    }

    /// The data set's own name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of examples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Never true: a data set has at least one example.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// `[channels, height, width]` of every image.
    #[must_use]
    pub fn shape(&self) -> [usize; 3] {
        [self.channels, self.height, self.width]
    }

    /// Values per image, over channels, rows and columns.
    #[must_use]
    pub fn image_size(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// The class of each example.
    #[must_use]
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// The classes' names; labels index them.
    #[must_use]
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The bytes of image `index`, `[channels, height, width]`.
    ///
    /// # Panics
    /// When `index` is not below [`Self::len`].
    #[must_use]
    pub fn image(&self, index: usize) -> &[u8] {
        let size = self.image_size();
        &self.pixels[index * size..(index + 1) * size]
    }

    /// The examples at `indices`, in that order.
    ///
    /// # Panics
    /// When there is no example at an index.
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        let pixels: Vec<u8> = indices.iter().flat_map(|&i| self.image(i)).copied().collect();
        let labels = indices.iter().map(|&i| self.labels[i]).collect();
        Self { pixels: pixels.into(), labels, ..self.clone() }
    }

    /// `count` examples drawn without replacement by `seed`, split off: `(drawn, rest)`.
    /// The order of the data set is kept in both.
    fn draw(&self, count: usize, seed: u64) -> (Vec<usize>, Vec<usize>) {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.shuffle(&mut stream(seed, Stream::Subset, 0));
        let (drawn, rest) = order.split_at_mut(count);
        drawn.sort_unstable();
        rest.sort_unstable();
        (drawn.to_vec(), rest.to_vec())
    }

    /// `count` examples drawn without replacement by `seed`, in the data set's order. `part` names in errors
    /// what they are for: `training` or `test`.
    ///
    /// # Errors
    /// When `count` is zero or more than there are.
    pub fn subset(&self, count: usize, seed: u64, part: &'static str) -> Result<Self, DataError> {
        match count {
            0 => Err(DataError::Empty(format!("a subset of {}", self.name))),
            n if n > self.len() => {
                Err(DataError::TooFew { what: part, name: self.name.clone(), asked: n, available: self.len() })
            }
            n if n == self.len() => Ok(self.clone()),
            n => Ok(self.select(&self.draw(n, seed).0)),
        }
    }

    /// Splits off `count` validation examples drawn by `seed`: `(training, validation)`.
    ///
    /// # Errors
    /// When either part would be empty.
    pub fn split(&self, count: usize, seed: u64) -> Result<(Self, Self), DataError> {
        if count == 0 || count >= self.len() {
            return Err(DataError::TooFew {
                what: "validation",
                name: self.name.clone(),
                asked: count,
                available: self.len() - 1,
            });
        }
        let (drawn, rest) = self.draw(count, seed);
        Ok((self.select(&rest), self.select(&drawn)))
    }

    /// Gives `fraction` of the examples another class, drawn uniformly from the others by `seed`.
    ///
    /// # Panics
    /// When `fraction` is not within 0 to 1 (the [`crate::Experiment`] checks it).
    #[must_use]
    pub fn with_label_noise(mut self, fraction: f64, seed: u64) -> Self {
        assert!((0.0..=1.0).contains(&fraction), "label noise {fraction} is not within 0 to 1");
        let classes = self.classes.len();
        if classes < 2 {
            return self;
        }
        let mut rng = stream(seed, Stream::LabelNoise, 0);
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.shuffle(&mut rng);
        let noisy = (fraction * self.len() as f64).round() as usize;
        for &i in &order[..noisy] {
            let other = rng.random_range(1..classes);
            let label = (usize::from(self.labels[i]) + other) % classes;
            self.labels[i] = u8::try_from(label).expect("there are at most 256 classes");
        }
        self
    }

    /// Mean and standard deviation over all pixels, of values scaled to 0..1.
    /// A constant image set has standard deviation 1, so that dividing by it is safe.
    #[must_use]
    pub fn mean_std(&self) -> [f32; 2] {
        let n = self.pixels.len() as f64;
        let (mut sum, mut squares) = (0_u64, 0_u64);
        for &p in &*self.pixels {
            sum += u64::from(p);
            squares += u64::from(p) * u64::from(p);
        }
        let mean = sum as f64 / n;
        let variance = (squares as f64 / n - mean * mean).max(0.0);
        let std = if variance > 0.0 { variance.sqrt() } else { 255.0 };
        [(mean / 255.0) as f32, (std / 255.0) as f32]
    }

    /// All images as numbers, `(x/255 − mean) / std`: `[examples, channels·height·width]`.
    #[must_use]
    pub fn normalized(&self, [mean, std]: [f32; 2]) -> Vec<f32> {
        let table: Vec<f32> = (0..=255_u8).map(|p| (f32::from(p) / 255.0 - mean) / std).collect();
        self.pixels.iter().map(|&p| table[usize::from(p)]).collect()
    }
}

/// What a network learns from and what it is judged on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The examples trained on.
    pub train: Dataset,
    /// The examples that accuracy is measured on.
    pub test: Dataset,
}
