//! Trained networks beside the theory: how far they are from it at each width, and when they peak.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use burn::tensor::{Device, Tensor};
use faer::Mat;
use l2lab_core::{
    Experiment,
    data::Split,
    law::{Estimator, Exponent, exponent, peak},
    model::Mode,
    theory::{Descent, DescentState, Network, Problem, largest_stable_lr},
    train::{Task, Trace, Trainer},
};
use rayon::prelude::*;
use serde::Serialize;

use crate::{
    commands::Job,
    executor::{Executor, Interrupted},
    interrupt, kernels,
    progress::Progress,
};

/// Training and test examples of the comparison over widths.
const EXAMPLES: [usize; 2] = [64, 200];
/// Training examples whose kernel is measured.
const KERNEL_EXAMPLES: usize = 16;
/// Times at which outputs and kernel are compared, in equal ratios.
const CHECKPOINTS: usize = 8;
/// η as a share of the largest stable one: of a sweep over λ, and of the comparison, where T has to be small.
const SHARE: f64 = 0.2;
/// Steps that a network of the sweep over λ may take: what cannot be seen in so many is left to theory.
const MAX_STEPS: f64 = 1500.0;
/// τ of every run.
const TAU: f64 = 2.0;

/// A width's distances from the theory, the largest over time of each seed's network.
#[derive(Debug, Clone, Serialize)]
pub struct Distances {
    /// Units in each hidden layer.
    pub width: usize,
    /// Root mean square over test points and outputs of f − theory, for each seed.
    pub function: Vec<f64>,
    /// ‖Θ_t − e^{−2(k−1)λt}Θ_0‖/‖e^{−2(k−1)λt}Θ_0‖ of each network's own kernel: what T adds.
    pub kernel: Vec<f64>,
}

/// The kernel of one network over time.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct KernelPoint {
    /// Units in each hidden layer.
    pub width: usize,
    /// Regularization time.
    pub tau: f64,
    /// ⟨Θ_t, Θ_0⟩/⟨Θ_0, Θ_0⟩.
    pub scale: f64,
}

/// What the networks showed.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// λ of the runs over widths.
    pub lambda: f64,
    /// Training examples of the runs over widths.
    pub examples: usize,
    /// Distances.
    pub widths: Vec<Distances>,
    /// How the function's distance falls with width: the theory says −½.
    pub function_exponent: Option<Exponent>,
    /// How the kernel's distance falls with width: the theory says −1.
    pub kernel_exponent: Option<Exponent>,
    /// The kernels over time.
    pub kernels: Vec<KernelPoint>,
    /// t_* of the sweep over λ.
    pub peaks: Vec<NetworkPeak>,
    /// What the theory says of the same networks, from the outputs that each starts with.
    pub expected: Vec<NetworkPeak>,
    /// The slope of these on λ.
    pub expected_slope: Option<Exponent>,
    /// Width of the sweep over λ.
    pub peak_width: usize,
}

/// When a network's test loss was least.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct NetworkPeak {
    /// L2 coefficient λ.
    pub lambda: f64,
    /// Seed.
    pub seed: u64,
    /// Time of gradient flow, η·steps.
    pub t_star: f64,
    /// λ·t_*.
    pub tau_star: f64,
}

