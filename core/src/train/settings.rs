//! What a trainer is told: all that the runs of a stack share, apart from their data.

use super::{Decayed, LambdaSettings, Loss, LrCourse, OptimizerKind};
use crate::{
    data::{Augmentation, Sampling},
    model::ModelConfig,
};

/// How a stack of runs is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// What learns.
    pub model: ModelConfig,
    /// What is minimized, without the L2 term.
    pub loss: Loss,
    /// Share of a training target that is spread over all classes.
    pub label_smoothing: f64,
    /// η over a run, as a factor.
    pub lr_course: LrCourse,
    /// How training examples are varied.
    pub augmentation: Augmentation,
    /// The update.
    pub optimizer: OptimizerKind,
    /// What λ acts on.
    pub decay: Decayed,
    /// Examples per step; 0 is the full batch.
    pub batch: usize,
    /// How minibatches are drawn.
    pub sampling: Sampling,
    /// What schedules of λ are told.
    pub lambda: LambdaSettings,
}
