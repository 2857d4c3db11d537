//! The commands, and what those that train share: a job is an experiment with its data, device and directory.

pub mod autol2;
pub mod bench;
pub mod data;
pub mod exponent;
pub mod fit;
pub mod kernel;
pub mod predict;
pub mod reproduce;
pub mod serve;
pub mod sweep;
pub mod theory;
pub mod train;

use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::ArgMatches;
use l2lab_core::{
    Experiment,
    data::Split,
    model::Model,
    recording::{Findings, RECORDING_VERSION, Recording},
    run::{RunSpec, Trace},
    train::Execution,
};

use crate::{
    cli::{self, Options},
    datasets,
    device::{self, DeviceChoice},
    executor::{Completed, Executor, Interrupted, OneRun, completed},
    failure, interrupt, memory,
    store::{Store, free_directory},
    tasks::{self, Tasks},
    threads,
};

/// Runs the command that the arguments ask for: what it prints on standard output.
///
/// # Errors
/// Whatever is wrong with the input, or happens on the way.
pub fn run(matches: &ArgMatches) -> Result<String> {
    let Some((name, matches)) = matches.subcommand() else { unreachable!("clap asks for a subcommand") };
    let outcome = match name {
        "sweep" => sweep::run(matches),
        "train" => train::run(matches),
        "predict" => predict::run(matches),
        "theory" => theory::run(matches),
        "autol2" => autol2::run(matches),
        "kernel" => kernel::run(matches),
        "exponent" => exponent::run(matches),
        "fit" => fit::run(matches),
        "reproduce" => reproduce::run(matches),
        "data" => data::run(matches),
        "serve" => serve::run(matches),
        "bench" => bench::run(matches),
        _ => unreachable!("clap knows the subcommands"),
    };
    // Nothing went wrong where nothing is left to do, or where one run was all that was asked for.
    let error = match outcome {
        Ok(text) => return Ok(text),
        Err(error) => error,
    };
    if let Some(Completed { dir, summary }) = error.downcast_ref() {
        // The flags are those of the innermost command.
        let innermost = std::iter::successors(Some(matches), |m| m.subcommand().map(|(_, inner)| inner)).last();
        return already_complete(dir, summary, innermost.is_some_and(|m| cli::options(m).json));
    }
    match error.downcast_ref::<OneRun>() {
        Some(done) => Ok(format!("{done}\n")),
        None => Err(error),
    }
}

/// An experiment that is ready to be trained.
pub struct Job {
    /// What is trained.
    pub experiment: Experiment,
    /// How the user wants it done.
    pub options: Options,
    /// The grid's runs.
    pub runs: Vec<RunSpec>,
    /// The network.
    pub model: Model,
    /// Where results go, if anywhere.
    pub store: Option<Store>,
    /// What is learned and measured.
    pub split: Split,
    /// Threads for everything together.
    pub threads: usize,
    /// What the command was told besides the experiment.
    pub flags: String,
    tasks: Tasks,
    execution: Execution,
}

/// What the flags of `--resume` must not do.
const CHANGED: &str = "--resume continues the experiment that --out holds: leave out the flags that change it";

/// How a command makes a job.
pub struct Recipe<'a> {
    /// The command's name.
    pub command: &'a str,
    /// Its defaults.
    pub base: Experiment,
    /// Those of its own flags that results depend on, as a user gives them.
    pub flags: String,
    /// Its own word on an experiment.
    pub check: &'a dyn Fn(&Experiment) -> Result<()>,
    /// The runs of an experiment on its data; refuses what is not possible.
    pub runs: &'a dyn Fn(&Experiment, &Split) -> Result<Vec<RunSpec>>,
    /// Whether each seed has images of its own, so that what is found is found of a data set and not of one subset.
    pub data_of_seeds: bool,
    /// Whether results are kept even without `--out`.
    pub keeps: bool,
    /// What the job is for.
    pub purpose: Purpose,
}

/// What a job is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To be trained here.
    Train,
    /// To be tried for a few steps.
    Try,
    /// To be prepared for other machines: this one may lack their device and memory.
    Prepare,
}

impl<'a> Recipe<'a> {
    /// Of a command that trains the experiment's grid, without flags of its own.
    pub fn of_grid(command: &'a str, base: Experiment, check: &'a dyn Fn(&Experiment) -> Result<()>) -> Self {
        Self {
            command,
            base,
            flags: String::new(),
            check,
            runs: &grid,
            data_of_seeds: false,
            keeps: false,
            purpose: Purpose::Train,
        }
    }
}

/// Refuses runs that this machine's memory is too small for, and says which batch fits.
fn check_memory(e: &Experiment, model: &Model, runs: &[RunSpec], threads: usize, examples: usize) -> Result<()> {
    let at_once = threads.min(runs.len()).max(1);
    let bytes = |batch: usize| model.training_bytes(batch).unwrap_or(0).saturating_mul(at_once);
    let batch = e.batch_size(examples);
    let what = format!("batch: a step of {at_once} run(s) with '{batch}' images each, by estimate,");
    memory::check_with(&what, bytes(batch), |available| {
        let mut smaller = std::iter::successors(Some(batch / 2), |b| Some(b / 2)).take_while(|&b| b > 0);
        match smaller.find(|&b| bytes(b) <= available) {
            Some(batch) => format!("--batch {batch} fits"),
            None if at_once > 1 => "fewer --threads train fewer runs at once".into(),
            None => "a smaller --width or --depth helps".into(),
        }
    })
}

fn grid(experiment: &Experiment, split: &Split) -> Result<Vec<RunSpec>> {
    Ok(experiment.runs(split.train.len())?)
}

