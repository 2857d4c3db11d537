//! Tests of the core through its public interface, room by room.

mod convention;
mod data;
mod experiment;
mod law;
mod model;
mod theory;
mod train;
#[cfg(feature = "typescript")]
mod typescript;
