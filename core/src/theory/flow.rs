//! Theorem 2: gradient flow of an infinitely wide k-homogeneous network under MSE with L2, mode by mode, in closed form.
//!
//! A mode with eigenvalue γ obeys `∂_t f = −γ e^{−2(k−1)λt} (f − y) − kλ f`. With μ = 2(k−1)λ, `x(t) = γ e^{−μt}/μ`
//! and p = (k−2)/(2(k−1)) the paper's solution can be written
//!
//! ```text
//! f(t) = y H(x(t)) + (f(0) − y H(x(0))) e^{−kλt} e^{−(x(0) − x(t))},    H(x) = x e^x E_{1−p}(x)
//! ```
//!
//! with E the generalized exponential integral: f is drawn to y·H(x(t)), which is y while the mode's eigenvalue is far
//! above λ and falls to 0 as the kernel decays. Nothing in it overflows; where y's two terms cancel (early times) the
//! integral is summed as a series instead.

use std::f64::consts::PI;

use super::{TheoryError, minimum};

/// What a mode makes of its start and its target: `f(t) = initial·f(0) + target·y`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Response {
    /// Weight of f(0).
    pub initial: f64,
    /// Weight of y.
    pub target: f64,
}

/// Flows of one homogeneity degree k: holds what does not depend on λ.
#[derive(Debug, Clone)]
pub struct Homogeneous {
    k: usize,
    /// Of k ≥ 2.
    attractor: Option<Attractor>,
}

impl Homogeneous {
    /// Degree `k`: 0 for a scale-invariant network, 1 for a linear model, the depth of a ReLU network without biases.
    #[must_use]
    pub fn new(k: usize) -> Self {
        Self { k, attractor: (k >= 2).then(|| Attractor::new((k as f64 - 2.0) / (2.0 * (k as f64 - 1.0)))) }
    }

    /// The degree k.
    #[must_use]
    pub fn degree(&self) -> usize {
        self.k
    }

    /// The flow with this L2 coefficient.
    ///
    /// # Errors
    /// As [`check_lambda`].
    pub fn flow(&self, lambda: f64) -> Result<Flow<'_>, TheoryError> {
        check_lambda(lambda)?;
        let k = self.k as f64;
        let law = match &self.attractor {
            _ if lambda == 0.0 => Law::Unregularized,
            Some(attractor) => Law::Decaying { attractor, mu: 2.0 * (k - 1.0) * lambda },
            None if self.k == 1 => Law::Fixed,
            None => Law::Growing,
        };
        Ok(Flow { k, lambda, law })
    }
}

/// Least λ above 0, and most of λ and γ: within these rates, times and their products are finite and not 0.
const LEAST: f64 = 1e-150;
const MOST: f64 = 1e150;

/// Refuses what no flow can have for λ.
///
/// # Errors
/// When it is negative, not a number, or so small or large that rates and times have no place in an f64.
pub fn check_lambda(lambda: f64) -> Result<(), TheoryError> {
    if lambda == 0.0 || (LEAST..=MOST).contains(&lambda) {
        return Ok(());
    }
    Err(TheoryError::number("lambda", lambda, "0, or from 1e-150 to 1e150"))
}

/// A flow with its k and λ.
#[derive(Debug, Clone, Copy)]
pub struct Flow<'a> {
    k: f64,
    lambda: f64,
    law: Law<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Law<'a> {
    /// λ = 0.
    Unregularized,
    /// k = 0.
    Growing,
    /// k = 1.
    Fixed,
    /// k ≥ 2.
    Decaying { attractor: &'a Attractor, mu: f64 },
}

/// A mode of a flow: what does not depend on time.
#[derive(Debug, Clone, Copy)]
pub struct Mode {
    gamma: f64,
    /// x(0) and H(x(0)), for k ≥ 2.
    start: [f64; 2],
}

/// A flow at a time: what does not depend on the mode.
#[derive(Debug, Clone, Copy)]
pub struct Instant<'a> {
    flow: Flow<'a>,
    t: f64,
    /// e^{−kλt}.
    shrink: f64,
    /// U = e^{−μt} and 1 − U, for k ≥ 2; for k = 0 the second is (e^{2λt} − 1)/(2λ).
    kernel: [f64; 2],
    /// (−1)^j m_j/j! of the series, for k ≥ 2.
    terms: [f64; TERMS],
}

/// Below this γ(1 − U)/μ the integral is summed as a series, of so many terms: the first left out is below 1e-15.
const SERIES_BELOW: f64 = 1.0 / 16.0;
const TERMS: usize = 9;

