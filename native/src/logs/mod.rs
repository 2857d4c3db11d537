//! Metrics logs of other programs as one thing: a table of named columns, whatever the file's format.

mod csv;
mod json_lines;
mod names;
mod runs;
mod tensorboard;

use std::{collections::HashMap, fs, io::Read, path::Path};

use anyhow::{Context, Result, bail};
use flate2::read::MultiGzDecoder;

pub use self::{
    names::{Chosen, Columns, Wanted},
    runs::{Point, Run, Unit},
};

/// A value of a table; one that is missing has no cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A number, NaN and infinity included.
    Number(f64),
    /// Anything else.
    Text(String),
}

impl Cell {
    fn as_phase(&self) -> Option<u64> {
        match self {
            Self::Number(value) if value.fract() == 0.0 && *value >= 0.0 => Some(*value as u64),
            _ => None,
        }
    }

    /// Of a field's text; `None` if it is empty. `91.2%` is the number 91.2.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let number = text.strip_suffix('%').unwrap_or(text).trim_end();
        match number.parse() {
            _ if text.is_empty() => None,
            Ok(value) => Some(Self::Number(value)),
            Err(_) => Some(Self::Text(text.to_owned())),
        }
    }
}

/// A named column: its cells with their rows, in order.
#[derive(Debug)]
pub struct Column {
    /// The name in the file; nested keys are joined by `/`.
    pub name: String,
    /// Row and value.
    pub cells: Vec<(usize, Cell)>,
}

/// A metrics log.
#[derive(Debug)]
pub struct Table {
    /// The columns, in the file's order.
    pub columns: Vec<Column>,
    /// Where each row is: see `place`.
    rows: Vec<usize>,
    /// What `rows` counts: lines or records.
    place: &'static str,
    /// What the file is.
    pub format: Format,
    /// What was done to read it, in sentences.
    pub notes: Vec<String>,
    index: HashMap<String, usize>,
}

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Values separated by commas, semicolons or tabs, under a header.
    Csv,
    /// One JSON object a line.
    JsonLines,
    /// TensorBoard event files.
    TensorBoard,
}

impl Table {
    fn new(format: Format) -> Self {
        let place = if format == Format::TensorBoard { "record" } else { "line" };
        Self { columns: Vec::new(), rows: Vec::new(), place, format, notes: Vec::new(), index: HashMap::new() }
    }

    /// Begins a row found at `place`.
    fn row(&mut self, place: usize) {
        self.rows.push(place);
    }

    /// The column called `name`, made if it is not there.
    fn column(&mut self, name: &str) -> usize {
        if let Some(&i) = self.index.get(name) {
            return i;
        }
        self.columns.push(Column { name: name.to_owned(), cells: Vec::new() });
        self.index.insert(name.to_owned(), self.columns.len() - 1);
        self.columns.len() - 1
    }

    /// Puts a value into the row begun last.
    fn put(&mut self, column: usize, cell: Cell) {
        let row = self.rows.len().saturating_sub(1);
        let cells = &mut self.columns[column].cells;
        // The same name twice in a row, by way of nested keys: the last one, as in JSON.
        cells.pop_if(|(at, _)| *at == row);
        cells.push((row, cell));
    }

