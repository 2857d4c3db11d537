//! The thin shell that hands `l2lab-core` to JavaScript: types and messages, no logic of its own.

mod theory;

pub use theory::Theory;

use l2lab_core::Experiment;
use wasm_bindgen::prelude::*;

/// The default experiment's value of the field called `name`, as text.
#[wasm_bindgen]
#[must_use]
pub fn default_of(name: &str) -> Option<String> {
    Experiment::default().get(name)
}
