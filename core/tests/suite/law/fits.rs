//! Slopes, placebos and collapses of grids whose law is known.

use l2lab_core::{
    law::{Decision, Estimator, Fit, Grid, Verdict, WithoutL2, collapse, exponent, fit},
    run::Trace,
};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::{BUMP_ARRIVES, bump, completed, diverged, plateau, run};

const LRS: [f64; 3] = [0.05, 0.1, 0.2];
const LAMBDAS: [f64; 5] = [0.2, 0.1, 0.05, 0.02, 0.01];

/// A noise-free grid of two seeds whose runs are as long as τ = 5 and have their top at `top(λ, η)`.
fn grid(top: impl Fn(f64, f64) -> f64) -> Vec<Trace> {
    let mut traces = Vec::new();
    for lr in LRS {
        for lambda in LAMBDAS {
            let steps = (5.0 / (lr * lambda)) as u64;
            traces.extend((0..2).map(|seed| completed(run(lr, lambda, seed, steps), bump(top(lambda, lr)))));
        }
    }
    traces
}

fn fitted(traces: &[Trace], estimator: Estimator) -> Fit {
    fit(&Grid::new(traces, estimator)).unwrap_or_else(|why| panic!("{}: {why}", estimator.name()))
}

fn refused(traces: &[Trace]) -> String {
    fit(&Grid::new(traces, Estimator::Arrival)).unwrap_err()
}

#[test]
fn an_exact_law_is_recovered() {
    let traces = grid(|lambda, lr| 0.8 / (lr * lambda));
    for (estimator, c_prime) in
        [(Estimator::Arrival, 0.8 * BUMP_ARRIVES), (Estimator::Peak, 0.8), (Estimator::Loss, 0.8)]
    {
        let f = fitted(&traces, estimator);
        assert!((f.slope + 1.0).abs() < 0.01 && (f.slope_product + 1.0).abs() < 0.01, "{f:?}");
        assert!((f.c_prime / c_prime - 1.0).abs() < 0.03 && (f.intercept - c_prime.ln()).abs() < 0.05, "{f:?}");
        let [low, high] = f.c_prime_range;
        assert!(low <= f.c_prime && f.c_prime <= high && high / low < 1.06, "{f:?}");
        assert_eq!((f.estimator, f.n, f.seeds, f.cells_timed, f.cells_bounding), (estimator, 30, 2, 15, 0));
        assert_eq!(f.law, Verdict::Holds);
    }
}

#[test]
fn another_exponent_is_told_apart() {
    let traces = grid(|lambda, lr| 3.0 * lambda.powf(-0.5) / lr);
    let f = fitted(&traces, Estimator::Arrival);
    assert!((f.slope + 0.5).abs() < 0.01, "{f:?}");
    // η has exponent −1 and λ −0.5: on their product the slope is between both.
    assert!(f.slope_product < -0.52 && f.slope_product > -0.98, "{f:?}");
    assert_eq!(f.law, Verdict::Fails);
}

#[test]
fn a_rise_that_goes_with_the_learning_rate_alone_is_not_the_law() {
    let traces = grid(|_, lr| 4.0 / lr);
    let f = fitted(&traces, Estimator::Arrival);
    assert!(f.slope.abs() < 0.05, "{f:?}");
    assert_ne!(f.law, Verdict::Holds);
    // It is there without L2 too, and its slope is the same.
    assert!(f.without_l2.timed > 0 && f.without_l2.slope.unwrap().abs() < 0.05, "{f:?}");
}

#[test]
fn learning_rates_have_curves_without_l2_of_their_own() {
    // A rise that goes with ηt, at other λ for each η: one intercept for both would give a slope.
    let cells =
        [(0.05, 0.2), (0.05, 0.1), (0.05, 0.05), (0.05, 0.003), (0.1, 0.01), (0.1, 0.005), (0.1, 0.003), (0.1, 0.001)];
    let of = |(lr, lambda): (f64, f64)| {
        (0..2).map(move |seed| completed(run(lr, lambda, seed, (10.0 / (lr * lambda)) as u64), plateau(0.5 / lr)))
    };
    let f = fitted(&cells.into_iter().flat_map(of).collect::<Vec<_>>(), Estimator::Arrival);
    assert!(f.without_l2.timed >= 4 && f.without_l2.slope.unwrap().abs() < 0.02 && f.slope.abs() < 0.02, "{f:?}");
}

