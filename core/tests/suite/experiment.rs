//! The one schema: names, text forms, checks.

use std::collections::BTreeSet;

use l2lab_core::{
    Experiment,
    data::embedded,
    experiment::{ExperimentError, FIELDS, unknown_key},
    figure::Figure,
    run::LambdaScheduleKind,
    theory::Network,
};
use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// An experiment in which every optional field is set.
fn full() -> Experiment {
    Experiment {
        w_std: Some(1.5),
        lambda_schedule: LambdaScheduleKind::AutoL2,
        lambda_delay: Some(0.2),
        tau: Some(2.0),
        steps: Some(10),
        epochs: Some(1.5),
        budget: Some("200ep".parse().unwrap()),
        ..Experiment::default()
    }
}

#[test]
fn flags_files_and_text_share_their_names() {
    let json = serde_json::to_value(full()).unwrap();
    let keys: BTreeSet<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(FIELDS.iter().map(|f| f.name).collect::<BTreeSet<_>>(), keys);
    assert!(FIELDS.iter().all(|f| f.help.trim().ends_with('.')), "every field has a help sentence");
}

#[test]
fn text_and_toml_give_back_the_same_experiment() {
    let mut original = full();
    original.lr = vec![0.1 + 0.2, 1e-7].into();
    original.batch_norm = true;
    let mut copy = Experiment::default();
    for field in FIELDS {
        copy.set(field.name, &original.get(field.name).unwrap()).unwrap();
    }
    assert_eq!(copy, original);
    let toml = toml::to_string(&original).unwrap();
    assert_eq!(toml::from_str::<Experiment>(&toml).unwrap(), original);
    let one: Experiment = toml::from_str("lambda = 0.5\nlr = [1]\nbudget = 100").unwrap();
    assert_eq!((&one.lambda[..], &one.lr[..], one.get("budget").unwrap()), (&[0.5][..], &[1.0][..], "100".to_owned()));
}

#[test]
fn an_unknown_key_is_answered_with_the_nearest_one() {
    let nearest = |key: &str| match unknown_key(key) {
        ExperimentError::UnknownKey { nearest, .. } => nearest,
        _ => unreachable!(),
    };
    assert_eq!(nearest("lamda"), Some("lambda"));
    assert_eq!(nearest("batch_norm"), Some("batch-norm"));
    assert_eq!(nearest("zzzzzzzz"), None);
    assert_eq!(Experiment::default().set("widht", "3"), Err(unknown_key("widht")));
    assert!(unknown_key("widht").to_string().contains("did you mean 'width'"));
}

#[test]
fn every_bad_value_names_its_field_and_what_is_allowed() {
    Experiment::default().validate().unwrap();
    for (field, value) in [
        ("lr", "-0.1"),
        ("lr", "0"),
        ("lr", "nan"),
        ("lr", "0.1,0.1"),
        ("lambda", "-1e-3"),
        ("lambda", "inf"),
        ("momentum", "1"),
        ("momentum", "-0.5"),
        ("width", "0"),
        ("depth", "0"),
        ("depth", "65"),
        ("label-noise", "1.5"),
        ("label-noise", "nan"),
        ("w-std", "0"),
        ("b-std", "-1"),
        ("seeds", "0"),
        ("seeds", "100000"),
        ("tau", "0"),
        ("steps", "0"),
        ("epochs", "-3"),
        ("measurements", "0"),
        ("budget", "-5ep"),
        ("steps", "2000000000000"),
        ("seed", "9007199254740992"),
        ("data-seed", "18446744073709551615"),
    ] {
        let mut experiment = Experiment::default();
        experiment.set(field, value).unwrap();
        let error = experiment.validate().expect_err(field).to_string();
        assert!(error.starts_with(field), "{field} {value}: {error}");
    }
    for (field, text) in [("lr", "0.1,,2"), ("width", "3.5"), ("model", "resnet"), ("bias", "maybe"), ("budget", "5xx")]
    {
        let error = Experiment::default().set(field, text).expect_err(field).to_string();
        assert!(error.starts_with(field) && error.contains(text), "{error}");
    }
    let error = Experiment::default().set("model", "resnet").unwrap_err().to_string();
    assert!(error.contains("`linear`, `fc`, `cnn`"), "{error}");
}

