//! Tests of the core through its public interface, room by room: natively, and by `cargo web test` in a browser.

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

mod augmentation;
mod autol2;
mod convention;
mod convolution;
mod data;
mod experiment;
mod law;
mod model;
mod scaling;
mod theory;
mod train;
#[cfg(feature = "typescript")]
mod typescript;
mod wrn;
