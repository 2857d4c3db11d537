//! The runs of a table: their settings, and one column of a run against time.

use std::collections::HashMap;

use anyhow::{Result, bail};

use super::{Cell, Chosen, Columns, Format, Table};

/// What a log counts time in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Optimizer steps.
    Steps,
    /// Passes over the training set.
    Epochs,
}

impl Unit {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Steps => "steps",
            Self::Epochs => "epochs",
        }
    }
}

/// One run of a table, and what the table says of its settings.
#[derive(Debug)]
pub struct Run<'a> {
    table: &'a Table,
    columns: &'a Columns,
    rows: Vec<usize>,
    /// Added to every epoch.
    shift: f64,
    /// A value that is no finite number ends the run, and is no error.
    ends_in_divergence: bool,
    /// What the times are.
    pub unit: Unit,
    /// Seed, as it is written.
    pub seed: Option<String>,
    /// L2 coefficient.
    pub lambda: Option<f64>,
    /// Momentum.
    pub momentum: Option<f64>,
    /// Learning rates: pairs of time and η, empty if the table has none.
    pub lr: Vec<(f64, f64)>,
}

/// A measurement: time, value, row.
pub type Point = (f64, f64, usize);

/// The largest time: counts beyond it are no exact numbers.
const LAST: f64 = (1_u64 << 53) as f64;

impl<'a> Run<'a> {
    /// The runs of a table, told apart by its columns `run` or `seed`. `zero_is_initial` says that a row of epoch 0
    /// was measured before training, where epochs are whole numbers.
    ///
    /// # Errors
    /// When a time or a setting is no possible number, or a setting changes within a run.
    pub fn all(
        table: &'a Table,
        columns: &'a Columns,
        zero_is_initial: bool,
        notes: &mut Vec<String>,
    ) -> Result<Vec<Self>> {
        let groups = grouped(table, &columns.run.or(columns.seed).into_iter().collect::<Vec<_>>());
        Self::of(table, columns, groups, zero_is_initial, notes)
    }

    /// The runs of a grid: told apart by the column `run`, or where there is none by λ, momentum, seed and learning rate together.
    /// Runs whose λ changes are left out, and values end where one is no finite number: see [`Self::diverges_at`].
    ///
    /// # Errors
    /// As [`Self::all`].
    pub fn grid(table: &'a Table, columns: &'a Columns, notes: &mut Vec<String>) -> Result<Vec<Self>> {
        let settings = [columns.lambda, columns.momentum, columns.seed, columns.lr].into_iter().flatten();
        let keys: Vec<usize> = columns.run.map_or_else(|| settings.collect(), |run| vec![run]);
        let mut groups = grouped(table, &keys);
        if let Some(column) = columns.lambda {
            let cells = table.by_row(column);
            let before = groups.len();
            groups.retain(|rows| {
                let mut values = rows.iter().filter_map(|&row| cells[row]);
                let first = values.next();
                values.all(|value| Some(value) == first)
            });
            if groups.len() < before {
                notes.push(format!(
                    "{} runs whose λ changes are left out: the law is of a constant λ",
                    before - groups.len()
                ));
            }
        }
        let runs = Self::of(table, columns, groups, false, notes)?;
        Ok(runs.into_iter().map(|run| Self { ends_in_divergence: true, ..run }).collect())
    }