impl<'a> Flow<'a> {
    /// Θ_t/Θ_0 = e^{−2(k−1)λt}.
    #[must_use]
    pub fn kernel_scale(&self, t: f64) -> f64 {
        let rate = 2.0 * (self.k - 1.0) * self.lambda;
        if rate == 0.0 { 1.0 } else { (-rate * t).exp() }
    }

    /// A mode with eigenvalue `gamma`.
    ///
    /// # Errors
    /// When γ is negative, above 1e150, or no number.
    pub fn mode(&self, gamma: f64) -> Result<Mode, TheoryError> {
        if !(0.0..=MOST).contains(&gamma) {
            return Err(TheoryError::number("gamma", gamma, "from 0 to 1e150"));
        }
        let start = match self.law {
            Law::Decaying { attractor, mu } => {
                let x = gamma / mu;
                [x, attractor.at(x)]
            }
            _ => [0.0; 2],
        };
        Ok(Mode { gamma, start })
    }

    /// The flow at time `t ≥ 0`, which may be infinite.
    ///
    /// # Errors
    /// When t is negative or no number.
    pub fn at(&self, t: f64) -> Result<Instant<'a>, TheoryError> {
        if t.is_nan() || t < 0.0 {
            return Err(TheoryError::number("time", t, "0 or more"));
        }
        let t = t.min(f64::MAX);
        let shrink = (-self.k * self.lambda * t).exp();
        let (kernel, terms) = match self.law {
            Law::Decaying { attractor, mu } => {
                let kernel = [(-mu * t).exp(), -(-mu * t).exp_m1()];
                (kernel, terms(attractor.p, mu * t, kernel))
            }
            Law::Growing => ([1.0, (2.0 * self.lambda * t).exp_m1() / (2.0 * self.lambda)], [0.0; TERMS]),
            Law::Fixed | Law::Unregularized => ([1.0, 0.0], [0.0; TERMS]),
        };
        Ok(Instant { flow: *self, t, shrink, kernel, terms })
    }
}

/// A mode's course from f(0) = 0 towards its target and back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Life {
    /// The largest f/y it reaches. A mode that reaches ½ is called learned.
    pub peak: f64,
    /// When it first reaches ½.
    pub learned: Option<f64>,
    /// When, after its peak, it is back at ½: its half-life. `None` if it is never learned or never forgotten (k < 2).
    pub half_life: Option<f64>,
}

impl Flow<'_> {
    /// A mode's course, from the closed form.
    #[must_use]
    pub fn life(&self, mode: &Mode) -> Life {
        let rate = mode.gamma + self.lambda;
        let at = |t: f64| self.at(t).map_or(0.0, |now| now.response(mode).target);
        let Law::Decaying { mu, .. } = self.law else {
            let peak = at(f64::INFINITY);
            let learned = (peak > 0.5).then(|| crossing(|t| at(t) - 0.5, 0.0, 64.0 / rate));
            return Life { peak, learned, half_life: None };
        };
        // From long before it is learned to long after γ_t has fallen below λ.
        let end = (1.0 + mode.start[0]).ln() / mu + 64.0 / (self.k * self.lambda);
        let Some(top) = minimum(|t| -at(t), 1e-3 / rate, end) else {
            return Life { peak: 0.0, learned: None, half_life: None };
        };
        let peak = at(top);
        let reached = peak > 0.5;
        Life {
            peak,
            learned: reached.then(|| crossing(|t| at(t) - 0.5, 0.0, top)),
            half_life: reached.then(|| crossing(|t| 0.5 - at(t), top, end)),
        }
    }
}

/// Where `f` turns positive between `low`, where it is not, and `high`, where it is.
fn crossing(f: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if f(middle) > 0.0 { high = middle } else { low = middle }
    }
    high
}

