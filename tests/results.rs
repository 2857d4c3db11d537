//! What README and page say in numbers is what the results and recordings beside them hold: `native/results`, each made by the command
//! that stands beside it, and `www/public/recorded`. With `L2LAB_WRITE=1` the README's tables are written from them.

use std::{
    collections::BTreeSet,
    env,
    fmt::Write,
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use l2lab_core::recording::{Findings, Recording};
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> Value {
    let text = fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// A number with a true minus sign.
fn number(value: &Value, digits: usize) -> String {
    format!("{:.digits$}", value.as_f64().unwrap()).replace('-', "−")
}

fn interval(value: &Value, ci: &Value, digits: usize) -> String {
    format!("{} [{}, {}]", number(value, digits), number(&ci[0], digits), number(&ci[1], digits))
}

/// Puts `table` between a pair of comments of the README, or compares it with what is there.
fn block(name: &str, table: &str) {
    let path = root().join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let [begin, end] = [format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->\n")];
    let (before, rest) = readme.split_once(&begin).unwrap_or_else(|| panic!("README.md has no {begin}"));
    let (there, after) = rest.split_once(&end).unwrap_or_else(|| panic!("README.md has no {end}"));
    if env::var_os("L2LAB_WRITE").is_some() {
        fs::write(&path, format!("{before}{begin}{table}{end}{after}")).unwrap();
    } else {
        assert_eq!(there, table, "README.md differs from the results; write it with L2LAB_WRITE=1");
    }
}

/// Sweeps of the README, by the folders of their summaries: weights and images, and the command.
const SWEEPS: [(&str, &str, &str); 4] = [
    ("large", "large, Fashion-MNIST", "sweep"),
    ("large-mnist", "large, MNIST", "sweep --data mnist --test 2000"),
    ("standard", "standard, Fashion-MNIST", "sweep --model fc"),
    ("standard-mnist", "standard, MNIST", "sweep --model fc --data mnist --test 2000"),
];

#[test]
fn the_readmes_slopes_are_those_of_its_sweeps() {
    let mut table = String::from(
        "| weights, images | command | cells timed | slope | times exchanged | without L2 | the law | regret at λ_pred |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for (folder, what, command) in SWEEPS {
        let summary = read(&format!("native/results/sweeps/{folder}/summary.json"));
        let (fit, cells) = (&summary["fit"], summary["cells"].as_array().unwrap().len());
        let without = &fit["without_l2"];
        let slope = if without["slope"].is_null() { "—".into() } else { number(&without["slope"], 2) };
        let prediction = &summary["prediction"];
        writeln!(
            table,
            "| {what} | `l2lab {command}` | {} of {cells} | {} | {} | {slope} ({} of {}) | *{}* | {} |",
            fit["cells_timed"],
            interval(&fit["slope"], &fit["slope_ci"], 2),
            interval(&fit["placebo_slope"], &fit["placebo_ci"], 2),
            without["timed"],
            without["cells"],
            fit["law"].as_str().unwrap(),
            interval(&prediction["regret"], &prediction["regret_ci"], 4),
        )
        .unwrap();
    }
    block("sweeps", &table);
    // What the first command prints.
    let (fit, collapse) = {
        let first = read("native/results/sweeps/large/summary.json");
        (first["fit"].clone(), first["collapse"].clone())
    };
    let three = |value: &Value| format!("{:.3}", value.as_f64().unwrap());
    let two = |value: &Value| format!("{:.2}", value.as_f64().unwrap());
    let four = |value: &Value| format!("{:.4}", value.as_f64().unwrap());
    let (ci, exponent) = (&fit["slope_ci"], &collapse["exponent_ci"]);
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for line in [
        format!("by the arrival estimator: {} [{}, {}]\n", three(&fit["slope"]), three(&ci[0]), three(&ci[1])),
        format!(
            "whole curves lie on one another best at t·(ηλ)^{} [{}, {}]; spread {} over τ, {} over steps\n",
            two(&collapse["exponent"]),
            two(&exponent[0]),
            two(&exponent[1]),
            four(&collapse["spread_in_tau"]),
            four(&collapse["spread_in_steps"])
        ),
    ] {
        assert!(readme.contains(&line), "README.md has not: {line}");
    }
}

#[test]
fn the_readmes_sharpness_is_that_of_its_study() {
    let summary = read("native/results/sharpness/summary.json");
    let starts = summary["starts"].as_array().unwrap();
    let slope = |network: &str, w_std: f64| {
        let start = starts.iter().find(|s| s["network"] == network && s["w_std"] == w_std).unwrap();
        number(&start["fits"]["arrival"]["slope"], 2)
    };
    let of = |network: &str| format!("{} to {} ({network})", slope(network, 1.0), slope(network, 8.0));
    let each = ["fc", "cnn", "cnn with batch norm"].map(of).join(", ");
    let seeds = &summary["experiment"]["seeds"];
    let sentence = format!("From w-std 1 to 8 the slope goes from {each}, on MNIST with n = {seeds} seeds");
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains(&sentence), "README.md has not: {sentence}");
}

/// The studies that there are, in the order of the report over all.
fn studies() -> Vec<(String, Value)> {
    let names = [
        "fig1a",
        "fig1a-large",
        "fig1b",
        "fig1b-large",
        "fig1c",
        "fig1c-large",
        "fig2abc",
        "fig2abc-large",
        "fig2def",
        "fig3",
        "fig4",
        "sharpness",
        "conditions",
        "linear",
        "width",
        "fig5",
    ];
    let path = |name: &str| format!("native/results/{name}/summary.json");
    let there = names.into_iter().filter(|name| root().join(path(name)).is_file());
    there.map(|name| (name.to_owned(), read(&path(name)))).collect()
}

#[test]
fn the_readmes_claims_are_those_of_the_standard_studies() {
    let studies = studies();
    assert!(!studies.is_empty());
    let mut table = String::from("| study | n | verdict | claim |\n|---|---|---|---|\n");
    for (name, summary) in &studies {
        assert_eq!(summary["command"], format!("reproduce {name}"));
        assert!(summary["heading"].as_str().unwrap().contains(", standard: "), "{name}");
        let own = summary["claims"].as_array().unwrap().iter().filter(|c| c["premise"] != true);
        for claim in own {
            let verdict = claim["verdict"].as_str().unwrap();
            let needed = match claim["seeds_needed"].as_u64() {
                Some(seeds) if verdict.starts_with("not decided") => format!(" (about {seeds} seeds would)"),
                _ => String::new(),
            };
            let (seeds, statement) = (&summary["experiment"]["seeds"], claim["statement"].as_str().unwrap());
            writeln!(table, "| `{name}` | {seeds} | *{verdict}*{needed} | {statement} |").unwrap();
        }
    }
    block("claims", &table);
    // The report over all has the same claims.
    let all = read("native/results/summary.json");
    for (name, summary) in &studies {
        assert_eq!(all["figures"][name]["claims"], summary["claims"], "{name}");
    }
}

#[test]
fn every_study_keeps_the_traces_that_its_numbers_are_of() {
    for (name, summary) in studies() {
        let packed = fs::File::open(root().join(format!("native/results/{name}/traces.csv.gz")));
        if name == "fig5" {
            continue;
        }
        let mut text = String::new();
        flate2::read::GzDecoder::new(packed.unwrap()).read_to_string(&mut text).unwrap();
        let seeds: BTreeSet<&str> = text.lines().skip(1).map(|l| l.split(',').nth(5).unwrap()).collect();
        assert_eq!(seeds.len() as u64, summary["experiment"]["seeds"].as_u64().unwrap(), "{name}");
    }
}

#[test]
fn what_recordings_say_is_what_their_traces_say_today() {
    for name in ["clock", "auto", "limits-linear", "limits-small"] {
        let text = fs::read_to_string(root().join(format!("www/public/recorded/{name}.json"))).unwrap();
        let recording: Recording = serde_json::from_str(&text).unwrap();
        let (e, told) = (&recording.experiment, &recording.findings);
        let found = Findings::new(e, e.train, &recording.traces).unwrap().tested(&recording.verification);
        // Traces are recorded with four digits.
        let near = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() <= 5e-3 * a.abs().max(0.1),
            (a, b) => a == b,
        };
        assert_eq!(told.cells.len(), found.cells.len(), "{name}");
        for (told, found) in told.cells.iter().zip(&found.cells) {
            assert_eq!((told.lr, told.lambda, told.outcome), (found.lr, found.lambda, found.outcome), "{name}");
            assert!(near(told.t_star, found.t_star), "{name} {told:?} {found:?}");
            assert!(near(told.max_test_accuracy, found.max_test_accuracy), "{name} {told:?} {found:?}");
        }
        let slopes = |f: &Findings| f.fits.iter().map(|(name, fit)| (name.clone(), fit.slope)).collect::<Vec<_>>();
        let (of_told, of_found) = (slopes(told), slopes(&found));
        assert_eq!(of_told.len(), of_found.len(), "{name}");
        for (told, found) in of_told.iter().zip(&of_found) {
            assert!(told.0 == found.0 && near(Some(told.1), Some(found.1)), "{name} {told:?} {found:?}");
        }
        let exponent = |f: &Findings| f.collapse.map(|c| c.exponent);
        let spread = |f: &Findings| f.collapse.map(|c| c.spread_in_steps);
        assert!(near(exponent(told), exponent(&found)) && near(spread(told), spread(&found)), "{name}");
        let lambda = |f: &Findings| f.forecast.as_ref().map(|f| f.prediction.lambda_pred);
        let regret = |f: &Findings| f.regret.as_ref().map(|r| r.regret);
        assert!(near(lambda(told), lambda(&found)) && near(regret(told), regret(&found)), "{name}");
    }
}

#[test]
fn the_pages_sentences_are_those_of_its_recordings() {
    let index = fs::read_to_string(root().join("www/index.html")).unwrap();
    let index = index.split_whitespace().collect::<Vec<_>>().join(" ");
    let recorded = |name: &str| read(&format!("www/public/recorded/{name}.json"));
    let best_fit = |recording: &Value| {
        let points = recording["traces"].as_array().unwrap().iter().flat_map(|t| t["points"].as_array().unwrap());
        points.map(|m| m["train_accuracy"].as_f64().unwrap()).fold(0.0, f64::max)
    };
    // "three networks with different random weights are trained for each", and the 512 images.
    for name in ["clock", "auto", "limits-linear", "limits-small"] {
        let experiment = &recorded(name)["experiment"];
        assert_eq!((&experiment["seeds"], &experiment["train"]), (&3.into(), &512.into()), "{name}");
    }
    assert!(index.contains("three networks with different random weights") && index.contains("512 training images"));
    // The law is seen where the page shows it: the curves lie on one another in τ, and not in steps, and the slope is −1 to within 0.2.
    let clock = recorded("clock");
    let (collapse, fit) = (&clock["findings"]["collapse"], &clock["findings"]["fits"]["arrival"]);
    let low = collapse["exponent_ci"][0].as_f64().unwrap();
    assert!(low > 0.5 && fit["law"] == "holds", "{collapse} {fit}");
    assert!(collapse["spread_in_tau"].as_f64().unwrap() < 0.5 * collapse["spread_in_steps"].as_f64().unwrap());
    // "it cannot fit its 512 training images", and the networks of the first figure can.
    assert!(index.contains("four units wide") && index.contains("it cannot fit its 512 training images"));
    let small = recorded("limits-small");
    assert!(small["experiment"]["width"] == 4 && best_fit(&small) < 0.999 && best_fit(&clock) > 0.999);
    // A linear model shrinks and does not fade: no λ falls by more than a few images of 400.
    let linear = recorded("limits-linear");
    assert_eq!(linear["experiment"]["model"], "linear");
    for cell in linear["findings"]["cells"].as_array().unwrap() {
        assert!(cell["late_decay"]["mean"].as_f64().unwrap() < 0.01, "{cell}");
    }
}