#[test]
fn contradictions_are_refused() {
    let refused = |settings: &[(&str, &str)]| {
        let experiment = Experiment::default().with(settings).unwrap();
        experiment.validate().expect_err(&format!("{settings:?}")).to_string()
    };
    refused(&[("tau", "2"), ("steps", "5")]);
    assert!(refused(&[("lambda", "0,0.1")]).contains("steps or epochs"));
    assert!(refused(&[("batch-norm", "true")]).contains("cnn"));
    refused(&[("model", "cnn"), ("depth", "1")]);
}

#[test]
fn runs_span_the_grid_and_last_for_their_tau() {
    let settings = [("lr", "0.1,0.2"), ("lambda", "0.1,0.01"), ("momentum", "0.5"), ("tau", "3"), ("seed", "5")];
    let mut experiment = Experiment::default().with(&settings).unwrap();
    let runs = experiment.runs(512).unwrap();
    assert_eq!(runs.len(), 2 * 2 * 5);
    assert_eq!(runs.iter().map(|r| r.seed).collect::<BTreeSet<_>>(), BTreeSet::from([5, 6, 7, 8, 9]));
    for run in &runs {
        let tau = run.lr / (1.0 - 0.5) * run.lambda * run.steps as f64;
        assert!((tau - 3.0).abs() < run.lr * 2.0 * run.lambda, "{run:?}");
        assert!(run.measures_at(run.steps));
    }
    experiment.set("lr-schedule", "cosine").unwrap();
    // Half the learning rate on average: twice the steps for the same τ.
    assert_eq!(experiment.runs(512).unwrap()[0].steps, 2 * runs[0].steps);
    experiment.set("lambda", "1e-300").unwrap();
    assert!(experiment.runs(512).unwrap_err().to_string().contains("lambda"));
}

#[test]
fn data_is_prepared_as_asked_or_refused() {
    let full = embedded().unwrap();
    let with = |settings: &[(&str, &str)]| Experiment::default().with(settings).unwrap().prepare(&full);
    let split = with(&[("train", "100"), ("test", "50"), ("batch", "10")]).unwrap();
    assert_eq!((split.train.len(), split.test.len()), (100, 50));
    let all = with(&[("train", "0"), ("test", "0")]).unwrap();
    assert_eq!((all.train.len(), all.test.len()), (512, 1000));
    let held = with(&[("validation", "112"), ("train", "0")]).unwrap();
    assert_eq!((held.train.len(), held.test.len()), (400, 112));
    assert!(with(&[("train", "513")]).unwrap_err().to_string().contains("512"));
    assert!(with(&[("train", "64"), ("batch", "65")]).unwrap_err().to_string().starts_with("batch"));
    assert!(with(&[("validation", "512")]).is_err());
}

#[test]
fn what_does_not_fit_into_memory_is_refused_beforehand() {
    let full = embedded().unwrap();
    let refused = |settings: &[(&str, &str)]| {
        let experiment = Experiment::default().with(settings).unwrap();
        experiment.validate().unwrap();
        experiment.model(&full).unwrap_err().to_string()
    };
    assert!(refused(&[("width", "65536"), ("depth", "64")]).starts_with("width: '65536'"));
    assert!(refused(&[("model", "cnn"), ("width", "2048"), ("depth", "2"), ("batch", "0")]).starts_with("batch: '0'"));
    assert!(Experiment::default().model(&full).is_ok());
}

proptest! {
    #[test]
    fn no_text_makes_the_schema_panic(field in 0..FIELDS.len(), text in "\\PC{0,12}") {
        let mut experiment = Experiment::default();
        if experiment.set(FIELDS[field].name, &text).is_ok() && experiment.validate().is_ok() {
            let _ = experiment.runs(512);
        }
    }

    #[test]
    fn no_number_makes_the_schema_panic(field in 0..FIELDS.len(), number in any::<f64>()) {
        let mut experiment = Experiment::default();
        if experiment.set(FIELDS[field].name, &number.to_string()).is_ok() && experiment.validate().is_ok() {
            let _ = experiment.runs(512);
        }
    }
}

