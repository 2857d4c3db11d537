//! `l2lab predict --log`: logs of every format, what is read off them, and logs that say nothing.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use support::{bad, good, json, run, stderr, stdout, summary};
use tempfile::TempDir;

mod support;

fn predict(dir: &Path, args: &[&str]) -> Value {
    json(&good(dir, &[&["predict", "--json"], args].concat()))
}

/// The message of a prediction that must be refused.
fn refused(dir: &Path, args: &[&str], code: i32) -> String {
    let message = bad(dir, &[&["predict"], args].concat(), code);
    if code == 1 {
        assert_eq!(message.trim().lines().count(), 1, "one sentence: {message}");
    }
    message
}

fn number(answer: &Value, key: &str) -> f64 {
    answer[key].as_f64().unwrap_or_else(|| panic!("{key} in {answer}"))
}

fn close(a: f64, b: f64) {
    assert!((a - b).abs() <= 1e-9 * b.abs(), "{a}, not {b}");
}

fn assumes(answer: &Value, part: &str) -> bool {
    answer["assumptions"].as_array().unwrap().iter().any(|a| a.as_str().unwrap().contains(part))
}

/// The time nearest to a moment by their ratio.
fn nearest(times: impl Iterator<Item = f64>, moment: f64) -> f64 {
    times.min_by(|a, b| (a / moment).ln().abs().total_cmp(&(b / moment).ln().abs())).unwrap()
}

/// A run whose accuracy, 0.1 + 0.6·x·e^{1−x} with x = step/peak, is 0.7 at the peak; its loss is least there.
struct Bump {
    peak: f64,
    steps: u64,
    every: usize,
}

const BUMP: Bump = Bump { peak: 1000.0, steps: 4000, every: 20 };

impl Bump {
    fn accuracy(&self, step: u64) -> f64 {
        let x = step as f64 / self.peak;
        0.1 + 0.6 * x * (1.0 - x).exp()
    }

    fn loss(&self, step: u64) -> f64 {
        3.0 - 2.0 * self.accuracy(step)
    }

    fn times(&self) -> impl Iterator<Item = u64> {
        (0..=self.steps).step_by(self.every)
    }

    /// By the arrival: the measurement nearest to the moment at which accuracy comes within 0.005 of the largest. Unlike that of
    /// the largest itself it tells a percentage from a fraction.
    fn arrival(&self) -> f64 {
        let moment = (1..=self.steps).find(|&s| self.accuracy(s) >= 0.7 - 0.005).unwrap();
        nearest(self.times().map(|s| s as f64), moment as f64)
    }

    /// One line a measurement, under a header.
    fn text(&self, header: &str, line: impl Fn(u64, f64, f64) -> String) -> String {
        let lines = self.times().map(|s| line(s, self.accuracy(s), self.loss(s)) + "\n");
        format!("{header}\n{}", lines.collect::<String>())
    }

    fn csv(&self) -> String {
        self.text("step,test_accuracy,test_loss", |s, a, l| format!("{s},{a},{l}"))
    }
}

/// CRC-32C bit by bit.
fn crc32c(data: &[u8]) -> u32 {
    !data.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { (c >> 1) ^ 0x82f6_3b78 } else { c >> 1 })
    })
}

fn masked(data: &[u8]) -> [u8; 4] {
    crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

/// A field of protobuf with a length.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2][..], &varint(content.len() as u64), content].concat()
}

fn record(event: &[u8]) -> Vec<u8> {
    let length = (event.len() as u64).to_le_bytes();
    [&length[..], &masked(&length), event, &masked(event)].concat()
}

/// How a scalar is written.
#[derive(Clone, Copy)]
enum Scalar {
    Simple,
    FloatVal,
    FloatContent,
    DoubleContent,
}

fn scalar_event(step: u64, tag: &str, value: f64, how: Scalar) -> Vec<u8> {
    let single = (value as f32).to_le_bytes();
    let value = match how {
        Scalar::Simple => [&[2 << 3 | 5][..], &single].concat(),
        // dtype, an empty shape, and the value packed or as bytes.
        Scalar::FloatVal => field(8, &[&[1 << 3, 1, 2 << 3 | 2, 0][..], &field(5, &single)].concat()),
        Scalar::FloatContent => field(8, &[&[1 << 3, 1, 2 << 3 | 2, 0][..], &field(4, &single)].concat()),
        Scalar::DoubleContent => field(8, &[&[1 << 3, 2, 2 << 3 | 2, 0][..], &field(4, &value.to_le_bytes())].concat()),
    };
    let summary = field(1, &[field(1, tag.as_bytes()), value].concat());
    // wall_time, step, summary.
    record(&[&[1 << 3 | 1][..], &1.5e9_f64.to_le_bytes(), &[2 << 3], &varint(step), &field(5, &summary)].concat())
}

fn version_event() -> Vec<u8> {
    record(&[&[1 << 3 | 1][..], &1.5e9_f64.to_le_bytes(), &field(3, b"brain.Event:2")].concat())
}

fn event_file(how: Scalar) -> Vec<u8> {
    let mut bytes = version_event();
    for s in BUMP.times() {
        bytes.extend(scalar_event(s, "loss/train", 1.0, how));
        bytes.extend(scalar_event(s, "accuracy/test", BUMP.accuracy(s), how));
    }
    // A histogram in TensorFlow 2 is a tensor of several values.
    let tensor = field(8, &[&[1 << 3, 2][..], &field(4, &[0; 48])].concat());
    let event = field(5, &field(1, &[field(1, b"accuracy/test"), tensor].concat()));
    bytes.extend(record(&event));
    bytes
}

const RUN: [&str; 8] = ["--lambda", "0.01", "--lr", "0.1", "--momentum", "0.9", "--budget", "200ep"];
const EPOCH: [&str; 4] = ["--batch", "128", "--examples", "50000"];

