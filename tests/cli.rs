//! The command line as a user runs it: exit codes, files, messages, interruptions.

use std::{
    fmt::Write as _,
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use support::{bad, good, json, l2lab, run, stderr, stdout, summary, wait_until};
use tempfile::TempDir;

mod support;

/// A grid that takes a second or two.
const SMALL: &[&str] =
    &["--model", "fc", "--train", "64", "--test", "50", "--width", "8", "--depth", "2", "--batch", "16"];
/// A grid in which the law is seen, in seconds: weights that start large.
const LAWFUL: &[&str] =
    &["--train", "256", "--width", "32", "--lambda", "0.2,0.1,0.05", "--lr", "0.05", "--seeds", "2"];

fn with<'a>(base: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [base, more].concat()
}

#[test]
fn help_names_every_command_and_field() {
    let dir = TempDir::new().unwrap();
    let help = good(dir.path(), &["--help"]);
    for command in ["sweep", "train", "predict", "theory", "kernel", "data", "bench"] {
        assert!(help.contains(command), "{help}");
    }
    let help = good(dir.path(), &["sweep", "--help"]);
    for field in l2lab_core::experiment::FIELDS {
        assert!(help.contains(&format!("--{}", field.name)), "{}", field.name);
    }
    assert!(good(dir.path(), &["--version"]).starts_with("l2lab "));
    assert_eq!(run(dir.path(), &[]).status.code(), Some(2));
}

