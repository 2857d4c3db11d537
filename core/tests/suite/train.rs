//! The update, the gradient, the trainer: against hand-computed numbers, finite differences and itself.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use l2lab_core::{
    Experiment,
    data::{Dataset, Split, embedded},
    model::{Mode, Model},
    run::{End, LambdaScheduleKind, RunSpec, Trace},
    train::{
        BiasCorrection, Execution, Loss, LrCourse, LrSchedule, Memory, Optimizer, OptimizerKind, Snapshot, Task,
        Trainer, plan,
    },
};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn experiment(settings: &[(&str, &str)]) -> Experiment {
    let small = Experiment { width: 8, depth: 3, batch: 16, ..Experiment::default() };
    let experiment = small.with(settings).unwrap();
    experiment.validate().unwrap();
    experiment
}

/// Real images, few and small: every second pixel of a centre crop.
fn split(train: usize, test: usize) -> Split {
    let full = embedded().unwrap();
    let shrink = |data: &Dataset, count: usize| {
        let data = data.subset(count, 0, "training").unwrap();
        let pixels = (0..count)
            .flat_map(|i| {
                let image = data.image(i).to_vec();
                (4..24).step_by(2).flat_map(move |r| (4..24).step_by(2).map(move |c| r * 28 + c)).map(move |p| image[p])
            })
            .collect();
        Dataset::new("small", [1, 10, 10], pixels, data.labels().to_vec(), data.classes().to_vec()).unwrap()
    };
    Split { train: shrink(&full.train, train), test: shrink(&full.test, test) }
}

fn task(train: usize, test: usize) -> Arc<Task> {
    Arc::new(Task::new(&split(train, test), &Device::flex()))
}

fn spec(lambda: f64, lr: f64, momentum: f64, seed: u64, steps: u64) -> RunSpec {
    RunSpec { lambda, lambda_schedule: LambdaScheduleKind::Constant, lr, momentum, seed, steps, per_decade: 5 }
}

/// Runs a trainer to its end.
pub(crate) fn finish(mut trainer: Trainer) -> Vec<Trace> {
    loop {
        if trainer.is_due() {
            pollster::block_on(trainer.measure()).unwrap();
        }
        if trainer.active() == 0 {
            return trainer.into_traces();
        }
        trainer.step();
    }
}

fn row(values: &[f32]) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len(), 1]), &Device::flex())
}

fn values(t: &Tensor<2>) -> Vec<f32> {
    t.clone().into_data().try_to_vec().unwrap()
}

fn assert_near(found: &[f32], expected: &[f32]) {
    let near = found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6);
    assert!(near, "{found:?}, expected {expected:?}");
}

/// A step of two runs with one parameter each, from `memory`.
fn update(
    kind: OptimizerKind,
    [lr, lambda]: [[f64; 2]; 2],
    momentum: f64,
    theta: [f32; 2],
    memory: Memory,
) -> (Vec<f32>, Memory) {
    let optimizer = Optimizer::new(kind, &lr, &lambda, &[momentum; 2], &Device::flex());
    let step = BiasCorrection::shared(if memory.velocity.is_some() { 2 } else { 1 });
    let (theta, memory) = optimizer.update(row(&theta), row(&[0.5, -1.0]), memory, true, &step);
    (values(&theta), memory)
}

#[test]
fn the_update_is_the_papers() {
    let sgd = |rates, momentum, theta, memory| update(OptimizerKind::Sgd, rates, momentum, theta, memory);
    // Two runs with their own η and λ. v ← βv + g + λθ; θ ← θ − ηv, computed by hand:
    let (theta, memory) = sgd([[0.1, 0.2], [0.1, 0.5]], 0.9, [1.0, 2.0], Memory::default());
    // v = 0.5 + 0.1 = 0.6 and −1 + 1 = 0.
    assert_near(&theta, &[0.94, 2.0]);
    assert_near(&values(memory.velocity.as_ref().expect("momentum keeps a velocity")), &[0.6, 0.0]);
    // λ changes in mid-run: the velocity stays, only the new term uses the new λ.
    let (theta, memory) = sgd([[0.1, 0.2], [0.2, 0.0]], 0.9, [0.94, 2.0], memory);
    // v = 0.54 + 0.5 + 0.188 = 1.228 and 0 − 1 = −1.
    assert_near(&values(&memory.velocity.unwrap()), &[1.228, -1.0]);
    assert_near(&theta, &[0.94 - 0.1228, 2.2]);
    let (theta, memory) = sgd([[0.1, 0.1], [0.1, 0.1]], 0.0, [1.0, 2.0], Memory::default());
    assert_near(&theta, &[0.94, 2.08]);
    assert!(memory.velocity.is_none(), "plain SGD keeps none");
}