#[test]
fn every_format_says_the_same() {
    let dir = TempDir::new().unwrap();
    let comma = |x: f64| x.to_string().replace('.', ",");
    let json_lines = |line: &dyn Fn(u64, f64) -> Value| -> String {
        BUMP.times().map(|s| line(s, BUMP.accuracy(s)).to_string() + "\n").collect()
    };
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("comma.csv", BUMP.csv().into_bytes()),
        ("bom.csv", format!("\u{feff}{}", BUMP.csv()).into_bytes()),
        ("crlf.csv", BUMP.csv().replace('\n', "\r\n").into_bytes()),
        (
            "semicolon.csv",
            BUMP.text("iteration;val_acc", |s, a, _| format!("{s}; {}", comma(a))).into_bytes(),
        ),
        ("tab.tsv", BUMP.text("global_step\tTest Accuracy", |s, a, _| format!("{s}\t{a}")).into_bytes()),
        ("percent.csv", BUMP.text("iter,\"top-1, in %\",\"x\"", |s, a, _| format!("{s},{}%,1", 100.0 * a)).into_bytes()),
        ("error.csv", BUMP.text("step,test_err1", |s, a, _| format!("{s},{}", 100.0 - 100.0 * a)).into_bytes()),
        ("flat.jsonl", json_lines(&|s, a| serde_json::json!({"step": s, "eval_accuracy": a, "note": "x"})).into_bytes()),
        // As Weights & Biases and Lightning write them: training's rows between, nested keys, its own step.
        (
            "nested.json",
            json_lines(&|s, a| {
                serde_json::json!({"_step": 7 * s, "trainer": {"global_step": s}, "train": {"loss": 0.1, "acc": 1}, "val": {"acc": a}})
            })
            .into_bytes(),
        ),
        ("v1.tfevents", event_file(Scalar::Simple)),
        ("events.out.tfevents.1.host", event_file(Scalar::FloatVal)),
        ("content.log", event_file(Scalar::FloatContent)),
        ("double.tfevents", event_file(Scalar::DoubleContent)),
    ];
    let t_star = BUMP.arrival();
    for (name, bytes) in &files {
        fs::write(dir.path().join(name), bytes).unwrap();
        let args = [&["--log", name, "--estimator", "arrival"][..], &RUN, &EPOCH].concat();
        let answer = predict(dir.path(), &args);
        assert_eq!(number(&answer, "t_star"), t_star, "{name}");
        // η/(1−β) = 1; an epoch is ⌈50000/128⌉ = 391 steps.
        close(number(&answer, "c_prime"), 0.01 * t_star);
        close(number(&answer, "lambda_pred"), 0.01 * t_star / 78_200.0);
        assert_eq!(number(&answer, "budget_steps"), 78_200.0);
        assert!(answer["lambda_pred_ci"].is_null() && assumes(&answer, "no interval"), "{name}");
        assert_eq!(assumes(&answer, "percentages"), ["percent.csv", "error.csv"].contains(name), "{name}: {answer}");
        assert_eq!(assumes(&answer, "1 minus"), *name == "error.csv", "{name}");
    }
    // A directory of event files, of a run that was continued.
    let events = dir.path().join("run");
    fs::create_dir(&events).unwrap();
    let split: (Vec<u64>, Vec<u64>) = BUMP.times().partition(|&s| s < 1500);
    for (name, times) in [("events.out.tfevents.1", split.0), ("events.out.tfevents.2", split.1)] {
        let scalars = times.iter().flat_map(|&s| scalar_event(s, "acc/val", BUMP.accuracy(s), Scalar::Simple));
        fs::write(events.join(name), [version_event(), scalars.collect()].concat()).unwrap();
    }
    fs::write(events.join("notes.txt"), "x").unwrap();
    let answer = predict(dir.path(), &[&["--log", "run", "--estimator", "arrival"][..], &RUN, &EPOCH].concat());
    assert_eq!(number(&answer, "t_star"), t_star);
}

#[test]
fn text_is_aligned_and_lists_what_was_assumed() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("log.csv"), BUMP.csv()).unwrap();
    let args = [&["predict", "--log", "log.csv", "--estimator", "loss"][..], &RUN, &EPOCH].concat();
    let output = run(dir.path(), &args);
    let out = stdout(&output);
    assert!(output.status.success() && output.stderr.is_empty(), "{}", stderr(&output));
    let lines: Vec<&str> = out.lines().collect();
    // The loss is least at step 1000, τ = 10; over 78200 steps that is λ = 1.279e-4.
    assert_eq!(lines[0], "t_*             1000 steps (2.5575 epochs) at λ = 0.01, η = 0.1, β = 0.9");
    assert_eq!(lines[1], "c′ = τ_*      10.000");
    assert_eq!(lines[2], "λ_pred      1.279e-4 for a budget of 78200 steps (200 epochs)");
    assert!(out.contains("\nassumed:\n- ") && out.contains("- test loss is column 'test_loss'"), "{out}");
}

#[test]
fn a_power_law_is_predicted_from_any_of_its_runs() {
    let dir = TempDir::new().unwrap();
    // t_* = 0.8/(ηλ) at η = 0.05.
    for (name, lambda) in [("a.csv", 0.1), ("b.csv", 0.02), ("c.csv", 0.004)] {
        let peak = 0.8 / (0.05 * lambda);
        let bump = Bump { peak, steps: (4.0 * peak).round() as u64, every: (peak / 40.0).round() as usize };
        fs::write(dir.path().join(name), bump.csv()).unwrap();
        // The law's own λ is 0.8/(0.05·100000) at the peak; accuracy is within 0.005 of the largest at 0.876 of its time.
        for (estimator, law) in [("peak", 1.6e-4), ("loss", 1.6e-4), ("arrival", 0.876 * 1.6e-4)] {
            let lambda = lambda.to_string();
            let flags =
                ["--log", name, "--lambda", &lambda, "--lr", "0.05", "--budget", "100000", "--estimator", estimator];
            let answer = predict(dir.path(), &flags);
            // Curves have a place for every 5 % of time, and these logs a measurement for every 2.5 % at the peak.
            let ratio = number(&answer, "lambda_pred") / law;
            assert!((ratio - 1.0).abs() < 0.04, "{name} {estimator}: {ratio}");
        }
    }
}

