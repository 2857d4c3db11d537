//! How far a grid is: a bar on a terminal, a line now and then elsewhere. Always on standard error.

use std::{
    collections::VecDeque,
    io::IsTerminal,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

use crate::memory;

/// How long a caller may wait before it calls [`Progress::line`] again.
pub const LINE_EVERY: Duration = Duration::from_secs(10);
/// Lines over which the rate is told: what was slow an hour ago says nothing of the rest.
const WINDOW: usize = 6;

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
    /// Steps that had been taken at the last lines, and when.
    recent: Mutex<VecDeque<(Instant, u64)>>,
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
            let style = "{msg} {wide_bar:.cyan/dim} {percent:>3} %  {per_sec}{prefix}  ETA {eta}";
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
            recent: Mutex::new([(begin, 0)].into()),
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

    /// Steps that this process took.
    fn taken(&self) -> u64 {
        // What is resumed is counted twice, and not at once.
        self.done.load(Ordering::Relaxed).saturating_sub(self.resumed.load(Ordering::Relaxed))
    }

    /// Steps a second of late.
    fn rate(&self) -> f64 {
        let (now, taken) = (Instant::now(), self.taken());
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, before) = recent.front().copied().unwrap_or((self.begin, 0));
        recent.push_back((now, taken));
        if recent.len() > WINDOW {
            recent.pop_front();
        }
        taken.saturating_sub(before) as f64 / (now - since).as_secs_f64().max(1e-9)
    }

    /// A line for logs, or the same on the bar.
    pub fn line(&self, runs_done: usize) {
        let done = self.done.load(Ordering::Relaxed);
        let rate = self.rate();
        // Without a step nothing is known of the rest.
        let eta = match self.total.saturating_sub(done) as f64 / rate {
            left if left.is_finite() => duration(left),
            _ => "unknown".into(),
        };
        let digits = if rate < 10.0 { 2 } else { 0 };
        let images =
            if self.batch == 0 { String::new() } else { format!(", {:.0} images/s", rate * self.batch as f64) };
        let memory = memory::used().map_or_else(String::new, |m| format!(", {:.1} GiB", memory::gib(m)));
        if let Some(bar) = &self.bar {
            bar.set_prefix(images + &memory);
            return;
        }
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
        let taken = self.taken();
        let seconds = self.begin.elapsed().as_secs_f64();
        let runs = if self.runs == 0 { String::new() } else { format!("{} runs, ", self.runs) };
        eprintln!("{}: {runs}{taken} {} in {seconds:.1} s", self.what, self.unit);
    }
}

/// A time that is left, as people say it.
fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 100.0 => format!("{s:.0} s"),
        s if s < 6000.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_units_of_their_size() {
        assert_eq!([9.4, 99.0, 600.0, 86_400.0].map(duration), ["9 s", "99 s", "10 min", "24.0 h"]);
    }

    #[test]
    fn the_rate_is_that_of_late_and_never_below_nothing() {
        let progress = Progress::of_work("work", "steps", 1000);
        progress.resume(100);
        progress.advance(50);
        assert_eq!(progress.taken(), 50);
        // All that was taken was taken before the window.
        let now = Instant::now();
        *progress.recent.lock().unwrap() = (0..WINDOW).map(|_| (now, 50)).collect();
        assert_eq!(progress.rate(), 0.0);
        progress.resumed.fetch_add(100, Ordering::Relaxed);
        assert_eq!(progress.taken(), 0, "one of the two counts is ahead");
    }
}
