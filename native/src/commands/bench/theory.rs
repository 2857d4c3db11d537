//! `l2lab bench theory`: kernel, eigendecomposition, and the closed form on a grid of times and λ.

use std::{fmt::Write, hint::black_box, time::Instant};

use anyhow::Result;
use faer::Mat;
use l2lab_core::{
    model::Parameterization,
    theory::{Activation, Homogeneous, Kind, Network, Spectrum, Task, assemble},
};
use rayon::prelude::*;
use serde::Serialize;

use crate::{memory, threads};

/// Inputs.
const SIZES: [usize; 3] = [512, 2048, 4096];
/// Of each input.
const DIMENSION: usize = 784;
/// Weight layers of the network.
const DEPTH: usize = 4;
const OUTPUTS: usize = 10;
/// Times, and values of λ.
const GRID: usize = 100;
/// Timed samples after one that is not; the median of them is reported.
const SAMPLES: usize = 5;

/// Median seconds for one number of inputs.
#[derive(Serialize)]
struct Timing {
    workload: String,
    threads: usize,
    examples: usize,
    dimension: usize,
    depth: usize,
    kernel_seconds: f64,
    eigen_seconds: f64,
    /// 10 outputs of every mode at 100 times for each of 100 λ.
    grid_seconds: f64,
    samples: usize,
}

/// Times them all.
///
/// # Errors
/// When there is not enough memory.
pub fn run(threads: usize, json: bool) -> Result<String> {
    let timings = threads::with(threads, || SIZES.into_iter().map(|n| time(n, threads)).collect::<Result<Vec<_>>>())?;
    if json {
        return Ok(serde_json::to_string(&serde_json::json!({ "bench": timings }))? + "\n");
    }
    let mut text = String::new();
    for t in &timings {
        let _ = writeln!(
            text,
            "{:<12} kernel {:>7.3} s, eigendecomposition {:>7.3} s, {GRID} times × {GRID} λ × {OUTPUTS} outputs {:>6.3} s",
            t.workload, t.kernel_seconds, t.eigen_seconds, t.grid_seconds
        );
    }
    Ok(text)
}

fn time(n: usize, threads: usize) -> Result<Timing> {
    eprintln!("theory, {n} inputs");
    memory::check(&format!("the theory of {n} inputs"), 6 * size_of::<f64>() * n * n, "free some")?;
    let inputs = Mat::from_fn(n, DIMENSION, |i, j| noise(i * DIMENSION + j));
    let network = Network {
        depth: DEPTH,
        activation: Activation::Relu,
        w_std: std::f64::consts::SQRT_2,
        b_std: None,
        parameterization: Parameterization::Ntk,
        width: 1,
    };
    let on_all_threads = |tasks: Vec<Task>| tasks.into_par_iter().for_each(Task::run);
    let mut kernel = Mat::zeros(0, 0);
    let mut build = || -> Result<()> {
        let ready = network.kernel(Kind::Ntk, inputs.as_ref(), None)?;
        kernel = assemble(&ready, on_all_threads);
        Ok(())
    };
    let kernel_seconds = median(&mut build)?;
    let scaled = faer::Scale(1.0 / n as f64) * &kernel;
    let mut spectrum = None;
    let eigen_seconds = median(&mut || {
        spectrum = Some(Spectrum::new(scaled.as_ref())?);
        Ok(())
    })?;
    let gammas = spectrum.map(|s| s.values).unwrap_or_default();
    let targets: Vec<[f64; OUTPUTS]> =
        (0..n).map(|a| std::array::from_fn(|c| noise(n * DIMENSION + a * OUTPUTS + c))).collect();
    let grid_seconds = median(&mut || {
        let homogeneous = Homogeneous::new(DEPTH);
        // λ from 1e-5 to 1e-1; times from before the first mode is learned to after the last is forgotten.
        (0..GRID).into_par_iter().try_for_each(|i| {
            let flow = homogeneous.flow(10_f64.powf(-5.0 + 4.0 * i as f64 / (GRID - 1) as f64))?;
            let modes = gammas.iter().map(|&g| flow.mode(g)).collect::<Result<Vec<_>, _>>()?;
            let mut outputs = vec![[0.0; OUTPUTS]; n];
            for j in 0..GRID {
                let now = flow.at(10_f64.powf(-2.0 + 8.0 * j as f64 / (GRID - 1) as f64))?;
                for ((f, mode), y) in outputs.iter_mut().zip(&modes).zip(&targets) {
                    let response = now.response(mode);
                    *f = y.map(|y| response.target * y);
                }
                black_box(&mut outputs);
            }
            Ok(())
        })
    })?;
    Ok(Timing {
        workload: format!("theory-{n}"),
        threads,
        examples: n,
        dimension: DIMENSION,
        depth: DEPTH,
        kernel_seconds,
        eigen_seconds,
        grid_seconds,
        samples: SAMPLES,
    })
}

/// Median seconds of `work`, after once without a clock.
fn median(work: &mut dyn FnMut() -> Result<()>) -> Result<f64> {
    work()?;
    let timed = |_| {
        let begin = Instant::now();
        work()?;
        Ok(begin.elapsed().as_secs_f64())
    };
    let mut seconds = (0..SAMPLES).map(timed).collect::<Result<Vec<f64>>>()?;
    seconds.sort_by(f64::total_cmp);
    Ok(seconds[SAMPLES / 2])
}

/// Numbers between −1 and 1 without structure.
fn noise(i: usize) -> f64 {
    let mut x = (i as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^= x >> 27;
    (x >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}
