//! Loaders on made files, subsets, label noise and batches.

use std::{collections::BTreeSet, io::Write};

use flate2::{Compression, write::GzEncoder};
use l2lab_core::data::{
    Batches, CIFAR10_CLASSES, DataError, Dataset, FASHION_MNIST_CLASSES, File, MNIST_CLASSES, Sampling, cifar10,
    cifar100, cifar100_class_names, embedded, idx_dataset, split_of_files,
};
use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn idx_images(count: u32, side: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in [0x803, count, side, side] {
        bytes.extend(word.to_be_bytes());
    }
    bytes.extend((0..count * side * side).map(|i| (i % 251) as u8));
    bytes
}

fn idx_labels(labels: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in [0x801_u32, labels.len() as u32] {
        bytes.extend(word.to_be_bytes());
    }
    bytes.extend(labels);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

fn read(images: &[u8], labels: &[u8]) -> Result<Dataset, DataError> {
    idx_dataset("made", &MNIST_CLASSES, images, labels)
}

/// A data set whose image `i` is all `i`.
fn numbered(count: usize) -> Dataset {
    let pixels = (0..count).flat_map(|i| [i as u8; 4]).collect();
    let labels = (0..count).map(|i| (i % 10) as u8).collect();
    Dataset::new("numbered", [1, 2, 2], pixels, labels, MNIST_CLASSES.map(String::from).to_vec()).unwrap()
}

#[test]
fn idx_reads_what_was_written_plain_and_gzipped() {
    let (images, labels) = (idx_images(3, 4), idx_labels(&[1, 2, 3]));
    let plain = read(&images, &labels).unwrap();
    assert_eq!((plain.len(), plain.shape(), plain.labels()), (3, [1, 4, 4], &[1, 2, 3][..]));
    assert_eq!(plain.image(1), (16..32).collect::<Vec<u8>>());
    assert_eq!(read(&gzip(&images), &gzip(&labels)).unwrap(), plain);
}

#[test]
fn damaged_idx_files_are_told_apart() {
    let (images, labels) = (idx_images(3, 4), idx_labels(&[1, 2, 3]));
    assert!(matches!(read(&labels, &labels), Err(DataError::Magic { what: "images", found: 0x801, .. })));
    assert!(matches!(read(&images, &images), Err(DataError::Magic { what: "labels", .. })));
    assert!(matches!(read(&images[..20], &labels), Err(DataError::Length { found: 20, .. })));
    assert!(matches!(read(&images[..7], &labels), Err(DataError::Length { .. })));
    assert!(matches!(read(&[images.clone(), vec![0]].concat(), &labels), Err(DataError::Length { .. })));
    assert!(matches!(read(&[], &labels), Err(DataError::Length { .. })));
    assert!(matches!(read(&images, &idx_labels(&[1, 2])), Err(DataError::Count { images: 3, labels: 2 })));
    let wrong = read(&images, &idx_labels(&[1, 10, 3]));
    assert_eq!(wrong, Err(DataError::Label { label: 10, index: 1, max: 9 }));
    let packed = gzip(&images);
    assert!(matches!(read(&packed[..packed.len() / 2], &labels), Err(DataError::Gzip(_))));
    // A header that promises more than memory holds is refused by its length, not tried.
    let mut huge = images.clone();
    huge[4..16].copy_from_slice(&[0xff; 12]);
    assert!(matches!(read(&huge, &labels), Err(DataError::Length { .. })));
    assert!(matches!(read(&idx_images(0, 4), &idx_labels(&[])), Err(DataError::Empty(_))));
}

#[test]
fn cifar_records_and_their_damages() {
    let record = |label: &[u8], value: u8| [label, &[value; 3072][..]].concat();
    let two = [record(&[3], 7), record(&[9], 8)].concat();
    let data = cifar10("made", &[&two, &two[..3073]]).unwrap();
    assert_eq!((data.len(), data.shape(), data.labels()), (3, [3, 32, 32], &[3, 9, 3][..]));
    assert_eq!(data.image(1), [8; 3072]);
    assert!(matches!(cifar10("made", &[&two[..3072]]), Err(DataError::Length { found: 3072, .. })));
    assert!(matches!(cifar10("made", &[&[]]), Err(DataError::Length { found: 0, .. })));
    assert!(matches!(cifar10("made", &[&record(&[10], 0)]), Err(DataError::Label { label: 10, .. })));
    // The second of CIFAR-100's two label bytes is the class.
    let hundred = cifar100("made", &[&record(&[19, 99], 1)], cifar100_class_names()).unwrap();
    assert_eq!(hundred.labels(), [99]);
    assert!(cifar100("made", &[&record(&[19, 100], 1)], cifar100_class_names()).is_err());
    assert_eq!((data.classes(), hundred.classes().len()), (&CIFAR10_CLASSES.map(String::from)[..], 100));
}

#[test]
fn the_embedded_set_is_balanced() {
    let split = embedded().unwrap();
    assert_eq!((split.train.len(), split.test.len()), (512, 1000));
    assert_eq!(split.train.shape(), [1, 28, 28]);
    let count = |d: &Dataset, class: u8| d.labels().iter().copied().filter(|l| *l == class).collect::<Vec<_>>().len();
    for class in 0..10 {
        assert_eq!(count(&split.test, class), 100);
        assert_eq!(count(&split.train, class), if class < 2 { 52 } else { 51 });
    }
    assert_eq!(split.train.classes(), FASHION_MNIST_CLASSES);
}

#[test]
fn normalization_gives_mean_0_and_deviation_1() {
    let data = numbered(200);
    let values = data.normalized(data.mean_std());
    let n = values.len() as f32;
    let mean = values.iter().sum::<f32>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / n;
    assert!(mean.abs() < 1e-5 && (variance - 1.0).abs() < 1e-4, "mean {mean}, variance {variance}");
    let flat = Dataset::new("flat", [1, 1, 1], vec![9, 9], vec![0, 0], vec!["one".into()]).unwrap();
    assert_eq!(flat.normalized(flat.mean_std()), [0.0, 0.0]);
}

#[test]
fn subsets_and_splits_are_seeded_disjoint_and_complete() {
    let data = numbered(100);
    let subset = data.subset(30, 5, "training").unwrap();
    assert_eq!(subset, data.subset(30, 5, "training").unwrap());
    assert_ne!(subset, data.subset(30, 6, "training").unwrap());
    assert_eq!(data.subset(100, 5, "training").unwrap(), data);
    let (train, validation) = data.split(20, 1).unwrap();
    let ids = |d: &Dataset| (0..d.len()).map(|i| d.image(i)[0]).collect::<BTreeSet<_>>();
    assert_eq!((train.len(), validation.len()), (80, 20));
    assert!(ids(&train).is_disjoint(&ids(&validation)));
    assert_eq!(ids(&train).len() + ids(&validation).len(), 100);
    assert!(data.subset(101, 0, "test").is_err() && data.subset(0, 0, "test").is_err());
    assert!(data.split(100, 0).is_err() && data.split(0, 0).is_err());
}

#[test]
fn label_noise_changes_exactly_its_fraction() {
    let data = numbered(200);
    for fraction in [0.0, 0.25, 1.0] {
        let noisy = data.clone().with_label_noise(fraction, 3);
        let changed = noisy.labels().iter().zip(data.labels()).filter(|(a, b)| a != b).count();
        assert_eq!(changed, (fraction * 200.0) as usize);
        assert!(noisy.labels().iter().all(|&l| l < 10));
        assert_eq!(noisy, data.clone().with_label_noise(fraction, 3));
    }
}

#[test]
fn an_epoch_shows_every_example_once_and_replays() {
    let mut batches = Batches::new(10, 3, Sampling::Epoch, 7);
    let epoch = |b: &mut Batches, e: u64| (0..3).flat_map(|i| b.indices(3 * e + i)).collect::<Vec<_>>();
    let first = epoch(&mut batches, 0);
    assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), 9);
    let second = epoch(&mut batches, 1);
    assert_ne!(first, second);
    // Any step can be asked for again, in any order, by another instance.
    assert_eq!(epoch(&mut batches, 0), first);
    assert_eq!(Batches::new(10, 3, Sampling::Epoch, 7).indices(4), second[3..6]);
    assert_ne!(epoch(&mut batches.with_seed(8), 0), first);
    assert_eq!(Batches::new(10, 0, Sampling::Epoch, 7).indices(2), (0..10).collect::<Vec<_>>());
    let drawn = Batches::new(10, 3, Sampling::Replacement, 7).indices(2);
    // A full batch is whole, whatever its order and the sampling.
    for sampling in [Sampling::Epoch, Sampling::Replacement] {
        let mut shuffling = Batches::new(10, 0, sampling, 7).shuffling(true);
        let [a, b] = [3, 4].map(|step| shuffling.indices(step));
        assert!(a != b && [a, b].iter().all(|order| order.iter().collect::<BTreeSet<_>>().len() == 10));
    }
    assert!(drawn.len() == 3 && drawn.iter().all(|&i| i < 10));
}

