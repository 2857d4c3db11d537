//! `l2lab bench`: steps per second of named workloads: forward, backward and update; and the theory's solver.

mod theory;

use std::{fmt::Write, sync::Arc, time::Instant};

use anyhow::{Context, Result, anyhow, bail};
use burn::tensor::{Device, FloatDType, Tensor};
use clap::ArgMatches;
use l2lab_core::{
    Experiment,
    data::{Dataset, MNIST_CLASSES, Split},
    model::{ModelKind, Precision},
    train::{Execution, Task, Trainer},
};
use serde::Serialize;

use crate::{
    cli,
    device::{self, DeviceChoice},
    failure, threads,
};

/// Steps before the clock starts: caches, allocator, a GPU's autotune. A single one must do where it takes long.
const WARM_UP: usize = 5;
/// Timed samples; the median of them is reported. Where steps take long there are fewer, but never below the least.
const SAMPLES: usize = 15;
const LEAST_SAMPLES: usize = 3;
/// A workload is timed for about this long at most.
const MOST_SECONDS: f64 = 60.0;
/// Products of matrices that are timed for the peak.
const PRODUCTS: usize = 10;
/// A sample takes as many steps as fill this time, so that the clock's grain does not matter.
const SAMPLE_SECONDS: f64 = 0.2;

/// One timed workload.
struct Workload {
    name: &'static str,
    about: &'static str,
    image: [usize; 3],
    runs: usize,
    experiment: Experiment,
    /// Too slow for a CPU to be timed unless it is asked for by its name.
    by_name: bool,
}

/// What a workload measured.
#[derive(Serialize)]
struct Timing {
    workload: &'static str,
    about: &'static str,
    device: String,
    threads: usize,
    runs: usize,
    batch: usize,
    parameters: usize,
    /// Median over samples; a step advances every run once.
    steps_per_second: f64,
    /// First and third quartile.
    steps_per_second_quartiles: [f64; 2],
    images_per_second: f64,
    milliseconds_per_step: f64,
    samples: usize,
    precision: Precision,
    /// Floating-point operations a second in products and convolutions, forward and backward.
    flops: f64,
    /// The same of a product of two square matrices in this format on this device: what `flops` is a share of.
    peak_flops: f64,
    share_of_peak: f64,
}

fn workloads() -> Vec<Workload> {
    let base =
        Experiment { train: 0, test: 0, lr: vec![0.01].into(), lambda: vec![1e-3].into(), ..Experiment::default() };
    let fc = |name, about, width, batch, runs| Workload {
        name,
        about,
        image: [1, 28, 28],
        runs,
        experiment: Experiment { depth: 3, width, batch, ..base.clone() },
        by_name: false,
    };
    let wrn = |name, about, depth, width| Workload {
        name,
        about,
        image: [3, 32, 32],
        runs: 1,
        experiment: Experiment { model: ModelKind::Wrn, depth, width, batch: 128, momentum: 0.9, ..base.clone() },
        by_name: true,
    };
    vec![
        fc("fc-512", "784-512-512-10, batch 128", 512, 128, 1),
        fc("fc-2048", "784-2048-2048-10, batch 128", 2048, 128, 1),
        Workload {
            name: "cnn-32",
            about: "three 3×3 convolutions of width 32, strides 1, 2, 2, on 32×32×3, batch 64",
            image: [3, 32, 32],
            runs: 1,
            experiment: Experiment { model: ModelKind::Cnn, depth: 4, width: 32, batch: 64, ..base.clone() },
            by_name: false,
        },
        fc("grid-fc", "16 runs of 784-128-128-10, batch 64", 128, 64, 16),
        wrn("wrn-16-4", "a Wide ResNet 16-4 on 32×32×3, batch 128", 16, 4),
        wrn("wrn-28-10", "a Wide ResNet 28-10 on 32×32×3, batch 128", 28, 10),
    ]
}

/// The theory's workload, which is no training.
const THEORY: &str = "theory";

/// The names that can be asked for.
pub fn names() -> Vec<&'static str> {
    workloads().iter().map(|w| w.name).chain([THEORY]).collect()
}

