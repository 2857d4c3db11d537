//! `l2lab reproduce all`: every figure in a directory of its own, and one report over all.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use clap::{ArgMatches, Command, parser::ValueSource};

use super::{Preset, emit, fig5, names, overview};
use crate::{
    cli::{self, Options},
    commands,
    executor::Interrupted,
    store::{Occupied, Store, free_directory, write_whole},
};

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
    if emitted.is_none() {
        overview::write(&dir, &options)?;
    }
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
        // What there is is told after each, in case that no later one is made.
        if emitted.is_none() {
            overview::write(&dir, &options)?;
        }
    }
    if !failures.is_empty() {
        bail!("{} of {} figures failed: {}", failures.len(), names().count(), failures.join("; "));
    }
    match emitted {
        Some(kind) => emit::all(&dir, kind, &figures, &options),
        None => overview::tell(&dir, &options),
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
