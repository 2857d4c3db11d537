//! Ctrl-C and friends: the first asks the runs to stop at their next step, the second ends the program.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

use crate::executor::Interrupted;

static LISTENING: AtomicBool = AtomicBool::new(false);
static REQUESTED: AtomicBool = AtomicBool::new(false);

/// The exit code of a program ended by Ctrl-C.
pub const EXIT_CODE: u8 = 130;

/// Listens from here on, if it does not already.
pub fn listen() -> Result<()> {
    if LISTENING.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    keeping_hangup(|| {
        ctrlc::set_handler(|| {
            if REQUESTED.swap(true, Ordering::Relaxed) {
                std::process::exit(i32::from(EXIT_CODE));
            }
            eprintln!("\nstopping at the next step (once more to stop at once) …");
        })
    })
    .context("cannot listen for Ctrl-C")
}

/// Lets a hangup stay ignored, as `nohup` has it, whatever `listen` does.
#[cfg(unix)]
#[expect(unsafe_code, reason = "there is no safe way to ask how a signal is handled")]
fn keeping_hangup<T>(listen: impl FnOnce() -> T) -> T {
    use nix::sys::signal::{SigHandler, Signal, signal};
    // SAFETY: a signal that is ignored runs no code.
    let ignore = || unsafe { signal(Signal::SIGHUP, SigHandler::SigIgn) };
    let before = ignore();
    let listening = listen();
    if matches!(before, Ok(SigHandler::SigIgn)) {
        let _ = ignore();
    }
    listening
}

#[cfg(not(unix))]
fn keeping_hangup<T>(listen: impl FnOnce() -> T) -> T {
    listen()
}

/// Whether the user has asked to stop.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}

/// Stops here if the user has asked to.
///
/// # Errors
/// [`Interrupted`].
pub fn check() -> Result<(), Interrupted> {
    if requested() { Err(Interrupted) } else { Ok(()) }
}
