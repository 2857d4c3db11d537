//! The program as the tests of the command line run it.

#![allow(dead_code, reason = "each test file uses its part")]

use std::{
    fs,
    io::Read,
    path::Path,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

/// The program in `dir`, with no input and with its output caught.
pub fn l2lab(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_l2lab"));
    command.current_dir(dir).args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub fn run(dir: &Path, args: &[&str]) -> Output {
    l2lab(dir, args).output().unwrap()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The output of a command that must succeed.
pub fn good(dir: &Path, args: &[&str]) -> String {
    let output = run(dir, args);
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    stdout(&output)
}

/// The message of a command that must fail with `code`, without a panic and without output.
pub fn bad(dir: &Path, args: &[&str], code: i32) -> String {
    let output = run(dir, args);
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {message}");
    assert!(!message.contains("panicked") && output.stdout.is_empty(), "{args:?}: {message}");
    message
}

/// What `--json` printed.
pub fn json(text: &str) -> Value {
    assert_eq!(text.trim().lines().count(), 1, "one JSON object and nothing else: {text}");
    serde_json::from_str(text).unwrap()
}

/// `summary.json` of the output directory `out`.
pub fn summary(dir: &Path, out: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(dir.join(out).join("summary.json")).unwrap()).unwrap()
}

/// `traces.csv.gz` of the output directory `out`.
pub fn unpacked(dir: &Path, out: &str) -> String {
    let packed = fs::File::open(dir.join(out).join("traces.csv.gz")).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    text
}

pub fn wait_until(what: &str, mut reached: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !reached() {
        assert!(begin.elapsed() < Duration::from_mins(1), "{what}: not within a minute");
        std::thread::sleep(Duration::from_millis(5));
    }
}
