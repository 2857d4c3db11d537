//! What a run is: its settings, its clocks (steps, epochs, τ), when it is measured, and what was measured. All other rooms may
//! use this one; it uses none of them.

mod clock;
mod schedule;
mod trace;

pub use clock::{Length, ParseLengthError, effective_lr};
pub use schedule::is_measured;
pub use trace::{End, LambdaScheduleKind, Measurement, RunSpec, Trace};
