//! The trainer: a state machine without I/O that advances a stack of runs and measures them.

use std::sync::Arc;
#[cfg(feature = "full-scale")]
use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
};

use burn::tensor::{Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::{
    BiasCorrection, Decayed, LambdaSchedule, LambdaState, Loss, LrCourse, Memory, Optimizer, OptimizerKind, Probe,
    Progress, Settings, Task, augment::augment, evaluation::Portions, scaling,
};
use crate::{
    DeviceError,
    data::{Augmentation, Batches, steps_per_epoch},
    device::read_back,
    model::{Mode, Model},
    run::{End, Measurement, RunSpec, Trace},
};

/// What keeps a trainer from going on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrainError {
    /// The device did not give a result back.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A snapshot that belongs to something else.
    #[error("the snapshot does not fit this experiment: {0}")]
    Snapshot(String),
}

/// A named tensor of a snapshot, on the host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NamedTensor {
    /// Such as `param.layer1.weight`, `velocity.layer1.weight`, `buffer.norm1.mean`.
    pub name: String,
    /// `[runs still active, …the parameter's shape]`.
    pub shape: Vec<usize>,
    /// Row-major values.
    pub values: Vec<f32>,
}

/// All that a trainer needs to go on exactly as if it had never stopped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Steps taken.
    pub step: u64,
    /// Whether what is to be measured after these steps was measured already.
    pub measured: bool,
    /// Every run's state, in the trainer's order.
    pub runs: Vec<RunState>,
    /// Parameters, velocities, buffers and the loss's scale of the runs still active.
    #[serde(skip)]
    pub tensors: Vec<NamedTensor>,
}

/// A run's state apart from its tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunState {
    /// The run and what was measured.
    pub trace: Trace,
    clock: Progress,
    /// What decides λ.
    schedule: LambdaState,
}

impl RunState {
    /// λ of the next step.
    fn lambda(&self) -> f64 {
        self.schedule.lambda(&self.clock)
    }
}

/// Sets apart the variations of the minibatches on which training is watched from those of training steps.
const PROBES: u64 = 1 << 55;

/// Numbers that the device tells of a run.
const VALUES: usize = 5;

/// What is being read back from the device.
#[cfg(feature = "full-scale")]
type Reading = Pin<Box<dyn Future<Output = Result<Vec<f32>, DeviceError>>>>;

/// A device's answer.
#[cfg(feature = "full-scale")]
enum Answer {
    Here(Vec<f32>),
    OnItsWay(Reading),
}

/// A measurement that the device has been asked for.
#[cfg(feature = "full-scale")]
pub struct Pending {
    asked: Vec<(usize, Measurement)>,
    answer: Answer,
    is_last: bool,
}

#[cfg(feature = "full-scale")]
impl Pending {
    /// Whether it ends a run, which takes no further step.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.is_last
    }
}

/// Trains a stack of runs together and measures each when it is due.
///
/// The caller decides when to [`step`](Self::step) and when to wait for a
/// [`measure`](Self::measure): natively in a loop, in a browser in slices. A run that is finished or
/// diverged leaves the stack; the others go on unchanged.
pub struct Trainer {
    pub(super) model: Model,
    pub(super) task: Arc<Task>,
    pub(super) loss: Loss,
    lr_course: LrCourse,
    augmentation: Augmentation,
    label_smoothing: f64,
    optimizer: OptimizerKind,
    /// Whether λ acts on it, for each parameter.
    decays: Vec<bool>,
    steps_per_epoch: u64,
    pub(super) step: u64,
    pub(super) runs: Vec<RunState>,
    /// Indices of the runs still active: rows of the tensors.
    pub(super) rows: Vec<usize>,
    /// One for each row.
    batches: Vec<Batches>,
    params: Vec<Tensor<2>>,
    pub(super) buffers: Vec<Tensor<2>>,
    /// Of each parameter, or empty: before the first step, and where the optimizer keeps none.
    velocities: Vec<Tensor<2>>,
    squares: Vec<Tensor<2>>,
    /// State of the loss's scale; empty where the number format needs none.
    scaling: Vec<Tensor<2>>,
    /// η, λ and β of the last step, on the device; made anew when they or the rows change.
    update: Option<Update>,
    /// The current state has been measured already.
    measured: bool,
}

