//! How it learns: loss, SGD with coupled L2, schedules, and the trainer that turns them into traces.

mod agreement;
mod loss;
mod measurement;
mod plan;
mod schedule;
mod sgd;
mod task;
mod trainer;

pub use agreement::disagreement;
pub use loss::Loss;
pub use measurement::{End, Measurement, RunSpec, Trace};
pub use plan::{Execution, plan};
pub use schedule::{Constant, LambdaSchedule, LambdaScheduleKind, LambdaState, LrSchedule};
pub use sgd::{PerRun, Sgd};
pub use task::Task;
pub use trainer::{NamedTensor, Snapshot, TrainError, Trainer};
