//! The theory of a training set: its modes and their flows put together into losses, accuracies and t_*.

use std::sync::Arc;

use faer::{Mat, MatRef};
use serde::Serialize;

use super::{
    Flow, Homogeneous, Instant, Kernel, Kind, Mode, Network, Response, Spectrum, TheoryError, inputs,
    kernel::check_finite,
};
use crate::data::{Dataset, Split};

/// Examples with what they should become and what the network makes of them at its start.
#[derive(Debug, Clone)]
pub struct Set {
    /// y, `[examples, outputs]`.
    pub targets: Mat<f64>,
    /// f at t = 0, `[examples, outputs]`; `None` is 0, the mean over random networks.
    pub initial: Option<Mat<f64>>,
}

impl Set {
    /// One-hot targets of class labels, starting from 0.
    #[must_use]
    pub fn one_hot(labels: &[u8], classes: usize) -> Self {
        let targets = Mat::from_fn(labels.len(), classes, |i, c| f64::from(u8::from(usize::from(labels[i]) == c)));
        Self { targets, initial: None }
    }

    pub(super) fn check(&self, what: &'static str) -> Result<(), TheoryError> {
        let y = &self.targets;
        if y.nrows() == 0 || y.ncols() == 0 {
            return Err(TheoryError::Empty { what });
        }
        let all = |m: &Mat<f64>| check_finite(what, m.col_iter().flat_map(|c| c.iter().copied().collect::<Vec<_>>()));
        all(y)?;
        if let Some(f) = &self.initial {
            all(f)?;
            if (f.nrows(), f.ncols()) != (y.nrows(), y.ncols()) {
                let [found, expected] = [f, y].map(|m| m.nrows() * m.ncols());
                return Err(TheoryError::Count { what: "initial outputs", found, expected });
            }
        }
        Ok(())
    }
}

/// What the theory says about one moment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(rename = "TheoryPoint"))]
pub struct Point {
    /// Time of gradient flow: η times steps.
    pub time: f64,
    /// Mean ½‖f − y‖² over the training set.
    pub train_loss: f64,
    /// Share of training examples whose largest output is the target's.
    pub train_accuracy: f64,
    /// The same over the test set, if there is one.
    pub test_loss: Option<f64>,
    /// The same over the test set, if there is one.
    pub test_accuracy: Option<f64>,
    /// Θ_t/Θ_0.
    pub kernel_scale: f64,
}

/// Outputs at one moment, `[examples, outputs]`.
#[derive(Debug, Clone)]
pub struct Outputs {
    /// On the training set.
    pub train: Mat<f64>,
    /// On the test set, if there is one.
    pub test: Option<Mat<f64>>,
}

/// A training set in the kernel's modes, and a test set seen from them. Copies share what is large.
#[derive(Debug, Clone)]
pub struct Problem {
    homogeneous: Homogeneous,
    spectrum: Arc<Spectrum>,
    train: Set,
    /// y and f(0) in the modes, `[modes, outputs]`.
    target: Mat<f64>,
    initial: Mat<f64>,
    test: Option<Test>,
}

#[derive(Debug, Clone)]
struct Test {
    set: Set,
    /// κ: the kernel between test points and modes, `[examples, modes]`.
    cross: Arc<Mat<f64>>,
    /// The test loss from f(0) = 0.
    loss: Option<Arc<Quadratic>>,
}

/// The loss as a form in the modes' responses r: (rᵀAr − 2bᵀr + c)/(2·examples). Outputs need `examples · modes` operations
/// for each class, this `modes²` for all of them.
#[derive(Debug, Clone)]
struct Quadratic {
    a: Mat<f64>,
    b: Mat<f64>,
    c: f64,
    examples: usize,
}

