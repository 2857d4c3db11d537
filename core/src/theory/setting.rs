//! Which experiments Theorem 2 is about, and the infinitely wide network of one.

use super::{Activation, Network};
use crate::{
    Experiment,
    experiment::ExperimentError,
    model::{ModelKind, Parameterization},
    train::Loss,
};

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
    /// When Theorem 2 does not hold for it, or it has no t_*.
    pub fn of(experiment: &Experiment) -> Result<Self, ExperimentError> {
        let (e, needed) = (experiment, self::experiment());
        let activation = Activation::of(e.activation).filter(|a| a.is_homogeneous());
        let fields = [
            ("model", e.model == ModelKind::Fc),
            ("loss", e.loss == needed.loss),
            ("bias", e.bias == needed.bias),
            ("parameterization", e.parameterization == needed.parameterization),
            ("batch", e.batch == needed.batch),
            ("momentum", e.momentum == needed.momentum),
        ];
        if let Some((name, _)) = fields.into_iter().find(|(_, fits)| !fits) {
            let [given, needed] = [e, &needed].map(|e| e.get(name).unwrap_or_default());
            return Err(ExperimentError::Conflict(format!(
                "{name}: '{given}' is not allowed: the theorems need {needed}"
            )));
        }
        let Some(activation) = activation else {
            let given = e.get("activation").unwrap_or_default();
            return Err(ExperimentError::Conflict(format!(
                "activation: '{given}' makes no homogeneous network; use relu or linear"
            )));
        };
        if e.lambda.contains(&0.0) {
            return Err(ExperimentError::Conflict("lambda: '0' has no t_*; give values above 0".into()));
        }
        let w_std = e.model_config().w_std();
        Ok(Self {
            depth: e.depth,
            activation,
            w_std,
            b_std: None,
            parameterization: e.parameterization,
            width: e.width,
        })
    }
}