proptest! {
    #[test]
    fn no_bytes_make_a_loader_panic(images in prop::collection::vec(any::<u8>(), 0..64), labels in prop::collection::vec(any::<u8>(), 0..64), cut in 0_usize..200) {
        let _ = read(&images, &labels);
        let _ = cifar10("made", &[&images]);
        let good = idx_images(3, 4);
        let mut torn = good[..cut.min(good.len())].to_vec();
        torn.extend(&images);
        let _ = read(&torn, &idx_labels(&[1, 2, 3]));
        let mut gz = gzip(&good);
        if let Some(byte) = gz.get_mut(cut) {
            *byte ^= 0x55;
        }
        let _ = read(&gz, &idx_labels(&[1, 2, 3]));
    }
}

/// The four files of a set in the IDX format, named as they are published.
fn idx_files(labels: &[u8]) -> Vec<File> {
    let images = |n: usize| idx_images(u32::try_from(n).unwrap(), 3);
    vec![
        ("t10k-images-idx3-ubyte.gz".into(), gzip(&images(2))),
        ("train-labels-idx1-ubyte".into(), idx_labels(labels)),
        ("t10k-labels-idx1-ubyte".into(), idx_labels(&[1, 2])),
        ("train-images-idx3-ubyte".into(), images(labels.len())),
    ]
}

