//! Straight lines through times on logarithmic axes, some of which are only known to be later than what was seen.

/// A time, or a bound on one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Points of one group share an intercept.
    pub group: u64,
    /// Where on the axis.
    pub x: f64,
    /// ln t_*; of a bound, what it is at least.
    pub y: f64,
    /// The run ended before: `y` is a bound from below.
    pub is_bound: bool,
}

/// Least spread of x that is worth a slope: a grid's values 0.1 % apart.
const SPREAD: f64 = 1e-6;
/// Rounds of expectation and maximization; a few are enough.
const ROUNDS: usize = 40;

/// A line: its slope, and the intercept of each group that has a point.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The common slope.
    pub slope: f64,
    /// `(group, intercept)`.
    pub intercepts: Vec<(u64, f64)>,
}

impl Line {
    fn at(&self, point: &Point) -> f64 {
        let intercept = self.intercepts.iter().find(|(group, _)| *group == point.group).map_or(0.0, |(_, b)| *b);
        intercept + self.slope * point.x
    }
}

/// The least-squares line through `points`, with an intercept for each group. A bound that lies below the line says nothing; one
/// above it pulls: bounds enter by their expectation, as in a regression with normal errors and censored values (Tobin's), found
/// by expectation and maximization. Bounds of groups without a time are left out, since they would set their own intercept.
/// `None` unless x varies within a group.
#[must_use]
pub fn line(points: &[Point]) -> Option<Line> {
    let timed: Vec<Point> = points.iter().filter(|p| !p.is_bound).copied().collect();
    let mut fitted = least_squares(&timed)?;
    let bounds: Vec<Point> =
        points.iter().filter(|p| p.is_bound && timed.iter().any(|t| t.group == p.group)).copied().collect();
    if bounds.is_empty() {
        return Some(fitted);
    }
    let parameters = 1 + fitted.intercepts.len();
    let mut spread = 0.0_f64;
    for _ in 0..ROUNDS {
        let expected = bounds.iter().map(|b| {
            let (mean, variance) = above(fitted.at(b), spread, b.y);
            (Point { y: mean, ..*b }, variance)
        });
        let (completed, variances): (Vec<Point>, Vec<f64>) = expected.unzip();
        let all = [timed.as_slice(), &completed].concat();
        fitted = least_squares(&all)?;
        let squares: f64 =
            all.iter().map(|p| (p.y - fitted.at(p)).powi(2)).sum::<f64>() + variances.iter().sum::<f64>();
        spread = (squares / (all.len().saturating_sub(parameters).max(1)) as f64).sqrt();
    }
    Some(fitted)
}

/// Mean and variance of a normal variable that is known to be at least `least`.
fn above(mean: f64, spread: f64, least: f64) -> (f64, f64) {
    if spread < 1e-9 {
        return (mean.max(least), 0.0);
    }
    let z = (least - mean) / spread;
    // Density over what is left of the distribution; far out it is z + 1/z.
    let hazard = if z > 6.0 {
        z + 1.0 / z
    } else {
        let density = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
        density / (0.5 * libm::erfc(z / std::f64::consts::SQRT_2))
    };
    (mean + spread * hazard, spread * spread * (1.0 + z * hazard - hazard * hazard).max(0.0))
}

fn least_squares(points: &[Point]) -> Option<Line> {
    let mut groups: Vec<u64> = points.iter().map(|p| p.group).collect();
    groups.sort_unstable();
    groups.dedup();
    let mean = |group: u64, of: fn(&Point) -> f64| {
        let own = points.iter().filter(|p| p.group == group);
        let (sum, count) = own.fold((0.0, 0.0), |(sum, count), p| (sum + of(p), count + 1.0));
        sum / count
    };
    let means: Vec<(u64, f64, f64)> = groups.iter().map(|&g| (g, mean(g, |p| p.x), mean(g, |p| p.y))).collect();
    let (mut sxx, mut sxy) = (0.0, 0.0);
    for p in points {
        let (_, mx, my) = means.iter().find(|(g, ..)| *g == p.group)?;
        sxx += (p.x - mx).powi(2);
        sxy += (p.x - mx) * (p.y - my);
    }
    if sxx < SPREAD {
        return None;
    }
    let slope = sxy / sxx;
    Some(Line { slope, intercepts: means.into_iter().map(|(g, mx, my)| (g, my - slope * mx)).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(x: f64, y: f64, is_bound: bool) -> Point {
        Point { group: 0, x, y, is_bound }
    }

    #[test]
    fn a_bound_below_the_line_says_nothing_and_one_above_it_pulls() {
        let exact: Vec<Point> = (0..4).map(|i| point(f64::from(i), 1.0 - f64::from(i), false)).collect();
        let with = |y: f64| line(&[&exact[..], &[point(-1.0, y, true)]].concat()).unwrap().slope;
        assert!((with(1.0) + 1.0).abs() < 1e-6, "t_* = e² is later than e");
        assert!(with(4.0) < -1.1, "{}: e² is earlier than the bound e⁴", with(4.0));
    }

    #[test]
    fn bounds_alone_make_no_line() {
        let points = [point(0.0, 1.0, true), point(1.0, 2.0, true), point(2.0, 3.0, false)];
        assert_eq!(line(&points), None);
        assert_eq!(line(&[]), None);
    }
}
