//! What the paper is about: networks trained with L2 regularization, and the time t_* they peak at.
//!
//! Data flows one way: [`data`] → [`model`] → [`train`], and [`run`] → [`law`], with [`theory`] beside them. There are no files, no
//! clock and no threads in here, so that the same code runs in a browser. An [`Experiment`] says everything about a run, and stands
//! above them all; every front end is a view of it.
//!
//! *The paper* is A. Lewkowycz and G. Gur-Ari, *On the training dynamics of deep networks with L2 regularization*,
//! NeurIPS 2020 (arXiv 2006.08643); *the authors' code* is their release google/autol2.

pub mod data;
mod device;
pub mod experiment;
pub mod figure;
mod forecast;
pub mod law;
pub mod model;
mod random;
pub mod recording;
pub mod run;
pub mod theory;
pub mod train;

pub use device::DeviceError;
pub use experiment::Experiment;
pub use forecast::Forecast;
