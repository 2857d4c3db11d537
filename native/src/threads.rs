//! How many threads the CPU backends may use for one run.

use anyhow::{Context, Result};

/// Runs `work` with exactly `threads` threads for the tensor operations in it.
///
/// The CPU backends parallelize with rayon's current pool; a pool per worker keeps independent runs
/// from waiting for each other.
pub fn with<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    match rayon::ThreadPoolBuilder::new().num_threads(threads.max(1)).build() {
        Ok(pool) => pool.install(work),
        // The machine gives no more threads: the caller's own must do.
        Err(_) => work(),
    }
}

/// The machine's cores, or `asked`.
pub fn count(asked: Option<usize>) -> Result<usize> {
    match asked {
        Some(n) => Ok(n),
        None => std::thread::available_parallelism()
            .map(usize::from)
            .context("cannot tell the number of cores; give --threads"),
    }
}
