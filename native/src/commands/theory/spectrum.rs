//! `l2lab theory --spectrum`: the closed form on a bare spectrum, from one CSV file to another.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::ArgMatches;
use l2lab_core::theory::{Homogeneous, Mode};
use serde::Deserialize;

use crate::store::write_whole;

#[derive(Deserialize)]
struct Row {
    gamma: f64,
    y: f64,
    #[serde(default)]
    f0: f64,
}

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
        bail!("--times: {after} comes after {before}; times must not decrease");
    }
    let rows = read(path)?;
    let homogeneous = Homogeneous::new(k);
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(["lambda", "time", "mode", "f"])?;
    for &lambda in &lambdas {
        let flow = homogeneous.flow(lambda)?;
        let mode = |(i, row): (usize, &Row)| -> Result<Mode> {
            // The header is line 1.
            flow.mode(row.gamma).with_context(|| format!("'{}', line {}", path.display(), i + 2))
        };
        let modes = rows.iter().enumerate().map(mode).collect::<Result<Vec<_>>>()?;
        for &time in &times {
            let now = flow.at(time)?;
            for (i, (mode, row)) in modes.iter().zip(&rows).enumerate() {
                let response = now.response(mode);
                csv.serialize((lambda, time, i, response.initial * row.f0 + response.target * row.y))?;
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

fn list(matches: &ArgMatches, name: &str) -> Result<Vec<f64>> {
    let text: &String =
        matches.get_one(name).with_context(|| format!("--spectrum: give --{name}, numbers by commas"))?;
    let number = |item: &str| item.trim().parse().with_context(|| format!("--{name}: '{item}' is no number"));
    text.split(',').map(number).collect()
}

fn read(path: &Path) -> Result<Vec<Row>> {
    let bytes = fs::read(path).with_context(|| format!("'{}' cannot be read", path.display()))?;
    let columns = || format!("'{}' needs the columns gamma,y and may have f0", path.display());
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes.as_slice());
    let rows = reader.deserialize().collect::<Result<Vec<Row>, _>>().with_context(columns)?;
    for (i, row) in rows.iter().enumerate() {
        if !(row.y.is_finite() && row.f0.is_finite()) {
            bail!("'{}', line {}: y and f0 have to be finite", path.display(), i + 2);
        }
    }
    if rows.is_empty() {
        bail!("'{}' has no rows", path.display());
    }
    Ok(rows)
}