/// The update of a step and the numbers that it was made of, one of each for every row.
struct Update {
    optimizer: Optimizer,
    lr: Vec<f64>,
    lambda: Vec<f64>,
}

impl Trainer {
    /// A stack of `runs` at their initial weights.
    ///
    /// `settings` say everything that the runs share (an [`Experiment`](crate::Experiment) gives them); `task` is their data on a
    /// device.
    ///
    /// # Panics
    /// When there is no run.
    #[must_use]
    pub fn new(settings: impl Into<Settings>, task: Arc<Task>, runs: Vec<RunSpec>) -> Self {
        assert!(!runs.is_empty(), "a trainer has at least one run");
        let settings: Settings = settings.into();
        let (precision, examples) = (settings.model.precision, task.train_examples());
        let model = Model::new(settings.model, task.input(), task.classes());
        let seeds: Vec<u64> = runs.iter().map(|r| r.seed).collect();
        let runs: Vec<RunState> = runs
            .into_iter()
            .map(|run| RunState {
                clock: Progress::new(run.steps),
                schedule: LambdaState::new(&settings.lambda, &run),
                trace: Trace::new(run),
            })
            .collect();
        // Mixup mixes each example of a batch with the one as far from the batch's other end. A full batch has a fixed order
        // otherwise, and would mix the same pairs in every step.
        let shuffles = settings.augmentation.mixup > 0.0;
        let batches = |seed| Batches::new(examples, settings.batch, settings.sampling, seed).shuffling(shuffles);
        Self {
            loss: settings.loss,
            lr_course: settings.lr_course,
            augmentation: settings.augmentation,
            label_smoothing: settings.label_smoothing,
            optimizer: settings.optimizer,
            decays: model.params().iter().map(|p| settings.decay == Decayed::All || p.is_weight()).collect(),
            steps_per_epoch: steps_per_epoch(settings.batch, examples),
            step: 0,
            rows: (0..runs.len()).collect(),
            batches: runs.iter().map(|r| batches(r.trace.run.seed)).collect(),
            params: model.init(&seeds, task.device()),
            buffers: model.init_buffers(seeds.len(), task.device()),
            velocities: Vec::new(),
            squares: Vec::new(),
            scaling: Model::draw(&scaling::state(precision), &seeds, task.device()),
            update: None,
            measured: false,
            runs,
            model,
            task,
        }
    }

    /// Steps taken so far.
    #[must_use]
    pub fn steps_taken(&self) -> u64 {
        self.step
    }

    /// Runs that have not ended.
    #[must_use]
    pub fn active(&self) -> usize {
        self.rows.len()
    }

    /// The network that all runs share.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Parameters of the active runs, `[runs, elements]`, in the model's order.
    #[must_use]
    pub fn params(&self) -> &[Tensor<2>] {
        &self.params
    }

    /// Epochs that run `index` has trained for, and its τ.
    ///
    /// # Panics
    /// When there is no such run.
    #[cfg(feature = "full-scale")]
    #[must_use]
    pub fn position(&self, index: usize) -> (f64, f64) {
        (self.step as f64 / self.steps_per_epoch as f64, self.runs[index].clock.tau)
    }

    /// What was measured of each run, in the order given to [`Self::new`].
    pub fn traces(&self) -> impl Iterator<Item = &Trace> {
        self.runs.iter().map(|r| &r.trace)
    }

    /// Hands over what was measured.
    #[must_use]
    pub fn into_traces(self) -> Vec<Trace> {
        self.runs.into_iter().map(|r| r.trace).collect()
    }

