//! A small balanced Fashion-MNIST subset that is part of the program: no download, no file.
//!
//! Made by `cargo run --release -p l2lab-core --example embed -- DIR` from the original files.
//! Fashion-MNIST is © 2017 Zalando SE, MIT licence; the notice is in `core/assets`.

use super::{DataError, FASHION_MNIST_CLASSES, Split, idx_dataset};

macro_rules! asset {
    ($file:literal) => {
        include_bytes!(concat!("../../assets/fashion-mnist-512/", $file, "-ubyte.gz"))
    };
}

/// 512 training and 1000 test images of Fashion-MNIST, balanced over the ten classes.
///
/// # Errors
/// Never, unless the program file itself is damaged.
pub fn embedded() -> Result<Split, DataError> {
    let part = |images, labels| idx_dataset("fashion-mnist-512", &FASHION_MNIST_CLASSES, images, labels);
    Ok(Split {
        train: part(asset!("train-images-idx3"), asset!("train-labels-idx1"))?,
        test: part(asset!("t10k-images-idx3"), asset!("t10k-labels-idx1"))?,
    })
}