#[test]
fn the_other_optimizers_are_as_worked_out_by_hand() {
    let rates = [[0.1, 0.2], [0.1, 0.5]];
    // Nesterov: v = g + λθ = 0.6 and 0, the step g + λθ + βv = 1.14 and 0; then v = 0.54 + 0.5 + 0.0886 = 1.1286.
    let (theta, memory) = update(OptimizerKind::Nesterov, rates, 0.9, [1.0, 2.0], Memory::default());
    assert_near(&theta, &[1.0 - 0.114, 2.0]);
    let (_, memory) = update(OptimizerKind::Nesterov, rates, 0.9, [0.886, 2.0], memory);
    assert_near(&values(&memory.velocity.unwrap()), &[1.1286, 0.0]);
    // Decoupled: θ shrinks by ηλθ = 0.01 and 0.2; v = g has none of it, nor the next step's βv.
    let (theta, memory) = update(OptimizerKind::Sgdw, rates, 0.9, [1.0, 2.0], Memory::default());
    assert_near(&theta, &[1.0 - 0.01 - 0.05, 2.0 - 0.2 + 0.2]);
    let (theta, _) = update(OptimizerKind::Sgdw, [[0.1, 0.2], [0.0, 0.0]], 0.9, [0.94, 2.0], memory);
    assert_near(&theta, &[0.94 - 0.1 * 0.95, 2.0 + 0.2 * 1.9]);
    // Adam's first step is η times the sign of its gradient: of g + λθ = 0.6, and of 0 none; AdamW's is of g alone.
    let (theta, memory) = update(OptimizerKind::Adam, rates, 0.0, [1.0, 2.0], Memory::default());
    assert_near(&theta, &[0.9, 2.0]);
    // The second, at θ = 0.9 with λ = 0.1: g = 0.59; m = 0.9·0.06 + 0.059 = 0.113, over 0.19: 0.594737;
    // v = 0.999·0.00036 + 0.0003481 = 0.00070774, over 0.001999: 0.354047, whose root is 0.595019.
    let (theta, _) = update(OptimizerKind::Adam, rates, 0.0, [0.9, 2.0], memory);
    assert_near(&theta[..1], &[0.9 - 0.1 * 0.594_737 / 0.595_019]);
    let (theta, _) = update(OptimizerKind::Adamw, rates, 0.0, [1.0, 2.0], Memory::default());
    assert_near(&theta, &[1.0 - 0.01 - 0.1, 2.0 - 0.2 + 0.2]);
}

#[test]
fn adams_correction_of_each_run_is_that_of_its_steps() {
    let taken = [1_u16, 2, 10, 1000, 60_000];
    let counts = row(&taken.map(f32::from));
    let BiasCorrection::PerRun(found) = BiasCorrection::per_run(&counts) else { panic!("it is one for each run") };
    for (beta, found) in [0.9_f64, 0.999].into_iter().zip(*found) {
        let found = values(&found);
        assert_eq!(found.len(), taken.len());
        for (t, found) in taken.into_iter().zip(found) {
            let exact = 1.0 - beta.powi(t.into());
            assert!((f64::from(found) / exact - 1.0).abs() < 1e-6, "β = {beta}, {t} steps: {found}, exactly {exact}");
        }
    }
}

