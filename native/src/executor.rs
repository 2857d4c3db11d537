//! Trains a grid of runs: spread over threads or stacked, and over the processes that share a directory, with progress,
//! checkpoints and Ctrl-C.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};
use l2lab_core::{
    Experiment,
    experiment::ExperimentError,
    model::Model,
    run::{RunSpec, Trace},
    train::{Execution, Pending, Trainer, plan},
};

use crate::{
    claims::Claim,
    failure::{self, caught},
    interrupt,
    progress::{LINE_EVERY, Progress},
    store::Store,
    tasks::Tasks,
    threads,
};

/// Time between updates of the progress.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);
/// Checkpoints are at least this many times as far apart as one takes: they cost a small share of the time.
const SAVE_SHARE: u32 = 50;

/// Steps that a GPU takes before its answer to a measurement is waited for.
const OVERLAP: u64 = 8;
/// How often is looked after claims, and after runs of other processes.
pub const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The user asked to stop; unfinished runs were saved if there is a store.
#[derive(Debug, thiserror::Error)]
#[error("stopped by the user")]
pub struct Interrupted;

/// The directory is complete: nothing is left to do.
#[derive(Debug, thiserror::Error)]
#[error("'{}' is complete", dir.display())]
pub struct Completed {
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

impl OneRun {
    /// Of run number `run`, from 0, of `runs`.
    ///
    /// # Errors
    /// When there is no such run.
    pub fn of(run: usize, runs: usize) -> Result<Self, ExperimentError> {
        if run < runs {
            return Ok(Self { run, runs });
        }
        let (value, allowed) = (run.to_string(), format!("numbers from 0 to {}", runs.saturating_sub(1)));
        Err(ExperimentError::Value { field: "only", value, allowed })
    }
}

/// What the workers on a grid share.
struct Work<'a> {
    phase: &'a str,
    runs: &'a [RunSpec],
    queue: Mutex<VecDeque<Vec<usize>>>,
    progress: &'a Progress,
    /// A worker has failed: the others save what they have and leave.
    stop: AtomicBool,
}

