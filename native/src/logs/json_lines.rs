//! Logs as JSON lines: one object a line, keys that differ from line to line, nested ones joined by `/`.

use std::borrow::Cow;

use anyhow::{Result, bail};
use serde_json::{Map, Value};

use super::{Cell, Format, Table};

/// Reads a log.
///
/// # Errors
/// When a line is no JSON object; a last line that is cut off is left out.
pub fn read(text: &str) -> Result<Table> {
    let mut table = Table::new(Format::JsonLines);
    let last = text.lines().count();
    for (i, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let object: Map<String, Value> = match serde_json::from_str(&with_quoted_nan(line)) {
            Ok(object) => object,
            Err(error) if i + 1 == last && !text.ends_with('\n') && error.is_eof() => {
                table.notes.push(format!("line {last}, the last, is cut off and was left out"));
                break;
            }
            Err(error) => {
                // The parser counts lines from the one that it is given.
                let message = error.to_string();
                let message = message.split(" at line 1").next().unwrap_or_default();
                bail!("line {}, column {}: no JSON object: {message}", i + 1, error.column());
            }
        };
        table.row(i + 1);
        flatten(&mut table, "", &object);
    }
    Ok(table)
}

fn flatten(table: &mut Table, path: &str, object: &Map<String, Value>) {
    for (key, value) in object {
        let name = if path.is_empty() { Cow::from(key) } else { Cow::from(format!("{path}/{key}")) };
        let cell = match value {
            Value::Null | Value::Array(_) => None,
            Value::Object(inner) => {
                flatten(table, &name, inner);
                continue;
            }
            Value::Bool(value) => Some(Cell::Text(value.to_string())),
            Value::Number(number) => number.as_f64().map(Cell::Number),
            Value::String(text) => Cell::parse(text),
        };
        // A key that is always null is a column all the same.
        let column = table.column(&name);
        if let Some(cell) = cell {
            table.put(column, cell);
        }
    }
}

/// Python's json writes NaN, Infinity and -Infinity, which JSON does not have: as strings.
fn with_quoted_nan(line: &str) -> Cow<'_, str> {
    const WORDS: [&str; 3] = ["NaN", "-Infinity", "Infinity"];
    if !WORDS.iter().any(|word| line.contains(word)) {
        return line.into();
    }
    let mut out = String::with_capacity(line.len() + 16);
    let (mut rest, mut quoted) = (line, false);
    while let Some(c) = rest.chars().next() {
        let word = WORDS.iter().find(|word| !quoted && rest.starts_with(**word));
        let length = match (word, c) {
            (Some(word), _) => {
                out.extend(["\"", word, "\""]);
                rest = &rest[word.len()..];
                continue;
            }
            // What follows a backslash ends no string.
            (None, '\\') if quoted => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            _ => c.len_utf8(),
        };
        quoted ^= c == '"';
        out.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    out.into()
}
