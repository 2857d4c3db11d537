//! The binary layouts of CIFAR-10 and CIFAR-100.

use super::{DataError, Dataset};

/// CIFAR-10's classes.
pub const CIFAR10_CLASSES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

const PIXELS: usize = 3 * 32 * 32;

/// CIFAR-100's fine class names are not in its binary files' records: they are numbered here.
#[must_use]
pub fn cifar100_class_names() -> Vec<String> {
    (0..100).map(|i| format!("class {i}")).collect()
}

/// Reads CIFAR-10 from the bytes of its `data_batch_*.bin` (or `test_batch.bin`) files, in order.
///
/// # Errors
/// When a file is not a whole number of records, or a label is above 9.
pub fn cifar10(name: &str, files: &[&[u8]]) -> Result<Dataset, DataError> {
    records(name, files, 1, CIFAR10_CLASSES.map(String::from).to_vec())
}

/// Reads CIFAR-100 (fine labels) from the bytes of `train.bin` or `test.bin`.
///
/// # Errors
/// When the file is not a whole number of records, or a label is above 99.
pub fn cifar100(name: &str, files: &[&[u8]], classes: Vec<String>) -> Result<Dataset, DataError> {
    records(name, files, 2, classes)
}

/// Records of `label_bytes` labels, the last one the class, then 3×32×32 pixels.
fn records(name: &str, files: &[&[u8]], label_bytes: usize, classes: Vec<String>) -> Result<Dataset, DataError> {
    let record = label_bytes + PIXELS;
    let total: usize = files.iter().map(|f| f.len() / record).sum();
    let mut pixels = Vec::with_capacity(total * PIXELS);
    let mut labels = Vec::with_capacity(total);
    for bytes in files {
        if bytes.is_empty() || bytes.len() % record != 0 {
            return Err(DataError::Length {
                what: "CIFAR records".into(),
                found: bytes.len(),
                expected: format!("a multiple of {record}"),
            });
        }
        for r in bytes.chunks_exact(record) {
            labels.push(r[label_bytes - 1]);
            pixels.extend_from_slice(&r[label_bytes..]);
        }
    }
    Dataset::new(name, [3, 32, 32], pixels, labels, classes)
}
