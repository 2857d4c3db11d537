#!/usr/bin/env bash
# smartcore 0.7.0 (Rust): RidgeRegression, ElasticNet and Lasso with with_normalize(false).
# Guess: features are no longer divided by their deviation; the intercept is fitted as before, so that noiseless data and a
#   penalty near 0 give back the true line.
# What happens: false switches off the centring too. Ridge then has no intercept (0), elastic net and lasso have the mean of the
#   targets with features left as they are. For y = 10 + x0 - 2*x1, x1 about 3, alpha 1e-9: normalize true gives 1, -2
#   and 10 for all three; false gives ridge 1.646, 1.203 and 0, elastic net 1.392, -0.057, lasso 1.389, -0.070, both 3.974.
# Why it matters: to hold a penalty in the features' own units (a weight decay), one turns normalization off,
#   and loses the model: residuals, and the penalty that validation picks, are those of a line through the wrong point.
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
use smartcore::linear::lasso::{Lasso, LassoParameters};
use smartcore::linear::ridge_regression::{RidgeRegression, RidgeRegressionParameters};

fn line(slopes: &DenseMatrix<f64>, intercept: &f64) -> Vec<f64> {
    slopes.iterator(0).chain([intercept]).copied().collect()
}

fn main() {
    let mut state = 1u64;
    let mut uniform = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as f64 / (1u64 << 31) as f64 - 0.5
    };
    let rows: Vec<Vec<f64>> = (0..200).map(|_| vec![uniform(), 2.0 * uniform() + 3.0]).collect();
    let y: Vec<f64> = rows.iter().map(|row| 10.0 + row[0] - 2.0 * row[1]).collect();
    let mean = y.iter().sum::<f64>() / y.len() as f64;
    let x = DenseMatrix::from_2d_vec(&rows).unwrap();
    let off = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    for normalize in [true, false] {
        let ridge = RidgeRegressionParameters::default().with_alpha(1e-9).with_normalize(normalize);
        let ridge = RidgeRegression::fit(&x, &y, ridge).unwrap();
        let net = ElasticNetParameters::default().with_alpha(1e-9).with_normalize(normalize);
        let net = ElasticNet::fit(&x, &y, net).unwrap();
        let lasso = LassoParameters::default().with_alpha(1e-9).with_normalize(normalize);
        let lasso = Lasso::fit(&x, &y, lasso).unwrap();
        let ridge = line(ridge.coefficients(), ridge.intercept());
        let net = line(net.coefficients(), net.intercept());
        let lasso = line(lasso.coefficients(), lasso.intercept());
        println!("normalize {normalize}: ridge {ridge:.3?}, elastic net {net:.3?}, lasso {lasso:.3?}");
        if normalize {
            let worst = [&ridge, &net, &lasso].map(|found| off(found, &[1.0, -2.0, 10.0])).into_iter().fold(0.0, f64::max);
            assert!(worst < 0.02, "changed: normalize = true no longer gives the true line");
        } else {
            assert!(ridge[2] == 0.0, "changed: ridge without normalization now has an intercept");
            assert!(off(&[net[2], lasso[2]], &[mean, mean]) < 1e-9, "changed: the intercept is not the mean of y");
            assert!(net[1] > -1.0 && lasso[1] > -1.0, "changed: the slopes without normalization are now right");
        }
    }
}
RS
cargo run -q --release --manifest-path "$dir/Cargo.toml"
echo "seen: normalize = false takes the intercept or the centring away"
