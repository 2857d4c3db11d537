//! The infinite-width solver: kernels against neural-tangents, flows against high precision and against each other.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use faer::{Mat, MatRef, linalg::solvers::Solve};
use l2lab_core::{
    Experiment,
    data::Dataset,
    model::{Mode, Model, Parameterization, Readout},
    theory::{
        Activation, ConvNetwork, Descent, Homogeneous, Images, Kernel, Kind, Network, Problem, Set, Spectrum,
        TheoryError, alignment, assemble, experiment, largest_stable_lr, minimum, power,
    },
    train::{Task, Trainer},
};
use serde_json::Value;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}

fn matrix(value: &Value) -> Mat<f64> {
    let rows: Vec<Vec<f64>> = value.as_array().unwrap().iter().map(numbers).collect();
    Mat::from_fn(rows.len(), rows[0].len(), |i, j| rows[i][j])
}

fn fixture() -> Value {
    serde_json::from_str(include_str!("../fixtures/kernels.json")).unwrap()
}

/// A list of the fixture, which is not empty.
fn cases(value: &Value) -> &[Value] {
    let cases = value.as_array().unwrap();
    assert!(!cases.is_empty());
    cases
}

fn whole(kernel: &dyn Kernel) -> Mat<f64> {
    assemble(kernel, |tasks| tasks.into_iter().for_each(l2lab_core::theory::Task::run))
}

fn network(case: &Value) -> (Network, Kind) {
    let activation = match case["activation"].as_str().unwrap() {
        "relu" => Activation::Relu,
        "leaky-relu" => Activation::LeakyRelu { slope: 0.2 },
        "erf" => Activation::Erf,
        _ => Activation::Linear,
    };
    let standard = case["parameterization"] == "standard";
    let network = Network {
        depth: case["depth"].as_u64().unwrap() as usize,
        activation,
        w_std: case["w_std"].as_f64().unwrap(),
        b_std: case["b_std"].as_f64(),
        parameterization: if standard { Parameterization::Standard } else { Parameterization::Ntk },
        width: case["width"].as_u64().unwrap() as usize,
    };
    (network, if case["kind"] == "ntk" { Kind::Ntk } else { Kind::Nngp })
}

fn near(found: MatRef<'_, f64>, expected: MatRef<'_, f64>, tolerance: f64, what: &dyn std::fmt::Display) {
    assert_eq!((found.nrows(), found.ncols()), (expected.nrows(), expected.ncols()));
    // The largest of some numbers ignores NaN.
    assert!(found.is_all_finite() && expected.is_all_finite(), "{what}: not all values are finite");
    let scale = expected.norm_max();
    let distance = (found - expected).norm_max();
    assert!(distance <= tolerance * scale, "{what}: {distance:e} apart, of {scale:e}");
}

#[test]
fn fully_connected_kernels_are_those_of_neural_tangents() {
    let fixture = fixture();
    let (rows, columns) = (matrix(&fixture["rows"]), matrix(&fixture["columns"]));
    for case in cases(&fixture["dense"]) {
        let (network, kind) = network(case);
        let among = whole(&network.kernel(kind, rows.as_ref(), None).unwrap());
        // neural-tangents takes a root of 1 − ρ² too, and has 1e-8 where equal inputs meet.
        near(among.as_ref(), matrix(&case["among"]).as_ref(), 3e-8, &format!("{network:?} {kind:?}"));
        let between = whole(&network.kernel(kind, rows.as_ref(), Some(columns.as_ref())).unwrap());
        near(between.as_ref(), matrix(&case["between"]).as_ref(), 1e-12, &format!("{network:?} {kind:?}"));
        let diagonal = network.diagonal(kind, rows.as_ref()).unwrap();
        for (i, d) in diagonal.into_iter().enumerate() {
            assert!((d - among[(i, i)]).abs() <= 1e-13 * d, "{network:?}: {d} and {}", among[(i, i)]);
        }
        for (a, b) in [((1, 2), (3, 2)), ((1, 3), (3, 3))] {
            assert!((among[a] - among[b]).abs() <= 1e-14 * among[b].abs(), "equal inputs have equal kernels");
        }
    }
}

#[test]
fn erf_kernels_of_large_inputs_keep_their_digits() {
    let network = Network {
        depth: 3,
        activation: Activation::Erf,
        w_std: 1.0,
        b_std: None,
        parameterization: Parameterization::Ntk,
        width: 1,
    };
    for scale in [1.0, 1e4, 1e5, 1e8, 1e60] {
        let inputs = Mat::from_fn(6, 50, |i, j| scale * ((i * 50 + j) as f64 * 1.3).sin());
        let kernel = whole(&network.kernel(Kind::Ntk, inputs.as_ref(), None).unwrap());
        for (i, own) in network.diagonal(Kind::Ntk, inputs.as_ref()).unwrap().into_iter().enumerate() {
            let found = kernel[(i, i)];
            assert!((found / own - 1.0).abs() < 1e-13, "{scale:e}: {found:e}, alone {own:e}");
        }
    }
}