#[test]
fn a_sweep_leaves_what_it_promises() {
    let dir = TempDir::new().unwrap();
    let sweep = with(&["sweep", "--out", "o"], LAWFUL);
    let text = good(dir.path(), &sweep);
    assert!(text.contains("slope of log t_*") && text.contains("λ_pred") && text.contains("o/report.html"), "{text}");
    let out = dir.path().join("o");
    let mut names: Vec<String> =
        fs::read_dir(&out).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let files = [
        "clock.svg",
        "experiment.toml",
        "law.svg",
        "recording.json",
        "report.html",
        "steps.svg",
        "summary.json",
        "traces.csv",
    ];
    assert_eq!(names, files);
    let recording: Value = serde_json::from_str(&fs::read_to_string(out.join("recording.json")).unwrap()).unwrap();
    assert_eq!(recording["traces"].as_array().unwrap().len(), 6);
    assert!(recording["command"].as_str().unwrap().starts_with("l2lab sweep --"), "{}", recording["command"]);

    let csv = fs::read_to_string(out.join("traces.csv")).unwrap();
    let header = "run,lambda,lr,momentum,seed,step,epoch,tau,train_loss,train_accuracy,test_loss,test_accuracy,sq_norm";
    assert_eq!(csv.lines().next(), Some(header));
    let summary = summary(dir.path(), "o");
    let runs = summary["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 6);
    for key in [
        "lambda",
        "lr",
        "momentum",
        "seed",
        "steps",
        "t_star",
        "tau_star",
        "max_test_accuracy",
        "final_test_accuracy",
        "diverged",
    ] {
        assert!(runs[0].get(key).is_some(), "{key}");
    }
    for key in [
        "estimator",
        "slope",
        "slope_ci",
        "placebo_slope",
        "placebo_ci",
        "c_prime",
        "c_prime_ci",
        "n",
        "cells_timed",
        "law",
    ] {
        assert!(summary["fit"].get(key).is_some(), "{key}");
    }
    let [low, high] = [0, 1].map(|i| summary["fit"]["slope_ci"][i].as_f64().unwrap());
    assert!(low < -0.7 && high < -0.5 && summary["fit"]["placebo_slope"].as_f64().unwrap().abs() < 0.1, "{low} {high}");
    assert!(summary["fit_refused"].is_null() && summary["fit"]["without_l2"]["timed"] == 0, "{}", summary["fit"]);
    let outcomes = ["peak", "plateau"];
    let cells = summary["cells"].as_array().unwrap();
    assert!(cells.iter().all(|c| outcomes.contains(&c["outcome"].as_str().unwrap())), "{cells:?}");
    assert!(summary["prediction"]["lambda_pred"].as_f64().unwrap() > 0.0);
    assert!(summary["prediction"]["regret"].is_f64());
    let (count, ids): (usize, Vec<usize>) = {
        let ids: Vec<usize> = csv.lines().skip(1).map(|l| l.split(',').next().unwrap().parse().unwrap()).collect();
        (ids.len(), ids)
    };
    assert!(count > 6 * 15 && ids.iter().max() == Some(&7), "the grid's 6 runs and 2 at λ_pred");
    // The last point of the first run is at the τ it was asked for.
    let tau: f64 =
        csv.lines().skip(1).filter(|l| l.starts_with("0,")).last().unwrap().split(',').nth(7).unwrap().parse().unwrap();
    assert!((4.99..5.1).contains(&tau), "{tau}");

    let html = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(html.matches("<svg").count() >= 5 && html.contains("prefers-color-scheme: dark"));
    for outside in ["http://", "https://", "<script", "<link", "@import"] {
        let without_namespace = html.replace("http://www.w3.org/2000/svg", "");
        assert!(!without_namespace.contains(outside), "self-contained: {outside}");
    }

    // The experiment it wrote makes the same bits again, and the directory is not overwritten.
    let again = good(dir.path(), &["sweep", "o/experiment.toml", "--out", "p", "--json"]);
    assert_eq!(json(&again)["fit"], summary["fit"]);
    for file in ["traces.csv", "summary.json", "report.html"] {
        assert_eq!(fs::read(out.join(file)).unwrap(), fs::read(dir.path().join("p").join(file)).unwrap(), "{file}");
    }
    let one_thread = good(dir.path(), &["sweep", "o/experiment.toml", "--out", "q", "--json", "--threads", "1"]);
    assert_eq!(json(&one_thread)["runs"], summary["runs"], "the number of threads changes nothing");
    let message = bad(dir.path(), &sweep, 1);
    assert!(message.contains("'o' exists") && message.contains("--resume"), "{message}");
    assert!(good(dir.path(), &["sweep", "--out", "o", "--resume"]).contains("complete"));
}

#[test]
fn without_out_results_go_to_the_first_free_directory() {
    let dir = TempDir::new().unwrap();
    let sweep = with(&["sweep", "--lambda", "1,0.3", "--lr", "0.1", "--seeds", "1"], SMALL);
    assert!(good(dir.path(), &sweep).contains("runs/sweep-1/report.html"));
    assert!(good(dir.path(), &sweep).contains("runs/sweep-2/report.html"));
}

#[test]
fn train_and_predict_answer_in_text_and_json() {
    let dir = TempDir::new().unwrap();
    let small = ["--train", "256", "--width", "32"];
    let train = with(&["train", "--lambda", "0.1"], &small);
    assert!(good(dir.path(), &train).contains("t_* ="));
    let summary = json(&good(dir.path(), &with(&train, &["--json"])));
    assert_eq!(summary["runs"][0]["lambda"], 0.1);
    assert!(!dir.path().join("runs").exists(), "nothing is written without --out");
    let predict = with(&["predict", "--lambda", "0.2", "--seeds", "3", "--budget", "400ep"], &small);
    assert!(good(dir.path(), &predict).contains("λ_pred"));
    let answer = json(&good(dir.path(), &with(&predict, &["--json"])));
    let number = |key: &str| answer[key].as_f64().unwrap_or_else(|| panic!("{key} in {answer}"));
    assert_eq!(number("budget_steps"), 800.0);
    assert!((number("lambda_pred") - number("c_prime") / (0.05 * 800.0)).abs() < 1e-12);
    assert!(number("t_star") > 0.0 && answer["lambda_pred_ci"].is_array());
}

#[test]
fn a_linear_model_goes_through_the_same_command() {
    let dir = TempDir::new().unwrap();
    let small: Vec<&str> = SMALL.iter().map(|&word| if word == "fc" { "linear" } else { word }).collect();
    let args = with(&["sweep", "--lambda", "1,0.3", "--lr", "0.1", "--json", "--bias=false"], &small);
    let summary = json(&good(dir.path(), &args));
    assert_eq!(summary["model"]["homogeneity"], 1);
}

#[test]
fn a_wide_resnet_trains_with_augmentation_and_a_warm_up() {
    let dir = TempDir::new().unwrap();
    let flags = "train --model wrn --depth 10 --width 1 --train 48 --test 16 --batch 16 --steps 6 --measurements 3 --lr 0.05 \
                 --lambda 5e-4 --momentum 0.9 --lr-schedule step --lr-warm-up 0.3 --flip --crop 4 --mixup 1 --label-smoothing 0.1";
    let flags: Vec<&str> = flags.split_whitespace().collect();
    let traces = |flags: &[&str], out: &str| {
        let summary = json(&good(dir.path(), &with(flags, &["--json", "--out", out])));
        assert_eq!(summary["model"]["parameters"], 77_562, "{summary}");
        fs::read_to_string(dir.path().join(out).join("traces.csv")).unwrap()
    };
    let varied = traces(&flags, "varied");
    assert_eq!(varied.lines().count(), 1 + 5, "the start, steps 1, 2, 5 (10^(2/3)) and 6: {varied}");
    assert_eq!(traces(&flags, "again"), varied, "the same seed gives the same bits");
    let plain: Vec<&str> = flags.iter().copied().filter(|a| *a != "--flip").collect();
    assert_ne!(traces(&plain, "plain"), varied);
}

#[test]
fn a_file_and_flags_are_views_of_one_experiment() {
    let dir = TempDir::new().unwrap();
    fs::write(
        dir.path().join("e.toml"),
        "lambda = 0.5\nlr = [0.1]\nseeds = 1\nwidth = 8\ndepth = 2\ntrain = 64\ntest = 50\nbatch = 16\nsteps = 12\n",
    )
    .unwrap();
    let summary = json(&good(dir.path(), &["train", "e.toml", "--lambda", "0.25", "--json"]));
    assert_eq!(summary["experiment"]["width"], 8);
    assert_eq!(summary["runs"][0]["lambda"], 0.25);
    assert_eq!(summary["runs"][0]["steps"], 12);
    let longer = json(&good(dir.path(), &["train", "e.toml", "--epochs", "5", "--json"]));
    assert_eq!(longer["runs"][0]["steps"], 20, "a length on the command line replaces the file's");
    for (text, expected) in [
        ("lamda = 0.1", "did you mean 'lambda'"),
        ("width = \"wide\"", "width"),
        ("lr = []", "lr"),
        ("width = 3\nwidth = 4", "duplicate"),
        ("= 3", "e.toml"),
        ("model = \"resnet\"", "`linear`, `fc`, `cnn`"),
    ] {
        fs::write(dir.path().join("e.toml"), text).unwrap();
        let message = bad(dir.path(), &["train", "e.toml"], 2);
        assert!(message.contains(expected), "{text}: {message}");
    }
    assert!(bad(dir.path(), &["train", "missing.toml"], 1).contains("missing.toml"));
}

#[test]
fn bad_input_gets_one_clear_error_and_leaves_nothing() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("file"), "").unwrap();
    for (args, code, expected) in [
        (&["sweep", "--lr", "-0.1"][..], 2, "lr: '-0.1'"),
        (&["sweep", "--lambda", "-1e-3"], 2, "lambda: '-0.001'"),
        (&["sweep", "--lambda", "nan"], 2, "lambda: 'NaN'"),
        (&["sweep", "--lambda", "0", "--steps", "5"], 2, "above 0"),
        (&["sweep", "--lambda", ""], 2, "lambda"),
        (&["sweep", "--width", "0"], 2, "width: '0'"),
        (&["sweep", "--width", "99999999999999999999"], 2, "width"),
        (&["sweep", "--lamda", "1"], 2, "--lambda"),
        (&["sweep", "--model", "resnet"], 2, "`cnn`"),
        (&["sweep", "--model", "wrn", "--width", "1", "--depth", "11"], 2, "6n + 4"),
        (&["sweep", "--model", "wrn", "--width", "1", "--depth", "10", "--shortcut", "2x2"], 2, "`3x3`"),
        (&["sweep", "--model", "wrn", "--depth", "28"], 2, "parameters"),
        (&["sweep", "--mixup", "-1"], 2, "mixup: '-1'"),
        (&["sweep", "--mixup", "inf"], 2, "mixup"),
        (&["sweep", "--crop", "65"], 2, "crop: '65'"),
        (&["sweep", "--label-smoothing", "1"], 2, "label-smoothing: '1'"),
        (&["sweep", "--lr-warm-up", "1"], 2, "lr-warm-up: '1'"),
        (&["sweep", "--data", "imagenet"], 1, "fashion-mnist-512"),
        (&["sweep", "--data", "mnist", "--data-dir", "nowhere"], 1, "l2lab data fetch mnist"),
        (&["sweep", "--train", "513"], 2, "512"),
        (&["sweep", "--tau", "1", "--steps", "5"], 2, "one length"),
        (&["sweep", "--device", "tpu"], 2, "cpu, ndarray, gpu"),
        (&["sweep", "--device", "gpu:99"], 1, "--device gpu"),
        (&["sweep", "--device", "cuda"], 1, "--device cuda"),
        (&["sweep", "--threads", "0"], 2, "--threads"),
        (&["sweep", "--out", "file"], 1, "'file'"),
        (&["sweep", "--out", "file/below"], 1, "'file/below'"),
        (&["sweep", "--resume"], 2, "--out"),
        (&["sweep", "--resume", "--out", "nowhere"], 1, "nothing to continue"),
        (&["train", "--lambda", "0.1,0.2"], 2, "takes one"),
        (&["predict"], 2, "--budget"),
        (&["predict", "--lambda", "0", "--steps", "9", "--budget", "5"], 2, "above 0"),
        (&["predict", "--budget", "soon"], 2, "200ep"),
        (&["data", "fetch", "imagenet"], 1, "cifar10"),
        (&["data", "verify", "mnist", "--data-dir", "nowhere"], 1, "missing"),
        (&["bench", "fc-9"], 1, "fc-512"),
    ] {
        let message = bad(dir.path(), args, code);
        assert!(message.contains(expected), "{args:?}: {message}");
    }
    let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["file"], "nothing was written");
}

#[test]
fn damaged_data_files_are_named() {
    let dir = TempDir::new().unwrap();
    let mnist = dir.path().join("data/mnist");
    fs::create_dir_all(&mnist).unwrap();
    let images = [&0x803_u32.to_be_bytes()[..], &1_u32.to_be_bytes(), &[0, 0, 0, 2, 0, 0, 0, 2], &[1; 4]].concat();
    for part in ["train", "t10k"] {
        fs::write(mnist.join(format!("{part}-images-idx3-ubyte")), &images).unwrap();
        fs::write(mnist.join(format!("{part}-labels-idx1-ubyte")), [0, 0, 8, 1, 0, 0, 0, 1, 12]).unwrap();
    }
    let message = bad(dir.path(), &["train", "--data", "mnist"], 1);
    assert!(message.contains("label 12") && message.contains("train-labels-idx1-ubyte"), "{message}");
    fs::write(mnist.join("train-images-idx3-ubyte"), &images[..10]).unwrap();
    let message = bad(dir.path(), &["train", "--data", "mnist"], 1);
    assert!(message.contains("truncated") && message.contains("train-images-idx3-ubyte"), "{message}");
    let message = bad(dir.path(), &["data", "verify", "mnist"], 1);
    assert!(message.contains("damaged") && message.contains("MD5"), "{message}");
    assert!(good(dir.path(), &["data", "list"]).contains("damaged"));
}

