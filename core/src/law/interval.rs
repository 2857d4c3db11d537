//! Intervals over seeds, and what they decide.

use std::collections::BTreeMap;

use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::random::{Stream, stream};

/// Bootstrap resamples behind every interval that has no closed form.
const RESAMPLES: u64 = 1000;

/// Student's t with 1 to 4 degrees of freedom, and the normal distribution's, at 97.5 % (two-sided 95 % intervals).
const TWO_SIDED: ([f64; 4], f64) = ([12.7062, 4.3027, 3.1824, 2.7764], 1.959_96);
/// The same at 95 % (one-sided tests at 5 %).
const ONE_SIDED: ([f64; 4], f64) = ([6.3138, 2.9200, 2.3534, 2.1318], 1.644_85);

/// The z-value of 80 % power, and of 90 %: where a number is between two bounds, each has to be told with that, and both are with 80 %.
const POWER: f64 = 0.841_62;
const POWER_OF_EACH: f64 = 1.281_55;
/// More seeds than this are not asked for: the number is as good as on the bound.
const MOST_SEEDS: usize = 10_000;

/// The mean of one number per seed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// 95 % interval over seeds; absent with one.
    pub ci: Option<[f64; 2]>,
    /// Seeds.
    pub n: usize,
}

/// The mean of `values`, one per seed, with Student's interval; `None` of nothing.
#[must_use]
pub fn mean(values: &[f64]) -> Option<Mean> {
    let n = values.len();
    let mean = values.iter().sum::<f64>() / n as f64;
    let half = |error: f64| student(TWO_SIDED, n - 1) * error;
    let ci = standard_error(values).map(|error| [mean - half(error), mean + half(error)]);
    (n > 0).then_some(Mean { mean, ci, n })
}

/// The mean over seeds of `(seed, value)`: runs of one seed are no independent samples, so each seed counts once, by its own mean.
/// `None` of nothing.
#[must_use]
pub fn mean_by_seed(values: impl IntoIterator<Item = (u64, f64)>) -> Option<Mean> {
    let mut seeds: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for (seed, value) in values {
        seeds.entry(seed).or_default().push(value);
    }
    mean(&seeds.values().map(|own| own.iter().sum::<f64>() / own.len() as f64).collect::<Vec<_>>())
}

/// The standard error of the mean of values; `None` of fewer than two.
pub(super) fn standard_error(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (n - 1.0) / n).sqrt())
}

/// How many standard errors above 0 a mean over `seeds` seeds has to be to be called above 0, by a one-sided test at 5 %.
pub(super) fn one_sided(seeds: usize) -> f64 {
    student(ONE_SIDED, seeds.saturating_sub(1).max(1))
}

/// The 90 % interval that a 95 % one over `seeds` seeds contains. Two one-sided tests at 5 % decide by it: what is claimed to be
/// within bounds is within them where this interval is.
#[must_use]
pub fn equivalence_interval([low, high]: [f64; 2], seeds: usize) -> [f64; 2] {
    let freedom = seeds.saturating_sub(1).max(1);
    let (middle, half) = (f64::midpoint(low, high), (high - low) / 2.0);
    let half = half * student(ONE_SIDED, freedom) / student(TWO_SIDED, freedom);
    [middle - half, middle + half]
}

/// How many seeds decide, with a chance of 80 %, whether a number lies between `least` and `most`, if it is and varies between seeds as
/// its 95 % interval `ci` over `seeds` seeds says: those whose one-sided test at 5 % tells it from the bound that is nearest. `None`
/// of a number that lies on a bound (more than 10,000), or of one without spread.
#[must_use]
pub fn seeds_needed([low, high]: [f64; 2], seeds: usize, least: f64, most: f64) -> Option<usize> {
    let freedom = seeds.checked_sub(1).filter(|&f| f > 0)?;
    let middle = f64::midpoint(low, high);
    let of_one_seed = (high - low) / 2.0 / student(TWO_SIDED, freedom) * (seeds as f64).sqrt();
    let distance = (middle - least).abs().min((most - middle).abs());
    let is_between = least < middle && middle < most && least.is_finite() && most.is_finite();
    let power = if is_between { POWER_OF_EACH } else { POWER };
    let is_told = |n: usize| distance >= (student(ONE_SIDED, n - 1) + power) * of_one_seed / (n as f64).sqrt();
    (of_one_seed > 0.0 && is_told(MOST_SEEDS)).then(|| (2..=MOST_SEEDS).find(|&n| is_told(n))).flatten()
}

/// The 95 % interval of `statistic`: its value on all `groups`, plus and minus Student's t times its standard error. That is the
/// spread over bootstrap resamples, each of which draws as many groups as there are, with replacement, times √(n/(n−1)): of a mean
/// this is Student's interval. The resamples' percentiles would be too narrow for a few groups: those of three are their least and
/// largest, which leave out the true mean in 28 % of all cases.
///
/// A group is everything that shares a seed: runs of one seed share initial weights and batch order and are not independent.
/// `None` with fewer than two groups (one seed says nothing about the spread over seeds), or where most resamples have no value.
pub fn interval(groups: usize, statistic: &dyn Fn(&[usize]) -> Option<f64>) -> Option<[f64; 2]> {
    if groups < 2 {
        return None;
    }
    let value = statistic(&(0..groups).collect::<Vec<_>>()).filter(|v| v.is_finite())?;
    let values: Vec<f64> = (0..RESAMPLES)
        .filter_map(|i| {
            let mut rng = stream(0, Stream::Bootstrap, i);
            let draw: Vec<usize> = (0..groups).map(|_| rng.random_range(0..groups)).collect();
            statistic(&draw).filter(|v| v.is_finite())
        })
        .collect();
    if 2 * values.len() < RESAMPLES as usize {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    let free = groups as f64 - 1.0;
    let half = student(TWO_SIDED, groups - 1) * (variance * groups as f64 / free).sqrt();
    Some([value - half, value + half])
}

/// The interval of a positive statistic, by its logarithm.
pub fn interval_of_ratio(groups: usize, statistic: &dyn Fn(&[usize]) -> Option<f64>) -> Option<[f64; 2]> {
    interval(groups, &|draw| statistic(draw).map(f64::ln)).map(|ends| ends.map(f64::exp))
}

/// Student's t, to 0.3 %: a table up to four degrees of freedom, then Fisher's expansion about the normal distribution.
fn student((table, normal): ([f64; 4], f64), freedom: usize) -> f64 {
    if let Some(&t) = freedom.checked_sub(1).and_then(|i| table.get(i)) {
        return t;
    }
    let (z, v) = (normal, freedom as f64);
    let first = (z.powi(3) + z) / 4.0;
    let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
    let third = (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0;
    z + (first + (second + third / v) / v) / v
}

#[cfg(test)]
mod tests {
    use super::{ONE_SIDED, TWO_SIDED, student};

    #[test]
    fn students_t_is_that_of_tables() {
        for (freedom, two_sided, one_sided) in [
            (1, 12.706, 6.314),
            (2, 4.303, 2.920),
            (4, 2.776, 2.132),
            (5, 2.571, 2.015),
            (7, 2.365, 1.895),
            (9, 2.262, 1.833),
            (30, 2.042, 1.697),
            (1000, 1.962, 1.646),
        ] {
            let [two, one] = [TWO_SIDED, ONE_SIDED].map(|level| student(level, freedom));
            assert!(
                (two / two_sided - 1.0).abs() < 3e-3 && (one / one_sided - 1.0).abs() < 3e-3,
                "{freedom}: {two}, {one}"
            );
        }
    }
}