#[test]
fn kernels_beyond_f64_are_refused_with_the_layer() {
    let network = |depth, activation, w_std| Network {
        depth,
        activation,
        w_std,
        b_std: None,
        parameterization: Parameterization::Ntk,
        width: 1,
    };
    let inputs = |scale: f64| Mat::from_fn(3, 4, |i, j| scale * (1 + i + j) as f64);
    for (network, scale, part) in [
        (network(3, Activation::Relu, 1.0), 1e200, "after layer 0 of 3"),
        (network(3, Activation::Relu, 1e200), 1.0, "after layer 1 of 3"),
        (network(1000, Activation::Linear, 3.0), 1.0, "of 1000"),
        (network(3, Activation::LeakyRelu { slope: 1e300 }, 1.0), 1.0, "after layer 2 of 3"),
    ] {
        let x = inputs(scale);
        for kind in [Kind::Nngp, Kind::Ntk] {
            let message = network.kernel(kind, x.as_ref(), None).err().unwrap().to_string();
            assert!(message.contains("input 0") && message.contains(part), "{message}");
            assert_eq!(network.diagonal(kind, x.as_ref()).unwrap_err().to_string(), message);
        }
        let images = Images { values: &[scale; 8], shape: [2, 2, 1] };
        let conv = ConvNetwork { network, readout: Readout::Pool };
        assert!(matches!(conv.kernel(Kind::Ntk, images, None).err().unwrap(), TheoryError::Range { input: 0, .. }));
    }
    let e = experiment().with(&[("train", "20"), ("test", "20")]).unwrap();
    let split = e.prepare(&l2lab_core::data::embedded().unwrap()).unwrap();
    for w_std in [1e30, 1e-60] {
        let network = Network { w_std, ..Network::of(&e).unwrap() };
        let problem = Problem::of_data(&network, &split, |_, kernel| Ok::<_, TheoryError>(whole(kernel)));
        assert!(matches!(problem.err().unwrap(), TheoryError::Scale { .. }), "{w_std}");
    }
}

// Where memory is counted to 2^32 these sizes are all the largest there is.
#[cfg(target_pointer_width = "64")]
#[test]
fn memory_is_known_before_it_is_taken() {
    let deep = Network { depth: 10_000, ..Network::of(&experiment()).unwrap() };
    assert!(deep.kernel_bytes(1000, None) >= 8 * 1000 * 1000 + 16 * 10_000 * 1000);
    assert!(deep.kernel_bytes(1 << 40, Some(1 << 40)) == usize::MAX);
    let values = vec![0.0; 1000 * 28 * 28];
    let images = Images { values: &values, shape: [28, 28, 1] };
    let [flatten, pool] = [Readout::Flatten, Readout::Pool].map(|readout| ConvNetwork { network: deep, readout });
    assert!(flatten.kernel_bytes(&images, None, 2) > 16 * 9_999 * 1000 * 784);
    let more = pool.kernel_bytes(&images, None, 2) - flatten.kernel_bytes(&images, None, 2);
    assert_eq!(more, 2 * 4 * 8 * (784 * 784 - 784));
}

#[test]
fn the_theory_takes_no_setting_that_it_would_ignore() {
    for (name, text, part) in [
        ("lr-schedule", "cosine", "the theorems need constant"),
        ("momentum", "0.9", "the theorems need 0"),
        ("bias", "true", "the theorems need false"),
        ("steps", "20", "leave it out"),
        ("width", "8", "leave it out"),
        ("lambda", "0", "has no t_*"),
        ("lambda", "1e-200", "lambda: '1e-200'"),
        ("activation", "tanh", "relu or linear"),
    ] {
        let message = Network::of(&experiment().with(&[(name, text)]).unwrap()).unwrap_err().to_string();
        assert!(message.starts_with(name) && message.contains(part), "{message}");
    }
}

/// Trains a network by steps of a share of the largest stable η. Gives its distance from the closed form of its own start,
/// relative to the targets, after 0.003, 0.03, 0.1, 0.3 and 1 of its steps; and what is left of its outputs at the last.
fn trained(depth: &str, width: usize, lambda: f64, share: f64) -> ([f64; 5], f64) {
    let e = experiment().with(&[("train", "24"), ("test", "20"), ("depth", depth)]).unwrap();
    let split = e.prepare(&l2lab_core::data::embedded().unwrap()).unwrap();
    let compute = |_: &str, kernel: &dyn Kernel| Ok::<_, TheoryError>(whole(kernel));
    let problem = Problem::of_data(&Network::of(&e).unwrap(), &split, compute).unwrap();
    let k = problem.homogeneous().degree();
    let lr = share * largest_stable_lr(k, problem.spectrum().values[0], lambda, 0.0).unwrap();
    let task = Arc::new(Task::new(&split, &Device::flex()));
    let steps = (3.0 / (lr * lambda)) as u64;
    let wide = Experiment { width, ..e };
    let mut trainer = Trainer::new(&wide, Arc::clone(&task), vec![wide.run(lr, lambda, 7, steps)]);
    let outputs = |trainer: &Trainer, images: Tensor<2>| {
        let f = trainer.model().forward(trainer.params(), &mut [], images.unsqueeze(), Mode::Test);
        let [_, n, classes] = f.dims();
        values(f.reshape([n, classes]))
    };
    let both = |trainer: &Trainer| [task.train_images(), task.test_images()].map(|x| outputs(trainer, x));
    let [train, test] = both(&trainer);
    let problem = problem.starting_from(train, test).unwrap();
    let distances = [0.003, 0.03, 0.1, 0.3, 1.0].map(|share| {
        while trainer.steps_taken() < (share * steps as f64) as u64 {
            trainer.step();
        }
        let theory = problem.outputs(lambda, lr * trainer.steps_taken() as f64).unwrap();
        let [train, test] = both(&trainer);
        let of = [(train, theory.train), (test, theory.test.unwrap())];
        // One-hot targets: one for each example.
        let [train, test] = of.map(|(f, theory)| (&f - theory).norm_l2() / (f.nrows() as f64).sqrt());
        assert!(train.is_finite() && test.is_finite(), "{train} {test}");
        train.max(test)
    });
    let [train, _] = both(&trainer);
    (distances, train.norm_l2() / (train.nrows() as f64).sqrt())
}