/// Times the workloads that were named, or all that train within seconds.
///
/// # Errors
/// For an unknown workload, or a device that is not there or fails.
pub fn run(matches: &ArgMatches) -> Result<String> {
    let options = cli::options(matches);
    let given = |id| matches.get_many::<String>(id).into_iter().flatten();
    let wanted: Vec<&String> = given("names").chain(given("workload")).collect();
    if let Some(unknown) = wanted.iter().find(|n| !names().contains(&n.as_str())) {
        bail!("no workload '{unknown}'; there are {}", names().join(", "));
    }
    let threads = threads::count(options.threads)?;
    if wanted.iter().any(|n| *n == THEORY) {
        if wanted.len() > 1 {
            bail!("'{THEORY}' is timed alone: leave out the other workloads");
        }
        if matches.contains_id("batch") {
            bail!("batch: '{THEORY}' has none");
        }
        return theory::run(threads, options.json);
    }
    let (device, execution) = options.device.open()?;
    let precision = precision(matches, &device, &options.device)?;
    let named = |w: &Workload| wanted.iter().any(|n| *n == w.name);
    let batch: Option<usize> = matches.get_one("batch").copied();
    let chosen = workloads().into_iter().filter(|w| if wanted.is_empty() { !w.by_name } else { named(w) });
    let advice = options.device.advice(failure::SMALLER_BATCH);
    let peak = threads::with(threads, || {
        failure::caught(advice, || peak(&device, precision, execution == Execution::Stacked))
    })?;
    let mut timings = Vec::new();
    let mut text = String::new();
    for mut workload in chosen {
        let given = batch.map_or_else(String::new, |batch| format!("; timed with batch {batch}"));
        eprintln!("{}: {}{given}", workload.name, workload.about);
        workload.experiment.precision = precision;
        workload.experiment.batch = batch.unwrap_or(workload.experiment.batch);
        let t = failure::caught(advice, || time(&workload, &options.device, &device, execution, threads, peak))?;
        let [low, high] = t.steps_per_second_quartiles;
        let _ = writeln!(
            text,
            "{:<9} {:>9.2} steps/s (quartiles {low:.2} to {high:.2}) {:>10.0} images/s {:>9.3} ms a step {:>8.3} TFLOP/s, {:.0} % \
             of peak",
            t.workload,
            t.steps_per_second,
            t.images_per_second,
            t.milliseconds_per_step,
            1e-12 * t.flops,
            100.0 * t.share_of_peak
        );
        timings.push(t);
    }
    if options.json {
        return Ok(serde_json::to_string(&serde_json::json!({ "bench": timings }))? + "\n");
    }
    let _ = writeln!(text, "peak: {:.3} TFLOP/s, a product of square matrices in {precision:?}", 1e-12 * peak);
    Ok(text)
}

/// The number format that the flags ask for.
fn precision(matches: &ArgMatches, device: &Device, choice: &DeviceChoice) -> Result<Precision> {
    let name: &String = matches.get_one("precision").context("precision has a default")?;
    let mut experiment = Experiment::default();
    experiment.set("precision", name)?;
    device::supports(device, choice, experiment.precision)?;
    Ok(experiment.precision)
}

/// Floating-point operations a second of a product of two square matrices, the best of a few.
fn peak(device: &Device, precision: Precision, large: bool) -> Result<f64> {
    let side: usize = if large { 8192 } else { 1024 };
    let format = precision.reduced().unwrap_or(FloatDType::F32);
    let ones = || Tensor::<2>::ones([side, side], device).cast(format);
    let (a, b) = (ones(), ones());
    let product = || -> Result<f64> {
        let begin = Instant::now();
        // One value of it: the product has to be there.
        let value = a.clone().matmul(b.clone()).narrow(0, 0, 1).narrow(1, 0, 1).cast(FloatDType::F32).into_data();
        anyhow::ensure!(value.num_elements() == 1, "the device gave no product");
        Ok(begin.elapsed().as_secs_f64())
    };
    product()?;
    let mut best = f64::INFINITY;
    for _ in 0..PRODUCTS {
        best = best.min(product()?);
    }
    Ok(2.0 * (side as f64).powi(3) / best)
}