    /// `line 7`.
    pub fn place(&self, row: usize) -> String {
        format!("{} {}", self.place, self.rows[row])
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The names of the columns, by commas; the first fifty of them.
    pub fn names(&self) -> String {
        const SHOWN: usize = 50;
        let names: Vec<&str> = self.columns.iter().map(|c| c.name.as_str()).take(SHOWN).collect();
        let more = self.columns.len().saturating_sub(SHOWN);
        names.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
    }

    /// The phase of a study that is asked for, or the only one.
    ///
    /// # Errors
    /// When there are several and none is asked for, or there is no such one.
    pub fn one_phase(self, asked: Option<u64>) -> Result<Self> {
        let phases = self.phases();
        match (asked, &phases[..]) {
            (None, [] | [_]) => Ok(self),
            (Some(phase), _) if phases.contains(&phase) => Ok(self.of_phase(phase)),
            (_, []) => bail!("--phase: there is no column '{PHASE}'; leave it out"),
            (asked, [first, ..]) => {
                let last = phases.last().unwrap_or(first);
                let none = asked.map_or_else(String::new, |phase| format!("--phase '{phase}' is none of them; "));
                bail!(
                    "holds the phases {first} to {last} of a study, which are of different networks or lengths: {none}choose one with \
                     l2lab fit --phase"
                )
            }
        }
    }

    /// The phases of a study of this program, of a table that says them.
    fn phases(&self) -> Vec<u64> {
        let cells = self.index.get(PHASE).map_or(&[][..], |&column| &self.columns[column].cells);
        let mut phases: Vec<u64> = cells.iter().filter_map(|(_, cell)| cell.as_phase()).collect();
        phases.sort_unstable();
        phases.dedup();
        phases
    }

    /// The rows of one phase.
    fn of_phase(mut self, phase: u64) -> Self {
        let Some(&column) = self.index.get(PHASE) else { return self };
        let kept: Vec<usize> = self.columns[column]
            .cells
            .iter()
            .filter(|(_, cell)| cell.as_phase() == Some(phase))
            .map(|(row, _)| *row)
            .collect();
        let place: HashMap<usize, usize> = kept.iter().enumerate().map(|(new, &old)| (old, new)).collect();
        for column in &mut self.columns {
            let cells = std::mem::take(&mut column.cells).into_iter();
            column.cells = cells.filter_map(|(row, cell)| Some((*place.get(&row)?, cell))).collect();
        }
        self.rows = kept.into_iter().map(|row| self.rows[row]).collect();
        self
    }

    /// The cells of a column by row.
    fn by_row(&self, column: usize) -> Vec<Option<&Cell>> {
        let mut cells = vec![None; self.rows.len()];
        for (row, cell) in &self.columns[column].cells {
            cells[*row] = Some(cell);
        }
        cells
    }
}

/// The column that says of which phase of a study a row is.
const PHASE: &str = "phase";
/// How a gzip file begins.
const GZIP: &[u8] = &[0x1f, 0x8b];
/// What a packed log may unpack to.
const UNPACKED_LIMIT: u64 = 1 << 30;

/// Reads a log, or a directory of event files.
///
/// # Errors
/// When it cannot be read, is damaged or is no log; the message names the file and the place.
pub fn read(path: &Path) -> Result<Table> {
    let shown = path.display();
    let table = if path.is_dir() {
        let files = event_files(path)?;
        let files: Vec<(String, Vec<u8>)> =
            files.into_iter().map(|f| Ok((f.clone(), bytes(&path.join(f))?))).collect::<Result<_>>()?;
        tensorboard::read(&files)
    } else {
        let bytes = bytes(path)?;
        if tensorboard::is_event_file(&bytes) || path.to_string_lossy().contains(tensorboard::NAME) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            tensorboard::read(&[(name, bytes)])
        } else {
            text(&bytes).and_then(|text| match text.trim_start().chars().next() {
                Some('{') => json_lines::read(text),
                Some('[') => bail!("is a JSON array; a log in JSON has one object a line"),
                _ => csv::read(text),
            })
        }
    };
    let table = table.with_context(|| format!("'{shown}'"))?;
    if table.rows.is_empty() {
        bail!("'{shown}' has no rows");
    }
    Ok(table)
}

/// The bytes of a file, unpacked if it is gzipped.
fn bytes(path: &Path) -> Result<Vec<u8>> {
    let cannot = || format!("'{}' cannot be read", path.display());
    let bytes = fs::read(path).with_context(cannot)?;
    if !bytes.starts_with(GZIP) {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    let read = MultiGzDecoder::new(&bytes[..]).take(UNPACKED_LIMIT + 1).read_to_end(&mut unpacked);
    read.with_context(|| format!("'{}' is no whole gzip file", path.display()))?;
    if unpacked.len() as u64 > UNPACKED_LIMIT {
        bail!("'{}' unpacks to more than {} MiB: give the part that is a log", path.display(), UNPACKED_LIMIT >> 20);
    }
    Ok(unpacked)
}

fn text(bytes: &[u8]) -> Result<&str> {
    let text = std::str::from_utf8(bytes)
        .context("is neither text nor a TensorBoard event file; logs are CSV, JSON lines or event files")?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// The names of a directory's event files; they begin with the time at which they were opened.
fn event_files(dir: &Path) -> Result<Vec<String>> {
    let shown = dir.display();
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| format!("'{shown}' cannot be read"))? {
        let name = entry.with_context(|| format!("'{shown}' cannot be read"))?.file_name();
        names.extend(name.into_string().ok().filter(|n| n.contains(tensorboard::NAME)));
    }
    if names.is_empty() {
        bail!("'{shown}' is a directory without TensorBoard event files (their names contain '{}')", tensorboard::NAME);
    }
    names.sort();
    Ok(names)
}
