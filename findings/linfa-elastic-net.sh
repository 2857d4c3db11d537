#!/usr/bin/env bash
# linfa-elasticnet 0.8.1 (Rust, linfa 0.8.1, ndarray 0.16.1): ElasticNet::params() with its default intercept.
# Guess: with an intercept, noiseless data and a penalty near 0 it returns the true line, as scikit-learn's does.
# What happens: the targets are centred, the features are not, and the intercept is the mean of the targets. For
#   y = 10 + x0 - 2*x1, x1 about 3, penalty 1e-6: slopes 1.389 and -0.070, intercept 3.974, and no error.
#   With the features centred by hand the slopes are 1.000 and -2.000.
# Why it matters: ridge or elastic net on raw features, say a log learning rate around -3, gives slopes that are
#   wrong before any shrinkage, so the penalty chosen by validation is the answer to another question.
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
linfa = "=0.8.1"
linfa-elasticnet = "=0.8.1"
ndarray = "=0.16.1"
TOML
cat >"$dir/src/main.rs" <<'RS'
use linfa::{traits::Fit, Dataset};
use linfa_elasticnet::ElasticNet;
use ndarray::{Array1, Array2, Axis};

fn fit(x: &Array2<f64>, y: &Array1<f64>) -> (Vec<f64>, f64) {
    let model = ElasticNet::params().penalty(1e-6).l1_ratio(0.0).tolerance(1e-12).max_iterations(100_000);
    let model = model.fit(&Dataset::new(x.clone(), y.clone())).unwrap();
    (model.hyperplane().to_vec(), model.intercept())
}

fn main() {
    let mut state = 1u64;
    let mut uniform = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as f64 / (1u64 << 31) as f64 - 0.5
    };
    let x = Array2::from_shape_fn((200, 2), |(_, column)| if column == 0 { uniform() } else { 2.0 * uniform() + 3.0 });
    let y: Array1<f64> = x.rows().into_iter().map(|row| 10.0 + row[0] - 2.0 * row[1]).collect();
    let centred = &x - &x.mean_axis(Axis(0)).unwrap();
    let (raw_slopes, raw_intercept) = fit(&x, &y);
    let (slopes, _) = fit(&centred, &y);
    println!("true line: slopes [1, -2], intercept 10; mean of y {:.3}", y.mean().unwrap());
    println!("raw features: slopes {raw_slopes:.3?}, intercept {raw_intercept:.3}");
    println!("centred features: slopes {slopes:.3?}");
    assert!((slopes[1] + 2.0).abs() < 1e-3, "changed: centred features no longer give the true slopes");
    assert!((raw_intercept - y.mean().unwrap()).abs() < 1e-9, "changed: the intercept is no longer the mean of y");
    assert!((raw_slopes[1] + 2.0).abs() > 1.0, "changed: raw features now give the true slopes");
}
RS
cargo run -q --release --manifest-path "$dir/Cargo.toml"
echo "seen: slopes are wrong unless the features are centred by hand"
