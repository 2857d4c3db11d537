//! NNGP and NTK of infinitely wide fully connected networks.

use std::iter::repeat;

use faer::{Accum, Mat, MatMut, MatRef, Par, linalg::matmul::matmul};

use super::{
    Activation, Kernel, Kind, TheoryError,
    dual::{Scale, equal_above},
    kernel::{bytes, check_finite, check_range},
};
use crate::model::Parameterization;

/// An infinitely wide network, as far as its kernels depend on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Network {
    /// Weight layers, the last one linear.
    pub depth: usize,
    /// Between the layers.
    pub activation: Activation,
    /// Weight scale σ_w.
    pub w_std: f64,
    /// Bias scale σ_b; `None` is a network without biases. (They differ at 0 in standard parameterization alone, where
    /// biases that start at 0 are trained none the less.)
    pub b_std: Option<f64>,
    /// How η acts on the weights; the NNGP does not depend on it.
    pub parameterization: Parameterization,
    /// Units in each hidden layer: the NTK in standard parameterization grows with it.
    pub width: usize,
}

impl Network {
    /// The degree k with `f_{αθ} = α^k f_θ`, or `None`: see [`crate::model::Model::homogeneity`].
    #[must_use]
    pub fn homogeneity(&self) -> Option<usize> {
        match self.depth {
            1 => Some(1),
            depth => (!self.has_biases() && self.activation.is_homogeneous()).then_some(depth),
        }
    }

    /// Whether biases do anything: in NTK parameterization those of scale 0 stay out of all outputs.
    fn has_biases(&self) -> bool {
        self.b_std.is_some_and(|b| b > 0.0 || self.parameterization == Parameterization::Standard)
    }

    /// # Errors
    /// The first field that has a value it cannot have.
    pub fn validate(&self) -> Result<(), TheoryError> {
        let refuse = |what, value: String, allowed| Err(TheoryError::Value { what, value, allowed });
        let b = self.b_std.unwrap_or(0.0);
        if !(1..=10_000).contains(&self.depth) {
            return refuse("depth", self.depth.to_string(), "1 to 10000 weight layers");
        }
        if !(self.w_std.is_finite() && self.w_std > 0.0) {
            return Err(TheoryError::number("w-std", self.w_std, "a number above 0"));
        }
        if !(b.is_finite() && b >= 0.0) {
            return Err(TheoryError::number("b-std", b, "0 or more"));
        }
        if let Activation::LeakyRelu { slope } = self.activation
            && !slope.is_finite()
        {
            return Err(TheoryError::number("slope", slope, "a finite number"));
        }
        if self.width == 0 {
            return refuse("width", self.width.to_string(), "1 unit or more");
        }
        Ok(())
    }

    /// σ_w² k + σ_b²: what a weight layer makes of the covariance of its inputs.
    pub(super) fn affine(&self, k: f64) -> f64 {
        self.w_std * self.w_std * k + self.b_std.map_or(0.0, |b| b * b)
    }

    /// What a weight layer with `fan_in` inputs adds to the NTK: ⟨∂f, ∂f⟩ over its own weights and biases, from its
    /// inputs' covariance `below` and its outputs' `above`.
    pub(super) fn own_tangent(&self, fan_in: usize, below: f64, above: f64) -> f64 {
        match self.parameterization {
            Parameterization::Ntk => above,
            Parameterization::Standard => fan_in as f64 * below + f64::from(u8::from(self.b_std.is_some())),
        }
    }

    /// `[NNGP, NTK]` of an input with itself, from its ‖x‖²/d, in each layer.
    fn diagonal_entries(&self, dimension: usize, square: f64) -> impl Iterator<Item = [f64; 2]> {
        let first = self.affine(square);
        let first = [first, self.own_tangent(dimension, square, first)];
        std::iter::successors(Some(first), |[nngp, ntk]| {
            let [below, slope] = self.activation.diagonal(*nngp);
            let above = self.affine(below);
            Some([above, self.own_tangent(self.width, below, above) + self.w_std * self.w_std * slope * ntk])
        })
        .take(self.depth)
    }

    /// Each layer's kernels of input number `input` with itself. No other entry is larger than the largest of these.
    ///
    /// # Errors
    /// When one is not finite.
    fn diagonal_of(
        &self,
        kind: Kind,
        dimension: usize,
        (input, square): (usize, f64),
    ) -> Result<Vec<[f64; 2]>, TheoryError> {
        check_range(input, [0, self.depth], square)?;
        let entries: Vec<[f64; 2]> = self.diagonal_entries(dimension, square).collect();
        for (layer, entry) in (1..).zip(&entries) {
            check_range(input, [layer, self.depth], entry[kind as usize])?;
        }
        Ok(entries)
    }

    /// Bytes that the kernel between so many rows and columns takes, among the rows themselves without `columns`:
    /// the matrix and what it is made from.
    #[must_use]
    pub fn kernel_bytes(&self, rows: usize, columns: Option<usize>) -> usize {
        bytes(rows, columns, self.depth, 1)
    }

    /// The kernel's diagonal alone: K(x, x) for each row x of `inputs`, `[examples, dimension]`.
    ///
    /// # Errors
    /// When the network or the inputs are not allowed.
    pub fn diagonal(&self, kind: Kind, inputs: MatRef<'_, f64>) -> Result<Vec<f64>, TheoryError> {
        self.validate()?;
        let last = |(i, s)| Ok(self.diagonal_of(kind, inputs.ncols(), (i, s))?[self.depth - 1][kind as usize]);
        squares(inputs)?.into_iter().enumerate().map(last).collect()
    }

