//! Trained networks beside the theory: how far they are from it at each width, and when they peak.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use burn::tensor::{Device, Tensor};
use faer::{Mat, MatRef};
use l2lab_core::{
    Experiment,
    data::Split,
    law::{Estimator, Exponent, Grid, exponent},
    model::Mode,
    recording::TrainedNetwork,
    run::{RunSpec, Trace},
    theory::{Descent, DescentState, Network, Problem, largest_stable_lr},
    train::{Task, Trainer},
};
use rayon::prelude::*;
use serde::Serialize;

use super::report::drawn;
use crate::{commands::Job, interrupt, kernels, progress::Progress};

/// Training and test examples of the comparison over widths.
const EXAMPLES: [usize; 2] = [64, 200];
/// Training examples whose kernel is measured.
const KERNEL_EXAMPLES: usize = 16;
/// Times at which outputs and kernel are compared, in equal ratios.
const CHECKPOINTS: usize = 8;
/// η as a share of the largest stable one.
const SHARE: f64 = 0.2;
/// Steps that a network may take: what cannot be seen in so many is left to theory.
const MAX_STEPS: f64 = 1500.0;
/// τ of every run.
const TAU: f64 = 2.0;

/// A width's distances from the theory, the largest over time of each seed's network.
#[derive(Debug, Clone, Serialize)]
pub struct Distances {
    /// Units in each hidden layer.
    pub width: usize,
    /// Root mean square over test points and outputs of f − theory, for each seed; NaN where the network has none.
    pub function: Vec<f64>,
    /// ‖Θ_t − e^{−2(k−1)λt}Θ_0‖/‖e^{−2(k−1)λt}Θ_0‖ of each network's own kernel: what T adds. NaN where Θ_0 is 0.
    pub kernel: Vec<f64>,
}

