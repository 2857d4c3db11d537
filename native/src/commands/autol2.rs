//! `l2lab autol2 replay`: the decays that the authors' AutoL2 would have made on a log.

use std::{fmt::Write, path::PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Arg, ArgMatches, Command, value_parser};
use l2lab_core::{
    experiment::ExperimentError,
    train::{Probe, ReferenceAutoL2},
};

/// The command's flags.
pub fn command(json: Arg) -> Command {
    let number = |name: &'static str, default: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("VALUE")
            .allow_hyphen_values(true)
            .default_value(default)
            .value_parser(value_parser!(f64))
            .help(help)
    };
    Command::new("autol2")
        .about("AutoL2 on runs made elsewhere")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("replay")
                .about("Print when AutoL2, as its authors released it, would have lowered λ on a log")
                .after_help(
                    "LOG.csv has the columns step, loss and accuracy, one row for each measurement on a training minibatch.\n\
                     Printed are step and λ of each decay. To train with AutoL2: l2lab train --lambda-schedule autol2",
                )
                .args([
                    Arg::new("log").value_name("LOG.csv").required(true).value_parser(value_parser!(PathBuf)).help("The log"),
                    number("lambda0", "0.1", "λ at the start"),
                    number("factor", "10", "What a decay divides λ by"),
                    number("delay", "0.1", "A decay is followed by delay/λ steps without another"),
                    json,
                ]),
        )
}

/// Runs the command.
///
/// # Errors
/// When a flag or the log is not allowed.
pub fn run(matches: &ArgMatches) -> Result<String> {
    let Some(("replay", matches)) = matches.subcommand() else { unreachable!("clap asks for a subcommand") };
    let number = |field: &'static str, ok: fn(f64) -> bool, allowed: &str| {
        let value = matches.get_one::<f64>(field).copied().unwrap_or_default();
        let error = || ExperimentError::Value { field, value: value.to_string(), allowed: allowed.to_owned() };
        if value.is_finite() && ok(value) { Ok(value) } else { Err(error()) }
    };
    let mut autol2 = ReferenceAutoL2::new(number("lambda0", |v| v > 0.0, "a number above 0")?);
    autol2.factor = number("factor", |v| v > 1.0, "a number above 1")?;
    autol2.delay = number("delay", |v| v >= 0.0, "0 or more")?;
    let log = matches.get_one::<PathBuf>("log").context("a log is required")?;
    let probes = read(log).with_context(|| format!("in '{}'", log.display()))?;
    let decays: Vec<(u64, f64)> = probes
        .into_iter()
        .filter_map(|(step, probe)| autol2.note(step, probe).then_some((step, autol2.lambda)))
        .collect();
    if matches.get_flag("json") {
        let rows: Vec<_> =
            decays.iter().map(|(step, lambda)| serde_json::json!({"step": step, "lambda": lambda})).collect();
        return Ok(format!("{}\n", serde_json::Value::from(rows)));
    }
    let mut text = String::from("step,lambda\n");
    for (step, lambda) in decays {
        let _ = writeln!(text, "{step},{lambda}");
    }
    Ok(text)
}

/// The log's rows: steps rise, numbers are numbers.
fn read(path: &PathBuf) -> Result<Vec<(u64, Probe)>> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path)?;
    let header = reader.headers()?.clone();
    let column = |name: &str| {
        let found = header.iter().position(|h| h == name);
        found.with_context(|| {
            format!("there is no column '{name}'; it has {}", header.iter().collect::<Vec<_>>().join(", "))
        })
    };
    let [step, loss, accuracy] = [column("step")?, column("loss")?, column("accuracy")?];
    let mut rows: Vec<(u64, Probe)> = Vec::new();
    for record in reader.records() {
        let record = record?;
        let line = record.position().map_or(0, csv::Position::line);
        let text = |i: usize| record.get(i).unwrap_or_default();
        let number = |i: usize, name: &str| match text(i).parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(value),
            _ => bail!("line {line}: {name} '{}' is not a finite number", text(i)),
        };
        let Ok(step) = text(step).parse::<u64>() else {
            bail!("line {line}: step '{}' is not a whole number", text(step))
        };
        if let Some((before, _)) = rows.last().filter(|(before, _)| *before >= step) {
            bail!("line {line}: step {step} comes after step {before}: steps must rise");
        }
        rows.push((step, Probe { loss: number(loss, "loss")?, accuracy: number(accuracy, "accuracy")? }));
    }
    if rows.is_empty() {
        bail!("there is no row after the header");
    }
    Ok(rows)
}