/// Where and how runs are trained.
pub struct Executor<'a> {
    /// What all runs share.
    pub experiment: &'a Experiment,
    /// The data, on the device.
    pub tasks: Tasks,
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
    /// Time between checkpoints: what a crash loses at most, unless they take long.
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
    /// [`Interrupted`], [`Completed`], [`OneRun`], or when the device or the store fails.
    pub fn train(&self, phase: &str, runs: &[RunSpec]) -> Result<Vec<Trace>> {
        let batch = self.experiment.batch_size(self.tasks.any().train_examples());
        let only = self.only.map(|run| OneRun::of(run, runs.len())).transpose()?;
        let groups = match self.only {
            Some(run) => vec![vec![run]],
            None => plan(runs, self.execution, &self.model, batch, self.tasks.differ()),
        };
        let wanted = || groups.iter().flatten();
        let count = wanted().count();
        let progress = Progress::new(phase, count, wanted().map(|&i| runs[i].steps).sum(), batch);
        let mut traces: Vec<Option<Trace>> = runs.iter().map(|_| None).collect();
        if let Some(store) = self.store {
            for &i in wanted() {
                traces[i] = store.finished(phase, i, &runs[i])?;
                progress.resume(traces[i].as_ref().map_or(0, |_| runs[i].steps));
            }
        }
        let mut done = traces.iter().flatten().count();
        progress.runs_done(done);
        // What has ended is not run again, whoever did it; the other runs stay in their groups, whose checkpoints are kept so.
        let left = |group: Vec<usize>| group.into_iter().filter(|&i| traces[i].is_none()).collect::<Vec<_>>();
        let groups: VecDeque<Vec<usize>> = groups.into_iter().map(left).filter(|group| !group.is_empty()).collect();

        let workers = match self.execution {
            Execution::Single => self.threads.min(groups.len()),
            Execution::Stacked => 1.min(groups.len()),
        };
        let work = Work { phase, runs, queue: groups.into(), progress: &progress, stop: false.into() };
        let mut outcome = Ok(());
        std::thread::scope(|scope| {
            let (sender, receiver) = mpsc::channel::<Result<Vec<(usize, Trace)>>>();
            for _ in 0..workers {
                let (sender, work) = (sender.clone(), &work);
                scope.spawn(move || {
                    threads::with(self.threads / workers, || {
                        while let Some(result) = self.work(work) {
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
                        work.stop.store(true, Ordering::Relaxed);
                        // The first failure is told; it outweighs an interruption.
                        if outcome.as_ref().err().is_none_or(anyhow::Error::is::<Interrupted>) {
                            outcome = Err(error);
                        }
                    }
                    Err(mpsc::RecvTimeoutError::Timeout) => {}
                    Err(mpsc::RecvTimeoutError::Disconnected) => break,
                }
                if told.elapsed() > LINE_EVERY {
                    progress.line(done);
                    told = Instant::now();
                }
            }
        });
        outcome.map_err(|error| self.completed(error))?;
        progress.finish();
        if let Some(one) = only {
            return Err(one.into());
        }
        traces.into_iter().collect::<Option<Vec<_>>>().ok_or_else(|| anyhow!("a worker ended without its runs"))
    }

    /// Where another process has completed the directory meanwhile, that is why files are missing.
    fn completed(&self, error: anyhow::Error) -> anyhow::Error {
        self.store.and_then(completed).map_or(error, Into::into)
    }

    /// The next traces from training or from other processes; `None` when there is nothing left to do.
    fn work(&self, work: &Work) -> Option<Result<Vec<(usize, Trace)>>> {
        let queue = || work.queue.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let next = {
                let mut queue = queue();
                if queue.is_empty() || work.stop.load(Ordering::Relaxed) {
                    return None;
                }
                self.next(work, &mut queue)
            };
            match next {
                Ok(Next::Train(group, claims)) => {
                    match caught(self.advice().as_deref(), || self.train_group(work, &group, &claims)) {
                        // Lost to another process, which may lose it again.
                        Ok(None) => queue().push_back(group),
                        Ok(Some(traces)) => return Some(Ok(traces)),
                        Err(error) => return Some(Err(error)),
                    }
                }
                Ok(Next::Found(traces)) => {
                    work.progress.resume(traces.iter().map(|(_, t)| t.run.steps).sum());
                    return Some(Ok(traces));
                }
                Ok(Next::Wait) => {
                    if let Err(stop) = interrupt::check() {
                        return Some(Err(stop.into()));
                    }
                    work.progress.waits();
                    std::thread::sleep(LOOK_EVERY);
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// What helps where a device fails in mid-run; nothing does on a CPU.
    fn advice(&self) -> Option<String> {
        if self.execution == Execution::Single {
            return None;
        }
        let smaller = match self.experiment.batch_size(self.tasks.any().train_examples()) / 2 {
            0 => "a smaller --width or --depth".to_owned(),
            half => format!("--batch {half}"),
        };
        let memory = "if its memory was too small";
        Some(match self.store {
            Some(_) => format!(
                "what is done is kept, and --resume goes on from there; {memory}, start again in a new --out with {smaller}"
            ),
            None => format!("{memory}, {smaller} takes less"),
        })
    }

    /// Takes from the queue what is done of the first group that is, or the first group that no other process is at.
    fn next(&self, work: &Work, queue: &mut VecDeque<Vec<usize>>) -> Result<Next> {
        let Some(store) = self.store else {
            return Ok(queue.pop_front().map_or(Next::Wait, |group| Next::Train(group, Vec::new())));
        };
        if let Some(completed) = completed(store) {
            return Err(completed.into());
        }
        for at in 0..queue.len() {
            let finished = || -> Result<Vec<(usize, Trace)>> {
                let trace = |&i: &usize| Ok(store.finished(work.phase, i, &work.runs[i])?.map(|t| (i, t)));
                queue[at].iter().filter_map(|i| trace(i).transpose()).collect()
            };
            let mut found = finished()?;
            if found.is_empty() {
                let claims = store.claim(work.phase, &queue[at]);
                // Some, or all, may have been done between the two looks.
                if let Some(completed) = completed(store) {
                    return Err(completed.into());
                }
                if let Some(claims) = claims? {
                    found = finished()?;
                    if found.is_empty() {
                        return Ok(Next::Train(queue.remove(at).unwrap_or_default(), claims));
                    }
                }
            }
            if !found.is_empty() {
                queue[at].retain(|i| found.iter().all(|(done, _)| done != i));
                if queue[at].is_empty() {
                    queue.remove(at);
                }
                return Ok(Next::Found(found));
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
    fn train_group(&self, work: &Work, group: &[usize], claims: &[Arc<Claim>]) -> Result<Option<Vec<(usize, Trace)>>> {
        let Work { phase, runs, progress, .. } = *work;
        let specs: Vec<RunSpec> = group.iter().map(|&i| runs[i].clone()).collect();
        let lengths: u64 = specs.iter().map(|s| s.steps).sum();
        let seed = specs.first().map_or(0, |s| s.seed);
        if self.tasks.differ() && specs.iter().any(|s| s.seed != seed) {
            bail!("runs of different seeds, which have different data, are in one stack");
        }
        let mut trainer = Trainer::new(self.experiment, Arc::clone(self.tasks.of(seed)?), specs);
        if let Some(store) = self.store
            && let Some(snapshot) = store.load(phase, group)?
            // Others may have had these numbers, before an earlier phase was done again.
            && snapshot.runs.iter().map(|run| &run.trace.run).eq(trainer.traces().map(|trace| &trace.run))
        {
            trainer.restore(snapshot).with_context(|| store.unusable(phase, group))?;
        }
        let mut counted = taken(&trainer);
        progress.resume(counted);
        let mut shown = Instant::now();
        let (mut saved, mut pause) = (Instant::now(), self.checkpoint_every);
        let mut pending: Option<(Pending, u64)> = None;
        loop {
            let stop = interrupt::requested() || work.stop.load(Ordering::Relaxed);
            let save = stop || saved.elapsed() > pause;
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
            if is_due || save {
                failure::check()?;
            }
            if trainer.active() == 0 {
                break;
            }
            if claims.iter().any(|claim| claim.is_lost()) {
                return Ok(None);
            }
            if save && let Some(store) = self.store {
                let begin = Instant::now();
                let snapshot = pollster::block_on(trainer.snapshot())?;
                failure::check()?;
                store.save(phase, group, &snapshot)?;
                saved = Instant::now();
                pause = self.checkpoint_every.max(SAVE_SHARE * begin.elapsed());
            }
            if stop {
                return Err(Interrupted.into());
            }
            trainer.step();
            if shown.elapsed() > PROGRESS_EVERY {
                shown = Instant::now();
                let now = taken(&trainer);
                progress.advance(now - counted);
                counted = now;
                if runs.len() == 1 {
                    progress.at(trainer.position(0));
                }
            }
        }
        progress.advance(lengths - counted);
        failure::check()?;
        // What a process does that has lost its claim is void.
        if !claims.iter().all(|claim| claim.is_held()) {
            return Ok(None);
        }
        let traces = group.iter().copied().zip(trainer.into_traces());
        let Some(store) = self.store else { return Ok(Some(traces.collect())) };
        let traces = traces.map(|(i, trace)| Ok((i, store.finish(phase, i, trace)?))).collect::<Result<_>>()?;
        store.forget(phase, group);
        Ok(Some(traces))
    }
}

/// Of a directory that is complete.
pub fn completed(store: &Store) -> Option<Completed> {
    store.summary().map(|summary| Completed { dir: store.dir().to_owned(), summary })
}

/// Steps of all runs of a stack so far; a run that ended early counts as if it had gone on.
fn taken(trainer: &Trainer) -> u64 {
    trainer.traces().map(|t| t.run.steps.min(trainer.steps_taken())).sum()
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use burn::tensor::Device;
    use l2lab_core::data::{Split, embedded};

    use super::*;

    /// A grid of four short runs, its data and a directory for it.
    fn grid(dir: &Path) -> (Experiment, Split, Store) {
        let settings =
            [("train", "32"), ("test", "16"), ("width", "4"), ("depth", "2"), ("batch", "8"), ("seeds", "2")];
        let lengths = [("lambda", "0.1,0.05"), ("lr", "0.1"), ("steps", "20")];
        let experiment = Experiment::default().with(&settings).unwrap().with(&lengths).unwrap();
        let split = experiment.prepare(&embedded().unwrap()).unwrap();
        let mut store = Store::create(&dir.join("o"), &experiment, "sweep", "", Duration::from_mins(1)).unwrap();
        store.bind(&experiment, &split, false).unwrap();
        (experiment, split, store)
    }

    fn executor<'a>(experiment: &'a Experiment, split: &Split, store: &'a Store, execution: Execution) -> Executor<'a> {
        Executor {
            experiment,
            tasks: Tasks::shared(split, &Device::flex()),
            model: experiment.model(split).unwrap(),
            execution,
            threads: 2,
            store: Some(store),
            only: None,
            checkpoint_every: Duration::from_mins(1),
        }
    }

    #[test]
    fn runs_that_have_ended_are_not_run_again_in_a_stack() {
        let dir = tempfile::tempdir().unwrap();
        let (experiment, split, store) = grid(dir.path());
        let runs = experiment.runs(split.train.len()).unwrap();
        for only in [1, 2] {
            let single = Executor { only: Some(only), ..executor(&experiment, &split, &store, Execution::Single) };
            assert!(single.train("grid", &runs).unwrap_err().is::<OneRun>());
        }
        // A mark that no training makes: whoever runs them again loses it.
        let files = [1, 2].map(|run| dir.path().join(format!("o/state/grid-0000{run}.json")));
        for (run, file) in [1, 2].into_iter().zip(&files) {
            let mut trace = store.finished("grid", run, &runs[run]).unwrap().unwrap();
            trace.points[0].test_loss = 12345.0;
            fs::remove_file(file).unwrap();
            store.finish("grid", run, trace).unwrap();
        }
        let before = files.each_ref().map(|file| fs::read(file).unwrap());
        let traces = executor(&experiment, &split, &store, Execution::Stacked).train("grid", &runs).unwrap();
        assert_eq!(before, files.each_ref().map(|file| fs::read(file).unwrap()));
        let marked: Vec<bool> = traces.iter().map(|t| t.points[0].test_loss == 12345.0).collect();
        assert_eq!(marked, [false, true, true, false]);
        assert!(traces.iter().zip(&runs).all(|(trace, run)| trace.run == *run && trace.end.is_some()));
    }

    #[test]
    fn a_worker_that_has_lost_its_claim_publishes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (experiment, split, store) = grid(dir.path());
        let runs = experiment.runs(split.train.len()).unwrap();
        let executor = executor(&experiment, &split, &store, Execution::Single);
        let progress = Progress::new("grid", 1, 20, 8);
        let queue = VecDeque::new().into();
        let work = Work { phase: "grid", runs: &runs, queue, progress: &progress, stop: false.into() };
        let claims = store.claim("grid", &[0]).unwrap().unwrap();
        let other = r#"{"system":"another","process":1,"number":1,"lease":60}"#;
        fs::write(dir.path().join("o/state/grid-00000.claim-0"), other).unwrap();
        assert!(executor.train_group(&work, &[0], &claims).unwrap().is_none());
        assert!(store.finished("grid", 0, &runs[0]).unwrap().is_none());
        drop(claims);
        assert!(store.claim("grid", &[0]).unwrap().is_none(), "the other's claim stays");
    }

    #[test]
    fn where_one_worker_fails_the_others_stop_and_its_error_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let (experiment, split, store) = grid(dir.path());
        // The first would go on for days.
        let runs =
            [u64::MAX / 4, 20].map(|steps| RunSpec { per_decade: 1 << 40, ..experiment.run(0.1, 0.01, 1, steps) });
        let executor = executor(&experiment, &split, &store, Execution::Single);
        let trainer = Trainer::new(&experiment, Arc::clone(executor.tasks.any()), vec![runs[1].clone()]);
        store.save("grid", &[1], &pollster::block_on(trainer.snapshot()).unwrap()).unwrap();
        let state = dir.path().join("o/state");
        let saved = |part: &str| {
            let names = fs::read_dir(&state).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
            names.filter(|n| n.contains(part) && n.ends_with(".safetensors")).collect::<Vec<_>>()
        };
        let damaged = state.join(&saved("grid-00001")[0]);
        fs::write(&damaged, "nonsense").unwrap();
        let error = executor.train("grid", &runs).unwrap_err();
        assert!(format!("{error:#}").contains("is damaged; remove it"), "{error:#}");
        assert_eq!(saved("grid-00000").len(), 1, "what the other had is kept");
    }
}