    /// Whether [`Self::measure`] has something to do before the next step is taken.
    #[must_use]
    pub fn is_due(&self) -> bool {
        !(self.measured || self.due().is_empty() && self.probed().is_empty())
    }

    /// Rows that are measured at the current step.
    fn due(&self) -> Vec<usize> {
        (0..self.rows.len()).filter(|&row| self.runs[self.rows[row]].trace.run.measures_at(self.step)).collect()
    }

    /// Rows whose λ schedule looks at training at the current step: never at the start, where there was none.
    fn probed(&self) -> Vec<usize> {
        let every = |row: usize| self.runs[self.rows[row]].schedule.probes_every();
        let looks = |&row: &usize| self.step > 0 && every(row).is_some_and(|n| self.step.is_multiple_of(n));
        (0..self.rows.len()).filter(looks).collect()
    }

    /// Takes one step of every active run. Does nothing when none is.
    ///
    /// In f16 a run whose gradients overflow stays as it is in this step, and its loss's scale is halved. τ and the schedules
    /// count the step all the same, since the device alone knows of it; Adam's bias correction, on the device, does not.
    pub fn step(&mut self) {
        if self.rows.is_empty() {
            return;
        }
        let update = self.next_update();
        let [images, targets] = self.next_batch();

        let tracked: Vec<Tensor<2>> =
            std::mem::take(&mut self.params).into_iter().map(|p| p.autodiff().require_grad()).collect();
        let seeds: Vec<u64> = self.rows.iter().map(|&r| self.runs[r].trace.run.seed).collect();
        let buffers_before = self.scales().then(|| self.buffers.clone());
        let logits = self.model.forward_step(&tracked, &mut self.buffers, images, &seeds, self.step);
        let batch = logits.dims()[1];
        let losses = self.loss.per_example(logits, targets);
        let losses = if self.scales() { losses * self.scaling[0].clone() } else { losses };
        // Runs share no parameter, so the gradient of the sum is every run's own gradient.
        let loss = losses.sum().div_scalar(batch as f64);
        let mut grads = loss.backward();
        drop(loss);

        let grad = |t: &Tensor<2>| t.grad_remove(&mut grads).expect("every parameter takes part in the loss");
        let grads: Vec<Tensor<2>> = tracked.iter().map(grad).collect();
        let (grads, skip) = match buffers_before {
            None => (grads, None),
            Some(before) => {
                let (grads, skip) = scaling::unscale(grads, &mut self.scaling);
                for (buffer, before) in self.buffers.iter_mut().zip(before) {
                    *buffer = skip.keep(before, buffer.clone());
                }
                (grads, Some(skip))
            }
        };

        let mut velocities = std::mem::take(&mut self.velocities).into_iter();
        let mut squares = std::mem::take(&mut self.squares).into_iter();
        self.step += 1;
        // Adam's moments hold nothing of a skipped step, so a run's correction counts only the steps that it took.
        let taken = scaling::taken(&self.scaling).filter(|_| self.scales() && self.optimizer.is_adam());
        let correction = taken.map_or_else(|| BiasCorrection::shared(self.step), BiasCorrection::per_run);
        for ((tracked, grad), &decays) in tracked.into_iter().zip(grads).zip(&self.decays) {
            let memory = Memory { velocity: velocities.next(), square: squares.next() };
            let theta = tracked.inner();
            let before = skip.as_ref().map(|skip| (skip, theta.clone(), memory.clone()));
            let (mut theta, mut memory) = update.optimizer.update(theta, grad, memory, decays, &correction);
            if let Some((skip, theta_before, memory_before)) = before {
                (theta, memory) = (skip.keep(theta_before, theta), skip.keep_memory(memory_before, memory));
            }
            self.params.push(theta);
            self.velocities.extend(memory.velocity);
            self.squares.extend(memory.square);
        }
        for (row, &r) in self.rows.iter().enumerate() {
            let run = &mut self.runs[r];
            run.clock.tick(self.optimizer.effective_lr(update.lr[row], run.trace.run.momentum), update.lambda[row]);
        }
        self.update = Some(update);
        self.measured = false;
    }

