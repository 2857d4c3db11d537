//! What runs decide about a claim.

use serde::{Deserialize, Serialize};

use super::{Fit, Mean, equivalence_interval};

/// The training accuracy above which training data count as fitted.
pub const FITTED: f64 = 0.999;
/// How far a measured exponent may be from a law's and still be called that: over a decade, a factor of 1.6.
pub const SLOPE_TOLERANCE: f64 = 0.2;

/// What the data decide about a claim. Each is decided by one-sided tests at 5 %: of twenty claims on the edge of what they say, one is
/// expected to be decided wrongly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Verdict {
    /// The interval is on the claim's side.
    #[serde(rename = "holds")]
    Holds,
    /// It is on the other side.
    #[serde(rename = "does not hold here")]
    Fails,
    /// It has both.
    #[serde(rename = "not decided by this data")]
    Open,
    /// What the claim presupposes is not the case, so that it is neither confirmed nor refuted.
    #[serde(rename = "premise not met")]
    Premise,
}

impl Verdict {
    /// All of them, in the order in which they are counted.
    pub const ALL: [Self; 4] = [Self::Holds, Self::Fails, Self::Open, Self::Premise];

    /// Of "the mean is above `bound`".
    #[must_use]
    pub fn above(bound: f64, mean: Option<Mean>) -> Self {
        Self::of(mean.and_then(|m| Some((m.ci?, m.n))), bound, f64::INFINITY)
    }

    /// Of "the mean is below `bound`".
    #[must_use]
    pub fn below(bound: f64, mean: Option<Mean>) -> Self {
        Self::of(mean.and_then(|m| Some((m.ci?, m.n))), f64::NEG_INFINITY, bound)
    }

    /// Of "the mean is `expected` to within `tolerance`".
    #[must_use]
    pub fn near(expected: f64, tolerance: f64, mean: Option<Mean>) -> Self {
        Self::of(mean.and_then(|m| Some((m.ci?, m.n))), expected - tolerance, expected + tolerance)
    }

    /// Of "the number is `expected` to within `tolerance`", by its 95 % interval over `seeds` seeds.
    #[must_use]
    pub fn interval_near(expected: f64, tolerance: f64, ci: Option<[f64; 2]>, seeds: usize) -> Self {
        Self::of(ci.map(|ci| (ci, seeds)), expected - tolerance, expected + tolerance)
    }

    /// Of "the number is above `bound`", by its 95 % interval over `seeds` seeds.
    #[must_use]
    pub fn interval_above(bound: f64, ci: Option<[f64; 2]>, seeds: usize) -> Self {
        Self::of(ci.map(|ci| (ci, seeds)), bound, f64::INFINITY)
    }

    /// Of "the number is below `bound`", by its 95 % interval over `seeds` seeds.
    #[must_use]
    pub fn interval_below(bound: f64, ci: Option<[f64; 2]>, seeds: usize) -> Self {
        Self::of(ci.map(|ci| (ci, seeds)), f64::NEG_INFINITY, bound)
    }

    /// Of "t_* goes as 1/λ" (R1): the slope is −1 to within 0.2, and what chance or the design gives is excluded.
    #[must_use]
    pub fn of_law(fit: &Fit) -> Self {
        match Self::interval_near(-1.0, SLOPE_TOLERANCE, fit.slope_ci, fit.seeds) {
            Self::Holds if !fit.excludes_placebo() => Self::Open,
            verdict => verdict,
        }
    }

    /// Two one-sided tests of "it lies between `least` and `most`".
    fn of(found: Option<([f64; 2], usize)>, least: f64, most: f64) -> Self {
        let Some((ci, n)) = found else { return Self::Open };
        let [low, high] = equivalence_interval(ci, n);
        if low > least && high < most {
            Self::Holds
        } else if low > most || high < least {
            Self::Fails
        } else {
            Self::Open
        }
    }

    /// Of several at once: holds if all do, fails if one does.
    #[must_use]
    pub fn all(of: &[Self]) -> Self {
        if of.contains(&Self::Fails) {
            Self::Fails
        } else if of.iter().all(|v| *v == Self::Holds) {
            Self::Holds
        } else {
            Self::Open
        }
    }

    /// This verdict where `premise` is met; [`Self::Premise`] where it is not, whatever the numbers say.
    #[must_use]
    pub fn given(self, premise: bool) -> Self {
        if premise { self } else { Self::Premise }
    }

    /// In words.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Fails => "does not hold here",
            Self::Open => "not decided by this data",
            Self::Premise => "premise not met",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict::{self, Fails, Holds, Open, Premise};

    #[test]
    fn an_interval_decides_or_does_not() {
        let is =
            |low: f64, high: f64| Some(super::Mean { mean: f64::midpoint(low, high), ci: Some([low, high]), n: 100 });
        for (mean, above, below, near) in [
            (is(0.1, 0.2), Holds, Fails, Open),
            (is(-0.2, -0.1), Fails, Holds, Open),
            (is(-0.1, 0.1), Open, Open, Holds),
            (is(-0.2, 0.2), Open, Open, Open),
            (is(0.16, 0.2), Holds, Fails, Fails),
            (is(-0.9, -0.8), Fails, Holds, Fails),
            // One seed decides nothing.
            (None, Open, Open, Open),
        ] {
            let found = (Verdict::above(0.0, mean), Verdict::below(0.0, mean), Verdict::near(0.0, 0.15, mean));
            assert_eq!(found, (above, below, near), "{mean:?}");
        }
    }

    #[test]
    fn tests_are_one_sided_at_five_percent() {
        // With three seeds Student's t is 4.30 at 95 % and 2.92 at 90 %.
        let mean = |half: f64| Some(super::Mean { mean: 1.0, ci: Some([1.0 - half, 1.0 + half]), n: 3 });
        assert_eq!(Verdict::above(0.0, mean(4.30 / 2.93)), Holds);
        assert_eq!(Verdict::above(0.0, mean(4.30 / 2.91)), Open);
    }

    #[test]
    fn several_hold_together_or_one_fails_all() {
        assert_eq!([&[Holds, Holds][..], &[Holds, Open], &[Open, Fails]].map(Verdict::all), [Holds, Open, Fails]);
        assert_eq!([Holds, Fails].map(|v| (v.given(true), v.given(false))), [(Holds, Premise), (Fails, Premise)]);
    }
}
