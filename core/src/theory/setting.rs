//! Which experiments Theorem 2 is about, and the infinitely wide network of one.

use super::{Activation, Network, check_lambda};
use crate::{
    Experiment,
    experiment::{self, ExperimentError},
    model::Parameterization,
    train::Loss,
};

/// The experiment's fields that the theory of a data set depends on; all others have to be as in [`experiment()`].
pub const FIELDS: [&str; 13] = [
    "data",
    "train",
    "test",
    "validation",
    "label-noise",
    "data-seed",
    "depth",
    "activation",
    "w-std",
    "lambda",
    "seeds",
    "seed",
    "measurements",
];

/// Fields whose one value the theorems need.
const ASSUMED: [&str; 8] =
    ["model", "loss", "bias", "parameterization", "batch", "momentum", "lr-schedule", "lambda-schedule"];

/// A bias-free network in NTK parameterization under full-batch MSE, with λ over four decades.
#[must_use]
pub fn experiment() -> Experiment {
    Experiment {
        depth: 3,
        bias: false,
        parameterization: Parameterization::Ntk,
        loss: Loss::Mse,
        batch: 0,
        lambda: vec![1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5].into(),
        seeds: 3,
        ..Experiment::default()
    }
}

impl Network {
    /// The network that an experiment's become as they grow.
    ///
    /// # Errors
    /// When Theorem 2 does not hold for it, it has no t_*, or it says something that the theory knows nothing of.
    pub fn of(experiment: &Experiment) -> Result<Self, ExperimentError> {
        let (e, needed) = (experiment, self::experiment());
        let given = |name: &str| e.get(name).unwrap_or_default();
        let others = experiment::FIELDS.iter().map(|f| f.name).filter(|name| !FIELDS.contains(name));
        if let Some(name) = others.into_iter().find(|name| e.get(name) != needed.get(name)) {
            let reason = if ASSUMED.contains(&name) {
                format!("the theorems need {}", needed.get(name).unwrap_or_default())
            } else {
                "the theory does not depend on it; leave it out".into()
            };
            return Err(ExperimentError::Conflict(format!("{name}: '{}' is not allowed: {reason}", given(name))));
        }
        let Some(activation) = Activation::of(e.activation).filter(|a| a.is_homogeneous()) else {
            return Err(ExperimentError::Conflict(format!(
                "activation: '{}' makes no homogeneous network; use relu or linear",
                given("activation")
            )));
        };
        if e.lambda.contains(&0.0) {
            return Err(ExperimentError::Conflict("lambda: '0' has no t_*; give values above 0".into()));
        }
        for &lambda in e.lambda.iter() {
            check_lambda(lambda).map_err(|e| ExperimentError::Conflict(e.to_string()))?;
        }
        Ok(Self {
            depth: e.depth,
            activation,
            w_std: e.model_config().w_std(),
            b_std: None,
            parameterization: e.parameterization,
            width: e.width,
        })
    }
}