impl Quadratic {
    /// Of outputs `cross · (r ∘ target)`.
    fn new(cross: &Mat<f64>, target: &Mat<f64>, y: &Mat<f64>) -> Self {
        let (within, across) = (cross.transpose() * cross, cross.transpose() * y);
        let shared = target * target.transpose();
        let a = Mat::from_fn(within.nrows(), within.ncols(), |i, j| within[(i, j)] * shared[(i, j)]);
        let b = Mat::from_fn(target.nrows(), 1, |i, _| (0..y.ncols()).map(|c| target[(i, c)] * across[(i, c)]).sum());
        Self { a, b, c: y.squared_norm_l2(), examples: y.nrows() }
    }

    /// Of responses `[modes, times]`, at each time.
    fn at(&self, r: &Mat<f64>) -> Vec<f64> {
        let (ar, br) = (&self.a * r, self.b.transpose() * r);
        let sum = |j: usize| ar.col(j).iter().zip(r.col(j).iter()).map(|(a, b)| a * b).sum::<f64>();
        (0..r.ncols()).map(|j| (sum(j) - 2.0 * br[(0, j)] + self.c) / (2 * self.examples) as f64).collect()
    }
}

impl Problem {
    /// The problem of a data set: images normalized as for networks, one-hot targets, f(0) = 0. `compute` makes the matrix
    /// of a kernel, which is named for its progress.
    ///
    /// # Errors
    /// When the network is not homogeneous, its kernel is too small or too large, or `compute` fails.
    pub fn of_data<E: From<TheoryError>>(
        network: &Network,
        split: &Split,
        mut compute: impl FnMut(&'static str, &dyn Kernel) -> Result<Mat<f64>, E>,
    ) -> Result<Self, E> {
        let Some(k) = network.homogeneity() else {
            let (what, value) = ("network", format!("{:?}", network.activation).to_lowercase());
            let allowed = "Theorem 2 is about homogeneous ones: relu or linear, without biases";
            return Err(TheoryError::Value { what, value, allowed }.into());
        };
        Self::check_scale(network, &split.train)?;
        let (train, test) = (&split.train, &split.test);
        let norm = train.mean_std();
        let [x, z] = [train, test].map(|data| inputs(&data.normalized(norm), data.image_size()));
        let per_example = faer::Scale(1.0 / train.len() as f64);
        let kernel = per_example * compute("kernel", &network.kernel(Kind::Ntk, x.as_ref(), None)?)?;
        let cross = network.kernel(Kind::Ntk, z.as_ref(), Some(x.as_ref()))?;
        let cross = per_example * compute("test kernel", &cross)?;
        let classes = train.classes().len();
        let problem = Self::new(k, Spectrum::new(kernel.as_ref())?, Set::one_hot(train.labels(), classes))?;
        Ok(problem.with_test(cross.as_ref(), Set::one_hot(test.labels(), classes))?)
    }

    /// What [`Self::of_data`] refuses of a network and its training set, without the kernel.
    ///
    /// # Errors
    /// When the kernel's eigenvalues, or products of them, would leave the range of f64.
    pub fn check_scale(network: &Network, train: &Dataset) -> Result<(), TheoryError> {
        let x = inputs(&train.normalized(train.mean_std()), train.image_size());
        let sum = network.diagonal(Kind::Ntk, x.as_ref())?.into_iter().sum::<f64>() / train.len() as f64;
        if (1e-100..=1e100).contains(&sum) { Ok(()) } else { Err(TheoryError::Scale { sum }) }
    }

    /// The same from f(0) on the training and the test set, `[examples, outputs]`.
    ///
    /// # Errors
    /// When numbers are not finite or their shapes are not those of the targets.
    pub fn starting_from(&self, train: Mat<f64>, test: Mat<f64>) -> Result<Self, TheoryError> {
        let from = |set: &Set, f: Mat<f64>| Set { initial: Some(f), targets: set.targets.clone() };
        let mut problem =
            Self::of_spectrum(self.homogeneous.clone(), Arc::clone(&self.spectrum), from(&self.train, train))?;
        if let Some(old) = &self.test {
            let set = from(&old.set, test);
            set.check("test targets")?;
            problem.test = Some(Test { set, cross: Arc::clone(&old.cross), loss: None });
        }
        Ok(problem)
    }

    /// `spectrum` is that of the training set's kernel, divided by the number of training examples.
    ///
    /// # Errors
    /// When numbers are not finite or the set is another.
    pub fn new(k: usize, spectrum: Spectrum, train: Set) -> Result<Self, TheoryError> {
        Self::of_spectrum(Homogeneous::new(k), Arc::new(spectrum), train)
    }

    fn of_spectrum(homogeneous: Homogeneous, spectrum: Arc<Spectrum>, train: Set) -> Result<Self, TheoryError> {
        train.check("training targets")?;
        let target = spectrum.project(train.targets.as_ref())?;
        let initial = match &train.initial {
            Some(f) => spectrum.project(f.as_ref())?,
            None => Mat::zeros(target.nrows(), target.ncols()),
        };
        Ok(Self { homogeneous, spectrum, train, target, initial, test: None })
    }

    /// With a test set; `kernel` is that between test and training points, `[test, training]`, divided by the number of
    /// training examples.
    ///
    /// # Errors
    /// When numbers are not finite or the shapes do not fit.
    pub fn with_test(mut self, kernel: MatRef<'_, f64>, set: Set) -> Result<Self, TheoryError> {
        set.check("test targets")?;
        check_finite("kernel", kernel.col_iter().flat_map(|c| c.iter().copied().collect::<Vec<_>>()))?;
        let [modes, outputs] = [self.target.nrows(), self.target.ncols()];
        for (what, found, expected) in [
            ("the test kernel's columns", kernel.ncols(), modes),
            ("the test kernel's rows", kernel.nrows(), set.targets.nrows()),
            ("the test targets' outputs", set.targets.ncols(), outputs),
        ] {
            if found != expected {
                return Err(TheoryError::Count { what, found, expected });
            }
        }
        let cross = kernel * &self.spectrum.vectors;
        let from_zero = set.initial.is_none() && self.train.initial.is_none();
        let loss = from_zero.then(|| Arc::new(Quadratic::new(&cross, &self.target, &set.targets)));
        self.test = Some(Test { set, cross: Arc::new(cross), loss });
        Ok(self)
    }

    /// The kernel's modes.
    #[must_use]
    pub fn spectrum(&self) -> &Spectrum {
        &self.spectrum
    }

    /// y in the modes, `[modes, outputs]`.
    #[must_use]
    pub fn target(&self) -> MatRef<'_, f64> {
        self.target.as_ref()
    }

