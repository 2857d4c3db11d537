//! Wide ResNets: their size, and their forward pass and updates beside PyTorch's (tests/wrn-fixtures.py).

use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use l2lab_core::{
    Experiment,
    data::{Dataset, Split},
    model::{Mode, Model},
    run::{LambdaScheduleKind, RunSpec},
    train::{Task, Trainer},
};
use pollster::block_on;
use serde::Deserialize;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[derive(Deserialize)]
struct Fixture {
    batch: usize,
    side: usize,
    classes: usize,
    lr: f64,
    lambda: f64,
    momentum: f64,
    counts: std::collections::BTreeMap<String, usize>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    depth: usize,
    width: usize,
    shortcut: String,
    logits: Vec<Vec<f32>>,
    tested: Vec<f32>,
    updated: Vec<Updated>,
    parameters: usize,
}

#[derive(Deserialize)]
struct Updated {
    first: Vec<f32>,
    norm: f64,
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("../fixtures/wrn.json")).unwrap()
}

/// A wrn of a depth and a width.
fn wrn(depth: usize, width: usize, shortcut: &str) -> Experiment {
    let sizes = [depth.to_string(), width.to_string()];
    let settings = [("model", "wrn"), ("depth", &sizes[0]), ("width", &sizes[1]), ("shortcut", shortcut)];
    let experiment = Experiment::default().with(&settings).unwrap();
    experiment.validate().unwrap();
    experiment
}

#[test]
fn the_published_numbers_of_parameters() {
    let images = |experiment: &Experiment| Model::new(experiment.model_config(), [3, 32, 32], 10);
    let counts = fixture().counts;
    assert!(!counts.is_empty());
    for (name, count) in counts {
        let (depth, width) = name.split_once('-').unwrap();
        let model = images(&wrn(depth.parse().unwrap(), width.parse().unwrap(), "1x1"));
        assert_eq!(model.parameter_count(), count, "{name}");
    }
    let full = images(&wrn(28, 10, "1x1"));
    assert_eq!(full.parameter_count(), 36_479_194, "36.5 million");
    let shape = |name: &str| full.params().iter().find(|p| p.name == name).unwrap().shape.clone();
    assert_eq!(shape("conv.weight"), [16, 3, 3, 3]);
    assert_eq!(shape("group1.block1.shortcut.weight"), [160, 16, 1, 1]);
    assert_eq!(shape("group2.block1.conv1.weight"), [320, 160, 3, 3]);
    assert_eq!(shape("group3.block4.conv2.weight"), [640, 640, 3, 3]);
    assert_eq!(shape("dense.weight"), [640, 10]);
    assert_eq!(full.params().iter().filter(|p| p.name.contains("conv")).count(), 25);
    let authors = images(&wrn(28, 10, "3x3"));
    assert_eq!(authors.parameter_count(), 36_479_194 + 8 * (16 * 160 + 160 * 320 + 320 * 640));
}

#[test]
fn depths_that_no_wide_resnet_has_are_refused() {
    for depth in ["4", "9", "11", "27"] {
        let experiment = Experiment::default().with(&[("model", "wrn"), ("width", "1"), ("depth", depth)]).unwrap();
        assert!(experiment.validate().unwrap_err().to_string().contains("6n + 4"), "{depth}");
    }
}

#[test]
fn multiplications_are_the_published_ones() {
    let count = |experiment: Experiment, input| Model::new(experiment.model_config(), input, 10).multiplications();
    // Zagoruyko & Komodakis: 5.2 billion for 28-10.
    assert_eq!(count(wrn(28, 10, "1x1"), [3, 32, 32]), 5_243_328_768);
    let cnn = |pooling: &str| {
        let settings = [("model", "cnn"), ("depth", "3"), ("width", "4"), ("pooling", pooling), ("readout", "flatten")];
        count(Experiment::default().with(&settings).unwrap(), [3, 10, 10])
    };
    assert_eq!(cnn("stride"), 9 * 3 * 4 * 100 + 9 * 16 * 25 + 10 * 4 * 25);
    assert_eq!(cnn("max"), 9 * 3 * 4 * 100 + 9 * 16 * 100 + 10 * 4 * 25);
    let fc = Experiment::default().with(&[("depth", "3"), ("width", "5")]).unwrap();
    assert_eq!(count(fc, [1, 28, 28]), 784 * 5 + 25 + 50);
}