#[test]
fn each_optimizer_has_its_clock() {
    let task = task(24, 24);
    for (optimizer, momentum, rate) in
        [("sgd", "0.5", 0.2), ("nesterov", "0.5", 0.2), ("sgdw", "0.5", 0.1), ("adam", "0", 0.1), ("adamw", "0", 0.1)]
    {
        let e = experiment(&[("optimizer", optimizer), ("momentum", momentum), ("lr", "0.1"), ("lambda", "0.01")]);
        assert_eq!(e.effective_lr(0.1), rate, "{optimizer}");
        let traces = finish(Trainer::new(&e, Arc::clone(&task), vec![spec(0.01, 0.1, e.momentum, 3, 7)]));
        let last = traces[0].points.last().unwrap();
        assert!((last.tau - 7.0 * rate * 0.01).abs() < 1e-12, "{optimizer}: {}", last.tau);
        assert!(last.train_loss < traces[0].points[0].train_loss, "{optimizer} learns: {:?}", traces[0].points);
    }
}

#[test]
fn biases_and_norms_are_spared_where_weights_alone_decay() {
    let task = task(24, 24);
    for model in [&[("b-std", "0.3")][..], &[("model", "cnn"), ("batch-norm", "true")]] {
        let step = |decay: &str, lambda: f64| {
            let e = Experiment { batch: 0, ..experiment(model).with(&[("decay", decay)]).unwrap() };
            let mut trainer = Trainer::new(&e, Arc::clone(&task), vec![spec(lambda, 0.1, 0.0, 3, 100)]);
            trainer.step();
            pollster::block_on(trainer.snapshot()).unwrap().tensors
        };
        let (none, weights, all) = (step("all", 0.0), step("weights", 0.3), step("all", 0.3));
        for ((none, weights), all) in
            none.iter().zip(&weights).zip(&all).filter(|((t, _), _)| t.name.starts_with("param"))
        {
            let is_weight = none.name.ends_with(".weight");
            assert_eq!(weights.values == none.values, !is_weight, "{}", none.name);
            assert_eq!(weights.values == all.values, is_weight || all.values == none.values, "{}", none.name);
        }
        assert!(none.iter().zip(&all).any(|(n, a)| !n.name.ends_with(".weight") && n.values != a.values));
    }
}

/// Loss + (λ/2)‖θ‖² of a snapshot's weights, over all training examples.
fn objective(e: &Experiment, task: &Arc<Task>, run: &RunSpec, snapshot: &Snapshot) -> f64 {
    let mut trainer = Trainer::new(e, Arc::clone(task), vec![run.clone()]);
    trainer.restore(snapshot.clone()).unwrap();
    let (_, m) = pollster::block_on(trainer.measure()).unwrap()[0];
    m.train_loss + run.lambda / 2.0 * m.sq_norm
}

#[test]
fn gradients_agree_with_finite_differences() {
    let task = task(24, 24);
    for settings in [
        &[("model", "linear"), ("loss", "mse")][..],
        &[("activation", "tanh"), ("b-std", "0.3")],
        &[("activation", "erf"), ("loss", "mse"), ("parameterization", "ntk"), ("b-std", "0.3")],
        &[("depth", "4"), ("bias", "false")],
        &[("model", "cnn"), ("activation", "tanh"), ("b-std", "0.3")],
        &[
            ("model", "cnn"),
            ("activation", "tanh"),
            ("pooling", "average"),
            ("readout", "flatten"),
            ("parameterization", "ntk"),
        ],
        &[("model", "cnn"), ("activation", "erf"), ("pooling", "max"), ("loss", "mse")],
        &[("model", "cnn"), ("activation", "tanh"), ("batch-norm", "true"), ("normalization", "batch")],
    ] {
        let e = Experiment { batch: 0, ..experiment(settings) };
        // η is 1, so that the step is the gradient; λ is large, so that a wrong λ shows.
        let run = spec(0.3, 1.0, 0.0, 3, 100);
        let mut trainer = Trainer::new(&e, Arc::clone(&task), vec![run.clone()]);
        let before = pollster::block_on(trainer.snapshot()).unwrap();
        trainer.step();
        let after = pollster::block_on(trainer.snapshot()).unwrap();
        let parameters =
            |s: &Snapshot| s.tensors.iter().filter(|t| t.name.starts_with("param")).cloned().collect::<Vec<_>>();
        let gradient: Vec<Vec<f32>> = parameters(&before)
            .iter()
            .zip(parameters(&after))
            .map(|(b, a)| b.values.iter().zip(a.values).map(|(b, a)| b - a).collect())
            .collect();
        // Along the gradient of one parameter at a time, the slope is its squared norm.
        for (i, name) in parameters(&before).iter().map(|t| &t.name).enumerate() {
            let norm: f64 = gradient[i].iter().map(|&g| f64::from(g).powi(2)).sum();
            let length = norm.sqrt();
            assert!(length > 1e-6, "{settings:?} {name}: no gradient at all");
            let moved = |epsilon: f64| {
                let mut s = before.clone();
                let tensor = s.tensors.iter_mut().find(|t| t.name == *name).unwrap();
                for (value, g) in tensor.values.iter_mut().zip(&gradient[i]) {
                    *value += (epsilon * f64::from(*g) / length) as f32;
                }
                objective(&e, &task, &run, &s)
            };
            let epsilon = 0.01;
            let slope = (moved(epsilon) - moved(-epsilon)) / (2.0 * epsilon);
            assert!(
                (slope - length).abs() < 0.01 * length + 2e-4,
                "{settings:?} {name}: slope {slope}, gradient {length}"
            );
        }
    }
}

