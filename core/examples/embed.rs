//! Makes `core/assets/fashion-mnist-512` from the original Fashion-MNIST files in DIR:
//! `cargo run --release -p l2lab-core --example embed -- DIR`. Same input, same bytes.

use std::{error::Error, fs, io::Write, path::Path};

use flate2::{Compression, write::GzEncoder};
use l2lab_core::{
    Experiment,
    data::{Dataset, FASHION_MNIST_CLASSES, idx_dataset},
    figure::Figure,
};

fn main() -> Result<(), Box<dyn Error>> {
    let dir = std::env::args().nth(1).ok_or("usage: embed DIR (with Fashion-MNIST's four IDX files)")?;
    let out = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/fashion-mnist-512");
    fs::create_dir_all(&out)?;
    for (part, count) in [("train", 512), ("t10k", 1000)] {
        let read = |kind: &str| fs::read(Path::new(&dir).join(format!("{part}-{kind}-ubyte")));
        let full = idx_dataset("fashion-mnist", &FASHION_MNIST_CLASSES, &read("images-idx3")?, &read("labels-idx1")?)?;
        let chosen = full.select(&balanced(&full, count));
        write_set(&out, part, &chosen)?;
        if part == "t10k" {
            // What a page's experiment draws from the 1000, so that it need not load the others.
            let Experiment { test, data_seed, .. } = Figure::Clock.experiment();
            write_set(&out, &format!("t10k-{test}"), &chosen.subset(test, data_seed, "test")?)?;
        }
    }
    Ok(())
}

fn write_set(out: &Path, part: &str, set: &Dataset) -> Result<(), Box<dyn Error>> {
    let [_, height, width] = set.shape();
    let images = (0..set.len()).flat_map(|i| set.image(i)).copied().collect::<Vec<u8>>();
    write(&out.join(format!("{part}-images-idx3-ubyte.gz")), 0x803, &[set.len(), height, width], &images)?;
    write(&out.join(format!("{part}-labels-idx1-ubyte.gz")), 0x801, &[set.len()], set.labels())
}

/// The first examples of each class, as equally many as `count` allows, in the data set's order.
fn balanced(data: &Dataset, count: usize) -> Vec<usize> {
    let classes = data.classes().len();
    let mut left: Vec<usize> = (0..classes).map(|c| count / classes + usize::from(c < count % classes)).collect();
    let mut keep = Vec::with_capacity(count);
    for (i, &label) in data.labels().iter().enumerate() {
        let left = &mut left[usize::from(label)];
        if *left > 0 {
            *left -= 1;
            keep.push(i);
        }
    }
    keep
}

/// An IDX file, gzipped without a time stamp.
fn write(path: &Path, magic: u32, dims: &[usize], body: &[u8]) -> Result<(), Box<dyn Error>> {
    let mut gz = GzEncoder::new(fs::File::create(path)?, Compression::best());
    gz.write_all(&magic.to_be_bytes())?;
    for &d in dims {
        gz.write_all(&u32::try_from(d)?.to_be_bytes())?;
    }
    gz.write_all(body)?;
    gz.finish()?.sync_all()?;
    Ok(())
}
