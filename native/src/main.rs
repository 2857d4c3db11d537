//! `l2lab`: the command line of the L2 laboratory. Files, devices, threads and reports live here; the
//! science is in `l2lab-core`.

mod claims;
mod cli;
mod commands;
mod datasets;
mod device;
mod executor;
mod failure;
mod figures;
mod interrupt;
mod kernels;
mod logs;
mod memory;
mod npy;
mod output;
mod progress;
mod report;
mod store;
mod study;
mod tasks;
mod threads;

use std::{io::Write, process::ExitCode};

// Tensor operations allocate anew at every step; this allocator is worth 8–15 % there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    failure::listen();
    let matches = cli::command().get_matches();
    match commands::run(&matches) {
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