#[test]
fn trained_networks_follow_the_closed_form_of_their_degree() {
    let (distances, left) = trained("1", 1, 0.02, 0.01);
    let near = distances.iter().all(|&d| d < 0.02);
    assert!(near && left > 0.5, "k = 1 is exact but for the steps: {distances:?}; it keeps {left}");
    let (distances, left) = trained("3", 512, 0.1, 0.05);
    // It starts with random outputs of norm 3 or so, and width 512 is not infinite.
    assert!(distances.iter().all(|&d| d < 0.3) && left < 0.01, "k = 3: {distances:?}; it forgets all but {left}");
    // That alone would fit other degrees too. Later the training points are 0.23 from k = 2 and 0.10 from k = 4.
    assert!(distances[3] < 0.06, "k = 3: {distances:?}");
}

#[test]
fn convolutional_kernels_are_those_of_neural_tangents() {
    let fixture = fixture();
    let (images, others) = (numbers(&fixture["images"]), numbers(&fixture["others"]));
    for case in cases(&fixture["conv"]) {
        let (network, kind) = network(case);
        let readout = if case["readout"] == "pool" { Readout::Pool } else { Readout::Flatten };
        let network = ConvNetwork { network, readout };
        let [images, others] = [&images, &others].map(|values| Images { values, shape: [5, 4, 2] });
        let among = whole(&network.kernel(kind, images, None).unwrap());
        near(among.as_ref(), matrix(&case["among"]).as_ref(), 1e-7, &format!("{network:?} {kind:?}"));
        let between = whole(&network.kernel(kind, images, Some(others)).unwrap());
        near(between.as_ref(), matrix(&case["between"]).as_ref(), 1e-12, &format!("{network:?} {kind:?}"));
    }
}

/// The theory of some embedded images.
fn embedded_problem() -> Problem {
    let e = experiment().with(&[("train", "100"), ("test", "60")]).unwrap();
    let split = e.prepare(&l2lab_core::data::embedded().unwrap()).unwrap();
    let compute = |_: &str, kernel: &dyn Kernel| Ok::<_, TheoryError>(whole(kernel));
    Problem::of_data(&Network::of(&e).unwrap(), &split, compute).unwrap()
}

#[test]
fn equal_images_have_equal_kernels() {
    let images = l2lab_core::data::embedded().unwrap().train.subset(90, 0, "training").unwrap();
    let x = l2lab_core::theory::inputs(&images.normalized(images.mean_std()), images.image_size());
    let network = Network::of(&experiment()).unwrap();
    // Twice the same, so that each pair lies in other blocks of the products too.
    let twice = Mat::from_fn(180, x.ncols(), |i, j| x[(i % 90, j)]);
    let kernel = whole(&network.kernel(Kind::Ntk, twice.as_ref(), None).unwrap());
    let diagonal = network.diagonal(Kind::Ntk, twice.as_ref()).unwrap();
    for (i, own) in diagonal.iter().enumerate() {
        // Without care for rounding, a correlation of 1 − 1e-15 would cost 1e-8 here.
        for (a, b) in [(i, i), (i, (i + 90) % 180)] {
            assert!((kernel[(a, b)] / own - 1.0).abs() < 1e-13, "{a} {b}");
        }
    }
}

#[test]
fn losses_in_modes_are_those_of_the_outputs() {
    let problem = embedded_problem();
    let targets = |set: &Dataset| Set::one_hot(set.labels(), 10).targets;
    let e = experiment().with(&[("train", "100"), ("test", "60")]).unwrap();
    let split = e.prepare(&l2lab_core::data::embedded().unwrap()).unwrap();
    let [y, z] = [targets(&split.train), targets(&split.test)];
    let zeros = |y: &Mat<f64>| Mat::zeros(y.nrows(), y.ncols());
    let same = problem.clone().starting_from(zeros(&y), zeros(&z)).unwrap();
    for lambda in [1e-1, 1e-3] {
        let times = [0.0, 0.1, 10.0, 1e3, 1e5];
        let (found, slow) = (problem.losses(lambda, &times).unwrap(), same.losses(lambda, &times).unwrap());
        assert_eq!((found.len(), slow.len()), (times.len(), times.len()));
        for ((&time, found), slow) in times.iter().zip(found).zip(slow) {
            let f = problem.outputs(lambda, time).unwrap();
            let loss = |f: &Mat<f64>, y: &Mat<f64>| (f - y).squared_norm_l2() / (2 * y.nrows()) as f64;
            let expected = [loss(&f.train, &y), loss(&f.test.unwrap(), &z)];
            for (found, test) in [found, slow] {
                assert!((found / expected[0] - 1.0).abs() < 1e-9, "{found} {expected:?}");
                assert!((test.unwrap() / expected[1] - 1.0).abs() < 1e-9, "{test:?} {expected:?}");
            }
        }
        let peaks = [&problem, &same].map(|p| p.peak(lambda).unwrap().unwrap());
        assert!((peaks[0] / peaks[1] - 1.0).abs() < 1e-5, "{peaks:?}");
    }
    // From elsewhere, the start is what it was.
    let start = Mat::from_fn(60, 10, |i, c| (i + c) as f64 / 70.0);
    let from = problem.starting_from(zeros(&y), start.clone()).unwrap();
    assert_eq!(from.outputs(0.1, 0.0).unwrap().test.unwrap(), start);
    assert!(matches!(from.starting_from(zeros(&z), start), Err(TheoryError::Count { .. })));
}

