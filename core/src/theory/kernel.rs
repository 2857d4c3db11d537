//! Kernel matrices: what any kernel offers, and how a matrix is made of tasks that can run anywhere.

use faer::{Mat, MatMut};

use super::{TheoryError, dual::Scale};

/// Which kernel of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The covariance of the outputs of random networks (NNGP).
    Nngp = 0,
    /// The neural tangent kernel, ⟨∂_θ f(x), ∂_θ f(x′)⟩.
    Ntk = 1,
}

/// A kernel on given inputs, ready to be evaluated column by column.
pub trait Kernel: Sync {
    /// `[rows, columns]` of the matrix.
    fn shape(&self) -> [usize; 2];

    /// Whether columns are the same inputs as rows; then only entries on and above the diagonal are asked for.
    fn is_symmetric(&self) -> bool;

    /// Columns that one task should hold: enough to be efficient, few enough to keep memory bounded.
    fn columns_per_task(&self) -> usize;

    /// Writes rows `0..out.nrows()` of columns `first..first + out.ncols()`.
    fn fill(&self, first: usize, out: MatMut<'_, f64>);
}

/// Some columns of a kernel matrix, to be computed.
pub struct Task<'a> {
    kernel: &'a dyn Kernel,
    first: usize,
    out: MatMut<'a, f64>,
}

impl Task<'_> {
    /// Entries that the task computes.
    #[must_use]
    pub fn entries(&self) -> usize {
        let [rows, _] = self.kernel.shape();
        let rows = if self.kernel.is_symmetric() { self.first + self.out.ncols() } else { rows };
        rows * self.out.ncols()
    }

    /// Computes them.
    pub fn run(self) {
        let rows = if self.kernel.is_symmetric() { self.first + self.out.ncols() } else { self.out.nrows() };
        self.kernel.fill(self.first, self.out.subrows_mut(0, rows));
    }
}

/// The matrix of a kernel. `run` runs the tasks, in any order and on as many threads as it likes, and may count them.
pub fn assemble<'k>(kernel: &'k dyn Kernel, run: impl for<'a> FnOnce(Vec<Task<'a>>)) -> Mat<f64> {
    let [rows, columns] = kernel.shape();
    let mut matrix: Mat<f64> = Mat::zeros(rows, columns);
    let width = kernel.columns_per_task().max(1);
    let mut tasks = Vec::with_capacity(columns.div_ceil(width));
    let mut rest = matrix.as_mut();
    let mut first = 0;
    while first < columns {
        let (out, more) = rest.split_at_col_mut(width.min(columns - first));
        tasks.push(Task { kernel, first, out });
        rest = more;
        first += width;
    }
    // The last columns are the longest in a symmetric matrix: they come first, so that threads end together.
    tasks.reverse();
    run(tasks);
    if kernel.is_symmetric() {
        for j in 0..columns {
            for i in j + 1..rows {
                matrix[(i, j)] = matrix[(j, i)];
            }
        }
    }
    matrix
}

/// Refuses inputs that are not all finite.
pub(super) fn check_finite(what: &'static str, values: impl IntoIterator<Item = f64>) -> Result<(), TheoryError> {
    for (index, value) in values.into_iter().enumerate() {
        if !value.is_finite() {
            return Err(TheoryError::NotFinite { what, index, value });
        }
    }
    Ok(())
}

/// Refuses an input whose kernel with itself, after so many layers of all, leaves the range of f64.
pub(super) fn check_range(input: usize, [layer, depth]: [usize; 2], value: f64) -> Result<(), TheoryError> {
    if value.is_finite() { Ok(()) } else { Err(TheoryError::Range { input, layer, depth, value }) }
}

/// Bytes of the matrix between so many rows and columns (without: among the rows), and of the scales of each layer's
/// `pixels` pre-activations per input.
pub(super) fn bytes(rows: usize, columns: Option<usize>, depth: usize, pixels: usize) -> usize {
    let inputs = rows.saturating_add(columns.unwrap_or(0));
    let scales = inputs.saturating_mul(pixels).saturating_mul(depth).saturating_mul(size_of::<Scale>());
    rows.saturating_mul(columns.unwrap_or(rows)).saturating_mul(size_of::<f64>()).saturating_add(scales)
}