#[test]
fn conventions_change_the_clock_and_not_the_ratio() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("log.csv"), BUMP.csv()).unwrap();
    let base = ["--log", "log.csv", "--estimator", "loss", "--lambda", "0.01", "--lr", "0.1", "--budget", "50000"];
    // t_* is 1000 steps, so λ_pred is a fiftieth of λ in every convention; τ_* is 100·λ·(…).
    for (more, c_prime, sgd) in [
        (&["--momentum", "0.9"][..], 10.0, Some((0.1, 2e-4))),
        (&["--momentum", "0.9", "--dampening", "0.9"], 1.0, Some((0.01, 2e-4))),
        (&["--convention", "timm", "--momentum", "0.9"], 10.0, Some((0.1, 2e-4))),
        (&["--convention", "optax", "--momentum", "0.5"], 2.0, Some((0.1, 2e-4))),
        (&["--convention", "keras", "--momentum", "0.9"], 20.0, Some((0.1, 4e-4))),
        (&["--convention", "adamw"], 1.0, None),
        (&["--convention", "adamw", "--momentum", "0.9"], 1.0, None),
        (&["--convention", "autol2-code", "--momentum", "0.9", "--classes", "10"], 20.0, Some((0.01, 4e-3))),
        (&["--convention", "autol2-code", "--momentum", "0.9"], 20.0, None),
    ] {
        let answer = predict(dir.path(), &[&base[..], more].concat());
        close(number(&answer, "lambda_pred"), 2e-4);
        close(number(&answer, "c_prime"), c_prime);
        match sgd {
            Some((lr, weight_decay)) => {
                close(number(&answer["pytorch_sgd"], "lr"), lr);
                close(number(&answer["pytorch_sgd"], "weight_decay"), weight_decay);
            }
            None => assert!(answer["pytorch_sgd"].is_null(), "{answer}"),
        }
        assert_eq!(assumes(&answer, "momentum is 0"), more.is_empty(), "{more:?}");
        assert_eq!(assumes(&answer, "does not enter"), more.contains(&"adamw") && more.len() > 2, "{more:?}");
    }
    assert!(assumes(&predict(dir.path(), &[&base[..], &["--convention", "timm"]].concat()), "biases and norms"));
}

#[test]
fn epochs_are_enough_for_a_ratio() {
    let dir = TempDir::new().unwrap();
    // Best after epoch 8.
    let log = |from: u64, step: &str| {
        let bump = Bump { peak: 8.0, steps: 40, every: 1 };
        let rows = bump.times().skip(1).map(|e| format!("{}{step},{}\n", e - 1 + from, bump.loss(e)));
        format!("epoch,val_loss\n{}", rows.collect::<String>())
    };
    let write = |text: &str| fs::write(dir.path().join("log.csv"), text).unwrap();
    let base = ["--log", "log.csv", "--lambda", "0.01", "--lr", "0.1", "--momentum", "0.9", "--budget"];
    write(&log(1, ""));
    let answer = predict(dir.path(), &[&base[..], &["200ep"]].concat());
    close(number(&answer, "lambda_pred"), 0.01 * 8.0 / 200.0);
    assert_eq!((number(&answer, "t_star_epochs"), number(&answer, "budget_epochs")), (8.0, 200.0));
    for key in ["t_star", "c_prime", "budget_steps"] {
        assert!(answer[key].is_null(), "{key}");
    }
    assert!(assumes(&answer, "c′ is not known") && assumes(&answer, "loss estimator"), "{answer}");
    let text = good(dir.path(), &[&["predict"], &base[..], &["200ep"]].concat());
    assert!(text.contains("t_*                8 epochs at") && text.contains("c′ = τ_*           —"), "{text}");
    for (budget, part) in [("5000", "in steps"), ("2tau", "in τ")] {
        let message = refused(dir.path(), &[&base[..], &[budget]].concat(), 2);
        assert!(message.contains(part) && message.contains("--batch and --examples"), "{message}");
    }
    // 1000 examples are 8 steps of 128, the last one smaller.
    let steps = ["--batch", "128", "--examples", "1000"];
    for budget in ["200ep", "1600"] {
        let answer = predict(dir.path(), &[&base[..], &[budget], &steps].concat());
        close(number(&answer, "lambda_pred"), 0.01 * 8.0 / 200.0);
        assert_eq!(number(&answer, "t_star"), 64.0);
        close(number(&answer, "c_prime"), 0.64);
    }
    // τ = 2 at λ = 0.01 is 200 steps, and λ_pred is c′ over 200 of η_eff = 1.
    let answer = predict(dir.path(), &[&base[..], &["2tau"], &steps].concat());
    close(number(&answer, "budget_steps"), 200.0);
    close(number(&answer, "lambda_pred"), 0.64 / 200.0);
    // The full batch: a step is an epoch.
    let answer = predict(dir.path(), &[&base[..], &["200ep", "--batch", "0"]].concat());
    assert_eq!((number(&answer, "t_star"), number(&answer, "budget_steps")), (8.0, 200.0));

    // Epochs that count from 0 are measured at their end, unless the user says otherwise.
    write(&log(0, ""));
    assert_eq!(number(&predict(dir.path(), &[&base[..], &["200ep"]].concat()), "t_star_epochs"), 8.0);
    let initial = predict(dir.path(), &[&base[..], &["200ep", "--epoch-zero", "initial"]].concat());
    assert_eq!(number(&initial, "t_star_epochs"), 7.0);
    // Fractions of epochs are what they are.
    write(&log(0, ".5"));
    assert_eq!(number(&predict(dir.path(), &[&base[..], &["200ep"]].concat()), "t_star_epochs"), 7.5);
}

#[test]
fn a_log_that_counts_both_converts_by_itself() {
    let dir = TempDir::new().unwrap();
    // Epochs of 100 steps, five measurements each.
    let text = BUMP.text("step,epoch,test_loss", |s, _, l| format!("{s},{},{l}", s / 100));
    fs::write(dir.path().join("log.csv"), text).unwrap();
    let base = ["--log", "log.csv", "--lambda", "0.01", "--lr", "0.1", "--budget"];
    let answer = predict(dir.path(), &[&base[..], &["200ep"]].concat());
    assert_eq!((number(&answer, "steps_per_epoch"), number(&answer, "budget_steps")), (100.0, 20_000.0));
    assert!(assumes(&answer, "an epoch is 100 steps, as the log counts both"), "{answer}");
    // Flags go over it; --epoch-column makes epochs the clock: the last measurement of each counts.
    let answer = predict(dir.path(), &[&base[..], &["200ep"], &EPOCH].concat());
    assert_eq!(number(&answer, "budget_steps"), 78_200.0);
    let answer = predict(dir.path(), &[&base[..], &["200ep", "--epoch-column", "epoch"]].concat());
    assert!(answer["t_star"].is_null() && assumes(&answer, "same time"), "{answer}");
    assert_eq!(number(&answer, "t_star_epochs"), 10.0);
    // Event files whose step is the epoch.
    let scalars =
        (0..40).flat_map(|e| scalar_event(e, "top1/val", Bump { peak: 9.0, ..BUMP }.accuracy(e), Scalar::Simple));
    fs::write(dir.path().join("x.tfevents"), scalars.collect::<Vec<u8>>()).unwrap();
    let base = ["--log", "x.tfevents", "--lambda", "0.01", "--lr", "0.1", "--budget", "200ep"];
    let initial = ["--epoch-column", "step", "--epoch-zero", "initial"];
    let answer = predict(dir.path(), &[&base[..], &initial].concat());
    assert_eq!(number(&answer, "t_star_epochs"), 9.0);
    assert!(refused(dir.path(), &base, 2).contains("the log counts steps"));
    let message = refused(dir.path(), &[&base[..], &["--step-column", "top1/val"]].concat(), 2);
    assert!(message.contains("their own 'step'"), "{message}");
}

