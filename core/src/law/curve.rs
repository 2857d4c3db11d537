//! Curves in log time: what was measured of a run, smoothed by a local polynomial.
//!
//! All curves stand on one grid, multiples of [`STEP`] in ln t, and are smoothed over the same share of log time whatever the
//! length of the run, so that neither a run's length nor the number of its measurements decides what is read off it.

/// Spacing of the grid in ln t: 46 places for each tenfold of steps.
pub const STEP: f64 = 0.05;
/// The smoothing window reaches this far in ln t to either side: from t/1.4 to 1.4 t.
pub const REACH: f64 = 0.35;
/// Places of the grid in a doubling of time.
pub const DOUBLING: usize = 14;
/// Measurements after the start without which there is no curve.
const LEAST: usize = 2;
/// The median of the square of a standard normal variable.
const MEDIAN_SQUARE: f64 = 0.454_936;

/// A smoothed curve. Larger values are better.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Place of the first value: ln t = first · [`STEP`].
    pub first: i64,
    /// A value for each place.
    pub values: Vec<f64>,
    /// Their standard errors, by the scatter of the measurements about the curve.
    pub errors: Vec<f64>,
    /// What the last doubling of time changes, by a straight line through the measurements within it, and the standard error.
    pub drift: (f64, f64),
}

/// Measurements that fall on one place of the grid.
#[derive(Debug, Clone, Copy)]
struct Bin {
    log_time: f64,
    value: f64,
    count: f64,
}

/// The value of a local polynomial, and how much each measurement counts in it.
struct Local {
    value: f64,
    /// Σ weight²/count: the variance of the value over that of a measurement.
    variance: f64,
    /// The weight of the bin that stands where the polynomial is evaluated.
    own: f64,
}

impl Curve {
    /// The curve of `(t, value)` in order of time; t in steps or epochs. Times of 0 and values that are no finite numbers are
    /// left out. `None` where fewer than two measurements remain, or all fall within one place of the grid.
    #[must_use]
    pub fn new(points: impl IntoIterator<Item = (f64, f64)>) -> Option<Self> {
        Self::of(&bins(&mut points.into_iter())?)
    }

    fn of(bins: &[Bin]) -> Option<Self> {
        let first = (bins[0].log_time / STEP - 1e-9).ceil() as i64;
        let last = (bins[bins.len() - 1].log_time / STEP + 1e-9).floor() as i64;
        if last < first {
            return None;
        }
        let locals: Vec<Local> = (first..=last).map(|place| local(bins, place as f64 * STEP)).collect();
        let squares: Vec<f64> = (0..bins.len()).filter_map(|i| square(bins, i)).collect();
        let noise = if squares.is_empty() { 0.0 } else { (super::median(squares) / MEDIAN_SQUARE).sqrt() };
        Some(Self {
            first,
            values: locals.iter().map(|l| l.value).collect(),
            errors: locals.iter().map(|l| noise * l.variance.sqrt()).collect(),
            drift: drift(bins, noise),
        })
    }

    /// The curve between two places, both included; `None` where it does not reach so far.
    #[must_use]
    pub fn between(&self, first: i64, last: i64) -> Option<Self> {
        let from = usize::try_from(first - self.first).ok()?;
        let to = usize::try_from(last - self.first).ok()?;
        if from > to {
            return None;
        }
        let (values, errors) = (self.values.get(from..=to)?.to_vec(), self.errors[from..=to].to_vec());
        Some(Self { first, values, errors, drift: self.drift })
    }

    /// Place of the last value.
    #[must_use]
    pub fn last(&self) -> i64 {
        self.first + self.values.len() as i64 - 1
    }
}

/// t at a place of the grid, which may lie between two of them.
#[must_use]
pub fn time(place: f64) -> f64 {
    (place * STEP).exp()
}

/// Index of the largest value: of several equal ones the one in their middle.
#[must_use]
pub fn highest(values: &[f64]) -> usize {
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let equal: Vec<usize> = (0..values.len()).filter(|&i| values[i] >= most).collect();
    equal.get(equal.len() / 2).copied().unwrap_or(0)
}

/// Where a curve is highest, in places from its first: the top of a parabola through the highest place and its neighbours.
#[must_use]
pub fn top(values: &[f64]) -> f64 {
    let at = highest(values);
    let (Some(before), Some(after)) = (at.checked_sub(1).map(|i| values[i]), values.get(at + 1)) else {
        return at as f64;
    };
    let curvature = before - 2.0 * values[at] + after;
    at as f64 + if curvature < 0.0 { (0.5 * (before - after) / curvature).clamp(-0.5, 0.5) } else { 0.0 }
}

/// The mean of curves of one length, those that `draw` names.
#[must_use]
pub fn mean_of(curves: &[Vec<f64>], draw: &[usize]) -> Vec<f64> {
    let mut mean = vec![0.0; draw.first().map_or(0, |&i| curves[i].len())];
    for &i in draw {
        for (sum, value) in mean.iter_mut().zip(&curves[i]) {
            *sum += value / draw.len() as f64;
        }
    }
    mean
}

