//! `l2lab data`: which data sets there are, getting them, checking them.

use std::{fmt::Write, path::Path};

use anyhow::{Result, bail};
use clap::ArgMatches;
use serde::Serialize;

use crate::{
    cli,
    datasets::{SOURCES, Source, State, find},
};

/// A data set as it is on this machine.
#[derive(Serialize)]
struct Row {
    name: &'static str,
    about: &'static str,
    licence: &'static str,
    path: String,
    /// `embedded`, `intact`, `damaged` or `missing`.
    state: &'static str,
    detail: Option<String>,
}

impl Row {
    fn new(source: &Source, data_dir: &Path) -> Self {
        let (state, detail) = match source.verify(data_dir) {
            _ if source.is_embedded() => ("embedded", None),
            State::Intact => ("intact", None),
            State::Missing(path) => ("missing", Some(format!("'{}' is not there", path.display()))),
            State::Damaged(what) => ("damaged", Some(what)),
        };
        let path = if source.is_embedded() { String::new() } else { source.path(data_dir).display().to_string() };
        Self { name: source.name, about: source.about, licence: source.licence, path, state, detail }
    }
}

/// Runs `data list`, `data fetch` or `data verify`.
///
/// # Errors
/// For an unknown name, a failed download, or a data set that is not what was published.
pub fn run(matches: &ArgMatches) -> Result<String> {
    let Some((command, matches)) = matches.subcommand() else { bail!("data: list, fetch or verify") };
    let options = cli::options(matches);
    let dir = &options.data_dir;
    let named = || -> Result<Vec<&'static Source>> {
        matches.get_many::<String>("names").into_iter().flatten().map(|n| find(n)).collect()
    };
    let rows: Vec<Row> = match command {
        "fetch" => {
            let sources = named()?;
            for source in &sources {
                source.fetch(dir, matches.get_one::<String>("from").map(String::as_str))?;
            }
            sources.iter().map(|s| Row::new(s, dir)).collect()
        }
        "verify" => {
            let asked = named()?;
            if asked.is_empty() {
                SOURCES.iter().map(|s| Row::new(s, dir)).filter(|r| r.state != "missing").collect()
            } else {
                asked.iter().map(|s| Row::new(s, dir)).collect()
            }
        }
        _ => SOURCES.iter().map(|s| Row::new(s, dir)).collect(),
    };
    let bad: Vec<&Row> =
        rows.iter().filter(|r| command != "list" && matches!(r.state, "missing" | "damaged")).collect();
    if let Some(row) = bad.first() {
        bail!("{}: {}: {}", row.name, row.state, row.detail.as_deref().unwrap_or_default());
    }
    if options.json {
        return Ok(serde_json::to_string(&serde_json::json!({ "data": rows }))? + "\n");
    }
    let mut text = String::new();
    for row in &rows {
        let _ = writeln!(text, "{:<18} {:<9} {} ({})", row.name, row.state, row.about, row.licence);
        if let Some(detail) = row.detail.as_ref().filter(|_| row.state == "damaged") {
            let _ = writeln!(text, "{:<18} {detail}", "");
        }
    }
    Ok(text)
}