#[test]
fn files_are_told_apart_by_what_is_in_them() {
    for (start, name) in [
        ([5, 0, 4, 1, 9, 2, 1, 3, 1, 4], "mnist"),
        ([9, 0, 0, 3, 0, 2, 7, 2, 5, 5], "fashion-mnist"),
        ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], "idx"),
    ] {
        let split = split_of_files(&idx_files(&start)).unwrap();
        assert_eq!((split.train.name(), split.train.len(), split.test.len()), (name, 10, 2));
        assert_eq!(split.train.labels(), start);
        assert_eq!(split.test.labels(), [1, 2]);
    }
    let record = |label: u8, size: usize| [vec![label], vec![7; size - 1]].concat();
    let ten = |label| record(label, 3073);
    let files = vec![
        ("data_batch_2.bin".into(), ten(2)),
        ("test_batch.bin".into(), ten(3)),
        ("data_batch_1.bin".into(), ten(1)),
    ];
    let split = split_of_files(&files).unwrap();
    assert_eq!((split.train.name(), split.train.labels(), split.test.labels()), ("cifar10", &[1, 2][..], &[3][..]));
    let hundred = [vec![3, 42], vec![7; 3072]].concat();
    let files = vec![("train.bin".into(), hundred.clone()), ("test.bin".into(), hundred)];
    let split = split_of_files(&files).unwrap();
    assert_eq!((split.train.name(), split.train.labels()), ("cifar100", &[42][..]));
}

#[test]
fn files_that_make_no_set_are_named() {
    let labels = [5, 0, 4];
    let refuse = |change: &dyn Fn(&mut Vec<File>)| {
        let mut files = idx_files(&labels);
        change(&mut files);
        split_of_files(&files).unwrap_err().to_string()
    };
    let refused = refuse(&|f| f[3].1.truncate(20));
    assert!(refused.contains("train-images-idx3-ubyte, train-labels-idx1-ubyte: IDX images: 20 bytes"), "{refused}");
    let refused = refuse(&|f| f[0].1.truncate(15));
    assert!(refused.starts_with("t10k-images-idx3-ubyte.gz: damaged gzip stream"), "{refused}");
    let refused = refuse(&|f| drop(f.remove(2)));
    assert!(refused.starts_with("the test labels (t10k-labels-idx1-ubyte) is missing"), "{refused}");
    let refused = refuse(&|f| f.push(("cat.png".into(), b"\x89PNG".to_vec())));
    assert!(refused.contains("'cat.png' is neither"), "{refused}");
    let refused = split_of_files(&[("data_batch_1.bin".into(), vec![0; 3073])]).unwrap_err().to_string();
    assert!(refused.contains("test_batch.bin"), "{refused}");
    assert!(split_of_files(&[]).is_err());
}
