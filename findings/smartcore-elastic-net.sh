#!/usr/bin/env bash
# smartcore 0.7.0 (Rust): linear::elastic_net::ElasticNet with its default normalize = true, l1_ratio 0.
# Guess: ridge with an intercept; adding a constant to every target changes the intercept alone.
# What happens: the slopes change with the constant as soon as alpha > 0. True slopes 1, -2, 3, alpha 0.1: with targets + 0
#   1.384, -1.580, 3.231; + 100 -5.800, -5.597, -4.353; + 1000 -70.460, -41.755, -72.609. No error, no warning.
#   (RidgeRegression, same crate and data, alpha 20: 0.943, -1.827, 2.765 for all of them.)
# Why it matters: the more the targets' mean differs from 0 (an accuracy, a log of a weight decay), the more the "shrunk"
#   slopes grow, even in sign: a power law fitted this way has a wrong exponent.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/src"
cat >"$dir/Cargo.toml" <<'TOML'
[package]
name = "check"
version = "0.1.0"
edition = "2021"
[dependencies]
smartcore = "=0.7.0"
TOML
cat >"$dir/src/main.rs" <<'RS'
use smartcore::linalg::basic::{arrays::Array, matrix::DenseMatrix};
use smartcore::linear::elastic_net::{ElasticNet, ElasticNetParameters};
use smartcore::linear::ridge_regression::{RidgeRegression, RidgeRegressionParameters};

fn slopes(coefficients: &DenseMatrix<f64>) -> Vec<f64> {
    coefficients.iterator(0).copied().collect()
}

fn main() {
    let mut state = 1u64;
    let mut uniform = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as f64 / (1u64 << 31) as f64 - 0.5
    };
    let rows: Vec<Vec<f64>> = (0..200).map(|_| vec![uniform(), 2.0 * uniform() + 3.0, uniform()]).collect();
    let targets: Vec<f64> = rows.iter().map(|row| row[0] - 2.0 * row[1] + 3.0 * row[2] + 0.1 * uniform()).collect();
    let x = DenseMatrix::from_2d_vec(&rows).unwrap();
    let fit = |alpha: f64, offset: f64| {
        let y: Vec<f64> = targets.iter().map(|target| target + offset).collect();
        let net = ElasticNetParameters::default().with_alpha(alpha).with_l1_ratio(0.0);
        let ridge = RidgeRegressionParameters::default().with_alpha(200.0 * alpha);
        (
            slopes(ElasticNet::fit(&x, &y, net).unwrap().coefficients()),
            slopes(RidgeRegression::fit(&x, &y, ridge).unwrap().coefficients()),
        )
    };
    for offset in [0.0, 100.0, 1000.0] {
        let (net, ridge) = fit(0.1, offset);
        println!("targets + {offset}: elastic net {net:.3?}, ridge {ridge:.3?}");
    }
    let moved = |alpha: f64| (fit(alpha, 1000.0).0[0] - fit(alpha, 0.0).0[0]).abs();
    assert!(moved(0.0) < 1e-6, "changed: without penalty the slopes now depend on the offset");
    assert!((fit(0.1, 1000.0).1[0] - fit(0.1, 0.0).1[0]).abs() < 1e-6, "changed: ridge depends on the offset");
    assert!(moved(0.1) > 10.0, "changed: the elastic net's slopes no longer depend on the offset");
}
RS
cargo run -q --release --manifest-path "$dir/Cargo.toml"
echo "seen: the elastic net's slopes depend on a constant added to the targets"
