//! Trains a grid of runs: spread over threads or stacked, and over the processes that share a directory, with progress,
//! checkpoints and Ctrl-C.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow};
use l2lab_core::{
    Experiment,
    experiment::ExperimentError,
    model::Model,
    train::{Execution, Pending, RunSpec, Task, Trace, Trainer, plan},
};

use crate::{
    claims::Claim,
    failure::caught,
    interrupt,
    progress::{LINE_EVERY, Progress},
    store::Store,
    threads,
};

/// Steps between updates of the progress bar.
const PROGRESS_EVERY: u64 = 16;

/// Steps that a GPU takes before its answer to a measurement is waited for.
const OVERLAP: u64 = 8;
/// How often is looked after claims, and after runs of other processes.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The user asked to stop; unfinished runs were saved if there is a store.
#[derive(Debug, thiserror::Error)]
#[error("stopped by the user")]
pub struct Interrupted;

/// Another process has completed the directory.
#[derive(Debug, thiserror::Error)]
#[error("'{}' was completed by another process", dir.display())]
pub struct CompletedElsewhere {
    /// The directory.
    pub dir: PathBuf,
    /// Its summary.
    pub summary: String,
}

/// The one run that was asked for is done.
#[derive(Debug, thiserror::Error)]
#[error("run {run} of {runs} is done")]
pub struct OneRun {
    run: usize,
    runs: usize,
}

/// Where and how runs are trained.
pub struct Executor<'a> {
    /// What all runs share.
    pub experiment: &'a Experiment,
    /// The data, on the device.
    pub task: Arc<Task>,
    /// The network that they train.
    pub model: Model,
    /// Stacked or one by one.
    pub execution: Execution,
    /// Threads for everything together.
    pub threads: usize,
    /// Where traces and checkpoints go, if anywhere.
    pub store: Option<&'a Store>,
    /// The one run to do, of all.
    pub only: Option<usize>,
    /// Time between checkpoints: what a crash loses at most.
    pub checkpoint_every: Duration,
}

/// What a worker does next.
enum Next {
    /// These runs, which are its own.
    Train(Vec<usize>, Vec<Arc<Claim>>),
    /// Hand over what another process has done.
    Found(Vec<(usize, Trace)>),
    /// Wait for other processes.
    Wait,
}