#[test]
fn homogeneity_is_that_of_the_network() {
    let relu = Network {
        depth: 3,
        activation: Activation::Relu,
        w_std: 1.0,
        b_std: None,
        parameterization: Parameterization::Ntk,
        width: 1,
    };
    assert_eq!(relu.homogeneity(), Some(3));
    assert_eq!(Network { b_std: Some(0.5), ..relu }.homogeneity(), None);
    // Biases that start at 0 are trained, unless their scale in use is 0 too.
    let zero = Network { b_std: Some(0.0), ..relu };
    assert_eq!(zero.homogeneity(), Some(3));
    assert_eq!(Network { parameterization: Parameterization::Standard, ..zero }.homogeneity(), None);
    assert_eq!(Network { activation: Activation::Erf, ..relu }.homogeneity(), None);
    assert_eq!(Network { depth: 1, b_std: Some(0.5), ..relu }.homogeneity(), Some(1));
}

#[test]
fn the_closed_form_is_exact_from_1e_minus_12_to_1e12() {
    let cases: Vec<[f64; 6]> = serde_json::from_str(include_str!("../fixtures/flow.json")).unwrap();
    assert!(cases.len() > 300);
    for [k, lambda, gamma, t, initial, target] in cases {
        let homogeneous = Homogeneous::new(k as usize);
        let flow = homogeneous.flow(lambda).unwrap();
        let (mode, now) = (flow.mode(gamma).unwrap(), flow.at(t).unwrap());
        let (found, test) = (now.response(&mode), now.test_response(&mode));
        let own = now.shrink();
        for (name, found, expected) in [
            ("initial", found.initial, initial),
            ("target", found.target, target),
            ("test target", test.target * gamma, target),
            ("test initial", own + test.initial * gamma, initial),
        ] {
            // Below 1e-290 numbers lose digits; the test points' own share and the modes' cancel.
            let slack = if name == "test initial" { 1e-15 * own } else { 1e-290 };
            assert!(
                (found - expected).abs() <= 1e-9 * expected + slack,
                "{name} of k = {k}, λ = {lambda:e}, γ = {gamma:e}, t = {t:e}: {found:e}, exactly {expected:e}"
            );
        }
    }
}

#[test]
fn theory_has_the_acceptance_numbers() {
    let gammas: Vec<f64> = (1..=2000).map(|a| f64::from(a).powf(-1.5)).collect();
    let powers: Vec<f64> = (1..=2000).map(|a| f64::from(a).powf(-1.6)).collect();
    let loss = |k: usize, lambda: f64, t: f64| -> f64 {
        let homogeneous = Homogeneous::new(k);
        let flow = homogeneous.flow(lambda).unwrap();
        let now = flow.at(t).unwrap();
        let error = |gamma: &f64| (now.response(&flow.mode(*gamma).unwrap()).target - 1.0).powi(2);
        gammas.iter().zip(&powers).map(|(g, p)| p * error(g)).sum()
    };
    let expected = [(2, [0.39, 0.376, 0.376, 0.375], 0.005), (3, [0.240, 0.218, 0.218, 0.217], 0.0006)];
    for (k, values, tolerance) in expected {
        for (lambda, value) in [1e-1, 1e-2, 1e-3, 1e-4].into_iter().zip(values) {
            let time = minimum(|t| loss(k, lambda, t), 1e-2, 40.0 / lambda).unwrap();
            assert!((lambda * time - value).abs() < tolerance, "k = {k}, λ = {lambda}: {}", lambda * time);
        }
        let total: f64 = powers.iter().sum();
        assert!((loss(k, 1e-2, 1e5) / total - 1.0).abs() < 1e-9, "the loss returns to that of f = 0");
    }
    assert_eq!(minimum(|t| loss(1, 1e-2, t), 1e-2, 4e3), None, "k = 1 has no peak");
}