    /// Whether the loss is scaled; in a build without 16 bits, a constant.
    fn scales(&self) -> bool {
        cfg!(feature = "full-scale") && !self.scaling.is_empty()
    }

    /// η and λ of the coming step, uploaded only where they changed.
    fn next_update(&mut self) -> Update {
        let value = |f: &dyn Fn(&RunState) -> f64| self.rows.iter().map(|&r| f(&self.runs[r])).collect::<Vec<_>>();
        let lr = value(&|run| self.lr(&run.trace.run));
        let lambda = value(&RunState::lambda);
        if let Some(update) = self.update.take_if(|u| u.lr == lr && u.lambda == lambda) {
            return update;
        }
        let momentum = value(&|run| run.trace.run.momentum);
        let optimizer = Optimizer::new(self.optimizer, &lr, &lambda, &momentum, self.task.device());
        Update { optimizer, lr, lambda }
    }

    /// η of a run's coming step.
    fn lr(&self, run: &RunSpec) -> f64 {
        run.lr * self.lr_course.factor(self.step, run.steps)
    }

    /// Images and targets of this step: `[1, batch, …]` where all runs see the same, else `[runs, batch, …]`.
    fn next_batch(&mut self) -> [Tensor<3>; 2] {
        let whole = self.batches[0].is_full() && !self.varies();
        let [images, targets] = if whole { self.task.train.all() } else { self.gather() };
        if self.label_smoothing == 0.0 {
            return [images, targets];
        }
        let share = self.label_smoothing;
        let classes = targets.dims()[2] as f64;
        [images, targets.mul_scalar(1.0 - share).add_scalar(share / classes)]
    }

    /// Whether examples are varied; in a build without that, a constant.
    fn varies(&self) -> bool {
        cfg!(feature = "full-scale") && !self.augmentation.is_none()
    }

    /// This step's examples, varied as they are to be.
    fn gather(&mut self) -> [Tensor<3>; 2] {
        let seed = |row: usize| self.runs[self.rows[row]].trace.run.seed;
        let shared = (1..self.rows.len()).all(|row| seed(row) == seed(0));
        let sources = if shared { 1 } else { self.rows.len() };
        let step = self.step;
        let indices: Vec<usize> = self.batches[..sources].iter_mut().flat_map(|b| b.indices(step)).collect();
        let batch = self.task.train.gather(&indices, sources);
        self.vary(batch, (0..sources).map(seed), step)
    }

    /// Examples of as many runs as there are `seeds`, varied as they are to be; `index` says which draw of each it is.
    fn vary(&self, batch: [Tensor<3>; 2], seeds: impl Iterator<Item = u64>, index: u64) -> [Tensor<3>; 2] {
        if !self.varies() {
            return batch;
        }
        let [_, each, _] = batch[0].dims();
        let variations: Vec<_> = seeds.flat_map(|seed| self.augmentation.draw(each, seed, index)).collect();
        augment(batch, self.task.input(), &variations)
    }

