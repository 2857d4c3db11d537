//! Several processes on one directory: no run is done twice, none is lost, whoever is killed.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Output},
    time::{Duration, Instant},
};

use support::{good, l2lab, stderr, wait_until};
use tempfile::TempDir;

mod support;

/// Twelve runs that take a few seconds on one thread.
const GRID: &[&str] = &[
    "sweep",
    "--lambda",
    "0.1,0.05",
    "--lr",
    "0.02",
    "--seeds",
    "6",
    "--momentum",
    "0.5",
    "--threads",
    "1",
    "--train",
    "64",
    "--test",
    "50",
    "--width",
    "64",
    "--depth",
    "2",
    "--batch",
    "16",
    "--measurements",
    "20",
];

fn begin(dir: &Path) -> Child {
    let child = l2lab(dir, &[GRID, &["--out", "o"]].concat()).spawn().unwrap();
    wait_until("the sweep begins", || dir.join("o/experiment.toml").exists());
    child
}

fn join(dir: &Path) -> Child {
    l2lab(dir, &["sweep", "--out", "o", "--resume", "--threads", "1"]).spawn().unwrap()
}

/// Files of the state whose names contain `part`.
fn state(dir: &Path, part: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(dir.join("o/state")) else { return Vec::new() };
    entries.flatten().filter_map(|e| e.file_name().into_string().ok()).filter(|n| n.contains(part)).collect()
}

fn same(dir: &Path) {
    for file in ["traces.csv", "summary.json", "report.html"] {
        let [a, b] = ["whole", "o"].map(|d| fs::read(dir.join(d).join(file)).unwrap());
        assert!(a == b, "{file}");
    }
    assert!(!dir.join("o/state").exists());
}

/// Steps that a process took of the grid itself, by its last word on it.
fn taken(output: &Output) -> Option<u64> {
    let text = stderr(output);
    let line = text.lines().find(|l| l.starts_with("grid: ") && l.contains(" steps in "))?;
    line.split(' ').nth(3)?.parse().ok()
}

#[test]
fn processes_share_the_runs_of_a_directory() {
    let dir = TempDir::new().unwrap();
    let whole = l2lab(dir.path(), &[GRID, &["--out", "whole"]].concat()).output().unwrap();
    let all = taken(&whole).unwrap();
    let first = begin(dir.path());
    let others = [join(dir.path()), join(dir.path())];
    let outputs: Vec<Output> = [first].into_iter().chain(others).map(|c| c.wait_with_output().unwrap()).collect();
    for output in &outputs {
        assert!(output.status.success(), "{}", stderr(output));
    }
    same(dir.path());
    // Who was still waiting when another completed the directory has no last word.
    let steps: Vec<u64> = outputs.iter().filter_map(taken).collect();
    assert!(!steps.is_empty() && steps.iter().sum::<u64>() <= all, "{steps:?} of {all}");
    assert!(steps.iter().all(|&s| s < all), "nobody did it alone: {steps:?} of {all}");
}

#[cfg(unix)]
#[test]
fn whoever_is_killed_the_others_do_its_runs() {
    let dir = TempDir::new().unwrap();
    good(dir.path(), &[GRID, &["--out", "whole"]].concat());
    let mut first = begin(dir.path());
    wait_until("its first run begins", || !state(dir.path(), ".claim-").is_empty());
    let [mut second, third] = [join(dir.path()), join(dir.path())];
    wait_until("three are at work", || state(dir.path(), ".claim-").len() == 3);
    first.kill().unwrap();
    first.wait().unwrap();
    std::thread::sleep(Duration::from_millis(200));
    second.kill().unwrap();
    second.wait().unwrap();
    assert!(!dir.path().join("o/summary.json").exists(), "in time");
    let third = third.wait_with_output().unwrap();
    assert!(third.status.success(), "{}", stderr(&third));
    same(dir.path());
}