#[test]
fn of_many_settings_those_that_are_allowed_together_are_heeded() {
    let (e, problems) =
        Experiment::default().heeding(&[("lambda", "0,0.1"), ("widht", "9"), ("steps", "50"), ("lr", "-1")]);
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].to_string().contains("'width'") && problems[1].to_string().starts_with("lr"), "{problems:?}");
    // λ = 0 alone would be refused: it needs the length that comes after it.
    assert_eq!(e.settings_over(&Experiment::default()), [("lambda", "0,0.1".to_owned()), ("steps", "50".to_owned())]);
    let all = Experiment { steps: None, epochs: None, ..full() };
    let settings = all.settings_over(&Experiment::default());
    let pairs: Vec<(&str, &str)> = settings.iter().map(|(name, text)| (*name, text.as_str())).collect();
    assert_eq!(Experiment::default().heeding(&pairs), (all, Vec::new()));
}

#[test]
fn a_length_that_is_heeded_takes_the_place_of_another() {
    let base = Figure::Auto.experiment();
    assert_eq!((base.steps, base.tau), (Some(3000), None));
    let lengths = |settings: &[(&str, &str)]| {
        let (e, problems) = base.clone().heeding(settings);
        (e.steps, e.tau, e.epochs, problems.len())
    };
    assert_eq!(lengths(&[("tau", "1.5"), ("lr", "0.2")]), (None, Some(1.5), None, 0));
    assert_eq!(lengths(&[("epochs", "20")]), (None, None, Some(20.0), 0));
    assert_eq!(lengths(&[("lr", "0.2")]), (Some(3000), None, None, 0));
    assert_eq!(lengths(&[("tau", "long")]), (Some(3000), None, None, 1), "what is wrong replaces nothing");
    assert_eq!(lengths(&[("steps", "100"), ("tau", "1")]), (Some(100), None, None, 1), "the earlier of two is heeded");
}

#[test]
fn every_figure_begins_with_an_experiment_that_is_allowed() {
    for figure in Figure::ALL {
        let e = figure.experiment();
        e.validate().unwrap();
        let split = e.prepare(&embedded().unwrap()).unwrap();
        assert!(!e.runs(split.train.len()).unwrap().is_empty());
    }
    Network::of(&Figure::Theory.experiment()).unwrap();
}

#[test]
fn schedules_are_compared_with_the_grid_from_its_largest_lambda() {
    let e = Experiment::default()
        .with(&[
            ("compare", "autol2,inverse-time"),
            ("lambda", "0.01,0.1"),
            ("lr", "0.1"),
            ("steps", "30"),
            ("seeds", "2"),
        ])
        .unwrap();
    e.validate().unwrap();
    let runs = e.runs(512).unwrap();
    assert_eq!(runs.len(), 8);
    assert!(runs[..4].iter().all(|r| r.lambda_schedule == LambdaScheduleKind::Constant));
    assert!(runs[4..].iter().all(|r| r.lambda == 0.1 && r.steps == 30));
    assert_eq!(runs[4].lambda_schedule, LambdaScheduleKind::AutoL2);
    assert_eq!((runs[6].lambda_schedule, runs[7].seed), (LambdaScheduleKind::InverseTime, 1));
    // Text and files give it back, nothing included.
    assert_eq!(e.get("compare").unwrap(), "autol2,inverse-time");
    assert_eq!(e.clone().with(&[("compare", "none")]).unwrap().compare, Experiment::default().compare);
    let toml: Experiment = toml::from_str("compare = 'autol2'").unwrap();
    assert_eq!(toml.compare.0, [LambdaScheduleKind::AutoL2]);
    for (settings, part) in [
        (&[("compare", "autol2,autol2")][..], "each schedule once"),
        (&[("compare", "constant")], "not constant"),
        (&[("compare", "autol2"), ("lambda-schedule", "cosine")], "constant λ"),
    ] {
        let error = Experiment::default().with(settings).unwrap().validate().unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    let error = Experiment::default().with(&[("compare", "autol3")]).unwrap_err().to_string();
    assert!(error.contains("'autol3'") && error.contains("autol2-reference"), "{error}");
}