impl Instant<'_> {
    /// The response of a mode of the same flow, on the training set.
    #[must_use]
    pub fn response(&self, mode: &Mode) -> Response {
        let gamma = mode.gamma;
        let relax = |exponent: f64| Response { initial: (-exponent).exp(), target: -(-exponent).exp_m1() };
        match self.flow.law {
            Law::Unregularized => relax(gamma * self.t),
            Law::Growing if gamma == 0.0 => relax(0.0),
            Law::Growing => relax(gamma * self.kernel[1]),
            Law::Fixed => {
                let rate = gamma + self.flow.lambda;
                let Response { initial, target } = relax(rate * self.t);
                Response { initial, target: target * gamma / rate }
            }
            Law::Decaying { attractor, .. } => {
                if self.shrink == 0.0 {
                    return Response { initial: 0.0, target: 0.0 };
                }
                let [x, h] = mode.start;
                let spent = x * self.kernel[1];
                let initial = self.shrink * (-spent).exp();
                let target = if spent > SERIES_BELOW {
                    attractor.at(x * self.kernel[0]) - initial * h
                } else {
                    x * self.shrink * self.series(spent)
                };
                Response { initial, target }
            }
        }
    }

    /// The mode's response over its γ: a test point with `κ = Σ_x Θ_0(·, x) e_a(x)` has
    /// `f_t = e^{−kλt} f_0 + Σ_a κ_a (initial·f_a(0) + target·y_a)`. A mode with γ = 0 is outside the kernel's range,
    /// so its κ is 0 and so is this.
    #[must_use]
    pub fn test_response(&self, mode: &Mode) -> Response {
        let gamma = mode.gamma;
        if gamma == 0.0 {
            return Response { initial: 0.0, target: 0.0 };
        }
        let target = match self.flow.law {
            // Without a division by γ: here it may be as small as it likes.
            Law::Decaying { mu, .. } if self.shrink > 0.0 && mode.start[0] * self.kernel[1] <= SERIES_BELOW => {
                self.shrink / mu * self.series(mode.start[0] * self.kernel[1])
            }
            _ => self.response(mode).target / gamma,
        };
        // e^{−kλt} of f(0) is every point's own; the rest is the modes'.
        let spent = match self.flow.law {
            Law::Unregularized | Law::Fixed => gamma * self.t,
            Law::Growing => gamma * self.kernel[1],
            Law::Decaying { .. } => mode.start[0] * self.kernel[1],
        };
        Response { initial: self.shrink * (-spent).exp_m1() / gamma, target }
    }

    /// e^{−kλt}: what is left of f(0) at a point that the training set says nothing about.
    #[must_use]
    pub fn shrink(&self) -> f64 {
        self.shrink
    }

    /// `∫_U^1 u^{p−1} e^{−z(u−U)} du` for small `spent` = z(1−U): Σ_j (−spent)^j/j! m_j.
    fn series(&self, spent: f64) -> f64 {
        self.terms.iter().rev().fold(0.0, |sum, c| sum * spent + c)
    }
}

/// `(−1)^j m_j/j!` with `m_j = ∫_U^1 u^{p−1} ((u−U)/(1−U))^j du`, for `[U, 1−U]` and ln(1/U) = `log`.
fn terms(p: f64, log: f64, [u, rest]: [f64; 2]) -> [f64; TERMS] {
    let mut m = [0.0; TERMS];
    if u < 0.5 {
        // By parts; stable where U/(1−U) < 1.
        m[0] = if p == 0.0 { log } else { -(-p * log).exp_m1() / p };
        for j in 1..TERMS {
            m[j] = (1.0 - j as f64 * u / rest * m[j - 1]) / (j as f64 + p);
        }
    } else {
        // Smooth: u = U + (1−U)w.
        for (w, weight) in GAUSS {
            let mut term = rest * weight * (u + rest * w).powf(p - 1.0);
            for m in &mut m {
                *m += term;
                term *= w;
            }
        }
    }
    let mut factor = 1.0;
    for (j, m) in m.iter_mut().enumerate().skip(1) {
        factor /= -(j as f64);
        *m *= factor;
    }
    m
}

/// Gauss–Legendre nodes and weights on 0 to 1, exact for polynomials of degree 23.
const GAUSS: [(f64, f64); 12] = gauss();

const fn gauss() -> [(f64, f64); 12] {
    // On −1 to 1, the positive half.
    const HALF: [(f64, f64); 6] = [
        (0.125_233_408_511_468_9, 0.249_147_045_813_402_8),
        (0.367_831_498_998_180_2, 0.233_492_536_538_354_8),
        (0.587_317_954_286_617_4, 0.203_167_426_723_065_9),
        (0.769_902_674_194_304_7, 0.160_078_328_543_346_2),
        (0.904_117_256_370_474_9, 0.106_939_325_995_318_4),
        (0.981_560_634_246_719_3, 0.047_175_336_386_511_8),
    ];
    let mut all = [(0.0, 0.0); 12];
    let mut i = 0;
    while i < 6 {
        let (x, w) = HALF[i];
        all[i] = (f64::midpoint(1.0, -x), w / 2.0);
        all[11 - i] = (f64::midpoint(1.0, x), w / 2.0);
        i += 1;
    }
    all
}

/// H(x) = x e^x E_{1−p}(x) for one p, by a table of polynomials: it is asked for once for each mode, time and λ.
#[derive(Debug, Clone)]
struct Attractor {
    p: f64,
    /// Γ(p), for p > 0.
    gamma: f64,
    /// Polynomials on eighths of octaves.
    table: Vec<[f64; DEGREE + 1]>,
}

