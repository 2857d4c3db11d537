//! `l2lab`: the command line of the L2 laboratory. Files, devices, threads and reports live here; the
//! science is in `l2lab-core`.

mod cli;
mod commands;
mod datasets;
mod device;
mod executor;
mod figures;
mod interrupt;
mod kernels;
mod logs;
mod npy;
mod output;
mod progress;
mod report;
mod store;
mod study;
mod threads;

use std::{io::Write, process::ExitCode};

use anyhow::Result;
use clap::ArgMatches;

// Tensor operations allocate anew at every step; this allocator is worth 8–15 % there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let matches = cli::command().get_matches();
    match run(&matches) {
        Ok(text) => {
            // A reader that has gone away (`| head`) is no error of ours.
            let _ = std::io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) if error.is::<executor::Interrupted>() => {
            eprintln!("l2lab: {error:#}");
            ExitCode::from(interrupt::EXIT_CODE)
        }
        Err(error) => {
            eprintln!("l2lab: {error:#}");
            ExitCode::from(if cli::is_usage(&error) { 2 } else { 1 })
        }
    }
}

/// What the command prints on standard output.
fn run(matches: &ArgMatches) -> Result<String> {
    match matches.subcommand() {
        Some(("sweep", m)) => commands::sweep::run(m),
        Some(("train", m)) => commands::train::run(m),
        Some(("predict", m)) => commands::predict::run(m),
        Some(("theory", m)) => commands::theory::run(m),
        Some(("autol2", m)) => commands::autol2::run(m),
        Some(("kernel", m)) => commands::kernel::run(m),
        Some(("exponent", m)) => commands::exponent::run(m),
        Some(("reproduce", m)) => commands::reproduce::run(m),
        Some(("data", m)) => commands::data::run(m),
        Some(("serve", m)) => commands::serve::run(m),
        Some(("bench", m)) => commands::bench::run(m),
        _ => unreachable!("clap asks for a subcommand"),
    }
}
