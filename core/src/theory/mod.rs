//! Why: infinitely wide networks with L2, whose training the paper solves (Theorems 1 and 2).
//!
//! [`Network`] and [`ConvNetwork`] give the kernels, [`Spectrum`] their modes, [`Homogeneous`] the flow of each mode in
//! closed form, [`Descent`] the same in finite steps, and [`Problem`] puts them together on a training and a test set;
//! [`experiment`] says which experiments that is about. Pure functions of numbers, without threads of their own: a kernel
//! is made of tasks that the caller runs, and `faer` uses what [`faer::get_global_parallelism`] says.
//!
//! **Units.** The loss is `(1/n) Σ ℓ + (λ/2)‖θ‖²` as everywhere in this crate, so kernels are divided by the number n
//! of training examples before their dynamics are solved (the paper sums over examples instead, which is n times this
//! loss: its λ and γ are n times ours, its time a 1/n-th). Time t is that of gradient flow: η times the number of steps,
//! so τ = λt.

mod conv;
mod descent;
mod dual;
mod fc;
mod flow;
mod kernel;
mod problem;
mod setting;
mod spectrum;

pub use conv::{ConvKernel, ConvNetwork, Images};
pub use descent::{Descent, DescentState, largest_stable_lr};
pub use dual::Activation;
pub use fc::{FcKernel, Network, inputs};
pub use flow::{Flow, Homogeneous, Instant, Life, Mode, Response, check_lambda};
pub use kernel::{Kernel, Kind, Task, assemble};
pub use problem::{Outputs, Point, Problem, Set, minimum};
pub use setting::{FIELDS, experiment};
pub use spectrum::{Clamped, Spectrum, alignment, power};

/// What keeps the theory from being applied.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TheoryError {
    /// A number that is not allowed.
    #[error("{what}: '{value}' is not allowed: {allowed}")]
    Value {
        /// Its name.
        what: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        allowed: &'static str,
    },
    /// NaN or infinity among given numbers.
    #[error("{what}: value {index} is {value}; every value has to be finite")]
    NotFinite {
        /// What they are.
        what: &'static str,
        /// Which, counted from 0.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// Nothing was given.
    #[error("{what}: there is none")]
    Empty {
        /// What is missing.
        what: &'static str,
    },
    /// Inputs that cannot be compared.
    #[error("the inputs have shapes {first:?} and {second:?}, which have to be equal")]
    Shape {
        /// Of each of the rows' inputs.
        first: Vec<usize>,
        /// Of each of the columns' inputs.
        second: Vec<usize>,
    },
    /// A kernel beyond the range of f64.
    #[error(
        "input {input}: the kernel is {value} after layer {layer} of {depth}; scale the inputs, w-std, b-std or slope, or \
         take fewer layers"
    )]
    Range {
        /// Which input, counted from 0.
        input: usize,
        /// The layer, counted from 1; after 0 there is the input itself.
        layer: usize,
        /// Of how many.
        depth: usize,
        /// The kernel there.
        value: f64,
    },
    /// A kernel whose modes cannot be followed.
    #[error(
        "the kernel's eigenvalues sum to {sum:.1e}; theory needs 1e-100 to 1e100: change w-std, or give images that are not \
         all of one colour"
    )]
    Scale {
        /// Of the kernel over the number of training examples.
        sum: f64,
    },
    /// Too few or too many of something.
    #[error("{what}: {found} were given, {expected} are needed")]
    Count {
        /// What they are.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A kernel on one set has as many rows as columns.
    #[error("the kernel is {rows} × {columns}, not square")]
    NotSquare {
        /// Its rows.
        rows: usize,
        /// Its columns.
        columns: usize,
    },
    /// Not a kernel: rounding does not explain a negative eigenvalue.
    #[error("the kernel has the eigenvalue {value:e}: below −{tolerance:e} rounding does not explain it")]
    Negative {
        /// The eigenvalue.
        value: f64,
        /// What rounding explains.
        tolerance: f64,
    },
    /// The eigendecomposition failed.
    #[error("the eigendecomposition did not converge")]
    NoConvergence,
}

impl TheoryError {
    /// [`Self::Value`] of a number, with an exponent where it would be long without.
    pub(crate) fn number(what: &'static str, value: f64, allowed: &'static str) -> Self {
        let plain = value.to_string();
        let value = if plain.len() > 20 { format!("{value:e}") } else { plain };
        Self::Value { what, value, allowed }
    }
}