/// A mode of the runs over widths, as the widest network of the first seed learns it.
#[derive(Debug, Clone, Serialize)]
pub struct ModeCourse {
    /// Which, counted from 0.
    pub mode: usize,
    /// Its eigenvalue.
    pub gamma: f64,
    /// Times of gradient flow, and f in the targets' direction over them, less what the theory leaves of f(0).
    pub points: Vec<(f64, f64)>,
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
    /// λ of the runs over widths; `None` if there are none.
    pub lambda: Option<f64>,
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
    /// Some modes over time.
    pub modes: Vec<ModeCourse>,
    /// t_* of the sweep over λ.
    pub peaks: Vec<NetworkPeak>,
    /// What the theory says of the same networks, from the outputs that each starts with.
    pub expected: Vec<NetworkPeak>,
    /// The slope of these on λ.
    pub expected_slope: Option<Exponent>,
    /// Width of the sweep over λ.
    pub peak_width: usize,
    /// What was left out, and why.
    pub notes: Vec<String>,
    /// The sweep's networks over time.
    #[serde(skip)]
    pub trained: Vec<TrainedNetwork>,
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
/// [`crate::executor::Interrupted`], or when something fails on the way.
pub fn compare(job: &Job, network: &Network, problem: &Problem, widths: &[usize]) -> Result<Comparison> {
    let (experiment, split) = (&job.experiment, &job.split);
    let seeds: Vec<u64> = (experiment.seed..experiment.seed + experiment.seeds as u64).collect();
    let mut notes = Vec::new();

    let peak_width = widths.iter().copied().max().unwrap_or(256).min(256);
    let sweep = Experiment { width: peak_width, ..experiment.clone() };
    let traces = train(job, &sweep, problem, &mut notes)?;
    let starts = starts(job, &sweep, problem, &seeds)?;
    let expected = expected(&sweep, &starts)?;
    let of_seed = |seed: &u64| expected.iter().filter(|p| p.seed == *seed).map(|p| (p.lambda, p.t_star)).collect();
    let by_seed: Vec<Vec<(f64, f64)>> = seeds.iter().map(of_seed).collect();

    let few = Split {
        train: split.train.subset(EXAMPLES[0].min(split.train.len()), 0, "training")?,
        test: split.test.subset(EXAMPLES[1].min(split.test.len()), 0, "test")?,
    };
    let few_problem = Problem::of_data(network, &few, kernels::compute)?;
    let mut comparison = Comparison {
        lambda: None,
        examples: few.train.len(),
        widths: Vec::new(),
        function_exponent: None,
        kernel_exponent: None,
        kernels: Vec::new(),
        modes: Vec::new(),
        peaks: peaks_of(&traces),
        expected_slope: exponent(&by_seed),
        expected,
        peak_width,
        notes,
        trained: trained(&traces, &starts, peak_width)?,
    };
    // In the middle of the paper's range: λ = 0.03, or the nearest that was asked for and is not too long.
    let distance = |l: f64| (l / 0.03).ln().abs();
    let lambdas = short_enough(&few_problem, &experiment.lambda, "networks of growing width", &mut comparison.notes)?;
    if let Some(lambda) = lambdas.into_iter().min_by(|a, b| distance(*a).total_cmp(&distance(*b))) {
        let bench = Bench::new(&few, few_problem, lambda, job.executor().tasks.any().device().clone())?;
        grow(experiment, &bench, widths, &seeds, &mut comparison)?;
    }
    Ok(comparison)
}

/// The η that networks are trained with, small enough to be near gradient flow.
fn small_lr(problem: &Problem, lambda: f64) -> Result<f64> {
    let limit = largest_stable_lr(problem.homogeneous().degree(), problem.spectrum().values[0], lambda, 0.0);
    Ok(SHARE * limit.context("no η is stable for k = 0")?)
}

/// Those λ whose runs take few enough steps; a note if there are none.
fn short_enough(problem: &Problem, lambdas: &[f64], what: &str, notes: &mut Vec<String>) -> Result<Vec<f64>> {
    // One η for all: that of the largest λ.
    let largest = lambdas.iter().copied().fold(0.0, f64::max);
    let least = TAU / (small_lr(problem, largest)? * MAX_STEPS);
    let short: Vec<f64> = lambdas.iter().copied().filter(|l| *l >= least).collect();
    if short.is_empty() {
        notes.push(format!(
            "Left out: {what}. To reach τ = {TAU} by small steps they would take more than {MAX_STEPS} at every λ given; \
             λ = {:.1e} takes few enough.",
            // The next that two digits can say.
            least * 1.1
        ));
    }
    Ok(short)
}

/// Trains a network of each width and seed, and says how they approach the theory.
fn grow(
    experiment: &Experiment,
    bench: &Bench<'_>,
    widths: &[usize],
    seeds: &[u64],
    comparison: &mut Comparison,
) -> Result<()> {
    let jobs: Vec<(usize, u64)> = widths.iter().flat_map(|&w| seeds.iter().map(move |&s| (w, s))).collect();
    let steps = bench.steps() * jobs.len() as u64;
    let progress = Progress::of_work("networks of growing width", "steps", steps);
    let runs: Vec<Run> =
        jobs.par_iter().map(|&(width, seed)| bench.run(experiment, width, seed, &progress)).collect::<Result<_>>()?;
    progress.finish();
    let of = |width: usize, value: fn(&Run) -> f64| -> Vec<f64> {
        jobs.iter().zip(&runs).filter(|((w, _), _)| *w == width).map(|(_, run)| value(run)).collect()
    };
    let mut exponent_of = |what: &str, value: fn(&Run) -> f64| {
        let no_number = |((width, seed), run): (&(usize, u64), &Run)| {
            (!value(run).is_finite()).then(|| format!("width {width} of seed {seed}"))
        };
        let left_out: Vec<String> = jobs.iter().zip(&runs).filter_map(no_number).collect();
        if !left_out.is_empty() {
            let which = left_out.join(", ");
            comparison
                .notes
                .push(format!("Left out of the exponent, for want of a finite distance: {what} of {which}."));
        }
        let groups: Vec<Vec<(f64, f64)>> = seeds
            .iter()
            .map(|seed| {
                let of_seed = jobs.iter().zip(&runs).filter(|((_, s), run)| s == seed && value(run).is_finite());
                of_seed.map(|((width, _), run)| (*width as f64, value(run))).collect()
            })
            .collect();
        exponent(&groups)
    };
    comparison.lambda = Some(bench.descent.lambda);
    comparison.function_exponent = exponent_of("outputs", |r| r.function);
    comparison.kernel_exponent = exponent_of("the kernel", |r| r.kernel);
    comparison.widths = widths
        .iter()
        .map(|&width| Distances { width, function: of(width, |r| r.function), kernel: of(width, |r| r.kernel) })
        .collect();
    let of_first_seed = || jobs.iter().zip(&runs).filter(|((_, seed), _)| *seed == experiment.seed);
    comparison.kernels = of_first_seed()
        .flat_map(|((width, _), run)| run.scales.iter().map(|&(tau, scale)| KernelPoint { width: *width, tau, scale }))
        .collect();
    let widest = of_first_seed().max_by_key(|((width, _), _)| *width);
    comparison.modes = widest.map_or_else(Vec::new, |(_, run)| run.modes.clone());
    Ok(())
}

/// Trains networks of one width at every λ whose run is short enough.
fn train(job: &Job, experiment: &Experiment, problem: &Problem, notes: &mut Vec<String>) -> Result<Vec<Trace>> {
    let lambda = short_enough(problem, &experiment.lambda, "networks at each λ", notes)?;
    let Some(largest) = lambda.iter().copied().reduce(f64::max) else { return Ok(Vec::new()) };
    let lr = small_lr(problem, largest)?;
    let sweep = Experiment { lr: vec![lr].into(), lambda: lambda.into(), tau: Some(TAU), ..experiment.clone() };
    let runs = sweep.runs(job.split.train.len())?;
    job.executor_of(&sweep)?.train("networks", &runs)
}

/// When each network has its least test loss, where its cell has one beyond noise.
fn peaks_of(traces: &[Trace]) -> Vec<NetworkPeak> {
    let grid = Grid::new(traces, Estimator::Loss);
    let cells = (0..grid.cells.len()).flat_map(|i| grid.cells[i].traces.iter().zip(grid.times_of_runs(i)));
    cells
        .map(|(trace, time)| NetworkPeak {
            lambda: trace.run.lambda,
            seed: trace.run.seed,
            t_star: trace.run.lr * time.step,
            tau_star: time.tau,
        })
        .collect()
}

/// The theory's problem from the outputs that each seed's network starts with.
fn starts(job: &Job, experiment: &Experiment, problem: &Problem, seeds: &[u64]) -> Result<Vec<(u64, Problem)>> {
    let task = Arc::clone(job.executor().tasks.any());
    let started = |&seed: &u64| {
        let trainer = Trainer::new(experiment, Arc::clone(&task), vec![experiment.run(0.0, 0.0, seed, 1)]);
        let [train, test] = outputs(&trainer, &task)?;
        Ok((seed, problem.starting_from(train, test)?))
    };
    seeds.iter().map(started).collect()
}

/// When the theory sees the least test loss of the networks that start so.
fn expected(experiment: &Experiment, starts: &[(u64, Problem)]) -> Result<Vec<NetworkPeak>> {
    let all: Vec<(f64, &(u64, Problem))> =
        experiment.lambda.iter().flat_map(|&lambda| starts.iter().map(move |p| (lambda, p))).collect();
    let progress = Progress::of_work("theory of these networks", "peaks", all.len() as u64);
    let peaks = all
        .par_iter()
        .map(|&(lambda, (seed, problem))| {
            interrupt::check()?;
            let t_star = problem.peak(lambda)?;
            progress.tell(1);
            Ok(t_star.map(|t_star| NetworkPeak { lambda, seed: *seed, t_star, tau_star: lambda * t_star }))
        })
        .collect::<Result<Vec<_>>>()?;
    progress.finish();
    Ok(peaks.into_iter().flatten().collect())
}

/// The networks over time, and the theory from their own starts.
fn trained(traces: &[Trace], starts: &[(u64, Problem)], width: usize) -> Result<Vec<TrainedNetwork>> {
    let mut networks = Vec::with_capacity(traces.len());
    for trace in traces.iter().filter(|t| !t.diverged()) {
        let RunSpec { lambda, lr, seed, .. } = trace.run;
        let Some((_, problem)) = starts.iter().find(|(s, _)| *s == seed) else { continue };
        let times: Vec<f64> = trace.points.iter().map(|m| lr * m.step as f64).collect();
        let expected = problem.losses(lambda, &times)?.into_iter().filter_map(|(_, test)| test).collect();
        let test_loss = trace.points.iter().map(|m| m.test_loss).collect();
        networks.push(TrainedNetwork { lambda, width, seed, times, test_loss, expected });
    }
    Ok(networks)
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
    modes: Vec<ModeCourse>,
}

/// The larger of two distances; NaN if one is, unlike [`f64::max`].
fn larger(a: f64, b: f64) -> f64 {
    if a > b || a.is_nan() { a } else { b }
}

/// f in the direction of y over y, in mode `mode` of `[modes, outputs]`.
fn share(f: MatRef<'_, f64>, y: MatRef<'_, f64>, mode: usize) -> f64 {
    let (f, y) = (f.row(mode), y.row(mode));
    f.iter().zip(y.iter()).map(|(f, y)| f * y).sum::<f64>() / y.squared_norm_l2()
}

impl<'a> Bench<'a> {
    fn new(split: &'a Split, problem: Problem, lambda: f64, device: Device) -> Result<Self> {
        let lr = small_lr(&problem, lambda)?;
        let k = problem.homogeneous().degree();
        let steps = (TAU / (lr * lambda)).ceil();
        let checkpoints = (0..CHECKPOINTS).map(|i| steps.powf((i + 1) as f64 / CHECKPOINTS as f64).round() as u64);
        let mut checkpoints: Vec<u64> = checkpoints.collect();
        checkpoints.dedup();
        Ok(Self { split, problem, descent: Descent { k, lambda, lr, momentum: 0.0 }, checkpoints, device })
    }

