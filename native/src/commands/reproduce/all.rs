//! `l2lab reproduce all`: every figure in a directory of its own, and one report over all.

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use clap::{ArgMatches, Command, parser::ValueSource};
use l2lab_core::law::Verdict;
use serde::{Deserialize, Serialize};

use super::{Preset, emit, fig5, names};
use crate::{
    cli::{self, Options},
    commands,
    executor::Interrupted,
    report::{Report, escape, list, table_of, table_text},
    store::{Occupied, Store, free_directory, write_whole},
    study::Claim,
};

const REPORT: &str = "report.html";
const SUMMARY: &str = "summary.json";
/// What the directory was begun with.
const BEGUN: &str = "flags";
/// How long one waits for another process that makes the same figure's directory.
const PATIENCE: u32 = 50;

pub fn flags(command: Command) -> Command {
    command.about("Every figure, each in a directory of its own under --out, and one report").after_help(
        "Without --out, results go to the first free runs/reproduce-all-N. Finished figures and runs are never run again. Several \
         processes, on this machine or on others that share the directory, work together when they are given the same --out with \
         --resume.",
    )
}

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

/// Runs the command.
///
/// # Errors
/// Whatever is wrong with the input, or happens on the way.
pub fn run(matches: &ArgMatches) -> Result<String> {
    let options = cli::options(matches);
    if matches.get_flag("cost") {
        return cost(matches, &options);
    }
    let dir = options.out.clone().unwrap_or_else(|| free_directory("reproduce-all"));
    if !options.resume && fs::read_dir(&dir).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Occupied(dir).into());
    }
    let preset = preset(matches, &dir, options.resume)?;
    let emitted = matches.get_one::<String>("emit");
    let mut failures = Vec::new();
    let mut figures = Vec::new();
    for name in names().filter(|name| emitted.is_none() || *name != fig5::NAME) {
        eprintln!("== {name}");
        let figure = dir.join(name);
        match one(matches, preset, name, &figure, &options) {
            Err(error) if error.is::<Interrupted>() => {
                eprintln!("continue with: l2lab reproduce all --out '{}' --resume", dir.display());
                return Err(error);
            }
            Err(error) => failures.push(format!("{name}: {error:#}")),
            Ok(_) => figures.push(figure),
        }
    }
    if !failures.is_empty() {
        bail!("{} of {} figures failed: {}", failures.len(), names().count(), failures.join("; "));
    }
    match emitted {
        Some(kind) => emit::all(&dir, kind, &figures, &options),
        None => finish(&dir, &options),
    }
}

/// The scale of all figures: what the flags ask for, or what the directory was begun with, which it is made to remember.
fn preset(matches: &ArgMatches, dir: &Path, resume: bool) -> Result<Preset> {
    let asked = Preset::asked(matches);
    let file = dir.join(BEGUN);
    if !resume {
        fs::create_dir_all(dir).with_context(|| format!("--out '{}' cannot be written", dir.display()))?;
        write_whole(&file, (asked.flags() + "\n").as_bytes())?;
        return Ok(asked);
    }
    let text = fs::read_to_string(&file)
        .with_context(|| format!("--resume: '{}' cannot be read; there is nothing to continue", file.display()))?;
    let held = Preset::of_flags(&text).with_context(|| format!("'{}' is damaged", file.display()))?;
    if matches.value_source("preset") == Some(ValueSource::CommandLine) && asked != held {
        bail!("--preset '{asked}': '{}' was begun with {held}; leave it out", dir.display());
    }
    Ok(held)
}

/// The figure's own command.
fn one(matches: &ArgMatches, preset: Preset, name: &str, dir: &Path, options: &Options) -> Result<String> {
    let scale = &preset.to_string();
    let run = |more: &[&str]| -> Result<String> {
        let mut args: Vec<std::ffi::OsString> = ["l2lab", "reproduce", name].map(Into::into).to_vec();
        args.extend(options.handed_on().into_iter().map(Into::into));
        args.extend(["--data-dir".into(), options.data_dir.clone().into()]);
        args.extend(options.json.then(|| "--json".into()));
        args.extend(more.iter().map(Into::into));
        let command = cli::command().try_get_matches_from(args)?;
        commands::run(&command)
    };
    let out = dir.to_str().with_context(|| format!("--out '{}' is no text", dir.display()))?;
    if matches.get_flag("cost") {
        let pilot =
            matches.get_one::<PathBuf>("pilot").map(|dir| dir.to_str().context("--pilot is no text")).transpose()?;
        let more = pilot.map_or_else(Vec::new, |dir| vec!["--pilot", dir]);
        return run(&[vec!["--preset", scale, "--cost"], more].concat());
    }
    let mut fresh = vec!["--preset", scale, "--out", out];
    if let Some(kind) = matches.get_one::<String>("emit") {
        fresh.extend(["--emit", kind]);
    }
    for _ in 0..PATIENCE {
        if Store::is_begun(dir) {
            check_preset(dir, preset)?;
            return run(&["--out", out, "--resume"]);
        }
        match run(&fresh) {
            // Another process makes the directory, or has just done so.
            Err(error) if error.is::<Occupied>() => std::thread::sleep(Duration::from_millis(100)),
            outcome => return outcome,
        }
    }
    run(&fresh)
}

