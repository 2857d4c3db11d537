//! `l2lab reproduce`: the paper's figures, each beside its claims, from one command.

mod all;
mod arms;
mod conditions;
mod cost;
mod emit;
mod fig1a;
mod fig1b;
mod fig1c;
mod fig4;
mod fig5;
mod linear;
mod overview;
mod panels;
mod presets;
mod sections;
mod sharpness;
mod width;

use std::{fmt, path::PathBuf};

use anyhow::Result;
use clap::{
    Arg, ArgAction, ArgMatches, Command,
    builder::{PossibleValuesParser, ValueParser},
};
use l2lab_core::{
    Experiment,
    experiment::ExperimentError,
    law::{Decision, FITTED, Mean},
    run::{LambdaScheduleKind, RunSpec, Trace},
};

use super::{Job, Purpose, Recipe};
use crate::{
    cli, datasets,
    output::{self, with_interval},
    store::Store,
    study::Claim,
};

/// A figure of the paper.
struct Figure {
    name: &'static str,
    /// The command that makes it.
    command: &'static str,
    about: &'static str,
    /// What its report is headed by, and what that is about.
    title: &'static str,
    what: &'static str,
    /// What the paper has in its place.
    paper: &'static str,
    /// Its experiment at a scale.
    base: fn(Preset) -> Experiment,
    /// Refuses experiments that the figure cannot use.
    check: fn(&Experiment) -> Result<()>,
    /// What it trains, as far as that is known before anything has been.
    plan: fn(&Job, Preset) -> Result<Vec<Phase>>,
    /// Trains these, and what depends on them, and tells what came of it.
    make: fn(&Self, &Job, Preset, &[Phase]) -> Result<String>,
}

/// Runs that are trained together.
struct Phase {
    /// What the store calls it.
    name: String,
    /// What they share.
    experiment: Experiment,
    runs: Vec<RunSpec>,
}

impl Phase {
    /// The grid of a job.
    fn grid(job: &Job) -> Self {
        Self { name: "grid".into(), experiment: job.experiment.clone(), runs: job.runs.clone() }
    }

    /// The grid of an experiment that has a job's data.
    fn of(name: impl Into<String>, experiment: Experiment, job: &Job) -> Result<Self> {
        experiment.validate()?;
        let runs = experiment.runs(job.train_examples())?;
        Ok(Self { name: name.into(), experiment, runs })
    }

    /// Trains the phase.
    fn train(&self, job: &Job) -> Result<Vec<Trace>> {
        job.executor_of(&self.experiment)?.train(&self.name, &self.runs)
    }
}

/// The figures, in the paper's order, those of large initial weights beside them; then what it says without a figure. Figure 5 is the theory's, which is solved before anything is trained.
const FIGURES: [&Figure; 15] = [
    &fig1a::FIGURE,
    &fig1a::LARGE,
    &fig1b::FIGURE,
    &fig1b::LARGE,
    &fig1c::FIGURE,
    &fig1c::LARGE,
    &panels::FIG2ABC,
    &panels::FIG2ABC_LARGE,
    &panels::FIG2DEF,
    &panels::FIG3,
    &fig4::FIGURE,
    &sharpness::FIGURE,
    &conditions::FIGURE,
    &linear::FIGURE,
    &width::FIGURE,
];

/// All names, in the paper's order.
fn names() -> impl Iterator<Item = &'static str> {
    FIGURES.iter().map(|f| f.name).chain([fig5::NAME])
}

/// The scale of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Preset {
    /// Shows it, in minutes on two cores.
    Mini,
    /// Decides its claims, in an hour or so on two cores.
    Standard,
    /// Only tries that everything works.
    Smoke,
    /// The paper's.
    Full,
}

const PRESET: &str = "--preset ";
const PRESETS: [(&str, Preset); 4] =
    [("mini", Preset::Mini), ("standard", Preset::Standard), ("smoke", Preset::Smoke), ("full", Preset::Full)];

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PRESETS.iter().find(|(_, p)| p == self).map_or("", |(name, _)| name))
    }
}

