//! Theorem 1: the flow of an infinitely wide k-homogeneous network under any loss, by a stiff differential equation
//! solver with adaptive order and steps (BDF).
//!
//! The parameters are θ = sθ₀ − Σ_x c(x)∂f₀(x) with s = e^{−λt} (see [`super::Descent`]), so one weight for each
//! training example and output says everything: `∂_t c = s^{k−1} ℓ′(f) − λc`, `f = s^k f₀ − s^{k−1} Θ₀ c`.

use std::cell::RefCell;

use diffsol::{FaerLU, FaerMat, MatrixCommon, OdeBuilder, OdeSolverMethod};
use faer::{Mat, MatRef};

use super::{Outputs, Set, TheoryError, kernel::check_finite};
use crate::train::Loss;

/// A flow under any loss.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GeneralFlow {
    /// Homogeneity degree.
    pub k: usize,
    /// L2 coefficient λ.
    pub lambda: f64,
    /// What is minimized over the training set.
    pub loss: Loss,
    /// Relative tolerance of each step, such as 1e-6.
    pub tolerance: f64,
}

/// Examples × outputs that can be solved for: Newton's method needs a dense matrix of that many rows, 128 MiB.
const MAX_UNKNOWNS: usize = 4096;

impl GeneralFlow {
    /// Outputs at each of `times`, which do not decrease. `kernel` is that of the training set, `test` the kernel between
    /// test and training points `[test, training]` and the test set; both kernels are divided by the number of training
    /// examples. Only the initial outputs of the test set matter.
    ///
    /// # Errors
    /// When numbers are not allowed, shapes do not fit, there are too many unknowns, or the solver fails.
    pub fn solve(
        &self,
        kernel: MatRef<'_, f64>,
        train: &Set,
        test: Option<(MatRef<'_, f64>, &Set)>,
        times: &[f64],
    ) -> Result<Vec<Outputs>, TheoryError> {
        self.check(kernel, train, times)?;
        let [n, outputs] = [train.targets.nrows(), train.targets.ncols()];
        let zero = Mat::zeros(n, outputs);
        let start = train.initial.as_ref().unwrap_or(&zero);
        let k = self.k as i32;
        let matrix = |values: &[f64]| MatRef::from_column_major_slice(values, n, outputs).to_owned();
        let outputs_at = |c: &[f64], t: f64| -> Mat<f64> {
            let s = (-self.lambda * t).exp();
            faer::Scale(s.powi(k)) * start - faer::Scale(s.powi(k - 1)) * (kernel * matrix(c))
        };
        // The Jacobian is asked for column by column at one point: its outputs are kept.
        let last: RefCell<(f64, Vec<f64>, Mat<f64>)> = RefCell::new((f64::NAN, Vec::new(), Mat::zeros(0, 0)));
        let remembered = |c: &[f64], t: f64| {
            let mut last = last.borrow_mut();
            if last.0 != t || last.1 != c {
                *last = (t, c.to_vec(), outputs_at(c, t));
            }
            last.2.clone()
        };
        let rhs = |c: &[f64], _: &[f64], t: f64, dc: &mut [f64]| {
            let gradient = self.gradient(&outputs_at(c, t), &train.targets);
            let s = (-self.lambda * t).exp().powi(k - 1);
            for (j, column) in dc.chunks_exact_mut(n).enumerate() {
                for (i, d) in column.iter_mut().enumerate() {
                    *d = s * gradient[(i, j)] - self.lambda * c[j * n + i];
                }
            }
        };
        let jacobian = |c: &[f64], _: &[f64], t: f64, v: &[f64], dv: &mut [f64]| {
            let s = (-self.lambda * t).exp().powi(2 * (k - 1));
            let moved = multiply(kernel, v, outputs);
            let curved = self.curvature(&remembered(c, t), &moved);
            for (j, column) in dv.chunks_exact_mut(n).enumerate() {
                for (i, d) in column.iter_mut().enumerate() {
                    *d = -s * curved[(i, j)] - self.lambda * v[j * n + i];
                }
            }
        };
        let mut later: Vec<f64> = times.iter().copied().filter(|&t| t > 0.0).collect();
        later.dedup();
        let failed = |e: diffsol::error::DiffsolError| TheoryError::Solver(e.to_string());
        let mut weights = vec![vec![0.0; n * outputs]];
        if !later.is_empty() {
            let problem = OdeBuilder::<FaerMat<f64>>::new()
                .rhs_implicit(rhs, jacobian)
                .init(|_, _, c| c.fill(0.0), n * outputs)
                .rtol(self.tolerance)
                .atol([self.tolerance * 1e-3])
                .build()
                .map_err(failed)?;
            let mut solver = problem.bdf::<FaerLU<f64>>().map_err(failed)?;
            let (solution, _) = solver.solve_dense(&later).map_err(failed)?;
            let solution = solution.inner();
            weights.extend((0..later.len()).map(|j| solution.col(j).iter().copied().collect::<Vec<f64>>()));
        }
        let of_time = |&t: &f64| {
            let index = if t > 0.0 { 1 + later.partition_point(|&l| l < t) } else { 0 };
            let c = &weights[index];
            let s = (-self.lambda * t).exp();
            let test = test.map(|(cross, set)| {
                let mut f = faer::Scale(-s.powi(k - 1)) * (cross * matrix(c));
                if let Some(start) = &set.initial {
                    f += faer::Scale(s.powi(k)) * start;
                }
                f
            });
            Outputs { train: outputs_at(c, t), test }
        };
        Ok(times.iter().map(of_time).collect())
    }

    fn check(&self, kernel: MatRef<'_, f64>, train: &Set, times: &[f64]) -> Result<(), TheoryError> {
        let refuse = |what, value: String, allowed| Err(TheoryError::Value { what, value, allowed });
        if !(self.lambda >= 0.0 && self.lambda.is_finite()) {
            return refuse("lambda", self.lambda.to_string(), "0 or more");
        }
        if !(1e-12..=1e-1).contains(&self.tolerance) {
            return refuse("tolerance", self.tolerance.to_string(), "1e-12 to 0.1");
        }
        if let Some(t) = times.iter().find(|t| !(**t >= 0.0 && t.is_finite())) {
            return refuse("time", t.to_string(), "a finite number from 0");
        }
        if let Some(pair) = times.windows(2).find(|pair| pair[1] < pair[0]) {
            return refuse("time", pair[1].to_string(), "times that do not decrease");
        }
        train.check("training targets")?;
        let n = train.targets.nrows();
        if (kernel.nrows(), kernel.ncols()) != (n, n) {
            return Err(TheoryError::Count {
                what: "the kernel's rows and columns",
                found: kernel.nrows(),
                expected: n,
            });
        }
        check_finite("kernel", kernel.col_iter().flat_map(|c| c.iter().copied().collect::<Vec<_>>()))?;
        let unknowns = n * train.targets.ncols();
        if unknowns > MAX_UNKNOWNS {
            return refuse("examples × outputs", unknowns.to_string(), "at most 4096 under a general loss");
        }
        Ok(())
    }

    /// ∂ℓ/∂f of each example.
    fn gradient(&self, f: &Mat<f64>, y: &Mat<f64>) -> Mat<f64> {
        match self.loss {
            Loss::Mse => f - y,
            Loss::CrossEntropy => softmax(f) - y,
        }
    }

    /// ∂²ℓ/∂f² of each example, times its row of `v`.
    fn curvature(&self, f: &Mat<f64>, v: &Mat<f64>) -> Mat<f64> {
        match self.loss {
            Loss::Mse => v.clone(),
            Loss::CrossEntropy => {
                let p = softmax(f);
                let means: Vec<f64> =
                    (0..v.nrows()).map(|i| (0..v.ncols()).map(|j| p[(i, j)] * v[(i, j)]).sum()).collect();
                Mat::from_fn(v.nrows(), v.ncols(), |i, j| p[(i, j)] * (v[(i, j)] - means[i]))
            }
        }
    }
}

/// Rows of e^f, normalized.
fn softmax(f: &Mat<f64>) -> Mat<f64> {
    let mut p = f.clone();
    for i in 0..p.nrows() {
        let top = (0..p.ncols()).map(|j| p[(i, j)]).fold(f64::NEG_INFINITY, f64::max);
        let mut sum = 0.0;
        for j in 0..p.ncols() {
            p[(i, j)] = (p[(i, j)] - top).exp();
            sum += p[(i, j)];
        }
        for j in 0..p.ncols() {
            p[(i, j)] /= sum;
        }
    }
    p
}

/// Kernel times v; a v with one entry, as a Jacobian's columns are asked for, takes one column.
fn multiply(kernel: MatRef<'_, f64>, v: &[f64], outputs: usize) -> Mat<f64> {
    let n = kernel.nrows();
    let mut entries = v.iter().enumerate().filter(|(_, v)| **v != 0.0);
    if let (Some((at, value)), None) = (entries.next(), entries.next()) {
        let mut product = Mat::zeros(n, outputs);
        for i in 0..n {
            product[(i, at / n)] = kernel[(i, at % n)] * value;
        }
        return product;
    }
    kernel * MatRef::from_column_major_slice(v, n, outputs)
}
