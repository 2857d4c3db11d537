//! The command line: flags made from the experiment's fields, a TOML file under them.

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context, Result};
use clap::{Arg, ArgAction, ArgMatches, Command, builder::PossibleValuesParser, value_parser};
use l2lab_core::{
    Experiment,
    experiment::{ExperimentError, FIELDS, LENGTHS, unknown_key},
    law::{Clock, Convention},
    run::LambdaScheduleKind,
    theory::TheoryError,
    train::{Loss, ReferenceAutoL2},
};

use crate::{
    commands::{autol2, bench, exponent, fit, kernel, predict, reproduce, serve, sweep, theory, train},
    datasets,
    device::DeviceChoice,
};

/// What a command is told besides the experiment: things of this machine, not of the science.
pub struct Options {
    /// Where results go.
    pub out: Option<PathBuf>,
    /// Continue what `out` holds.
    pub resume: bool,
    /// Where data sets are.
    pub data_dir: PathBuf,
    /// What to compute on.
    pub device: DeviceChoice,
    /// Threads, if not as many as there are cores.
    pub threads: Option<usize>,
    /// Print one JSON object.
    pub json: bool,
    /// After which silence others may do what a process has begun.
    pub lease: Duration,
    /// The one run to do.
    pub only: Option<usize>,
    /// Time between checkpoints.
    pub checkpoint_every: Duration,
}

impl Options {
    /// The flags that another process is given which does part of this one's work, but for those that name its paths.
    pub fn handed_on(&self) -> Vec<String> {
        let (device, lease) = (self.device.flag(), self.lease.as_secs().to_string());
        let minutes = (self.checkpoint_every.as_secs_f64() / 60.0).to_string();
        let threads = self.threads.map(|n| n.to_string());
        let flags = [("--device", device), ("--lease", lease), ("--checkpoint-every", minutes)];
        let flags = flags.into_iter().chain(threads.map(|n| ("--threads", n)));
        flags.flat_map(|(flag, value)| [flag.to_owned(), value]).collect()
    }
}

/// The flag that says in whose convention η and λ are given to a command that trains.
const GIVEN_IN: &str = "given-in";

