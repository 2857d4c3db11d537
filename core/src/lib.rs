//! What the paper is about: networks trained with L2 regularization, and the time t_* they peak at.
//!
//! Data flows one way: [`data`] → [`model`] → [`train`] → [`law`]. There are no files, no clock and
//! no threads in here, so that the same code runs in a browser. An [`Experiment`] says everything
//! about a run; every front end is a view of it.

pub mod data;
pub mod experiment;
pub mod law;
pub mod model;
mod random;
pub mod train;

pub use experiment::Experiment;