#[test]
fn a_slope_needs_three_lambdas_that_differ_at_one_learning_rate() {
    let of = |lr: f64, lambda: f64| {
        let steps = (40.0 / lambda) as u64;
        (0..2).map(move |seed| completed(run(lr, lambda, seed, steps), bump(8.0 / lambda)))
    };
    let grid = |cells: &[(f64, f64)]| cells.iter().flat_map(|&(lr, lambda)| of(lr, lambda)).collect::<Vec<Trace>>();
    assert!(fit(&Grid::new(&grid(&[(0.1, 0.2), (0.1, 0.1), (0.1, 0.05)]), Estimator::Arrival)).is_ok());
    let two = grid(&[(0.1, 0.2), (0.1, 0.1)]);
    let why = refused(&two);
    assert!(why.contains("needs 3 λ") && why.contains("are 2: of 2 cells 2 peak") && !why.contains("--"), "{why}");
    // Two η of one λ are one λ.
    let why = refused(&grid(&[(0.1, 0.2), (0.2, 0.2)]));
    assert!(why.contains("is 1: of 2 cells 2 peak"), "{why}");
    let why = refused(&grid(&[(0.1, 0.2), (0.2, 0.1), (0.3, 0.05)]));
    assert!(why.contains("do not differ at any one η"), "{why}");
    let why = refused(&[]);
    assert!(why.contains("are 0: of 0 cells none has a curve"), "{why}");
    // One seed has a slope and no interval.
    let f = fitted(
        &grid(&[(0.1, 0.2), (0.1, 0.1), (0.1, 0.05)]).into_iter().step_by(2).collect::<Vec<_>>(),
        Estimator::Arrival,
    );
    assert_eq!((f.slope_ci, f.slope_product_ci, f.c_prime_ci, f.seeds, f.law), (None, None, None, 1, Verdict::Open));
}

#[test]
fn a_refusal_counts_what_was_seen_and_advises() {
    let cell = |lambda: f64, curve: &dyn Fn(f64) -> f64| -> Vec<Trace> {
        (0..3).map(|seed| completed(run(0.1, lambda, seed, 4000), curve)).collect()
    };
    let mut traces = [cell(0.2, &bump(700.0)), cell(0.1, &plateau(200.0)), cell(0.02, &|_| 0.7)].concat();
    traces.extend(cell(0.05, &bump(700.0)).into_iter().map(diverged));
    let why = refused(&traces);
    assert!(
        why.contains(
            "the arrival estimator can time, and there are 2: of 4 cells 1 peak, 1 plateau, 1 flat, 1 diverged"
        ),
        "{why}"
    );
    assert!(why.contains("a smaller --lr"), "{why}");
    traces.extend(cell(0.01, &bump(20_000.0)));
    let why = refused(&traces);
    assert!(why.contains("of 5 cells 1 peak, 1 plateau, 1 flat, 1 censored, 1 diverged; longer runs (--tau)"), "{why}");
    // A plateau has an arrival, and no peak.
    let why = fit(&Grid::new(&traces, Estimator::Peak)).unwrap_err();
    assert!(why.contains("the peak estimator can time, and there is 1: of 5"), "{why}");
}

#[test]
fn lambda_zero_enters_no_fit() {
    let mut traces = grid(|lambda, lr| 0.8 / (lr * lambda));
    let expected = fitted(&traces, Estimator::Arrival);
    traces.extend((0..2).map(|seed| completed(run(0.1, 0.0, seed, 4000), bump(700.0))));
    assert_eq!(fitted(&traces, Estimator::Arrival), expected);
}

#[test]
fn a_cell_that_still_rises_bounds_the_slope() {
    // t_* ∝ 1/λ, but for the smallest λ, which is later than that, and ends before.
    let cell =
        |lambda: f64, top: f64, steps: u64| (0..2).map(move |seed| completed(run(0.1, lambda, seed, steps), bump(top)));
    let timed: Vec<Trace> =
        [0.2, 0.1, 0.05, 0.02].into_iter().flat_map(|l| cell(l, 8.0 / l, (40.0 / l) as u64)).collect();
    let without = fitted(&timed, Estimator::Arrival);
    let with = |top: f64| {
        fitted(&timed.iter().cloned().chain(cell(0.01, top, 20_000)).collect::<Vec<_>>(), Estimator::Arrival)
    };
    let late = with(40_000.0);
    assert_eq!((without.cells_bounding, late.cells_bounding, late.cells_timed, late.n), (0, 1, 4, 8));
    // At least 10⁴ in place of 663: a slope of −1 is too flat.
    assert!(late.slope < without.slope - 0.1, "{} {}", without.slope, late.slope);
    // A rise to the law's own time is later than nothing that was seen.
    let mut short = timed.clone();
    short.extend(cell(0.01, 800.0, 600));
    let lawful = fitted(&short, Estimator::Arrival);
    assert!(lawful.cells_bounding == 1 && (lawful.slope - without.slope).abs() < 1e-3, "{lawful:?}");
}