fn near(a: &[Trace], b: &[Trace], tolerance: f64) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert_eq!((&a.run, &a.end, a.points.len()), (&b.run, &b.end, b.points.len()));
        for (x, y) in a.points.iter().zip(&b.points) {
            assert_eq!((x.step, x.tau), (y.step, y.tau));
            for (p, q) in [(x.train_loss, y.train_loss), (x.test_loss, y.test_loss), (x.sq_norm, y.sq_norm)] {
                assert!((p - q).abs() <= tolerance * q.abs(), "{p} and {q} at step {}", x.step);
            }
        }
    }
}

#[test]
fn a_stack_of_runs_equals_its_runs_alone() {
    let task = task(64, 40);
    for settings in [
        &[][..],
        &[("batch", "0"), ("loss", "mse")],
        &[("sampling", "replacement"), ("lr-schedule", "cosine")],
        &[("model", "cnn"), ("batch-norm", "true")],
        &[("model", "cnn"), ("batch-norm", "true"), ("normalization", "batch")],
        &[("model", "cnn"), ("pooling", "max"), ("batch", "0")],
        &[("lambda-schedule", "inverse-time"), ("optimizer", "nesterov")],
        &[("lambda-schedule", "autol2-reference"), ("probe-every", "2"), ("optimizer", "sgdw")],
    ] {
        let e = experiment(settings);
        // Different η, λ, β, seeds and lengths: runs leave the stack one after the other.
        let mut runs = vec![
            spec(0.01, 0.05, 0.0, 1, 12),
            spec(0.1, 0.02, 0.0, 2, 30),
            spec(0.001, 0.05, 0.5, 1, 21),
            spec(0.0, 0.1, 0.0, 3, 30),
        ];
        runs.iter_mut().for_each(|r| r.lambda_schedule = e.lambda_schedule);
        let together = finish(Trainer::new(&e, Arc::clone(&task), runs.clone()));
        let alone: Vec<Trace> =
            runs.into_iter().flat_map(|r| finish(Trainer::new(&e, Arc::clone(&task), vec![r]))).collect();
        near(&together, &alone, 2e-4);
        assert_eq!(together[0].points.last().unwrap().step, 12, "the last step is measured");
    }
}

