//! www/src/types.ts is what core's types say: `L2LAB_WRITE=1 cargo test -p l2lab-core --features typescript typescript` writes it.

use std::{env, fmt::Write, fs, path::Path};

use l2lab_core::{
    Experiment, Forecast,
    data::{MixupBy, Sampling},
    experiment::FIELDS,
    figure::Figure,
    law::{Cell, Collapse, Estimator, Fit, Mean, Outcome, Regret, RunSummary, Score, Time, Verdict, WithoutL2},
    model::{Activation, ModelKind, Normalization, Parameterization, Pooling, Precision, Readout, Shortcut},
    recording::{
        Findings, LearnedMode, MeasuredKernel, ModelSummary, RECORDING_VERSION, Recording, TheoryCurves,
        TheoryRecording, TrainedNetwork,
    },
    run::{End, LambdaScheduleKind, Length, Measurement, RunSpec, Trace},
    theory,
    train::{Decayed, Loss, LrSchedule, OptimizerKind},
};
use serde_json::json;
use ts_rs::{Config, TS};

fn declarations() -> String {
    let config = Config::new().with_large_int("number");
    let mut text = String::from(
        "// Made from core's types by core/tests/suite/typescript.rs, which also says how: do not edit.\n",
    );
    macro_rules! declare {
        ($($ty:ty),* $(,)?) => {$(
            let _ = write!(text, "\nexport {}\n", <$ty>::decl(&config));
        )*};
    }
    declare!(
        Sampling,
        MixupBy,
        ModelKind,
        Activation,
        Parameterization,
        Normalization,
        Pooling,
        Precision,
        Readout,
        Shortcut,
        Loss,
        LrSchedule,
        LambdaScheduleKind,
        OptimizerKind,
        Decayed,
        Estimator,
        Length,
        l2lab_core::experiment::Grid,
        l2lab_core::experiment::Schedules,
        Experiment,
        RunSpec,
        Measurement,
        End,
        Trace,
        Outcome,
        Verdict,
        Mean,
        Time,
        RunSummary,
        Cell,
        WithoutL2,
        Fit,
        Collapse,
        Forecast,
        Score,
        Regret,
        ModelSummary,
        Findings,
        Recording,
        Figure,
        theory::Point,
        TheoryCurves,
        LearnedMode,
        TrainedNetwork,
        MeasuredKernel,
        TheoryRecording,
    );
    let fields: Vec<_> = FIELDS.iter().map(|f| f.name).collect();
    // A constant for each sentence: a page is spared those that it does not show.
    let mut help = String::new();
    for field in FIELDS {
        let name = field.name.replace('-', "_").to_uppercase();
        let _ = writeln!(help, "export const HELP_{name} = {};", json!(field.help.trim()));
    }
    let settings = |e: &Experiment| {
        let pairs = FIELDS.iter().filter_map(|f| Some((f.name.to_owned(), e.get(f.name)?.into())));
        serde_json::Value::Object(pairs.collect())
    };
    // What most figures have in common is written once: the page is weighed.
    let common = settings(&Figure::Limits.experiment());
    let mut bases = String::new();
    for figure in Figure::ALL {
        let mut own = settings(&figure.experiment());
        let missing = common.as_object().unwrap().keys().find(|name| own.get(*name).is_none());
        assert_eq!(missing, None, "what a figure does not set cannot be in common");
        own.as_object_mut().unwrap().retain(|name, value| common.get(name) != Some(value));
        let name = json!(figure);
        let name = name.as_str().unwrap_or_default();
        let _ = if own.as_object().is_some_and(serde_json::Map::is_empty) {
            writeln!(bases, "  {name}: COMMON,")
        } else {
            writeln!(bases, "  {name}: {{ ...COMMON, ...{own} }},")
        };
    }
    let _ = write!(
        text,
        "\nexport const RECORDING_VERSION = {RECORDING_VERSION};\n\
         \n/** The experiment's fields: names of flags, URL keys and attributes. */\n\
         export const FIELDS: readonly (keyof Experiment)[] = {};\n\
         \n// What they are, in the core's English.\n{help}\
         \nconst COMMON: Readonly<Record<string, string>> = {};\n\
         \n/** What each figure's experiment is unless told otherwise, as text. */\n\
         export const BASES: Readonly<Record<FigureName, Readonly<Record<string, string>>>> = {{\n{bases}}};\n",
        pretty(&json!(fields)),
        pretty(&common),
    );
    text
}

fn pretty(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

#[test]
fn types_are_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../www/src/types.ts");
    let expected = declarations();
    if env::var_os("L2LAB_WRITE").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap();
    assert!(found == expected, "{} is not what core's types say; see the head of this file", path.display());
}
