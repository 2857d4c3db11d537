//! The core on every backend of this build: each must train as flex does.

use std::sync::Arc;

use burn::tensor::Device;
use l2lab_core::{
    Experiment,
    data::embedded,
    model::Precision,
    run::{LambdaScheduleKind, Measurement, RunSpec},
    train::{Task, Trainer, disagreement},
};

/// Other backends' devices, by name. Those that a feature promises must be there.
fn others() -> Vec<(&'static str, Device)> {
    let mut devices: Vec<(&'static str, Device)> = Vec::new();
    #[cfg(feature = "ndarray")]
    {
        #[expect(deprecated, reason = "kept as an independent check of flex")]
        devices.push(("ndarray", Device::ndarray()));
    }
    #[cfg(feature = "gpu")]
    {
        let found = Device::enumerate(burn::tensor::DeviceType::Wgpu).into_vec();
        devices.push(("gpu", found.into_iter().next().expect("a Vulkan adapter, if only a software one")));
    }
    devices.extend(None);
    devices
}

fn run(lambda: f64, lr: f64, seed: u64, steps: u64, per_decade: u64) -> RunSpec {
    RunSpec { lambda, lambda_schedule: LambdaScheduleKind::Constant, lr, momentum: 0.9, seed, steps, per_decade }
}

/// Twenty steps of two stacked runs, measured nine times each.
fn train(device: &Device, settings: &[(&str, &str)]) -> Vec<Measurement> {
    let small = Experiment { width: 16, depth: 3, train: 128, test: 100, batch: 32, ..Experiment::default() };
    measured(device, &small.with(settings).unwrap(), vec![run(0.01, 0.01, 1, 20, 5), run(0.1, 0.02, 2, 20, 5)])
}

/// What is measured of a stack of runs.
fn measured(device: &Device, experiment: &Experiment, runs: Vec<RunSpec>) -> Vec<Measurement> {
    experiment.validate().unwrap();
    let split = experiment.prepare(&embedded().unwrap()).unwrap();
    let mut trainer = Trainer::new(experiment, Arc::new(Task::new(&split, device)), runs);
    loop {
        if trainer.is_due() {
            pollster::block_on(trainer.measure()).unwrap();
        }
        if trainer.active() == 0 {
            return trainer.into_traces().into_iter().flat_map(|t| t.points).collect();
        }
        trainer.step();
    }
}

#[test]
fn every_backend_trains_as_flex_does() {
    let models: [&[(&str, &str)]; 3] = [
        &[("bias", "true")],
        &[("model", "cnn"), ("width", "4"), ("batch-norm", "true")],
        &[("model", "cnn"), ("width", "4"), ("pooling", "max"), ("readout", "flatten"), ("loss", "mse")],
    ];
    for settings in models {
        let flex = train(&Device::flex(), settings);
        let steps = [0, 1, 2, 3, 4, 6, 10, 16, 20];
        assert_eq!(flex.iter().map(|m| m.step).collect::<Vec<_>>(), [&steps[..], &steps[..]].concat());
        let last = &flex[steps.len() - 1];
        assert!(last.train_loss < flex[0].train_loss, "it learns: {settings:?}");
        for (name, device) in others() {
            let other = train(&device, settings);
            for (a, b) in flex.iter().zip(&other) {
                assert_eq!((a.step, a.tau), (b.step, b.tau));
                for (x, y) in [(a.train_loss, b.train_loss), (a.test_loss, b.test_loss), (a.sq_norm, b.sq_norm)] {
                    assert!((x - y).abs() <= 1e-4 * x.abs(), "{name} {settings:?} step {}: {y}, flex {x}", a.step);
                }
            }
        }
    }
}

#[test]
fn a_first_step_on_another_backend_is_that_of_flex_but_for_rounding() {
    let small = Experiment { width: 16, depth: 3, train: 128, test: 100, batch: 32, ..Experiment::default() };
    let split = small.prepare(&embedded().unwrap()).unwrap();
    let run = small.run(0.1, 0.01, 1, 10);
    let flex = Device::flex();
    let off = |device: &Device| pollster::block_on(disagreement(&small, &split, &run, &flex, device)).unwrap();
    assert_eq!(off(&flex), 0.0);
    for (name, device) in others() {
        let off = off(&device);
        assert!(off > 0.0 && off < 1e-5, "{name}: {off}");
    }
}

/// A tiny Wide ResNet with all that a full-scale run has.
fn wide_resnet() -> Experiment {
    let settings = [
        ("model", "wrn"),
        ("depth", "10"),
        ("width", "1"),
        ("dropout", "0.2"),
        ("flip", "true"),
        ("crop", "2"),
        ("mixup", "1"),
        ("label-smoothing", "0.1"),
    ];
    let small = Experiment { train: 16, test: 4, batch: 4, ..Experiment::default() };
    small.with(&settings).unwrap()
}

#[test]
fn every_backend_trains_a_wide_resnet_as_flex_does() {
    let experiment = wide_resnet();
    let train = |device: &Device| measured(device, &experiment, vec![run(0.01, 0.02, 1, 2, 1)]);
    let flex = train(&Device::flex());
    assert_eq!(flex.len(), 3);
    for (name, device) in others() {
        for (a, b) in flex.iter().zip(&train(&device)) {
            for (x, y) in [(a.train_loss, b.train_loss), (a.test_loss, b.test_loss), (a.sq_norm, b.sq_norm)] {
                // Normalization by batches of four makes more of rounding.
                assert!((x - y).abs() <= 1e-3 * x.abs(), "{name}, step {}: {y}, flex {x}", a.step);
            }
        }
    }
}

#[test]
fn sixteen_bits_train_nearly_as_thirty_two_do_where_there_are_such() {
    let common = [("train", "128"), ("test", "100"), ("batch", "32"), ("depth", "3")];
    let models: [&[(&str, &str)]; 2] =
        [&[("width", "16")], &[("model", "cnn"), ("width", "4"), ("batch-norm", "true"), ("readout", "flatten")]];
    for model in models {
        let small = Experiment::default().with(&common).unwrap().with(model).unwrap();
        let runs = || vec![run(0.01, 0.002, 1, 20, 20)];
        let exact = measured(&Device::flex(), &small, runs());
        let (first, last) = (&exact[0], &exact[exact.len() - 1]);
        assert!(last.train_loss < 0.9 * first.train_loss, "it learns: {exact:?}");
        for (name, device) in [("flex", Device::flex())].into_iter().chain(others()) {
            for (precision, bound) in [(Precision::Bf16, 0.05), (Precision::F16, 0.02)] {
                if !device.supports_dtype(precision.reduced().unwrap()) {
                    eprintln!("{name} has no {precision:?}");
                    continue;
                }
                let found = measured(&device, &Experiment { precision, ..small.clone() }, runs());
                for (a, b) in exact.iter().zip(&found) {
                    let off = (a.train_loss / b.train_loss - 1.0).abs();
                    assert!(off < bound, "{name} {precision:?} {model:?}: {b:?}, f32 {a:?}");
                }
            }
        }
    }
}

#[test]
fn a_step_of_f16_that_overflows_is_skipped_wherever_there_is_f16() {
    let settings =
        [("train", "16"), ("test", "8"), ("batch", "8"), ("width", "4"), ("depth", "2"), ("precision", "f16")];
    let experiment = Experiment::default().with(&settings).unwrap();
    let split = experiment.prepare(&embedded().unwrap()).unwrap();
    for (name, device) in [("flex", Device::flex())].into_iter().chain(others()) {
        if !device.supports_dtype(experiment.precision.reduced().unwrap()) {
            continue;
        }
        let mut trainer =
            Trainer::new(&experiment, Arc::new(Task::new(&split, &device)), vec![run(0.01, 0.1, 1, 9, 9)]);
        let mut start = pollster::block_on(trainer.snapshot()).unwrap();
        let scale = start.tensors.iter_mut().find(|t| t.name == "loss.scale").unwrap();
        scale.values = vec![1e30];
        trainer.restore(start.clone()).unwrap();
        trainer.step();
        let after = pollster::block_on(trainer.snapshot()).unwrap();
        for tensor in &start.tensors {
            let moved = after.tensors.iter().find(|t| t.name == tensor.name).unwrap().values != tensor.values;
            assert_eq!(moved, tensor.name == "loss.scale", "{name}: {}", tensor.name);
        }
    }
}
