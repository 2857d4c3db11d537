//! The core on every backend of this build: each must train as flex does.

use std::sync::Arc;

use burn::tensor::Device;
use l2lab_core::{
    Experiment,
    data::embedded,
    train::{LambdaScheduleKind, Measurement, RunSpec, Task, Trainer, disagreement},
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

/// Twenty steps of two stacked runs, measured every five.
fn train(device: &Device, settings: &[(&str, &str)]) -> Vec<Measurement> {
    let small = Experiment { width: 16, depth: 3, train: 128, test: 100, batch: 32, ..Experiment::default() };
    let experiment = small.with(settings).unwrap();
    experiment.validate().unwrap();
    let split = experiment.prepare(&embedded().unwrap()).unwrap();
    let task = Arc::new(Task::new(&split, device));
    let run = |lambda, lr, seed| RunSpec {
        lambda,
        lambda_schedule: LambdaScheduleKind::Constant,
        lr,
        momentum: 0.9,
        seed,
        steps: 20,
        measure_every: 5,
    };
    let mut trainer = Trainer::new(&experiment, task, vec![run(0.01, 0.01, 1), run(0.1, 0.02, 2)]);
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
        assert_eq!(flex.len(), 2 * 5);
        assert!(flex[4].train_loss < flex[0].train_loss, "it learns: {settings:?}");
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
