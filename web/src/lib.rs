//! The thin shell that hands `l2lab-core` to JavaScript: conversions and types, no logic of its own.
//!
//! A page loads it in parts, each a module of its own made with some features: *cpu* (`Archive`, findings and `Training`:
//! `data,train`), *gpu* (`Training` on WebGPU: `gpu`) and *theory* (`Theory`: `theory`).

#[cfg(feature = "data")]
mod archive;
#[cfg(feature = "data")]
mod findings;
mod message;
#[cfg(feature = "theory")]
mod theory;
#[cfg(feature = "train")]
mod training;

#[cfg(feature = "data")]
pub use archive::Archive;
#[cfg(feature = "data")]
pub use findings::{findings, forecast_runs, heed};
#[cfg(feature = "theory")]
pub use theory::Theory;
#[cfg(feature = "train")]
pub use training::{Processor, Training};

use wasm_bindgen::prelude::*;

/// Runs when the module is loaded.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
    // cubecl registers its types through constructors. Unless someone calls them once, the linker wraps every export so that
    // each call from JavaScript runs all of them again.
    #[cfg(target_arch = "wasm32")]
    {
        #[allow(unsafe_code, reason = "the linker's own function: it has no arguments and is called once")]
        unsafe {
            unsafe extern "C" {
                fn __wasm_call_ctors();
            }
            __wasm_call_ctors();
        }
    }
}
