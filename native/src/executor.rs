//! Trains a grid of runs: spread over threads or stacked, with progress, checkpoints and Ctrl-C.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, mpsc},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow};
use l2lab_core::{
    Experiment,
    model::Model,
    train::{Execution, RunSpec, Task, Trace, Trainer, plan},
};

use crate::{
    interrupt,
    progress::{LINE_EVERY, Progress},
    store::Store,
    threads,
};

/// Time between checkpoints: what a crash loses at most.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(30);
/// Steps between updates of the progress bar.
const PROGRESS_EVERY: u64 = 16;

/// The user asked to stop; unfinished runs were saved if there is a store.
#[derive(Debug, thiserror::Error)]
#[error("stopped by the user")]
pub struct Interrupted;

/// Where and how runs are trained.
pub struct Executor<'a> {
    /// What all runs share.
    pub experiment: &'a Experiment,
    /// The data, on the device.
    pub task: Arc<Task>,
    /// The network that they train.
    pub model: &'a Model,
    /// Stacked or one by one.
    pub execution: Execution,
    /// Threads for everything together.
    pub threads: usize,
    /// Where traces and checkpoints go, if anywhere.
    pub store: Option<&'a Store>,
}

impl Executor<'_> {
    /// Trains `runs`, or what is left of them; traces in the order of `runs`.
    ///
    /// `phase` names the runs in progress lines and in the store.
    ///
    /// # Errors
    /// [`Interrupted`], or when the device or the store fails.
    pub fn train(&self, phase: &str, runs: &[RunSpec]) -> Result<Vec<Trace>> {
        let mut traces: Vec<Option<Trace>> = runs.iter().map(|_| None).collect();
        let progress = Progress::new(phase, runs.len(), runs.iter().map(|r| r.steps).sum());
        if let Some(store) = self.store {
            for (i, (slot, run)) in traces.iter_mut().zip(runs).enumerate() {
                *slot = store.finished(phase, i)?.filter(|t| t.run == *run);
                progress.resume(slot.as_ref().map_or(0, |_| run.steps));
            }
        }
        let batch = self.experiment.batch_size(self.task.train_examples());
        let groups = plan(runs, self.execution, self.model, batch).into_iter();
        let groups: VecDeque<Vec<usize>> = groups.filter(|g| g.iter().any(|&i| traces[i].is_none())).collect();
        let mut done = traces.iter().flatten().count();
        progress.runs_done(done);

        let workers = match self.execution {
            Execution::Single => self.threads.min(groups.len()),
            Execution::Stacked => 1.min(groups.len()),
        };
        let queue = Mutex::new(groups);
        let mut outcome = Ok(());
        std::thread::scope(|scope| {
            let (sender, receiver) = mpsc::channel::<Result<Vec<(usize, Trace)>>>();
            for _ in 0..workers {
                let (sender, queue, progress) = (sender.clone(), &queue, &progress);
                scope.spawn(move || {
                    threads::with(self.threads / workers, || {
                        let next = || queue.lock().ok().and_then(|mut q| q.pop_front());
                        while let Some(group) = next() {
                            let result = self.train_group(phase, &group, runs, progress);
                            let failed = result.is_err();
                            if sender.send(result).is_err() || failed {
                                break;
                            }
                        }
                    });
                });
            }
            drop(sender);
            loop {
                match receiver.recv_timeout(LINE_EVERY) {
                    Ok(Ok(finished)) => {
                        done += finished.len();
                        progress.runs_done(done);
                        for (i, trace) in finished {
                            traces[i] = Some(trace);
                        }
                    }
                    Ok(Err(error)) => {
                        // The others need not go on; a real failure outweighs an interruption.
                        if let Ok(mut q) = queue.lock() {
                            q.clear();
                        }
                        if outcome.is_ok() || !error.is::<Interrupted>() {
                            outcome = Err(error);
                        }
                    }
                    Err(mpsc::RecvTimeoutError::Timeout) => progress.line(done),
                    Err(mpsc::RecvTimeoutError::Disconnected) => break,
                }
            }
        });
        outcome?;
        progress.finish();
        traces.into_iter().collect::<Option<Vec<_>>>().ok_or_else(|| anyhow!("a worker ended without its runs"))
    }

    /// Trains one stack of runs to its end.
    fn train_group(
        &self,
        phase: &str,
        group: &[usize],
        runs: &[RunSpec],
        progress: &Progress,
    ) -> Result<Vec<(usize, Trace)>> {
        let specs: Vec<RunSpec> = group.iter().map(|&i| runs[i].clone()).collect();
        let lengths: u64 = specs.iter().map(|s| s.steps).sum();
        let mut trainer = Trainer::new(self.experiment, Arc::clone(&self.task), specs);
        if let Some(snapshot) = self.store.map(|s| s.load(phase, group)).transpose()?.flatten() {
            trainer.restore(snapshot).context("a checkpoint in the output directory cannot be used")?;
        }
        let mut counted = taken(&trainer);
        progress.resume(counted);
        let mut saved = Instant::now();
        loop {
            if trainer.is_due() {
                pollster::block_on(trainer.measure())?;
            }
            if trainer.active() == 0 {
                break;
            }
            let stop = interrupt::requested();
            if let Some(store) = self.store
                && (stop || saved.elapsed() > CHECKPOINT_EVERY)
            {
                store.save(phase, group, &pollster::block_on(trainer.snapshot())?)?;
                saved = Instant::now();
            }
            if stop {
                return Err(Interrupted.into());
            }
            trainer.step();
            if trainer.steps_taken().is_multiple_of(PROGRESS_EVERY) {
                let now = taken(&trainer);
                progress.advance(now - counted);
                counted = now;
            }
        }
        progress.advance(lengths - counted);
        let traces: Vec<(usize, Trace)> = group.iter().copied().zip(trainer.into_traces()).collect();
        if let Some(store) = self.store {
            for (i, trace) in &traces {
                store.finish(phase, *i, trace)?;
            }
            store.forget(phase, group);
        }
        Ok(traces)
    }
}

/// Steps of all runs of a stack so far; a run that ended early counts as if it had gone on.
fn taken(trainer: &Trainer) -> u64 {
    trainer.traces().map(|t| t.run.steps.min(trainer.steps_taken())).sum()
}
