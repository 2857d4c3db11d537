//! What becomes of a device that fails: GPU backends panic where a CPU would return an error.

use std::{
    any::Any,
    cell::Cell,
    panic::{self, AssertUnwindSafe},
};

use anyhow::{Result, anyhow};

thread_local! {
    /// Whether a panic on this thread is caught and told as an error.
    static CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Keeps panics that are caught from being printed too; the others are told as ever.
pub fn listen() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !CAUGHT.get() {
            before(info);
        }
    }));
}

/// What `work` returns, or what it panicked with, as an error; `advice` is what the user can do.
///
/// # Errors
/// That of `work`, or its panic.
pub fn caught<T>(advice: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let before = CAUGHT.replace(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    CAUGHT.set(before);
    outcome.unwrap_or_else(|panic| Err(anyhow!("the device failed: {}; {advice}", first_line(&*panic))))
}

fn first_line(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.and_then(|text| text.lines().find(|line| !line.trim().is_empty())).unwrap_or("it gives no reason")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_of_one_line() {
        let message = |work: fn() -> Result<u32>| caught("try less", work).unwrap_err().to_string();
        assert_eq!(
            message(|| panic!("\nnot enough memory left on device\n  at 0x12")),
            "the device failed: not enough memory left on device; try less"
        );
        assert_eq!(message(|| Err(anyhow!("another"))), "another");
        assert_eq!(caught("", || Ok(3)).unwrap(), 3);
    }
}
