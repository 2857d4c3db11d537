//! What crosses the border: core's types as plain JavaScript values, with the declarations of www/src/types.ts.

use l2lab_core::data::{Dataset, Split};
#[cfg(feature = "keep")]
use l2lab_core::train::{NamedTensor, Snapshot};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
import type {
  End, Experiment, FigureName, Findings, Forecast, Measurement, ModelSummary, RunSpec, TheoryPoint,
  Trace,
} from "../../types";

/** Settings as in a URL: [field, text]. */
export type Setting = [name: string, text: string];
/** An experiment made of settings, and what is wrong with those that were left out. */
export type Heeded = { experiment: Experiment; settings: Setting[]; problems: string[] };
/** What a data set has. */
export type DataSummary = { name: string; train: number; test: number };
/** One part of a data set. */
export type Examples = { name: string; shape: [number, number, number]; classes: string[]; pixels: Uint8Array; labels: Uint8Array };
/** What an experiment trains and measures on. */
export type Images = { train: Examples; test: Examples };
/** An experiment ready to be trained: its runs, and which of them a device trains in one stack, the longest first. */
export type Plan = { images: Images; model: ModelSummary; runs: RunSpec[]; single: number[][]; stacked: number[][] };
/** What one run measured. */
export type Measured = { run: number; measurement: Measurement };
/** How one run ended. */
export type Ended = { run: number; end: End };
/** A stack's whole state, for `train`. */
export type Kept = { state: object; tensors: { name: string; shape: number[]; values: Uint8Array }[] };
/** What came of some steps. */
export type Slice = { step: number; measured: Measured[]; ended: Ended[]; active: number };
"#;

/// To JavaScript.
pub fn give<T: Serialize>(value: &T) -> Result<JsValue, JsError> {
    Ok(value.serialize(&Serializer::json_compatible().serialize_bytes_as_arrays(false))?)
}

/// From JavaScript.
pub fn take<T: DeserializeOwned>(value: JsValue) -> Result<T, JsError> {
    Ok(serde_wasm_bindgen::from_value(value)?)
}

/// A data set's part, as one message.
#[derive(Serialize, Deserialize)]
struct Examples {
    name: String,
    shape: [usize; 3],
    classes: Vec<String>,
    #[serde(with = "bytes")]
    pixels: Vec<u8>,
    #[serde(with = "bytes")]
    labels: Vec<u8>,
}

/// Both parts.
#[derive(Serialize, Deserialize)]
pub struct Images {
    train: Examples,
    test: Examples,
}

impl From<&Split> for Images {
    fn from(split: &Split) -> Self {
        let part = |data: &Dataset| Examples {
            name: data.name().to_owned(),
            shape: data.shape(),
            classes: data.classes().to_vec(),
            pixels: (0..data.len()).flat_map(|i| data.image(i)).copied().collect(),
            labels: data.labels().to_vec(),
        };
        Self { train: part(&split.train), test: part(&split.test) }
    }
}

impl Images {
    /// The split that it was.
    pub fn split(self) -> Result<Split, JsError> {
        let part = |e: Examples| Dataset::new(e.name, e.shape, e.pixels, e.labels, e.classes);
        Ok(Split { train: part(self.train)?, test: part(self.test)? })
    }
}

/// A snapshot as one message: its tensors are bytes, little-endian.
#[cfg(feature = "keep")]
#[derive(Serialize, Deserialize)]
pub struct Kept {
    state: Snapshot,
    tensors: Vec<KeptTensor>,
}

#[cfg(feature = "keep")]
#[derive(Serialize, Deserialize)]
struct KeptTensor {
    name: String,
    shape: Vec<usize>,
    #[serde(with = "bytes")]
    values: Vec<u8>,
}

#[cfg(feature = "keep")]
impl From<Snapshot> for Kept {
    fn from(mut state: Snapshot) -> Self {
        let tensors = state.tensors.drain(..).map(|t| KeptTensor {
            name: t.name,
            shape: t.shape,
            values: t.values.into_iter().flat_map(f32::to_le_bytes).collect(),
        });
        Self { tensors: tensors.collect(), state }
    }
}

#[cfg(feature = "keep")]
impl From<Kept> for Snapshot {
    fn from(kept: Kept) -> Self {
        let value = |b: &[u8]| f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        let tensors = kept.tensors.into_iter().map(|t| NamedTensor {
            name: t.name,
            shape: t.shape,
            values: t.values.chunks_exact(4).map(value).collect(),
        });
        Self { tensors: tensors.collect(), ..kept.state }
    }
}

/// Bytes as a `Uint8Array`.
mod bytes {
    use std::fmt;

    use serde::{Deserializer, Serializer, de::Visitor};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Vec<u8>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("bytes")
            }
            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
                Ok(bytes)
            }
        }
        deserializer.deserialize_byte_buf(Bytes)
    }
}