/// Trains the networks: of each of `widths` at one λ, and of one width at every λ that is large enough.
///
/// # Errors
/// [`Interrupted`], or when something fails on the way.
pub fn compare(job: &Job, network: &Network, problem: &Problem, widths: &[usize]) -> Result<Comparison> {
    let (experiment, split) = (&job.experiment, &job.split);
    let k = problem.homogeneous().degree();
    // In the middle of the paper's range: λ = 0.03, or the nearest that was asked for.
    let distance = |l: f64| (l / 0.03).ln().abs();
    let lambda = experiment.lambda.iter().copied().min_by(|a, b| distance(*a).total_cmp(&distance(*b)));
    let lambda = lambda.context("lambda: there is none")?;
    let seeds: Vec<u64> = (experiment.seed..experiment.seed + experiment.seeds as u64).collect();

    let peak_width = widths.iter().copied().max().unwrap_or(256).min(256);
    let sweep = Experiment { width: peak_width, ..experiment.clone() };
    let peaks = peaks(job, &sweep, problem)?;
    let expected = expected(job, &sweep, problem, &seeds)?;
    let of_seed = |seed: &u64| expected.iter().filter(|p| p.seed == *seed).map(|p| (p.lambda, p.t_star)).collect();
    let by_seed: Vec<Vec<(f64, f64)>> = seeds.iter().map(of_seed).collect();

    let few = Split {
        train: split.train.subset(EXAMPLES[0].min(split.train.len()), 0, "training")?,
        test: split.test.subset(EXAMPLES[1].min(split.test.len()), 0, "test")?,
    };
    let bench = Bench::new(network, &few, lambda, k, job.executor().task.device().clone())?;
    let jobs: Vec<(usize, u64)> = widths.iter().flat_map(|&w| seeds.iter().map(move |&s| (w, s))).collect();
    let progress = Progress::of_work("networks of growing width", "networks", jobs.len() as u64);
    let runs: Vec<Run> = jobs
        .par_iter()
        .map(|&(width, seed)| {
            let run = bench.run(experiment, width, seed)?;
            progress.advance(1);
            Ok(run)
        })
        .collect::<Result<_>>()?;
    progress.finish();
    let of = |width: usize, value: fn(&Run) -> f64| -> Vec<f64> {
        jobs.iter().zip(&runs).filter(|((w, _), _)| *w == width).map(|(_, run)| value(run)).collect()
    };
    let exponent_of = |value: fn(&Run) -> f64| {
        let groups: Vec<Vec<(f64, f64)>> = seeds
            .iter()
            .map(|seed| {
                let of_seed = jobs.iter().zip(&runs).filter(|((_, s), _)| s == seed);
                of_seed.map(|((width, _), run)| (*width as f64, value(run))).collect()
            })
            .collect();
        exponent(&groups)
    };
    Ok(Comparison {
        lambda,
        examples: few.train.len(),
        widths: widths
            .iter()
            .map(|&width| Distances { width, function: of(width, |r| r.function), kernel: of(width, |r| r.kernel) })
            .collect(),
        function_exponent: exponent_of(|r| r.function),
        kernel_exponent: exponent_of(|r| r.kernel),
        kernels: jobs
            .iter()
            .zip(&runs)
            .filter(|((_, seed), _)| *seed == experiment.seed)
            .flat_map(|((width, _), run)| {
                run.scales.iter().map(|&(tau, scale)| KernelPoint { width: *width, tau, scale })
            })
            .collect(),
        peaks,
        expected_slope: exponent(&by_seed),
        expected,
        peak_width,
    })
}

/// The least test loss of networks of one width, at every λ whose run is short enough.
fn peaks(job: &Job, experiment: &Experiment, problem: &Problem) -> Result<Vec<NetworkPeak>> {
    let largest = experiment.lambda.iter().copied().fold(0.0, f64::max);
    let limit = largest_stable_lr(problem.homogeneous().degree(), problem.spectrum().values[0], largest, 0.0);
    let lr = SHARE * limit.context("no η is stable for k = 0")?;
    let lambda: Vec<f64> = experiment.lambda.iter().copied().filter(|l| TAU / (lr * l) <= MAX_STEPS).collect();
    if lambda.is_empty() {
        return Ok(Vec::new());
    }
    let sweep = Experiment { lr: vec![lr].into(), lambda: lambda.into(), tau: Some(TAU), ..experiment.clone() };
    let runs = sweep.runs(job.split.train.len())?;
    let model = sweep.model(&job.split)?;
    let executor = Executor { experiment: &sweep, model: &model, ..job.executor() };
    let traces = executor.train("networks", &runs)?;
    let point = |trace: &Trace| {
        let peak = peak(&trace.points, Estimator::Loss).filter(|p| !p.censored && !trace.diverged())?;
        let t_star = trace.run.lr * peak.step as f64;
        Some(NetworkPeak { lambda: trace.run.lambda, seed: trace.run.seed, t_star, tau_star: peak.tau })
    };
    Ok(traces.iter().filter_map(point).collect())
}

/// When the theory sees the least test loss of networks that start as those of `experiment` do.
fn expected(job: &Job, experiment: &Experiment, problem: &Problem, seeds: &[u64]) -> Result<Vec<NetworkPeak>> {
    let task = job.executor().task;
    let started = |&seed: &u64| -> Result<(u64, Problem)> {
        let trainer = Trainer::new(experiment, Arc::clone(&task), vec![experiment.run(0.0, 0.0, seed, 1)]);
        let [train, test] = outputs(&trainer, &task)?;
        Ok((seed, problem.clone().starting_from(train, test)?))
    };
    let problems = seeds.iter().map(started).collect::<Result<Vec<_>>>()?;
    let all: Vec<(f64, &(u64, Problem))> =
        experiment.lambda.iter().flat_map(|&lambda| problems.iter().map(move |p| (lambda, p))).collect();
    let progress = Progress::of_work("theory of these networks", "peaks", all.len() as u64);
    let peaks = all
        .par_iter()
        .map(|&(lambda, (seed, problem))| {
            let t_star = problem.peak(lambda)?;
            progress.advance(1);
            Ok(t_star.map(|t_star| NetworkPeak { lambda, seed: *seed, t_star, tau_star: lambda * t_star }))
        })
        .collect::<Result<Vec<_>>>()?;
    progress.finish();
    Ok(peaks.into_iter().flatten().collect())
}