#[test]
fn a_diverging_run_is_told_and_fits_go_on_without_it() {
    let dir = TempDir::new().unwrap();
    let args =
        with(&["sweep", "--loss", "mse", "--lambda", "1,0.3", "--lr", "0.05,1e4", "--steps", "40", "--json"], SMALL);
    let summary = json(&good(dir.path(), &args));
    let diverged = |lr: f64| {
        let runs = summary["runs"].as_array().unwrap().iter().filter(move |r| r["lr"] == lr);
        runs.map(|r| r["diverged"].as_bool().unwrap()).collect::<Vec<_>>()
    };
    assert!(diverged(1e4).iter().all(|d| *d) && diverged(0.05).iter().all(|d| !d));
    assert!(
        bad(
            dir.path(),
            &with(&["predict", "--lr", "1e4", "--loss", "mse", "--steps", "40", "--budget", "9"], SMALL),
            1
        )
        .contains("diverged")
    );
}

#[test]
fn numbers_of_the_papers_code_mean_what_they_mean_there() {
    let dir = TempDir::new().unwrap();
    let toml = |out: &str| fs::read_to_string(dir.path().join(out).join("experiment.toml")).unwrap();
    let line = |out: &str, key: &str| {
        let text = toml(out);
        text.lines().find(|l| l.starts_with(&format!("{key} = "))).map(|l| l[key.len() + 3..].to_owned())
    };
    let train = |out: &'static str, more: &[&'static str]| {
        let args = [&["train", "--convention", "autol2-code", "--steps", "3", "--out", out], more].concat();
        good(dir.path(), &with(&args, SMALL));
    };
    train("a", &["--lr", "0.2", "--lambda", "0.0005", "--momentum", "0.9"]);
    assert_eq!((line("a", "lr").unwrap(), line("a", "lambda").unwrap()), ("[0.02]".into(), "[0.01]".into()));
    // What no flag gives stays; the authors' schedule keeps its delay of 0.1 steps times their L2.
    train("b", &["--lambda", "0.1", "--lambda-schedule", "autol2-reference"]);
    assert_eq!((line("b", "lr").unwrap(), line("b", "lambda").unwrap()), ("[0.1]".into(), "[2.0]".into()));
    assert_eq!(line("b", "lambda-delay").unwrap(), "2.0");
    let train = |more: &[&'static str]| [&["train", "--steps", "3"], more, SMALL].concat();
    let keras = with(&train(&["--convention", "keras", "--lambda", "0.05", "--json"]), &[]);
    assert_eq!(json(&good(dir.path(), &keras))["runs"][0]["lambda"], 0.1);
    for (more, part) in [
        (&["--convention", "autol2-code", "--loss", "mse"][..], "cross-entropy alone"),
        (&["--convention", "adamw", "--lr", "0.1"], "adamw is no SGD"),
        (&["--convention", "theirs"], "possible values"),
    ] {
        let output = run(dir.path(), &train(more));
        assert!(!output.status.success() && stderr(&output).contains(part), "{more:?}: {}", stderr(&output));
    }
}

#[test]
fn a_convention_is_of_what_flags_give_and_not_of_a_file() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("e.toml"), "lambda-schedule = \"autol2-reference\"\nlambda-delay = 2.0\nlambda = 0.1\n")
        .unwrap();
    let delay = |out: &str, more: &[&str]| {
        let args = [&["train", "e.toml", "--convention", "autol2-code", "--steps", "3", "--out", out], more].concat();
        good(dir.path(), &with(&args, SMALL));
        let text = fs::read_to_string(dir.path().join(out).join("experiment.toml")).unwrap();
        text.lines().find_map(|l| l.strip_prefix("lambda-delay = ")).unwrap().to_owned()
    };
    assert_eq!(delay("a", &[]), "2.0");
    assert_eq!(delay("b", &["--lambda-delay", "2"]), "40.0");
}

#[test]
fn runs_that_no_memory_holds_are_refused_with_what_fits() {
    let dir = TempDir::new().unwrap();
    let wide = ["sweep", "--model", "wrn", "--depth", "28", "--width", "20", "--lambda", "0.1,0.01", "--out", "o"];
    let many = with(&wide, &["--seeds", "64", "--threads", "128", "--batch", "512"]);
    let message = bad(dir.path(), &many, 1);
    assert!(message.contains("batch: a step of 128 run(s) with '512' images"), "{message}");
    assert!(message.contains("GiB are available; "), "{message}");
    assert!(!dir.path().join("o").exists(), "nothing was begun");
}