/// The whole command line.
pub fn command() -> Command {
    let json = Arg::new("json")
        .long("json")
        .action(ArgAction::SetTrue)
        .help("Print the summary as one JSON object on standard output, and nothing else there");
    let device = Arg::new("device")
        .long("device")
        .value_name("DEVICE")
        .default_value("cpu")
        .value_parser(value_parser!(DeviceChoice))
        .help("What to compute on: cpu; with the Cargo features of those names also ndarray, gpu[:N], cuda[:N]");
    let threads = Arg::new("threads")
        .long("threads")
        .value_name("N")
        .value_parser(clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1024))
        .help("CPU threads [default: as many as there are cores]");
    let only =
        Arg::new("only").long("only").value_name("N").requires("resume").value_parser(value_parser!(usize)).help(
            "Do run N of the grid alone (of a figure: of all that it plans), counted from 0; the same command without it does what is left and the report",
        );
    let convention = Arg::new(GIVEN_IN)
        .long("convention")
        .value_name("WHOSE")
        .value_parser(PossibleValuesParser::new(Convention::ALL.map(Convention::name)))
        .help(
            "Whose lr and lambda (and lambda-min, and autol2-reference's lambda-delay) the flags give; autol2-code is the paper's \
             code, whose L2 has no ½ and whose cross-entropy is averaged over classes [default: pytorch-sgd]",
        );
    let checkpoint = Arg::new("checkpoint-every")
        .long("checkpoint-every")
        .value_name("MINUTES")
        .default_value("0.5")
        .value_parser(|text: &str| match text.parse::<f64>() {
            Ok(minutes) if (0.01..=1e6).contains(&minutes) => Ok(minutes),
            _ => Err("allowed are minutes from 0.01 to 1000000"),
        })
        .help("Time between checkpoints of unfinished runs: what a crash loses at most");
    let lease = Arg::new("lease")
        .long("lease")
        .value_name("SECONDS")
        .default_value("120")
        .value_parser(value_parser!(u64).range(1..=86_400))
        .help("Silence after which other processes take over a run of this one");
    let data_dir = Arg::new("data-dir")
        .long("data-dir")
        .value_name("DIR")
        .default_value("data")
        .value_parser(value_parser!(PathBuf))
        .help("Where data sets are: DIR/mnist, DIR/fashion-mnist, DIR/cifar-10-batches-bin, DIR/cifar-100-binary");
    let with_options = |command: Command| {
        command
            .next_help_heading("Options")
            .arg(Arg::new("out").long("out").value_name("DIR").value_parser(value_parser!(PathBuf)).help(
                "Directory for experiment.toml, traces.csv, summary.json, report.html and figures; never overwritten",
            ))
            .arg(Arg::new("resume").long("resume").action(ArgAction::SetTrue).requires("out").help(
                "Continue what --out DIR holds, with the experiment that it holds; several processes may, at once",
            ))
            .args([checkpoint.clone(), lease.clone(), data_dir.clone(), device.clone(), threads.clone(), json.clone()])
    };
    let experiment_of = |name: &'static str, base: Experiment, fields: &dyn Fn(&str) -> bool| {
        let mut command = Command::new(name)
            .arg(
                Arg::new("file")
                    .value_name("EXPERIMENT.toml")
                    .value_parser(value_parser!(PathBuf))
                    .help("An experiment; flags go over what it says"),
            )
            .next_help_heading("Experiment");
        for field in FIELDS.iter().filter(|f| fields(f.name)) {
            let default = base.get(field.name).map_or_else(String::new, |d| format!(" [default: {d}]"));
            let help = format!("{}{default}", field.help.trim());
            let mut arg =
                Arg::new(field.name).long(field.name).value_name("VALUE").allow_hyphen_values(true).help(help);
            if field.switch {
                arg = arg.num_args(0..=1).require_equals(true).default_missing_value("true").value_name("true|false");
            }
            command = command.arg(arg);
        }
        let command = with_options(command).arg(only.clone());
        // Logs have their own flag of this name.
        if fields("lr") && name != "predict" { command.arg(convention.clone()) } else { command }
    };
    let experiment = |name, base| experiment_of(name, base, &|_| true);
    let of_theory = |name, base| experiment_of(name, base, &|field| l2lab_core::theory::FIELDS.contains(&field));
    let names = |help: &'static str| Arg::new("names").value_name("NAME").num_args(0..).help(help);
    Command::new("l2lab")
        .version(clap::crate_version!())
        .about("Measure how L2 regularization sets the time a network takes to its best performance: t_* = c/(ηλ)")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            experiment("sweep", sweep::base(false))
                .about("Train a grid of λ × η × seeds, fit t_*, predict λ and verify the prediction")
                .after_help("Without --out, results go to the first free runs/sweep-N."),
        )
        .subcommand(experiment("train", train::base(false)).about("Train one network and read off its t_*"))
        .subcommand(
            predict::flags(experiment("predict", predict::base(false)))
                .about("Predict the best λ for a training budget from short runs at a large λ, or from a run's log")
                .after_help(
                    "Examples:\n  l2lab predict --lambda 0.1 --budget 20000\n  l2lab predict --log log.csv --lambda 0.01 --lr 0.1 \
                     --batch 128 --examples 50000 --budget 200ep",
                ),
        )
        .subcommand(
            theory::flags(of_theory("theory", l2lab_core::theory::experiment()))
            .about("Solve the training of infinitely wide networks with L2 on a data set, beside trained networks")
            .after_help("Without --out, results go to the first free runs/theory-N."),
        )
        .subcommand(exponent::flags(experiment("exponent", exponent::base())))
        .subcommand(fit::command(json.clone()))
        .subcommand(reproduce::command(&experiment, &of_theory, &with_options))
        .subcommand(autol2::command(json.clone()))
        .subcommand(kernel::command([threads.clone(), json.clone()]))
        .subcommand(
            Command::new("data")
                .about("List, fetch and verify data sets")
                .subcommand_required(true)
                .arg_required_else_help(true)
                .subcommand(
                    Command::new("list").about("Tell which there are and where").args([data_dir.clone(), json.clone()]),
                )
                .subcommand(
                    Command::new("fetch")
                        .about("Download data sets from their own sites, with checksums; resumes")
                        .arg(names("Data sets to fetch").required(true))
                        .arg(
                            Arg::new("from")
                                .long("from")
                                .value_name("URL")
                                .help("A mirror that has the same files under URL/"),
                        )
                        .args([data_dir.clone(), json.clone()]),
                )
                .subcommand(
                    Command::new("verify")
                        .about("Check data sets against their published checksums")
                        .arg(names("Data sets to check [default: those that are there]"))
                        .args([data_dir, json.clone()]),
                ),
        )
        .subcommand(serve::command())
        .subcommand(
            Command::new("bench")
                .about("Time training steps of named workloads, or the solver of 'theory'")
                .arg(names("Workloads [default: all that train]"))
                .arg(
                    Arg::new("workload")
                        .long("workload")
                        .value_name("NAME")
                        .action(ArgAction::Append)
                        .help("The same as a flag"),
                )
                .arg(
                    Arg::new("batch")
                        .long("batch")
                        .value_name("N")
                        .value_parser(clap::builder::RangedU64ValueParser::<usize>::new().range(1..=65_536))
                        .help("Images of a step [default: the workload's own]"),
                )
                .arg(
                    Arg::new("precision")
                        .long("precision")
                        .visible_alias("dtype")
                        .value_name("FORMAT")
                        .default_value("f32")
                        .help("Number format of the networks' passes: f32, bf16 or f16"),
                )
                .after_help(format!("Workloads: {}", bench::names().join(", ")))
                .args([device, threads, json]),
        )
}