    fn of(
        table: &'a Table,
        columns: &'a Columns,
        groups: Vec<Vec<usize>>,
        zero_is_initial: bool,
        notes: &mut Vec<String>,
    ) -> Result<Vec<Self>> {
        let seeds = columns.seed.map(|column| table.by_row(column));
        let unit = if columns.step.is_some() { Unit::Steps } else { Unit::Epochs };
        let mut runs = Vec::new();
        for rows in groups {
            let seed = seeds.as_ref().and_then(|seeds| rows.iter().find_map(|&row| seeds[row]).map(text));
            let mut run = Self {
                table,
                columns,
                rows,
                shift: 0.0,
                ends_in_divergence: false,
                unit,
                seed,
                lambda: None,
                momentum: None,
                lr: Vec::new(),
            };
            run.lambda = run.setting(columns.lambda, "lambda")?;
            run.momentum = run.setting(columns.momentum, "momentum")?;
            let epochs = run.numbers(columns.epoch)?;
            let from_zero = epochs.iter().all(|(_, e)| e.fract() == 0.0) && epochs.iter().any(|(_, e)| *e == 0.0);
            if unit == Unit::Epochs && from_zero && !zero_is_initial {
                run.shift = 1.0;
                let note = "epochs count from 0: a row of epoch e was measured after e + 1 epochs (--epoch-zero initial \
                            if epoch 0 is before training)";
                if !notes.iter().any(|n| n == note) {
                    notes.push(note.into());
                }
            }
            if let Some(column) = columns.lr {
                run.lr = run.series(column)?.points.into_iter().map(|(time, lr, _)| (time, lr)).collect();
                if let Some((_, lr)) = run.lr.iter().find(|(_, lr)| *lr < 0.0) {
                    bail!("'{}' is {lr}; a learning rate is 0 or more", run.name(column));
                }
            }
            runs.push(run);
        }
        Ok(runs)
    }

