//! Experiments made of a URL's settings, and what traces say.

use l2lab_core::{Experiment, Forecast, figure::Figure, recording::Findings, run::Trace};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::message::{give, take};

#[derive(Serialize)]
struct Heeded {
    experiment: Experiment,
    settings: Vec<(&'static str, String)>,
    problems: Vec<String>,
}

/// A figure's experiment with those of `settings` that are allowed, the ones that differ from its own defaults, and what is
/// wrong with the others.
///
/// # Errors
/// When there is no such figure, or `settings` are no pairs of texts.
#[wasm_bindgen(unchecked_return_type = "Heeded")]
pub fn heed(
    #[wasm_bindgen(unchecked_param_type = "FigureName")] figure: JsValue,
    #[wasm_bindgen(unchecked_param_type = "Setting[]")] settings: JsValue,
) -> Result<JsValue, JsError> {
    let base = take::<Figure>(figure)?.experiment();
    let settings: Vec<(String, String)> = take(settings)?;
    let pairs: Vec<(&str, &str)> = settings.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let (experiment, problems) = base.clone().heeding(&pairs);
    let settings = experiment.settings_over(&base);
    give(&Heeded { settings, experiment, problems: problems.iter().map(ToString::to_string).collect() })
}

/// What the traces of a grid over `examples` training examples say, and runs at its forecast's λ.
///
/// # Errors
/// When the experiment's budget is not a possible number of steps.
#[wasm_bindgen(unchecked_return_type = "Findings")]
pub fn findings(
    #[wasm_bindgen(unchecked_param_type = "Experiment")] experiment: JsValue,
    examples: usize,
    #[wasm_bindgen(unchecked_param_type = "Trace[]")] traces: JsValue,
    #[wasm_bindgen(unchecked_param_type = "Trace[]")] verification: JsValue,
) -> Result<JsValue, JsError> {
    let (traces, verification): (Vec<Trace>, Vec<Trace>) = (take(traces)?, take(verification)?);
    give(&Findings::new(&take(experiment)?, examples, &traces)?.tested(&verification))
}

/// The runs that put a forecast to the test.
///
/// # Errors
/// When the values are of other types.
#[wasm_bindgen(js_name = forecastRuns, unchecked_return_type = "RunSpec[]")]
pub fn forecast_runs(
    #[wasm_bindgen(unchecked_param_type = "Experiment")] experiment: JsValue,
    #[wasm_bindgen(unchecked_param_type = "Forecast")] forecast: JsValue,
) -> Result<JsValue, JsError> {
    give(&take::<Forecast>(forecast)?.runs(&take(experiment)?))
}