#[test]
fn a_placebo_knows_no_law() {
    let traces = grid(|lambda, lr| 0.8 / (lr * lambda));
    let f = fitted(&traces, Estimator::Arrival);
    let [low, high] = f.placebo_ci;
    assert!(f.placebo_slope.abs() < 0.05 && low < 0.0 && high > 0.0, "{f:?}");
    assert!(f.slope < low && f.slope < -high, "{f:?}");
    let of_one_lr = |lambdas: usize| -> Vec<Trace> {
        traces.iter().filter(|t| t.run.lr == 0.1 && LAMBDAS[..lambdas].contains(&t.run.lambda)).cloned().collect()
    };
    let five = fitted(&of_one_lr(5), Estimator::Arrival);
    let [low, high] = five.placebo_ci;
    // Of 120 exchanges of five λ at one η one is the order of the law.
    assert!(low < 0.0 && high > 0.0 && five.slope < low, "{five:?}");
    // Of six exchanges of three λ too: three λ alone never exclude chance by their order.
    let three = fitted(&of_one_lr(3), Estimator::Arrival);
    assert!(three.placebo_ci[0] <= three.slope + 1e-9, "{three:?}");
    // The placebo is made from the times that were found: without a law it is as wide as they differ.
    let [flat_low, flat_high] = fitted(&grid(|_, lr| 4.0 / lr), Estimator::Arrival).placebo_ci;
    assert!(flat_high - flat_low < 0.05 && high - low > 0.5, "{flat_low} to {flat_high}");
}

#[test]
fn a_slope_that_chance_or_the_design_gives_does_not_hold() {
    let f = fitted(&grid(|lambda, lr| 0.8 / (lr * lambda)), Estimator::Arrival);
    let f = Fit { slope_ci: Some([-1.1, -0.9]), ..f };
    assert!(f.excludes_placebo() && Decision::of_law(&f).verdict == Verdict::Holds);
    let by_chance = Fit { placebo_slope: -0.95, ..f.clone() };
    assert!(!by_chance.excludes_placebo() && Decision::of_law(&by_chance).verdict == Verdict::Open);
    let by_design = Fit { without_l2: WithoutL2 { cells: 6, timed: 6, slope: Some(-1.05) }, ..f.clone() };
    assert!(!by_design.excludes_placebo() && Decision::of_law(&by_design).verdict == Verdict::Open);
    let other_design = Fit { without_l2: WithoutL2 { cells: 6, timed: 6, slope: Some(-0.3) }, ..f.clone() };
    assert_eq!(Decision::of_law(&other_design).verdict, Verdict::Holds);
    // No interval excludes nothing; and what is no −1 fails, whatever the placebo.
    assert!(!Fit { slope_ci: None, ..f.clone() }.excludes_placebo());
    assert_eq!(
        Decision::of_law(&Fit { slope_ci: Some([-0.5, -0.4]), placebo_slope: -0.45, ..f }).verdict,
        Verdict::Fails
    );
}

#[test]
fn curves_collapse_on_the_clock_they_run_by() {
    let of = |traces: &[Trace]| collapse(&Grid::new(traces, Estimator::Arrival)).unwrap();
    let law = of(&grid(|lambda, lr| 0.8 / (lr * lambda)));
    assert!((law.exponent - 1.0).abs() < 0.01 && law.spread_in_tau < 0.05 * law.spread_in_steps, "{law:?}");
    let half = of(&grid(|lambda, lr| 0.4 / (lr * lambda).sqrt()));
    assert!((half.exponent - 0.5).abs() < 0.03, "{half:?}");
    // On steps alone, whether runs are of one length or end at the same τ.
    for length in [|_| 4000, |lambda: f64| (400.0 / lambda) as u64] {
        let of_lambda =
            |lambda: f64| (0..2).map(move |seed| completed(run(0.1, lambda, seed, length(lambda)), bump(80.0)));
        let same: Vec<Trace> = LAMBDAS.into_iter().flat_map(of_lambda).collect();
        let steps = of(&same);
        assert!(steps.exponent.abs() < 0.01 && steps.spread_in_steps < 0.05 * steps.spread_in_tau, "{steps:?}");
    }
    let one: Vec<Trace> = grid(|lambda, lr| 0.8 / (lr * lambda)).into_iter().take(2).collect();
    assert!(collapse(&Grid::new(&one, Estimator::Arrival)).is_none(), "one curve lies on itself");
}

#[test]
fn a_power_law_of_points_has_its_exponent() {
    let power = |scale: f64| -> Vec<(f64, f64)> { [1.0, 2.0, 8.0].map(|x: f64| (x, scale * x.powf(-1.5))).into() };
    let found = exponent(&[power(2.0), power(3.0)]).unwrap();
    let [low, high] = found.exponent_ci.unwrap();
    assert!((found.exponent + 1.5).abs() < 1e-12 && high - low < 1e-9 && found.n == 6, "{found:?}");
    let partial = exponent(&[[power(2.0), vec![(0.0, 1.0), (4.0, -1.0)]].concat()]).unwrap();
    assert!(partial.n == 3 && partial.exponent_ci.is_none() && (partial.exponent + 1.5).abs() < 1e-12, "{partial:?}");
    assert_eq!((exponent(&[]), exponent(&[vec![(1.0, 2.0), (1.0, 3.0)]])), (None, None));
}