fn time(
    w: &Workload,
    choice: &DeviceChoice,
    device: &Device,
    execution: Execution,
    threads: usize,
    peak: f64,
) -> Result<Timing> {
    let experiment = &w.experiment;
    let data = noise(w.image, experiment.batch)?;
    let task = Arc::new(Task::new(&Split { train: data.clone(), test: data }, device));
    let run = |seed| experiment.run(experiment.lr[0], experiment.lambda[0], seed, u64::MAX);
    let specs: Vec<_> = (0..w.runs as u64).map(run).collect();
    // The grid is laid out as a sweep lays it out.
    let stacks: Vec<Vec<_>> = match execution {
        Execution::Stacked => vec![specs],
        Execution::Single => specs.into_iter().map(|s| vec![s]).collect(),
    };
    let mut trainers: Vec<Trainer> =
        stacks.into_iter().map(|s| Trainer::new(experiment, Arc::clone(&task), s)).collect();
    let parameters = trainers[0].model().parameter_count();
    // Multiplications and additions, forward and twice as many backward.
    let flops_of_image = 6.0 * trainers[0].model().multiplications() as f64;
    let workers = threads.min(trainers.len());
    let advice = choice.advice(failure::SMALLER_BATCH);
    let mut advance = |steps: usize| -> Result<f64> {
        let begin = Instant::now();
        let per_worker = trainers.len().div_ceil(workers);
        let work = |part: &mut [Trainer]| {
            part.iter_mut().for_each(|trainer| (0..steps).for_each(|_| trainer.step()));
            Ok(())
        };
        let work = |part| threads::with(threads / workers, || failure::caught(advice, || work(part)));
        std::thread::scope(|scope| {
            let begun: Vec<_> = trainers.chunks_mut(per_worker).map(|part| scope.spawn(|| work(part))).collect();
            begun.into_iter().try_for_each(|worker| worker.join().map_err(|_| anyhow!("a worker panicked"))?)
        })?;
        failure::sync(device)?;
        Ok(begin.elapsed().as_secs_f64())
    };
    let mut per_step = advance(1)?;
    if per_step < 1.0 {
        advance(WARM_UP)?;
        per_step = advance(WARM_UP)? / WARM_UP as f64;
    }
    let steps = ((SAMPLE_SECONDS / per_step).ceil() as usize).max(1);
    let samples = ((MOST_SECONDS / (per_step * steps as f64)) as usize).clamp(LEAST_SAMPLES, SAMPLES);
    let mut rates = (0..samples).map(|_| Ok(steps as f64 / advance(steps)?)).collect::<Result<Vec<f64>>>()?;
    rates.sort_by(f64::total_cmp);
    let at = |q: f64| rates[(q * (samples - 1) as f64).round() as usize];
    let images = experiment.batch * w.runs;
    let flops = at(0.5) * images as f64 * flops_of_image;
    Ok(Timing {
        precision: experiment.precision,
        flops,
        peak_flops: peak,
        share_of_peak: flops / peak,
        workload: w.name,
        about: w.about,
        device: choice.to_string(),
        threads,
        runs: w.runs,
        batch: experiment.batch,
        parameters,
        steps_per_second: at(0.5),
        steps_per_second_quartiles: [at(0.25), at(0.75)],
        images_per_second: at(0.5) * images as f64,
        milliseconds_per_step: 1e3 / at(0.5),
        samples,
    })
}

/// Images of one shape with nothing to learn in them: time does not depend on what they show.
fn noise(shape: [usize; 3], batch: usize) -> Result<Dataset> {
    // More than a batch, so that examples are gathered as in training.
    let examples = (2 * batch).max(1024);
    let size: usize = shape.iter().product();
    let pixels = (0..examples * size).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let labels = (0..examples).map(|i| (i % 10) as u8).collect();
    Ok(Dataset::new("noise", shape, pixels, labels, MNIST_CLASSES.map(String::from).to_vec())?)
}