    /// The name of a column.
    pub fn name(&self, column: usize) -> &'a str {
        &self.table.columns[column].name
    }

    /// The cells of a column in this run that are numbers.
    fn numbers(&self, column: Option<usize>) -> Result<Vec<(usize, f64)>> {
        let Some(column) = column else { return Ok(Vec::new()) };
        let cells = self.table.by_row(column);
        let mut numbers = Vec::new();
        for &row in &self.rows {
            match cells[row] {
                None => {}
                Some(Cell::Number(value)) => numbers.push((row, *value)),
                Some(Cell::Text(text)) => {
                    bail!("{}: {}: '{text}' is no number", self.table.place(row), self.name(column))
                }
            }
        }
        Ok(numbers)
    }

    /// The one value of a setting.
    fn setting(&self, column: Option<usize>, what: &str) -> Result<Option<f64>> {
        let values = self.numbers(column)?;
        let Some(&(_, first)) = values.first() else { return Ok(None) };
        if let Some((row, other)) = values.iter().find(|(_, value)| *value != first) {
            bail!(
                "{}: {what} changes within the run, from {first} to {other}: the law is of a constant {what} (in a file \
                 of several runs, a column 'run' tells them apart)",
                self.table.place(*row)
            );
        }
        Ok(Some(first))
    }

    /// Times by row of the table.
    fn times(&self) -> Result<Vec<Option<f64>>> {
        let column = self.columns.step.or(self.columns.epoch);
        let mut times = vec![None; self.table.len()];
        for (row, value) in self.numbers(column)? {
            let whole = self.unit == Unit::Epochs || value.fract() == 0.0;
            if !(0.0..=LAST).contains(&value) || !whole {
                let allowed = match self.unit {
                    Unit::Steps => "a whole number from 0 (for epochs use --epoch-column)",
                    Unit::Epochs => "a number from 0",
                };
                let name = column.map_or("time", |c| self.name(c));
                bail!("{}: {name}: '{value}' is not allowed: {allowed}", self.table.place(row));
            }
            times[row] = Some(value + self.shift);
        }
        Ok(times)
    }

    /// A column against time: rows without a value are left out, and of rows of the same time the last is taken.
    ///
    /// # Errors
    /// When a value is no finite number, or time falls.
    pub fn series(&self, column: usize) -> Result<Series> {
        let (times, name) = (self.times()?, self.name(column));
        let values = self.numbers(Some(column))?;
        let mut series = Series { points: Vec::new(), missing: 0, untimed: 0, repeated: 0 };
        // In event files every scalar has rows of its own.
        if self.table.format != Format::TensorBoard {
            series.missing = self.rows.len() - values.len();
        }
        for (row, value) in values {
            if !value.is_finite() && self.ends_in_divergence {
                break;
            }
            if !value.is_finite() {
                bail!(
                    "{}: {name} is {value}: the run diverged, and its t_* means nothing (a value that was not measured \
                     is left empty)",
                    self.table.place(row)
                );
            }
            let Some(time) = times[row] else {
                series.untimed += 1;
                continue;
            };
            match series.points.last_mut() {
                Some((before, _, at)) if time < *before => {
                    let unit = self.unit.name();
                    bail!(
                        "{}: {unit} fall from {before} ({}) to {time}: two runs joined, or one that went back, are not \
                         one run",
                        self.table.place(row),
                        self.table.place(*at)
                    );
                }
                Some(last) if time == last.0 => {
                    *last = (time, value, row);
                    series.repeated += 1;
                }
                _ => series.points.push((time, value, row)),
            }
        }
        Ok(series)
    }

    /// The time at which a value of a column is first no finite number.
    ///
    /// # Errors
    /// When a time is no possible number.
    pub fn diverges_at(&self, column: usize) -> Result<Option<f64>> {
        let times = self.times()?;
        let values = self.numbers(Some(column))?;
        Ok(values.into_iter().find(|(_, value)| !value.is_finite()).and_then(|(row, _)| times[row]))
    }

    /// Test accuracies as fractions; whether they were percentages.
    ///
    /// # Errors
    /// As [`Self::series`], and when they are neither fractions nor percentages.
    pub fn accuracies(&self, chosen: &Chosen) -> Result<(Series, bool)> {
        let mut series = self.series(chosen.index)?;
        let name = self.name(chosen.index);
        let refuse = |(_, value, row): &Point, why: &str| {
            bail!("{}: {name}: '{value}' is not allowed: {why}", self.table.place(*row))
        };
        let Some(largest) = series.points.iter().max_by(|a, b| a.1.total_cmp(&b.1)) else { return Ok((series, false)) };
        if largest.1 > 100.0 {
            return refuse(largest, "a fraction from 0 to 1, or a percentage up to 100");
        }
        let percent = largest.1 > 1.5;
        if !percent && largest.1 > 1.0 + 1e-9 {
            return refuse(largest, "the largest value is above 1, and too small for a percentage");
        }
        if let Some(negative) = series.points.iter().find(|p| p.1 < 0.0) {
            return refuse(negative, "a fraction from 0 to 1, or a percentage up to 100");
        }
        for (_, value, _) in &mut series.points {
            let fraction = if percent { *value / 100.0 } else { *value };
            *value = if chosen.is_error { 1.0 - fraction } else { fraction };
        }
        Ok((series, percent))
    }

    /// How many rows it has.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Steps in an epoch, where the run counts both: from the first row of its first epoch to that of its last.
    ///
    /// # Errors
    /// When an epoch is no number.
    pub fn steps_per_epoch(&self) -> Result<Option<f64>> {
        if self.unit == Unit::Epochs {
            return Ok(None);
        }
        let times = self.times()?;
        let mut starts = self.numbers(self.columns.epoch)?.into_iter().filter_map(|(row, e)| Some((e, times[row]?)));
        let Some(first) = starts.next() else { return Ok(None) };
        let mut last = first;
        for start in starts {
            if start.0 > last.0 {
                last = start;
            }
        }
        let steps = (last.1 - first.1) / (last.0 - first.0);
        Ok((steps.is_finite() && steps > 0.0).then_some(steps))
    }
}

/// Rows by what stands in the columns `keys`, in the order of the first of each.
fn grouped(table: &Table, keys: &[usize]) -> Vec<Vec<usize>> {
    let columns: Vec<_> = keys.iter().map(|&column| table.by_row(column)).collect();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut index = HashMap::new();
    let mut key = vec![String::new(); keys.len()];
    for row in 0..table.len() {
        // A row without (a log may say it once) goes with the one before.
        for (part, cells) in key.iter_mut().zip(&columns) {
            if let Some(cell) = cells[row] {
                *part = text(cell);
            }
        }
        let at = *index.entry(key.clone()).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    groups
}

/// A column of a run against time, and what was left out.
#[derive(Debug)]
pub struct Series {
    /// In order of time, each time once.
    pub points: Vec<Point>,
    /// Rows without a value.
    pub missing: usize,
    /// Values without a time.
    pub untimed: usize,
    /// Values that were followed by another of the same time.
    pub repeated: usize,
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Number(number) => number.to_string(),
        Cell::Text(text) => text.clone(),
    }
}