#[test]
fn a_resumed_run_equals_an_unbroken_one_bit_for_bit() {
    let task = task(64, 40);
    let autol2 = [("lambda-delay", "0.001"), ("probe-every", "3"), ("lambda-factor", "1.5")];
    let watched = |kind| [&[("lambda-schedule", kind)], &autol2[..]].concat();
    for settings in [
        &[("lr-schedule", "step")][..],
        &[("sampling", "replacement")],
        &[("model", "cnn"), ("batch-norm", "true")],
        &[("lambda-schedule", "inverse-time"), ("optimizer", "nesterov")],
        &[("lambda-schedule", "cosine"), ("optimizer", "sgdw")],
        &watched("autol2"),
        &watched("autol2-reference"),
    ] {
        let e = experiment(settings);
        // Measured at different steps: at 4 only the second run, at 18 only the first.
        let mut runs = vec![spec(0.01, 0.05, 0.9, 1, 33), spec(0.1, 0.05, 0.9, 2, 13)];
        runs[0].per_decade = 4;
        runs.iter_mut().for_each(|r| r.lambda_schedule = e.lambda_schedule);
        let unbroken = finish(Trainer::new(&e, Arc::clone(&task), runs.clone()));
        for (stop, measured) in [(0, true), (4, true), (7, true), (10, false), (10, true), (20, true)] {
            let mut trainer = Trainer::new(&e, Arc::clone(&task), runs.clone());
            while trainer.steps_taken() < stop {
                if trainer.is_due() {
                    pollster::block_on(trainer.measure()).unwrap();
                }
                trainer.step();
            }
            if measured && trainer.is_due() {
                pollster::block_on(trainer.measure()).unwrap();
            }
            let snapshot = pollster::block_on(trainer.snapshot()).unwrap();
            // Through text, as a file holds it.
            let mut copy: Snapshot = serde_json::from_str(&serde_json::to_string(&snapshot).unwrap()).unwrap();
            copy.tensors = snapshot.tensors;
            let mut resumed = Trainer::new(&e, Arc::clone(&task), runs.clone());
            resumed.restore(copy).unwrap();
            assert_eq!(finish(resumed), unbroken, "{settings:?} stopped at {stop}, measured there: {measured}");
        }
    }
}

#[test]
fn a_resumed_adam_remembers_both_moments() {
    let task = task(64, 40);
    let e = experiment(&[("optimizer", "adamw"), ("lambda-schedule", "warm-up")]);
    let mut runs = vec![spec(0.1, 0.01, 0.0, 1, 20), spec(0.01, 0.01, 0.0, 2, 20)];
    runs[1].lambda_schedule = e.lambda_schedule;
    let unbroken = finish(Trainer::new(&e, Arc::clone(&task), runs.clone()));
    let mut trainer = Trainer::new(&e, Arc::clone(&task), runs.clone());
    while trainer.steps_taken() < 7 {
        if trainer.is_due() {
            pollster::block_on(trainer.measure()).unwrap();
        }
        trainer.step();
    }
    let mut resumed = Trainer::new(&e, Arc::clone(&task), runs);
    resumed.restore(pollster::block_on(trainer.snapshot()).unwrap()).unwrap();
    assert_eq!(finish(resumed), unbroken);
}

#[test]
fn autol2_lowers_lambda_in_a_run_and_the_trace_tells() {
    let task = task(64, 40);
    let e = experiment(&[("lambda-schedule", "autol2-reference"), ("probe-every", "4"), ("width", "32")]);
    let run = RunSpec { lambda_schedule: e.lambda_schedule, per_decade: 10_000, ..spec(0.1, 0.1, 0.0, 1, 400) };
    let trace = &finish(Trainer::new(&e, task, vec![run]))[0];
    let lambdas: Vec<f64> = trace.points.iter().map(|m| m.lambda).collect();
    assert!(lambdas[0] == 0.1 && lambdas.is_sorted_by(|a, b| a >= b), "{lambdas:?}");
    assert!(*lambdas.last().unwrap() < 0.02, "{lambdas:?}");
    // τ counts each λ while it was in force. λ changes at probes, and the run is measured at every step.
    let last = trace.points.last().unwrap();
    let tau: f64 = trace.points.windows(2).map(|w| (w[1].step - w[0].step) as f64 * 0.1 * w[0].lambda).sum();
    assert!((last.tau / tau - 1.0).abs() < 1e-9, "{}, expected {tau}", last.tau);
}

#[test]
fn a_snapshot_of_something_else_is_refused_and_changes_nothing() {
    let task = task(64, 40);
    let runs = vec![spec(0.01, 0.05, 0.0, 1, 12)];
    let e = experiment(&[]);
    let snapshot = |e: &Experiment, runs: Vec<RunSpec>| {
        pollster::block_on(Trainer::new(e, Arc::clone(&task), runs).snapshot()).unwrap()
    };
    let mut trainer = Trainer::new(&e, Arc::clone(&task), runs.clone());
    trainer.step();
    let state = pollster::block_on(trainer.snapshot()).unwrap();
    let others = snapshot(&e, vec![spec(0.02, 0.05, 0.0, 1, 12)]);
    let wider = snapshot(&experiment(&[("width", "9")]), runs.clone());
    let mut torn = snapshot(&e, runs.clone());
    torn.tensors.truncate(2);
    for bad in [others, wider, torn] {
        let error = trainer.restore(bad).unwrap_err().to_string();
        assert!(error.contains("does not fit"), "{error}");
        assert_eq!(pollster::block_on(trainer.snapshot()).unwrap(), state);
    }
}

