//! Wide ResNets: their size, and their forward pass and updates beside PyTorch's (tests/wrn-fixtures.py).

use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use l2lab_core::{
    Experiment,
    data::{Dataset, Split},
    model::{Mode, Model},
    train::{LambdaScheduleKind, RunSpec, Task, Trainer},
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
    for (name, count) in fixture().counts {
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
    for case in &f.cases {
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
            measure_every: 1,
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
        for (tensor, expected) in params.zip(&case.updated) {
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