impl Job {
    /// Reads the command's experiment, checks all that can be checked, and only then makes the directory.
    ///
    /// # Errors
    /// Whatever is wrong with the experiment, the data, the device or the directory; [`Completed`] where nothing is left to do.
    pub fn start(matches: &ArgMatches, recipe: Recipe<'_>) -> Result<Self> {
        interrupt::listen()?;
        let Recipe { command, base, flags, check, runs, data_of_seeds, keeps, purpose } = recipe;
        let options = cli::options(matches);
        let resumed = match &options.out {
            Some(dir) if options.resume => Some(Store::resume(dir, options.lease)?),
            _ => None,
        };
        let experiment = match &resumed {
            Some((_, held)) => {
                if cli::gives_experiment(matches) && cli::experiment(matches, held.clone())? != *held {
                    bail!(CHANGED);
                }
                held.clone()
            }
            None => cli::experiment(matches, base)?,
        };
        // The command knows best what is wrong.
        check(&experiment)?;
        experiment.validate()?;
        if let Some((store, _)) = &resumed
            && let Some(completed) = completed(store)
        {
            store.clear();
            return Err(completed.into());
        }
        let full = datasets::find(&experiment.data)?.load(&options.data_dir)?;
        let split = experiment.prepare(&full)?;
        let model = experiment.model(&split)?;
        let runs = runs(&experiment, &split)?;
        let threads = threads::count(options.threads)?;
        let choice = if purpose == Purpose::Prepare { &DeviceChoice::Cpu } else { &options.device };
        let (device, execution) = choice.open()?;
        if purpose != Purpose::Prepare {
            device::supports(&device, choice, experiment.precision)?;
        }
        if purpose == Purpose::Train && matches!(execution, Execution::Single) {
            check_memory(&experiment, &model, &runs, threads, split.train.len())?;
        }
        let fewer = choice.advice("fewer --train and --test examples take less of its memory");
        let tasks = failure::caught(fewer, || {
            if data_of_seeds && tasks::draws(&experiment, &full) {
                Tasks::of_seeds(&experiment, &full, &device)
            } else {
                Ok(Tasks::shared(&split, &device))
            }
        })?;
        let mut store = match resumed {
            Some((store, _)) => Some(store),
            None => match options.out.clone().or_else(|| keeps.then(|| free_directory(&command.replace(' ', "-")))) {
                Some(dir) => Some(Store::create(&dir, &experiment, command, &flags, options.lease)?),
                None => None,
            },
        };
        if let Some(store) = &mut store {
            store.bind(&experiment, &split, tasks.differ())?;
        }
        Ok(Self { experiment, options, runs, model, store, split, threads, flags, tasks, execution })
    }

    /// What trains this job's runs.
    pub fn executor(&self) -> Executor<'_> {
        self.executor_with(&self.experiment, self.model.clone())
    }

    /// What trains runs of an experiment that has this job's data.
    ///
    /// # Errors
    /// When its model is too large.
    pub fn executor_of<'a>(&'a self, experiment: &'a Experiment) -> Result<Executor<'a>> {
        Ok(self.executor_with(experiment, experiment.model(&self.split)?))
    }

    fn executor_with<'a>(&'a self, experiment: &'a Experiment, model: Model) -> Executor<'a> {
        Executor {
            experiment,
            tasks: self.tasks.clone(),
            model,
            execution: self.execution,
            threads: self.threads,
            store: self.store.as_ref(),
            only: self.options.only,
            checkpoint_every: self.options.checkpoint_every,
        }
    }

    /// Whether this machine's memory holds runs of this job, if they are trained in it.
    ///
    /// # Errors
    /// When it does not.
    pub fn fits_memory(&self, runs: &[RunSpec]) -> Result<()> {
        match self.execution {
            Execution::Single => check_memory(&self.experiment, &self.model, runs, self.threads, self.train_examples()),
            Execution::Stacked => Ok(()),
        }
    }

    /// What the grid's traces say.
    ///
    /// # Errors
    /// When the experiment's budget is not a possible number of steps.
    pub fn findings(&self, traces: &[Trace]) -> Result<Findings> {
        Ok(Findings::new(&self.experiment, self.train_examples(), traces)?)
    }

    /// What a page's figures show of this job.
    pub fn recording(
        &self,
        command: &str,
        base: &dyn Fn(bool) -> Experiment,
        traces: &[Trace],
        verification: &[Trace],
        findings: Findings,
    ) -> Recording {
        Recording {
            version: RECORDING_VERSION,
            command: Some(cli::command_line(command, base, &self.experiment)),
            device: self.options.device.to_string(),
            experiment: self.experiment.clone(),
            model: (&self.model).into(),
            traces: traces.to_vec(),
            verification: verification.to_vec(),
            findings,
        }
    }

    /// Training examples.
    pub fn train_examples(&self) -> usize {
        self.tasks.any().train_examples()
    }

    /// Adds to an interruption what the user can do about it.
    pub fn explain<T>(&self, command: &str, result: Result<T>) -> Result<T> {
        let Some(store) = &self.store else { return result };
        if result.as_ref().is_err_and(anyhow::Error::is::<Interrupted>) {
            eprintln!("continue with: l2lab {command} --out '{}' --resume", store.dir().display());
        }
        result
    }
}

/// The summary of a directory that was complete already, as the command prints it.
fn already_complete(dir: &Path, summary: &str, json: bool) -> Result<String> {
    if json {
        let value: serde_json::Value = serde_json::from_str(summary)
            .with_context(|| format!("'{}' is damaged", dir.join("summary.json").display()))?;
        return Ok(format!("{value}\n"));
    }
    Ok(format!("'{0}' is complete: see {0}/report.html and {0}/summary.json\n", dir.display()))
}