/// A sweep that takes long enough to be interrupted.
fn long(out: &str) -> Vec<&str> {
    let grid = [
        "sweep",
        "--lambda",
        "0.1,0.004",
        "--lr",
        "0.02",
        "--seeds",
        "2",
        "--threads",
        "2",
        "--momentum",
        "0.5",
        "--out",
        out,
    ];
    with(&grid, SMALL)
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

#[cfg(unix)]
#[test]
fn an_interrupted_sweep_resumes_to_the_same_bits() {
    let dir = TempDir::new().unwrap();
    good(dir.path(), &long("whole"));
    for (out, name) in [("int", "-INT"), ("kill", "-KILL")] {
        let child = l2lab(dir.path(), &long(out)).spawn().unwrap();
        wait_until("the sweep begins", || dir.path().join(out).join("experiment.toml").exists());
        std::thread::sleep(Duration::from_millis(150));
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        if name == "-INT" {
            assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
            assert!(stderr(&output).contains("--resume"), "{}", stderr(&output));
        }
        let unfinished = dir.path().join(out);
        assert!(!unfinished.join("summary.json").exists(), "interrupted in time");
        let changed = bad(dir.path(), &["sweep", "--out", out, "--resume", "--width", "9"], 1);
        assert!(changed.contains("leave out the flags"), "{changed}");
        good(dir.path(), &["sweep", "--out", out, "--resume"]);
        for file in ["traces.csv", "summary.json", "report.html"] {
            let [a, b] = ["whole", out].map(|d| fs::read(dir.path().join(d).join(file)).unwrap());
            assert!(a == b, "{file} after {name}");
        }
        assert!(!unfinished.join("state").exists());
    }
}

#[cfg(unix)]
#[test]
fn a_hangup_is_ignored_under_nohup() {
    let dir = TempDir::new().unwrap();
    let script = format!("trap '' HUP; exec '{}' {}", env!("CARGO_BIN_EXE_l2lab"), long("o").join(" "));
    let mut command = Command::new("sh");
    let mut child = command
        .args(["-c", &script])
        .current_dir(dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the sweep begins", || dir.path().join("o/experiment.toml").exists());
    signal(&child, "-HUP");
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_damaged_checkpoint_is_named() {
    let dir = TempDir::new().unwrap();
    let child = l2lab(dir.path(), &long("o")).spawn().unwrap();
    wait_until("the sweep begins", || dir.path().join("o/experiment.toml").exists());
    std::thread::sleep(Duration::from_millis(150));
    signal(&child, "-INT");
    child.wait_with_output().unwrap();
    let state = dir.path().join("o/state");
    let files = fs::read_dir(&state).unwrap().map(|e| e.unwrap().path());
    let saved: Vec<PathBuf> = files.filter(|p| p.extension().is_some_and(|e| e == "safetensors")).collect();
    assert!(!saved.is_empty());
    let whole: Vec<Vec<u8>> = saved.iter().map(|file| fs::read(file).unwrap()).collect();
    // Cut short; and with one bit of a weight changed.
    let cut = |bytes: &[u8]| bytes[..bytes.len() / 2].to_vec();
    let changed = |bytes: &[u8]| [&bytes[..bytes.len() - 1], &[bytes[bytes.len() - 1] ^ 1]].concat();
    for damage in [&cut as &dyn Fn(&[u8]) -> Vec<u8>, &changed] {
        for (file, bytes) in saved.iter().zip(&whole) {
            fs::write(file, damage(bytes)).unwrap();
        }
        let message = bad(dir.path(), &["sweep", "--out", "o", "--resume"], 1);
        assert!(message.contains(".safetensors' is damaged") && message.contains("remove it"), "{message}");
    }
    for file in &saved {
        fs::remove_file(file).unwrap();
    }
    good(dir.path(), &["sweep", "--out", "o", "--resume"]);
}

#[test]
fn results_of_another_experiment_are_not_mixed_in() {
    let dir = TempDir::new().unwrap();
    let child = l2lab(dir.path(), &long("o")).spawn().unwrap();
    let done = |e: std::io::Result<fs::DirEntry>| e.is_ok_and(|e| e.path().extension().is_some_and(|e| e == "json"));
    wait_until("a run ends", || {
        fs::read_dir(dir.path().join("o/state")).is_ok_and(|entries| entries.into_iter().any(done))
    });
    signal(&child, "-INT");
    child.wait_with_output().unwrap();
    let file = dir.path().join("o/experiment.toml");
    let text = fs::read_to_string(&file).unwrap();
    let width = text.lines().find(|l| l.starts_with("width = ")).unwrap();
    fs::write(&file, text.replace(width, "width = 9")).unwrap();
    let message = bad(dir.path(), &["sweep", "--out", "o", "--resume"], 1);
    assert!(message.contains("is of another experiment or of other data"), "{message}");
    // A remark changes nothing.
    fs::write(&file, text + "# mine\n").unwrap();
    good(dir.path(), &["sweep", "--out", "o", "--resume"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_leaves_nothing_that_looks_finished() {
    let dir = TempDir::new().unwrap();
    let small = dir.path().join("small");
    fs::create_dir(&small).unwrap();
    // A file system of its own, of 48 KiB, in a mount namespace of its own: gone with the process.
    let script = format!(
        "mount -t tmpfs -o size=48k none small && {} {}; code=$?; ls small/o; exit $code",
        env!("CARGO_BIN_EXE_l2lab"),
        with(&["sweep", "--lambda", "1,0.3", "--lr", "0.1", "--seeds", "2", "--out", "small/o"], SMALL).join(" ")
    );
    let attempt = |program: &str, args: &[&str]| {
        Command::new(program).args(args).args(["sh", "-c", &script]).current_dir(dir.path()).output().unwrap()
    };
    let output = attempt("unshare", &["--user", "--map-root-user", "--mount"]);
    let output = if stderr(&output).contains("unshare failed") { attempt("unshare", &["--mount"]) } else { output };
    let message = stderr(&output);
    if message.contains("unshare") || message.contains("mount:") {
        eprintln!("not tested: this system allows no mount namespace ({})", message.trim());
        return;
    }
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("cannot be written") && !message.contains("panicked"), "{message}");
    assert!(!stdout(&output).contains("summary.json"), "{}", stdout(&output));
}

/// A server that answers each request with the next of `answers`, and returns the requests.
fn serve(answers: Vec<Vec<u8>>) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let handle = std::thread::spawn(move || {
        answers
            .into_iter()
            .map(|answer| {
                let mut stream: TcpStream = listener.accept().unwrap().0;
                let mut request = Vec::new();
                let mut byte = [0];
                while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
                    request.push(byte[0]);
                }
                stream.write_all(&answer).unwrap();
                String::from_utf8(request).unwrap()
            })
            .collect()
    });
    (url, handle)
}

fn answer(status: &str, length: usize, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    [head.as_bytes(), body].concat()
}

#[test]
fn a_tampered_download_is_refused_and_removed() {
    let dir = TempDir::new().unwrap();
    let (url, server) = serve(vec![answer("200 OK", 7, b"garbage")]);
    let message = bad(dir.path(), &["data", "fetch", "mnist", "--from", &url], 1);
    server.join().unwrap();
    assert!(message.contains("not what was published") && message.contains("train-images-idx3-ubyte.gz"), "{message}");
    assert_eq!(fs::read_dir(dir.path().join("data/mnist")).unwrap().count(), 0);
    let (url, server) = serve(vec![answer("404 Not Found", 0, b"")]);
    let message = bad(dir.path(), &["data", "fetch", "cifar10", "--from", &url], 1);
    server.join().unwrap();
    assert!(message.contains("status 404"), "{message}");
    assert!(
        bad(dir.path(), &["data", "fetch", "mnist", "--from", "http://127.0.0.1:9"], 1).contains("cannot be reached")
    );
}

/// Folders of real data on this machine, if any: `L2LAB_DATA`, `data`, or Debian's dataset-fashion-mnist.
fn real(name: &str, file: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data");
    let dirs = std::env::var_os("L2LAB_DATA").map(PathBuf::from).into_iter();
    dirs.chain([root, PathBuf::from("/usr/share/datasets")])
        .find(|d| [file.to_owned(), format!("{file}.gz")].iter().any(|f| d.join(name).join(f).exists()))
}

#[test]
fn an_interrupted_download_goes_on_where_it_stopped() {
    let Some(source) = real("fashion-mnist", "t10k-labels-idx1-ubyte.gz") else {
        eprintln!("not tested: no Fashion-MNIST .gz files on this machine");
        return;
    };
    let read = |part: &str| fs::read(source.join("fashion-mnist").join(part)).unwrap();
    let files = [
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte.gz",
        "t10k-images-idx3-ubyte.gz",
        "t10k-labels-idx1-ubyte.gz",
    ];
    let [first, rest @ ..] = files.map(read);
    let dir = TempDir::new().unwrap();
    let half = first.len() / 2;
    let (url, server) = serve(vec![answer("200 OK", first.len(), &first[..half])]);
    let message = bad(dir.path(), &["data", "fetch", "fashion-mnist", "--from", &url], 1);
    server.join().unwrap();
    assert!(message.contains("call again"), "{message}");
    let part = dir.path().join("data/fashion-mnist/train-images-idx3-ubyte.gz.part");
    assert_eq!(fs::metadata(&part).unwrap().len(), half as u64);

    let mut answers = vec![answer("206 Partial Content", first.len() - half, &first[half..])];
    answers.extend(rest.iter().map(|body| answer("200 OK", body.len(), body)));
    let (url, server) = serve(answers);
    assert!(good(dir.path(), &["data", "fetch", "fashion-mnist", "--from", &url]).contains("intact"));
    let requests = server.join().unwrap();
    assert!(requests[0].to_lowercase().contains(&format!("range: bytes={half}-")), "{}", requests[0]);
    assert!(good(dir.path(), &["data", "verify"]).contains("fashion-mnist      intact"));
    // Nothing is fetched twice: no server answers any more.
    good(dir.path(), &["data", "fetch", "fashion-mnist", "--from", &url]);
    let small = with(SMALL, &["--data", "fashion-mnist", "--steps", "20", "--json"]);
    assert_eq!(json(&good(dir.path(), &with(&["train"], &small)))["runs"][0]["steps"], 20);
}

#[test]
fn real_files_are_read_where_they_are() {
    let dir = TempDir::new().unwrap();
    let mut tested = 0;
    for (data, folder, file) in [
        ("mnist", "mnist", "train-images-idx3-ubyte"),
        ("fashion-mnist", "fashion-mnist", "train-images-idx3-ubyte"),
        ("cifar10", "cifar-10-batches-bin", "data_batch_1.bin"),
    ] {
        let Some(source) = real(folder, file) else { continue };
        let source = source.to_str().unwrap().to_owned();
        good(dir.path(), &["data", "verify", data, "--data-dir", &source]);
        let args =
            with(&["train", "--data", data, "--data-dir", &source, "--lambda", "0.1", "--lr", "0.1", "--json"], SMALL);
        let summary = json(&good(dir.path(), &args));
        assert!(summary["runs"][0]["max_test_accuracy"].as_f64().unwrap() > 0.1, "{data}");
        tested += 1;
    }
    eprintln!("{tested} real data sets tested");
}

#[test]
fn cifar100_files_train_with_label_noise_and_a_validation_split() {
    let dir = TempDir::new().unwrap();
    let folder = dir.path().join("data/cifar-100-binary");
    fs::create_dir_all(&folder).unwrap();
    // Coarse label, fine label, 3072 bytes: a quarter of them is bright, and tells the class.
    let record = |i: usize| {
        let quarters = (0..4).flat_map(|q| [if q == i % 4 { 255 } else { 20 }; 768]);
        [0, (i % 4) as u8].into_iter().chain(quarters).collect::<Vec<u8>>()
    };
    let records = |count: usize| (0..count).flat_map(record).collect::<Vec<u8>>();
    fs::write(folder.join("train.bin"), records(80)).unwrap();
    fs::write(folder.join("test.bin"), records(20)).unwrap();
    let base = [
        "train", "--data", "cifar100", "--model", "fc", "--width", "8", "--batch", "8", "--lr", "0.01", "--lambda",
        "0.001",
    ];
    let train = |more: &[&str]| run(dir.path(), &[&base[..], &["--steps", "300", "--json"], more].concat());
    let accuracy = |more: &[&str]| {
        let output = train(&[&["--train", "60", "--validation", "20"][..], more].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        json(&stdout(&output))["runs"][0]["max_test_accuracy"].as_f64().unwrap()
    };
    assert!(accuracy(&[]) > 0.9);
    assert!(accuracy(&["--label-noise", "1"]) < 0.9, "no label is left as it was");
    assert!(stderr(&train(&["--train", "61", "--validation", "20"])).contains("61"));
    fs::write(folder.join("test.bin"), &records(20)[1..]).unwrap();
    assert!(stderr(&train(&["--train", "60", "--test", "20"])).contains("test.bin"));
}

#[cfg(feature = "gpu")]
#[test]
fn a_grid_trains_on_the_gpu_as_on_the_cpu() {
    let dir = TempDir::new().unwrap();
    let sweep = with(&["sweep", "--lambda", "1,0.3", "--lr", "0.1", "--seeds", "2", "--steps", "30", "--json"], SMALL);
    let summary = |device: &str, out: &str| {
        json(&good(dir.path(), &with(&sweep, &["--device", device, "--out", out])))["runs"].clone()
    };
    let [cpu, gpu] = [summary("cpu", "cpu"), summary("gpu", "gpu")];
    for (a, b) in cpu.as_array().unwrap().iter().zip(gpu.as_array().unwrap()) {
        let [a, b] = [a, b].map(|run| run["final_test_accuracy"].as_f64().unwrap());
        // 50 images: one may fall on the other side of a tie.
        assert!((a - b).abs() < 0.021, "accuracy {b} on the gpu, {a} on the cpu");
    }
}

/// A file as numpy writes it: version 1.0, C order.
fn npy(path: &Path, shape: &str, descr: &str, data: &[u8]) {
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}").into_bytes();
    header.resize((10 + header.len() + 1).next_multiple_of(64) - 10 - 1, b' ');
    header.push(b'\n');
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    fs::write(path, [b"\x93NUMPY\x01\x00", &length[..], &header, data].concat()).unwrap();
}

/// The float64 values at the end of an .npy file.
fn npy_values(path: &Path, count: usize) -> Vec<f64> {
    let bytes = fs::read(path).unwrap();
    let tail = &bytes[bytes.len() - 8 * count..];
    tail.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect()
}

#[test]
fn kernel_writes_the_matrix_that_it_was_asked_for() {
    let dir = TempDir::new().unwrap();
    let inputs = [1.0_f64, 0.0, 0.0, 2.0, 1.0, 1.0];
    let bytes: Vec<u8> = inputs.iter().flat_map(|v| v.to_le_bytes()).collect();
    let single: Vec<u8> = inputs.iter().flat_map(|v| (*v as f32).to_le_bytes()).collect();
    npy(&dir.path().join("x.npy"), "(3, 2)", "<f8", &bytes);
    npy(&dir.path().join("x32.npy"), "(3, 2)", "<f4", &single);
    npy(&dir.path().join("images.npy"), "(1, 3, 2, 1)", "<f8", &bytes);
    let kernel = |more: &[&str], count: usize| {
        good(dir.path(), &[&["kernel", "--out", "k.npy"][..], more].concat());
        npy_values(&dir.path().join("k.npy"), count)
    };
    // Linear, depth 1: K = x·x′/d.
    let linear = ["--input", "x.npy", "--depth", "1", "--w-std", "1", "--activation", "linear"];
    assert_eq!(kernel(&linear, 9), [0.5, 0.0, 0.5, 0.0, 2.0, 1.0, 0.5, 1.0, 1.0]);
    // ReLU with σ_w = √2 keeps the diagonal 2x·x/d of the NNGP; the NTK's is depth times that.
    let of =
        |kind: &str, more: &[&str]| kernel(&[&["--depth", "4", "--kind", kind, "--diagonal"][..], more].concat(), 3);
    for (found, exact) in of("nngp", &["--input", "x.npy"]).iter().zip([1.0, 4.0, 2.0]) {
        assert!((found - exact).abs() < 1e-13);
    }
    assert!((of("ntk", &["--input", "x32.npy"])[1] - 16.0).abs() < 1e-12);
    let [two, one] = [&["--input", "x.npy", "--input2", "x32.npy"][..], &["--input", "x.npy"]].map(|a| kernel(a, 9));
    assert!(two.iter().zip(&one).all(|(a, b)| (a - b).abs() < 1e-13), "{two:?} {one:?}");
    for readout in ["flatten", "pool"] {
        assert!(kernel(&["--input", "images.npy", "--conv", "--readout", readout], 1)[0] > 0.0);
    }
    let answer = json(&good(dir.path(), &["kernel", "--input", "x.npy", "--out", "k.npy", "--json"]));
    assert_eq!((&answer["homogeneity"], &answer["shape"]), (&Value::from(3), &serde_json::json!([3, 3])));

    npy(&dir.path().join("other.npy"), "(2, 3)", "<f8", &bytes);
    npy(&dir.path().join("int.npy"), "(3, 2)", "<i8", &bytes);
    npy(&dir.path().join("short.npy"), "(3, 3)", "<f8", &bytes);
    npy(&dir.path().join("huge.npy"), "(4294967296, 4294967296)", "<f8", &bytes);
    npy(&dir.path().join("nan.npy"), "(1, 1)", "<f8", &f64::NAN.to_le_bytes());
    fs::write(dir.path().join("text.npy"), "1,2,3").unwrap();
    npy(&dir.path().join("broken.npy"), "(3, 2), 'what': [}", "<f8", &bytes);
    npy(&dir.path().join("many.npy"), "(3000000, 1)", "<f4", &vec![0; 4 * 3_000_000]);
    npy(&dir.path().join("photo.npy"), "(1, 3000, 3000, 1)", "<f4", &vec![0; 4 * 9_000_000]);
    for (args, part) in [
        (&["--input", "none.npy"][..], "none.npy' cannot be read"),
        (&["--input", "text.npy"], "text.npy' is no .npy file"),
        (&["--input", "int.npy"], "its type is '<i8'"),
        (&["--input", "short.npy"], "48 bytes follow"),
        (&["--input", "huge.npy"], "48 bytes follow"),
        (&["--input", "nan.npy"], "nan.npy': [0, 0] is NaN"),
        (&["--input", "x.npy", "--input2", "nan.npy"], "nan.npy': [0, 0] is NaN"),
        (&["--input", "images.npy"], "needed are inputs [n, d]"),
        (&["--input", "x.npy", "--conv"], "--conv needs images"),
        (&["--input", "x.npy", "--input2", "other.npy"], "[2] and [3]"),
        (&["--input", "broken.npy"], "its header"),
        (&["--input", "many.npy"], "GiB are available; use fewer inputs"),
        (&["--input", "photo.npy", "--conv", "--readout", "pool"], "3000 × 3000 images with pooling needs"),
        (&["--input", "photo.npy", "--conv", "--readout", "pool"], "smaller images"),
        (&["--input", "photo.npy", "--conv", "--depth", "10000"], "GiB are available"),
        (&["--input", "x.npy", "--out", "x.npy"], "is an input"),
        (&["--input", "x.npy", "--out", "no/such/k.npy"], "cannot be written"),
    ] {
        let out = ["--out", "bad.npy"];
        let args = if args.contains(&"--out") { args.to_vec() } else { [args, &out].concat() };
        let message = bad(dir.path(), &[&["kernel"][..], &args].concat(), 1);
        assert!(message.contains(part), "{args:?}: {message}");
    }
    for (args, part) in [
        (["--depth", "0"], "depth"),
        (["--w-std", "-1"], "w-std"),
        (["--b-std", "nan"], "b-std"),
        (["--slope", "0.1"], "leaky-relu"),
    ] {
        let message = bad(dir.path(), &[&["kernel", "--input", "x.npy", "--out", "bad.npy"], &args[..]].concat(), 2);
        assert!(message.contains(part), "{message}");
    }
    for (args, part) in [
        (["--w-std", "1e200", "--depth", "3"], "after layer 1 of 3"),
        (["--activation", "linear", "--depth", "2000"], "of 2000"),
    ] {
        let base = ["kernel", "--input", "x.npy", "--out", "bad.npy", "--w-std", "2"];
        let base = if args[0] == "--w-std" { &base[..5] } else { &base[..] };
        let message = bad(dir.path(), &[base, &args].concat(), 1);
        assert!(message.contains(part), "{message}");
    }
    assert!(!dir.path().join("bad.npy").exists());
}

#[cfg(unix)]
#[test]
fn outputs_replace_no_input_and_keep_links() {
    let dir = TempDir::new().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::write(at("s.csv"), "gamma,y\n1,1\n").unwrap();
    std::os::unix::fs::symlink("s.csv", at("same.csv")).unwrap();
    let run = |out: &str| {
        let args = ["theory", "--spectrum", "s.csv", "--k", "2", "--lambda", "0.1", "--times", "1", "--out", out];
        l2lab(dir.path(), &args).output().unwrap()
    };
    for out in ["s.csv", "same.csv"] {
        assert!(stderr(&run(out)).contains("is an input"), "{out}");
    }
    assert_eq!(fs::read_to_string(at("s.csv")).unwrap(), "gamma,y\n1,1\n");
    fs::write(at("real.csv"), "").unwrap();
    std::os::unix::fs::symlink("real.csv", at("link.csv")).unwrap();
    assert!(run("link.csv").status.success());
    assert!(fs::symlink_metadata(at("link.csv")).unwrap().is_symlink(), "the link stays");
    assert!(fs::read_to_string(at("real.csv")).unwrap().starts_with("lambda,"));
    let listener = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    fs::create_dir(at("folder")).unwrap();
    for out in ["socket", "folder"] {
        assert!(stderr(&run(out)).contains("no regular file"), "{out}");
    }
    drop(listener);
    assert!(!fs::symlink_metadata(at("socket")).unwrap().is_file());
}

#[test]
fn theory_solves_a_bare_spectrum() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("s.csv"), "gamma,y,f0\n2,1,0.5\n0.5,-3,0\n0,1,1\n").unwrap();
    let base = ["theory", "--spectrum", "s.csv", "--out", "f.csv"];
    let run = |more: &[&str]| {
        good(dir.path(), &[&base[..], more].concat());
        let text = fs::read_to_string(dir.path().join("f.csv")).unwrap();
        assert_eq!(text.lines().next(), Some("lambda,time,mode,f"));
        text.lines().skip(1).map(|l| l.split(',').map(|v| v.parse().unwrap()).collect()).collect::<Vec<Vec<f64>>>()
    };
    let rows = run(&["--k", "1", "--lambda", "0.1,0.2", "--times", "0,1,1e3"]);
    assert_eq!(rows.len(), 2 * 3 * 3);
    for row in &rows {
        let ([lambda, time, mode], f) = ([row[0], row[1], row[2]], row[3]);
        let (gamma, y, start) = [(2.0, 1.0, 0.5), (0.5, -3.0, 0.0), (0.0, 1.0, 1.0)][mode as usize];
        let rest: f64 = y * gamma / (gamma + lambda);
        let exact = rest + (start - rest) * (-(gamma + lambda) * time).exp();
        assert!((f - exact).abs() < 1e-14, "{row:?}: {exact}");
    }
    assert_eq!(run(&["--k", "3", "--lambda", "1e-3", "--times", "inf"])[0][3], 0.0);
    for (args, part) in [
        (["--k", "2", "--lambda", "0.1", "--times", "1,0.5"], "must not decrease"),
        (["--k", "2", "--lambda", "-0.1", "--times", "1"], "lambda: '-0.1'"),
        (["--k", "2", "--lambda", "0.1", "--times", "-1"], "time: '-1'"),
        (["--k", "2", "--lambda", "0.1", "--times", "x"], "times: 'x'"),
        (["--k", "2", "--lambda", "0.1,", "--times", "1"], "lambda: '0.1,'"),
        (["--k", "2", "--lambda", "1e-310", "--times", "0"], "lambda: '1e-310'"),
        (["--k", "2", "--lambda", "1e308", "--times", "0"], "lambda: '1e308'"),
    ] {
        let message = bad(dir.path(), &[&base[..], &args].concat(), 2);
        assert!(message.contains(part), "{args:?}: {message}");
    }
    for flag in [&["--data", "mnist"][..], &["--depth", "2"], &["--no-networks"], &["--widths", "8"], &["--resume"]] {
        let args = [&base[..], &["--k", "2", "--lambda", "0.1", "--times", "1"], flag].concat();
        let message = bad(dir.path(), &args, 2);
        assert!(message.contains("cannot be used with") && message.contains(flag[0]), "{message}");
    }
    let good_flags = ["--k", "2", "--lambda", "0.1", "--times", "1"];
    for (content, part) in [
        ("gamma,y\n-1,1\n", "line 2: gamma: '-1'"),
        ("gamma,y\n\n1,1\n\n1,nan\n", "line 5: y: 'nan'"),
        ("gamma,y\n1,one\n", "line 2: y: 'one'"),
        ("gamma,y\n\n1,1\n1\n", "line 4: 1 values, and 2 columns"),
        ("a,b\n1,1\n", "gamma,y"),
        ("gamma,y,F0\n1,1,1\n", "'gamma,y,F0'"),
        ("gamma,y,y\n1,1,1\n", "'gamma,y,y'"),
        ("gamma,y\n", "no rows"),
    ] {
        fs::write(dir.path().join("s.csv"), content).unwrap();
        let message = bad(dir.path(), &[&base[..], &good_flags].concat(), 1);
        assert!(message.contains(part), "{content}: {message}");
    }
}

#[test]
fn theory_of_a_data_set_leaves_what_it_promises() {
    let dir = TempDir::new().unwrap();
    let args = ["theory", "--train", "60", "--test", "80", "--lambda", "0.1,0.03,0.001", "--seeds", "3", "--out", "o"];
    let text = good(dir.path(), &[&args[..], &["--widths", "12,128"]].concat());
    assert!(text.contains("slope of log t_*") && text.contains("o/report.html"), "{text}");
    let out = dir.path().join("o");
    let lines = |name: &str| fs::read_to_string(out.join(name)).unwrap().lines().map(str::to_owned).collect::<Vec<_>>();
    let trajectories = lines("trajectories.csv");
    assert_eq!(trajectories[0], "lambda,time,train_loss,test_loss,test_accuracy,kernel_scale");
    assert_eq!(trajectories.len(), 1 + 3 * 120);
    assert_eq!(lines("modes.csv").len(), 1 + 3 * 60);
    let summary = summary(dir.path(), "o");
    for run in summary["runs"].as_array().unwrap() {
        let [lambda, t, tau] = ["lambda", "t_star", "tau_star"].map(|key| run[key].as_f64().unwrap());
        assert!((lambda * t / tau - 1.0).abs() < 1e-12 && run["final"]["test_loss"].is_f64());
    }
    assert!((summary["slope"].as_f64().unwrap() + 1.0).abs() < 0.5, "{}", summary["slope"]);
    for run in summary["runs"].as_array().unwrap() {
        let largest = summary["eigenvalues"][0].as_f64().unwrap() + run["lambda"].as_f64().unwrap();
        assert!((run["largest_stable_lr"].as_f64().unwrap() * largest - 2.0).abs() < 1e-12);
    }
    assert!(text.contains("largest η"), "{text}");
    let networks = &summary["networks"];
    let exponent = |name: &str| networks[name]["exponent"].as_f64().unwrap();
    let [function, kernel] = ["function_exponent", "kernel_exponent"].map(exponent);
    assert!((-0.9..-0.2).contains(&function) && (-2.0..-0.6).contains(&kernel), "{function} {kernel}");
    let peaks = networks["peaks"].as_array().unwrap();
    assert!(!peaks.is_empty());
    for peak in peaks {
        let same = |e: &&Value| (&e["lambda"], &e["seed"]) == (&peak["lambda"], &peak["seed"]);
        let expected = networks["expected"].as_array().unwrap().iter().find(same).unwrap();
        let ratio = peak["t_star"].as_f64().unwrap() / expected["t_star"].as_f64().unwrap();
        assert!((0.7..1.4).contains(&ratio), "{peak} {expected}");
    }
    assert!(fs::read_to_string(out.join("report.html")).unwrap().matches("<svg").count() >= 6);

    // Again from its own file, without networks: the same theory.
    let again = ["theory", "o/experiment.toml", "--no-networks", "--out", "p", "--json"];
    let json = json(&good(dir.path(), &again));
    assert_eq!((&json["runs"], &json["networks"]), (&summary["runs"], &Value::Null));
    let alone = |more: &[&str], out: &str| {
        good(dir.path(), &[&["theory", "--train", "60", "--test", "80", "--no-networks", "--out", out], more].concat())
    };
    let linear = alone(&["--depth", "1", "--lambda", "0.1,0.01"], "q");
    assert!(linear.contains("here 1 of 2 has one") && linear.contains("overfitting's"), "{linear}");
    let one = alone(&["--lambda", "0.01"], "q1");
    assert!(one.contains("it needs two λ") && !one.contains("L2 does not undo"), "{one}");
    // λ above every eigenvalue: times increase all the same.
    alone(&["--lambda", "1e5"], "q2");
    let csv = fs::read_to_string(dir.path().join("q2/trajectories.csv")).unwrap();
    let times: Vec<f64> = csv.lines().skip(1).map(|l| l.split(',').nth(1).unwrap().parse().unwrap()).collect();
    assert!(times.is_sorted());
    fs::write(dir.path().join("cosine.toml"), "lr-schedule = \"cosine\"\n").unwrap();
    for (more, code, part) in [
        (&["--activation", "erf"][..], 2, "activation: 'erf'"),
        (&["--lambda", "0.1,0"], 2, "lambda: '0' has no t_*"),
        (&["--lambda", "0"], 2, "lambda: '0' has no t_*"),
        (&["--widths", "8,0"], 2, "widths: '0'"),
        (&["--widths", "65536"], 2, "width: '65536'"),
        (&["--width", "8"], 2, "--width"),
        (&["cosine.toml"], 2, "lr-schedule: 'cosine'"),
        (&["--w-std", "1e30"], 1, "eigenvalues sum to"),
        (&["--train", "100000"], 2, "100000"),
    ] {
        let message = bad(dir.path(), &[&["theory", "--out", "r"], more].concat(), code);
        assert!(message.contains(part), "{more:?}: {message}");
    }
    if let Some(data) = real("fashion-mnist", "train-images-idx3-ubyte") {
        let large = ["theory", "--data", "fashion-mnist", "--train", "60000", "--no-networks", "--out", "r"];
        let message = bad(dir.path(), &[&large[..], &["--data-dir", data.to_str().unwrap()]].concat(), 1);
        assert!(message.contains("60000 training") && message.contains("GiB"), "{message}");
    }
    assert!(!dir.path().join("r").exists());
    let help = good(dir.path(), &["theory", "--help"]);
    assert!(help.contains("relu or linear") && help.contains("modes.csv") && !help.contains("traces.csv"), "{help}");
}

#[test]
fn theory_leaves_out_networks_that_say_nothing_and_says_so() {
    let dir = TempDir::new().unwrap();
    let small = ["theory", "--train", "40", "--test", "50", "--seeds", "1", "--json", "--out"];
    let networks = |more: &[&str]| json(&good(dir.path(), &[&small[..], more].concat()))["networks"].clone();
    // Width 1 at depth 8: the kernel is 0, and so is its distance from itself, over 0.
    let dead = networks(&["dead", "--lambda", "0.1", "--widths", "1,2", "--depth", "8"]);
    assert_eq!(dead["widths"][0]["kernel"], serde_json::json!([null]));
    assert!(dead["notes"][0].as_str().unwrap().contains("the kernel of width 1 of seed 0"), "{dead}");
    // A million steps each.
    let long = networks(&["long", "--lambda", "1e-5,3e-6", "--widths", "16"]);
    assert!(long["lambda"].is_null() && long["widths"].as_array().unwrap().is_empty());
    let notes = long["notes"].as_array().unwrap();
    assert!(notes.len() == 2 && notes.iter().all(|n| n.as_str().unwrap().contains("1500")), "{notes:?}");
}

#[cfg(unix)]
#[test]
fn an_interrupted_theory_resumes_with_its_widths() {
    let dir = TempDir::new().unwrap();
    let args = ["theory", "--train", "60", "--test", "40", "--lambda", "0.1,0.03", "--seeds", "6", "--widths", "10,24"];
    let child = l2lab(dir.path(), &[&args[..], &["--threads", "1", "--out", "o"]].concat()).spawn().unwrap();
    wait_until("a network is trained", || dir.path().join("o/state/networks-00000.json").exists());
    signal(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    assert!(stderr(&output).contains("theory --out 'o' --resume"), "{}", stderr(&output));
    let again = fs::read_to_string(dir.path().join("o/experiment.toml")).unwrap();
    assert!(again.starts_with("# Run again: l2lab theory experiment.toml --widths 10,24 --out DIR"), "{again}");
    let changed = bad(dir.path(), &["theory", "--out", "o", "--resume", "--widths", "10"], 1);
    assert!(changed.contains("leave out the flags"), "{changed}");
    let networks = json(&good(dir.path(), &["theory", "--out", "o", "--resume", "--json"]))["networks"].clone();
    let widths: Vec<_> = networks["widths"].as_array().unwrap().iter().map(|w| w["width"].as_u64().unwrap()).collect();
    assert_eq!((widths, &networks["peak_width"]), (vec![10, 24], &Value::from(24)));
    assert!(fs::read_to_string(dir.path().join("o/report.html")).unwrap().contains("--widths 10,24 --out DIR"));
}

#[test]
fn figures_that_were_not_made_alike_are_told() {
    let dir = TempDir::new().unwrap();
    let all = dir.path().join("all");
    let emit = [
        "reproduce",
        "all",
        "--preset",
        "smoke",
        "--out",
        "all",
        "--emit",
        "shell",
        "--checkpoint-every",
        "7",
        "--json",
    ];
    let told = json(&good(dir.path(), &emit));
    let lines = fs::read_to_string(all.join("jobs.txt")).unwrap();
    assert!(told["jobs"] == lines.lines().count() && lines.contains(" --checkpoint-every 7"), "{told} {lines}");
    good(dir.path(), &["reproduce", "fig5", "--preset", "smoke", "--out", "all/fig5"]);
    // As if the others were complete, one by a program of long ago.
    let paper = ["fig1a", "fig1b", "fig1c", "fig2abc", "fig2def", "fig3", "fig4"];
    let large = ["fig1a-large", "fig1b-large", "fig1c-large", "fig2abc-large"];
    for name in paper.into_iter().chain(large).chain(["sharpness", "conditions", "linear", "width"]) {
        let version = if name == "fig3" { "0.0.1" } else { env!("CARGO_PKG_VERSION") };
        let summary = serde_json::json!({
            "command": name, "version": version, "device": "cpu", "heading": name, "about": "", "claims": [],
        });
        fs::write(all.join(name).join("summary.json"), summary.to_string()).unwrap();
    }
    // Told in the command's own form, by the flags of the innermost command.
    let again = json(&good(dir.path(), &["reproduce", "fig3", "--out", "all/fig3", "--resume", "--json"]));
    assert_eq!(again["version"], "0.0.1");
    let output = run(dir.path(), &["reproduce", "all", "--out", "all", "--resume"]);
    let message = stdout(&output);
    assert!(output.status.success() && message.contains("different versions: 0.0.1 (fig3); "), "{message}");
    assert!(fs::read_to_string(all.join("report.html")).unwrap().contains("different versions: 0.0.1 (fig3); "));
    // Another scale is not taken in, even where only the experiment says which it was.
    fs::remove_dir_all(all.join("fig4")).unwrap();
    good(dir.path(), &["reproduce", "fig4", "--preset", "mini", "--out", "all/fig4", "--emit", "shell"]);
    fs::remove_file(all.join("fig4/state/flags")).unwrap();
    let message = bad(dir.path(), &["reproduce", "all", "--out", "all", "--resume"], 1);
    assert!(message.contains("fig4' was begun with --preset mini, all figures with smoke"), "{message}");
}

#[test]
fn bench_reports_every_workload_it_was_asked_for() {
    let dir = TempDir::new().unwrap();
    let report = json(&good(dir.path(), &["bench", "--workload", "fc-512", "--batch", "32", "--json"]));
    let row = &report["bench"][0];
    assert_eq!((row["workload"].as_str(), row["batch"].as_u64()), (Some("fc-512"), Some(32)));
    let rate = row["steps_per_second"].as_f64().unwrap();
    assert!((row["images_per_second"].as_f64().unwrap() / rate - 32.0).abs() < 1e-6);
    let report = json(&good(dir.path(), &["bench", "grid-fc", "--json"]));
    let row = &report["bench"][0];
    assert_eq!((row["workload"].as_str(), row["runs"].as_u64()), (Some("grid-fc"), Some(16)));
    let rate = row["steps_per_second"].as_f64().unwrap();
    assert!(rate > 0.0 && (row["images_per_second"].as_f64().unwrap() / rate - 16.0 * 64.0).abs() < 1e-6);
}

/// Traces of a law of anyone's: three λ, two η and three seeds, each at its best from τ = 1 on, without a column `run`.
fn table(diverges: bool) -> String {
    let mut text = String::from("lambda,lr,seed,step,test_accuracy\n");
    for lambda in [0.1, 0.05, 0.02] {
        for lr in [0.1, 0.2] {
            for seed in 0..3 {
                let end = (4.0 / (lambda * lr)) as u64;
                for i in 1..=60_u64 {
                    let step = (end as f64).powf(i as f64 / 60.0).round();
                    let tau = lambda * lr * step;
                    let noise = 0.002 * ((step * 12.9898 + f64::from(seed) * 78.233).sin() * 43_758.547).fract();
                    let accuracy = 0.6 + 0.2 / (1.0 + (-(tau / 0.5).ln() / 0.2).exp()) + noise;
                    let lost = diverges && lambda == 0.1 && seed == 1 && i == 30;
                    let value = if lost { "nan".into() } else { accuracy.to_string() };
                    let _ = writeln!(text, "{lambda},{lr},{seed},{step},{value}");
                }
            }
        }
    }
    text
}

#[test]
fn fit_finds_the_law_in_anyones_traces_and_in_our_own() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("grid.csv"), table(false)).unwrap();
    let answer = json(&good(dir.path(), &["fit", "grid.csv", "--budget", "10000", "--json"]));
    let fit = &answer["fit"];
    assert_eq!((&fit["cells_timed"], &fit["seeds"], &fit["law"]), (&6.into(), &3.into(), &"holds".into()), "{answer}");
    assert!((fit["slope"].as_f64().unwrap() + 1.0).abs() < 0.02, "{fit}");
    let c_prime = fit["c_prime"].as_f64().unwrap();
    let predicted = answer["prediction"]["lambda_pred"].as_f64().unwrap();
    assert!((predicted - c_prime / (0.2 * 10_000.0)).abs() < 1e-12, "{answer}");
    let text = good(dir.path(), &["fit", "grid.csv"]);
    assert!(text.contains("plateau") && text.contains("placebo") && text.contains("assumed:"), "{text}");

    // A value that is no number ends its run, and with it what its λ says; two λ are left.
    fs::write(dir.path().join("lost.csv"), table(true)).unwrap();
    let lost = json(&good(dir.path(), &["fit", "lost.csv", "--json"]));
    assert!(lost["fit"].is_null() && lost["fit_refused"].as_str().unwrap().contains("2 diverged"), "{lost}");

    good(dir.path(), &with(&["sweep", "--out", "o"], LAWFUL));
    let own = json(&good(dir.path(), &["fit", "o/traces.csv", "--json"]));
    let [ours, theirs] = [&summary(dir.path(), "o")["fit"]["slope"], &own["fit"]["slope"]].map(|v| v.as_f64().unwrap());
    assert!((ours - theirs).abs() < 0.02, "{ours} {theirs}");

    let error = bad(dir.path(), &["fit", "grid.csv", "--budget", "10ep"], 2);
    assert!(error.contains("budget: '10ep'") && error.contains("a number of steps"), "{error}");
    fs::write(dir.path().join("one.csv"), "step,test_accuracy\n1,0.1\n2,0.2\n").unwrap();
    assert!(bad(dir.path(), &["fit", "one.csv"], 1).contains("no column 'lambda'"));
}

#[test]
fn where_all_runs_diverge_a_learning_rate_that_would_not_is_told() {
    let dir = TempDir::new().unwrap();
    let args = with(&["sweep", "--lambda", "0.3,0.1,0.03", "--lr", "500", "--steps", "40", "--json"], SMALL);
    let output = run(dir.path(), &with(&args, &["--seeds", "1"]));
    let answer = json(&stdout(&output));
    let why = answer["fit_refused"].as_str().unwrap();
    assert!(answer["fit"].is_null() && why.contains("diverged") && why.contains("try --lr"), "{why}");
    assert!(stderr(&output).contains("note: seeds"), "{}", stderr(&output));
    let lr: &str = why.rsplit(' ').next().unwrap();
    let tamed = ["sweep", "--lambda", "0.3,0.1,0.03", "--steps", "40", "--seeds", "1", "--json", "--lr", lr];
    let answer = json(&good(dir.path(), &with(&tamed, SMALL)));
    assert!(answer["runs"].as_array().unwrap().iter().all(|r| r["diverged"] == false), "{lr}: {answer}");
}