    /// Steps of each network.
    fn steps(&self) -> u64 {
        self.checkpoints.last().copied().unwrap_or(1)
    }

    /// Trains a network and follows the theory from the network's own start, step by step.
    fn run(&self, experiment: &Experiment, width: usize, seed: u64, progress: &Progress) -> Result<Run> {
        let e = Experiment { width, ..experiment.clone() };
        let task = Arc::new(Task::new(self.split, &self.device));
        let spec = e.run(self.descent.lr, self.descent.lambda, seed, self.steps());
        let mut trainer = Trainer::new(&e, Arc::clone(&task), vec![spec]);
        let kernel = |trainer: &Trainer| -> Result<Vec<f64>> {
            let images = task.train_images();
            let count = KERNEL_EXAMPLES.min(images.dims()[0]);
            let kernel = trainer.model().tangent_kernel(trainer.params(), &[], images.narrow(0, 0, count), None);
            Ok(pollster::block_on(kernel)?)
        };
        let [train, test] = outputs(&trainer, &task)?;
        let start = kernel(&trainer)?;
        let problem = self.problem.starting_from(train, test)?;
        let gammas = &problem.spectrum().values;
        let mut state = self.descent.start(gammas)?;
        let course = |mode: usize| {
            let start = share(problem.initial(), problem.target(), mode);
            (start, ModeCourse { mode, gamma: gammas[mode], points: Vec::new() })
        };
        let (starts, modes): (Vec<f64>, _) = drawn(gammas).into_iter().map(course).unzip();
        let mut run = Run { function: 0.0, kernel: 0.0, scales: Vec::new(), modes };
        for &step in &self.checkpoints {
            while trainer.steps_taken() < step {
                interrupt::check()?;
                trainer.step();
                progress.tell(1);
            }
            state.advance(step - state.steps());
            let [train, f] = outputs(&trainer, &task)?;
            let in_modes = problem.spectrum().project(train.as_ref())?;
            let left: Vec<f64> = state.responses().map(|r| r.initial).collect();
            for (course, start) in run.modes.iter_mut().zip(&starts) {
                let learned = share(in_modes.as_ref(), problem.target(), course.mode) - left[course.mode] * start;
                course.points.push((self.descent.lr * step as f64, learned));
            }
            let theory = problem.test_outputs(state.test_responses(), state.shrink()).context("there is a test set")?;
            let entries = (f.nrows() * f.ncols()) as f64;
            run.function = larger(run.function, (f - theory).norm_l2() / entries.sqrt());
            self.compare_kernel(&mut run, &state, &start, &kernel(&trainer)?);
        }
        Ok(run)
    }

    fn compare_kernel(&self, run: &mut Run, state: &DescentState<'_>, start: &[f64], now: &[f64]) {
        let scale = state.kernel_scale();
        let norm: f64 = start.iter().map(|s| s * s).sum();
        let rest: f64 = now.iter().zip(start).map(|(n, s)| (n - scale * s).powi(2)).sum();
        run.kernel = larger(run.kernel, (rest / norm).sqrt() / scale);
        let along: f64 = now.iter().zip(start).map(|(n, s)| n * s).sum();
        run.scales.push((self.descent.lr * self.descent.lambda * state.steps() as f64, along / norm));
    }
}
