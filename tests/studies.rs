//! AutoL2, exponents and the paper's figures on the command line.

use std::{fs, path::Path, process::Command};

use serde_json::Value;
use support::{bad, good, json, run, stderr, stdout, summary, unpacked};
use tempfile::TempDir;

mod support;

/// A grid that takes a second or two.
const SMALL: &[&str] =
    &["--model", "fc", "--train", "64", "--test", "50", "--width", "4", "--batch", "16", "--seeds", "2"];

#[test]
fn replay_prints_the_decays_worked_out_by_hand() {
    let dir = TempDir::new().unwrap();
    let vectors: Vec<Value> = serde_json::from_str(include_str!("autol2-vectors.json")).unwrap();
    for v in &vectors {
        let row = |r: &Value| format!("{},{},{}\n", r[0], r[1], r[2]);
        let rows: String = v["log"].as_array().unwrap().iter().map(row).collect();
        // Columns by name, in any order, with others beside them.
        fs::write(dir.path().join("log.csv"), format!("step,loss,accuracy\n{rows}")).unwrap();
        let mut args = vec!["autol2".to_owned(), "replay".into(), "log.csv".into()];
        for (flag, key) in [("--lambda0", "lambda0"), ("--factor", "factor"), ("--delay", "delay")] {
            args.extend(v[key].as_f64().map(|x| [flag.to_owned(), x.to_string()]).into_iter().flatten());
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let out = good(dir.path(), &args);
        let mut lines = out.lines();
        assert_eq!(lines.next(), Some("step,lambda"));
        let found: Vec<(u64, f64)> = lines
            .map(|l| l.split_once(',').unwrap())
            .map(|(step, lambda)| (step.parse().unwrap(), lambda.parse().unwrap()))
            .collect();
        let expected: Vec<(u64, f64)> =
            v["decays"].as_array().unwrap().iter().map(|d| (d[0].as_u64().unwrap(), d[1].as_f64().unwrap())).collect();
        let near = |(a, b): (&(u64, f64), &(u64, f64))| a.0 == b.0 && (a.1 / b.1 - 1.0).abs() < 1e-12;
        assert!(found.len() == expected.len() && found.iter().zip(&expected).all(near), "{}: {out}", v["name"]);
    }
    fs::write(dir.path().join("log.csv"), "accuracy, step ,lr,loss\n0.1,10,1,1\n0.1,20,1,1\n0.1,30,1,1\n").unwrap();
    assert_eq!(good(dir.path(), &["autol2", "replay", "log.csv"]), "step,lambda\n30,0.01\n");
    assert_eq!(good(dir.path(), &["autol2", "replay", "log.csv", "--json"]), "[{\"lambda\":0.01,\"step\":30}]\n");
}

#[test]
fn replay_refuses_logs_that_are_none() {
    let dir = TempDir::new().unwrap();
    for (log, part) in [
        ("step,loss\n1,2\n", "no column 'accuracy'; it has step, loss"),
        ("step,loss,accuracy\n", "no row"),
        ("step,loss,accuracy\n10,nan,0.5\n", "line 2: loss 'nan' is not a finite number"),
        ("step,loss,accuracy\n10,1,\n", "line 2: accuracy '' is not a finite number"),
        ("step,loss,accuracy\n10,1,0.5\n10,1,0.5\n", "line 3: step 10 comes after step 10"),
        ("step,loss,accuracy\n-1,1,0.5\n", "step '-1' is not a whole number"),
        ("step,loss,accuracy\n10,1\n", "line: 2"),
    ] {
        fs::write(dir.path().join("log.csv"), log).unwrap();
        let error = bad(dir.path(), &["autol2", "replay", "log.csv"], 1);
        assert!(error.contains(part) && error.contains("log.csv"), "{log:?}: {error}");
    }
    assert!(bad(dir.path(), &["autol2", "replay", "none.csv"], 1).contains("none.csv"));
    let error = bad(dir.path(), &["autol2", "replay", "log.csv", "--factor", "1"], 2);
    assert!(error.contains("factor: '1' is not allowed: a number above 1"), "{error}");
}

#[test]
fn schedules_of_lambda_train_beside_the_grid() {
    let dir = TempDir::new().unwrap();
    let args = [&["sweep", "--lambda", "0.1,0.01", "--lr", "0.1", "--steps", "60", "--depth", "2"], SMALL].concat();
    let more = ["--compare", "autol2-reference,inverse-time", "--out", "s", "--probe-every", "5"];
    let text = good(dir.path(), &[&args[..], &more].concat());
    assert_eq!(text.matches("λ at the start").count(), 2, "{text}");
    let summary = summary(dir.path(), "s");
    let runs = summary["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 8);
    assert_eq!(runs[7]["lambda_schedule"], "inverse-time");
    // λ(60) = 0.1/(1 + 0.1·0.1·60).
    let traces = fs::read_to_string(dir.path().join("s/traces.csv")).unwrap();
    let last = traces.lines().rfind(|l| l.starts_with("7,")).unwrap();
    let lambda: f64 = last.split(',').nth(1).unwrap().parse().unwrap();
    assert!((lambda - 0.1 / 1.6).abs() < 1e-12, "{last}");
    // Only constants enter fits and the prediction's grid.
    assert!(summary["fits"].as_object().unwrap().values().all(|f| f["n"].as_u64().unwrap() <= 4), "{summary}");
    let error = bad(dir.path(), &["sweep", "--lambda-min", "0.1"], 2);
    assert!(error.contains("lambda-min") && error.contains("not constant"), "{error}");
    let error = bad(dir.path(), &["train", "--optimizer", "adamw", "--momentum", "0.9"], 2);
    assert!(error.contains("momentum: adam and adamw"), "{error}");
}

#[test]
fn figure_1c_compares_autol2_with_the_best_constant() {
    let dir = TempDir::new().unwrap();
    let args = ["reproduce", "fig1c", "--preset", "smoke", "--train", "64", "--test", "50", "--epochs", "2"];
    let text = good(dir.path(), &args);
    // No files of CIFAR-10 here.
    assert!(text.starts_with("smoke; the paper has a Wide ResNet 28-10 on CIFAR-10. fashion-mnist-512"), "{text}");
    for part in ["AutoL2, reference", "λ ∝ 1/t", "then off", "η falling in steps", "runs/reproduce-fig1c-1/report.html"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let out = "runs/reproduce-fig1c-1";
    let summary = summary(dir.path(), out);
    let sections = summary["sections"].as_array().unwrap();
    assert_eq!(sections.len(), 2);
    let arms = sections[0]["arms"].as_array().unwrap();
    assert_eq!(arms.len(), 7, "three constants and four schedules");
    let best = |a: &&Value| a["final_accuracy"]["mean"].as_f64().unwrap();
    let constants: Vec<&Value> = arms.iter().filter(|a| a["lambda_schedule"] == "constant").collect();
    let top = constants.iter().map(best).fold(0.0, f64::max);
    assert_eq!(sections[0]["best_accuracy"].as_f64().unwrap(), top);
    // Each seed is compared with the constant that is best for the other: at most as good as the best of all.
    for arm in arms.iter().filter(|a| a["lambda_schedule"] != "constant") {
        let [gain, least] = [arm["gain"].as_f64().unwrap(), best(&arm) - top];
        assert!(gain >= least - 1e-12, "{gain} {least}: {arm}");
        assert!(arm["compared"] == 2 && arm["final_accuracy"]["n"] == 2, "{arm}");
    }
    let off = arms.iter().find(|a| a["lambda_schedule"] == "off").unwrap();
    assert_eq!(off["final_lambda"], serde_json::json!([0.0, 0.0]));
    assert_eq!(off["lambda"], sections[0]["best_lambda"]);
    let report = fs::read_to_string(dir.path().join(out).join("report.html")).unwrap();
    assert!(report.contains("Figure 1c") && report.matches("<svg").count() == 5, "five figures");
    assert!(dir.path().join(out).join("fig1c.svg").is_file());
    let again = good(dir.path(), &["reproduce", "fig1c", "--out", out, "--resume"]);
    assert!(again.contains("is complete"), "{again}");
    let error = bad(dir.path(), &["reproduce", "fig1c", "--lr", "0.1,0.2"], 2);
    assert!(error.contains("lr: the figure takes one"), "{error}");
}

#[test]
fn figure_1b_puts_the_prediction_beside_the_tuned_lambda() {
    let dir = TempDir::new().unwrap();
    let base = ["reproduce", "fig1b", "--preset", "smoke", "--model", "fc", "--batch-norm=false", "--lr", "0.05"];
    let more = ["--epochs", "1000", "--lambda", "0.2,0.1,0.05", "--momentum", "0", "--w-std", "8", "--depth", "2"];
    let small = ["--bias=false", "--train", "256", "--test", "500", "--width", "32", "--batch", "128", "--out", "b"];
    let text = good(dir.path(), &[&base[..], &more, &small].concat());
    assert!(text.contains("λ_pred from short runs at one λ"), "{text}");
    let summary = summary(dir.path(), "b");
    let budgets = summary["budgets"].as_array().unwrap();
    assert_eq!(budgets.iter().map(|b| b["steps"].as_u64().unwrap()).collect::<Vec<_>>(), [500, 1000, 2000]);
    let lambda = |i: usize| budgets[i]["prediction"]["lambda_pred"].as_f64().unwrap();
    assert!((lambda(0) / lambda(1) - 2.0).abs() < 1e-9, "λ_pred is inverse in the budget");
    assert!(budgets.iter().all(|b| b["regret"]["seeds"] == 2), "{summary}");
    let error = bad(dir.path(), &["reproduce", "fig1b", "--lr-schedule", "cosine", "--preset", "smoke"], 2);
    assert!(error.contains("lr-schedule"), "{error}");
}

#[test]
fn figure_2_spans_a_grid_of_lambda_and_lr() {
    let dir = TempDir::new().unwrap();
    let text = good(dir.path(), &["reproduce", "fig2abc", "--preset", "smoke", "--out", "f"]);
    // No files of MNIST here.
    assert!(
        text.starts_with("smoke; the paper has three hidden layers on 512 images of MNIST. fashion-mnist-512"),
        "{text}"
    );
    for claim in ["goes as 1/λ at fixed η", "a smaller λ does better"] {
        assert!(text.contains(claim), "{claim}: {text}");
    }
    let summary = summary(dir.path(), "f");
    assert_eq!(summary["heading"], "Figures 2a to 2c, smoke: fully connected networks over λ and η");
    let summary = &summary["sections"][0];
    assert_eq!(summary["cells"].as_array().unwrap().len(), 6);
    // The trend over two η is the difference between them, over the cells of equal λ.
    let cells = summary["cells"].as_array().unwrap();
    let best = |lr: f64| {
        let own = cells.iter().filter(|c| c["lr"] == lr);
        own.map(|c| c["max_test_accuracy"].as_f64().unwrap()).sum::<f64>() / 3.0
    };
    let expected = best(0.1) - best(0.05);
    assert!((summary["across_lr"]["mean"].as_f64().unwrap() - expected).abs() < 1e-12, "{summary}");
    let report = fs::read_to_string(dir.path().join("f/report.html")).unwrap();
    assert_eq!(report.matches("<svg").count(), 3, "three panels");
    assert!(["fig2a.svg", "fig2b.svg", "fig2c.svg"].iter().all(|f| dir.path().join("f").join(f).is_file()));
    for (flags, part) in [
        (&["--lr", "0.1"][..], "lr: the figure needs two values"),
        (&["--steps", "50"], "give tau"),
        (&["--lr-schedule", "cosine"], "lr-schedule"),
        (&["--compare", "autol2"], "constant λ"),
    ] {
        let error = bad(dir.path(), &[&["reproduce", "fig2abc", "--preset", "smoke"], flags].concat(), 2);
        assert!(error.contains(part), "{error}");
    }
}

/// λ, test accuracies and training losses of a directory's runs, over their measurements after the start, and the last step.
fn curves(dir: &Path, out: &str) -> Vec<(f64, Vec<f64>, Vec<f64>, u64)> {
    let text = unpacked(dir, out);
    let mut curves: Vec<(f64, Vec<f64>, Vec<f64>, u64)> = Vec::new();
    let mut last = "";
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        if cells[1] != last {
            curves.push((cells[2].parse().unwrap(), Vec::new(), Vec::new(), 0));
            last = cells[1];
        }
        if cells[6] != "0" {
            let curve = curves.last_mut().unwrap();
            curve.1.push(cells[12].parse().unwrap());
            curve.2.push(cells[9].parse().unwrap());
            curve.3 = cells[6].parse().unwrap();
        }
    }
    curves
}

#[test]
fn figure_1a_trains_each_lambda_for_a_fixed_time_and_for_one_that_goes_as_its_inverse() {
    let dir = TempDir::new().unwrap();
    let small = [
        "--model",
        "fc",
        "--batch-norm=false",
        "--flip=false",
        "--crop",
        "0",
        "--train",
        "64",
        "--batch",
        "16",
        "--measurements",
        "100",
    ];
    let text = good(dir.path(), &[&["reproduce", "fig1a", "--preset", "smoke", "--out", "a"], &small[..]].concat());
    assert!(text.contains("accuracy peaks at one λ (R4)") && text.contains("a smaller λ does better (R3)"), "{text}");
    let summary = summary(dir.path(), "a");
    assert!(summary["experiment"]["lr-schedule"] == "step" && summary["lambda_fixed"] == 0.03);
    let steps: Vec<Value> = summary["rows"].as_array().unwrap().iter().map(|r| r["steps"].clone()).collect();
    assert_eq!(Value::from(steps), serde_json::json!([[12, 4], [12, 12], [12, 36]]));
    // The one whose times agree is trained once, and λ = 0 twice as long as the longest: six runs of each seed.
    let curves = curves(dir.path(), "a");
    assert_eq!(curves.len(), 12);
    let lasts = |lambda: f64| curves.iter().filter(|c| c.0 == lambda).map(|c| c.3).collect::<Vec<_>>();
    assert_eq!((lasts(0.03), lasts(0.01), lasts(0.0)), (vec![12; 2], vec![12, 12, 36, 36], vec![72; 2]));
    // Differences of accuracies at the end are those of the rows, which are near to what was measured there.
    let rows = summary["rows"].as_array().unwrap();
    let mean = |row: usize, set: usize| rows[row]["accuracy"][set]["mean"].as_f64().unwrap();
    let ends = |lambda: f64| curves.iter().filter(|c| c.0 == lambda).map(|c| *c.1.last().unwrap()).collect::<Vec<_>>();
    let measured = ends(0.03).iter().sum::<f64>() / 2.0;
    assert!((mean(1, 0) - measured).abs() < 0.1 && mean(1, 0) == mean(1, 1), "{} {measured}", mean(1, 0));
    let gain = mean(2, 1) - mean(1, 1);
    assert!((summary["last_gain"]["mean"].as_f64().unwrap() - gain).abs() < 1e-12, "{summary}");
    // Between the ends there is one λ.
    for (end, row) in [0, 2].into_iter().enumerate() {
        let loss = summary["ends"][end]["regret"].as_f64().unwrap();
        assert!((loss - (mean(1, 0) - mean(row, 0))).abs() < 1e-12, "{summary}");
    }
    assert!(summary["trend"]["n"] == 2 && summary["none"]["seeds"] == 2, "{summary}");
    let error = bad(dir.path(), &["reproduce", "fig1a", "--preset", "smoke", "--lambda", "1,0.1,1e-300"], 2);
    assert!(error.contains("lambda: the smallest"), "{error}");
    let error = bad(dir.path(), &["reproduce", "fig1a", "--preset", "smoke", "--tau", "1"], 2);
    assert!(error.contains("give steps or epochs"), "{error}");
}

#[test]
fn figure_3_trains_with_batch_normalization_and_without() {
    let dir = TempDir::new().unwrap();
    let text = good(dir.path(), &["reproduce", "fig3", "--preset", "smoke", "--out", "f"]);
    assert!(text.contains("with batch norm") && text.contains("without batch norm"), "{text}");
    let summary = summary(dir.path(), "f");
    let names: Vec<&str> =
        summary["sections"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["without batch norm", "with batch norm"]);
    let [plain, normalized] = [0, 1].map(|i| summary["sections"][i]["runs"].clone());
    assert!(plain.as_array().unwrap().len() == 6 && plain != normalized, "two networks");
    for flags in [["--batch-norm=true", "--seeds=2"], ["--model=fc", "--seeds=2"]] {
        let error = bad(dir.path(), &[&["reproduce", "fig3", "--preset", "smoke"], &flags[..]].concat(), 2);
        assert!(error.contains("batch"), "{error}");
    }
}

#[test]
fn figure_4_measures_the_decay_where_other_seeds_peak() {
    let dir = TempDir::new().unwrap();
    good(dir.path(), &["reproduce", "fig4", "--preset", "smoke", "--out", "f"]);
    let summary = summary(dir.path(), "f");
    let curves = curves(dir.path(), "f");
    let rows = summary["rows"].as_array().unwrap();
    for (row, lambda) in rows.iter().zip([0.2, 0.1, 0.05]) {
        let own: Vec<_> = curves.iter().filter(|c| c.0 == lambda).collect();
        assert_eq!((own.len(), row["decay"]["n"].as_u64()), (2, Some(2)));
        // Smoothed, a fall is never larger than from the highest to the lowest that was measured.
        let range = |values: &[f64]| {
            values.iter().copied().fold(f64::MIN, f64::max) - values.iter().copied().fold(f64::MAX, f64::min)
        };
        let most = range(&[own[0].1.clone(), own[1].1.clone()].concat());
        let decay = row["decay"]["mean"].as_f64().unwrap();
        assert!(decay.abs() <= most + 0.05, "{decay} of {most}");
    }
    // Every λ counts once for each seed.
    let mean = |key: &str| rows.iter().map(|r| r[key]["mean"].as_f64().unwrap()).sum::<f64>() / 3.0;
    for key in ["decay", "rise"] {
        let all = &summary[key];
        assert!((all["mean"].as_f64().unwrap() - mean(key)).abs() < 1e-12 && all["n"] == 2, "{key}: {all}");
    }
}

#[test]
fn everything_is_reproduced_in_one_directory_with_one_report() {
    let dir = TempDir::new().unwrap();
    let base = ["reproduce", "all", "--preset", "smoke", "--out", "all"];
    let text = good(dir.path(), &base);
    let paper = ["fig1a", "fig1b", "fig1c", "fig2abc", "fig2def", "fig3", "fig4", "fig5"];
    for name in paper.into_iter().chain([
        "sharpness",
        "conditions",
        "linear",
        "width",
        "fig1a-large",
        "fig1b-large",
        "fig1c-large",
        "fig2abc-large",
    ]) {
        assert!(text.contains(name), "{name}: {text}");
        assert!(dir.path().join("all").join(name).join("report.html").is_file(), "{name}");
    }
    assert!(text.contains("16 figures, "), "{text}");
    let all = summary(dir.path(), "all");
    let claims = |name: &str| all["figures"][name]["claims"].as_array().unwrap().len();
    assert!(claims("fig2def") >= 3 && claims("fig5") >= 2, "{all}");
    let report = fs::read_to_string(dir.path().join("all/report.html")).unwrap();
    let pictures = report.matches("<svg").count();
    // A panel of times is left out where nothing can be timed.
    assert!(pictures >= 13 && report.contains("Figure 1a, smoke"), "every picture: {pictures}");
    let error = bad(dir.path(), &base, 1);
    assert!(error.contains("exists already"), "{error}");
    let error = bad(dir.path(), &["reproduce", "all", "--preset", "mini", "--out", "all", "--resume"], 1);
    assert!(error.contains("was begun with smoke"), "{error}");
    // What is there is not made again; what was lost is.
    fs::remove_dir_all(dir.path().join("all/fig4")).unwrap();
    let before = fs::metadata(dir.path().join("all/fig3/summary.json")).unwrap().modified().unwrap();
    let again = good(dir.path(), &["reproduce", "all", "--out", "all", "--resume"]);
    assert_eq!(again, text);
    assert_eq!(fs::metadata(dir.path().join("all/fig3/summary.json")).unwrap().modified().unwrap(), before);
}

#[test]
fn a_figure_tells_its_cost_and_trains_nothing() {
    let dir = TempDir::new().unwrap();
    let text = good(dir.path(), &["reproduce", "fig3", "--preset", "smoke", "--cost"]);
    assert!(text.contains("fig3 grid: 6 runs, ") && text.contains("fig3 batch-norm: 6 runs"), "{text}");
    let told: Value =
        serde_json::from_str(&good(dir.path(), &["reproduce", "fig1a", "--preset", "smoke", "--cost", "--json"]))
            .unwrap();
    let phase = &told["phases"][0];
    // Fixed and scaled times of three λ, and none, of two seeds, at eight steps an epoch.
    assert_eq!((phase["runs"].as_u64(), phase["steps"].as_u64()), (Some(12), Some(2 * (24 * 3 + 7 + 72 + 144))));
    assert!(phase["seconds_per_step"].as_f64().unwrap() > 0.0);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "nothing was made");
    // The paper's own images are not replaced by others.
    let error = bad(dir.path(), &["reproduce", "fig1a", "--preset", "full"], 1);
    assert!(error.contains("cifar10"), "{error}");
}

/// Runs each line of a list of jobs, the last first: any order will do.
fn jobs(dir: &Path, list: &str) -> usize {
    let text = fs::read_to_string(dir.join(list)).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    let last = lines.pop().unwrap();
    for line in lines.iter().rev().chain([&last]) {
        let output = Command::new("sh").args(["-c", line]).current_dir("/").output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }
    lines.len()
}

#[test]
fn jobs_for_a_scheduler_give_what_one_process_gives() {
    let dir = TempDir::new().unwrap();
    good(dir.path(), &["reproduce", "fig3", "--preset", "smoke", "--out", "whole"]);
    let text = good(dir.path(), &["reproduce", "fig3", "--preset", "smoke", "--out", "it's here", "--emit", "slurm"]);
    assert!(text.contains("13 jobs in it's here/jobs.txt") && text.contains("sbatch"), "{text}");
    let script = fs::read_to_string(dir.path().join("it's here/jobs.sbatch")).unwrap();
    assert!(script.contains("#SBATCH --array=0-12\n"), "{script}");
    // A task as the scheduler starts it.
    let mut task = Command::new("sh");
    task.arg(dir.path().join("it's here/jobs.sbatch")).env("SLURM_ARRAY_TASK_ID", "4").current_dir("/");
    let output = task.output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "run 4 of 12 is done\n", "{:?}", output.stderr);
    assert_eq!(jobs(dir.path(), "it's here/jobs.txt"), 12);
    for file in ["traces.csv.gz", "summary.json"] {
        let [a, b] = ["whole", "it's here"].map(|d| fs::read(dir.path().join(d).join(file)).unwrap());
        assert!(a == b, "{file}");
    }
    let text = good(dir.path(), &["reproduce", "all", "--preset", "smoke", "--out", "all", "--emit", "shell"]);
    assert!(text.contains("jobs.sh"), "{text}");
    let mut script = Command::new("sh");
    let output = script.arg("all/jobs.sh").env("JOBS", "2").current_dir(dir.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(dir.path().join("all/report.html").is_file() && dir.path().join("all/fig5/report.html").is_file());
    // Jobs are for other machines: this one need not have their device.
    let there = ["reproduce", "fig3", "--preset", "smoke", "--device", "gpu:7", "--emit", "shell", "--out", "g"];
    assert!(good(dir.path(), &there).contains("13 jobs"));
    assert!(fs::read_to_string(dir.path().join("g/jobs.txt")).unwrap().contains("--device gpu:7 "));
    let error = bad(dir.path(), &["reproduce", "fig3", "--emit", "shell"], 2);
    assert!(error.contains("--out"), "{error}");
}

#[test]
fn the_exponent_comes_with_its_optima_and_the_laws() {
    let dir = TempDir::new().unwrap();
    let base = ["exponent", "--lr", "0.1", "--lambda", "3,1,0.3,0.1,0.03", "--steps", "80", "--depth", "2"];
    let text = good(dir.path(), &[&base[..], SMALL, &["--budgets", "20,40,80", "--out", "e"]].concat());
    assert!(
        text.contains("budget, steps") && (text.contains("λ_opt ∝ T^(−p)") || text.contains("no exponent")),
        "{text}"
    );
    let summary = summary(dir.path(), "e");
    assert_eq!(summary["budgets"], serde_json::json!([20, 40, 80]));
    assert_eq!((summary["optima"].as_array().unwrap().len(), summary["laws"].as_array().unwrap().len()), (3, 4));
    // A schedule of η ends with its budget: each has a grid of its own.
    let args = [&base[..], SMALL, &["--budgets", "20,80", "--lr-schedule", "cosine", "--out", "c"]].concat();
    good(dir.path(), &args);
    let traces = unpacked(dir.path(), "c");
    let ends = |step: &str| traces.lines().filter(|l| l.split(',').nth(6) == Some(step)).count();
    assert!(ends("80") == 10 && ends("20") >= 10, "ten runs of each length");
    for (flags, part) in [
        (&["--budgets", "20"][..], "two or more different budgets"),
        (&["--budgets", "20,1tau"], "steps or epochs"),
        (&["--budgets", "20,9000"], "at most the length of the runs, 80 steps"),
    ] {
        let error = bad(dir.path(), &[&base[..], SMALL, flags].concat(), 2);
        assert!(error.contains(part), "{error}");
    }
    assert!(bad(dir.path(), &["exponent", "--lambda", "0.1,0.01"], 2).contains("three or more"));
}

#[test]
fn predict_takes_the_largest_lambda_that_has_a_peak_and_verifies() {
    let dir = TempDir::new().unwrap();
    let small = ["--train", "256", "--test", "500", "--width", "32", "--seeds", "2"];
    let predict = |more: &[&'static str]| [&["predict", "--budget", "600"], &small[..], more].concat();
    // λ₀ = 30 makes runs of four steps: nothing is made of them.
    let output = run(dir.path(), &predict(&["--lambda", "30,0.2", "--verify", "--out", "p"]));
    let [out, err] = [stdout(&output), stderr(&output)];
    assert!(output.status.success(), "{err}");
    assert!(err.contains("at λ₀ = 30 the curves are") && err.contains("going on to λ₀ = 0.2"), "{err}");
    assert!(out.contains("at λ = 0.2") && out.contains("verified over 600 steps (n = 2 seeds)"), "{out}");
    assert_eq!(out.matches("λ_pred\n").count(), 1, "{out}");
    let again = good(dir.path(), &["predict", "--out", "p", "--resume"]);
    assert!(again.contains("is complete"), "{again}");
    let answer: Value = serde_json::from_str(&good(dir.path(), &predict(&["--lambda", "0.2", "--json"]))).unwrap();
    assert!(answer["verification"].is_null() && answer["lambda"] == 0.2);
    let error = bad(dir.path(), &predict(&["--lambda", "30"]), 1);
    assert!(error.contains("no t_*: at λ₀ = 30 the curves are"), "{error}");
    let error = bad(dir.path(), &predict(&["--compare", "autol2"]), 2);
    assert!(error.contains("constant λ"), "{error}");
}

/// A study of the smoke preset: its summary, and the rows of its traces as cells.
fn study(name: &str) -> (Value, Vec<Vec<String>>) {
    let dir = TempDir::new().unwrap();
    let text = good(dir.path(), &["reproduce", name, "--preset", "smoke", "--out", "o"]);
    assert!(text.contains("2 seed(s), each with images of its own"), "{text}");
    let rows = unpacked(dir.path(), "o").lines().skip(1).map(|l| l.split(',').map(str::to_owned).collect()).collect();
    (summary(dir.path(), "o"), rows)
}

fn number(row: &[String], column: usize) -> f64 {
    row[column].parse().unwrap()
}

#[test]
fn sharpness_trains_three_networks_from_each_scale_and_measures_how_their_weights_shrink() {
    let (summary, rows) = study("sharpness");
    let starts = summary["starts"].as_array().unwrap();
    let names: Vec<&str> = starts.iter().map(|s| s["network"].as_str().unwrap()).collect();
    assert_eq!(names, ["fc", "fc", "cnn", "cnn", "cnn with batch norm", "cnn with batch norm"]);
    assert!(starts.iter().zip([2_f64.sqrt(), 8.0].repeat(3)).all(|(s, scale)| s["w_std"] == scale), "{summary}");
    // ln ‖θ‖² against τ through the start of each run up to τ = ½, by hand: the second start's phase is 1.
    let mut rates: Vec<(String, f64)> = Vec::new();
    let own: Vec<_> = rows.iter().filter(|r| r[0] == "1").collect();
    for run in own.chunk_by(|a, b| a[1] == b[1]) {
        let first = number(run[0], 13);
        let early = run.iter().filter(|r| number(r, 8) > 0.0 && number(r, 8) <= 0.5);
        let sums = early.map(|r| (number(r, 8) * (number(r, 13) / first).ln(), number(r, 8).powi(2)));
        let (products, squares) = sums.fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
        rates.push((run[0][5].clone(), products / squares));
    }
    assert_eq!(rates.len(), 6);
    let of_seed = |seed: &str| rates.iter().filter(|r| r.0 == seed).map(|r| r.1).sum::<f64>() / 3.0;
    let expected = f64::midpoint(of_seed("0"), of_seed("1"));
    let rate = starts[1]["norm_rate"]["mean"].as_f64().unwrap();
    assert!((rate - expected).abs() < 1e-3 && (rate + 2.0).abs() < 0.1, "{rate}, by hand {expected}");
    // The largest weights' runs and those of ten times smaller λ.
    let late = summary["late"]["cells"].as_array().unwrap();
    let lambdas: Vec<f64> = late.iter().map(|c| c["lambda"].as_f64().unwrap()).collect();
    assert_eq!(lambdas, [1.0, 0.5, 0.25, 0.1, 0.05, 0.025]);
}

#[test]
fn conditions_count_the_time_of_a_schedule_in_steps_of_the_full_lr() {
    let (summary, rows) = study("conditions");
    let sections = summary["sections"].as_array().unwrap();
    let names: Vec<&str> = sections.iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!((names.len(), names[0], names[4]), (7, "plain SGD", "η falling as a cosine"));
    // Momentum has the same η_eff, and so the same lengths.
    let ends = |phase: &str| {
        let own: Vec<_> = rows.iter().filter(|r| r[0] == phase).collect();
        own.chunk_by(|a, b| a[1] == b[1]).map(|run| number(run.last().unwrap(), 6)).collect::<Vec<_>>()
    };
    assert_eq!(ends("0"), ends("1"));
    // Under the schedule all runs are of one length, twice that of the longest without: a cosine halves Σ η.
    let longest = ends("0").into_iter().fold(0.0, f64::max);
    assert_eq!(ends("4"), vec![2.0 * longest; 6]);
    // The traces say what happened; the section counts time in Σ η / η, which a run of τ passes at the rate ηλ.
    for cell in sections[4]["cells"].as_array().unwrap() {
        let number = |key: &str| cell[key].as_f64();
        if let (Some(t), Some(tau)) = (number("t_star"), number("tau_star")) {
            let rate = number("lr").unwrap() * number("lambda").unwrap();
            assert!((tau / t / rate - 1.0).abs() < 0.1, "{cell}");
        }
    }
    let error = bad(TempDir::new().unwrap().path(), &["reproduce", "conditions", "--momentum", "0.9"], 2);
    assert!(error.contains("the figure sets these itself"), "{error}");
}

#[test]
fn the_linear_models_decline_is_put_beside_the_networks() {
    let (summary, _) = study("linear");
    let models = summary["models"].as_array().unwrap();
    let names: Vec<&str> = models.iter().map(|m| m["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["linear", "fc", "linear from large weights"]);
    // Every λ counts once for each seed, so that means over cells are those over seeds.
    let mean = |m: &Value| {
        let cells = m["cells"].as_array().unwrap();
        cells.iter().map(|c| c["late_decay"]["mean"].as_f64().unwrap()).sum::<f64>() / cells.len() as f64
    };
    for m in models {
        assert!((m["decline"]["mean"].as_f64().unwrap() - mean(m)).abs() < 1e-12, "{}", m["name"]);
    }
    let more = summary["more"]["mean"].as_f64().unwrap();
    assert!((more - (mean(&models[1]) - mean(&models[0]))).abs() < 1e-12, "{more}");
    let error = bad(TempDir::new().unwrap().path(), &["reproduce", "linear", "--depth", "1"], 2);
    assert!(error.contains("two layers or more"), "{error}");
}

#[test]
fn widths_that_cannot_fit_say_nothing_of_the_law_and_end_it() {
    let (summary, _) = study("width");
    let widths = summary["widths"].as_array().unwrap();
    let fitted: Vec<(u64, bool)> =
        widths.iter().map(|w| (w["width"].as_u64().unwrap(), w["training_accuracy"].as_f64() == Some(1.0))).collect();
    assert_eq!(fitted, [(1, false), (16, true)]);
    let claims = summary["claims"].as_array().unwrap();
    let of = |part: &str| {
        let own = claims.iter().filter(|c| c["premise"] != true && c["statement"].as_str().unwrap().contains(part));
        own.map(|c| c["verdict"].as_str().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((of("width 1 "), of("(R8)")), (vec!["premise not met"], vec!["holds"]), "{summary}");
}

#[test]
fn autol2_from_large_weights_is_put_beside_the_papers_constant() {
    let (summary, rows) = study("fig1c-large");
    let sections = summary["sections"].as_array().unwrap();
    assert_eq!(sections.len(), 1, "no falling η");
    let arms = sections[0]["arms"].as_array().unwrap();
    let of = |name: &str| arms.iter().find(|a| a["name"] == name).unwrap_or_else(|| panic!("{name}: {arms:?}"));
    let end = |name: &str| of(name)["final_accuracy"]["mean"].as_f64().unwrap();
    let gain = of("AutoL2, reference")["gain_over_papers"]["mean"].as_f64().unwrap();
    assert!((gain - (end("AutoL2, reference") - end("λ = 0.002"))).abs() < 1e-12, "{gain}");
    // Who comes near to the constant's end, and sooner, is counted by seeds, each by its own run.
    let race = &of("AutoL2, reference")["race"];
    let count = |key: &str| race[key].as_u64().unwrap();
    assert!(count("seeds") == 2 && count("reached") <= 2 && count("sooner") <= count("reached"), "{race}");
    assert_eq!(of("λ = 0.002")["race"]["reached"], 2, "each comes near to its own end");
    // AutoL2 begins at the largest λ and lowers it.
    let own: Vec<f64> = rows.iter().filter(|r| r[1] == "6").map(|r| number(r, 2)).collect();
    assert!(own[0] == 0.5 && own[own.len() - 1] < 0.5, "{own:?}");
}

#[test]
fn costs_tell_the_seeds_that_a_claim_needs_by_earlier_results() {
    let dir = TempDir::new().unwrap();
    good(dir.path(), &["reproduce", "linear", "--preset", "smoke", "--out", "all/linear"]);
    let claims = summary(dir.path(), "all/linear")["claims"].clone();
    let needed: Vec<(String, Value)> = claims
        .as_array()
        .unwrap()
        .iter()
        .filter(|c| c["premise"] != true)
        .map(|c| (c["statement"].as_str().unwrap().to_owned(), c["seeds_needed"].clone()))
        .collect();
    assert!(needed.iter().any(|(_, seeds)| seeds.as_u64() > Some(1)), "{claims}");
    let cost = ["reproduce", "linear", "--preset", "smoke", "--cost"];
    // By its own directory, or by the one over all figures.
    for pilot in ["all/linear", "all"] {
        let args = [&cost[..], &["--pilot", pilot, "--json"]].concat();
        let told = json(&good(dir.path(), &args));
        let told: Vec<(String, Value)> = told["seeds_needed"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| (p["claim"].as_str().unwrap().to_owned(), p["seeds"].clone()))
            .collect();
        assert_eq!(told, needed);
    }
    let text = good(dir.path(), &[&cost[..], &["--pilot", "all"]].concat());
    assert!(text.contains("seeds decide it, with a chance of 80 %"), "{text}");
    let error = bad(dir.path(), &["reproduce", "width", "--preset", "smoke", "--cost", "--pilot", "all/linear"], 1);
    assert!(error.contains("is of reproduce linear, not of width"), "{error}");
    let error = bad(dir.path(), &[&cost[..], &["--pilot", "none"]].concat(), 1);
    assert!(error.contains("none/summary.json"), "{error}");
    assert!(bad(dir.path(), &["reproduce", "linear", "--pilot", "all"], 2).contains("--cost"));
}

#[test]
fn packed_traces_are_read_as_logs() {
    let dir = TempDir::new().unwrap();
    good(dir.path(), &["reproduce", "fig4", "--preset", "smoke", "--out", "f"]);
    fs::write(dir.path().join("plain.csv"), unpacked(dir.path(), "f")).unwrap();
    let fit = |file: &str| json(&good(dir.path(), &["fit", file, "--json"]))["cells"].clone();
    let packed = fit("f/traces.csv.gz");
    assert!(packed.as_array().unwrap().len() == 3 && packed == fit("plain.csv"));
    let bytes = fs::read(dir.path().join("f/traces.csv.gz")).unwrap();
    fs::write(dir.path().join("half.csv.gz"), &bytes[..bytes.len() / 2]).unwrap();
    let error = bad(dir.path(), &["fit", "half.csv.gz"], 1);
    assert!(error.contains("'half.csv.gz' is no whole gzip file"), "{error}");
}

#[test]
fn phases_of_a_study_are_not_mixed() {
    let dir = TempDir::new().unwrap();
    good(dir.path(), &["reproduce", "width", "--preset", "smoke", "--out", "w"]);
    let error = bad(dir.path(), &["fit", "w/traces.csv.gz"], 1);
    assert!(error.contains("the phases 0 to 1 of a study") && error.contains("--phase"), "{error}");
    let error = bad(dir.path(), &["fit", "w/traces.csv.gz", "--phase", "2"], 1);
    assert!(error.contains("--phase '2' is none of them"), "{error}");
    let told = summary(dir.path(), "w");
    for phase in 0..2 {
        let cells =
            json(&good(dir.path(), &["fit", "w/traces.csv.gz", "--phase", &phase.to_string(), "--json"]))["cells"]
                .clone();
        let expected = &told["widths"][phase]["cells"];
        let outcomes =
            |cells: &Value| cells.as_array().unwrap().iter().map(|c| c["outcome"].clone()).collect::<Vec<_>>();
        assert_eq!(outcomes(&cells), outcomes(expected));
        for (own, study) in cells.as_array().unwrap().iter().zip(expected.as_array().unwrap()) {
            let [own, study] = [own, study].map(|c| c["max_test_accuracy"].as_f64().unwrap());
            assert!((own - study).abs() < 1e-6, "{own} {study}");
        }
    }
    assert!(bad(dir.path(), &["predict", "--log", "w/traces.csv.gz", "--budget", "100"], 1).contains("of a study"));
}

#[test]
fn each_seed_of_a_study_has_images_of_its_own() {
    let dir = TempDir::new().unwrap();
    let base = ["reproduce", "fig4", "--preset", "smoke", "--lambda", "0.2,0.1,0.05"];
    let rows = |name: &str, more: &[&str]| -> Vec<String> {
        good(dir.path(), &[&base[..], &["--out", name], more].concat());
        let text = unpacked(dir.path(), name);
        let of_seed_1 = text.lines().skip(1).filter(|l| l.split(',').nth(5) == Some("1"));
        // Without phase and run.
        of_seed_1.map(|l| l.split(',').skip(2).collect::<Vec<_>>().join(",")).collect()
    };
    let of_two = rows("two", &[]);
    // Seed 1 alone has the same images; with another draw of them, others.
    assert_eq!(rows("one", &["--seed", "1", "--seeds", "1"]), of_two);
    let other = rows("other", &["--seed", "1", "--seeds", "1", "--data-seed", "5"]);
    assert!(other.len() == of_two.len() && other != of_two);
    // The draw is that of data-seed plus seed.
    let own =
        ["train", "--data", "fashion-mnist-512", "--train", "256", "--test", "300", "--width", "16", "--depth", "2"];
    let same = [
        "--bias=false",
        "--w-std",
        "8",
        "--lambda",
        "0.2",
        "--lr",
        "0.05",
        "--tau",
        "5",
        "--seed",
        "1",
        "--data-seed",
        "1",
    ];
    good(dir.path(), &[&own[..], &same, &["--out", "train"]].concat());
    let text = fs::read_to_string(dir.path().join("train/traces.csv")).unwrap();
    let losses = |rows: &[String], column: usize| -> Vec<f32> {
        rows.iter().map(|l| l.split(',').nth(column).unwrap().parse().unwrap()).collect()
    };
    let trained: Vec<String> = text.lines().skip(1).map(str::to_owned).collect();
    let [study, alone] = [losses(&of_two, 7), losses(&trained, 8)];
    assert_eq!(alone, study[..alone.len()], "the first λ of seed 1");
}