    /// The kernel between the rows of `rows` and of `columns`, `[examples, dimension]` both; among the rows themselves
    /// without `columns`. Inner products are divided by the dimension.
    ///
    /// # Errors
    /// When the network or the inputs are not allowed, or their dimensions differ.
    pub fn kernel<'a>(
        &self,
        kind: Kind,
        rows: MatRef<'a, f64>,
        columns: Option<MatRef<'a, f64>>,
    ) -> Result<FcKernel<'a>, TheoryError> {
        self.validate()?;
        if let Some(columns) = columns
            && columns.ncols() != rows.ncols()
        {
            return Err(TheoryError::Shape { first: vec![rows.ncols()], second: vec![columns.ncols()] });
        }
        Ok(FcKernel {
            network: *self,
            kind,
            left: Side::new(self, kind, rows)?,
            right: columns.map(|c| Side::new(self, kind, c)).transpose()?,
        })
    }
}

/// ‖x‖²/d of each row.
fn squares(inputs: MatRef<'_, f64>) -> Result<Vec<f64>, TheoryError> {
    let [n, d] = [inputs.nrows(), inputs.ncols()];
    if n == 0 || d == 0 {
        return Err(TheoryError::Empty { what: "input" });
    }
    check_finite("input", (0..n).flat_map(|i| (0..d).map(move |j| inputs[(i, j)])))?;
    let mut squares = vec![0.0; n];
    for j in 0..d {
        for (i, s) in squares.iter_mut().enumerate() {
            *s += inputs[(i, j)] * inputs[(i, j)];
        }
    }
    squares.iter_mut().for_each(|s| *s /= d as f64);
    Ok(squares)
}

/// One side's inputs, and the scales of its pre-activations in each hidden layer.
struct Side<'a> {
    inputs: MatRef<'a, f64>,
    /// `[hidden layers][inputs]`.
    scales: Vec<Vec<Scale>>,
}

impl<'a> Side<'a> {
    fn new(network: &Network, kind: Kind, inputs: MatRef<'a, f64>) -> Result<Self, TheoryError> {
        let mut scales: Vec<Vec<Scale>> = (1..network.depth).map(|_| Vec::with_capacity(inputs.nrows())).collect();
        for input in squares(inputs)?.into_iter().enumerate() {
            let variances = network.diagonal_of(kind, inputs.ncols(), input)?;
            for (scales, [variance, _]) in scales.iter_mut().zip(variances) {
                scales.push(network.activation.scale(variance));
            }
        }
        Ok(Self { inputs, scales })
    }
}

/// A fully connected network's kernel on given inputs.
pub struct FcKernel<'a> {
    network: Network,
    kind: Kind,
    left: Side<'a>,
    right: Option<Side<'a>>,
}

/// Entries that go through all layers together: small enough for the first cache.
const CHUNK: usize = 256;

impl Kernel for FcKernel<'_> {
    fn shape(&self) -> [usize; 2] {
        [self.left.inputs.nrows(), self.right.as_ref().unwrap_or(&self.left).inputs.nrows()]
    }

    fn is_symmetric(&self) -> bool {
        self.right.is_none()
    }

    fn columns_per_task(&self) -> usize {
        64
    }

    fn fill(&self, first: usize, mut out: MatMut<'_, f64>) {
        let net = &self.network;
        let (rows, columns) = (out.nrows(), out.ncols());
        let right = self.right.as_ref().unwrap_or(&self.left);
        let d = self.left.inputs.ncols();
        // The one matrix product; a task is one thread's.
        let (x, y) = (self.left.inputs.subrows(0, rows), right.inputs.subrows(first, columns));
        matmul(out.as_mut(), Accum::Replace, x, y.transpose(), 1.0 / d as f64, Par::Seq);
        let equal_above = equal_above(d);
        let mut slopes = [0.0; CHUNK];
        let mut tangents = [0.0; CHUNK];
        for (j, column) in out.col_iter_mut().enumerate() {
            let column = column.try_as_col_major_mut().expect("a kernel matrix is stored by columns").as_slice_mut();
            for (start, nngp) in (0..).step_by(CHUNK).zip(column.chunks_mut(CHUNK)) {
                let tangents = &mut tangents[..nngp.len()];
                let slopes = &mut slopes[..nngp.len()];
                for (k, t) in nngp.iter_mut().zip(&mut *tangents) {
                    let above = net.affine(*k);
                    *t = net.own_tangent(d, *k, above);
                    *k = above;
                }
                for (left, right) in self.left.scales.iter().zip(&right.scales) {
                    let left = &left[start..start + slopes.len()];
                    net.activation.apply(nngp, slopes, left, repeat(right[first + j]), equal_above);
                    for ((k, t), slope) in nngp.iter_mut().zip(&mut *tangents).zip(&*slopes) {
                        let above = net.affine(*k);
                        *t = net.own_tangent(net.width, *k, above) + net.w_std * net.w_std * slope * *t;
                        *k = above;
                    }
                }
                if self.kind == Kind::Ntk {
                    nngp.copy_from_slice(tangents);
                }
            }
        }
    }
}

/// Rows of single-precision numbers, `[examples, dimension]`, as inputs of a kernel.
///
/// # Panics
/// When `values` are not whole rows.
#[must_use]
pub fn inputs(values: &[f32], dimension: usize) -> Mat<f64> {
    assert!(dimension > 0 && values.len().is_multiple_of(dimension), "whole rows of {dimension}");
    Mat::from_fn(values.len() / dimension, dimension, |i, j| f64::from(values[i * dimension + j]))
}
