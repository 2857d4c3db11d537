//! Whether a device computes what another does: the check that a page makes before it trusts a GPU.

use std::sync::Arc;

use burn::tensor::Device;

use super::{Settings, Snapshot, Task, TrainError, Trainer};
use crate::{data::Split, run::RunSpec};

/// The largest difference between what `other` and `reference` make of a run in its first step (forward, backward and
/// update), relative to the largest value of each tensor, and of its losses. NaN or infinite where `other`'s numbers are.
///
/// # Errors
/// When a device fails.
pub async fn disagreement(
    settings: impl Into<Settings>,
    split: &Split,
    run: &RunSpec,
    reference: &Device,
    other: &Device,
) -> Result<f64, TrainError> {
    let settings: Settings = settings.into();
    let mut first = Vec::with_capacity(2);
    for device in [reference, other] {
        let task = Arc::new(Task::new(split, device));
        let spec = RunSpec { steps: 2, per_decade: 1, ..run.clone() };
        let mut trainer = Trainer::new(settings.clone(), task, vec![spec]);
        trainer.step();
        trainer.measure().await?;
        first.push(trainer.snapshot().await?);
    }
    Ok(distance(&first[0], &first[1]))
}

fn distance(a: &Snapshot, b: &Snapshot) -> f64 {
    let losses = |s: &Snapshot| {
        let points = s.runs.iter().filter_map(|r| r.trace.points.last());
        points.flat_map(|m| [m.train_loss, m.test_loss]).collect::<Vec<f64>>()
    };
    let (x, y) = (losses(a), losses(b));
    // A run that diverged on one device alone.
    if x.len() != y.len() {
        return f64::INFINITY;
    }
    let of_losses = x.iter().zip(&y).map(|(x, y)| (x - y).abs() / x.abs());
    let of_tensors = a.tensors.iter().zip(&b.tensors).map(|(a, b)| {
        let scale = a.values.iter().fold(f32::MIN_POSITIVE, |m, v| m.max(v.abs()));
        let pairs = a.values.iter().zip(&b.values);
        pairs.fold(0.0, |m, (x, y)| larger(m, f64::from((x - y).abs() / scale)))
    });
    of_losses.chain(of_tensors).fold(0.0, larger)
}

/// The larger of two, NaN above all.
fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() || a > b { a } else { b }
}