/// A network's outputs on the training and the test set.
fn outputs(trainer: &Trainer, task: &Task) -> Result<[Mat<f64>; 2]> {
    let of = |images: Tensor<2>| -> Result<Mat<f64>> {
        let f = trainer.model().forward(trainer.params(), &mut [], images.unsqueeze(), Mode::Test);
        let [_, n, classes] = f.dims();
        let values: Vec<f32> = f.into_data().try_to_vec().map_err(|e| anyhow!("{e:?}"))?;
        Ok(Mat::from_fn(n, classes, |i, c| f64::from(values[i * classes + c])))
    };
    Ok([of(task.train_images())?, of(task.test_images())?])
}

/// What all networks of the comparison over widths share.
struct Bench<'a> {
    split: &'a Split,
    problem: Problem,
    descent: Descent,
    /// Steps at which is compared.
    checkpoints: Vec<u64>,
    device: Device,
}

/// What one network showed.
struct Run {
    function: f64,
    kernel: f64,
    scales: Vec<(f64, f64)>,
}

impl<'a> Bench<'a> {
    fn new(network: &Network, split: &'a Split, lambda: f64, k: usize, device: Device) -> Result<Self> {
        let problem = Problem::of_data(network, split, |what, kernel| kernels::compute(what, kernel, 0))?;
        let limit =
            largest_stable_lr(k, problem.spectrum().values[0], lambda, 0.0).context("no η is stable for k = 0")?;
        let lr = SHARE * limit;
        let steps = (TAU / (lr * lambda)).ceil();
        let checkpoints = (0..CHECKPOINTS).map(|i| steps.powf((i + 1) as f64 / CHECKPOINTS as f64).round() as u64);
        let mut checkpoints: Vec<u64> = checkpoints.collect();
        checkpoints.dedup();
        Ok(Self { split, problem, descent: Descent { k, lambda, lr, momentum: 0.0 }, checkpoints, device })
    }

    /// Trains a network and follows the theory from the network's own start, step by step.
    fn run(&self, experiment: &Experiment, width: usize, seed: u64) -> Result<Run> {
        let e = Experiment { width, ..experiment.clone() };
        let task = Arc::new(Task::new(self.split, &self.device));
        let steps = self.checkpoints.last().copied().unwrap_or(1);
        let spec = e.run(self.descent.lr, self.descent.lambda, seed, steps);
        let mut trainer = Trainer::new(&e, Arc::clone(&task), vec![spec]);
        let kernel = |trainer: &Trainer| -> Result<Vec<f64>> {
            let images = task.train_images();
            let count = KERNEL_EXAMPLES.min(images.dims()[0]);
            let kernel = trainer.model().tangent_kernel(trainer.params(), &[], images.narrow(0, 0, count), None);
            Ok(pollster::block_on(kernel)?)
        };
        let [train, test] = outputs(&trainer, &task)?;
        let start = kernel(&trainer)?;
        let problem = self.problem.clone().starting_from(train, test)?;
        let mut state = self.descent.start(&problem.spectrum().values)?;
        let mut run = Run { function: 0.0, kernel: 0.0, scales: Vec::new() };
        for &step in &self.checkpoints {
            while trainer.steps_taken() < step {
                if interrupt::requested() {
                    return Err(Interrupted.into());
                }
                trainer.step();
            }
            state.advance(step - state.steps());
            let [_, f] = outputs(&trainer, &task)?;
            let theory = problem.test_outputs(state.test_responses(), state.shrink()).context("there is a test set")?;
            let entries = (f.nrows() * f.ncols()) as f64;
            run.function = run.function.max((f - theory).norm_l2() / entries.sqrt());
            self.compare_kernel(&mut run, &state, &start, &kernel(&trainer)?);
        }
        Ok(run)
    }

    fn compare_kernel(&self, run: &mut Run, state: &DescentState<'_>, start: &[f64], now: &[f64]) {
        let scale = state.kernel_scale();
        let norm: f64 = start.iter().map(|s| s * s).sum();
        let rest: f64 = now.iter().zip(start).map(|(n, s)| (n - scale * s).powi(2)).sum();
        run.kernel = run.kernel.max((rest / norm).sqrt() / scale);
        let along: f64 = now.iter().zip(start).map(|(n, s)| n * s).sum();
        run.scales.push((self.descent.lr * self.descent.lambda * state.steps() as f64, along / norm));
    }
}