#[test]
fn divergence_ends_one_run_with_a_reason_and_leaves_the_others() {
    let task = task(64, 40);
    let e = experiment(&[("loss", "mse")]);
    let runs = vec![spec(0.01, 0.05, 0.0, 1, 60), spec(0.01, 1e5, 0.0, 1, 60)];
    let together = finish(Trainer::new(&e, Arc::clone(&task), runs.clone()));
    assert!(matches!(&together[1].end, Some(End::Diverged { step, .. }) if *step < 60));
    let points = &together[1].points;
    assert!(!points.is_empty() && points.iter().all(|m| m.non_finite().is_none()), "{points:?}");
    near(&together[..1], &finish(Trainer::new(&e, Arc::clone(&task), runs[..1].to_vec())), 2e-4);
}

#[test]
fn time_is_counted_in_steps_epochs_and_tau() {
    let task = task(64, 40);
    let e = experiment(&[("lr-schedule", "step"), ("batch", "16")]);
    let trace = &finish(Trainer::new(&e, task, vec![spec(0.01, 0.05, 0.5, 1, 40)]))[0];
    let total: f64 = (0..40).map(|s| 0.05 / 0.5 * LrSchedule::Step.factor(s, 40) * 0.01).sum();
    let last = trace.points.last().unwrap();
    assert_eq!((last.step, last.epoch), (40, 10.0));
    assert!((last.tau - total).abs() < 1e-12);
    for schedule in [LrSchedule::Constant, LrSchedule::Step, LrSchedule::Cosine] {
        for warm_up in [0.0, 0.1, 0.5, 0.8] {
            let course = LrCourse { schedule, warm_up };
            let mean = (0..10_000).map(|s| course.factor(s, 10_000)).sum::<f64>() / 1e4;
            assert!((mean - course.mean()).abs() < 1e-3, "{course:?}: {mean}, {}", course.mean());
            assert!(course.factor(0, 10_000) > 0.0, "no step is lost");
        }
    }
}

#[test]
fn schedules_have_their_values() {
    let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
    for (step, factor) in [(0, 1.0), (29, 1.0), (30, 0.2), (59, 0.2), (60, 0.04), (89, 0.04), (90, 0.008), (99, 0.008)]
    {
        near(LrSchedule::Step.factor(step, 100), factor);
    }
    for (step, factor) in [(0, 1.0), (50, 0.5), (100, 0.0)] {
        near(LrSchedule::Cosine.factor(step, 100), factor);
    }
    let course = |schedule| LrCourse { schedule, warm_up: 0.1 };
    for (step, factor) in [(0, 0.1), (4, 0.5), (9, 1.0), (10, 1.0), (99, 1.0)] {
        near(course(LrSchedule::Constant).factor(step, 100), factor);
    }
    near(course(LrSchedule::Step).factor(30, 100), 0.2);
}

#[test]
fn losses_of_mixed_targets_are_as_worked_out_by_hand() {
    let tensor = |values: [f32; 2]| Tensor::from_data(TensorData::new(values.to_vec(), [1, 1, 2]), &Device::flex());
    // Logits 0 and ln 3 are the probabilities 1/4 and 3/4.
    let loss = |loss: Loss| values(&loss.per_example(tensor([0.0, 3.0_f32.ln()]), tensor([0.3, 0.7])));
    assert_near(&loss(Loss::CrossEntropy), &[0.3 * 4.0_f32.ln() + 0.7 * (4.0_f32 / 3.0).ln()]);
    assert_near(&loss(Loss::Mse), &[0.5 * (0.3_f32.powi(2) + (3.0_f32.ln() - 0.7).powi(2))]);
}