/// H is 1 − O(1/x) above and a power (a logarithm for p = 0) below the table's range.
const LOWEST_OCTAVE: i32 = -64;
const OCTAVES: i32 = 64 + 14;
const DEGREE: usize = 7;
const PARTS: u32 = 3;
const EULER_GAMMA: f64 = 0.577_215_664_901_532_9;

impl Attractor {
    fn new(p: f64) -> Self {
        let gamma = if p > 0.0 { libm::tgamma(p) } else { 0.0 };
        let mut attractor = Self { p, gamma, table: Vec::new() };
        let parts = 1 << PARTS;
        attractor.table = (0..OCTAVES * parts)
            .map(|i| {
                let (octave, part) = (LOWEST_OCTAVE + i / parts, i % parts);
                let width = 1.0 / f64::from(parts);
                let middle = 1.0 + (f64::from(part) + 0.5) * width;
                fit(|w| attractor.exact((middle + w * width / 2.0) * f64::from(octave).exp2()))
            })
            .collect();
        attractor
    }

    fn at(&self, x: f64) -> f64 {
        let bits = x.to_bits();
        let octave = (bits >> 52) as i32 - 1023 - LOWEST_OCTAVE;
        if octave < 0 {
            return self.small(x);
        }
        if octave >= OCTAVES {
            return self.large(x);
        }
        let part = (bits >> (52 - PARTS)) as usize & ((1 << PARTS) - 1);
        let mantissa = f64::from_bits(bits & ((1 << 52) - 1) | 1023 << 52);
        let w = (mantissa - 1.0) * f64::from(2 << PARTS) - (2 * part + 1) as f64;
        let c = &self.table[((octave as usize) << PARTS) + part];
        c.iter().rev().fold(0.0, |sum, c| sum * w + c)
    }

    /// To rounding, by series or continued fraction.
    fn exact(&self, x: f64) -> f64 {
        let n = 1.0 - self.p;
        if x > 1.0 {
            // Lentz's method for e^x E_n(x).
            let mut b = x + n;
            let (mut c, mut d) = (f64::MAX, 1.0 / b);
            let mut h = d;
            for i in 1..10_000 {
                let i = f64::from(i);
                let a = -i * (n - 1.0 + i);
                b += 2.0;
                d = 1.0 / (a * d + b);
                c = b + a / c;
                h *= c * d;
                if (c * d - 1.0).abs() < f64::EPSILON {
                    break;
                }
            }
            return x * h;
        }
        let mut sum = if self.p > 0.0 { self.gamma * x.powf(-self.p) - 1.0 / self.p } else { -EULER_GAMMA - x.ln() };
        let mut term = 1.0;
        for j in 1..60 {
            let j = f64::from(j);
            term *= -x / j;
            sum -= term / (self.p + j);
        }
        x * x.exp() * sum
    }

    fn small(&self, x: f64) -> f64 {
        if x == 0.0 {
            0.0
        } else if self.p > 0.0 {
            self.gamma * x.powf(1.0 - self.p) - x / self.p
        } else {
            -x * (EULER_GAMMA + x.ln())
        }
    }

    fn large(&self, x: f64) -> f64 {
        let n = 1.0 - self.p;
        1.0 - n / x * (1.0 - (n + 1.0) / x * (1.0 - (n + 2.0) / x))
    }
}

/// The polynomial through f at Chebyshev's points of −1 to 1, lowest coefficient first.
fn fit(f: impl Fn(f64) -> f64) -> [f64; DEGREE + 1] {
    let count = (DEGREE + 1) as f64;
    let angles: [f64; DEGREE + 1] = std::array::from_fn(|i| PI * (i as f64 + 0.5) / count);
    let values = angles.map(|a| f(a.cos()));
    let mut polynomial = [0.0; DEGREE + 1];
    // T_0, T_1, … in powers: T_{j+1} = 2wT_j − T_{j−1}.
    let (mut before, mut chebyshev) = ([0.0; DEGREE + 1], [0.0; DEGREE + 1]);
    chebyshev[0] = 1.0;
    for j in 0..=DEGREE {
        let sum: f64 = angles.iter().zip(values).map(|(a, v)| v * (j as f64 * a).cos()).sum();
        let coefficient = sum * if j == 0 { 1.0 } else { 2.0 } / count;
        for (p, c) in polynomial.iter_mut().zip(chebyshev) {
            *p += coefficient * c;
        }
        let factor = if j == 0 { 1.0 } else { 2.0 };
        let mut next = before.map(|b| -b);
        for i in 0..DEGREE {
            next[i + 1] += factor * chebyshev[i];
        }
        (before, chebyshev) = (chebyshev, next);
    }
    polynomial
}
