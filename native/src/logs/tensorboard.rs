//! Scalars in TensorBoard's event files: TFRecords of `Event` messages.

use anyhow::{Result, bail};
use prost::Message;

use super::{Cell, Format, Table};

/// What the name of an event file contains.
pub const NAME: &str = "tfevents";

/// The step that every event has, as a column.
pub const STEP: &str = "step";

/// The parts of `tensorflow.Event` that matter here; field numbers are those of TensorFlow's `event.proto`.
#[derive(Clone, PartialEq, Message)]
struct Event {
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(message, optional, tag = "5")]
    summary: Option<Summary>,
}

/// `tensorflow.Summary`.
#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Value>,
}

/// `tensorflow.Summary.Value`.
#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    /// TensorFlow 1, PyTorch, tensorboardX.
    #[prost(float, optional, tag = "2")]
    simple: Option<f32>,
    /// TensorFlow 2, Keras, JAX.
    #[prost(message, optional, tag = "8")]
    tensor: Option<Tensor>,
}

/// `tensorflow.TensorProto`.
#[derive(Clone, PartialEq, Message)]
struct Tensor {
    #[prost(int32, tag = "1")]
    dtype: i32,
    #[prost(bytes = "vec", tag = "4")]
    content: Vec<u8>,
    #[prost(float, repeated, tag = "5")]
    float_val: Vec<f32>,
    #[prost(double, repeated, tag = "6")]
    double_val: Vec<f64>,
}

const DT_FLOAT: i32 = 1;
const DT_DOUBLE: i32 = 2;

impl Value {
    /// The scalar, if it is one; images, histograms and texts are not.
    fn scalar(&self) -> Option<f64> {
        if let Some(value) = self.simple {
            return Some(value.into());
        }
        let tensor = self.tensor.as_ref()?;
        match (tensor.dtype, tensor.content.as_slice(), tensor.float_val.as_slice(), tensor.double_val.as_slice()) {
            (DT_FLOAT, [], [value], []) => Some((*value).into()),
            (DT_FLOAT, bytes, [], []) => Some(f32::from_le_bytes(bytes.try_into().ok()?).into()),
            (DT_DOUBLE, [], [], [value]) => Some(*value),
            (DT_DOUBLE, bytes, [], []) => Some(f64::from_le_bytes(bytes.try_into().ok()?)),
            _ => None,
        }
    }
}

/// Whether it begins as a TFRecord does.
pub fn is_event_file(bytes: &[u8]) -> bool {
    bytes.first_chunk::<12>().is_some_and(|head| {
        let (length, crc) = head.split_at(8);
        crc == masked_crc(length)
    })
}

/// Reads event files, pairs of name and content, one after the other.
///
/// # Errors
/// When a record is damaged; one that is cut off at a file's end, as while a run goes on, is left out.
pub fn read(files: &[(String, Vec<u8>)]) -> Result<Table> {
    let mut table = Table::new(Format::TensorBoard);
    let step = table.column(STEP);
    let mut count = 0;
    for (name, bytes) in files {
        let mut rest = bytes.as_slice();
        if !rest.is_empty() && !is_event_file(rest) && rest.len() >= 12 {
            bail!("'{name}' is no TensorBoard event file");
        }
        while !rest.is_empty() {
            count += 1;
            let at = bytes.len() - rest.len();
            let damaged = |what: &str| format!("record {count}, at byte {at} of '{name}', is damaged: {what}");
            let Some((data, after)) = record(rest).map_err(|what| anyhow::Error::msg(damaged(what)))? else {
                table.notes.push(format!("'{name}' ends within a record, as while a run goes on; it was left out"));
                break;
            };
            rest = after;
            let Ok(event) = Event::decode(data) else { bail!(damaged("it is no event")) };
            let values = event.summary.map(|s| s.value).unwrap_or_default();
            let scalars: Vec<(&str, f64)> = values.iter().filter_map(|v| Some((v.tag.as_str(), v.scalar()?))).collect();
            if scalars.is_empty() {
                continue;
            }
            table.row(count);
            table.put(step, Cell::Number(event.step as f64));
            for (tag, value) in scalars {
                // A scalar of that name is not the events' own step.
                let column = if tag == STEP { table.column("scalar/step") } else { table.column(tag) };
                table.put(column, Cell::Number(value));
            }
        }
    }
    Ok(table)
}

/// A record's data, and what follows.
type Record<'a> = (&'a [u8], &'a [u8]);

/// The first record; `None` if it is cut off. An error says what is wrong with it.
fn record(bytes: &[u8]) -> Result<Option<Record<'_>>, &'static str> {
    let Some((head, rest)) = bytes.split_first_chunk::<12>() else { return Ok(None) };
    let (length, crc) = head.split_at(8);
    if crc != masked_crc(length) {
        return Err("the checksum of its length does not match");
    }
    let length = length.iter().rev().fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
    let data_and_rest = usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length));
    let Some((data, rest)) = data_and_rest else { return Ok(None) };
    let Some((crc, rest)) = rest.split_first_chunk::<4>() else { return Ok(None) };
    if *crc != masked_crc(data) {
        return Err("its checksum does not match");
    }
    Ok(Some((data, rest)))
}

/// TFRecord's checksum of `data`: CRC-32C, rotated and moved so that checksums of checksums are no special case.
fn masked_crc(data: &[u8]) -> [u8; 4] {
    crc32c::crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}