#[test]
fn a_schedule_of_the_learning_rate_is_summed() {
    let dir = TempDir::new().unwrap();
    // η is 0.4 until step 500, then 0.1; the loss is least at step 1000, so Σ η is 200 + 50 there, and 550 at the end.
    let log = |lr: &dyn Fn(u64) -> String| BUMP.text("step,lr,test_loss", |s, _, l| format!("{s},{},{l}", lr(s)));
    let write = |text: String| fs::write(dir.path().join("log.csv"), text).unwrap();
    write(log(&|s| if s < 500 { "0.4".into() } else { "0.1".into() }));
    let base = ["--log", "log.csv", "--lambda", "0.01", "--momentum", "0.5", "--budget", "8000"];
    for more in [&[][..], &["--lr", "0.3"]] {
        let answer = predict(dir.path(), &[&base[..], more].concat());
        close(number(&answer, "c_prime"), 2.0 * 0.01 * 250.0);
        // The budget is twice as long, its schedule stretched: Σ η = 1100.
        close(number(&answer, "lambda_pred"), 0.01 * 250.0 / 1100.0);
        assert!(assumes(&answer, "stretched"), "{answer}");
    }
    // Where it is logged now and then, each value holds to the next.
    let sparse = |s: u64| match s {
        0 => "0.4".to_owned(),
        500 => "0.1".to_owned(),
        _ => String::new(),
    };
    write(log(&sparse));
    close(number(&predict(dir.path(), &base), "c_prime"), 2.0 * 0.01 * 250.0);
    // A constant one is the log's; the flag may repeat it, and not contradict it.
    write(log(&|_| "0.2".into()));
    close(number(&predict(dir.path(), &base), "c_prime"), 2.0 * 0.01 * 200.0);
    close(number(&predict(dir.path(), &[&base[..], &["--lr", "2e-1"]].concat()), "c_prime"), 2.0 * 0.01 * 200.0);
    let message = refused(dir.path(), &[&base[..], &["--lr", "0.3"]].concat(), 2);
    assert!(message.contains("lr: '0.3'") && message.contains("0.2"), "{message}");
}

#[test]
fn gaps_and_repetitions_are_left_out_and_counted() {
    let dir = TempDir::new().unwrap();
    let write = |name: &str, text: String| fs::write(dir.path().join(name), text).unwrap();
    let base = ["--lambda", "0.01", "--lr", "0.1", "--budget", "9000", "--estimator", "arrival", "--log"];
    // Two rows of training between two of test, as Lightning's CSVLogger writes them, and empty lines.
    let text = BUMP.text("step,train_loss,val_acc", |s, a, _| format!("{},0.3,\n\n{s},0.2,\n{s},,{a}", s.max(1) - 1));
    write("gaps.csv", text);
    let answer = predict(dir.path(), &[&base[..], &["gaps.csv"]].concat());
    assert_eq!(number(&answer, "t_star"), BUMP.arrival());
    assert!(assumes(&answer, "402 of 603 rows have no value"), "{answer}");
    // The last of a repeated step counts.
    write("twice.csv", BUMP.text("step,val_acc", |s, a, _| format!("{s},0.99\n{s},{a}")));
    let answer = predict(dir.path(), &[&base[..], &["twice.csv"]].concat());
    assert_eq!(number(&answer, "t_star"), BUMP.arrival());
    assert!(assumes(&answer, "201 of 402 rows were followed by another of the same time"), "{answer}");
    // null is a gap, and so is a row without a step.
    let line = |s: u64, a: f64| {
        format!(
            "{}\n{}\n{}",
            serde_json::json!({"val_acc": a, "step": s}),
            serde_json::json!({"step": s, "val_acc": null}),
            serde_json::json!({"val_acc": 0.9})
        )
    };
    write("log.jsonl", BUMP.text("", |s, a, _| line(s, a)));
    let answer = predict(dir.path(), &[&base[..], &["log.jsonl"]].concat());
    assert_eq!(number(&answer, "t_star"), BUMP.arrival());
    assert!(assumes(&answer, "201 of 603 rows have no value") && assumes(&answer, "but no time"), "{answer}");
    // What training writes while it is read.
    for (name, text, end) in [
        ("cut.csv", BUMP.csv(), "4020,0."),
        ("cut.jsonl", fs::read_to_string(dir.path().join("log.jsonl")).unwrap(), "{\"step\": 40"),
    ] {
        write(name, text + end);
        let answer = predict(dir.path(), &[&base[..], &[name]].concat());
        assert!(number(&answer, "t_star") == BUMP.arrival() && assumes(&answer, "the last, is cut off"), "{answer}");
    }
}

#[test]
fn event_files_may_be_cut_off_and_not_damaged() {
    let dir = TempDir::new().unwrap();
    let whole = event_file(Scalar::FloatVal);
    let file = dir.path().join("x.tfevents");
    let args = [&["--log", "x.tfevents", "--estimator", "arrival"][..], &RUN, &EPOCH].concat();
    for cut in [1, 3, 5, 17, 40] {
        fs::write(&file, &whole[..whole.len() - cut]).unwrap();
        let answer = predict(dir.path(), &args);
        assert!(number(&answer, "t_star") == BUMP.arrival() && assumes(&answer, "ends within a record"), "{cut}");
    }
    // However short: an answer or one sentence.
    for length in (0..whole.len()).step_by(211).chain(0..60) {
        fs::write(&file, &whole[..length]).unwrap();
        let output = run(dir.path(), &[&["predict"], &args[..]].concat());
        let err = stderr(&output);
        assert!(
            matches!(output.status.code(), Some(0 | 1)) && !err.contains("panicked") && err.lines().count() <= 1,
            "{length}: {err}"
        );
    }
    let mut flipped = whole.clone();
    for (at, part) in [(100, "checksum"), (whole.len() / 2, "checksum"), (3, "no TensorBoard event file")] {
        flipped[at] ^= 0x10;
        fs::write(&file, &flipped).unwrap();
        let message = refused(dir.path(), &args, 1);
        assert!(message.contains(part) && message.contains("x.tfevents"), "{at}: {message}");
        flipped[at] ^= 0x10;
    }
    fs::write(&file, [version_event(), record(&[0xff; 9])].concat()).unwrap();
    assert!(refused(dir.path(), &args, 1).contains("record 2, at byte 40 of 'x.tfevents', is damaged: it is no event"));
    fs::write(&file, version_event()).unwrap();
    assert!(refused(dir.path(), &args, 1).contains("no rows"));
}