#[cfg(unix)]
#[test]
fn a_run_of_a_silent_machine_is_taken_over_after_its_lease() {
    let dir = TempDir::new().unwrap();
    good(dir.path(), &[GRID, &["--out", "whole"]].concat());
    let mut first = begin(dir.path());
    wait_until("its first run begins", || !state(dir.path(), ".claim-").is_empty());
    first.kill().unwrap();
    first.wait().unwrap();
    // As if it had been another machine's, whose locks are not seen from here.
    let claims = state(dir.path(), ".claim-");
    for claim in &claims {
        let text = r#"{"system":"another","process":1,"number":1,"lease":2}"#;
        fs::write(dir.path().join("o/state").join(claim), text).unwrap();
    }
    let begin = Instant::now();
    let output = join(dir.path()).wait_with_output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(begin.elapsed() > Duration::from_secs(2), "the lease was respected");
    same(dir.path());
}

#[test]
fn one_run_can_be_done_alone() {
    let dir = TempDir::new().unwrap();
    good(dir.path(), &[GRID, &["--out", "whole"]].concat());
    let mut first = begin(dir.path());
    first.kill().unwrap();
    first.wait().unwrap();
    let only = |run: &str| ["sweep", "--out", "o", "--resume", "--only", run].map(str::to_owned);
    for run in ["3", "11", "3"] {
        let text = good(dir.path(), &only(run).each_ref().map(String::as_str));
        assert_eq!(text, format!("run {run} of 12 is done\n"));
    }
    assert!(state(dir.path(), "grid-00003.json").len() == 1 && state(dir.path(), "grid-00011.json").len() == 1);
    let output = l2lab(dir.path(), &only("12").each_ref().map(String::as_str)).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("only: '12'") && stderr(&output).contains("0 to 11"), "{}", stderr(&output));
    good(dir.path(), &["sweep", "--out", "o", "--resume"]);
    same(dir.path());
    let output = l2lab(dir.path(), &["sweep", "--only", "1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "--only is for a directory that is there");
}

#[cfg(unix)]
#[test]
fn jobs_run_in_directories_of_any_name() {
    let dir = TempDir::new().unwrap();
    let name = "it's \"here\"; too";
    good(dir.path(), &["reproduce", "fig3", "--preset", "smoke", "--out", name, "--emit", "shell"]);
    let list = fs::read_to_string(dir.path().join(name).join("jobs.txt")).unwrap();
    assert!(list.lines().count() == 13 && list.contains(" --only 11\n"), "both networks' runs: {list}");
    let script = dir.path().join(name).join("jobs.sh");
    let output = Command::new("sh").arg(script).env("JOBS", "2").current_dir("/").output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(support::stdout(&output).contains("run 11 of 12 is done"), "{}", support::stdout(&output));
    assert!(dir.path().join(name).join("summary.json").is_file());
}

#[test]
fn of_two_processes_that_make_a_directory_at_once_one_does() {
    let dir = TempDir::new().unwrap();
    let both = [0, 1].map(|_| l2lab(dir.path(), &[GRID, &["--out", "o"]].concat()).spawn().unwrap());
    let outputs = both.map(|c| c.wait_with_output().unwrap());
    let refused: Vec<String> = outputs.iter().filter(|o| !o.status.success()).map(stderr).collect();
    assert!(refused.len() == 1 && refused[0].contains("exists already: continue it with --resume"), "{refused:?}");
}

#[test]
fn processes_that_reproduce_everything_at_once_all_succeed() {
    let dir = TempDir::new().unwrap();
    let all = |more: &[&str]| {
        let args = [&["reproduce", "all", "--preset", "smoke", "--out", "all", "--threads", "1"], more].concat();
        l2lab(dir.path(), &args).spawn().unwrap()
    };
    let first = all(&[]);
    wait_until("the directory is begun", || dir.path().join("all/flags").exists());
    let processes = [first, all(&["--resume"]), all(&["--resume"])];
    for process in processes {
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
    }
    assert!(dir.path().join("all/report.html").is_file());
}