    /// f(0) in the modes, `[modes, outputs]`.
    #[must_use]
    pub fn initial(&self) -> MatRef<'_, f64> {
        self.initial.as_ref()
    }

    /// Bytes that [`Self::of_data`] and trajectories take for so many training and test examples of this size: kernel,
    /// eigenvectors with their work space, the form of the test loss; the test kernel, in examples and in modes; inputs.
    #[must_use]
    pub fn bytes(train: usize, test: usize, size: usize) -> usize {
        let of_modes = train.saturating_mul(7).saturating_add(test.saturating_mul(2)).saturating_mul(train);
        let inputs = train.saturating_add(test).saturating_mul(size).saturating_mul(2);
        of_modes.saturating_add(inputs).saturating_mul(size_of::<f64>())
    }

    /// The flows of this problem's degree.
    #[must_use]
    pub fn homogeneous(&self) -> &Homogeneous {
        &self.homogeneous
    }

    /// Training and test loss alone at each of `times`: what can follow a slider.
    ///
    /// # Errors
    /// When λ or a time is not allowed.
    pub fn losses(&self, lambda: f64, times: &[f64]) -> Result<Vec<(f64, Option<f64>)>, TheoryError> {
        let (flow, modes) = self.flow(lambda)?;
        self.losses_of(flow, &modes, times)
    }

    /// Losses and accuracies at each of `times`.
    ///
    /// # Errors
    /// When λ or a time is not allowed.
    pub fn trajectory(&self, lambda: f64, times: &[f64]) -> Result<Vec<Point>, TheoryError> {
        let (flow, modes) = self.flow(lambda)?;
        let losses = self.losses_of(flow, &modes, times)?;
        times
            .iter()
            .zip(losses)
            .map(|(&time, (train_loss, test_loss))| {
                let Outputs { train, test } = self.outputs_of(&flow.at(time)?, &modes);
                Ok(Point {
                    time,
                    train_loss,
                    train_accuracy: accuracy(&train, &self.train.targets),
                    test_loss,
                    test_accuracy: self.test.as_ref().zip(test).map(|(t, f)| accuracy(&f, &t.set.targets)),
                    kernel_scale: flow.kernel_scale(time),
                })
            })
            .collect()
    }

    /// Outputs at one time.
    ///
    /// # Errors
    /// When λ or the time is not allowed.
    pub fn outputs(&self, lambda: f64, time: f64) -> Result<Outputs, TheoryError> {
        let (flow, modes) = self.flow(lambda)?;
        Ok(self.outputs_of(&flow.at(time)?, &modes))
    }

    /// t_*: the time of the least test loss (training loss without a test set), by the closed form at any time, not on a
    /// list of times. `None` if the loss has no least value before all is over: for λ = 0, and for k < 2 unless the network
    /// overfits, which L2 has no part in.
    ///
    /// # Errors
    /// When λ is not allowed.
    pub fn peak(&self, lambda: f64) -> Result<Option<f64>, TheoryError> {
        let (flow, modes) = self.flow(lambda)?;
        let gamma = self.spectrum.values[0];
        if lambda == 0.0 || gamma == 0.0 {
            return Ok(None);
        }
        let loss = |time: f64| {
            let losses = self.losses_of(flow, &modes, &[time]);
            losses.map_or(f64::NAN, |at| at[0].1.unwrap_or(at[0].0))
        };
        Ok(minimum(loss, 1e-3 / gamma.max(lambda), 40.0 / lambda))
    }

    fn flow(&self, lambda: f64) -> Result<(Flow<'_>, Vec<Mode>), TheoryError> {
        let flow = self.homogeneous.flow(lambda)?;
        let modes = self.spectrum.values.iter().map(|&g| flow.mode(g)).collect::<Result<_, _>>()?;
        Ok((flow, modes))
    }

    fn losses_of(&self, flow: Flow<'_>, modes: &[Mode], times: &[f64]) -> Result<Vec<(f64, Option<f64>)>, TheoryError> {
        let instants = times.iter().map(|&t| flow.at(t)).collect::<Result<Vec<_>, _>>()?;
        let train = instants.iter().map(|now| self.train_loss(now, modes));
        let Some(test) = &self.test else { return Ok(train.map(|l| (l, None)).collect()) };
        let test = if let Some(form) = &test.loss {
            let r = |a: usize, j: usize| instants[j].test_response(&modes[a]).target;
            form.at(&Mat::from_fn(modes.len(), times.len(), r))
        } else {
            let f = |now: &Instant| self.test_outputs(modes.iter().map(|m| now.test_response(m)), now.shrink());
            instants.iter().filter_map(f).map(|f| loss(&f, &test.set.targets)).collect()
        };
        Ok(train.zip(test.into_iter().map(Some)).collect())
    }

    /// In modes: their basis is orthonormal.
    fn train_loss(&self, now: &Instant<'_>, modes: &[Mode]) -> f64 {
        let f = self.combine(modes.iter().map(|m| now.response(m)));
        (f - &self.target).squared_norm_l2() / (2 * self.target.nrows()) as f64
    }

    fn outputs_of(&self, now: &Instant<'_>, modes: &[Mode]) -> Outputs {
        let train = self.train_outputs(modes.iter().map(|m| now.response(m)));
        let test = self.test_outputs(modes.iter().map(|m| now.test_response(m)), now.shrink());
        Outputs { train, test }
    }

    /// Training outputs where each mode responds like this, such as [`super::DescentState::responses`].
    #[must_use]
    pub fn train_outputs(&self, responses: impl Iterator<Item = Response>) -> Mat<f64> {
        &self.spectrum.vectors * self.combine(responses)
    }

    /// Test outputs, if there is a test set, where modes respond like this over their γ, such as
    /// [`super::DescentState::test_responses`], and `shrink` is left of f(0).
    #[must_use]
    pub fn test_outputs(&self, responses: impl Iterator<Item = Response>, shrink: f64) -> Option<Mat<f64>> {
        let test = self.test.as_ref()?;
        let mut f = &*test.cross * self.combine(responses);
        if let Some(start) = &test.set.initial {
            f += faer::Scale(shrink) * start;
        }
        Some(f)
    }

    fn combine(&self, responses: impl Iterator<Item = Response>) -> Mat<f64> {
        let r: Vec<Response> = responses.collect();
        Mat::from_fn(self.target.nrows(), self.target.ncols(), |a, c| {
            r[a].initial * self.initial[(a, c)] + r[a].target * self.target[(a, c)]
        })
    }
}