/// The experiment that a command's file and flags describe, over the command's own defaults; not validated yet.
///
/// # Errors
/// When the file cannot be read, or a key or value is not allowed.
pub fn experiment(matches: &ArgMatches, base: Experiment) -> Result<Experiment> {
    let mut experiment = base;
    if let Some(path) = matches.get_one::<PathBuf>("file") {
        let text = fs::read_to_string(path).with_context(|| format!("'{}' cannot be read", path.display()))?;
        apply(&mut experiment, &text).with_context(|| format!("in '{}'", path.display()))?;
    }
    if LENGTHS.iter().any(|name| matches.try_contains_id(name).unwrap_or(false)) {
        // A length given as a flag replaces the file's, in whatever unit that was.
        (experiment.tau, experiment.steps, experiment.epochs) = (None, None, None);
    }
    for field in FIELDS {
        if let Ok(Some(text)) = matches.try_get_one::<String>(field.name) {
            experiment.set(field.name, text)?;
        }
    }
    if let Some(name) = matches.try_get_one::<String>(GIVEN_IN).ok().flatten() {
        let convention = Convention::named(name).unwrap_or_default();
        convert(&mut experiment, convention, &|field| matches.try_contains_id(field).unwrap_or(false))?;
    }
    Ok(experiment)
}

/// Turns what flags `gave` in another convention into this project's own.
fn convert(experiment: &mut Experiment, convention: Convention, gave: &dyn Fn(&str) -> bool) -> Result<()> {
    if convention == Convention::PytorchSgd {
        return Ok(());
    }
    let conflict = |text: String| Err(ExperimentError::Conflict(text).into());
    if convention == Convention::Autol2Code && experiment.loss != Loss::CrossEntropy {
        return conflict(
            "convention: autol2-code is known for cross-entropy alone, which it averages over classes".into(),
        );
    }
    let classes = datasets::find(&experiment.data)?.classes;
    let clock = Clock { convention, momentum: experiment.momentum, dampening: 0.0 };
    let coupled = |lr: f64, lambda: f64| {
        let sgd = clock.coupled(lr, lambda, Some(classes));
        sgd.with_context(|| format!("convention: {} is no SGD; this command trains with one", convention.name()))
    };
    if gave("lr") {
        experiment.lr = experiment.lr.iter().map(|&lr| Ok(coupled(lr, 0.0)?.lr)).collect::<Result<Vec<_>>>()?.into();
    }
    if gave("lambda") {
        let lambda = experiment.lambda.iter().map(|&l| Ok(coupled(1.0, l)?.weight_decay));
        experiment.lambda = lambda.collect::<Result<Vec<_>>>()?.into();
    }
    if gave("lambda-min") {
        experiment.lambda_min = coupled(1.0, experiment.lambda_min)?.weight_decay;
    }
    // The delay of the authors' schedule is in steps times their λ; that of our own in τ.
    let trains = |kind| experiment.lambda_schedule == kind || experiment.compare.0.contains(&kind);
    if trains(LambdaScheduleKind::AutoL2Reference) {
        if trains(LambdaScheduleKind::AutoL2) {
            let text = "lambda-schedule, compare: autol2 and autol2-reference have delays in different units; with --convention {} \
                        train one of them";
            return conflict(text.replace("{}", convention.name()));
        }
        // What a preset or a file gives is in this project's own convention, as for the other fields; the default is the authors'.
        if gave("lambda-delay") || experiment.lambda_delay.is_none() {
            let delay = experiment.lambda_delay.unwrap_or(ReferenceAutoL2::DELAY);
            experiment.lambda_delay = Some(coupled(1.0, delay)?.weight_decay);
        }
    }
    Ok(())
}

