//! Loss scaling of f16: what overflows is skipped, and the scale follows, each run for itself.

use std::sync::Arc;

use burn::tensor::Device;
use l2lab_core::{
    Experiment,
    data::embedded,
    run::RunSpec,
    train::{Snapshot, Task, Trainer},
};
use pollster::block_on;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// A small CNN in f16 with all the state that a run can have.
fn small(settings: &[(&str, &str)]) -> (Experiment, Arc<Task>, Vec<RunSpec>) {
    let cnn = [
        ("model", "cnn"),
        ("batch-norm", "true"),
        ("depth", "3"),
        ("width", "4"),
        ("train", "64"),
        ("test", "16"),
        ("batch", "16"),
        ("precision", "f16"),
    ];
    let experiment = Experiment::default().with(&cnn).unwrap().with(settings).unwrap();
    experiment.validate().unwrap();
    let split = experiment.prepare(&embedded().unwrap()).unwrap();
    let runs = [1, 2].map(|seed| experiment.run(0.01, 0.001, seed, 100));
    (experiment, Arc::new(Task::new(&split, &Device::flex())), runs.to_vec())
}

fn snapshot(trainer: &Trainer) -> Snapshot {
    block_on(trainer.snapshot()).unwrap()
}

/// The values of run `row` of two, by the tensors' names.
fn of_run(snapshot: &Snapshot, row: usize) -> Vec<(&str, &[f32])> {
    let values = |t: &'_ l2lab_core::train::NamedTensor| row * t.values.len() / 2..(row + 1) * t.values.len() / 2;
    snapshot.tensors.iter().map(|t| (t.name.as_str(), &t.values[values(t)])).collect()
}

fn number(snapshot: &Snapshot, name: &str, row: usize) -> f32 {
    snapshot.tensors.iter().find(|t| t.name == name).unwrap().values[row]
}

/// After a step from `snapshot` with these two scales of the loss, reached in as many good steps.
fn stepped(of: &(Experiment, Arc<Task>, Vec<RunSpec>), snapshot: &Snapshot, scales: [f32; 2], good: f32) -> Snapshot {
    let mut start = snapshot.clone();
    for tensor in &mut start.tensors {
        match tensor.name.as_str() {
            "loss.scale" => tensor.values = scales.to_vec(),
            "loss.streak" => tensor.values = vec![good; 2],
            _ => {}
        }
    }
    let mut trainer = Trainer::new(&of.0, Arc::clone(&of.1), of.2.clone());
    trainer.restore(start).unwrap();
    trainer.step();
    self::snapshot(&trainer)
}

/// Gradients of the loss times this have no number in f16.
const TOO_MUCH: f32 = 1e30;
const GOOD: f32 = 1024.0;

#[test]
fn a_step_that_overflows_leaves_its_run_as_it_was_and_halves_the_scale() {
    for settings in [&[("momentum", "0.9")][..], &[("optimizer", "adam")]] {
        let all = small(settings);
        let mut trainer = Trainer::new(&all.0, Arc::clone(&all.1), all.2.clone());
        (0..3).for_each(|_| trainer.step());
        let before = snapshot(&trainer);
        let after = stepped(&all, &before, [TOO_MUCH, GOOD], 7.0);
        for ((name, before), (_, after)) in of_run(&before, 0).into_iter().zip(of_run(&after, 0)) {
            assert!(name.starts_with("loss.") || before == after, "{settings:?}: {name} moved");
        }
        assert_eq!((number(&after, "loss.scale", 0), number(&after, "loss.streak", 0)), (TOO_MUCH / 2.0, 0.0));
        // The other run of the stack goes on, as it does beside a good one.
        let good = stepped(&all, &before, [GOOD, GOOD], 7.0);
        assert_eq!(of_run(&after, 1), of_run(&good, 1), "{settings:?}");
        assert_eq!((number(&after, "loss.scale", 1), number(&after, "loss.streak", 1)), (GOOD, 8.0));
        let moved = of_run(&before, 1).into_iter().zip(of_run(&after, 1)).all(|(before, after)| before != after);
        assert!(moved, "{settings:?}: all of the other run has moved");
    }
}

#[test]
fn a_first_step_that_overflows_leaves_nothing_behind() {
    let all = small(&[("momentum", "0.9")]);
    let start = snapshot(&Trainer::new(&all.0, Arc::clone(&all.1), all.2.clone()));
    let skipped = stepped(&all, &start, [TOO_MUCH; 2], 0.0);
    let velocities = || skipped.tensors.iter().filter(|t| t.name.starts_with("velocity."));
    assert!(velocities().count() > 0 && velocities().all(|t| t.values.iter().all(|&v| v == 0.0)));
    for before in start.tensors.iter().filter(|t| t.name.starts_with("param.") || t.name.starts_with("buffer.")) {
        assert!(skipped.tensors.contains(before), "{}", before.name);
    }
}