    /// Measures the runs that are due, ends those that are finished or diverged, and lets λ schedules
    /// react. Returns each measured run's index and measurement.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn measure(&mut self) -> Result<Vec<(usize, Measurement)>, TrainError> {
        self.probe().await?;
        match self.ask() {
            Some((asked, values)) => Ok(self.receive(asked, read_back(values).await?)),
            None => Ok(Vec::new()),
        }
    }

    /// Begins what [`Self::measure`] does, and leaves it to the device; `None` if nothing is due. The caller may take steps before
    /// it waits for [`Self::finish_measure`], unless [`Pending::is_last`].
    ///
    /// # Errors
    /// When the device fails.
    #[cfg(feature = "full-scale")]
    pub async fn begin_measure(&mut self) -> Result<Option<Pending>, TrainError> {
        self.probe().await?;
        let Some((asked, values)) = self.ask() else { return Ok(None) };
        let is_last = asked.iter().any(|(index, m)| m.step >= self.runs[*index].trace.run.steps);
        let mut reading: Reading = Box::pin(read_back(values));
        // The device is asked by the first poll: later its answer would come after all that is asked of it by then.
        let answer = match reading.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(values) => Answer::Here(values?),
            Poll::Pending => Answer::OnItsWay(reading),
        };
        Ok(Some(Pending { asked, answer, is_last }))
    }

    /// Ends what [`Self::begin_measure`] has begun.
    ///
    /// # Errors
    /// When the device fails.
    #[cfg(feature = "full-scale")]
    pub async fn finish_measure(&mut self, pending: Pending) -> Result<Vec<(usize, Measurement)>, TrainError> {
        let values = match pending.answer {
            Answer::Here(values) => values,
            Answer::OnItsWay(reading) => reading.await?,
        };
        Ok(self.receive(pending.asked, values))
    }

    /// What is due now: each run's index and measurement, without the numbers that the device is yet to tell.
    fn ask(&mut self) -> Option<(Vec<(usize, Measurement)>, Tensor<2>)> {
        self.measured = true;
        let due = self.due();
        if due.is_empty() {
            return None;
        }
        let values = self.evaluate(&due);
        let asked = due.into_iter().map(|row| {
            let index = self.rows[row];
            let run = &self.runs[index];
            let epoch = self.step as f64 / self.steps_per_epoch as f64;
            let (lr, lambda) = (self.lr(&run.trace.run), run.lambda());
            (index, Measurement { step: self.step, epoch, tau: run.clock.tau, lr, lambda, ..Measurement::UNKNOWN })
        });
        Some((asked.collect(), values))
    }

    /// Records what the device has told, and ends runs.
    fn receive(&mut self, mut asked: Vec<(usize, Measurement)>, values: Vec<f32>) -> Vec<(usize, Measurement)> {
        for ((index, m), values) in asked.iter_mut().zip(values.chunks_exact(VALUES)) {
            let [train_loss, train_accuracy, test_loss, test_accuracy, sq_norm]: [f64; VALUES] =
                std::array::from_fn(|i| f64::from(values[i]));
            *m = Measurement { train_loss, train_accuracy, test_loss, test_accuracy, sq_norm, ..*m };
            let trace = &mut self.runs[*index].trace;
            if trace.end.is_some() {
                continue;
            }
            trace.end = if let Some(what) = m.non_finite() {
                Some(End::Diverged { step: m.step, what: what.to_owned() })
            } else {
                (m.step >= trace.run.steps).then_some(End::Completed)
            };
            // A diverged state is recorded as the reason, not as a point of the curve.
            if !trace.diverged() {
                trace.points.push(*m);
            }
        }
        let active: Vec<bool> = self.rows.iter().map(|&r| self.runs[r].trace.end.is_none()).collect();
        self.keep_rows(|row| active[row]);
        asked
    }

    /// Shows λ schedules how training does, each run on its own minibatch, normalized as in training.
    async fn probe(&mut self) -> Result<(), TrainError> {
        let rows = self.probed();
        if rows.is_empty() {
            return Ok(());
        }
        let (params, mut buffers) = (self.pick(&self.params, &rows), self.pick(&self.buffers, &rows));
        let indices: Vec<usize> = rows.iter().flat_map(|&row| self.batches[row].probe(self.step)).collect();
        let seeds = rows.iter().map(|&row| self.runs[self.rows[row]].trace.run.seed);
        let batch = self.task.train.gather(&indices, rows.len());
        let [images, targets] = self.vary(batch, seeds, self.step | PROBES);
        let logits = self.model.forward(&params, &mut buffers, images, Mode::Train);
        let hits = hits(logits.clone(), targets.clone());
        let means = [self.loss.per_example(logits, targets), hits].map(|t| t.mean_dim(1));
        let values = read_back(Tensor::cat(means.to_vec(), 1)).await?;
        for (&row, probe) in rows.iter().zip(values.chunks_exact(2)) {
            let run = &mut self.runs[self.rows[row]];
            let probe = Probe { loss: f64::from(probe[0]), accuracy: f64::from(probe[1]) };
            // A loss that is no number ends the run at its next measurement.
            if probe.loss.is_finite() {
                run.schedule.observe(&run.clock, probe);
            }
        }
        Ok(())
    }

    /// The tensors' rows `rows`.
    fn pick(&self, tensors: &[Tensor<2>], rows: &[usize]) -> Vec<Tensor<2>> {
        if rows.len() == self.rows.len() {
            return tensors.to_vec();
        }
        let ids = row_ids(rows, self.task.device());
        tensors.iter().map(|t| t.clone().select(0, ids.clone())).collect()
    }

    /// `[train loss, train accuracy, test loss, test accuracy, ‖θ‖²]` of the runs in `rows`.
    ///
    /// As many training examples are measured as there are test examples, if there are that many.
    fn evaluate(&self, rows: &[usize]) -> Tensor<2> {
        let (params, mut buffers) = (self.pick(&self.params, rows), self.pick(&self.buffers, rows));
        let portions = Portions::new(&self.model, rows.len(), self.batches[0].batch_size(), self.task.device());
        let mut columns = Vec::with_capacity(VALUES);
        for examples in [&self.task.train, &self.task.test] {
            let count = examples.count.min(self.task.test.count);
            let mut sums: Option<[Tensor<2>; 2]> = None;
            for portion in portions.of(count) {
                let [images, targets] = examples.range(portion.start, portion.end);
                let logits = self.model.forward(&params, &mut buffers, images, Mode::Test);
                let hits = hits(logits.clone(), targets.clone());
                let part = [self.loss.per_example(logits, targets), hits].map(|t| t.sum_dim(1));
                sums = Some(match sums {
                    None => part,
                    Some([loss, hits]) => {
                        let [more_loss, more_hits] = part;
                        [loss + more_loss, hits + more_hits]
                    }
                });
            }
            let sums = sums.expect("a data set has at least one example");
            columns.extend(sums.map(|s| s.div_scalar(count as f64)));
        }
        let sq_norm = params.into_iter().map(|p| (p.clone() * p).sum_dim(1)).reduce(|a, b| a + b);
        columns.push(sq_norm.expect("a model has parameters"));
        Tensor::cat(columns, 1)
    }

    /// Drops the rows that `keep` refuses.
    fn keep_rows(&mut self, keep: impl Fn(usize) -> bool) {
        let kept: Vec<usize> = (0..self.rows.len()).filter(|&row| keep(row)).collect();
        if kept.len() == self.rows.len() {
            return;
        }
        self.rows = kept.iter().map(|&row| self.rows[row]).collect();
        self.batches = kept.iter().map(|&row| self.batches[row].clone()).collect();
        self.update = None;
        let groups = [&mut self.params, &mut self.velocities, &mut self.squares, &mut self.buffers, &mut self.scaling];
        for tensors in groups {
            if kept.is_empty() {
                tensors.clear();
                continue;
            }
            let ids = row_ids(&kept, self.task.device());
            for t in tensors.iter_mut() {
                *t = t.clone().select(0, ids.clone());
            }
        }
    }

    /// Waits until the device has done all that it was told.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn settle(&self) -> Result<(), TrainError> {
        if let Some(last) = self.params.last() {
            read_back(last.clone().narrow(1, 0, 1)).await?;
        }
        Ok(())
    }

    /// The trainer's whole state, on the host.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn snapshot(&self) -> Result<Snapshot, TrainError> {
        let mut tensors = Vec::new();
        let scaling = scaling::state(self.model.config().precision);
        for (kind, specs, group) in [
            ("param", self.model.params(), &self.params),
            ("velocity", self.model.params(), &self.velocities),
            ("square", self.model.params(), &self.squares),
            ("buffer", self.model.buffers(), &self.buffers),
            ("loss", &scaling, &self.scaling),
        ] {
            for (spec, tensor) in specs.iter().zip(group) {
                let values = read_back(tensor.clone()).await?;
                let shape = [&[self.rows.len()], &spec.shape[..]].concat();
                tensors.push(NamedTensor { name: format!("{kind}.{}", spec.name), shape, values });
            }
        }
        Ok(Snapshot { step: self.step, measured: self.measured, runs: self.runs.clone(), tensors })
    }

    /// Puts the trainer into a snapshot's state. On an error the trainer is as it was.
    ///
    /// # Errors
    /// When the snapshot is of other runs or another model.
    pub fn restore(&mut self, snapshot: Snapshot) -> Result<(), TrainError> {
        let misfit = |what: String| TrainError::Snapshot(what);
        let same = snapshot.runs.len() == self.runs.len()
            && snapshot.runs.iter().zip(&self.runs).all(|(a, b)| a.trace.run == b.trace.run);
        if !same {
            return Err(misfit("its runs are others".into()));
        }
        let rows: Vec<usize> = (0..snapshot.runs.len()).filter(|&r| snapshot.runs[r].trace.end.is_none()).collect();
        let device = self.task.device();
        let load = |kind: &str, specs: &[crate::model::ParamSpec], optional: bool| {
            let mut group = Vec::new();
            for spec in if rows.is_empty() { &[] } else { specs } {
                let name = format!("{kind}.{}", spec.name);
                let Some(t) = snapshot.tensors.iter().find(|t| t.name == name) else {
                    if optional {
                        return Ok(Vec::new());
                    }
                    return Err(misfit(format!("it has no tensor '{name}'")));
                };
                let shape = [&[rows.len()], &spec.shape[..]].concat();
                if t.shape != shape || t.values.len() != rows.len() * spec.elements() {
                    return Err(misfit(format!("tensor '{name}' has shape {:?}, expected {shape:?}", t.shape)));
                }
                group.push(Tensor::from_data(TensorData::new(t.values.clone(), [rows.len(), spec.elements()]), device));
            }
            Ok(group)
        };
        let params = load("param", self.model.params(), false)?;
        let velocities = load("velocity", self.model.params(), true)?;
        let squares = load("square", self.model.params(), true)?;
        let buffers = load("buffer", self.model.buffers(), false)?;
        let scaling = load("loss", &scaling::state(self.model.config().precision), false)?;
        // Batches are pure functions of seed and step: any row's serves as a pattern.
        let pattern = self.batches.first().cloned();
        if let Some(pattern) = pattern {
            self.batches = rows.iter().map(|&r| pattern.with_seed(snapshot.runs[r].trace.run.seed)).collect();
        } else if !rows.is_empty() {
            return Err(misfit("this trainer has finished already".into()));
        }
        (self.params, self.buffers, self.scaling) = (params, buffers, scaling);
        (self.velocities, self.squares) = (velocities, squares);
        (self.rows, self.runs, self.step, self.update) = (rows, snapshot.runs, snapshot.step, None);
        self.measured = snapshot.measured;
        Ok(())
    }
}

fn row_ids(rows: &[usize], device: &burn::tensor::Device) -> Tensor<1, Int> {
    let ids: Vec<i32> = rows.iter().map(|&r| i32::try_from(r).expect("fewer than 2^31 runs")).collect();
    Tensor::from_data(TensorData::new(ids, [rows.len()]), device)
}

/// 1 where the largest logit is the target's, else 0: `[runs, batch]`.
fn hits(logits: Tensor<3>, targets: Tensor<3>) -> Tensor<2> {
    let [runs, batch, _] = logits.dims();
    let [shared, ..] = targets.dims();
    let guess = logits.argmax(2).reshape([runs, batch]);
    let truth = targets.argmax(2).reshape([shared, batch]).expand([runs, batch]);
    guess.equal(truth).float()
}