#[test]
fn smoothed_targets_are_as_worked_out_by_hand() {
    // Normalized, the one image is (−1, 1). Of two classes and a share of 0.2 its target is (0.9, 0.1).
    let data = Dataset::new("one", [1, 1, 2], vec![0, 255], vec![0], vec!["a".into(), "b".into()]).unwrap();
    let task = Arc::new(Task::new(&Split { train: data.clone(), test: data }, &Device::flex()));
    for (loss, [a, b]) in [("cross-entropy", [0.4, -0.4]), ("mse", [0.9, 0.1])] {
        let settings =
            [("model", "linear"), ("bias", "false"), ("batch", "0"), ("label-smoothing", "0.2"), ("loss", loss)];
        let mut trainer = Trainer::new(&experiment(&settings), Arc::clone(&task), vec![spec(0.0, 1.0, 0.0, 1, 9)]);
        let mut start = pollster::block_on(trainer.snapshot()).unwrap();
        start.tensors[0].values = vec![0.0; 4];
        trainer.restore(start).unwrap();
        trainer.step();
        // From W = 0 with η = 1: W = x ⊗ (target − output), and the output is 1/2 of each class, or 0.
        assert_near(&values(&trainer.params()[0]), &[-a, -b, a, b]);
    }
}

#[test]
fn what_is_normalized_by_its_batch_is_measured_in_even_portions() {
    let task = task(35, 35);
    let settings = [("model", "cnn"), ("batch-norm", "true"), ("normalization", "batch"), ("batch", "17")];
    let mut trainer = Trainer::new(&experiment(&settings), Arc::clone(&task), vec![spec(0.0, 0.1, 0.0, 1, 9)]);
    let (_, measured) = pollster::block_on(trainer.measure()).unwrap()[0];
    let sum = |range: std::ops::Range<usize>| {
        let images: Tensor<3> = task.test_images().narrow(0, range.start, range.len()).unsqueeze();
        let mut buffers = trainer.model().init_buffers(1, &Device::flex());
        let logits = trainer.model().forward(trainer.params(), &mut buffers, images, Mode::Test);
        let classes = logits.dims()[2];
        let labels = split(35, 35).test.labels()[range.clone()].to_vec();
        let one_hot: Vec<f32> =
            labels.iter().flat_map(|&l| (0..classes).map(move |c| f32::from(u8::from(c == usize::from(l))))).collect();
        let targets = Tensor::from_data(TensorData::new(one_hot, [1, range.len(), classes]), &Device::flex());
        values(&Loss::CrossEntropy.per_example(logits, targets)).into_iter().map(f64::from).sum::<f64>()
    };
    // 17 and 17 would leave one that is normalized by itself: to nothing but the shift.
    let expected = (sum(0..11) + sum(11..23) + sum(23..35)) / 35.0;
    assert!((measured.test_loss - expected).abs() < 1e-6 * expected, "{measured:?}: {expected}");
}

#[test]
fn training_learns_and_l2_shrinks() {
    let task = task(256, 200);
    let e = experiment(&[("width", "32")]);
    let traces = finish(Trainer::new(&e, task, vec![spec(0.0, 0.1, 0.0, 1, 600), spec(1.0, 0.1, 0.0, 1, 600)]));
    let last = |i: usize| *traces[i].points.last().unwrap();
    assert!(last(0).train_accuracy > 0.95 && last(0).test_accuracy > 0.6, "{:?}", last(0));
    // With λ = 1 the weights decay by e^{-60}; only the classes' frequencies keep biases alive.
    assert!(last(1).sq_norm < 0.01 && last(1).test_accuracy < 0.2, "{:?}", last(1));
}

#[test]
fn plans_start_with_the_longest_run_and_stack_within_memory() {
    let model = Model::new(experiment(&[("width", "4096")]).model_config(), [3, 32, 32], 10);
    let runs: Vec<RunSpec> = (1..=100).map(|i| spec(0.1, 0.1, 0.0, i, i * 10)).collect();
    let single = plan(&runs, Execution::Single, &model, 128, false);
    assert_eq!((single.len(), &single[0][..]), (100, &[99][..]));
    let stacked = plan(&runs, Execution::Stacked, &model, 128, false);
    assert!(stacked.len() > 1 && stacked[0].len() > 1, "29 M parameters a run: neither one stack nor singles");
    let mut all: Vec<usize> = stacked.concat();
    all.sort_unstable();
    assert_eq!(all, (0..100).collect::<Vec<_>>());
    // Seeds with data of their own share no stack; all runs are there once.
    let own = plan(&runs, Execution::Stacked, &model, 128, true);
    assert!(own.iter().all(|stack| stack.iter().all(|&i| runs[i].seed == runs[stack[0]].seed)));
    let mut all: Vec<usize> = own.concat();
    all.sort_unstable();
    assert_eq!(all, (0..100).collect::<Vec<_>>());
    let wrn = experiment(&[("model", "wrn"), ("depth", "10"), ("width", "1")]);
    let alone = plan(&runs, Execution::Stacked, &Model::new(wrn.model_config(), [3, 32, 32], 10), 4, false);
    assert!(alone.len() == 100 && alone.iter().all(|stack| stack.len() == 1), "Wide ResNets are not stacked");
}