/// As tests/wrn-fixtures.py makes them.
fn values(index: usize, shape: &[usize]) -> Vec<f32> {
    let fan_in: usize = if shape.len() == 4 { shape[1..].iter().product() } else { shape[0] };
    let value = |i: usize| {
        let i = i as f64;
        let wave = (0.7 * index as f64 + 1.3 * i + 0.01 * i * i).sin();
        if shape.len() == 1 { 0.2 * wave } else { wave * (2.0 / (fan_in as f64).sqrt()) }
    };
    (0..shape.iter().product()).map(value).map(|v| v as f32).collect()
}

fn close(a: &[f32], b: &[f32], what: &str) {
    let scale = b.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    assert_eq!(a.len(), b.len(), "{what}");
    for (x, y) in a.iter().zip(b) {
        assert!((x - y).abs() <= 1e-5 * scale, "{what}: {x} is not {y}");
    }
}

fn read(tensor: Tensor<3>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

#[test]
fn forward_and_updates_are_pytorchs() {
    let f = fixture();
    let pixels: Vec<u8> = (0..f.batch * 3 * f.side * f.side).map(|i| ((i * i * 31 + 17 * i) % 256) as u8).collect();
    let labels = (0..f.batch).map(|i| (i % f.classes) as u8).collect();
    let classes = (0..f.classes).map(|c| c.to_string()).collect();
    let data = Dataset::new("fixture", [3, f.side, f.side], pixels, labels, classes).unwrap();
    let split = Split { train: data.clone(), test: data };
    assert!(!f.cases.is_empty());
    for case in &f.cases {
        assert!(!case.logits.is_empty() && !case.tested.is_empty());
        let name = format!("{}-{}, {}", case.depth, case.width, case.shortcut);
        let experiment = Experiment { batch: 0, momentum: f.momentum, ..wrn(case.depth, case.width, &case.shortcut) };
        let task = Arc::new(Task::new(&split, &Device::flex()));
        let run = RunSpec {
            lambda: f.lambda,
            lambda_schedule: LambdaScheduleKind::Constant,
            lr: f.lr,
            momentum: f.momentum,
            seed: 0,
            steps: 2,
            per_decade: 1,
        };
        let mut trainer = Trainer::new(&experiment, Arc::clone(&task), vec![run]);
        let model = trainer.model().clone();
        assert_eq!(model.parameter_count(), case.parameters, "{name}");
        let mut start = block_on(trainer.snapshot()).unwrap();
        let params = start.tensors.iter_mut().filter(|t| t.name.starts_with("param."));
        for (index, tensor) in params.enumerate() {
            let shape = &model.params()[index].shape;
            tensor.values = values(index, shape);
            if tensor.name.ends_with("scale") {
                tensor.values.iter_mut().for_each(|v| *v += 1.0);
            }
        }
        trainer.restore(start).unwrap();
        for expected in &case.logits {
            let mut buffers = model.init_buffers(1, &Device::flex());
            let images = task.train_images().unsqueeze();
            close(&read(model.forward(trainer.params(), &mut buffers, images, Mode::Train)), expected, &name);
            trainer.step();
        }
        let trained = block_on(trainer.snapshot()).unwrap();
        let params = trained.tensors.iter().filter(|t| t.name.starts_with("param."));
        assert_eq!(params.clone().count(), case.updated.len(), "{name}");
        for (tensor, expected) in params.zip(&case.updated) {
            assert!(!expected.first.is_empty());
            close(&tensor.values[..expected.first.len()], &expected.first, &format!("{name}: {}", tensor.name));
            let norm = tensor.values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
            assert!((norm / expected.norm - 1.0).abs() < 1e-5, "{name}: {}", tensor.name);
        }
        let mut buffers: Vec<Tensor<2>> = Vec::new();
        for tensor in trained.tensors.iter().filter(|t| t.name.starts_with("buffer.")) {
            let data = burn::tensor::TensorData::new(tensor.values.clone(), [1, tensor.values.len()]);
            buffers.push(Tensor::from_data(data, &Device::flex()));
        }
        let images = task.test_images().unsqueeze();
        close(&read(model.forward(trainer.params(), &mut buffers, images, Mode::Test)), &case.tested, &name);
    }
}

/// A few images with patterns in them, and the run that trains on them.
fn small(settings: &[(&str, &str)]) -> (Experiment, Arc<Task>, RunSpec) {
    let pixels: Vec<u8> =
        (0..40 * 192).map(|i| if (i / 192) % 4 == (i / 48) % 4 { 200 } else { (i * 37 % 90) as u8 }).collect();
    let labels = (0..40).map(|i| (i % 4) as u8).collect();
    let classes = (0..4).map(|c| c.to_string()).collect();
    let data = Dataset::new("patterns", [3, 8, 8], pixels, labels, classes).unwrap();
    let experiment = wrn(10, 1, "1x1").with(settings).unwrap();
    let experiment = Experiment { batch: 20, momentum: 0.9, train: 0, test: 0, ..experiment };
    experiment.validate().unwrap();
    let task = Arc::new(Task::new(&Split { train: data.clone(), test: data }, &Device::flex()));
    let run = experiment.run(0.02, 0.01, 3, 30);
    (experiment, task, RunSpec { per_decade: 1, ..run })
}

fn params(trainer: &Trainer, row: usize) -> Vec<f32> {
    let all = trainer.params().iter().map(|p| p.clone().narrow(0, row, 1).into_data().try_to_vec::<f32>().unwrap());
    all.flatten().collect()
}

#[test]
fn dropout_is_the_same_in_a_stack_and_after_a_resume_and_spares_the_test() {
    let (experiment, task, run) = small(&[("dropout", "0.4")]);
    let train = |runs: Vec<RunSpec>, steps: usize| {
        let mut trainer = Trainer::new(&experiment, Arc::clone(&task), runs);
        (0..steps).for_each(|_| trainer.step());
        trainer
    };
    let other = RunSpec { seed: 4, ..run.clone() };
    let (stack, alone) = (train(vec![other, run.clone()], 4), train(vec![run.clone()], 4));
    let (in_stack, by_itself) = (params(&stack, 1), params(&alone, 0));
    assert_eq!((in_stack.len(), by_itself.len()), (alone.model().parameter_count(), in_stack.len()));
    for (a, b) in in_stack.iter().zip(&by_itself) {
        assert!((a - b).abs() < 1e-4, "{a} is not {b}");
    }
    let mut resumed = train(vec![run.clone()], 0);
    resumed.restore(block_on(train(vec![run.clone()], 2).snapshot()).unwrap()).unwrap();
    (0..2).for_each(|_| resumed.step());
    assert_eq!(params(&resumed, 0), params(&alone, 0));
    let (plain, task_of_plain, _) = small(&[]);
    let mut without = Trainer::new(&plain, task_of_plain, vec![run]);
    (0..4).for_each(|_| without.step());
    assert_ne!(params(&without, 0), params(&alone, 0), "it does something");
    let logits = |model: &Model, mode| {
        let images = task.test_images().unsqueeze();
        read(model.forward(alone.params(), &mut model.init_buffers(1, &Device::flex()), images, mode))
    };
    for mode in [Mode::Test, Mode::Train] {
        assert_eq!(logits(alone.model(), mode), logits(without.model(), mode), "training steps alone drop values");
    }
}

#[test]
fn sixteen_bits_train_nearly_as_thirty_two_do() {
    let trained = |precision: &str| {
        let (experiment, task, run) = small(&[("precision", precision)]);
        let mut trainer = Trainer::new(&experiment, task, vec![run]);
        let mut losses = Vec::new();
        while trainer.active() > 0 {
            losses.extend(
                block_on(trainer.measure()).unwrap().into_iter().map(|(_, m)| (m.train_loss, m.train_accuracy)),
            );
            trainer.step();
        }
        (losses, trainer)
    };
    let (exact, _) = trained("f32");
    assert!(exact[0].0 > 1.0 && exact[exact.len() - 1].0 < 0.3, "it learns: {exact:?}");
    // The first loss is of the same weights: rounding alone. Significant bits: 8 and 11.
    for (precision, first) in [("bf16", 0.02), ("f16", 0.003)] {
        let (losses, trainer) = trained(precision);
        assert!((losses[0].0 / exact[0].0 - 1.0).abs() < first, "{precision}: {losses:?}, {exact:?}");
        assert!(losses[0].0 != exact[0].0, "{precision} is no other name of f32");
        assert!(
            losses[losses.len() - 1].0 < 0.3 && losses[losses.len() - 1].1 > 0.95,
            "{precision}: {losses:?}, {exact:?}"
        );
        assert!(trainer.params().iter().all(|p| p.dtype() == burn::tensor::DType::F32), "the weights are f32");
    }
}
