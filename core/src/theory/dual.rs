//! Duals of activations: their expectations over Gaussian pre-activations, in closed form.

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2};

use pulp::{Arch, Simd, WithSimd};

use crate::model;

/// An activation φ whose duals are known. With u, v jointly Gaussian these are E φ(u)φ(v) and E φ′(u)φ′(v).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    /// max(x, 0).
    Relu,
    /// x above 0, `slope`·x below.
    LeakyRelu {
        /// Of the negative half.
        slope: f64,
    },
    /// The error function.
    Erf,
    /// The identity.
    Linear,
}

impl Activation {
    /// The dual of a model's activation; `None` for tanh, whose dual has no closed form.
    #[must_use]
    pub fn of(activation: model::Activation) -> Option<Self> {
        match activation {
            model::Activation::Relu => Some(Self::Relu),
            model::Activation::Erf => Some(Self::Erf),
            model::Activation::Linear => Some(Self::Linear),
            model::Activation::Tanh => None,
        }
    }

    /// Whether φ(αx) = αφ(x) for α > 0.
    #[must_use]
    pub fn is_homogeneous(self) -> bool {
        self != Self::Erf
    }

    /// φ(x) = even·|x| + odd·x; `None` for erf.
    fn rectifier(self) -> Option<[f64; 2]> {
        let slope = match self {
            Self::Relu => 0.0,
            Self::LeakyRelu { slope } => slope,
            Self::Linear => 1.0,
            Self::Erf => return None,
        };
        Some([f64::midpoint(1.0, -slope), f64::midpoint(1.0, slope)])
    }

    /// `[E φ(u)², E φ′(u)²]` for u of this variance.
    #[must_use]
    pub fn diagonal(self, variance: f64) -> [f64; 2] {
        if let Some([even, odd]) = self.rectifier() {
            let second = even * even + odd * odd;
            return [second * variance, second];
        }
        let root = (1.0 + 4.0 * variance).sqrt();
        [FRAC_2_PI * (2.0 * variance).atan2(root), 2.0 * FRAC_2_PI / root]
    }

    /// Both duals of many pairs (u_i, v): `kernel[i]` holds their covariance and becomes E φ(u)φ(v);
    /// `derivative[i]` becomes E φ′(u)φ′(v). `left` and `right` are the scales of u_i and v_i; see [`equal_above`].
    pub(super) fn apply(
        self,
        kernel: &mut [f64],
        derivative: &mut [f64],
        left: &[Scale],
        right: impl Iterator<Item = Scale>,
        equal_above: f64,
    ) {
        Arch::new().dispatch(Apply { activation: self, kernel, derivative, left, right, equal_above });
    }

    /// What [`Self::apply`] needs of a pre-activation of this variance.
    pub(super) fn scale(self, variance: f64) -> Scale {
        let root = variance.sqrt();
        let inverse = match self {
            Self::Erf => 1.0 / (1.0 + 2.0 * variance).sqrt(),
            _ if root > 0.0 => 1.0 / root,
            _ => 0.0,
        };
        Scale { root, inverse }
    }
}

/// [`Activation::apply`], for the widest SIMD instructions that there are.
struct Apply<'a, R> {
    activation: Activation,
    kernel: &'a mut [f64],
    derivative: &'a mut [f64],
    left: &'a [Scale],
    right: R,
    equal_above: f64,
}

