//! Theorem 2 in finite steps: gradient descent with momentum instead of gradient flow, at infinite width.
//!
//! At infinite width the parameters stay within the span of θ₀ and the first gradients: θ = sθ₀ − Σ_x c(x)∂f₀(x), and
//! by homogeneity f = s^k f₀ − s^{k−1}Θ₀c and ∂f = s^{k−1}∂f₀. Momentum's velocity has the same form. So the update
//! `v ← βv + g + λθ; θ ← θ − ηv` is exactly a recursion for s and, mode by mode, for c.

use super::{Response, TheoryError};

/// Gradient descent of an infinitely wide k-homogeneous network under MSE with L2.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Descent {
    /// Homogeneity degree.
    pub k: usize,
    /// L2 coefficient λ.
    pub lambda: f64,
    /// Learning rate η.
    pub lr: f64,
    /// Momentum β.
    pub momentum: f64,
}

/// The largest η for which [`Descent`] is stable (η below it): 2(1+β)/(γ₁+λ), with γ₁ the kernel's largest eigenvalue. For
/// k ≥ 2 the kernel only shrinks, so that the start is the hardest; `None` for k = 0, whose kernel grows beyond any η.
#[must_use]
pub fn largest_stable_lr(k: usize, largest_eigenvalue: f64, lambda: f64, momentum: f64) -> Option<f64> {
    (k > 0 && (k == 1 || lambda >= 0.0)).then(|| 2.0 * (1.0 + momentum) / (largest_eigenvalue + lambda))
}

impl Descent {
    /// At its start, for modes with these eigenvalues.
    ///
    /// # Errors
    /// When a number is not allowed.
    pub fn start<'a>(&self, gammas: &'a [f64]) -> Result<DescentState<'a>, TheoryError> {
        let refuse = |what, value, allowed| Err(TheoryError::number(what, value, allowed));
        if !(self.lambda >= 0.0 && self.lambda.is_finite()) {
            return refuse("lambda", self.lambda, "0 or more");
        }
        if !(self.lr > 0.0 && self.lr.is_finite()) {
            return refuse("lr", self.lr, "a number above 0");
        }
        if !(0.0..1.0).contains(&self.momentum) {
            return refuse("momentum", self.momentum, "at least 0 and below 1");
        }
        if let Some(&gamma) = gammas.iter().find(|g| !(**g >= 0.0 && g.is_finite())) {
            return refuse("gamma", gamma, "0 or more");
        }
        Ok(DescentState { rule: *self, gammas, steps: 0, scale: [1.0, 0.0], modes: vec![[[0.0; 2]; 2]; gammas.len()] })
    }
}

/// Where a [`Descent`] is.
#[derive(Debug, Clone)]
pub struct DescentState<'a> {
    rule: Descent,
    gammas: &'a [f64],
    steps: u64,
    /// s and its velocity.
    scale: [f64; 2],
    /// `[of f(0), of y]`: c and its velocity, for each mode.
    modes: Vec<[[f64; 2]; 2]>,
}

impl DescentState<'_> {
    /// Steps taken.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Takes `count` steps.
    pub fn advance(&mut self, count: u64) {
        let Descent { k, lambda, lr, momentum } = self.rule;
        let k = k as i32;
        for _ in 0..count {
            let s = self.scale[0];
            let (tangent, function) = (s.powi(k - 1), s.powi(k));
            for (mode, gamma) in self.modes.iter_mut().zip(self.gammas) {
                // f − y for f(0) = 1, y = 0, and for f(0) = 0, y = 1.
                let residuals = [function - tangent * gamma * mode[0][0], -tangent * gamma * mode[1][0] - 1.0];
                for ([c, velocity], residual) in mode.iter_mut().zip(residuals) {
                    // The L2 term of c has the other sign, as c enters θ with a minus.
                    *velocity = momentum * *velocity + tangent * residual - lambda * *c;
                    *c += lr * *velocity;
                }
            }
            self.scale[1] = momentum * self.scale[1] + lambda * s;
            self.scale[0] -= lr * self.scale[1];
        }
        self.steps += count;
    }

    /// Each mode's response on the training set.
    pub fn responses(&self) -> impl Iterator<Item = Response> {
        let tests = self.test_responses();
        let shrink = self.shrink();
        tests
            .zip(self.gammas)
            .map(move |(r, gamma)| Response { initial: shrink + gamma * r.initial, target: gamma * r.target })
    }

    /// Each mode's response over its γ, for test points: as [`super::Instant::test_response`].
    pub fn test_responses(&self) -> impl Iterator<Item = Response> {
        let tangent = self.scale[0].powi(self.rule.k as i32 - 1);
        self.modes.iter().map(move |m| Response { initial: -tangent * m[0][0], target: -tangent * m[1][0] })
    }

    /// s^k: what is left of f(0) at a point that the training set says nothing about.
    #[must_use]
    pub fn shrink(&self) -> f64 {
        self.scale[0].powi(self.rule.k as i32)
    }

    /// Θ_t/Θ_0 = s^{2(k−1)}.
    #[must_use]
    pub fn kernel_scale(&self) -> f64 {
        self.scale[0].powi(2 * (self.rule.k as i32 - 1))
    }
}