impl Executor<'_> {
    /// Trains `runs`, or what is left of them; traces in the order of `runs`.
    ///
    /// `phase` names the runs in progress lines and in the store.
    ///
    /// # Errors
    /// [`Interrupted`], [`CompletedElsewhere`], [`OneRun`], or when the device or the store fails.
    pub fn train(&self, phase: &str, runs: &[RunSpec]) -> Result<Vec<Trace>> {
        let batch = self.experiment.batch_size(self.task.train_examples());
        let groups = match self.only {
            Some(run) if run >= runs.len() => {
                let (value, allowed) = (run.to_string(), format!("numbers from 0 to {}", runs.len() - 1));
                return Err(ExperimentError::Value { field: "only", value, allowed }.into());
            }
            Some(run) => vec![vec![run]],
            None => plan(runs, self.execution, &self.model, batch),
        };
        let wanted = || groups.iter().flatten();
        let count = wanted().count();
        let progress = Progress::new(phase, count, wanted().map(|&i| runs[i].steps).sum(), batch);
        let mut traces: Vec<Option<Trace>> = runs.iter().map(|_| None).collect();
        if let Some(store) = self.store {
            for &i in wanted() {
                traces[i] = finished(store, phase, runs, i)?;
                progress.resume(traces[i].as_ref().map_or(0, |_| runs[i].steps));
            }
        }
        let mut done = traces.iter().flatten().count();
        progress.runs_done(done);
        let groups: VecDeque<Vec<usize>> =
            groups.into_iter().filter(|g| g.iter().any(|&i| traces[i].is_none())).collect();

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
                        while let Some(result) = self.work(phase, runs, queue, progress) {
                            let failed = result.is_err();
                            if sender.send(result).is_err() || failed {
                                break;
                            }
                        }
                    });
                });
            }
            drop(sender);
            let mut told = Instant::now();
            loop {
                if let Some(store) = self.store {
                    store.beat();
                }
                match receiver.recv_timeout(LOOK_EVERY) {
                    Ok(Ok(finished)) => {
                        for (i, trace) in finished {
                            done += usize::from(traces[i].is_none());
                            traces[i] = Some(trace);
                        }
                        progress.runs_done(done);
                    }
                    Ok(Err(error)) => {
                        // The others need not go on; a real failure outweighs an interruption.
                        queue.lock().unwrap_or_else(PoisonError::into_inner).clear();
                        if outcome.is_ok() || !error.is::<Interrupted>() {
                            outcome = Err(error);
                        }
                    }
                    Err(mpsc::RecvTimeoutError::Timeout) if told.elapsed() > LINE_EVERY => {
                        progress.line(done);
                        told = Instant::now();
                    }
                    Err(mpsc::RecvTimeoutError::Timeout) => {}
                    Err(mpsc::RecvTimeoutError::Disconnected) => break,
                }
            }
        });
        outcome.map_err(|error| self.completed(error))?;
        progress.finish();
        if let Some(run) = self.only {
            return Err(OneRun { run, runs: runs.len() }.into());
        }
        traces.into_iter().collect::<Option<Vec<_>>>().ok_or_else(|| anyhow!("a worker ended without its runs"))
    }

    /// Where another process has completed the directory meanwhile, that is why files are missing.
    fn completed(&self, error: anyhow::Error) -> anyhow::Error {
        self.store.and_then(completed).map_or(error, Into::into)
    }

    /// The next traces from training or from other processes; `None` when there is nothing left to do.
    fn work(
        &self,
        phase: &str,
        runs: &[RunSpec],
        queue: &Mutex<VecDeque<Vec<usize>>>,
        progress: &Progress,
    ) -> Option<Result<Vec<(usize, Trace)>>> {
        loop {
            let next = {
                let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
                if queue.is_empty() {
                    return None;
                }
                self.next(phase, runs, &mut queue)
            };
            match next {
                Ok(Next::Train(group, claims)) => {
                    match caught(&self.advice(), || self.train_group(phase, &group, runs, &claims, progress)) {
                        // Lost to another process, which it may lose again.
                        Ok(None) => queue.lock().unwrap_or_else(PoisonError::into_inner).push_back(group),
                        Ok(Some(traces)) => return Some(Ok(traces)),
                        Err(error) => return Some(Err(error)),
                    }
                }
                Ok(Next::Found(traces)) => {
                    progress.resume(traces.iter().map(|(_, t)| t.run.steps).sum());
                    return Some(Ok(traces));
                }
                Ok(Next::Wait) => {
                    if let Err(stop) = interrupt::check() {
                        return Some(Err(stop.into()));
                    }
                    progress.waits();
                    std::thread::sleep(LOOK_EVERY);
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// What helps where a device fails in mid-run.
    fn advice(&self) -> String {
        let batch = self.experiment.batch_size(self.task.train_examples());
        let kept = if self.store.is_some() { "what is done is kept, and --resume goes on from there; " } else { "" };
        format!("{kept}if its memory was too small, --batch {} takes half as much", (batch / 2).max(1))
    }

    /// Takes from the queue the first group that is done or that no other process is at.
    fn next(&self, phase: &str, runs: &[RunSpec], queue: &mut VecDeque<Vec<usize>>) -> Result<Next> {
        let Some(store) = self.store else {
            return Ok(queue.pop_front().map_or(Next::Wait, |group| Next::Train(group, Vec::new())));
        };
        if let Some(elsewhere) = completed(store) {
            return Err(elsewhere.into());
        }
        for at in 0..queue.len() {
            let group = &queue[at];
            let finished = || -> Result<Option<Vec<(usize, Trace)>>> {
                let trace = |&i: &usize| Ok(finished(store, phase, runs, i)?.map(|t| (i, t)));
                group.iter().map(trace).collect()
            };
            if let Some(found) = finished()? {
                queue.remove(at);
                return Ok(Next::Found(found));
            }
            if let Some(claims) = store.claim(phase, group)? {
                // Done between the two looks.
                if let Some(found) = finished()? {
                    queue.remove(at);
                    return Ok(Next::Found(found));
                }
                let group = queue.remove(at).unwrap_or_default();
                return Ok(Next::Train(group, claims));
            }
        }
        Ok(Next::Wait)
    }

    /// Steps that are taken before a measurement is waited for: a GPU does not stand still while its answer is on the way.
    fn overlap(&self) -> u64 {
        match self.execution {
            Execution::Single => 0,
            Execution::Stacked => OVERLAP,
        }
    }

    /// Trains one stack of runs to its end; `None` if another process has taken it over.
    fn train_group(
        &self,
        phase: &str,
        group: &[usize],
        runs: &[RunSpec],
        claims: &[Arc<Claim>],
        progress: &Progress,
    ) -> Result<Option<Vec<(usize, Trace)>>> {
        let specs: Vec<RunSpec> = group.iter().map(|&i| runs[i].clone()).collect();
        let lengths: u64 = specs.iter().map(|s| s.steps).sum();
        let mut trainer = Trainer::new(self.experiment, Arc::clone(&self.task), specs);
        if let Some(snapshot) = self.store.map(|s| s.load(phase, group)).transpose()?.flatten() {
            trainer.restore(snapshot).context("a checkpoint in the output directory cannot be used")?;
        }
        let mut counted = taken(&trainer);
        progress.resume(counted);
        let mut saved = Instant::now();
        let mut pending: Option<(Pending, u64)> = None;
        loop {
            let stop = interrupt::requested();
            let save = stop || saved.elapsed() > self.checkpoint_every;
            let is_due = trainer.is_due();
            let late = |since: u64| is_due || save || trainer.steps_taken() >= since + self.overlap();
            if let Some((asked, _)) = pending.take_if(|(_, since)| late(*since)) {
                pollster::block_on(trainer.finish_measure(asked))?;
            }
            if is_due && let Some(asked) = pollster::block_on(trainer.begin_measure())? {
                if save || asked.is_last() || self.overlap() == 0 {
                    pollster::block_on(trainer.finish_measure(asked))?;
                } else {
                    pending = Some((asked, trainer.steps_taken()));
                }
            }
            if trainer.active() == 0 {
                break;
            }
            if claims.iter().any(|claim| claim.is_lost()) {
                return Ok(None);
            }
            if save && let Some(store) = self.store {
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
                if runs.len() == 1 {
                    progress.at(trainer.position(0));
                }
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
        Ok(Some(traces))
    }
}

/// Of a directory that is complete.
fn completed(store: &Store) -> Option<CompletedElsewhere> {
    store.summary().map(|summary| CompletedElsewhere { dir: store.dir().to_owned(), summary })
}

/// The trace of run `i`, if it has ended.
fn finished(store: &Store, phase: &str, runs: &[RunSpec], i: usize) -> Result<Option<Trace>> {
    Ok(store.finished(phase, i)?.filter(|t| t.run == runs[i]))
}

/// Steps of all runs of a stack so far; a run that ended early counts as if it had gone on.
fn taken(trainer: &Trainer) -> u64 {
    trainer.traces().map(|t| t.run.steps.min(trainer.steps_taken())).sum()
}
