//! Memory over a long run: a process of its own, because it reads the whole process's size.

use std::sync::Arc;

use burn::tensor::Device;
use l2lab_core::{
    Experiment,
    data::embedded,
    run::{LambdaScheduleKind, RunSpec},
    train::{Task, Trainer},
};

#[test]
fn memory_stays_flat_over_100000_steps() {
    let experiment = Experiment { width: 4, depth: 2, train: 32, test: 32, batch: 8, ..Experiment::default() };
    let split = experiment.prepare(&embedded().unwrap()).unwrap();
    let task = Arc::new(Task::new(&split, &Device::flex()));
    let run = RunSpec {
        lambda: 0.01,
        lambda_schedule: LambdaScheduleKind::Constant,
        lr: 0.05,
        momentum: 0.9,
        seed: 0,
        steps: u64::MAX,
        per_decade: 100,
    };
    let mut trainer = Trainer::new(&experiment, task, vec![run]);
    let mut advance = |steps: u64| {
        let goal = trainer.steps_taken() + steps;
        while trainer.steps_taken() < goal {
            if trainer.is_due() {
                pollster::block_on(trainer.measure()).unwrap();
            }
            trainer.step();
        }
    };
    advance(10_000);
    let before = resident_bytes();
    advance(100_000);
    let grown = resident_bytes().saturating_sub(before);
    // 1000 measurements of 80 bytes were added; a leak of one tensor a step would be over 100 MB.
    assert!(grown < 8 << 20, "{grown} bytes more after 100000 steps");
}

/// Memory of this process, where the system tells (Linux); elsewhere 0.
fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4096
}
