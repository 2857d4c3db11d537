//! Computes kernel matrices of `l2lab_core::theory`: on all threads, with progress, Ctrl-C and a look at the memory.

use anyhow::{Result, bail};
use faer::Mat;
use l2lab_core::theory::{Kernel, Task, assemble};
use rayon::prelude::*;
use sysinfo::{MemoryRefreshKind, System};

use crate::{executor::Interrupted, interrupt, progress::Progress};

/// The matrix of `kernel`, named `what` in progress lines. Runs in rayon's current pool.
///
/// # Errors
/// When it does not fit into memory, or [`Interrupted`].
pub fn compute(what: &str, kernel: &dyn Kernel, bytes_per_task: usize) -> Result<Mat<f64>> {
    let [rows, columns] = kernel.shape();
    let matrix = rows.saturating_mul(columns).saturating_mul(size_of::<f64>());
    let working = bytes_per_task.saturating_mul(rayon::current_num_threads());
    check_memory(&format!("the {rows} × {columns} kernel"), matrix.saturating_add(working))?;
    let mut progress = None;
    let matrix = assemble(kernel, |tasks| {
        let total: u64 = tasks.iter().map(|t| t.entries() as u64).sum();
        let progress = progress.insert(Progress::of_work(what, "entries", total));
        let next = std::sync::Mutex::new(std::time::Instant::now());
        tasks.into_par_iter().for_each(|task: Task| {
            if interrupt::requested() {
                return;
            }
            let entries = task.entries() as u64;
            task.run();
            progress.advance(entries);
            if let Ok(mut next) = next.try_lock()
                && next.elapsed() > crate::progress::LINE_EVERY
            {
                progress.line(0);
                *next = std::time::Instant::now();
            }
        });
    });
    if interrupt::requested() {
        return Err(Interrupted.into());
    }
    if let Some(progress) = progress {
        progress.finish();
    }
    Ok(matrix)
}

/// Refuses what needs more memory than there is, before it is begun.
///
/// # Errors
/// When `bytes` are more than the system has left (as far as it tells).
pub fn check_memory(what: &str, bytes: usize) -> Result<()> {
    let mut system = System::new();
    system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
    let available = system.available_memory();
    if available > 0 && bytes as u64 > available {
        let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
        bail!(
            "{what} needs {:.1} GiB of memory, and {:.1} GiB are available; use fewer examples",
            gib(bytes as u64),
            gib(available)
        );
    }
    Ok(())
}
