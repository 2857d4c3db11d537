//! Computes kernel matrices of `l2lab_core::theory`: on all threads, with progress and Ctrl-C; and a look at the memory.

use anyhow::{Result, bail};
use faer::{ColRef, Mat};
use l2lab_core::theory::{Kernel, Task, assemble};
use rayon::prelude::*;
use sysinfo::{MemoryRefreshKind, System};

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

/// Refuses what needs more memory than there is, before it is begun; `advice` is what the user can do.
///
/// # Errors
/// When `bytes` are more than the system has left (as far as it tells).
pub fn check_memory(what: &str, bytes: usize, advice: &str) -> Result<()> {
    check_memory_with(what, bytes, |_| advice.to_owned())
}

/// The same, with advice that depends on the bytes that are available.
///
/// # Errors
/// As [`check_memory`].
pub fn check_memory_with(what: &str, bytes: usize, advice: impl FnOnce(usize) -> String) -> Result<()> {
    if let Some(available) = available_memory().filter(|&available| bytes > available) {
        let gib = |bytes: usize| bytes as f64 / f64::from(1 << 30);
        let (needed, advice) = (gib(bytes), advice(available));
        bail!("{what} needs {needed:.1} GiB of memory, and {:.1} GiB are available; {advice}", gib(available));
    }
    Ok(())
}

/// Bytes of memory that the system has left, if it tells.
fn available_memory() -> Option<usize> {
    let mut system = System::new();
    system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
    usize::try_from(system.available_memory()).ok().filter(|&bytes| bytes > 0)
}