#[test]
fn flows_begin_end_and_go_on_as_they_should() {
    for k in [0, 1, 2, 3, 4] {
        let homogeneous = Homogeneous::new(k);
        for lambda in [0.0, 1e-3, 0.5] {
            let flow = homogeneous.flow(lambda).unwrap();
            for gamma in [0.0, 1e-9, 0.3, 40.0] {
                let mode = flow.mode(gamma).unwrap();
                let start = flow.at(0.0).unwrap().response(&mode);
                assert_eq!((start.initial, start.target), (1.0, 0.0));
                let end = flow.at(f64::INFINITY).unwrap().response(&mode);
                let stays = match (k, lambda > 0.0, gamma > 0.0) {
                    (0, _, true) | (_, false, true) => [0.0, 1.0],
                    (0, _, false) | (_, false, false) => [1.0, 0.0],
                    (1, true, _) => [0.0, gamma / (gamma + lambda)],
                    _ => [0.0, 0.0],
                };
                assert_eq!([end.initial, end.target], stays, "k = {k}, λ = {lambda}, γ = {gamma}");
                assert!(flow.at(f64::INFINITY).unwrap().test_response(&mode).target.is_finite());
                // Resuming at a middle time, with the kernel as it is then.
                let [one, two] = [0.7, 2.1];
                let [f0, y] = [0.4, -1.5];
                let at = |r: l2lab_core::theory::Response, f: f64| r.initial * f + r.target * y;
                let middle = at(flow.at(one).unwrap().response(&mode), f0);
                let later = flow.mode(gamma * flow.kernel_scale(one)).unwrap();
                let resumed = at(flow.at(two - one).unwrap().response(&later), middle);
                let direct = at(flow.at(two).unwrap().response(&mode), f0);
                assert!((resumed - direct).abs() < 1e-12, "k = {k}, λ = {lambda}, γ = {gamma}: {resumed} {direct}");
            }
        }
    }
}

#[test]
fn a_mode_is_learned_and_forgotten_when_the_mode_picture_says() {
    let homogeneous = Homogeneous::new(3);
    let flow = homogeneous.flow(1e-4).unwrap();
    let life = |gamma: f64| flow.life(&flow.mode(gamma).unwrap());
    let strong = life(1.0);
    assert!(strong.peak > 0.99 && (strong.learned.unwrap() - 2.0_f64.ln()).abs() < 0.01, "{strong:?}");
    // ln(γ/(kλ)) / (2(k−1)λ), which neglects the mode's inertia.
    let picture = (1.0_f64 / 3e-4).ln() / 4e-4;
    assert!((strong.half_life.unwrap() / picture - 1.0).abs() < 0.1, "{strong:?}, about {picture}");
    assert!(life(1e-5).learned.is_none(), "far below λ");
    let ridge = Homogeneous::new(1);
    let ridge = ridge.flow(0.1).unwrap();
    let life = ridge.life(&ridge.mode(1.0).unwrap());
    assert!((life.peak - 1.0 / 1.1).abs() < 1e-12 && life.learned.is_some() && life.half_life.is_none());
}

/// A small training and test set with its kernels, already divided by the number of training examples.
fn small() -> (Mat<f64>, Set, Mat<f64>, Set) {
    let fixture = fixture();
    let (rows, columns) = (matrix(&fixture["rows"]), matrix(&fixture["columns"]));
    let network = Network {
        depth: 3,
        activation: Activation::Relu,
        w_std: 2.0_f64.sqrt(),
        b_std: None,
        parameterization: Parameterization::Ntk,
        width: 1,
    };
    let fifth = faer::Scale(0.2);
    let train = fifth * whole(&network.kernel(Kind::Ntk, rows.as_ref(), None).unwrap());
    let test = fifth * whole(&network.kernel(Kind::Ntk, columns.as_ref(), Some(rows.as_ref())).unwrap());
    let initial = |n: usize| Mat::from_fn(n, 3, |i, j| ((i * 3 + j) as f64 * 1.7).sin() * 0.3);
    let set = |labels: &[u8]| Set { initial: Some(initial(labels.len())), ..Set::one_hot(labels, 3) };
    (train, set(&[0, 1, 2, 1, 0]), test, set(&[2, 0, 1]))
}

/// Outputs of the training points and then of the test points at each of `times`, by the flow of Theorem 1 under MSE,
/// `∂f = −e^(−2(k−1)λt) Θ₀ (f − y) − kλf`, in fixed steps of the fourth order. `kernel` has a row for every point and
/// a column for every training point.
fn runge_kutta(kernel: &Mat<f64>, start: &Mat<f64>, y: &Mat<f64>, k: i32, lambda: f64, times: &[f64]) -> Vec<Mat<f64>> {
    let rate = |f: &Mat<f64>, t: f64| {
        let scale = faer::Scale((-2.0 * f64::from(k - 1) * lambda * t).exp());
        scale * (kernel * (y - f.get(..y.nrows(), ..))) - faer::Scale(f64::from(k) * lambda) * f
    };
    let (mut f, mut t) = (start.clone(), 0.0);
    let at = |&time: &f64| {
        let steps = ((time - t) / 0.01_f64).ceil();
        let h = (time - t) / steps.max(1.0);
        for _ in 0..steps as u64 {
            let first = rate(&f, t);
            let second = rate(&(&f + faer::Scale(h / 2.0) * &first), t + h / 2.0);
            let third = rate(&(&f + faer::Scale(h / 2.0) * &second), t + h / 2.0);
            let fourth = rate(&(&f + faer::Scale(h) * &third), t + h);
            f += faer::Scale(h / 6.0) * (first + faer::Scale(2.0) * (second + third) + fourth);
            t += h;
        }
        f.clone()
    };
    times.iter().map(at).collect()
}