/// Measurements by their place in log time, each place with the means of what falls on it.
fn bins(points: &mut dyn Iterator<Item = (f64, f64)>) -> Option<Vec<Bin>> {
    let mut bins: Vec<(i64, Bin)> = Vec::new();
    let mut measurements = 0;
    for (time, value) in points {
        if !(time > 0.0 && time.is_finite() && value.is_finite()) {
            continue;
        }
        measurements += 1;
        let log_time = time.ln();
        let place = (log_time / STEP).round() as i64;
        match bins.last_mut() {
            Some((held, bin)) if *held == place => {
                bin.count += 1.0;
                bin.log_time += (log_time - bin.log_time) / bin.count;
                bin.value += (value - bin.value) / bin.count;
            }
            _ => bins.push((place, Bin { log_time, value, count: 1.0 })),
        }
    }
    (measurements >= LEAST && bins.len() > 1).then(|| bins.into_iter().map(|(_, bin)| bin).collect())
}

/// The square of a measurement's distance from the curve, as large as its variance on average. Where the curve goes through it, since
/// no other is within the window, from the straight line between its neighbours.
fn square(bins: &[Bin], i: usize) -> Option<f64> {
    let bin = bins[i];
    let fitted = local(bins, bin.log_time);
    let left = 1.0 - fitted.own;
    if left > 1e-6 {
        return Some((bin.value - fitted.value).powi(2) * bin.count / left);
    }
    let (before, after) = (bins.get(i.checked_sub(1)?)?, bins.get(i + 1)?);
    let share = (bin.log_time - before.log_time) / (after.log_time - before.log_time);
    let line = before.value + share * (after.value - before.value);
    let variance = 1.0 / bin.count + (1.0 - share).powi(2) / before.count + share.powi(2) / after.count;
    Some((bin.value - line).powi(2) / variance)
}

/// The slope of the least-squares line through the last doubling of time, times ln 2, and its standard error.
fn drift(bins: &[Bin], noise: f64) -> (f64, f64) {
    let from = bins[bins.len() - 1].log_time - DOUBLING as f64 * STEP;
    let last = &bins[bins.partition_point(|b| b.log_time < from - 1e-9)..];
    let count: f64 = last.iter().map(|b| b.count).sum();
    let mean = |of: fn(&Bin) -> f64| last.iter().map(|b| b.count * of(b)).sum::<f64>() / count;
    let (mx, my) = (mean(|b| b.log_time), mean(|b| b.value));
    let sxx: f64 = last.iter().map(|b| b.count * (b.log_time - mx).powi(2)).sum();
    let sxy: f64 = last.iter().map(|b| b.count * (b.log_time - mx) * (b.value - my)).sum();
    if sxx <= 0.0 {
        return (0.0, f64::INFINITY);
    }
    (sxy / sxx * std::f64::consts::LN_2, noise / sxx.sqrt() * std::f64::consts::LN_2)
}

/// The local polynomial at `at`, weighted by Cleveland's tricube: of second order where measurements surround the window, of
/// first order where the run's start or end cuts it off, and a straight line between neighbours where measurements are far apart.
fn local(bins: &[Bin], at: f64) -> Local {
    let from = bins.partition_point(|b| b.log_time <= at - REACH);
    let to = bins.partition_point(|b| b.log_time < at + REACH);
    let window = &bins[from..to];
    let surrounded = bins[0].log_time <= at - REACH + 1e-9 && bins[bins.len() - 1].log_time >= at + REACH - 1e-9;
    for order in if surrounded { [2, 1] } else { [1, 1] } {
        if let Some(weights) = weights(window, at, order) {
            let value = weights.iter().zip(window).map(|(w, b)| w * b.value).sum();
            let variance = weights.iter().zip(window).map(|(w, b)| w * w / b.count).sum();
            let nearest = (0..window.len())
                .min_by(|&a, &b| (window[a].log_time - at).abs().total_cmp(&(window[b].log_time - at).abs()));
            let own = nearest.filter(|&i| window[i].log_time == at).map_or(0.0, |i| weights[i]);
            return Local { value, variance, own };
        }
    }
    let next = bins.partition_point(|b| b.log_time < at).clamp(1, bins.len() - 1);
    let (a, b) = (bins[next - 1], bins[next]);
    let share = ((at - a.log_time) / (b.log_time - a.log_time)).clamp(0.0, 1.0);
    Local { value: a.value + share * (b.value - a.value), variance: 1.0, own: 1.0 }
}

/// What each bin of a window counts in the polynomial of this order at `at`; `None` where the bins do not determine it.
fn weights(window: &[Bin], at: f64, order: usize) -> Option<Vec<f64>> {
    if window.len() < order + 2 {
        return None;
    }
    let offset = |bin: &Bin| (bin.log_time - at) / REACH;
    let kernel = |bin: &Bin| (1.0 - offset(bin).abs().powi(3)).max(0.0).powi(3) * bin.count;
    let mut moments = [0.0; 5];
    for bin in window {
        let mut power = kernel(bin);
        for moment in &mut moments {
            *moment += power;
            power *= offset(bin);
        }
    }
    let [s0, s1, s2, s3, s4] = moments;
    // The first row of the inverse of the matrix of moments, by cofactors.
    let (row, determinant, scale) = if order == 2 {
        let row = [s2 * s4 - s3 * s3, s2 * s3 - s1 * s4, s1 * s3 - s2 * s2];
        (row, s0 * row[0] + s1 * row[1] + s2 * row[2], s0 * s2 * s4)
    } else {
        ([s2, -s1, 0.0], s0 * s2 - s1 * s1, s0 * s2)
    };
    if determinant.is_nan() || determinant <= 1e-6 * scale {
        return None;
    }
    let weight = |bin: &Bin| {
        let d = offset(bin);
        kernel(bin) * (row[0] + d * (row[1] + d * row[2])) / determinant
    };
    Some(window.iter().map(weight).collect())
}
