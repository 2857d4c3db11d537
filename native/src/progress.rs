//! How far a grid is: a bar on a terminal, a line now and then elsewhere. Always on standard error.

use std::{
    io::IsTerminal,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use sysinfo::{Process, ProcessRefreshKind, ProcessesToUpdate, System};

/// How long a caller may wait before it calls [`Progress::line`] again.
pub const LINE_EVERY: Duration = Duration::from_secs(10);

/// Counts steps of all runs; shared by the workers.
pub struct Progress {
    what: String,
    unit: &'static str,
    total: u64,
    runs: usize,
    /// Images of a step; 0 where there are none.
    batch: usize,
    done: AtomicU64,
    resumed: AtomicU64,
    begin: Instant,
    /// When [`Self::tell`] last told.
    told: Mutex<Instant>,
    /// Whether it was said that other processes are waited for.
    waiting: AtomicBool,
    /// Epochs and τ of the only run.
    position: Mutex<Option<(f64, f64)>>,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Of `runs` runs with `total` steps altogether, each of `batch` images.
    pub fn new(what: &str, runs: usize, total: u64, batch: usize) -> Self {
        let progress = Self { runs, batch, ..Self::of_work(what, "steps", total) };
        progress.runs_done(0);
        progress
    }

    /// Of work that is no runs: `total` of `unit`.
    pub fn of_work(what: &str, unit: &'static str, total: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = "{msg} {wide_bar:.cyan/dim} {percent:>3} %  {per_sec}  ETA {eta}";
            let style = ProgressStyle::with_template(style).expect("the template is valid");
            ProgressBar::new(total).with_style(style).with_message(what.to_owned())
        });
        let (what, begin) = (what.to_owned(), Instant::now());
        Self {
            what,
            unit,
            total,
            runs: 0,
            batch: 0,
            done: 0.into(),
            resumed: 0.into(),
            begin,
            told: begin.into(),
            waiting: false.into(),
            position: Mutex::new(None),
            bar,
        }
    }

    /// Steps that an earlier session took: they count as done, but not towards the rate.
    pub fn resume(&self, steps: u64) {
        self.resumed.fetch_add(steps, Ordering::Relaxed);
        self.done.fetch_add(steps, Ordering::Relaxed);
        if let Some(bar) = &self.bar {
            bar.inc(steps);
            bar.reset_eta();
        }
    }

    /// Steps just taken (or saved, when a run ends early).
    pub fn advance(&self, steps: u64) {
        self.done.fetch_add(steps, Ordering::Relaxed);
        if let Some(bar) = &self.bar {
            bar.inc(steps);
        }
    }

    /// Tells how many runs have ended.
    pub fn runs_done(&self, done: usize) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{}: {done}/{} runs", self.what, self.runs));
        }
    }

    /// Tells how far the only run is: epochs and τ.
    pub fn at(&self, position: (f64, f64)) {
        *self.position.lock().unwrap_or_else(PoisonError::into_inner) = Some(position);
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{}:{}", self.what, self.place()));
        }
    }

    /// ` epoch 1.5, τ 0.12,` of the only run, where there is one.
    fn place(&self) -> String {
        let position = *self.position.lock().unwrap_or_else(PoisonError::into_inner);
        position.map_or_else(String::new, |(epoch, tau)| format!(" epoch {epoch:.1}, τ {tau:.3},"))
    }

    /// Tells, once, that what is left is at work elsewhere.
    pub fn waits(&self) {
        if self.waiting.swap(true, Ordering::Relaxed) {
            return;
        }
        let text = format!("{}: the runs that are left are at work in other processes; waiting for them", self.what);
        match &self.bar {
            Some(bar) => bar.println(text),
            None => eprintln!("{text}"),
        }
    }

    /// A line for logs, unless there is a bar.
    pub fn line(&self, runs_done: usize) {
        if self.bar.is_some() {
            return;
        }
        let done = self.done.load(Ordering::Relaxed);
        let taken = done - self.resumed.load(Ordering::Relaxed);
        let seconds = self.begin.elapsed().as_secs_f64();
        let rate = taken as f64 / seconds.max(1e-9);
        let left = self.total.saturating_sub(done) as f64 / rate.max(1e-9);
        // Before the first step nothing is known of the rest.
        let eta = if taken == 0 { "unknown".into() } else { format!("{left:.0} s") };
        let digits = if rate < 10.0 { 2 } else { 0 };
        let images =
            if self.batch == 0 { String::new() } else { format!(", {:.0} images/s", rate * self.batch as f64) };
        let memory = memory().map_or_else(String::new, |m| format!(", {:.1} GiB", m as f64 / f64::from(1 << 30)));
        eprintln!(
            "{}:{} {}{:.0} % of {} {unit}, {rate:.digits$} {unit}/s{images}{memory}, ETA {eta}",
            self.what,
            self.place(),
            self.runs_of(runs_done),
            100.0 * done as f64 / self.total.max(1) as f64,
            self.total,
            unit = self.unit
        );
    }

    /// [`Self::advance`], and a line if the last was long ago.
    pub fn tell(&self, steps: u64) {
        self.advance(steps);
        if let Ok(mut told) = self.told.try_lock()
            && told.elapsed() > LINE_EVERY
        {
            self.line(0);
            *told = Instant::now();
        }
    }

    /// `3/40 runs, `, or nothing where there are none.
    fn runs_of(&self, done: usize) -> String {
        if self.runs == 0 { String::new() } else { format!("{done}/{} runs, ", self.runs) }
    }

    /// Ends the bar and tells the whole rate.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let taken = self.done.load(Ordering::Relaxed) - self.resumed.load(Ordering::Relaxed);
        let seconds = self.begin.elapsed().as_secs_f64();
        let runs = if self.runs == 0 { String::new() } else { format!("{} runs, ", self.runs) };
        eprintln!("{}: {runs}{taken} {} in {seconds:.1} s", self.what, self.unit);
    }
}

/// Bytes of the machine's memory that this process has; a GPU's own are not among them.
fn memory() -> Option<u64> {
    let id = sysinfo::get_current_pid().ok()?;
    let mut system = System::new();
    let what = ProcessRefreshKind::nothing().with_memory();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[id]), true, what);
    system.process(id).map(Process::memory)
}
