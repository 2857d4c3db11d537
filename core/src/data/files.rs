//! Which data set some files are, told from their bytes and names: what a reader drops on a page.

use std::borrow::Cow;

use super::{
    DataError, Dataset, FASHION_MNIST_CLASSES, MNIST_CLASSES, Split, cifar10, cifar100, cifar100_class_names,
    idx::{self, gunzip, idx_dataset},
};

/// A file's name and bytes.
pub type File = (String, Vec<u8>);

/// A file whose format was recognized.
struct Known<'a> {
    name: &'a str,
    bytes: Cow<'a, [u8]>,
    format: Format,
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    IdxImages,
    IdxLabels,
    Cifar10,
    Cifar100,
}

/// The labels that the training sets begin with.
const MNIST_START: [u8; 10] = [5, 0, 4, 1, 9, 2, 1, 3, 1, 4];
const FASHION_MNIST_START: [u8; 10] = [9, 0, 0, 3, 0, 2, 7, 2, 5, 5];

/// The data set that `files` make: the four IDX files of MNIST or Fashion-MNIST (plain or gzipped), or binary files of
/// CIFAR-10 or CIFAR-100. Files with `t10k` or `test` in their name are the test set's. The set is named as an experiment's
/// `data` names it; one in the IDX format that is neither MNIST nor Fashion-MNIST is `idx`.
///
/// # Errors
/// When a file is of none of the formats or damaged, or one is missing; the message names it.
pub fn split_of_files(files: &[File]) -> Result<Split, DataError> {
    let mut known = Vec::with_capacity(files.len());
    for (name, bytes) in files {
        let name = name.as_str();
        let bytes = gunzip(bytes).map_err(|e| e.within(&[name]))?;
        let format = format(&bytes).ok_or_else(|| DataError::Foreign(name.to_owned()))?;
        known.push(Known { name, bytes, format });
    }
    // In the order of their names: CIFAR-10's batches.
    known.sort_by_key(|k| k.name);
    let pick = |format: Format, test: bool| -> Vec<&Known> {
        known.iter().filter(|k| k.format == format && is_test(k.name) == test).collect()
    };
    let one = |format, test, what: &'static str| pick(format, test).first().copied().ok_or(DataError::Missing(what));
    let any = |format| known.iter().any(|k| k.format == format);
    if any(Format::IdxImages) || any(Format::IdxLabels) {
        let labels = one(Format::IdxLabels, false, "the training labels (train-labels-idx1-ubyte)")?;
        let (name, classes) = idx_set(&labels.bytes);
        let set = |images: &Known, labels: &Known| {
            let read = idx_dataset(name, &classes, &images.bytes, &labels.bytes);
            read.map_err(|e| e.within(&[images.name, labels.name]))
        };
        return Ok(Split {
            train: set(one(Format::IdxImages, false, "the training images (train-images-idx3-ubyte)")?, labels)?,
            test: set(
                one(Format::IdxImages, true, "the test images (t10k-images-idx3-ubyte)")?,
                one(Format::IdxLabels, true, "the test labels (t10k-labels-idx1-ubyte)")?,
            )?,
        });
    }
    let hundred = any(Format::Cifar100);
    let format = if hundred { Format::Cifar100 } else { Format::Cifar10 };
    let part = |test, what| {
        one(format, test, what)?;
        let chosen = pick(format, test);
        let bytes: Vec<&[u8]> = chosen.iter().map(|k| &*k.bytes).collect();
        let read: Result<Dataset, DataError> =
            if hundred { cifar100("cifar100", &bytes, cifar100_class_names()) } else { cifar10("cifar10", &bytes) };
        read.map_err(|e| e.within(&chosen.iter().map(|k| k.name).collect::<Vec<_>>()))
    };
    Ok(Split {
        train: part(false, if hundred { "CIFAR-100's train.bin" } else { "a training batch (data_batch_1.bin)" })?,
        test: part(true, if hundred { "CIFAR-100's test.bin" } else { "the test batch (test_batch.bin)" })?,
    })
}

fn is_test(name: &str) -> bool {
    let name = name.to_lowercase();
    name.contains("t10k") || name.contains("test")
}

fn format(bytes: &[u8]) -> Option<Format> {
    match bytes.first_chunk().map(|first| u32::from_be_bytes(*first)) {
        Some(idx::IMAGES) => return Some(Format::IdxImages),
        Some(idx::LABELS) => return Some(Format::IdxLabels),
        _ => {}
    }
    // A label and 32×32 pixels in three colours; two labels.
    let records = |size: usize| !bytes.is_empty() && bytes.len().is_multiple_of(size);
    if records(3073) && bytes.iter().step_by(3073).all(|&label| label < 10) {
        Some(Format::Cifar10)
    } else {
        records(3074).then_some(Format::Cifar100)
    }
}

/// The name and classes of the set whose file of training labels this is.
fn idx_set(labels: &[u8]) -> (&'static str, [&'static str; 10]) {
    // Behind the header's two words.
    let labels = labels.get(8..).unwrap_or_default();
    if labels.starts_with(&FASHION_MNIST_START) {
        ("fashion-mnist", FASHION_MNIST_CLASSES)
    } else if labels.starts_with(&MNIST_START) {
        ("mnist", MNIST_CLASSES)
    } else {
        ("idx", MNIST_CLASSES)
    }
}
