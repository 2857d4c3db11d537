//! What becomes of a device that fails: GPU backends panic where a CPU would return an error, and some on threads of their own.

use std::{
    any::Any,
    cell::Cell,
    panic::{self, AssertUnwindSafe},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::{Result, anyhow};
use burn::tensor::Device;
use l2lab_core::train::TrainError;

thread_local! {
    /// Whether a panic on this thread is caught and told as an error.
    static CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Where the last panic was that is told as an error.
static PLACE: Mutex<String> = Mutex::new(String::new());
/// How many [`caught`] are at work.
static WATCHING: AtomicUsize = AtomicUsize::new(0);
/// The first failure for good of a device's own thread meanwhile: what was asked of the device there was not done.
static ELSEWHERE: Mutex<Option<String>> = Mutex::new(None);

/// What helps where a device fails at steps that are only timed.
pub const SMALLER_BATCH: &str = "if its memory was too small, a smaller --batch takes less";

/// The device failed.
#[derive(Debug, thiserror::Error)]
#[error("the device failed: {0}")]
struct DeviceFailure(String);

/// Keeps panics that are told as errors from being printed too; the others are told as ever.
pub fn listen() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let elsewhere = !CAUGHT.get();
        if elsewhere && (WATCHING.load(Ordering::SeqCst) == 0 || std::thread::current().name() == Some("main")) {
            return before(info);
        }
        *held(&PLACE) = info.location().map(ToString::to_string).unwrap_or_default();
        let reason = text(info.payload());
        if elsewhere && is_for_good(reason) {
            held(&ELSEWHERE).get_or_insert(gist(reason));
        } else if elsewhere {
            before(info);
        }
    }));
}

/// Whether a panic of a device's own thread means that its work is not done. Of the others the backend makes errors of what is
/// read later, or they are kernels that autotuning tried in vain.
fn is_for_good(reason: &str) -> bool {
    let reason = reason.to_lowercase();
    ["out of memory", "not enough memory", "lost"].iter().any(|what| reason.contains(what))
}

/// Whether the device does what it is asked, as far as is known.
///
/// # Errors
/// When one of its own threads has failed for good.
pub fn check() -> Result<()> {
    match held(&ELSEWHERE).clone() {
        Some(reason) => Err(DeviceFailure(reason).into()),
        None => Ok(()),
    }
}

/// Waits until the device has done all that it was asked.
///
/// # Errors
/// When it fails.
pub fn sync(device: &Device) -> Result<()> {
    device.sync().map_err(|e| DeviceFailure(gist(&e.to_string())))?;
    check()
}

/// What `work` returns, or what it or the device's threads panicked with, as an error. `advice` is what the user can do about a
/// device that fails; without it the device is a CPU, where a panic is a fault of the program.
///
/// # Errors
/// That of `work`, or its panic.
pub fn caught<T>(advice: Option<&str>, work: impl FnOnce() -> Result<T>) -> Result<T> {
    WATCHING.fetch_add(1, Ordering::SeqCst);
    let before = CAUGHT.replace(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    CAUGHT.set(before);
    WATCHING.fetch_sub(1, Ordering::SeqCst);
    let error = match outcome {
        Ok(Ok(value)) => match check() {
            Ok(()) => return Ok(value),
            Err(error) => error,
        },
        Ok(Err(error)) => error,
        Err(panic) => {
            let reason = gist(text(&*panic));
            if advice.is_none() {
                return Err(anyhow!("a fault of the program, at {}: {reason}", held(&PLACE)));
            }
            DeviceFailure(reason).into()
        }
    };
    let failed = error.is::<DeviceFailure>() || matches!(error.downcast_ref(), Some(TrainError::Device(_)));
    match advice {
        Some(advice) if failed => Err(anyhow!("{}; {advice}", gist(&error.to_string()))),
        _ => Err(error),
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn text(panic: &dyn Any) -> &str {
    panic.downcast_ref::<String>().map_or_else(|| panic.downcast_ref().copied().unwrap_or(""), String::as_str)
}

/// What a long message says first, with its cause where it names one.
fn gist(text: &str) -> String {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or("it gives no reason");
    match (lines.next(), lines.next()) {
        (Some("Caused by:"), Some(cause)) => format!("{first}: {cause}"),
        _ => first.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_of_one_line() {
        let test = ["--ignored", "--exact", "failure::tests::in_a_process_of_its_own"];
        let output = std::process::Command::new(std::env::current_exe().unwrap()).args(test).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
    }

    #[test]
    #[ignore = "run by the other: panics are the whole process's"]
    fn in_a_process_of_its_own() {
        listen();
        let message = |advice, work: fn() -> Result<u32>| caught(advice, work).unwrap_err().to_string();
        assert_eq!(
            message(Some("try less"), || panic!("\nnot enough memory left on device\n  at 0x12")),
            "the device failed: not enough memory left on device; try less"
        );
        assert_eq!(message(Some("try less"), || Err(anyhow!("another"))), "another");
        assert_eq!(
            message(Some("try less"), || Err(DeviceFailure("lost\nCaused by:\n  a cable\nat 0x12".into()).into())),
            "the device failed: lost: a cable; try less"
        );
        let fault = message(None, || panic!("no such index"));
        assert!(fault.contains("failure.rs:") && fault.ends_with(": no such index"), "{fault}");
        let fault = message(None, || crate::threads::with(2, || rayon::join(|| Ok(3), || panic!("in a helper")).0));
        assert!(fault.contains("failure.rs:") && fault.ends_with(": in a helper"), "{fault}");
        *held(&ELSEWHERE) = None;
        assert_eq!(caught(None, || Ok(3)).unwrap(), 3);
        // The device's own thread: nobody waits for it, and its result would look whole.
        let elsewhere = || {
            let _ = std::thread::spawn(|| panic!("wgpu error: Out of Memory\nat 0x12")).join();
            Ok(3)
        };
        assert_eq!(message(Some("try less"), elsewhere), "the device failed: wgpu error: Out of Memory; try less");
        assert_eq!(
            message(Some("try less"), || Ok(3)),
            "the device failed: wgpu error: Out of Memory; try less",
            "for good"
        );
        *held(&ELSEWHERE) = None;
        // A kernel that autotuning tried in vain.
        let tried = || {
            let _ = std::thread::spawn(|| panic!("too many registers")).join();
            Ok(3)
        };
        assert_eq!(caught(Some("try less"), tried).unwrap(), 3);
    }
}
