//! Logs as values separated by commas, semicolons or tabs, under a header.

use anyhow::{Result, bail};
use csv::{ReaderBuilder, Trim};

use super::{Cell, Format, Table};

/// Reads a log.
///
/// # Errors
/// When it has no header, or a row that does not fit it; a last row that is cut off is left out.
pub fn read(text: &str) -> Result<Table> {
    let delimiter = delimiter(text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default());
    let mut reader =
        ReaderBuilder::new().delimiter(delimiter).trim(Trim::All).flexible(true).from_reader(text.as_bytes());
    let header = reader.headers()?.clone();
    if header.iter().all(|name| !matches!(Cell::parse(name), Some(Cell::Text(_)))) {
        bail!("has no header: the first line has to name the columns");
    }
    let mut table = Table::new(Format::Csv);
    for (i, name) in header.iter().enumerate() {
        if table.column(name) != i {
            bail!("has two columns named '{name}'");
        }
    }
    let mut lines = Lines { text, at: 0, line: 1 };
    for record in reader.records() {
        let record = record?;
        let start = record.position().map_or(0, csv::Position::byte) as usize;
        let line = lines.of_record(start);
        if record.len() != header.len() {
            let unfinished = lines.text[lines.at..].lines().count() <= 1 && !text.ends_with('\n');
            if unfinished && record.len() < header.len() {
                table.notes.push(format!("line {line}, the last, is cut off and was left out"));
                break;
            }
            bail!("line {line}: {} values, and {} columns", record.len(), header.len());
        }
        table.row(line);
        for (i, field) in record.iter().enumerate() {
            // Where semicolons separate, commas may be decimal.
            let decimal = (delimiter == b';' && !field.contains('.')).then(|| field.replacen(',', ".", 1));
            let cell = match decimal.as_deref().and_then(Cell::parse) {
                Some(number @ Cell::Number(_)) => Some(number),
                _ => Cell::parse(field),
            };
            if let Some(cell) = cell {
                table.put(i, cell);
            }
        }
    }
    Ok(table)
}

/// The separator that the header has most of outside of quotes; a comma if none.
fn delimiter(header: &str) -> u8 {
    let count = |delimiter: char| {
        let mut quoted = false;
        header
            .chars()
            .filter(|&c| {
                quoted ^= c == '"';
                c == delimiter && !quoted
            })
            .count()
    };
    // The last of equals is taken: the comma.
    [b'\t', b';', b','].into_iter().max_by_key(|&d| count(d.into())).unwrap_or(b',')
}

/// Counts lines up to records, which come in order; the reader's own count leaves out empty lines before a record.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl Lines<'_> {
    /// The line of the record that the reader came to at byte `start`.
    fn of_record(&mut self, start: usize) -> usize {
        let bytes = self.text.as_bytes();
        let empty = bytes[start..].iter().take_while(|b| matches!(b, b'\n' | b'\r')).count();
        self.line += bytes[self.at..start + empty].split(|b| *b == b'\n').count() - 1;
        self.at = start + empty;
        self.line
    }
}
