//! Figure 5: what Theorems 1 and 2 say over time, and trained networks on top; the theory command with claims.

use anyhow::Result;
use clap::{ArgMatches, Command};
use l2lab_core::{
    Experiment,
    law::{Decision, SLOPE_TOLERANCE, mean_by_seed},
    theory as core_theory,
};

use super::{Preset, heading};
use crate::{
    commands::theory::{self, Summary, Telling},
    output::with_interval,
    study::Claim,
};

pub const NAME: &str = "fig5";
const COMMAND: &str = "reproduce fig5";

/// How far networks may peak from the theory, relatively.
const PEAK: f64 = 0.1;

pub fn flags(command: Command) -> Command {
    command.about("Theorem 2: modes and kernel over time for k ≥ 2 beside k = 1, and trained networks on top")
}

pub fn base(preset: Preset) -> Experiment {
    let of = core_theory::experiment();
    match preset {
        Preset::Mini => of,
        Preset::Standard => Experiment { seeds: 10, ..of },
        Preset::Smoke => Experiment { train: 32, test: 50, lambda: vec![0.1, 0.03].into(), seeds: 2, ..of },
        Preset::Full => Experiment { data: "mnist".into(), train: 4096, test: 10_000, seeds: 5, ..of },
    }
}

fn widths(preset: Preset) -> &'static [usize] {
    match preset {
        Preset::Mini | Preset::Standard => &[32, 64, 128, 256],
        Preset::Smoke => &[16, 32],
        Preset::Full => &[64, 128, 256, 512, 1024, 2048],
    }
}

pub fn run(matches: &ArgMatches) -> Result<String> {
    let preset = Preset::of(matches);
    let telling = Telling {
        command: COMMAND,
        heading: heading("Figure 5", preset, "why L2 is a clock"),
        flags: preset.flags(),
        claims: &claims,
    };
    theory::make(matches, base(preset), widths(preset), telling)
}

fn claims(s: &Summary) -> Vec<Claim> {
    let mut claims = Vec::new();
    let peaks = s.runs.iter().filter(|r| r.t_star.is_some() && r.learned_modes < s.modes).count();
    if let Some(slope) = s.slope_of_peaks.filter(|_| peaks > 2) {
        claims.push(Claim {
            premise: false,
            statement: format!(
                "An infinitely wide network's t_* goes as 1/λ, to within {SLOPE_TOLERANCE} of the slope (R1)"
            ),
            found: format!("The slope of log t_* on log λ is {slope:.3} in closed form ({peaks} values of λ)"),
            decision: Decision::certain((slope + 1.0).abs() < SLOPE_TOLERANCE),
        });
    }
    let Some(networks) = &s.networks else { return claims };
    let shares = networks.peaks.iter().filter_map(|p| {
        let theory = networks.expected.iter().find(|e| (e.lambda, e.seed) == (p.lambda, p.seed))?;
        Some((p.seed, p.t_star / theory.t_star - 1.0))
    });
    if let Some(m) = mean_by_seed(shares) {
        claims.push(Claim {
            premise: false,
            statement: format!("Networks peak when Theorem 2 says, from their own start, to within {PEAK} of the time"),
            found: format!(
                "The peaks of networks of width {} are off by a share of {} (n = {} runs, {} seeds)",
                networks.peak_width,
                with_interval(m.mean, m.ci, 3),
                networks.peaks.len(),
                m.n
            ),
            decision: Decision::near(0.0, PEAK, Some(m)),
        });
    }
    let approach = [
        ("Networks' outputs approach Theorem 2 as they grow", &networks.function_exponent, "−½"),
        (
            "Networks' kernels approach the decay of Theorem 1, e^(−2(k−1)λt), as they grow",
            &networks.kernel_exponent,
            "−1",
        ),
    ];
    for (statement, exponent, theory) in approach {
        let Some(x) = exponent else { continue };
        claims.push(Claim {
            premise: false,
            statement: statement.into(),
            found: format!(
                "The distance goes as width to the power {} (theory: {theory}; {} widths, n = {} seeds)",
                with_interval(x.exponent, x.exponent_ci, 2),
                networks.widths.len(),
                s.seeds()
            ),
            decision: Decision::interval_below(0.0, x.exponent_ci, s.seeds()),
        });
    }
    claims
}
