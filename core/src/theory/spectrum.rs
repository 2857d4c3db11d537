//! The spectrum of a kernel on a training set: eigenvalues, eigenvectors, and targets seen in them.

use faer::{Mat, MatRef, Side};

use super::{TheoryError, kernel::check_finite};

/// A symmetric positive semidefinite kernel, diagonalized: Θ e_a = γ_a e_a.
#[derive(Debug, Clone)]
pub struct Spectrum {
    /// γ_a, the largest first; never negative.
    pub values: Vec<f64>,
    /// e_a in column a, `[examples, modes]`, orthonormal.
    pub vectors: Mat<f64>,
    /// What rounding made negative.
    pub clamped: Clamped,
}

/// Eigenvalues that came out negative by rounding and were set to 0.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Clamped {
    /// How many.
    pub count: usize,
    /// The most negative of them, or 0.
    pub least: f64,
}

impl Spectrum {
    /// Diagonalizes a kernel, `[examples, examples]`; only its lower triangle is read. Uses as many threads as
    /// [`faer::get_global_parallelism`] says.
    ///
    /// # Errors
    /// When it is not square, not finite, or has an eigenvalue too negative for rounding.
    pub fn new(kernel: MatRef<'_, f64>) -> Result<Self, TheoryError> {
        let n = kernel.nrows();
        if n == 0 {
            return Err(TheoryError::Empty { what: "kernel" });
        }
        if kernel.ncols() != n {
            return Err(TheoryError::NotSquare { rows: n, columns: kernel.ncols() });
        }
        check_finite("kernel", (0..n).flat_map(|j| (j..n).map(move |i| kernel[(i, j)])))?;
        let eigen = kernel.self_adjoint_eigen(Side::Lower).map_err(|_| TheoryError::NoConvergence)?;
        let ascending = eigen.S().column_vector();
        let mut values: Vec<f64> = (0..n).rev().map(|a| ascending[a]).collect();
        let largest = values[0].max(-values[n - 1]);
        let clamped = clamp(&mut values, largest * f64::EPSILON * 64.0 * n as f64)?;
        let vectors = Mat::from_fn(n, n, |i, a| eigen.U()[(i, n - 1 - a)]);
        Ok(Self { values, vectors, clamped })
    }

    /// Coefficients of `targets`, `[examples, outputs]`, in the modes: `[modes, outputs]`.
    ///
    /// # Errors
    /// When the targets are not as many as the examples.
    pub fn project(&self, targets: MatRef<'_, f64>) -> Result<Mat<f64>, TheoryError> {
        if targets.nrows() != self.values.len() {
            return Err(TheoryError::Count { what: "targets", found: targets.nrows(), expected: self.values.len() });
        }
        Ok(self.vectors.transpose() * targets)
    }
}

fn clamp(values: &mut [f64], tolerance: f64) -> Result<Clamped, TheoryError> {
    let mut clamped = Clamped::default();
    for v in values.iter_mut().filter(|v| **v < 0.0) {
        if *v < -tolerance {
            return Err(TheoryError::Negative { value: *v, tolerance });
        }
        clamped.count += 1;
        clamped.least = clamped.least.min(*v);
        *v = 0.0;
    }
    Ok(clamped)
}

/// How the targets' power lies in the modes: the share of Σ|y|² that the first a + 1 modes hold, for each a; for
/// coefficients `[modes, outputs]` as [`Spectrum::project`] gives them. Ends at 1; all 0 for targets that are 0.
#[must_use]
pub fn alignment(coefficients: MatRef<'_, f64>) -> Vec<f64> {
    let mut sum = 0.0;
    let mut shares: Vec<f64> = power(coefficients)
        .into_iter()
        .map(|p| {
            sum += p;
            sum
        })
        .collect();
    if sum > 0.0 {
        shares.iter_mut().for_each(|s| *s /= sum);
    }
    shares
}

/// |y_a|² over outputs, of coefficients `[modes, outputs]`.
#[must_use]
pub fn power(coefficients: MatRef<'_, f64>) -> Vec<f64> {
    coefficients.row_iter().map(|row| row.squared_norm_l2()).collect()
}