#[test]
fn adam_corrects_for_the_steps_that_a_run_took() {
    // Two equal runs that see all examples in every step. The first skips two steps, before it takes any and between two.
    for optimizer in ["adam", "adamw"] {
        let mut all = small(&[("optimizer", optimizer), ("batch", "0")]);
        all.2[1] = all.2[0].clone();
        let start = snapshot(&Trainer::new(&all.0, Arc::clone(&all.1), all.2.clone()));
        let taken = |s: &Snapshot| [0, 1].map(|row| number(s, "loss.taken", row));
        let tensors = |s: &Snapshot, row: usize| -> Vec<(String, Vec<f32>)> {
            let all = of_run(s, row).into_iter().filter(|(name, _)| !name.starts_with("loss."));
            all.map(|(name, values)| (name.to_owned(), values.to_vec())).collect()
        };
        let one = stepped(&all, &start, [TOO_MUCH, GOOD], 0.0);
        let expected = tensors(&one, 1);
        let two = stepped(&all, &one, [GOOD, GOOD], 0.0);
        assert_eq!((taken(&one), taken(&two)), ([0.0, 1.0], [1.0, 2.0]));
        assert_eq!(tensors(&two, 0), expected, "{optimizer}: the first step");
        let expected = tensors(&two, 1);
        let three = stepped(&all, &two, [TOO_MUCH, GOOD], 0.0);
        let four = stepped(&all, &three, [GOOD, GOOD], 0.0);
        assert_eq!(taken(&four), [2.0, 4.0]);
        assert_eq!(tensors(&four, 0), expected, "{optimizer}: the second step");
        assert_ne!(expected, tensors(&start, 0), "{optimizer}: steps move it");
    }
}

#[test]
fn the_scale_doubles_after_2000_good_steps() {
    let all = small(&[("momentum", "0.9")]);
    let mut trainer = Trainer::new(&all.0, Arc::clone(&all.1), all.2.clone());
    trainer.step();
    let before = snapshot(&trainer);
    let after = stepped(&all, &before, [GOOD; 2], 1999.0);
    assert_eq!((number(&after, "loss.scale", 0), number(&after, "loss.streak", 0)), (2.0 * GOOD, 0.0));
    let early = stepped(&all, &before, [GOOD; 2], 1998.0);
    assert_eq!((number(&early, "loss.scale", 0), number(&early, "loss.streak", 0)), (GOOD, 1999.0));
}

#[test]
fn small_gradients_need_a_large_scale() {
    // Small weights, a large batch and an average over pixels: what reaches a pixel is about 1e-9.
    let whole = [("batch-norm", "false"), ("depth", "2"), ("train", "512"), ("batch", "0"), ("w-std", "0.01")];
    let step = |precision: &str, scale: f32| {
        let (experiment, task, _) = small(&[&whole[..], &[("precision", precision), ("steps", "9")]].concat());
        let mut trainer = Trainer::new(&experiment, task, vec![experiment.run(1.0, 0.0, 1, 9)]);
        let mut start = snapshot(&trainer);
        start.tensors.iter_mut().filter(|t| t.name == "loss.scale").for_each(|t| t.values = vec![scale]);
        let of = |s: &Snapshot| s.tensors.iter().find(|t| t.name == "param.conv1.weight").unwrap().values.clone();
        let before = of(&start);
        trainer.restore(start).unwrap();
        trainer.step();
        of(&snapshot(&trainer)).iter().zip(before).map(|(a, b)| f64::from(b - a)).collect::<Vec<_>>()
    };
    let exact = step("f32", 1.0);
    let norm = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
    let off = |scale: f32| {
        let difference: Vec<f64> = step("f16", scale).iter().zip(&exact).map(|(a, b)| a - b).collect();
        norm(&difference) / norm(&exact)
    };
    let (small, large) = (off(128.0), off(65_536.0));
    assert!(large < 0.005 && small > 2.0 * large, "{large}, with a scale of 128 {small}");
}

#[test]
fn a_resumed_run_goes_on_with_its_scale() {
    let all = small(&[("momentum", "0.9")]);
    let mut unbroken = Trainer::new(&all.0, Arc::clone(&all.1), all.2.clone());
    (0..4).for_each(|_| unbroken.step());
    let kept = snapshot(&unbroken);
    assert!(number(&kept, "loss.streak", 0) > 0.0, "it has taken good steps");
    let mut resumed = Trainer::new(&all.0, Arc::clone(&all.1), all.2.clone());
    resumed.restore(kept.clone()).unwrap();
    for trainer in [&mut unbroken, &mut resumed] {
        (0..4).for_each(|_| trainer.step());
    }
    assert_eq!(snapshot(&resumed), snapshot(&unbroken));
    let mut torn = kept;
    torn.tensors.retain(|t| t.name != "loss.scale");
    assert!(resumed.restore(torn).unwrap_err().to_string().contains("no tensor 'loss.scale'"));
    let other = small(&[("precision", "bf16")]);
    let names = snapshot(&Trainer::new(&other.0, other.1, other.2)).tensors;
    assert!(names.iter().all(|t| !t.name.starts_with("loss.")), "no other format has one");
}
