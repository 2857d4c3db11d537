//! When runs are measured: at steps that are evenly spaced in log time, the same for every run whatever its length.

/// Whether a run is measured after `step` steps, with `per_decade` measurements for each tenfold of steps: at the whole numbers
/// nearest to 10^(k/per_decade), k = 0, 1, …, and before the first step. (The last step is measured too: [`super::RunSpec`].)
///
/// The schedule does not depend on a run's length, so that runs of different lengths are compared at equal times.
#[must_use]
pub fn is_measured(step: u64, per_decade: u64) -> bool {
    if step == 0 {
        return true;
    }
    let per_decade = per_decade.max(1) as f64;
    let nearest = (per_decade * (step as f64).log10()).round();
    // Neighbours too: the nearest whole number of 10^(k/per_decade) may be this step for several k.
    [nearest - 1.0, nearest, nearest + 1.0].into_iter().any(|k| 10_f64.powf(k / per_decade).round() == step as f64)
}

#[cfg(test)]
mod tests {
    use super::is_measured;

    fn steps(per_decade: u64, last: u64) -> Vec<u64> {
        (0..=last).filter(|&step| is_measured(step, per_decade)).collect()
    }

    #[test]
    fn measurements_are_evenly_spaced_in_log_time() {
        assert_eq!(steps(1, 10_000), [0, 1, 10, 100, 1000, 10_000]);
        assert_eq!(steps(4, 100), [0, 1, 2, 3, 6, 10, 18, 32, 56, 100]);
        // Where several fall on one step it is measured once; in each later tenfold there are as many as were asked for.
        for per_decade in [7, 24, 100] {
            let within = |from: u64| (from..10 * from).filter(|&step| is_measured(step, per_decade)).count() as u64;
            assert_eq!((within(1000), within(10_000)), (per_decade, per_decade));
        }
    }

    #[test]
    fn the_schedule_is_the_same_for_runs_of_every_length() {
        let long = steps(24, 5000);
        assert_eq!(steps(24, 700), long.into_iter().filter(|&step| step <= 700).collect::<Vec<_>>());
    }
}