/// The field that says which network is trained.
const MODEL: &str = "model";

/// Whether the user says which network is trained, by flag or file. Without that, commands that show the law train one whose weights
/// start large; a network that is named starts as networks of its kind do.
pub fn names_model(matches: &ArgMatches) -> bool {
    let in_file = || {
        let path = matches.try_get_one::<PathBuf>("file").ok().flatten()?;
        // What is wrong with the file is told where it is read.
        let table: toml::Table = fs::read_to_string(path).ok()?.parse().ok()?;
        Some(table.contains_key(MODEL))
    };
    matches.try_contains_id(MODEL).unwrap_or(false) || in_file().unwrap_or(false)
}

/// The command that makes `experiment` again, as one types it; `base` is what the command does without flags, given whether the
/// network is named.
pub fn command_line(command: &str, base: &dyn Fn(bool) -> Experiment, experiment: &Experiment) -> String {
    // A scale of the weights that is left to the network's kind can only be said by naming it.
    let unnamed = base(false);
    let named = unnamed != base(true) && (experiment.model != unnamed.model || experiment.w_std.is_none());
    let mut settings = experiment.settings_over(&base(named));
    if named && settings.iter().all(|(name, _)| *name != MODEL) {
        settings.extend(experiment.get(MODEL).map(|kind| (MODEL, kind)));
    }
    let is_switch = |name: &str| FIELDS.iter().any(|f| f.name == name && f.switch);
    let flag = |(name, text): &(&'static str, String)| {
        let between = if is_switch(name) { '=' } else { ' ' };
        format!(" --{name}{between}{text}")
    };
    format!("l2lab {command}{}", settings.iter().map(flag).collect::<String>())
}

/// Puts what a TOML text says over `experiment`.
fn apply(experiment: &mut Experiment, text: &str) -> Result<()> {
    let table: toml::Table = text.parse()?;
    if let Some(key) = table.keys().find(|key| FIELDS.iter().all(|f| f.name != *key)) {
        return Err(unknown_key(key).into());
    }
    // Types are checked by serde, whose errors point at the line; then only what was said is taken.
    let said: Experiment = toml::from_str(text)?;
    if LENGTHS.iter().any(|name| table.contains_key(*name)) {
        (experiment.tau, experiment.steps, experiment.epochs) = (None, None, None);
    }
    for key in table.keys() {
        if let Some(value) = said.get(key) {
            experiment.set(key, &value)?;
        }
    }
    Ok(())
}

/// The options among a command's flags.
pub fn options(matches: &ArgMatches) -> Options {
    let path = |name: &str| matches.try_get_one::<PathBuf>(name).ok().flatten().cloned();
    let flag = |name: &str| matches.try_get_one::<bool>(name).ok().flatten().copied().unwrap_or(false);
    Options {
        out: path("out"),
        resume: flag("resume"),
        data_dir: path("data-dir").unwrap_or_default(),
        device: matches.try_get_one("device").ok().flatten().cloned().unwrap_or(DeviceChoice::Cpu),
        threads: matches.try_get_one("threads").ok().flatten().copied(),
        json: flag("json"),
        lease: Duration::from_secs(matches.try_get_one("lease").ok().flatten().copied().unwrap_or(120)),
        only: matches.try_get_one("only").ok().flatten().copied(),
        checkpoint_every: Duration::from_secs_f64(
            60.0 * matches.try_get_one("checkpoint-every").ok().flatten().copied().unwrap_or(0.5),
        ),
    }
}

/// The directory that is to be resumed, if one is.
pub fn resumed(matches: &ArgMatches) -> Option<PathBuf> {
    let options = options(matches);
    options.out.filter(|_| options.resume)
}

/// Whether any field of the experiment was given.
pub fn gives_experiment(matches: &ArgMatches) -> bool {
    FIELDS.iter().any(|f| matches.try_contains_id(f.name).unwrap_or(false)) || matches.contains_id("file")
}

/// Whether an error is the user's input rather than what happened while working on it.
pub fn is_usage(error: &anyhow::Error) -> bool {
    let is_flag = |e: &TheoryError| matches!(e, TheoryError::Value { .. });
    error.is::<ExperimentError>() || error.is::<toml::de::Error>() || error.downcast_ref().is_some_and(is_flag)
}
