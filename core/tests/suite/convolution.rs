//! Convolutional networks on flex, whose convolutions and normalization are made by hand, against Burn's own operations.

use burn::tensor::{
    Device, Tensor, TensorData,
    module::{batch_norm_train, conv2d, max_pool2d},
    ops::{ConvOptions, MaxPoolOptions},
};
use l2lab_core::{
    Experiment,
    model::{Mode, Model},
};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const CLASSES: usize = 3;

/// Two convolutions, the second with a stride of 2 or before pooling, and what they are shown.
#[derive(Debug, Clone, Copy)]
struct Case {
    images: usize,
    channels: usize,
    width: usize,
    size: [usize; 2],
    runs: usize,
    shared: bool,
    pooling: &'static str,
    bias: bool,
    batch_norm: bool,
}

const CASE: Case = Case {
    images: 5,
    channels: 3,
    width: 8,
    size: [5, 7],
    runs: 1,
    shared: true,
    pooling: "stride",
    bias: true,
    batch_norm: false,
};

impl Case {
    fn model(self) -> Model {
        let settings: [(&str, String); 9] = [
            ("model", "cnn".into()),
            ("depth", "3".into()),
            ("width", self.width.to_string()),
            ("activation", "tanh".into()),
            ("readout", "flatten".into()),
            ("b-std", "0.3".into()),
            ("pooling", self.pooling.into()),
            ("bias", self.bias.to_string()),
            ("batch-norm", self.batch_norm.to_string()),
        ];
        let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let config = Experiment::default().with(&settings).unwrap().model_config();
        Model::new(config, [self.channels, self.size[0], self.size[1]], CLASSES)
    }

    fn images(self) -> Tensor<3> {
        let shape = [if self.shared { 1 } else { self.runs }, self.images, self.channels * self.size[0] * self.size[1]];
        let values = (0..shape.iter().product()).map(|i: usize| (i * i % 241) as f32 / 120.0 - 1.0).collect::<Vec<_>>();
        Tensor::from_data(TensorData::new(values, shape), &Device::flex())
    }

    /// The network's logits, by Burn's operations, run by run.
    fn by_burn(self, params: &[Tensor<2>], x: Tensor<3>) -> Tensor<3> {
        let run = |run: usize| {
            let mut rows = params.iter().map(|p| p.clone().narrow(0, run, 1));
            let mut next = || rows.next().unwrap();
            let [height, width] = self.size;
            let x = x.clone().narrow(0, if self.shared { 0 } else { run }, 1);
            let mut x = x.reshape([self.images, self.channels, height, width]);
            for block in 1..3 {
                let weight = next().reshape([self.width, x.dims()[1], 3, 3]);
                let mut vector = || next().reshape([self.width]);
                let stride = if block == 2 && self.pooling == "stride" { 2 } else { 1 };
                let bias = (self.bias && !self.batch_norm).then(&mut vector);
                x = conv2d(x, weight, bias, ConvOptions::new([stride; 2], [1; 2], [1; 2], 1));
                if self.batch_norm {
                    x = batch_norm_train(x, vector(), vector(), 1e-5).output;
                }
                x = x.tanh();
            }
            if self.pooling == "max" {
                x = max_pool2d(x, MaxPoolOptions::new(self.size.map(|n| n.min(2))));
            }
            let x: Tensor<2> = x.reshape([self.images as i32, -1]);
            let logits = x.clone().matmul(next().reshape([x.dims()[1], CLASSES]));
            let logits = if self.bias { logits + next() } else { logits };
            assert!(rows.next().is_none(), "every parameter is used");
            logits
        };
        Tensor::stack((0..self.runs).map(run).collect(), 0)
    }

    /// The logits, and the gradients of the images and of each parameter of a sum of their squares.
    fn results(self, by_burn: bool) -> Vec<Vec<f32>> {
        let model = self.model();
        let seeds: Vec<u64> = (1..=self.runs as u64).collect();
        let tracked = |t: Tensor<2>| t.autodiff().require_grad();
        let params: Vec<_> = model.init(&seeds, &Device::flex()).into_iter().map(tracked).collect();
        let mut buffers = model.init_buffers(self.runs, &Device::flex());
        let x = self.images().autodiff().require_grad();
        let logits = if by_burn {
            self.by_burn(&params, x.clone())
        } else {
            model.forward(&params, &mut buffers, x.clone(), Mode::Train)
        };
        let grads = (logits.clone() * logits.clone()).sum().backward();
        let gradients = params.iter().map(|p| p.grad(&grads).unwrap().into_data());
        let data = [logits.into_data(), x.grad(&grads).unwrap().into_data()].into_iter().chain(gradients);
        data.map(|d| d.try_to_vec().unwrap()).collect()
    }
}

fn assert_close(case: Case) {
    let (ours, theirs) = (case.results(false), case.results(true));
    assert_eq!(ours.len(), theirs.len());
    for (i, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        assert_eq!(ours.len(), theirs.len());
        // The largest of some numbers ignores NaN.
        assert!(ours.iter().chain(&theirs).all(|v| v.is_finite()), "{case:?}: result {i} is not finite");
        let scale = theirs.iter().fold(1e-6_f32, |m, v| m.max(v.abs()));
        let off = ours.iter().zip(&theirs).fold(0.0_f32, |m, (a, b)| m.max((a - b).abs()));
        assert!(off <= 1e-5 * scale, "{case:?}: result {i} is off by {off}, of {scale}");
    }
}

#[test]
fn outputs_and_gradients_are_those_of_burn() {
    let sizes = [([1, 1], 120), ([2, 2], 70), ([5, 7], 37), ([28, 28], 3), ([32, 32], 2)];
    let channels = [(1, 8), (3, 5), (8, 1), (17, 4)];
    for (i, (size, images)) in sizes.into_iter().enumerate() {
        for (k, (channels, width)) in channels.into_iter().enumerate() {
            for pooling in ["stride", "max"] {
                let (runs, shared) = [(1, true), (3, true), (3, false)][(i + k) % 3];
                let bias = (i + k) % 2 == 0;
                assert_close(Case { images, channels, width, size, runs, shared, pooling, bias, ..CASE });
            }
        }
    }
}

#[test]
fn normalized_outputs_and_gradients_are_those_of_burn() {
    for (size, images) in [([1, 1], 40), ([5, 7], 9), ([16, 16], 4)] {
        for (runs, shared) in [(1, true), (2, true), (2, false)] {
            assert_close(Case { images, size, runs, shared, batch_norm: true, ..CASE });
        }
    }
}

#[test]
fn an_image_that_is_no_number_spoils_its_own_logits_alone() {
    let model = CASE.model();
    let params = model.init(&[1], &Device::flex());
    let x = CASE.images();
    let [_, images, features] = x.dims();
    let pixel = Tensor::<3>::full([1, 1, 1], f32::NAN, &Device::flex());
    let x = x.slice_assign([0..1, 2..3, features / 2..features / 2 + 1], pixel);
    let logits = model.forward(&params, &mut [], x, Mode::Test).into_data().try_to_vec::<f32>().unwrap();
    assert_eq!(logits.len(), images * CLASSES);
    for (image, logits) in logits.chunks_exact(CLASSES).enumerate() {
        assert!(logits.iter().all(|l| l.is_nan() == (image == 2)), "{image}: {logits:?}");
    }
}

#[cfg(not(target_arch = "wasm32"))]
#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| Case { images: 70, batch_norm: true, ..CASE }.results(false))
    };
    let one = with(1);
    assert!([2, 3, 5].iter().all(|&threads| with(threads) == one));
}