/// Mean over examples of ½‖f − y‖².
fn loss(f: &Mat<f64>, y: &Mat<f64>) -> f64 {
    (f - y).squared_norm_l2() / (2 * y.nrows()) as f64
}

/// Share of examples whose largest output is that of the largest target.
fn accuracy(f: &Mat<f64>, y: &Mat<f64>) -> f64 {
    let largest =
        |m: &Mat<f64>, i: usize| (1..m.ncols()).fold(0, |best, c| if m[(i, c)] > m[(i, best)] { c } else { best });
    let hits = (0..y.nrows()).filter(|&i| largest(f, i) == largest(y, i)).count();
    hits as f64 / y.nrows() as f64
}

/// Where `f` is least between `low` and `high`, in logarithmic steps: the best of a grid, refined by golden section.
/// `None` if that is at an end, or nothing is a number.
pub fn minimum(f: impl Fn(f64) -> f64, low: f64, high: f64) -> Option<f64> {
    // Sums of decaying exponentials do not turn faster than this.
    const PER_OCTAVE: f64 = 4.0;
    let (low, high) = (low.ln(), high.ln());
    let count = ((high - low) / std::f64::consts::LN_2 * PER_OCTAVE).ceil().max(4.0) as usize;
    let at = |i: usize| low + (high - low) * i as f64 / count as f64;
    let grid: Vec<f64> = (0..=count).map(|i| f(at(i).exp())).collect();
    let best = (0..=count).filter(|&i| !grid[i].is_nan()).min_by(|&a, &b| grid[a].total_cmp(&grid[b]))?;
    // A plateau's rounding is no minimum: both ends have to be higher by more than that.
    let spread = grid.iter().copied().fold(0.0, |spread: f64, v| spread.max(v - grid[best]));
    if [grid[0], grid[count]].into_iter().any(|end| end - grid[best] <= 1e-9 * spread) {
        return None;
    }
    let ratio = (5.0_f64.sqrt() - 1.0) / 2.0;
    let (mut a, mut b) = (at(best - 1), at(best + 1));
    let mut inner = [b - ratio * (b - a), a + ratio * (b - a)];
    let mut values = inner.map(|x| f(x.exp()));
    // Losses are flat at their least: rounding allows no more than half the digits.
    while b - a > 1e-7 {
        if values[0] <= values[1] {
            b = inner[1];
            inner = [b - ratio * (b - a), inner[0]];
            values = [f(inner[0].exp()), values[0]];
        } else {
            a = inner[0];
            inner = [inner[1], a + ratio * (b - a)];
            values = [values[1], f(inner[1].exp())];
        }
    }
    Some(f64::midpoint(a, b).exp())
}
