//! Augmentation: exact pixel by pixel, distributed as it says, the same for the same seed, in stacks, and after a resume.

use std::sync::Arc;

use crate::train::finish;
use burn::tensor::{Device, Tensor, TensorData};
use l2lab_core::{
    Experiment,
    data::{Augmentation, Dataset, MixupBy, Split, Variation, embedded},
    run::{LambdaScheduleKind, RunSpec, Trace},
    train::{Task, Trainer, augment},
};

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const FULL: Augmentation = Augmentation { flip: true, crop: 4, mixup: 1.0, mixup_by: MixupBy::Example };

fn tensor(values: Vec<f32>, shape: [usize; 3]) -> Tensor<3> {
    Tensor::from_data(TensorData::new(values, shape), &Device::flex())
}

fn read(t: Tensor<3>) -> Vec<f32> {
    t.into_data().try_to_vec().unwrap()
}

#[test]
fn images_are_shifted_mirrored_and_mixed_as_said() {
    let [sources, batch, channels, height, width] = [2, 5, 3, 6, 4];
    let count = sources * batch;
    let images: Vec<f32> = (0..count * channels * height * width).map(|i| 1.0 + i as f32).collect();
    let targets: Vec<f32> = (0..count * 2).map(|i| if i % 2 == (i / 2) % 2 { 1.0 } else { 0.0 }).collect();
    let variations: Vec<Variation> = (0..sources).flat_map(|s| FULL.draw(batch, s as u64, 9)).collect();
    let [varied, mixed] = augment(
        [
            tensor(images.clone(), [sources, batch, channels * height * width]),
            tensor(targets.clone(), [sources, batch, 2]),
        ],
        [channels, height, width],
        &variations,
    );
    let (varied, mixed) = (read(varied), read(mixed));
    let moved = |n: usize, c: usize, row: usize, column: usize| {
        let v = variations[n];
        let column = if v.flip { width - 1 - column } else { column };
        let (r, k) = (row as i32 + v.shift[0], column as i32 + v.shift[1]);
        let inside = (0..height as i32).contains(&r) && (0..width as i32).contains(&k);
        let at = ((n * channels + c) * height + r.max(0) as usize) * width + k.max(0) as usize;
        if inside { images[at] } else { 0.0 }
    };
    let partner = |n: usize| n / batch * batch + (batch - 1 - n % batch);
    for n in 0..count {
        let share = variations[n].share;
        let mix = |own: f32, other: f32| share * own + (1.0 - share) * other;
        for c in 0..channels {
            for (row, column) in (0..height).flat_map(|r| (0..width).map(move |k| (r, k))) {
                let expected = mix(moved(n, c, row, column), moved(partner(n), c, row, column));
                let found = varied[((n * channels + c) * height + row) * width + column];
                assert!(
                    (found - expected).abs() < 1e-3,
                    "image {n}, channel {c}, {row}, {column}: {found}, {expected}"
                );
            }
        }
        for class in 0..2 {
            let expected = mix(targets[n * 2 + class], targets[partner(n) * 2 + class]);
            assert!((mixed[n * 2 + class] - expected).abs() < 1e-6);
        }
    }
    let only = |a: Augmentation| a.draw(batch, 3, 1);
    let shift = Augmentation { mixup: 0.0, ..FULL };
    let [plain, same] =
        augment([tensor(images.clone(), [2, 5, 72]), tensor(targets.clone(), [2, 5, 2])], [3, 6, 4], &{
            let mut all = only(shift);
            all.extend(only(shift));
            all
        });
    assert_eq!(read(same), targets, "what is not mixed keeps its target");
    let plain = read(plain);
    assert!(plain.iter().all(|v| *v == 0.0 || images.contains(v)), "pixels are moved, not changed");
    assert!(plain.iter().filter(|v| **v != 0.0).count() > plain.len() / 10, "not all are moved out of sight");
}

#[test]
fn draws_are_distributed_as_they_say() {
    let n = 20_000;
    let drawn = FULL.draw(n, 5, 0);
    let mean = |of: &dyn Fn(&Variation) -> f64| drawn.iter().map(of).sum::<f64>() / n as f64;
    // Five standard errors.
    let near = |found: f64, expected: f64, sd: f64| {
        assert!((found - expected).abs() < 5.0 * sd / (n as f64).sqrt(), "{found} is not {expected}");
    };
    near(mean(&|v| f64::from(u8::from(v.flip))), 0.5, 0.5);
    for axis in 0..2 {
        for shift in -4..=4 {
            near(mean(&|v| f64::from(u8::from(v.shift[axis] == shift))), 1.0 / 9.0, 0.32);
        }
    }
    assert!(drawn.iter().all(|v| v.shift.iter().all(|s| s.abs() <= 4)));
    let share = |v: &Variation| f64::from(v.share);
    near(mean(&share), 0.5, 0.29);
    near(mean(&|v| (share(v) - 0.5).powi(2)), 1.0 / 12.0, 0.08);
    // Beta(α, α) has the variance 1/(8α + 4).
    let narrow = Augmentation { mixup: 0.2, ..FULL }.draw(n, 6, 0);
    let variance = narrow.iter().map(|v| (share(v) - 0.5).powi(2)).sum::<f64>() / n as f64;
    near(variance, 1.0 / 5.6, 0.1);
    let batch = Augmentation { mixup_by: MixupBy::Batch, ..FULL }.draw(50, 5, 0);
    assert!(batch.iter().all(|v| v.share == batch[0].share) && batch[0].share < 1.0);
    assert_eq!(FULL.draw(50, 5, 7), FULL.draw(50, 5, 7));
    assert_ne!(FULL.draw(50, 5, 7), FULL.draw(50, 5, 8));
    assert_ne!(FULL.draw(50, 5, 7), FULL.draw(50, 6, 7));
    assert!(Augmentation::default().is_none() && !FULL.is_none());
}

