//! How much memory there is, and how much of it this process has.

use anyhow::{Result, bail};
use sysinfo::{MemoryRefreshKind, Process, ProcessRefreshKind, ProcessesToUpdate, System};

/// A number of bytes for people.
pub fn gib(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 30)
}

/// Refuses what needs more memory than there is, before it is begun; `advice` is what the user can do.
///
/// # Errors
/// When `bytes` are more than the system has left (as far as it tells).
pub fn check(what: &str, bytes: usize, advice: &str) -> Result<()> {
    check_with(what, bytes, |_| advice.to_owned())
}

/// The same, with advice that depends on the bytes that are available.
///
/// # Errors
/// As [`check`].
pub fn check_with(what: &str, bytes: usize, advice: impl FnOnce(usize) -> String) -> Result<()> {
    if let Some(available) = available().filter(|&available| bytes > available) {
        let (needed, advice) = (gib(bytes), advice(available));
        bail!("{what} needs {needed:.1} GiB of memory, and {:.1} GiB are available; {advice}", gib(available));
    }
    Ok(())
}

/// Bytes that are left to this process, if the system tells: a container may have less than its machine.
fn available() -> Option<usize> {
    let mut system = System::new();
    system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
    let machine = system.available_memory();
    // What a container caches of files counts as its own, but is given up when memory is asked for.
    let container = system.cgroup_limits().map(|limits| limits.total_memory.saturating_sub(limits.rss));
    let left = container.map_or(machine, |container| machine.min(container));
    // A machine that tells nothing says 0; a container may really have nothing left.
    usize::try_from(left).ok().filter(|_| machine > 0)
}

/// Bytes of the machine's memory that this process has; a GPU's own are not among them.
pub fn used() -> Option<usize> {
    let id = sysinfo::get_current_pid().ok()?;
    let mut system = System::new();
    let what = ProcessRefreshKind::nothing().with_memory();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[id]), true, what);
    system.process(id).map(Process::memory).and_then(|bytes| usize::try_from(bytes).ok())
}
