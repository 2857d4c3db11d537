//! What runs decide about a claim.

use serde::{Deserialize, Serialize};

use super::{Fit, Mean, equivalence_interval, seeds_needed};

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

/// A verdict, and how many seeds it takes to reach one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What is decided.
    pub verdict: Verdict,
    /// The seeds that decide it with a chance of 80 %, if the numbers and their spread are as they were found; absent where no
    /// reasonable number does, or where nothing is known of the spread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seeds_needed: Option<usize>,
}

impl Decision {
    /// Nothing is known.
    pub const OPEN: Self = Self { verdict: Verdict::Open, seeds_needed: None };

    /// A verdict that seeds do not change.
    #[must_use]
    pub fn certain(holds: bool) -> Self {
        Self { verdict: if holds { Verdict::Holds } else { Verdict::Fails }, seeds_needed: None }
    }

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
            Self { verdict: Verdict::Holds, .. } if !fit.excludes_placebo() => Self::OPEN,
            decision => decision,
        }
    }

    /// Two one-sided tests of "it lies between `least` and `most`".
    fn of(found: Option<([f64; 2], usize)>, least: f64, most: f64) -> Self {
        let Some((ci, n)) = found else { return Self::OPEN };
        let [low, high] = equivalence_interval(ci, n);
        let verdict = if low > least && high < most {
            Verdict::Holds
        } else if low > most || high < least {
            Verdict::Fails
        } else {
            Verdict::Open
        };
        Self { verdict, seeds_needed: seeds_needed(ci, n, least, most) }
    }

    /// Of "it is so in most seeds", by the number of seeds in which it is: a sign test, one-sided at 5 %.
    #[must_use]
    pub fn in_most(yes: usize, seeds: usize) -> Self {
        // The chance of this many or more, if either is as likely.
        let tail = |least: usize| {
            let chances = (0..=seeds).scan(0.5_f64.powi(seeds as i32), |chance, k| {
                let own = *chance;
                *chance *= (seeds - k) as f64 / (k + 1) as f64;
                Some((k, own))
            });
            chances.filter(|(k, _)| *k >= least).map(|(_, chance)| chance).sum::<f64>()
        };
        let verdict = if seeds == 0 {
            Verdict::Open
        } else if tail(yes) <= 0.05 {
            Verdict::Holds
        } else if tail(seeds - yes) <= 0.05 {
            Verdict::Fails
        } else {
            Verdict::Open
        };
        Self { verdict, seeds_needed: None }
    }

    /// Of several at once: holds if all do, fails if one does; of none nothing is known.
    #[must_use]
    pub fn all(of: &[Self]) -> Self {
        if of.is_empty() {
            return Self::OPEN;
        }
        let is = |verdict| move |d: &&Self| d.verdict == verdict;
        let verdict = if of.iter().any(|d| is(Verdict::Fails)(&d)) {
            Verdict::Fails
        } else if of.iter().all(|d| is(Verdict::Holds)(&d)) {
            Verdict::Holds
        } else {
            Verdict::Open
        };
        // As many as the last of them to be decided needs; not known where one is not.
        let open = of.iter().filter(is(Verdict::Open)).map(|d| d.seeds_needed);
        let needed = if verdict == Verdict::Open { open.collect::<Option<Vec<_>>>() } else { None };
        Self { verdict, seeds_needed: needed.and_then(|n| n.into_iter().max()) }
    }

    /// This decision where `premise` is met; [`Verdict::Premise`] where it is not, whatever the numbers say.
    #[must_use]
    pub fn given(self, premise: bool) -> Self {
        if premise { self } else { Self { verdict: Verdict::Premise, seeds_needed: None } }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Decision,
        Verdict::{Fails, Holds, Open, Premise},
    };

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
            let found = [Decision::above(0.0, mean), Decision::below(0.0, mean), Decision::near(0.0, 0.15, mean)];
            assert_eq!(found.map(|d| d.verdict), [above, below, near], "{mean:?}");
        }
    }

    #[test]
    fn tests_are_one_sided_at_five_percent() {
        // With three seeds Student's t is 4.30 at 95 % and 2.92 at 90 %.
        let mean = |half: f64| Some(super::Mean { mean: 1.0, ci: Some([1.0 - half, 1.0 + half]), n: 3 });
        assert_eq!(Decision::above(0.0, mean(4.30 / 2.93)).verdict, Holds);
        assert_eq!(Decision::above(0.0, mean(4.30 / 2.91)).verdict, Open);
    }

    #[test]
    fn several_hold_together_or_one_fails_all() {
        let with = |verdict, seeds_needed| Decision { verdict, seeds_needed };
        let (holds, fails) = (with(Holds, Some(3)), with(Fails, Some(4)));
        let (open, never) = (with(Open, Some(20)), with(Open, None));
        for (of, expected) in [
            (vec![holds, holds], with(Holds, None)),
            (vec![holds, open], open),
            (vec![open, never], never),
            (vec![open, fails], with(Fails, None)),
            (vec![], Decision::OPEN),
        ] {
            assert_eq!(Decision::all(&of), expected, "{of:?}");
        }
        assert_eq!([holds, fails].map(|v| v.given(true)), [holds, fails]);
        assert_eq!([holds, fails].map(|v| v.given(false).verdict), [Premise; 2]);
    }

    #[test]
    fn most_seeds_are_told_by_signs() {
        // Of ten, nine or more have a chance of 11/1024, eight or more of 56/1024.
        for (yes, seeds, verdict) in
            [(9, 10, Holds), (8, 10, Open), (2, 10, Open), (1, 10, Fails), (5, 5, Holds), (4, 4, Open), (0, 0, Open)]
        {
            assert_eq!(Decision::in_most(yes, seeds).verdict, verdict, "{yes} of {seeds}");
        }
    }

    #[test]
    fn as_many_seeds_as_are_asked_for_decide_four_times_in_five() {
        use crate::law::{mean, seeds_needed};
        use rand::RngExt;
        // Seeds that vary by 1 about 0.6: by the normal distribution (1.645 + 0.842)² / 0.6² = 17.2, and a little more by Student's.
        let half = 2.262_16 / 10_f64.sqrt();
        let needed = seeds_needed([0.6 - half, 0.6 + half], 10, 0.0, f64::INFINITY).unwrap();
        assert!((18..=20).contains(&needed), "{needed}");
        let mut rng = crate::random::stream(3, crate::random::Stream::Bootstrap, 0);
        let mut normal = || (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
        let mut decided = 0;
        for _ in 0..2000 {
            let values: Vec<f64> = (0..needed).map(|_| 0.6 + normal()).collect();
            decided += usize::from(Decision::above(0.0, mean(&values)).verdict == Holds);
        }
        assert!((1560..=1720).contains(&decided), "{decided} of 2000");
        // In the middle of two bounds both have to be told.
        let within = seeds_needed([-half, half], 10, -0.6, 0.6).unwrap();
        assert!(within > needed, "{within}");
        let mut normal = || (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
        let mut told = 0;
        for _ in 0..2000 {
            let values: Vec<f64> = (0..within).map(|_| normal()).collect();
            told += usize::from(Decision::near(0.0, 0.6, mean(&values)).verdict == Holds);
        }
        assert!((1560..=1720).contains(&told), "{told} of 2000");
        // On the bound no number of seeds decides; without spread nothing is known; one seed has no spread.
        assert_eq!(seeds_needed([-0.5, 0.5], 10, 0.0, f64::INFINITY), None);
        assert_eq!(seeds_needed([0.5, 0.5], 10, 0.0, f64::INFINITY), None);
        assert_eq!(seeds_needed([0.4, 0.6], 1, 0.0, f64::INFINITY), None);
    }
}
