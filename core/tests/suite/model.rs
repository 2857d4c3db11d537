//! Networks: their layout, their start, their homogeneity.

use burn::tensor::{Device, Tensor, TensorData};
use l2lab_core::{
    Experiment,
    model::{Mode, Model, ModelConfig},
};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// Fields of an experiment and their values.
type Settings<'a> = &'a [(&'a str, &'a str)];

/// The model of an experiment with these settings, for images `[2, 6, 6]` and 5 classes.
fn model(settings: &[(&str, &str)]) -> Model {
    Model::new(config(settings), [2, 6, 6], 5)
}

fn config(settings: &[(&str, &str)]) -> ModelConfig {
    let experiment = Experiment { width: 8, ..Experiment::default() }.with(settings).unwrap();
    experiment.validate().unwrap();
    experiment.model_config()
}

fn images(count: usize) -> Tensor<3> {
    let values: Vec<f32> = (0..count * 72).map(|i| ((i * 37 % 101) as f32 / 50.0) - 1.0).collect();
    Tensor::from_data(TensorData::new(values, [1, count, 72]), &Device::flex())
}

fn logits(model: &Model, params: &[Tensor<2>], mode: Mode) -> Vec<f32> {
    let runs = params[0].dims()[0];
    let mut buffers = model.init_buffers(runs, &Device::flex());
    model.forward(params, &mut buffers, images(3), mode).into_data().try_to_vec().unwrap()
}

fn close(a: &[f32], b: &[f32], tolerance: f32) -> bool {
    let scale = b.iter().fold(1e-6_f32, |m, v| m.max(v.abs()));
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| (x - y).abs() <= tolerance * scale)
}

#[test]
fn the_homogeneity_degree_is_what_scaling_shows() {
    let alpha = 1.3_f32;
    let cases: &[(Settings, Option<usize>)] = &[
        (&[("model", "linear"), ("bias", "false")], Some(1)),
        (&[("model", "linear"), ("bias", "false"), ("activation", "tanh")], Some(1)),
        (&[("depth", "2"), ("bias", "false")], Some(2)),
        (&[("depth", "4"), ("bias", "false")], Some(4)),
        (&[("depth", "3"), ("bias", "false"), ("parameterization", "ntk")], Some(3)),
        (&[("depth", "3"), ("bias", "false"), ("activation", "linear")], Some(3)),
        (&[("model", "cnn"), ("depth", "3"), ("bias", "false")], Some(3)),
        (&[("model", "cnn"), ("depth", "3"), ("bias", "false"), ("pooling", "max"), ("readout", "flatten")], Some(3)),
        (&[("model", "cnn"), ("depth", "4"), ("bias", "false"), ("pooling", "average")], Some(4)),
        (&[("model", "linear"), ("b-std", "1")], Some(1)),
        (&[("depth", "3"), ("b-std", "1")], None),
        (&[("depth", "3"), ("parameterization", "ntk"), ("b-std", "0")], Some(3)),
        (&[("depth", "3"), ("bias", "false"), ("activation", "tanh"), ("w-std", "2")], None),
        (&[("depth", "3"), ("bias", "false"), ("activation", "erf"), ("w-std", "2")], None),
        (&[("model", "cnn"), ("depth", "4"), ("bias", "false"), ("batch-norm", "true")], Some(2)),
        (&[("model", "cnn"), ("depth", "3"), ("batch-norm", "true"), ("b-std", "1")], None),
        (&[("model", "wrn"), ("depth", "10"), ("width", "2"), ("bias", "false")], Some(2)),
        (&[("model", "wrn"), ("depth", "10"), ("width", "1"), ("bias", "false")], None),
    ];
    for (settings, degree) in cases {
        let model = model(settings);
        assert_eq!(model.homogeneity(), *degree, "{settings:?}");
        let params = model.init(&[4], &Device::flex());
        let scaled: Vec<_> = params.iter().map(|p| p.clone().mul_scalar(alpha)).collect();
        let (before, after) = (logits(&model, &params, Mode::Train), logits(&model, &scaled, Mode::Train));
        // NaN would be close to nothing, and zeros are alike in every degree.
        let numbers = before.iter().chain(&after).all(|f| f.is_finite()) && before.iter().any(|f| f.abs() > 1e-3);
        assert!(numbers, "{settings:?}: {before:?} {after:?}");
        let grown = |k: usize| before.iter().map(|f| f * alpha.powf(k as f32)).collect::<Vec<_>>();
        match degree {
            Some(k) => assert!(close(&after, &grown(*k), 1e-4), "{settings:?}"),
            None => assert!((1..=5).all(|k| !close(&after, &grown(k), 1e-2)), "{settings:?}"),
        }
    }
}

