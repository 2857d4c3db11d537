//! The IDX format of MNIST and Fashion-MNIST, plain or gzipped.

use std::{borrow::Cow, io::Read};

use flate2::read::GzDecoder;

use super::{DataError, Dataset};

/// MNIST's classes.
pub const MNIST_CLASSES: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// Fashion-MNIST's classes.
pub const FASHION_MNIST_CLASSES: [&str; 10] =
    ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];

pub(super) const IMAGES: u32 = 0x0000_0803;
pub(super) const LABELS: u32 = 0x0000_0801;
/// Larger than any published IDX file; a gzip bomb stops here.
const LIMIT: u64 = 1 << 30;

/// Reads a data set from its two IDX files' bytes, each plain or gzipped.
///
/// # Errors
/// When a file is no IDX file, is truncated or too long, or the two do not belong together.
pub fn idx_dataset(name: &str, classes: &[&str], images: &[u8], labels: &[u8]) -> Result<Dataset, DataError> {
    let images = gunzip(images)?;
    let labels = gunzip(labels)?;
    let ([count, height, width], pixels) = parse("images", &images, IMAGES)?;
    let ([label_count], labels) = parse("labels", &labels, LABELS)?;
    if count != label_count {
        return Err(DataError::Count { images: count, labels: label_count });
    }
    let classes = classes.iter().map(ToString::to_string).collect();
    Dataset::new(name, [1, height, width], pixels.to_vec(), labels.to_vec(), classes)
}

/// The bytes themselves, or what they hold when they are a gzip stream.
pub(super) fn gunzip(bytes: &[u8]) -> Result<Cow<'_, [u8]>, DataError> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut out = Vec::new();
    let read = GzDecoder::new(bytes).take(LIMIT).read_to_end(&mut out);
    read.map_err(|e| DataError::Gzip(e.to_string()))?;
    Ok(Cow::Owned(out))
}

/// Header `magic, dims…` (big-endian u32) and exactly the bytes that it announces.
fn parse<'a, const D: usize>(
    what: &'static str,
    bytes: &'a [u8],
    magic: u32,
) -> Result<([usize; D], &'a [u8]), DataError> {
    let word = |i: usize| {
        let four = bytes.get(4 * i..4 * i + 4)?;
        Some(u32::from_be_bytes(four.try_into().expect("a slice of four bytes")))
    };
    let length = |expected: String| DataError::Length { what: format!("IDX {what}"), found: bytes.len(), expected };
    let header = 4 * (D + 1);
    let found = word(0).ok_or_else(|| length(format!("at least {header}")))?;
    if found != magic {
        return Err(DataError::Magic { what, found, expected: magic });
    }
    let mut dims = [0; D];
    for (i, dim) in dims.iter_mut().enumerate() {
        *dim = word(i + 1).ok_or_else(|| length(format!("at least {header}")))? as usize;
    }
    let body = dims.iter().try_fold(1_usize, |n, &d| n.checked_mul(d));
    let total = body.and_then(|n| n.checked_add(header));
    match total {
        Some(total) if bytes.len() == total => Ok((dims, &bytes[header..])),
        Some(total) => Err(length(total.to_string())),
        None => Err(length(format!("the impossible size {dims:?}"))),
    }
}
