//! Simulated grids with noise as it is measured: how often what is found is true.

use l2lab_core::law::{
    Collapse, Estimator, Fit, Grid, Outcome, Verdict, collapse, fit,
    simulation::{Scenario, traces},
};

/// The fits of simulated grids, whose cells all have something to time.
fn fits(scenario: Scenario, seeds: u64, replicates: u64) -> Vec<Fit> {
    let of = |replicate| fit(&Grid::new(&traces(scenario, seeds, replicate), Estimator::Arrival));
    (0..replicates).map(|r| of(r).unwrap_or_else(|why| panic!("{}: {why}", scenario.name()))).collect()
}

fn share(fits: &[Fit], is_so: impl Fn(&Fit) -> bool) -> f64 {
    fits.iter().filter(|f| is_so(f)).count() as f64 / fits.len() as f64
}

/// Slopes are right on average, their intervals hold the truth, and chance gives no slope.
fn check(scenario: Scenario, fits: &[Fit]) {
    let (name, truth) = (scenario.name(), scenario.slope().unwrap());
    let covered = share(fits, |f| f.slope_ci.is_some_and(|[low, high]| low <= truth && truth <= high));
    assert!(covered >= 0.88, "{name}: {covered} of the intervals hold the slope");
    let bias = fits.iter().map(|f| f.slope).sum::<f64>() / fits.len() as f64 - truth;
    let within = if scenario == Scenario::EarlyRise { 0.05 } else { 0.02 };
    assert!(bias.abs() < within, "{name}: {bias}");
    for f in fits {
        let [low, high] = f.placebo_ci;
        assert!(f.placebo_slope.abs() < 0.05 && low < 0.0 && high > 0.0, "{name}: {f:?}");
        assert!(f.c_prime_ci.is_some_and(|[low, high]| low <= f.c_prime && f.c_prime <= high), "{name}: {f:?}");
    }
}

#[test]
fn the_law_is_found_where_it_is_true() {
    let fits = fits(Scenario::Law, 3, 100);
    check(Scenario::Law, &fits);
    let product = share(&fits, |f| f.slope_product_ci.is_some_and(|[low, high]| low <= -1.0 && -1.0 <= high));
    assert!(product >= 0.88, "{product}");
    assert!(share(&fits, |f| f.law == Verdict::Holds) >= 0.95);
    for f in &fits {
        // Curves without L2 have nothing to time, and chance does not give this slope.
        assert_eq!((f.without_l2.cells, f.without_l2.timed, f.without_l2.slope), (6, 0, None));
        assert!(f.placebo_ci[0] > f.slope && f.cells_bounding == 0 && f.seeds == 3, "{f:?}");
    }
}

#[test]
fn runs_that_end_too_early_bound_the_slope_and_do_not_bend_it() {
    let fits = fits(Scenario::LawCensored, 5, 100);
    check(Scenario::LawCensored, &fits);
    assert!(fits.iter().all(|f| f.cells_bounding > 0 && f.cells_timed < 10));
    assert!(share(&fits, |f| f.law == Verdict::Holds) >= 0.9);
}

#[test]
fn what_is_no_law_does_not_hold() {
    let half = fits(Scenario::HalfLaw, 3, 20);
    check(Scenario::HalfLaw, &half);
    assert!(share(&half, |f| f.law == Verdict::Fails) >= 0.9);
    let early = fits(Scenario::EarlyRise, 3, 20);
    check(Scenario::EarlyRise, &early);
    assert!(early.iter().all(|f| f.law != Verdict::Holds && f.without_l2.timed > 0), "{early:?}");
    let near_zero = share(&early, |f| f.without_l2.slope.is_some_and(|s| s.abs() < 0.1));
    assert!(near_zero >= 0.9, "{near_zero}");
}

#[test]
fn what_has_no_time_is_not_timed() {
    for (scenario, most) in [(Scenario::Noise, 0.03), (Scenario::EndlessRise, 0.06)] {
        for seeds in [3, 5] {
            let (mut timed, mut cells) = (0, 0);
            for replicate in 0..20 {
                let traces = traces(scenario, seeds, replicate);
                let grid = Grid::new(&traces, Estimator::Arrival);
                assert!(fit(&grid).is_err(), "{}", scenario.name());
                timed += grid.outcomes.iter().filter(|o| matches!(o.0, Outcome::Peak | Outcome::Plateau)).count();
                cells += grid.outcomes.len();
            }
            assert!(timed as f64 <= most * cells as f64, "{}: {timed} of {cells}", scenario.name());
        }
    }
}

/// Collapses of a few grids, of the runs of some η.
fn collapses(scenario: Scenario, is_meant: impl Fn(f64) -> bool) -> Vec<Collapse> {
    let of = |replicate: u64| {
        let mut traces = traces(scenario, 3, replicate);
        traces.retain(|t| is_meant(t.run.lr));
        collapse(&Grid::new(&traces, Estimator::Arrival)).unwrap()
    };
    (0..5).map(of).collect()
}

#[test]
fn whole_curves_collapse_on_the_clock_they_run_by() {
    for c in collapses(Scenario::Law, |_| true) {
        assert!((c.exponent - 1.0).abs() < 0.03 && c.spread_in_tau < 0.25 * c.spread_in_steps, "{c:?}");
        assert!(c.exponent_ci.is_some_and(|[low, high]| low <= c.exponent && c.exponent <= high && high - low < 0.2));
    }
    for c in collapses(Scenario::EarlyRise, |lr| lr == 0.05) {
        assert!(c.exponent.abs() < 0.05 && c.spread_in_steps < 0.25 * c.spread_in_tau, "{c:?}");
    }
    // With two η too: these five λ differ 2.3 times as much as they, so a rise by ηt moves little with ηλ.
    assert!(collapses(Scenario::EarlyRise, |_| true).iter().all(|c| (c.exponent - 0.15).abs() < 0.05));
    for c in collapses(Scenario::HalfLaw, |lr| lr == 0.05) {
        assert!((c.exponent - 0.5).abs() < 0.06, "{c:?}");
    }
}
