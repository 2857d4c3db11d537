//! Computes kernel matrices of `l2lab_core::theory`: on all threads, with progress and Ctrl-C.

use anyhow::{Result, bail};
use faer::{ColRef, Mat};
use l2lab_core::theory::{Kernel, Task, assemble};
use rayon::prelude::*;

use crate::{interrupt, progress::Progress};

/// The matrix of `kernel`, named `what` in progress lines. Runs in rayon's current pool.
///
/// # Errors
/// When it is not finite, or [`crate::executor::Interrupted`].
pub fn compute(what: &str, kernel: &dyn Kernel) -> Result<Mat<f64>> {
    let mut progress = None;
    let matrix = assemble(kernel, |tasks| {
        let total: u64 = tasks.iter().map(|t| t.entries() as u64).sum();
        let progress = progress.insert(Progress::of_work(what, "entries", total));
        tasks.into_par_iter().for_each(|task: Task| {
            if interrupt::requested() {
                return;
            }
            let entries = task.entries() as u64;
            task.run();
            progress.tell(entries);
        });
    });
    interrupt::check()?;
    if let Some(progress) = progress {
        progress.finish();
    }
    let overflows = |(j, column): (usize, ColRef<'_, f64>)| {
        let i = column.iter().position(|value| !value.is_finite())?;
        Some((i, j, column[i]))
    };
    if let Some((i, j, value)) = matrix.col_iter().enumerate().find_map(overflows) {
        bail!("{what}: [{i}, {j}] is {value}; scale the inputs, w-std, b-std or slope, or take fewer layers");
    }
    Ok(matrix)
}
