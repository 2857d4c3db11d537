//! `--emit`: the runs of a figure as lines that any scheduler can take, over a directory that is prepared for them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::Phase;
use crate::{
    cli::Options,
    commands::Job,
    executor::{Executor, OneRun},
    store::write_whole,
};

/// What `--emit` takes.
pub const KINDS: [&str; 2] = ["shell", "slurm"];

/// The commands, one a line.
const LINES: &str = "jobs.txt";

/// Writes the jobs of a figure whose directory has been made.
///
/// # Errors
/// When a file cannot be written.
pub fn figure(job: &Job, command: &str, kind: &str, phases: &[Phase]) -> Result<String> {
    let dir = job.store.as_ref().context("--emit needs --out")?.dir();
    let line = line(command, dir, &job.options)?;
    let lines = (0..count(phases)).map(|run| format!("{line} --only {run}")).chain([line.clone()]).collect();
    write(dir, kind, lines, job.options.json)
}

/// All runs of the phases.
fn count(phases: &[Phase]) -> usize {
    phases.iter().map(|phase| phase.runs.len()).sum()
}

/// Does one of all runs of the phases.
///
/// # Errors
/// [`OneRun`] when it is done; otherwise as [`Executor::train`].
pub fn one(job: &Job, run: usize, phases: &[Phase]) -> Result<String> {
    let done = OneRun::of(run, count(phases))?;
    let mut only = run;
    for phase in phases {
        if only < phase.runs.len() {
            let executor = Executor { only: Some(only), ..job.executor_of(&phase.experiment)? };
            if let Err(error) = executor.train(&phase.name, &phase.runs)
                && !error.is::<OneRun>()
            {
                return Err(error);
            }
            break;
        }
        only -= phase.runs.len();
    }
    Err(done.into())
}

/// The jobs of several figures, whose own are written already, and a last one for what they leave.
///
/// # Errors
/// When a file cannot be read or written.
pub fn all(dir: &Path, kind: &str, figures: &[PathBuf], options: &Options) -> Result<String> {
    let mut lines = Vec::new();
    for figure in figures {
        let file = figure.join(LINES);
        let text = fs::read_to_string(&file).with_context(|| format!("'{}' cannot be read", file.display()))?;
        lines.extend(text.lines().map(str::to_owned));
    }
    lines.push(line("reproduce all", dir, options)?);
    write(dir, kind, lines, options.json)
}

/// The command that works on what is left in a directory.
fn line(command: &str, dir: &Path, options: &Options) -> Result<String> {
    let absolute = |path: &Path| std::path::absolute(path).with_context(|| format!("'{}' is no path", path.display()));
    let program = std::env::current_exe().context("the program does not know its own path")?;
    let (program, dir, data) = (quoted(&program), quoted(&absolute(dir)?), quoted(&absolute(&options.data_dir)?));
    let flags = options.handed_on().join(" ");
    Ok(format!("{program} {command} --out {dir} --resume --data-dir {data} {flags}"))
}

/// A path as a word of a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

fn write(dir: &Path, kind: &str, lines: Vec<String>, json: bool) -> Result<String> {
    let count = lines.len();
    let list = std::path::absolute(dir.join(LINES)).context("the directory is no path")?;
    write_whole(&list, (lines.join("\n") + "\n").as_bytes())?;
    let list = quoted(&list);
    let (name, text, how) = if kind == "slurm" {
        let last = count - 1;
        let text = format!(
            "#!/bin/sh\n#SBATCH --job-name=l2lab\n#SBATCH --array=0-{last}\n#SBATCH --gpus-per-task=1\n\
             # Task N does line N + 1 of the list. Lines can be done in any order, at once, and again: what is done stays done.\n\
             exec sh -c \"$(sed -n \"$((SLURM_ARRAY_TASK_ID + 1))p\" {list})\"\n"
        );
        ("jobs.sbatch", text, "sbatch")
    } else {
        let text = format!(
            "#!/bin/sh\n# Does the lines of the list, JOBS of them at once. They can be done in any order and again: what is done stays \
             done.\ntr '\\n' '\\0' < {list} | xargs -0 -n 1 -P \"${{JOBS:-1}}\" sh -c\n"
        );
        ("jobs.sh", text, "sh")
    };
    let path = dir.join(name);
    write_whole(&path, text.as_bytes())?;
    if json {
        return Ok(format!("{}\n", serde_json::json!({ "jobs": count, "list": dir.join(LINES), "script": path })));
    }
    Ok(format!("{count} jobs in {}; start them with: {how} {}\n", dir.join(LINES).display(), quoted(&path)))
}