/// Refuses a figure's directory that was begun at another scale.
fn check_preset(figure: &Path, preset: Preset) -> Result<()> {
    let held = Store::flags(figure)?.as_deref().and_then(Preset::of_flags);
    let held =
        held.with_context(|| format!("'{}' does not tell with which --preset it was begun", figure.display()))?;
    if held != preset {
        bail!("'{}' was begun with --preset {held}, all figures with {preset}: move it away", figure.display());
    }
    Ok(())
}

/// What every figure costs.
fn cost(matches: &ArgMatches, options: &Options) -> Result<String> {
    let preset = Preset::asked(matches);
    let figures = names().filter(|name| *name != fig5::NAME);
    let costs = figures.map(|name| one(matches, preset, name, Path::new(""), options)).collect::<Result<Vec<_>>>()?;
    if options.json {
        let costs =
            costs.iter().map(|cost| serde_json::from_str(cost)).collect::<Result<Vec<serde_json::Value>, _>>()?;
        return Ok(format!("{}\n", serde_json::json!({ "figures": costs })));
    }
    Ok(costs.concat())
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

/// The report over all figures.
fn finish(dir: &Path, options: &Options) -> Result<String> {
    let mut told: Vec<(&str, Told)> = Vec::new();
    for name in names() {
        let figure = dir.join(name);
        let read =
            |file: &Path| fs::read_to_string(file).with_context(|| format!("'{}' cannot be read", file.display()));
        let file = figure.join(SUMMARY);
        let mut of: Told =
            serde_json::from_str(&read(&file)?).with_context(|| format!("'{}' is damaged", file.display()))?;
        for entry in fs::read_dir(&figure).with_context(|| format!("'{}' cannot be read", figure.display()))?.flatten()
        {
            if entry.path().extension().is_some_and(|e| e == "svg") {
                of.pictures.insert(entry.file_name().to_string_lossy().into_owned(), read(&entry.path())?);
            }
        }
        told.push((name, of));
    }
    let differences =
        [differing(&told, "versions", |of| &of.version), differing(&told, "devices", Told::kind_of_device)];
    let differences: Vec<String> = differences.into_iter().flatten().collect();
    differences.iter().for_each(|text| eprintln!("{text}"));
    let rows: Vec<Vec<String>> = told
        .iter()
        .flat_map(|(name, of)| of.claims.iter().map(|c| vec![(*name).to_owned(), c.verdict(), c.statement.clone()]))
        .collect();
    let all = || told.iter().flat_map(|(_, of)| &of.claims);
    let claims = || all().filter(|c| !c.premise);
    let [holds, fails, open, premise] = Verdict::ALL.map(|v| claims().filter(|c| c.decision.verdict == v).count());
    let about = format!(
        "{} figures, {} claims: {holds} hold, {fails} do not hold here, {open} are not decided by this data; of {premise} the premise \
         is not met. ({} of {} networks fit their training data, which is the premise.) Each is decided by one-sided tests at 5 %, so \
         that of {} claims on the edge of what they say about {:.0} would be decided wrongly.",
        told.len(),
        claims().count(),
        all().filter(|c| c.premise && c.decision.verdict == Verdict::Holds).count(),
        all().filter(|c| c.premise).count(),
        claims().count(),
        (0.05 * claims().count() as f64).ceil(),
    );
    let about = [&[about], &differences[..]].concat().join(" ");
    let mut body = String::new();
    for (name, of) in &told {
        let _ = write!(body, "<section><h2>{}</h2><p>{}</p>", escape(&of.heading), escape(&of.about));
        body += &list(&of.claims.iter().map(Claim::text).collect::<Vec<_>>());
        body += "<div class=\"pictures\">";
        for svg in of.pictures.values() {
            let _ = write!(body, "<figure><figcaption>{}</figcaption>{svg}</figure>", label(svg));
        }
        body += "</div>";
        let _ = write!(
            body,
            "<p><a href=\"{name}/{REPORT}\">All of it</a>: <code>l2lab {}</code></p></section>",
            escape(&of.command)
        );
    }
    let heading = "The figures of “On the training dynamics of deep networks with L2 regularization”";
    let report = Report::page(
        heading,
        &about,
        &format!("<div class=\"claims\">{}</div>", table_of(&HEAD, &rows)),
        Vec::new(),
        &body,
    )?;
    write_whole(&dir.join(REPORT), report.html.as_bytes())?;
    let figures: BTreeMap<&str, &Told> = told.iter().map(|(name, of)| (*name, of)).collect();
    let summary = serde_json::json!({
        "command": "reproduce all",
        "version": env!("CARGO_PKG_VERSION"),
        "device": options.device.to_string(),
        "figures": figures,
    });
    write_whole(&dir.join(SUMMARY), (serde_json::to_string_pretty(&summary)? + "\n").as_bytes())?;
    if options.json {
        return Ok(format!("{summary}\n"));
    }
    let text = table_text(&HEAD, &rows);
    Ok(format!("{text}\n{about}\n\nreport: {}\n", dir.join(REPORT).display()))
}