impl Preset {
    fn named(name: &str) -> Option<Self> {
        PRESETS.iter().find(|(n, _)| *n == name).map(|(_, preset)| *preset)
    }

    /// The preset that the flags ask for.
    fn asked(matches: &ArgMatches) -> Self {
        matches.get_one::<String>("preset").and_then(|name| Self::named(name)).unwrap_or(Self::Mini)
    }

    /// The preset that the flags ask for, or that the directory to be resumed was made with.
    fn of(matches: &ArgMatches) -> Self {
        let held = cli::resumed(matches).and_then(|dir| Store::flags(&dir).ok().flatten());
        held.and_then(|flags| Self::of_flags(&flags)).unwrap_or_else(|| Self::asked(matches))
    }

    fn of_flags(flags: &str) -> Option<Self> {
        Self::named(flags.trim().strip_prefix(PRESET)?)
    }

    /// What the flags of a directory are.
    fn flags(self) -> String {
        format!("{PRESET}{self}")
    }
}

/// The flags, given how a command is made with the experiment's flags, with those that the theory has, and with the options alone.
pub fn command(
    experiment: &dyn Fn(&'static str, Experiment) -> Command,
    theory: &dyn Fn(&'static str, Experiment) -> Command,
    options: &dyn Fn(Command) -> Command,
) -> Command {
    let preset = Arg::new("preset")
        .long("preset")
        .value_name("SCALE")
        .default_value("mini")
        .value_parser(PossibleValuesParser::new(PRESETS.map(|(name, _)| name)))
        .help(
            "Scale: mini shows the figure in minutes on two cores; standard has the seeds that decide its claims, in an hour or so; \
             full is the paper's and wants a GPU; smoke only tries that everything works",
        );
    let cost = Arg::new("cost")
        .long("cost")
        .action(ArgAction::SetTrue)
        .conflicts_with_all(["out", "resume"])
        .help("Only tell the cost: runs, epochs and hours on this device, from ten steps; train nothing");
    let pilot = Arg::new("pilot")
        .long("pilot")
        .value_name("DIR")
        .value_parser(ValueParser::path_buf())
        .requires("cost")
        .help("With --cost: also tell how many seeds would decide each claim, by the spread between the seeds of these results");
    let emit = Arg::new("emit")
        .long("emit")
        .value_name("KIND")
        .value_parser(PossibleValuesParser::new(emit::KINDS))
        .requires("out")
        .conflicts_with_all(["resume", "cost"])
        .help("Prepare --out DIR and write DIR/jobs.*: one line a run, for a scheduler; train nothing");
    let figure = |name, base, about| {
        let text = "Without --out, results go to the first free runs/NAME-N. Where the data's files are missing, mini and smoke \
                    take the embedded images of Fashion-MNIST, and the title says so. The defaults above are those of mini.";
        let own = [preset.clone(), cost.clone(), pilot.clone(), emit.clone()];
        experiment(name, base).about(about).args(own).after_help(text)
    };
    let command = Command::new("reproduce")
        .about("Reproduce a figure of the paper, or all")
        .subcommand_required(true)
        .arg_required_else_help(true);
    let command =
        FIGURES.iter().fold(command, |command, f| command.subcommand(figure(f.name, (f.base)(Preset::Mini), f.about)));
    let fig5 = fig5::flags(theory(fig5::NAME, fig5::base(Preset::Mini)).arg(preset.clone()));
    command.subcommand(fig5).subcommand(all::flags(options(Command::new("all")).args([preset, cost, pilot, emit])))
}

/// Runs the command.
///
/// # Errors
/// Whatever is wrong with the input, or happens on the way.
pub fn run(matches: &ArgMatches) -> Result<String> {
    match matches.subcommand() {
        Some(("all", m)) => all::run(m),
        Some((fig5::NAME, m)) => fig5::run(m),
        Some((name, m)) => match FIGURES.iter().find(|f| f.name == name) {
            Some(figure) => figure.run(m),
            None => unreachable!("clap knows the figures"),
        },
        None => unreachable!("clap asks for a subcommand"),
    }
}

impl Figure {
    /// What its report is headed by.
    fn heading(&self, preset: Preset) -> String {
        heading(self.title, preset, self.what)
    }

    /// What was trained, and what the paper trains where that is another.
    fn about(&self, job: &Job, preset: Preset) -> String {
        let seeds = job.experiment.seeds;
        let own = if job.executor().tasks.differ() { ", each with images of its own" } else { "" };
        let paper = self.paper;
        let scale = if preset == Preset::Full { String::new() } else { format!("{preset}; the paper has {paper}. ") };
        format!("{scale}{}; {seeds} seed(s){own}", output::title(&job.experiment, &(&job.model).into()))
    }

    fn run(&self, matches: &ArgMatches) -> Result<String> {
        let preset = Preset::of(matches);
        let only_cost = matches.get_flag("cost");
        let emitted = matches.get_one::<String>("emit");
        let recipe = Recipe {
            flags: preset.flags(),
            data_of_seeds: true,
            keeps: !only_cost,
            purpose: match emitted {
                Some(_) => Purpose::Prepare,
                None if only_cost => Purpose::Try,
                None => Purpose::Train,
            },
            ..Recipe::of_grid(self.command, on_data(matches, preset, (self.base)(preset)), &self.check)
        };
        let job = Job::start(matches, recipe)?;
        let phases = (self.plan)(&job, preset)?;
        if only_cost {
            let pilot = matches.get_one::<PathBuf>("pilot").map(|dir| cost::power(dir, self.name)).transpose()?;
            return cost::tell(&job, self.name, &phases, pilot.as_deref());
        }
        if let Some(kind) = emitted {
            return emit::figure(&job, self.command, kind, &phases);
        }
        if let Some(run) = job.options.only {
            return job.explain(self.command, emit::one(&job, run, &phases));
        }
        if preset == Preset::Full && !job.options.resume {
            eprint!("{}", cost::tell(&job, self.name, &phases, None)?);
        }
        job.explain(self.command, (self.make)(self, &job, preset, &phases))
    }
}

/// What other data are replaced by where their files are missing.
const INSTEAD: &str = "fashion-mnist-512";

/// An experiment on its data; at the scales that only show a figure, on the embedded images where the files are missing.
fn on_data(matches: &ArgMatches, preset: Preset, base: Experiment) -> Experiment {
    let dir = cli::options(matches).data_dir;
    let named = matches.try_contains_id("data").unwrap_or(false)
        || cli::experiment(matches, base.clone()).is_ok_and(|e| e.data != base.data);
    if named
        || matches!(preset, Preset::Full | Preset::Standard)
        || datasets::find(&base.data).is_ok_and(|source| source.path(&dir).is_dir())
    {
        return base;
    }
    Experiment { data: INSTEAD.into(), train: base.train.min(512), test: base.test.min(1000), ..base }
}

/// A conflict between an experiment and a figure.
fn conflict(text: &str) -> anyhow::Error {
    ExperimentError::Conflict(text.into()).into()
}

/// What figures of one η need.
fn one_lr(experiment: &Experiment) -> Result<()> {
    if experiment.lr.len() != 1 {
        return Err(conflict("lr: the figure takes one"));
    }
    Ok(())
}

/// What figures need whose runs are as long as their λ and η ask for.
fn length_in_tau(experiment: &Experiment) -> Result<()> {
    if experiment.steps.is_some() || experiment.epochs.is_some() {
        return Err(conflict("steps, epochs: the figure's runs are as long as their λ and η ask for; give tau"));
    }
    Ok(())
}

/// What figures of one η and of runs of one length need.
fn one_length(experiment: &Experiment) -> Result<()> {
    one_lr(experiment)?;
    grid_of_lambda(experiment)?;
    if experiment.steps.is_none() && experiment.epochs.is_none() {
        return Err(conflict("tau: the figure compares runs of one length; give steps or epochs"));
    }
    Ok(())
}

/// What every figure over λ needs.
fn grid_of_lambda(experiment: &Experiment) -> Result<()> {
    if experiment.lambda.len() < 3 || experiment.lambda.contains(&0.0) {
        return Err(conflict("lambda: the figure needs a grid of three or more values above 0"));
    }
    Ok(())
}

/// What figures about constant λ need.
fn constant_lambda(experiment: &Experiment) -> Result<()> {
    if experiment.lambda_schedule != LambdaScheduleKind::Constant || !experiment.compare.0.is_empty() {
        return Err(conflict("lambda-schedule, compare: the figure is about constant λ"));
    }
    Ok(())
}

/// What a report is headed by: a figure that is not at the paper's scale says so.
fn heading(figure: &str, preset: Preset, what: &str) -> String {
    let scale = if preset == Preset::Full { String::new() } else { format!(", {preset}") };
    format!("{figure}{scale}: {what}")
}

/// Whether a network fits its training data, which is the paper's premise: whether every seed does at one λ.
struct FitOfData {
    /// The λ at which most seeds fit, and the largest of those.
    lambda: f64,
    /// How many do, of how many.
    seeds: [usize; 2],
    /// The highest training accuracy of all runs.
    accuracy: f64,
}

impl FitOfData {
    /// `None` of no run.
    fn of(traces: &[Trace]) -> Option<Self> {
        let accuracy = traces.iter().filter_map(Trace::best_train_accuracy).reduce(f64::max)?;
        let distinct = |mut seeds: Vec<u64>| {
            seeds.sort_unstable();
            seeds.dedup();
            seeds.len()
        };
        let mut lambdas: Vec<f64> = traces.iter().map(|t| t.run.lambda).collect();
        lambdas.sort_by(f64::total_cmp);
        lambdas.dedup();
        let at = |&lambda: &f64| {
            let own = || traces.iter().filter(move |t| t.run.lambda == lambda);
            let fit = own().filter(|t| t.best_train_accuracy().is_some_and(|a| a > FITTED)).map(|t| t.run.seed);
            Self { lambda, seeds: [distinct(fit.collect()), distinct(own().map(|t| t.run.seed).collect())], accuracy }
        };
        lambdas.iter().map(at).max_by_key(|f| f.seeds[0])
    }

    fn holds(&self) -> bool {
        self.seeds[0] == self.seeds[1]
    }
}

/// The paper's premise, under which alone its relations are claimed, and claims under it: without it they are neither confirmed nor
/// refuted. `which` says which of several networks they are about.
fn under_premise(which: &str, traces: &[Trace], claims: Vec<Claim>) -> Vec<Claim> {
    let fit = FitOfData::of(traces);
    let is_met = fit.as_ref().is_some_and(FitOfData::holds);
    let premise = fit.map(|f| Claim {
        premise: true,
        statement: format!("The network is overparameterized: it fits its training data{which} (the paper's premise)"),
        found: format!(
            "At λ = {} {} of {} seeds reach a training accuracy above {FITTED}; the highest of all runs is {:.4}",
            f.lambda, f.seeds[0], f.seeds[1], f.accuracy
        ),
        decision: Decision::certain(is_met),
    });
    let claims = claims.into_iter().map(|claim| Claim { decision: claim.decision.given(is_met), ..claim });
    premise.into_iter().chain(claims).collect()
}

/// What is found at each λ, and what all of it together decides.
fn by_lambda(
    found: impl IntoIterator<Item = (f64, Option<Mean>)>,
    decide: impl Fn(f64, Option<Mean>) -> Decision,
) -> (String, Decision) {
    let (texts, decisions): (Vec<String>, Vec<Decision>) =
        found.into_iter().map(|(lambda, m)| (format!("{} at λ = {lambda}", interval(m)), decide(lambda, m))).unzip();
    (texts.join(", "), Decision::all(&decisions))
}

/// `0.412 [0.400, 0.420]` or a dash.
fn interval(mean: Option<Mean>) -> String {
    mean.map_or_else(|| "—".into(), |m| with_interval(m.mean, m.ci, 4))
}