#[test]
fn theorem_1_under_mse_is_theorem_2() {
    let (kernel, train, cross, test) = small();
    let stacked = |a: &Mat<f64>, b: &Mat<f64>| {
        let n = a.nrows();
        Mat::from_fn(n + b.nrows(), a.ncols(), |i, j| if i < n { a[(i, j)] } else { b[(i - n, j)] })
    };
    let start = stacked(train.initial.as_ref().unwrap(), test.initial.as_ref().unwrap());
    let times = [0.0, 0.1, 1.0, 7.0, 60.0, 400.0];
    for (k, lambda) in [(0, 0.01), (1, 0.05), (2, 0.02), (3, 0.02), (3, 0.0)] {
        // With k = 0 the kernel grows, and fixed steps are too large for it in the end.
        let times = if k == 0 { &times[..5] } else { &times[..] };
        let solved = runge_kutta(&stacked(&kernel, &cross), &start, &train.targets, k, lambda, times);
        let problem = Problem::new(k as usize, Spectrum::new(kernel.as_ref()).unwrap(), train.clone()).unwrap();
        let problem = problem.with_test(cross.as_ref(), test.clone()).unwrap();
        for (time, solved) in times.iter().zip(solved) {
            let exact = problem.outputs(lambda, *time).unwrap();
            let difference = solved - stacked(&exact.train, &exact.test.unwrap());
            let near = difference.is_all_finite() && difference.norm_max() < 1e-8;
            assert!(near, "k = {k}, λ = {lambda}, t = {time}: {difference:?}");
        }
    }
}

#[test]
fn small_steps_go_to_the_flow_and_large_ones_are_stable_up_to_the_limit() {
    let gammas = [3.0, 0.4, 0.01, 0.0];
    for k in [0, 1, 2, 3] {
        let lambda = 0.05;
        let homogeneous = Homogeneous::new(k);
        let flow = homogeneous.flow(lambda).unwrap();
        let time = 8.0;
        let now = flow.at(time).unwrap();
        for momentum in [0.0, 0.9] {
            let distance = |steps: u64| {
                let lr = time / steps as f64 * (1.0 - momentum);
                let mut state = Descent { k, lambda, lr, momentum }.start(&gammas).unwrap();
                state.advance(steps);
                let mut off = vec![state.kernel_scale() - flow.kernel_scale(time)];
                for ((r, t), gamma) in state.responses().zip(state.test_responses()).zip(gammas) {
                    let mode = flow.mode(gamma).unwrap();
                    let (exact, test) = (now.response(&mode), now.test_response(&mode));
                    off.extend([r.initial - exact.initial, r.target - exact.target]);
                    if gamma > 0.0 {
                        off.extend([t.initial - test.initial, t.target - test.target]);
                    }
                }
                // All four modes, and test points of the three with γ > 0.
                assert!(off.len() == 1 + 2 * 4 + 2 * 3 && off.iter().all(|d| d.is_finite()), "{off:?}");
                off.into_iter().fold(0.0_f64, |worst, d| worst.max(d.abs()))
            };
            let [coarse, fine] = [4_000, 8_000].map(distance);
            assert!(fine < 0.02, "k = {k}, β = {momentum}: {fine}");
            assert!((coarse / fine - 2.0).abs() < 0.1, "first order: k = {k}, β = {momentum}: {coarse}, {fine}");
        }
    }
    for momentum in [0.0, 0.9] {
        let limit = largest_stable_lr(1, gammas[0], 0.05, momentum).unwrap();
        let after = |factor: f64| {
            let rule = Descent { k: 1, lambda: 0.05, lr: limit * factor, momentum };
            let mut state = rule.start(&gammas).unwrap();
            state.advance(5_000);
            state.responses().next().unwrap().initial.abs()
        };
        let (below, above) = (after(0.99), after(1.01));
        assert!(below < 1e-3 && (above > 1e3 || above.is_nan()), "{below} {above}");
    }
    assert_eq!(largest_stable_lr(0, 1.0, 0.1, 0.0), None);
}

#[test]
fn a_linear_model_ends_at_ridge_regression() {
    let (kernel, train, cross, test) = small();
    let lambda = 0.07;
    let [train, test] = [train, test].map(|set| Set { initial: None, ..set });
    let problem = Problem::new(1, Spectrum::new(kernel.as_ref()).unwrap(), train.clone()).unwrap();
    let problem = problem.with_test(cross.as_ref(), test).unwrap();
    let found = problem.outputs(lambda, f64::INFINITY).unwrap();
    // f = K(K + λ)⁻¹y: K is divided by n, so λ is ridge regression's nλ over n.
    let mut ridge = kernel.clone();
    (0..5).for_each(|i| ridge[(i, i)] += lambda);
    let weights = ridge.partial_piv_lu().solve(&train.targets);
    near(found.train.as_ref(), (&kernel * &weights).as_ref(), 1e-12, &"training points");
    near(found.test.unwrap().as_ref(), (&cross * &weights).as_ref(), 1e-12, &"test points");
}

