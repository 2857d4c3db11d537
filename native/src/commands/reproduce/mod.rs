//! `l2lab reproduce`: the paper's figures, each beside its claim, from one command.

mod fig1b;
mod fig1c;
mod fig2abc;

use anyhow::Result;
use clap::{Arg, ArgMatches, Command, builder::PossibleValuesParser};
use l2lab_core::{
    Experiment,
    experiment::ExperimentError,
    law::Mean,
    model::{ModelKind, Readout},
};

use super::{Job, Recipe, Start, already_complete};
use crate::{
    cli, datasets,
    output::{self, with_interval},
    store::Store,
};

const PRESET: &str = "--preset ";
/// What other data are replaced by where their files are missing.
const INSTEAD: &str = "fashion-mnist-512";

/// The flags, given how a command with the experiment's flags is made.
pub fn command(experiment: &dyn Fn(&'static str, Experiment) -> Command) -> Command {
    let preset = Arg::new("preset")
        .long("preset")
        .default_value("mini")
        .value_parser(PossibleValuesParser::new(["mini", "smoke"]))
        .help("Scale: mini shows the figure in minutes on two cores; smoke only tries that everything works");
    let figure = |name, base, about| {
        let text = "Without --out, results go to the first free runs/NAME-N. Where the data's files are missing, the \
                    embedded images of Fashion-MNIST take their place, and the title says so.";
        experiment(name, base).about(about).arg(preset.clone()).after_help(text)
    };
    Command::new("reproduce")
        .about("Reproduce a figure of the paper")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(figure(fig1b::NAME, mini(), "Test accuracy against the budget: λ_pred beside the tuned λ"))
        .subcommand(figure(fig1c::NAME, mini(), "AutoL2 and other schedules of λ beside the best constant λ"))
        .subcommand(figure(
            fig2abc::NAME,
            fig2abc::mini(),
            "Fully connected networks over λ and η: time to the best accuracy, best accuracy, accuracy within a budget",
        ))
}

/// Runs the command.
///
/// # Errors
/// Whatever is wrong with the input, or happens on the way.
pub fn run(matches: &ArgMatches) -> Result<String> {
    match matches.subcommand() {
        Some((fig1b::NAME, m)) => fig1b::run(m),
        Some((fig1c::NAME, m)) => fig1c::run(m),
        Some((fig2abc::NAME, m)) => fig2abc::run(m),
        _ => unreachable!("clap asks for a subcommand"),
    }
}

/// A tenth of CIFAR-10 and a CNN with batch normalization that can fit it.
fn mini() -> Experiment {
    Experiment {
        data: "cifar10".into(),
        train: 5000,
        model: ModelKind::Cnn,
        batch_norm: true,
        depth: 3,
        width: 8,
        readout: Readout::Flatten,
        lr: vec![0.02].into(),
        momentum: 0.9,
        lambda: vec![0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.0005].into(),
        epochs: Some(25.0),
        ..Experiment::default()
    }
}

/// The preset's experiment of figures 1b and 1c, on data that are there.
fn base(matches: &ArgMatches) -> Experiment {
    let base = if preset(matches) == "smoke" {
        let lambda = vec![0.1, 0.03, 0.01].into();
        Experiment { train: 256, test: 100, width: 4, batch: 32, epochs: Some(3.0), seeds: 2, lambda, ..mini() }
    } else {
        mini()
    };
    on_data(matches, base)
}

/// An experiment on its data, or on the embedded images where their files are missing.
fn on_data(matches: &ArgMatches, base: Experiment) -> Experiment {
    let dir = cli::options(matches).data_dir;
    if datasets::find(&base.data).is_ok_and(|source| source.path(&dir).is_dir()) {
        return base;
    }
    Experiment { data: INSTEAD.into(), train: base.train.min(512), test: base.test.min(1000), ..base }
}

/// A figure's job: its preset under the flags.
fn start(
    matches: &ArgMatches,
    command: &'static str,
    base: Experiment,
    check: &dyn Fn(&Experiment) -> Result<()>,
) -> Result<Start> {
    let flags = format!("{PRESET}{}", preset(matches));
    Job::start(matches, Recipe { flags, keeps: true, ..Recipe::of_grid(command, base, check) })
}

/// What figures 1b and 1c need: one η, and runs of one length.
fn check(experiment: &Experiment) -> Result<()> {
    let conflict = |text: &str| Err(ExperimentError::Conflict(text.into()).into());
    if experiment.lr.len() != 1 {
        return conflict("lr: the figure takes one");
    }
    if experiment.lambda.len() < 3 || experiment.lambda.contains(&0.0) {
        return conflict("lambda: the figure needs a grid of three or more values above 0");
    }
    if experiment.steps.is_none() && experiment.epochs.is_none() {
        return conflict("tau: the figure compares runs of one length; give steps or epochs");
    }
    Ok(())
}

/// What was trained, with a word on what it is not.
fn about(job: &Job, preset: &str) -> String {
    let e = &job.experiment;
    let scale = match e.data.as_str() {
        INSTEAD | "fashion-mnist" => ": Fashion-MNIST in place of CIFAR-10, a CNN in place of a Wide ResNet",
        "cifar10" => ": a CNN in place of a Wide ResNet, a part of the images",
        _ => "",
    };
    let seeds = e.seeds;
    format!("{preset}{scale}. {}; {seeds} seed(s)", output::title(e, &(&job.model).into()))
}

/// The preset that the flags ask for, or that the directory to be resumed was made with.
fn preset(matches: &ArgMatches) -> String {
    let held = cli::resumed(matches).and_then(|dir| Store::flags(&dir).ok().flatten());
    let held = held.and_then(|flags| flags.strip_prefix(PRESET).map(str::to_owned));
    held.or_else(|| matches.get_one("preset").cloned()).unwrap_or_default()
}

/// `0.412 [0.400, 0.420]` or a dash.
fn interval(mean: Option<Mean>) -> String {
    mean.map_or_else(|| "—".into(), |m| with_interval(m.mean, m.ci, 4))
}
