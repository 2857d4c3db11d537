//! 95 % intervals over seeds.

use rand::RngExt;

use crate::random::{Stream, stream};

/// Bootstrap resamples behind every interval.
const RESAMPLES: u64 = 2000;

/// Half the width of Student's 95 % interval in standard errors, with 1 to 4 degrees of freedom.
const STUDENT: [f64; 4] = [12.7062, 4.3027, 3.1824, 2.7764];
/// The same of a normal distribution.
const NORMAL: f64 = 1.95996;

/// The interval of `statistic`: its value on all `groups`, plus and minus Student's t times its standard error. That is the spread
/// over bootstrap resamples, each of which draws as many groups as there are, with replacement, times √(n/(n−1)): of a mean this is
/// Student's interval. The resamples' percentiles would be too narrow for a few groups: those of three are their least and largest,
/// which leave out the true mean in 28 % of all cases.
///
/// A group is everything that shares a seed: runs of one seed share initial weights and batch order and are not independent.
/// `None` with fewer than two groups (one seed says nothing about the spread over seeds), or where most resamples have no value.
pub fn interval(groups: usize, statistic: impl Fn(&[usize]) -> Option<f64>) -> Option<[f64; 2]> {
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
    let half = student(groups - 1) * (variance * groups as f64 / free).sqrt();
    Some([value - half, value + half])
}

/// The interval of a positive statistic, by its logarithm.
pub fn interval_of_ratio(groups: usize, statistic: impl Fn(&[usize]) -> Option<f64>) -> Option<[f64; 2]> {
    interval(groups, |draw| statistic(draw).map(f64::ln)).map(|ends| ends.map(f64::exp))
}

/// Student's t at 97.5 %, to 0.2 %: Fisher's expansion about the normal distribution from five degrees of freedom on.
fn student(freedom: usize) -> f64 {
    if let Some(&t) = STUDENT.get(freedom - 1) {
        return t;
    }
    let (z, v) = (NORMAL, freedom as f64);
    let first = (z.powi(3) + z) / 4.0;
    let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
    let third = (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0;
    z + (first + (second + third / v) / v) / v
}

#[cfg(test)]
mod tests {
    use super::student;

    #[test]
    fn students_t_is_that_of_tables() {
        for (freedom, t) in
            [(1, 12.706), (2, 4.303), (4, 2.776), (5, 2.571), (7, 2.365), (9, 2.262), (30, 2.042), (1000, 1.962)]
        {
            assert!((student(freedom) / t - 1.0).abs() < 2e-3, "{freedom}: {}", student(freedom));
        }
    }
}