#[test]
fn spectra_order_clamp_and_refuse() {
    let (kernel, train, ..) = small();
    let spectrum = Spectrum::new(kernel.as_ref()).unwrap();
    assert!(spectrum.values.windows(2).all(|w| w[0] >= w[1]));
    // Two equal inputs: one mode is 0, by rounding perhaps below.
    assert!(spectrum.values[4] >= 0.0 && spectrum.values[4] < 1e-15, "{:?}", spectrum.values);
    let coefficients = spectrum.project(train.targets.as_ref()).unwrap();
    near((&spectrum.vectors * &coefficients).as_ref(), train.targets.as_ref(), 1e-14, &"all of the targets");
    let shares = alignment(coefficients.as_ref());
    assert!((shares[4] - 1.0).abs() < 1e-15 && shares.windows(2).all(|w| w[0] <= w[1]));
    assert!((power(coefficients.as_ref()).iter().sum::<f64>() - 5.0).abs() < 1e-12);

    let negative = Mat::from_fn(2, 2, |i, j| if i == j { [1.0, -0.1][i] } else { 0.0 });
    assert!(matches!(Spectrum::new(negative.as_ref()), Err(TheoryError::Negative { .. })));
    let rounded = Mat::from_fn(2, 2, |i, j| if i == j { [1.0, -1e-16][i] } else { 0.0 });
    let clamped = Spectrum::new(rounded.as_ref()).unwrap();
    assert_eq!((clamped.values[1], clamped.clamped.count), (0.0, 1));
    let nan = Mat::from_fn(2, 2, |_, _| f64::NAN);
    assert!(matches!(Spectrum::new(nan.as_ref()), Err(TheoryError::NotFinite { .. })));
    assert!(matches!(Spectrum::new(Mat::zeros(2, 3).as_ref()), Err(TheoryError::NotSquare { .. })));
    assert_eq!(Spectrum::new(Mat::zeros(3, 3).as_ref()).unwrap().values, [0.0; 3]);
}

#[test]
fn bad_numbers_are_named() {
    let homogeneous = Homogeneous::new(2);
    let text = |e: TheoryError| e.to_string();
    assert!(text(homogeneous.flow(-1.0).unwrap_err()).starts_with("lambda: '-1'"));
    for lambda in [f64::NAN, f64::INFINITY, 1e-310, 1e308] {
        assert!(text(homogeneous.flow(lambda).unwrap_err()).starts_with("lambda"));
    }
    let flow = homogeneous.flow(0.1).unwrap();
    assert!(text(flow.mode(f64::INFINITY).unwrap_err()).starts_with("gamma: 'inf'"));
    assert!(text(flow.mode(1e200).unwrap_err()).starts_with("gamma: '1e200'"));
    assert!(text(flow.at(-0.5).unwrap_err()).starts_with("time"));
    let network = |depth, w_std| Network {
        depth,
        activation: Activation::Relu,
        w_std,
        b_std: None,
        parameterization: Parameterization::Ntk,
        width: 1,
    };
    let inputs = Mat::from_fn(2, 2, |_, _| 1.0);
    let bad = Mat::from_fn(2, 2, |i, j| if i == j { 1.0 } else { f64::INFINITY });
    let error = |net: Network, x: &Mat<f64>, y: Option<&Mat<f64>>| {
        text(net.kernel(Kind::Ntk, x.as_ref(), y.map(Mat::as_ref)).err().unwrap())
    };
    assert!(error(network(0, 1.0), &inputs, None).starts_with("depth"));
    assert!(error(network(2, 0.0), &inputs, None).starts_with("w-std"));
    assert!(error(network(2, 1.0), &bad, None).contains("finite"));
    assert!(error(network(2, 1.0), &inputs, Some(&Mat::zeros(1, 3))).contains("[2] and [3]"));
    let images = Images { values: &[1.0; 6], shape: [3, 2, 1] };
    let turned = Images { shape: [2, 3, 1], ..images };
    let conv = ConvNetwork { network: network(2, 1.0), readout: Readout::Flatten };
    let message = text(conv.kernel(Kind::Ntk, images, Some(turned)).err().unwrap());
    assert!(message.contains("[3, 2, 1] and [2, 3, 1]"), "{message}");
}

/// A model of core for images `[1, 4, 4]` and 3 classes, without biases unless the settings say otherwise.
fn finite(settings: &[(&str, &str)]) -> Model {
    let base = Experiment { bias: false, parameterization: Parameterization::Ntk, ..Experiment::default() };
    Model::new(base.with(settings).unwrap().model_config(), [1, 4, 4], 3)
}

/// Five images of 16 pixels, as numbers.
fn pixels() -> Vec<f32> {
    (0..80).map(|i| ((i * 37 % 101) as f32 / 50.0) - 1.0).collect()
}

fn tensor(values: &[f32], shape: [usize; 2]) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), &Device::flex())
}

fn values(tensor: Tensor<2>) -> Mat<f64> {
    let [rows, columns] = tensor.dims();
    let values: Vec<f32> = tensor.into_data().try_to_vec().unwrap();
    Mat::from_fn(rows, columns, |i, j| f64::from(values[i * columns + j]))
}

