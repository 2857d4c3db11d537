//! How it learns: loss, optimizers with L2, schedules of η and λ, and the trainer that turns them into traces.

mod agreement;
mod augment;
mod autol2;
mod curvature;
mod evaluation;
mod lambda;
mod loss;
mod optimizer;
mod plan;
mod scaling;
mod schedule;
mod settings;
mod task;
mod trainer;

pub use agreement::disagreement;
pub use augment::augment;
pub use autol2::{AutoL2, ReferenceAutoL2};
pub use lambda::{LambdaSchedule, LambdaSettings, LambdaState, OpenLoop, Probe, Progress};
pub use loss::Loss;
pub use optimizer::{BiasCorrection, Decayed, Memory, Optimizer, OptimizerKind};
pub use plan::{Execution, plan};
pub use schedule::{LrCourse, LrSchedule};
pub use settings::Settings;
pub use task::Task;
#[cfg(feature = "full-scale")]
pub use trainer::Pending;
pub use trainer::{NamedTensor, Snapshot, TrainError, Trainer};
