//! The figures that a page shows, and the experiment that each begins with.

use serde::{Deserialize, Serialize};

use crate::{Experiment, experiment::Schedules, model::ModelKind, run::LambdaScheduleKind, theory};

/// A figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(rename = "FigureName"))]
pub enum Figure {
    /// Accuracy over steps, epochs and τ, for several λ.
    Clock,
    /// t_* against λ.
    Law,
    /// λ for a budget.
    Predict,
    /// AutoL2 beside constants.
    Auto,
    /// Infinitely wide networks.
    Theory,
    /// Where the law fails.
    Limits,
}

impl Figure {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Clock, Self::Law, Self::Predict, Self::Auto, Self::Theory, Self::Limits];

    /// The experiment that it shows unless told otherwise: small enough to be watched.
    #[must_use]
    pub fn experiment(self) -> Experiment {
        let watched = Experiment { lr: vec![0.1].into(), seeds: 3, test: 400, ..Experiment::default() };
        match self {
            Self::Clock | Self::Law | Self::Predict => Experiment {
                lr: vec![0.05].into(),
                lambda: vec![0.2, 0.1, 0.05, 0.02].into(),
                seeds: 3,
                test: 400,
                ..Experiment::large_start()
            },
            Self::Auto => Experiment {
                lambda: vec![0.1, 0.03, 0.01, 0.003, 0.001].into(),
                compare: Schedules(vec![LambdaScheduleKind::AutoL2]),
                steps: Some(3000),
                ..watched
            },
            Self::Theory => Experiment { train: 256, test: 256, lambda: vec![0.03].into(), ..theory::experiment() },
            Self::Limits => Experiment {
                model: ModelKind::Linear,
                lr: vec![0.01].into(),
                lambda: vec![0.1, 0.03, 0.01].into(),
                ..watched
            },
        }
    }
}