/// Mean over random wide networks: of f(x)f(x′), and of the empirical NTK.
fn monte_carlo(model: &Model) -> [Mat<f64>; 2] {
    const SEEDS: u64 = 256;
    let images = tensor(&pixels(), [5, 16]);
    let params = model.init(&(0..SEEDS).collect::<Vec<_>>(), &Device::flex());
    let f = model.forward(&params, &mut [], images.clone().unsqueeze(), Mode::Test);
    let f: Tensor<2> = f.swap_dims(0, 1).reshape([5, SEEDS as usize * 3]);
    let f = values(f);
    let nngp = faer::Scale(1.0 / f.ncols() as f64) * (&f * f.transpose());
    let mut ntk = Mat::zeros(5, 5);
    for seed in 0..8 {
        let params = model.init(&[seed], &Device::flex());
        let kernel = pollster::block_on(model.tangent_kernel(&params, &[], images.clone(), None)).unwrap();
        let half = pollster::block_on(model.tangent_kernel(
            &params,
            &[],
            images.clone(),
            Some(images.clone().narrow(0, 3, 2)),
        ));
        let half = half.unwrap();
        assert_eq!((kernel.len(), half.len()), (25, 10));
        for (i, row) in half.chunks(2).enumerate() {
            assert!((row[0] - kernel[i * 5 + 3]).abs() < 1e-5 * kernel[0], "rows and columns of other sets");
        }
        ntk += faer::Scale(1.0 / 8.0) * MatRef::from_row_major_slice(&kernel, 5, 5);
    }
    [nngp, ntk]
}

#[test]
fn wide_random_networks_have_the_kernels_on_average() {
    let inputs = l2lab_core::theory::inputs(&pixels(), 16);
    let images: Vec<f64> = pixels().into_iter().map(f64::from).collect();
    let images = Images { values: &images, shape: [4, 4, 1] };
    let cases: [&[(&str, &str)]; 6] = [
        &[("depth", "3"), ("width", "512")],
        &[("depth", "3"), ("width", "512"), ("bias", "true"), ("b-std", "0.5"), ("activation", "erf")],
        &[("depth", "2"), ("width", "512"), ("parameterization", "standard")],
        &[("depth", "3"), ("width", "512"), ("activation", "linear"), ("w-std", "1.2")],
        &[("model", "cnn"), ("depth", "2"), ("width", "512"), ("readout", "flatten")],
        &[("model", "cnn"), ("depth", "2"), ("width", "512"), ("readout", "pool")],
    ];
    for settings in cases {
        let model = finite(settings);
        let config = model.config();
        let network = Network {
            depth: config.depth,
            activation: Activation::of(config.activation).unwrap(),
            w_std: config.w_std(),
            b_std: config.bias.then_some(config.b_std),
            parameterization: config.parameterization,
            width: config.width,
        };
        let found = monte_carlo(&model);
        for (kind, found) in [Kind::Nngp, Kind::Ntk].into_iter().zip(found) {
            let exact = if settings[0].1 == "cnn" {
                whole(&ConvNetwork { network, readout: config.readout }.kernel(kind, images, None).unwrap())
            } else {
                whole(&network.kernel(kind, inputs.as_ref(), None).unwrap())
            };
            // 768 outputs, and 8 networks of width 512: about 5 % of noise in an entry of the first, less of the second.
            let tolerance = if kind == Kind::Nngp { 0.15 } else { 0.06 };
            near(found.as_ref(), exact.as_ref(), tolerance, &format!("{settings:?} {kind:?}"));
        }
    }
}

#[test]
fn a_finite_network_obeys_eulers_identity() {
    let (lambda, step) = (0.3_f64, 1e-3_f64);
    for (depth, k) in [("1", 1.0), ("3", 3.0)] {
        let model = finite(&[("depth", depth), ("width", "24")]);
        let images = tensor(&pixels(), [5, 16]);
        let params = model.init(&[4], &Device::flex());
        let outputs = |params: &[Tensor<2>]| {
            let f = model.forward(params, &mut [], images.clone().unsqueeze(), Mode::Test);
            values(f.reshape([5, 3]))
        };
        let f = outputs(&params);
        let residual = Mat::from_fn(5, 3, |i, c| f[(i, c)] - f64::from(u8::from(i % 3 == c)));
        // J_c, `[examples, parameters]` of each output.
        let jacobian: Vec<Mat<f64>> =
            (0..3).map(|c| values(Tensor::cat(model.gradients(&params, &[], images.clone(), c), 1))).collect();
        // −∂_θ(Σℓ + (λ/2)‖θ‖²), and a small step along it.
        let theta = values(Tensor::cat(params.clone(), 1));
        let mut gradient = faer::Scale(lambda) * &theta;
        for (c, j) in jacobian.iter().enumerate() {
            gradient += residual.col(c).transpose().to_owned().as_mat() * j;
        }
        let mut moved = Vec::new();
        let mut at = 0;
        for (spec, p) in model.params().iter().zip(&params) {
            let slope: Vec<f32> = (at..at + spec.elements()).map(|i| gradient[(0, i)] as f32).collect();
            at += spec.elements();
            moved.push(tensor(&slope, [1, spec.elements()]).mul_scalar(-step) + p.clone());
        }
        let back: Vec<Tensor<2>> =
            params.iter().zip(&moved).map(|(p, m)| p.clone().mul_scalar(2.0) - m.clone()).collect();
        let rate = faer::Scale(0.5 / step) * (outputs(&moved) - outputs(&back));
        let mut expected = faer::Scale(-k * lambda) * &f;
        for (c, j) in jacobian.iter().enumerate() {
            for (d, other) in jacobian.iter().enumerate() {
                let kernel = j * other.transpose();
                let change = &kernel * residual.col(d).to_owned().as_mat();
                (0..5).for_each(|i| expected[(i, c)] -= change[(i, 0)]);
            }
        }
        near(rate.as_ref(), expected.as_ref(), 2e-3, &format!("depth {depth}"));
    }
}
