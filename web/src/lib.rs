//! The thin shell that hands `l2lab-core` to JavaScript. The page is built on it; for now it offers the
//! experiment's default and its check, which proves that the core compiles and runs in a browser.

use l2lab_core::Experiment;
use wasm_bindgen::prelude::*;

/// The default experiment's value of the field called `name`, as text.
#[wasm_bindgen]
#[must_use]
pub fn default_of(name: &str) -> Option<String> {
    Experiment::default().get(name)
}