#[test]
fn layouts_have_the_published_numbers_of_parameters() {
    let count =
        |settings: &[(&str, &str)], input, classes| Model::new(config(settings), input, classes).parameter_count();
    assert_eq!(count(&[("depth", "3"), ("width", "512")], [1, 28, 28], 10), 669_706);
    assert_eq!(count(&[("model", "linear")], [1, 28, 28], 10), 7850);
    let cnn = [("model", "cnn"), ("depth", "4"), ("width", "32")];
    assert_eq!(count(&cnn, [3, 32, 32], 10), 896 + 2 * 9248 + 330);
    let flat = [
        ("model", "cnn"),
        ("depth", "3"),
        ("width", "4"),
        ("pooling", "max"),
        ("readout", "flatten"),
        ("batch-norm", "true"),
    ];
    assert_eq!(count(&flat, [3, 32, 32], 10), 108 + 144 + 2 * 8 + (4 * 16 * 16 * 10 + 10));
}

#[test]
fn initial_weights_have_their_scale_and_their_seed() {
    let wide = Model::new(config(&[("width", "256"), ("depth", "3")]), [1, 20, 20], 10);
    let params = wide.init(&[1, 2], &Device::flex());
    let [row0, row1] = [0, 1].map(|r| params[2].clone().narrow(0, r, 1).into_data().try_to_vec::<f32>().unwrap());
    assert_ne!(row0, row1);
    let variance = row0.iter().map(|w| w * w).sum::<f32>() / row0.len() as f32;
    assert!((variance * 256.0 / 2.0 - 1.0).abs() < 0.03, "He: variance 2/fan-in, got {variance}");
    let alone = wide.init(&[2], &Device::flex())[2].clone().into_data().try_to_vec::<f32>().unwrap();
    assert_eq!(alone, row1, "a run's start does not depend on its neighbours");
    let biases = params[1].clone().into_data().try_to_vec::<f32>().unwrap();
    assert!(biases.iter().all(|b| *b == 0.0));
}

#[test]
fn the_parameterizations_start_as_the_same_function() {
    for (kind, depth, width) in [("fc", "3", "8"), ("cnn", "3", "8"), ("wrn", "10", "1")] {
        let settings = |p| {
            [
                ("model", kind),
                ("depth", depth),
                ("width", width),
                ("b-std", "0.5"),
                ("w-std", "1.7"),
                ("parameterization", p),
            ]
        };
        let [standard, ntk] = ["standard", "ntk"].map(|p| model(&settings(p)));
        let [a, b] = [&standard, &ntk].map(|m| logits(m, &m.init(&[9], &Device::flex()), Mode::Test));
        assert!(close(&a, &b, 1e-5), "{kind}: {a:?} {b:?}");
    }
}

#[test]
fn a_stack_computes_what_its_runs_compute() {
    for settings in [
        &[("depth", "3"), ("b-std", "1")][..],
        &[("model", "cnn"), ("depth", "4"), ("b-std", "1"), ("batch-norm", "true")],
        &[("model", "cnn"), ("depth", "3"), ("pooling", "max"), ("readout", "flatten"), ("parameterization", "ntk")],
        &[("model", "wrn"), ("depth", "10"), ("width", "1")],
        &[("model", "wrn"), ("depth", "10"), ("width", "1"), ("shortcut", "3x3"), ("parameterization", "ntk")],
    ] {
        let model = model(settings);
        for mode in [Mode::Train, Mode::Test] {
            let together = logits(&model, &model.init(&[3, 8, 5], &Device::flex()), mode);
            let alone: Vec<f32> =
                [3, 8, 5].iter().flat_map(|&s| logits(&model, &model.init(&[s], &Device::flex()), mode)).collect();
            assert!(close(&together, &alone, 1e-5), "{settings:?} {mode:?}");
        }
    }
}

#[test]
fn batch_normalization_keeps_running_averages() {
    let model = model(&[("model", "cnn"), ("depth", "2"), ("batch-norm", "true")]);
    let params = model.init(&[1], &Device::flex());
    let mut buffers = model.init_buffers(1, &Device::flex());
    let read = |t: &Tensor<2>| t.clone().into_data().try_to_vec::<f32>().unwrap();
    let before = read(&buffers[0]);
    let train = model.forward(&params, &mut buffers, images(8), Mode::Train);
    let after = read(&buffers[0]);
    assert_ne!(before, after);
    let frozen = model.forward(&params, &mut buffers, images(8), Mode::Test);
    assert_eq!(read(&buffers[0]), after, "testing changes nothing");
    // After many batches the running averages are the batch's own (but for n/(n − 1)).
    for _ in 0..200 {
        let _ = model.forward(&params, &mut buffers, images(8), Mode::Train);
    }
    let settled = model.forward(&params, &mut buffers, images(8), Mode::Test);
    let [train, frozen, settled] = [train, frozen, settled].map(|t| t.into_data().try_to_vec::<f32>().unwrap());
    assert!(close(&settled, &train, 1e-2));
    assert!(frozen.iter().all(|f| f.is_finite()) && !close(&frozen, &train, 1e-2));
}
