//! What a figure costs on this device, before it is trained.

use std::{fmt::Write, fs, path::Path, sync::Arc, time::Instant};

use anyhow::{Context, Result, bail};
use l2lab_core::{
    Experiment,
    law::Verdict,
    train::{Task, Trainer},
};
use serde::{Deserialize, Serialize};

use super::Phase;
use crate::{commands::Job, failure, study::Claim, threads};

const SUMMARY: &str = "summary.json";
/// Steps that are timed.
const STEPS: usize = 10;
/// Where a step takes longer than this, in seconds, fewer images are timed instead.
const LONG: f64 = 3.0;
/// As many of them.
const FEW: usize = 16;

/// What the runs of a phase cost.
#[derive(Serialize)]
struct Cost<'a> {
    phase: &'a str,
    runs: usize,
    epochs: f64,
    steps: u64,
    seconds_per_step: f64,
    /// Images of a step, and of the steps that were timed.
    batch: usize,
    timed_batch: usize,
    hours: f64,
}

/// The seeds that a claim needs.
#[derive(Serialize)]
pub struct Power {
    claim: String,
    verdict: Verdict,
    /// For a chance of 80 %; absent where no reasonable number decides, or where nothing is known of the spread.
    seeds: Option<usize>,
}

/// How many seeds decide the claims of a figure, by the results of an earlier study: its own directory, or the one over all figures.
///
/// # Errors
/// When there is no summary of the figure, or it is damaged.
pub fn power(pilot: &Path, figure: &str) -> Result<Vec<Power>> {
    #[derive(Deserialize)]
    struct Told {
        command: String,
        #[serde(default)]
        claims: Vec<Claim>,
    }
    let read = |file: &Path| -> Result<Told> {
        let text = fs::read_to_string(file).with_context(|| {
            format!("--pilot: '{}' cannot be read; give results of {figure} or of all", file.display())
        })?;
        serde_json::from_str(&text).with_context(|| format!("--pilot: '{}' is damaged", file.display()))
    };
    let of_all = pilot.join(figure).join(SUMMARY);
    let file = if of_all.is_file() { of_all } else { pilot.join(SUMMARY) };
    let told = read(&file)?;
    if told.command == "reproduce all" {
        eprintln!("--pilot: '{}' has no results of {figure}: the seeds that it needs are not known", pilot.display());
        return Ok(Vec::new());
    }
    if told.command != format!("reproduce {figure}") {
        bail!("--pilot: '{}' is of {}, not of {figure}", file.display(), told.command);
    }
    let power = |c: Claim| Power { claim: c.statement, verdict: c.decision.verdict, seeds: c.decision.seeds_needed };
    Ok(told.claims.into_iter().filter(|c| !c.premise).map(power).collect())
}

/// What the phases of a figure cost, one run at a time, and what its claims need: a few lines, or one JSON object.
///
/// # Errors
/// When the device fails.
pub fn tell(job: &Job, figure: &str, phases: &[Phase], power: Option<&[Power]>) -> Result<String> {
    let costs = phases.iter().map(|phase| cost(job, phase)).collect::<Result<Vec<_>>>()?;
    let device = job.options.device.to_string();
    if job.options.json {
        let value = serde_json::json!({ "figure": figure, "device": device, "phases": costs, "seeds_needed": power });
        return Ok(format!("{value}\n"));
    }
    let mut text = String::new();
    for c in costs {
        let note =
            if c.timed_batch == c.batch { String::new() } else { format!(", from {} images a step", c.timed_batch) };
        let _ = writeln!(
            text,
            "{figure} {}: {} runs, {:.0} epochs, {} steps; {:.3} s a step{note}: about {} on {device}; measuring, and runs that depend on these, not \
             counted",
            c.phase,
            c.runs,
            c.epochs,
            c.steps,
            c.seconds_per_step,
            if c.hours < 1.0 { format!("{:.1} minutes", 60.0 * c.hours) } else { format!("{:.1} hours", c.hours) },
        );
    }
    for of in power.unwrap_or_default() {
        let seeds = match (of.seeds, of.verdict) {
            (Some(seeds), _) => format!("{seeds} seeds decide it, with a chance of 80 %"),
            (None, Verdict::Premise) => "its premise is not met, whatever the seeds".into(),
            (None, Verdict::Open) => "no reasonable number of seeds is known to decide it".into(),
            (None, _) => "more seeds do not change it".into(),
        };
        let _ = writeln!(text, "{figure}: {} ({}): {seeds}", of.claim, of.verdict.text());
    }
    Ok(text)
}

fn cost<'a>(job: &Job, phase: &'a Phase) -> Result<Cost<'a>> {
    let examples = job.train_examples();
    let steps: u64 = phase.runs.iter().map(|r| r.steps).sum();
    let batch = phase.experiment.batch_size(examples);
    let task = Arc::clone(job.executor().tasks.any());
    let timed = |batch: usize, steps: usize| {
        let experiment = Experiment { batch, ..phase.experiment.clone() };
        let advice = job.options.device.advice(failure::SMALLER_BATCH);
        threads::with(job.threads, || {
            failure::caught(advice, || seconds_per_step(&experiment, Arc::clone(&task), phase, steps))
        })
    };
    // A few images first: a full batch of a large network may take minutes on a CPU, or more memory than there is.
    let few = batch.min(FEW);
    let of_few = timed(few, 1)? * batch as f64 / few as f64;
    let too_much = of_few > LONG || job.fits_memory(&phase.runs[..1]).is_err();
    let (seconds_per_step, timed_batch) = if too_much { (of_few, few) } else { (timed(batch, STEPS)?, batch) };
    Ok(Cost {
        phase: &phase.name,
        runs: phase.runs.len(),
        epochs: steps as f64 / phase.experiment.steps_per_epoch(examples) as f64,
        steps,
        seconds_per_step,
        batch,
        timed_batch,
        hours: steps as f64 * seconds_per_step / 3600.0,
    })
}

/// Seconds of a step, after one that is not counted.
fn seconds_per_step(experiment: &Experiment, task: Arc<Task>, phase: &Phase, steps: usize) -> Result<f64> {
    let device = task.device().clone();
    let run = phase.runs.first().context("there is a run")?;
    let mut trainer = Trainer::new(experiment, task, vec![run.clone()]);
    let mut advance = |steps: usize| -> Result<f64> {
        let begin = Instant::now();
        (0..steps).for_each(|_| trainer.step());
        failure::sync(&device)?;
        Ok(begin.elapsed().as_secs_f64())
    };
    advance(1)?;
    Ok(advance(steps)? / steps as f64)
}
