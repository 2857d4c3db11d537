//! `l2lab theory --spectrum`: the closed form on a bare spectrum, from one CSV file to another.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::ArgMatches;
use csv::StringRecord;
use l2lab_core::{
    experiment::{ExperimentError, Grid},
    theory::Homogeneous,
};

use crate::store::{refuse_input, write_whole};

/// The columns; the last may be missing, and is 0 then.
const COLUMNS: [&str; 3] = ["gamma", "y", "f0"];

/// A mode: γ, y, f(0).
type Row = [f64; 3];

/// Runs it on the file at `path`.
///
/// # Errors
/// Whatever is wrong with the flags or the file.
pub fn run(matches: &ArgMatches, path: &Path) -> Result<String> {
    let out: &PathBuf = matches.get_one("out").context("--spectrum: give --out OUT.csv")?;
    let k = *matches.get_one::<usize>("k").context("--spectrum: give the homogeneity degree, --k K")?;
    let lambdas = list(matches, "lambda")?;
    let times = list(matches, "times")?;
    if let Some([before, after]) = times.array_windows().find(|[before, after]| after < before) {
        let text = format!("times: {after} comes after {before}; times must not decrease");
        return Err(ExperimentError::Conflict(text).into());
    }
    refuse_input(out, &[path])?;
    let rows = read(path)?;
    let homogeneous = Homogeneous::new(k);
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(["lambda", "time", "mode", "f"])?;
    for &lambda in lambdas.iter() {
        let flow = homogeneous.flow(lambda)?;
        let modes = rows.iter().map(|[gamma, ..]| flow.mode(*gamma)).collect::<Result<Vec<_>, _>>()?;
        for &time in times.iter() {
            let now = flow.at(time)?;
            for (i, (mode, [_, y, f0])) in modes.iter().zip(&rows).enumerate() {
                let response = now.response(mode);
                csv.serialize((lambda, time, i, response.initial * f0 + response.target * y))?;
            }
        }
    }
    write_whole(out, &csv.into_inner()?)?;
    let count = lambdas.len() * times.len() * rows.len();
    if matches.get_flag("json") {
        let summary = serde_json::json!({ "out": out, "k": k, "modes": rows.len(), "rows": count });
        return Ok(format!("{summary}\n"));
    }
    Ok(format!("{}: {count} rows for {} modes, k = {k}\n", out.display(), rows.len()))
}

fn list(matches: &ArgMatches, field: &'static str) -> Result<Grid> {
    let text: &String = matches.get_one(field).with_context(|| format!("--spectrum: give --{field}"))?;
    let refuse = |allowed| ExperimentError::Value { field, value: text.clone(), allowed };
    Ok(text.parse().map_err(refuse)?)
}

fn read(path: &Path) -> Result<Vec<Row>> {
    let shown = path.display();
    let bytes = fs::read(path).with_context(|| format!("'{shown}' cannot be read"))?;
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(bytes.as_slice());
    let header = reader.headers().with_context(|| format!("'{shown}'"))?.clone();
    let place = |name: &str| header.iter().position(|h| h == name);
    let known = header.iter().enumerate().all(|(i, h)| COLUMNS.contains(&h) && place(h) == Some(i));
    let (Some(gamma), Some(y), true) = (place(COLUMNS[0]), place(COLUMNS[1]), known) else {
        let found = header.iter().collect::<Vec<_>>().join(",");
        bail!("'{shown}' has the columns '{found}'; needed are gamma,y, and allowed is f0");
    };
    let f0 = place(COLUMNS[2]);
    let row = |record: StringRecord| -> Result<Row> {
        let line = line(&bytes, record.position().map_or(0, csv::Position::byte) as usize);
        if record.len() != header.len() {
            bail!("'{shown}', line {line}: {} values, and {} columns", record.len(), header.len());
        }
        let number = |name: &str, column: usize, least: f64| {
            let text = &record[column];
            match text.parse::<f64>() {
                Ok(value) if value.is_finite() && value >= least => Ok(value),
                _ => bail!(
                    "'{shown}', line {line}: {name}: '{text}' is not allowed: a finite number{}",
                    if least == 0.0 { " from 0" } else { "" }
                ),
            }
        };
        let start = f0.map_or(Ok(0.0), |column| number(COLUMNS[2], column, f64::MIN))?;
        Ok([number(COLUMNS[0], gamma, 0.0)?, number(COLUMNS[1], y, f64::MIN)?, start])
    };
    let mut rows = Vec::new();
    for record in reader.records() {
        rows.push(row(record.with_context(|| format!("'{shown}'"))?)?);
    }
    if rows.is_empty() {
        bail!("'{shown}' has no rows");
    }
    Ok(rows)
}

/// The line of the record that the reader came to at byte `at`: empty lines before it are passed over.
fn line(bytes: &[u8], at: usize) -> usize {
    let skipped = bytes[at..].iter().take_while(|b| matches!(b, b'\n' | b'\r')).count();
    bytes[..at + skipped].split(|b| *b == b'\n').count()
}