impl<R: Iterator<Item = Scale>> WithSimd for Apply<'_, R> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { activation, kernel, derivative, left, right, equal_above } = self;
        match activation.rectifier() {
            // The identity: no arcsine is needed.
            Some([0.0, odd]) => {
                for (k, d) in kernel.iter_mut().zip(derivative) {
                    *k *= odd * odd;
                    *d = odd * odd;
                }
            }
            // E|u||v| = (2/π)σ_uσ_v(√(1−ρ²) + ρ asin ρ), E sign(u)sign(v) = (2/π) asin ρ, E u|v| = 0.
            Some([even, odd]) => {
                let (even, odd) = (FRAC_2_PI * even * even, odd * odd);
                for (((k, d), s), right) in kernel.iter_mut().zip(derivative).zip(left).zip(right) {
                    let rho = snap(*k * s.inverse * right.inverse, equal_above);
                    let (cosine, angle) = ((1.0 - rho * rho).sqrt(), asin(rho));
                    *k = odd * *k + even * s.root * right.root * (cosine + rho * angle);
                    *d = odd + even * angle;
                }
            }
            // (2/π) asin ρ and (4/π)/√D with ρ = 2k/√((1 + 2a)(1 + 2b)), D = (1 + 2a)(1 + 2b)(1 − ρ²) for variances a, b:
            // without cancellation D = 1 + 2a + 2b + 4(ab − k²). Near ρ = 1 the angle comes from its cosine.
            None => {
                for (((k, d), s), right) in kernel.iter_mut().zip(derivative).zip(left).zip(right) {
                    let (size, bound) = (k.abs(), s.root * right.root);
                    let apart = if size >= equal_above * bound { 0.0 } else { (bound - size) * (bound + size) };
                    let root = (1.0 + 2.0 * (s.root * s.root + right.root * right.root) + 4.0 * apart).sqrt();
                    let inverse = s.inverse * right.inverse;
                    let (sine, cosine) = (2.0 * size * inverse, root * inverse);
                    let near = cosine < sine;
                    let angle = asin(if near { cosine } else { sine });
                    *d = 2.0 * FRAC_2_PI / root;
                    *k = FRAC_2_PI * (if near { FRAC_PI_2 - angle } else { angle }).copysign(*k);
                }
            }
        }
    }
}

/// σ of a pre-activation, and its inverse (0 of 0); for erf that of √(1 + 2σ²).
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    root: f64,
    inverse: f64,
}

/// The correlation above which inputs of this dimension are taken for equal: what the rounding of their inner products
/// cannot tell from 1. There arcsine and root would blow 1e-14 up to 1e-7, and equal inputs would not have equal kernels.
pub(super) fn equal_above(dimension: usize) -> f64 {
    1.0 - (8.0 + 4.0 * (dimension as f64).sqrt()) * f64::EPSILON
}

/// A correlation that is ±1 within rounding is ±1.
#[inline(always)]
fn snap(rho: f64, equal_above: f64) -> f64 {
    if rho >= equal_above {
        1.0
    } else if rho <= -equal_above {
        -1.0
    } else {
        rho
    }
}

/// Arcsine within −1 to 1, to two roundings; without branches or calls, so that loops over it become SIMD.
#[inline(always)]
fn asin(x: f64) -> f64 {
    // asin(s) = s + s³P(s²) for s ≤ ½: Chebyshev interpolation, to 6e-17.
    const P: [f64; 12] = [
        0.166_666_666_666_666_5,
        0.075_000_000_000_207_64,
        0.044_642_857_103_423_646,
        0.030_381_947_367_098_48,
        0.022_372_047_631_744_51,
        0.017_355_259_955_786_323,
        0.013_929_652_902_326_633,
        0.011_875_494_382_636_922,
        0.007_802_949_477_353_317_5,
        0.016_035_514_349_148_82,
        -0.010_749_050_339_697_808,
        0.028_169_218_060_881_414,
    ];
    let size = x.abs();
    let near = size > 0.5;
    // asin(x) = π/2 − 2 asin(√((1−x)/2)).
    let square = if near { 0.5 - 0.5 * size } else { size * size };
    let s = if near { square.sqrt() } else { size };
    let angle = s + s * square * P.iter().rev().fold(0.0, |sum, c| sum * square + c);
    (if near { FRAC_PI_2 - 2.0 * angle } else { angle }).copysign(x)
}

#[cfg(test)]
mod tests {
    use super::asin;

    #[test]
    fn arcsine_is_that_of_the_standard_library() {
        for i in -100_000..=100_000 {
            let x = f64::from(i) / 1e5;
            // Relative to π/2 where it is subtracted from that.
            let scale = if x.abs() > 0.5 { 1.0 } else { x.asin().abs() };
            assert!((asin(x) - x.asin()).abs() <= 4e-16 * scale, "{x}");
        }
    }
}