fn experiment() -> Experiment {
    let settings = [
        ("width", "8"),
        ("depth", "2"),
        ("batch", "16"),
        ("flip", "true"),
        ("crop", "3"),
        ("mixup", "0.5"),
        ("label-smoothing", "0.1"),
        ("lr-warm-up", "0.3"),
    ];
    let experiment = Experiment::default().with(&settings).unwrap();
    experiment.validate().unwrap();
    experiment
}

fn task() -> Arc<Task> {
    let full = embedded().unwrap();
    let split =
        Split { train: full.train.subset(64, 0, "training").unwrap(), test: full.test.subset(40, 0, "test").unwrap() };
    Arc::new(Task::new(&split, &Device::flex()))
}

fn spec(seed: u64) -> RunSpec {
    RunSpec {
        lambda: 0.01,
        lambda_schedule: LambdaScheduleKind::Constant,
        lr: 0.1,
        momentum: 0.9,
        seed,
        steps: 20,
        per_decade: 5,
    }
}

#[test]
fn a_stack_and_a_resumed_run_see_the_same_variations() {
    let (e, task) = (experiment(), task());
    let alone: Vec<Trace> =
        [4, 9].iter().flat_map(|&s| finish(Trainer::new(&e, Arc::clone(&task), vec![spec(s)]))).collect();
    let together = finish(Trainer::new(&e, Arc::clone(&task), vec![spec(4), spec(9)]));
    let points = |traces: &[Trace]| traces.iter().flat_map(|t| t.points.clone()).collect::<Vec<_>>();
    let (a, b) = (points(&alone), points(&together));
    assert_eq!((a.len(), b.len()), (18, 18), "two runs of nine measurements");
    for (a, b) in a.iter().zip(&b) {
        assert!((a.test_loss - b.test_loss).abs() < 1e-4 * a.test_loss, "step {}", a.step);
    }
    let mut broken = Trainer::new(&e, Arc::clone(&task), vec![spec(4)]);
    for _ in 0..7 {
        if broken.is_due() {
            pollster::block_on(broken.measure()).unwrap();
        }
        broken.step();
    }
    let kept = pollster::block_on(broken.snapshot()).unwrap();
    let mut resumed = Trainer::new(&e, Arc::clone(&task), vec![spec(4)]);
    resumed.restore(kept).unwrap();
    assert_eq!(finish(resumed), alone[..1], "bit by bit");
    let plain = Experiment { flip: false, crop: 0, mixup: 0.0, ..e };
    assert_ne!(finish(Trainer::new(&plain, task, vec![spec(4)])), alone[..1]);
}

#[test]
fn partners_in_a_full_batch_change_from_step_to_step() {
    // Read backwards it is the same: mixed with the one as far from the other end, every example would stay as it is.
    let pixels: Vec<u8> = (0..12_u8).flat_map(|i| [i.min(11 - i) * 20, 255 - i.min(11 - i)]).collect();
    let labels: Vec<u8> = (0..12).map(|i| i.min(11 - i) % 2).collect();
    let data = Dataset::new("palindrome", [1, 1, 2], pixels, labels, vec!["a".into(), "b".into()]).unwrap();
    let task = Arc::new(Task::new(&Split { train: data.clone(), test: data }, &Device::flex()));
    let trained = |mixup: &str| {
        let settings = [("model", "linear"), ("batch", "0"), ("mixup", mixup)];
        let e = Experiment::default().with(&settings).unwrap();
        let mut trainer = Trainer::new(&e, Arc::clone(&task), vec![spec(4)]);
        trainer.step();
        trainer.params().iter().flat_map(|p| p.clone().into_data().try_to_vec::<f32>().unwrap()).collect::<Vec<_>>()
    };
    let (plain, mixed) = (trained("0"), trained("1"));
    assert!(plain.iter().zip(&mixed).any(|(a, b)| (a - b).abs() > 1e-3), "{plain:?} {mixed:?}");
}
