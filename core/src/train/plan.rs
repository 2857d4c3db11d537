//! How a grid of runs is laid out on a device. The one place that decides it.
//!
//! Measured (`l2lab bench`, README): on a CPU, runs one by one on a thread each beat a stack; on a
//! GPU a stack of 32 small runs costs three times what one run costs.

use crate::{
    model::{Model, ModelKind},
    run::RunSpec,
};

/// How runs share a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Execution {
    /// One run at a time on each thread.
    Single,
    /// Many runs in one stack of tensors; Wide ResNets alone.
    Stacked,
}

/// Values that a stack's widest intermediate result may have: 1 GiB of f32.
const STACK_LIMIT: usize = 1 << 28;

/// Groups of runs (by index) to be trained together, the longest first so that the last thread to
/// finish is not left with the longest run. Where each seed has data of its own, runs of two seeds are never in one group.
#[must_use]
pub fn plan(
    runs: &[RunSpec],
    execution: Execution,
    model: &Model,
    batch: usize,
    data_of_seeds: bool,
) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..runs.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(runs[i].steps));
    let per_run = batch.saturating_mul(model.activation_size()).max(model.parameter_count());
    let size = match execution {
        // Grouped convolutions are slow on a GPU, and one Wide ResNet keeps it busy.
        _ if model.config().kind == ModelKind::Wrn => 1,
        Execution::Single => 1,
        Execution::Stacked => (STACK_LIMIT / per_run.max(1)).max(1),
    };
    if !data_of_seeds || size == 1 {
        return order.chunks(size).map(<[usize]>::to_vec).collect();
    }
    order.sort_by_key(|&i| runs[i].seed);
    let of_seeds = order.chunk_by(|&a, &b| runs[a].seed == runs[b].seed);
    of_seeds.flat_map(|own| own.chunks(size).map(<[usize]>::to_vec)).collect()
}