#[test]
fn a_log_that_says_nothing_gets_one_sentence_and_no_lambda() {
    let dir = TempDir::new().unwrap();
    let rows = |header: &str, f: &dyn Fn(u64) -> String| {
        let rows: String = (0..=40).map(|i| format!("{},{}\n", 10 * i, f(i))).collect();
        format!("{header}\n{rows}")
    };
    let bump = |i: u64| BUMP.accuracy(100 * i);
    let acc = |f: &dyn Fn(u64) -> String| rows("step,test_accuracy", f);
    let nan = |at: u64, what: &str| acc(&|i| if i == at { what.into() } else { bump(i).to_string() });
    // A linear congruential generator's, within 0.01.
    let noise = |seed: u64, i: u64| {
        (0..=i).fold(seed, |x, _| (x * 1_103_515_245 + 12_345) % (1 << 31)) as f64 / f64::from(1 << 30) * 0.01 - 0.01
    };
    let cases: Vec<(&str, String, &str)> = vec![
        ("empty", String::new(), "no header"),
        ("header alone", "step,test_accuracy\n".into(), "no rows"),
        ("no header", "1,0.5\n2,0.6\n".into(), "no header"),
        ("one row", "step,test_accuracy\n100,0.9\n".into(), "1 measurement(s) of test accuracy after step 0"),
        (
            "four rows after the start",
            (0..5).fold("step,test_accuracy\n".into(), |log, i| format!("{log}{},{}\n", 50 * i, bump(5 * i))),
            "4 measurement(s) of test accuracy after step 0: a curve takes 5",
        ),
        (
            "a factor of 3.9",
            (10..=39).fold("step,test_accuracy\n".into(), |log, i| format!("{log}{i},{}\n", bump(i / 2))),
            "a factor of 4 in time",
        ),
        ("no metric", rows("step,lr", &|_| "0.1".into()), "--accuracy-column chooses one of: step, lr"),
        ("training's loss", rows("step,loss", &|i| (1.0 - bump(i)).to_string()), "chooses one of: step, loss"),
        ("training's accuracy", rows("step,train_acc", &|i| bump(i).to_string()), "chooses one of: step, train_acc"),
        ("no time", "time,test_accuracy\n1,0.5\n2,0.6\n".into(), "choose"),
        ("NaN", nan(20, "NaN"), "line 22: test_accuracy is NaN: the run diverged"),
        ("infinity", nan(7, "inf"), "line 9: test_accuracy is inf"),
        ("a word", nan(3, "high"), "line 5: test_accuracy: 'high' is no number"),
        (
            "NaN loss",
            rows("step,test_accuracy,test_loss", &|i| format!("{},{}", bump(i), if i > 30 { "nan" } else { "1" })),
            "line 33: test_loss is NaN",
        ),
        ("joined", acc(&|i| bump(i).to_string()) + "0,0.1\n10,0.2\n", "line 43: steps fall from 400 (line 42) to 0"),
        ("half a step", "step,test_accuracy\n0.5,0.1\n1,0.2\n".into(), "line 2: step: '0.5'"),
        ("below 0", "step,test_accuracy\n-1,0.1\n1,0.2\n".into(), "line 2: step: '-1'"),
        ("ragged", "step,test_accuracy\n1,0.1\n2\n3,0.2\n".into(), "line 3: 1 values, and 2 columns"),
        ("two of a name", "step,acc,acc\n1,0.1,0.1\n".into(), "two columns named 'acc'"),
        ("above 100", acc(&|i| (200.0 * bump(i)).to_string()), "test_accuracy: '140' is not allowed"),
        ("between", acc(&|i| (1.8 * bump(i)).to_string()), "too small for a percentage"),
        ("negative", acc(&|i| (bump(i) - 0.2).to_string()), "a fraction from 0 to 1"),
        ("still rising", acc(&|i| (0.1 + i as f64 / 100.0).to_string()), "t_* was not reached, and no λ is predicted"),
        ("nothing learned", acc(&|_| "0.1".into()), "by more than its noise: nothing is learned at λ = 0.01"),
        ("noise", acc(&|i| (0.1 + noise(7, i)).to_string()), "by more than its noise: nothing is learned at λ = 0.01"),
        ("other noise", acc(&|i| (0.1 + noise(8, i)).to_string()), "by more than its noise"),
        ("much noise", acc(&|i| (0.5 + 10.0 * noise(9, i)).to_string()), "by more than its noise"),
        ("only worse", acc(&|i| (0.9 - i as f64 / 100.0).to_string()), "or the peak came before the first"),
        (
            "loss only worse",
            rows("step,val_loss", &|i| (1 + i).to_string()),
            "test loss does not get better than at first",
        ),
        (
            "λ changes",
            rows("step,test_accuracy,weight_decay", &|i| format!("{},{}", bump(i), if i < 9 { 0.01 } else { 0.001 })),
            "line 11: lambda changes within the run, from 0.01 to 0.001",
        ),
        ("JSON array", "[{\"step\": 1}]".into(), "JSON array"),
        ("bad JSON", "{\"step\": 1, \"acc\": 0.5}\n{\"step\": 2, acc}\n".into(), "line 2, column"),
        (
            "JSON NaN",
            "{\"step\": 1, \"acc\": 0.5}\n{\"step\": 2, \"acc\": NaN, \"n\": \"NaN \\\" NaN\"}\n".into(),
            "line 2: acc is NaN",
        ),
    ];
    for (what, text, part) in &cases {
        fs::write(dir.path().join("log.csv"), text).unwrap();
        let args = ["--log", "log.csv", "--lambda", "0.01", "--lr", "0.1", "--budget", "9000"];
        let message = refused(dir.path(), &args, 1);
        assert!(message.contains(part) && message.contains("'log.csv'"), "{what}: {message}");
    }
    let at_chance = acc(&|i| (0.02 + 0.07 * bump(i)).to_string());
    fs::write(dir.path().join("log.csv"), at_chance).unwrap();
    let args = ["--log", "log.csv", "--lambda", "0.01", "--lr", "0.1", "--budget", "9000", "--classes", "10"];
    assert!(refused(dir.path(), &args, 1).contains("above chance, 0.0690 with 10 classes"));

    fs::write(dir.path().join("log.csv"), [0xff, 0xfe, 0, 1, 2, 3]).unwrap();
    assert!(refused(dir.path(), &args, 1).contains("neither text nor a TensorBoard event file"));
    fs::create_dir(dir.path().join("empty")).unwrap();
    for (log, part) in
        [("none.csv", "'none.csv' cannot be read"), ("empty", "directory without TensorBoard event files")]
    {
        let message = refused(dir.path(), &[&["--log", log], &args[2..]].concat(), 1);
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn what_a_curve_shows_decides_how_it_is_timed() {
    let dir = TempDir::new().unwrap();
    let write = |name: &str, header: &str, values: &[f64]| {
        let rows: String = values.iter().enumerate().map(|(i, v)| format!("{},{v}\n", i + 1)).collect();
        fs::write(dir.path().join(name), format!("epoch,{header}\n{rows}")).unwrap();
    };
    let curve = |of: &dyn Fn(f64) -> f64| (1..=40).map(|e| of(f64::from(e))).collect::<Vec<_>>();
    // Twelve epochs, the eighth the best; a maximum where the curve stays; a curve that has not ended.
    let clean = [0.4, 0.52, 0.61, 0.66, 0.7, 0.73, 0.75, 0.76, 0.755, 0.74, 0.735, 0.73];
    write("peak.csv", "test_acc", &clean);
    write("loss.csv", "test_loss", &clean.map(|a| 1.0 - a));
    write("plateau.csv", "test_acc", &curve(&|e| 0.1 + 0.6 * (1.0 - (-e / 2.0).exp())));
    write("rising.csv", "test_acc", &curve(&|e| 0.1 + 0.15 * e.ln()));
    let flags = |log: &'static str| ["--lambda", "0.01", "--lr", "0.1", "--budget", "200ep", "--log", log];
    // A plateau is reached where 0.6·e^{−t/2} = 0.005: t = 9.6.
    for (log, estimator, outcome, t_star) in [
        ("peak.csv", "peak", "peak", 8.0),
        ("loss.csv", "loss", "peak", 8.0),
        ("plateau.csv", "arrival", "plateau", 10.0),
    ] {
        let answer = predict(dir.path(), &flags(log));
        assert_eq!(
            (&answer["estimator"], &answer["runs"][0]["outcome"]),
            (&estimator.into(), &outcome.into()),
            "{log}"
        );
        assert_eq!(number(&answer, "t_star_epochs"), t_star, "{log}");
        close(number(&answer, "lambda_pred"), 0.01 * t_star / 200.0);
        assert!(assumes(&answer, &format!("t_* is by the {estimator} estimator")), "{answer}");
        assert!(assumes(&answer, &format!("the curve is a {outcome}")), "{answer}");
    }
    // A plateau has no moment of its maximum.
    let message = refused(dir.path(), &[&flags("plateau.csv")[..], &["--estimator", "peak"]].concat(), 1);
    assert!(message.contains("plateau") && message.contains("--estimator arrival"), "{message}");
    for more in [&[][..], &["--estimator", "peak"], &["--estimator", "arrival"]] {
        let message = refused(dir.path(), &[&flags("rising.csv")[..], more].concat(), 1);
        assert!(message.contains("in the last doubling of time it rises by 0.10"), "{message}");
        assert!(message.contains("no λ is predicted (train longer"), "{message}");
    }
    // Of several runs all are timed alike: by what each of them has.
    let both = predict(dir.path(), &[&flags("peak.csv")[..], &["--log", "plateau.csv"]].concat());
    let alone = predict(dir.path(), &[&flags("peak.csv")[..], &["--estimator", "arrival"]].concat());
    assert_eq!((&both["estimator"], &both["n"]), (&"arrival".into(), &2.into()));
    assert!(number(&alone, "t_star_epochs") < 8.0, "{alone}");
    assert_eq!(both["runs"][0]["t_star_epochs"], alone["t_star_epochs"]);
    assert_eq!(number(&both["runs"][1], "t_star_epochs"), 10.0);
    assert!(!assumes(&both, "the peak estimator"), "{both}");
}

#[test]
fn columns_are_guessed_in_a_fixed_order_or_named() {
    let dir = TempDir::new().unwrap();
    let late = Bump { peak: 2000.0, ..BUMP };
    let text = BUMP.text("step,acc,val_accuracy,best_acc,val_acc_top5,train/acc", |s, a, _| {
        format!("{s},0.5,{a},{},1,1", late.accuracy(s))
    });
    fs::write(dir.path().join("log.csv"), text).unwrap();
    let base = ["--log", "log.csv", "--estimator", "arrival", "--lambda", "0.01", "--lr", "0.1", "--budget", "9000"];
    let answer = predict(dir.path(), &base);
    assert_eq!(number(&answer, "t_star"), BUMP.arrival());
    assert!(assumes(&answer, "column 'val_accuracy', and not 'acc' (--accuracy-column chooses)"), "{answer}");
    let answer = predict(dir.path(), &[&base[..], &["--accuracy-column", "best_acc"]].concat());
    assert_eq!(number(&answer, "t_star"), late.arrival());
    // Nested keys may be named by dots too.
    let line = |s: u64, a: f64| serde_json::json!({"n": {"done": s}, "metrics": {"mine": a}}).to_string();
    fs::write(dir.path().join("log.csv"), BUMP.text("", |s, a, _| line(s, a))).unwrap();
    let named = ["--step-column", "n.done", "--accuracy-column", "metrics.mine"];
    assert_eq!(number(&predict(dir.path(), &[&base[..], &named].concat()), "t_star"), BUMP.arrival());
    for flag in ["--step-column", "--epoch-column", "--accuracy-column", "--loss-column"] {
        let message = refused(dir.path(), &[&base[..], &[flag, "mine"]].concat(), 2);
        assert!(message.contains("'mine'") && message.contains("metrics/mine, n/done"), "{message}");
    }
    // An accuracy that was asked for is not replaced by a loss.
    fs::write(dir.path().join("log.csv"), BUMP.text("step,val_loss", |s, _, l| format!("{s},{l}"))).unwrap();
    assert!(refused(dir.path(), &base, 1).contains("test accuracy; --accuracy-column chooses one of: step, val_loss"));
}

#[test]
fn flags_of_training_and_of_logs_do_not_mix() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("log.csv"), BUMP.csv()).unwrap();
    let base = ["--log", "log.csv", "--lambda", "0.01", "--lr", "0.1", "--budget", "9000"];
    for flag in [
        &["--data", "mnist"][..],
        &["--width", "8"],
        &["--tau", "2"],
        &["--out", "o"],
        &["--threads", "1"],
        &["--lr-schedule", "cosine"],
        &["--device", "cpu"],
        &["--seeds", "2"],
    ] {
        let message = refused(dir.path(), &[&base[..], flag].concat(), 2);
        assert!(message.contains("cannot be used with") && message.contains(flag[0]), "{message}");
    }
    for flag in [
        &["--convention", "keras"][..],
        &["--examples", "9"],
        &["--classes", "9"],
        &["--dampening", "0.1"],
        &["--step-column", "x"],
        &["--epoch-zero", "first"],
    ] {
        let message = refused(dir.path(), &[&["--budget", "9000"], flag].concat(), 2);
        assert!(message.contains("--log"), "{message}");
    }
    for (args, part) in [
        (&["--log", "log.csv", "--lambda", "0.01", "--lr", "0.1"][..], "--budget 200ep"),
        (&["--log", "log.csv", "--lr", "0.1", "--budget", "9"], "lambda: give"),
        (&["--log", "log.csv", "--lambda", "0.1", "--budget", "9"], "lr: give"),
        (&["--log", "log.csv", "--lambda", "0", "--lr", "0.1", "--budget", "9"], "lambda: '0' has no t_*"),
        (&["--log", "log.csv", "--lambda", "0.1,0.2", "--lr", "0.1", "--budget", "9"], "a log is of one run"),
        (&["--log", "log.csv", "--lambda", "0.1", "--lr", "0.1", "--budget", "0.5"], "less than a step"),
        (&["--log", "log.csv", "--lambda", "0.1", "--lr", "0.1", "--budget", "nan"], "budget: 'NaN'"),
        (&["--log", "log.csv", "--lambda", "0.1", "--lr", "0.1", "--budget", "2ep"], "give --batch and --examples"),
    ] {
        let message = refused(dir.path(), args, 2);
        assert!(message.contains(part), "{args:?}: {message}");
    }
    for (more, part) in [
        (&["--convention", "torch"][..], "pytorch-sgd"),
        (&["--momentum", "1"], "momentum: '1'"),
        (&["--dampening", "1"], "dampening: '1'"),
        (&["--convention", "keras", "--dampening", "0.1"], "pytorch-sgd alone"),
        (&["--batch", "128"], "give --examples"),
        (&["--examples", "128"], "give --batch"),
        (&["--examples", "0"], "0"),
        (&["--seed", "3"], "no column 'seed'"),
        (&["--estimator", "best"], "estimator"),
    ] {
        let message = refused(dir.path(), &[&base[..], more].concat(), 2);
        assert!(message.contains(part), "{more:?}: {message}");
    }
    let help = good(dir.path(), &["predict", "--help"]);
    for part in ["--log", "--convention", "autol2-code", "l2lab predict --log log.csv --lambda 0.01"] {
        assert!(help.contains(part), "{part}: {help}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing was written");
}

#[test]
fn logs_of_other_seeds_give_an_interval() {
    let dir = TempDir::new().unwrap();
    let mut args: Vec<String> = Vec::new();
    for (i, peak) in [900.0, 1000.0, 1100.0, 1040.0, 960.0].into_iter().enumerate() {
        let name = format!("{i}.csv");
        fs::write(dir.path().join(&name), Bump { peak, ..BUMP }.csv()).unwrap();
        args.extend(["--log".to_owned(), name]);
    }
    let flags = ["--lambda", "0.01", "--lr", "0.1", "--budget", "50000", "--estimator", "loss"];
    let mut all: Vec<&str> = args.iter().map(String::as_str).chain(flags).collect();
    let answer = predict(dir.path(), &all);
    // The median of 900, 960, 1000, 1040, 1100 steps.
    assert_eq!((number(&answer, "t_star"), number(&answer, "n")), (1000.0, 5.0));
    close(number(&answer, "lambda_pred"), 0.01 * 1000.0 / 50_000.0);
    let [low, high] = [0, 1].map(|i| answer["lambda_pred_ci"][i].as_f64().unwrap());
    // As many times below as above, and beyond the least and largest of five.
    close((low * high).sqrt(), 0.01 * 1000.0 / 50_000.0);
    assert!((0.7..0.9).contains(&(low / number(&answer, "lambda_pred"))), "{low} to {high}");
    // One that did not reach its peak is left out and counted.
    fs::write(dir.path().join("late.csv"), Bump { peak: 5000.0, ..BUMP }.csv()).unwrap();
    all.extend(["--log", "late.csv"]);
    let answer = predict(dir.path(), &all);
    assert_eq!((number(&answer, "n"), number(&answer, "censored")), (5.0, 1.0));
    assert!(assumes(&answer, "1 of 6 runs had not reached their peak"), "{answer}");
    // One that is broken is an error that names it, and logs have to be of one kind.
    fs::write(dir.path().join("nan.csv"), "step,test_accuracy,test_loss\n1,0.1,nan\n").unwrap();
    fs::write(dir.path().join("epochs.csv"), BUMP.text("epoch,test_loss", |s, _, l| format!("{s},{l}"))).unwrap();
    fs::write(dir.path().join("other.csv"), BUMP.text("step,test_loss,momentum", |s, _, l| format!("{s},{l},0.9")))
        .unwrap();
    for (log, part) in [("nan.csv", "'nan.csv'"), ("epochs.csv", "same things"), ("other.csv", "β = 0.9")] {
        let message = refused(dir.path(), &[&all[..], &["--log", log]].concat(), 1);
        assert!(message.contains(part), "{message}");
    }
}

/// A grid that takes a second or two, and whose accuracy falls again at λ from 0.5 on. An epoch is 2 steps.
const SMALL: &[&str] = &[
    "--train",
    "128",
    "--test",
    "1000",
    "--width",
    "16",
    "--depth",
    "2",
    "--batch",
    "64",
    "--measurements",
    "60",
    "--tau",
    "6",
];

/// Step and τ of the measurement of a run, counted from 0, in `traces.csv` that is nearest to a time.
fn measured(dir: &Path, out: &str, run: usize, time: &Value) -> (f64, f64) {
    let text = fs::read_to_string(dir.join(out).join("traces.csv")).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    let column = |name: &str| {
        let at = rows[0].iter().position(|n| *n == name).unwrap();
        rows[1..].iter().filter(|row| row[0] == run.to_string()).map(move |row| row[at].parse::<f64>().unwrap())
    };
    let step = nearest(column("step"), number(time, "step"));
    (step, column("tau").nth(column("step").position(|s| s == step).unwrap()).unwrap())
}

#[test]
fn our_own_traces_give_what_their_summary_says() {
    let dir = TempDir::new().unwrap();
    let train = ["train", "--lambda", "0.5", "--lr", "0.02", "--momentum", "0.5", "--out", "one"];
    good(dir.path(), &[&train[..], SMALL].concat());
    let whole = &summary(dir.path(), "one")["runs"][0];
    for estimator in ["peak", "arrival", "loss"] {
        let (step, tau) = measured(dir.path(), "one", 0, &whole["times"][estimator]);
        let args = ["--log", "one/traces.csv", "--budget", "200ep", "--estimator", estimator];
        // λ, η, β and the steps of an epoch are the log's.
        let answer = predict(dir.path(), &args);
        assert_eq!(number(&answer, "t_star"), step, "{estimator}");
        close(number(&answer, "c_prime"), tau);
        close(number(&answer, "budget_steps"), 400.0);
        close(number(&answer, "lambda_pred"), 0.5 * step / 400.0);
    }

    // A grid: every run is found by its λ, η and seed.
    let sweep = ["sweep", "--lambda", "1,0.5", "--lr", "0.01,0.02", "--seeds", "3", "--out", "grid"];
    good(dir.path(), &[&sweep[..], SMALL].concat());
    let base = ["--log", "grid/traces.csv", "--budget", "9000"];
    let message = refused(dir.path(), &base, 2);
    assert!(message.contains("choose by --lambda (") && message.contains("--lr (0.01, 0.02)"), "{message}");
    let message = refused(dir.path(), &[&base[..], &["--lambda", "0.7"]].concat(), 2);
    assert!(
        message.contains("lambda: '0.7'") && message.contains("runs with lambda") && message.contains("0.5, 1"),
        "{message}"
    );
    let runs = summary(dir.path(), "grid")["runs"].clone();
    assert_eq!(runs.as_array().unwrap().len(), 12);
    for (i, found) in runs.as_array().unwrap().iter().enumerate() {
        let [lambda, lr, seed] = ["lambda", "lr", "seed"].map(|key| found[key].to_string());
        let cell = [&base[..], &["--lambda", &lambda, "--lr", &lr]].concat();
        // The moment of a peak is the run's own; how near is near enough for an arrival, the whole grid's noise decides.
        let (step, tau) = measured(dir.path(), "grid", i, &found["times"]["peak"]);
        let answer = predict(dir.path(), &[&cell[..], &["--seed", &seed]].concat());
        assert_eq!(number(&answer, "t_star"), step, "{found}");
        close(number(&answer, "c_prime"), tau);
        let all = predict(dir.path(), &cell);
        assert!(number(&all, "n") == 3.0 && all["lambda_pred_ci"].is_array(), "{all}");
        assert_eq!(all["runs"][usize::try_from(found["seed"].as_u64().unwrap()).unwrap()]["t_star"], answer["t_star"]);
    }
    assert!(
        refused(dir.path(), &[&base[..], &["--lambda", "1", "--lr", "0.01", "--seed", "7"]].concat(), 2)
            .contains("seed 0, 1, 2")
    );

    // A schedule: Σ η over the rows is the τ that the trainer counted, to the piece within a measurement.
    let train = ["train", "--lambda", "0.5", "--lr", "0.04", "--lr-schedule", "cosine", "--out", "cosine"];
    good(dir.path(), &[&train[..], SMALL].concat());
    let held = &summary(dir.path(), "cosine")["runs"][0]["times"]["loss"];
    let (step, tau) = measured(dir.path(), "cosine", 0, held);
    let args = ["--log", "cosine/traces.csv", "--budget", "9000", "--estimator", "loss", "--lr", "0.04"];
    let answer = predict(dir.path(), &args);
    assert_eq!(number(&answer, "t_star"), step);
    assert!((number(&answer, "c_prime") / tau - 1.0).abs() < 0.02, "{answer} {held}");
    // A cosine's mean is half of its η.
    let expected = number(&answer, "c_prime") / (0.02 * 9000.0);
    assert!((number(&answer, "lambda_pred") / expected - 1.0).abs() < 0.03, "{answer}");
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/logs")
}

/// `tests/log-fixtures.py` made them.
#[test]
fn logs_that_other_programs_wrote_are_read() {
    let predict =
        |file: &str, args: &[&str]| predict(&fixtures(), &[&["--log", file, "--budget", "500ep"], args].concat());
    // A run of Keras under L2(0.05), by its CSVLogger and its TensorBoard callback: epochs from 0 in one, iterations in
    // the other.
    let steps = ["--batch", "128", "--examples", "512"];
    let keras = [&["--convention", "keras", "--lambda", "0.05", "--lr", "0.1"][..], &steps].concat();
    let [csv, events] = ["keras.csv", "keras.tfevents"].map(|file| predict(file, &keras));
    // A plateau about 0.76: 0.67 after three epochs, and 0.77 after thirteen. An epoch is 4 steps.
    assert!((4.0..=13.0).contains(&number(&csv, "t_star_epochs")), "{csv}");
    close(number(&csv, "t_star"), 4.0 * number(&csv, "t_star_epochs"));
    assert!((number(&csv["runs"][0], "max_test_accuracy") - 0.76).abs() < 0.02, "{csv}");
    assert_eq!((&csv["estimator"], &csv["runs"][0]["outcome"]), (&"arrival".into(), &"plateau".into()));
    for key in ["t_star", "c_prime", "lambda_pred"] {
        assert_eq!(csv[key], events[key], "{key}");
    }
    close(number(&csv, "c_prime"), 0.1 * 2.0 * 0.05 * number(&csv, "t_star"));
    // By its epoch_… scalars, whose step is the epoch from 0.
    let by_epoch = predict("keras.tfevents", &[&keras[..], &["--accuracy-column", "epoch_accuracy"]].concat());
    assert_eq!(by_epoch["t_star"], csv["t_star"]);
    assert!(assumes(&by_epoch, "taken to count epochs"), "{by_epoch}");

    // A run of this program, by tensorboardX.
    let own = predict("traces.csv", &[]);
    let events = predict(
        "tensorboardx.tfevents",
        &[&["--lambda", "0.1", "--lr", "0.1", "--momentum", "0.5"][..], &steps].concat(),
    );
    for key in ["t_star", "c_prime", "lambda_pred"] {
        close(number(&own, key), number(&events, key));
    }
    assert!(
        (number(&own["runs"][0], "max_test_accuracy") - number(&events["runs"][0], "max_test_accuracy")).abs() < 1e-7
    );
}