#[cfg(not(target_arch = "wasm32"))]
#[test]
fn steps_may_be_taken_while_a_measurement_is_on_its_way() {
    // The second run diverges in mid-run, the third ends before the others.
    let runs = || vec![spec(0.01, 0.1, 0.9, 1, 23), spec(0.01, 1e6, 0.9, 2, 30), spec(0.1, 0.1, 0.0, 3, 12)];
    let mse = Experiment { batch: 16, width: 8, loss: Loss::Mse, ..Experiment::default() };
    let task = task(64, 32);
    let at_once = finish(Trainer::new(&mse, Arc::clone(&task), runs()));
    assert!(at_once[1].diverged() && !at_once[0].diverged());
    for most in [1, 2, 4] {
        let mut trainer = Trainer::new(&mse, Arc::clone(&task), runs());
        let (mut pending, mut meanwhile) = (None, 0);
        while trainer.active() > 0 {
            let late = |since: u64| trainer.is_due() || trainer.steps_taken() >= since + most;
            if let Some((asked, since)) = pending.take_if(|(_, since)| late(*since)) {
                meanwhile += trainer.steps_taken() - since;
                pollster::block_on(trainer.finish_measure(asked)).unwrap();
            }
            if let Some(asked) = pollster::block_on(trainer.begin_measure()).unwrap() {
                if asked.is_last() {
                    pollster::block_on(trainer.finish_measure(asked)).unwrap();
                } else {
                    pending = Some((asked, trainer.steps_taken()));
                }
            }
            trainer.step();
        }
        assert!(meanwhile > 0, "some steps are taken meanwhile");
        let overlapped = trainer.into_traces();
        assert_eq!(overlapped.len(), at_once.len());
        for (a, b) in at_once.iter().zip(&overlapped) {
            assert_eq!((&a.run, &a.end, a.points.len()), (&b.run, &b.end, b.points.len()));
            for (x, y) in a.points.iter().zip(&b.points) {
                assert_eq!((x.step, x.tau, x.lambda), (y.step, y.tau, y.lambda));
                assert!((x.test_loss - y.test_loss).abs() <= 1e-5 * x.test_loss, "{x:?} {y:?}");
            }
        }
    }
}

#[test]
fn curvature_is_that_of_a_linear_model_in_closed_form() {
    // ½‖Wx − y‖² averaged over examples has the Hessian mean(xxᵀ) for each output; its largest eigenvalue by power iteration.
    let task = task(64, 40);
    let e = experiment(&[("model", "linear"), ("loss", "mse"), ("bias", "false")]);
    let trainer = Trainer::new(&e, Arc::clone(&task), vec![spec(0.0, 0.05, 0.0, 1, 10)]);
    let found = pollster::block_on(trainer.curvature()).unwrap();
    let x = task.train_images().into_data().try_to_vec::<f32>().unwrap();
    let features = x.len() / 64;
    let mut v = vec![1.0; features];
    let mut largest = 0.0;
    for _ in 0..200 {
        let mut next = vec![0.0; features];
        for image in x.chunks_exact(features) {
            let dot: f64 = image.iter().zip(&v).map(|(&a, b)| f64::from(a) * b).sum();
            next.iter_mut().zip(image).for_each(|(n, &a)| *n += f64::from(a) * dot / 64.0);
        }
        let size = next.iter().map(|n| n * n).sum::<f64>().sqrt();
        (largest, v) = (size, next.iter().map(|n| n / size).collect());
    }
    assert!((found / largest - 1.0).abs() < 0.02, "{found} {largest}");
}
