//! The report over all figures of a directory, and its claims as a table.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::names;
use crate::{
    cli::Options,
    report::{Report, escape, table_of, table_text},
    store::{Store, write_whole},
    study::{Claim, claims_table, counts},
};

const REPORT: &str = "report.html";
const SUMMARY: &str = "summary.json";
const TABLE: &str = "RESULTS.md";
const HEADING: &str = "The figures of “On the training dynamics of deep networks with L2 regularization”";

/// What a figure's summary.json says of its claims.
#[derive(Serialize, Deserialize)]
struct Told {
    command: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    device: String,
    heading: String,
    about: String,
    claims: Vec<Claim>,
    /// Those of the command's own flags that results depend on.
    #[serde(skip)]
    flags: String,
    /// Its pictures by their files' names.
    #[serde(skip)]
    pictures: BTreeMap<String, String>,
}

impl Told {
    /// Which GPU of several hardly matters.
    fn kind_of_device(&self) -> &str {
        self.device.split_once(':').map_or(&self.device, |(kind, _)| kind)
    }
}

const HEAD: [&str; 3] = ["figure", "verdict", "claim"];

/// What a picture of a figure's report is labelled with, as HTML.
fn label(svg: &str) -> &str {
    let rest = svg.split_once("aria-label=\"").map_or("", |(_, rest)| rest);
    rest.split_once('"').map_or("", |(label, _)| label)
}

/// What is to be said where the figures were not all made alike.
fn differing(told: &[(&str, Told)], what: &str, get: fn(&Told) -> &str) -> Option<String> {
    let mut figures: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, of) in told {
        figures.entry(get(of)).or_default().push(name);
    }
    let each = figures.iter().map(|(value, names)| format!("{value} ({})", names.join(", ")));
    (figures.len() > 1)
        .then(|| format!("The figures are of different {what}: {}.", each.collect::<Vec<_>>().join("; ")))
}

/// The figures of a directory that are complete, in the paper's order.
fn read(dir: &Path) -> Result<Vec<(&'static str, Told)>> {
    let mut told = Vec::new();
    for name in names() {
        let figure = dir.join(name);
        let read =
            |file: &Path| fs::read_to_string(file).with_context(|| format!("'{}' cannot be read", file.display()));
        let file = figure.join(SUMMARY);
        if !file.is_file() {
            continue;
        }
        let mut of: Told =
            serde_json::from_str(&read(&file)?).with_context(|| format!("'{}' is damaged", file.display()))?;
        of.flags = Store::flags(&figure)?.unwrap_or_default();
        for entry in fs::read_dir(&figure).with_context(|| format!("'{}' cannot be read", figure.display()))?.flatten()
        {
            if entry.path().extension().is_some_and(|e| e == "svg") {
                of.pictures.insert(entry.file_name().to_string_lossy().into_owned(), read(&entry.path())?);
            }
        }
        told.push((name, of));
    }
    Ok(told)
}

/// Writes the report, the table and the summary of the figures that there are; without one, nothing.
///
/// # Errors
/// When a file cannot be read or written.
pub fn write(dir: &Path, options: &Options) -> Result<()> {
    let told = read(dir)?;
    if told.is_empty() {
        return Ok(());
    }
    let about = about(&told);
    let mut body = String::new();
    for (name, of) in &told {
        let _ = write!(body, "<section><h2>{}</h2><p>{}</p>", escape(&of.heading), escape(&of.about));
        body += "<div class=\"pictures\">";
        for svg in of.pictures.values() {
            let _ = write!(body, "<figure><figcaption>{}</figcaption>{svg}</figure>", label(svg));
        }
        body += "</div>";
        body += &claims_table(&of.claims);
        let _ = write!(
            body,
            "<p><a href=\"{name}/{REPORT}\">All of it</a>: <code>l2lab {} {}</code></p></section>",
            escape(&of.command),
            escape(&of.flags)
        );
    }
    let table = format!("<div class=\"claims\">{}</div>", table_of(&HEAD, &rows(&told)));
    let report = Report::page(HEADING, &about, &table, Vec::new(), &body)?;
    write_whole(&dir.join(REPORT), report.html.as_bytes())?;
    write_whole(&dir.join(TABLE), markdown(&told, &about).as_bytes())?;
    write_whole(&dir.join(SUMMARY), (serde_json::to_string_pretty(&summary(&told, options))? + "\n").as_bytes())
}

/// What is printed of a directory whose figures are complete.
///
/// # Errors
/// When a file cannot be read.
pub fn tell(dir: &Path, options: &Options) -> Result<String> {
    let told = read(dir)?;
    if options.json {
        return Ok(format!("{}\n", summary(&told, options)));
    }
    let (text, about) = (table_text(&HEAD, &rows(&told)), about(&told));
    Ok(format!("{text}\n{about}\n\nreport: {}\n", dir.join(REPORT).display()))
}

/// The claims; whether their premise is met is told with each figure.
fn rows(told: &[(&str, Told)]) -> Vec<Vec<String>> {
    let row = |name: &str, c: &Claim| vec![name.to_owned(), c.verdict(), c.statement.clone()];
    told.iter().flat_map(|(name, of)| of.claims.iter().filter(|c| !c.premise).map(move |c| row(name, c))).collect()
}

fn about(told: &[(&str, Told)]) -> String {
    let all = || told.iter().flat_map(|(_, of)| &of.claims);
    let claims = all().filter(|c| !c.premise).count();
    let missing = names().count() - told.len();
    let text = format!(
        "{} figures{}, {} Each is decided by one-sided tests at 5 %, so that of {claims} claims on the edge of what they say about {:.0} \
         would be decided wrongly.",
        told.len(),
        if missing > 0 { format!(" ({missing} are still to be made)") } else { String::new() },
        counts(all()),
        (0.05 * claims as f64).ceil(),
    );
    let differences = [differing(told, "versions", |of| &of.version), differing(told, "devices", Told::kind_of_device)];
    [text].into_iter().chain(differences.into_iter().flatten()).collect::<Vec<_>>().join(" ")
}

fn summary(told: &[(&str, Told)], options: &Options) -> serde_json::Value {
    let figures: BTreeMap<&str, &Told> = told.iter().map(|(name, of)| (*name, of)).collect();
    serde_json::json!({
        "command": "reproduce all",
        "version": env!("CARGO_PKG_VERSION"),
        "device": options.device.to_string(),
        "figures": figures,
    })
}

/// Every claim with what was found, as Markdown.
fn markdown(told: &[(&str, Told)], about: &str) -> String {
    let mut text = format!("# {HEADING}\n\n{about}\n");
    for (name, of) in told {
        let _ = write!(
            text,
            "\n## {}\n\n{}. [Report]({name}/{REPORT}); `l2lab {} {}`\n\n| claim | verdict | found |\n|---|---|---|\n",
            of.heading, of.about, of.command, of.flags
        );
        for c in &of.claims {
            let [statement, found] = [&c.statement, &c.found].map(|text| text.replace('|', "\\|"));
            let _ = writeln!(text, "| {statement} | {} | {found} |", c.verdict());
        }
    }
    text
}
