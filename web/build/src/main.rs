//! `cargo web`: makes of `l2lab-web` what a browser loads.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, bail};
use clap::{Arg, ArgMatches, value_parser};
use wasm_bindgen_cli_support::Bindgen;

const TARGET: &str = "wasm32-unknown-unknown";
const PACKAGE: &str = "l2lab-web";
const PROFILE: &str = "web";

fn main() -> ExitCode {
    let out = Arg::new("out")
        .long("out")
        .value_name("DIR")
        .value_parser(value_parser!(PathBuf))
        .help("Where the modules go [default: target/web]");
    let node = Arg::new("node").long("node").num_args(0).help("For Node instead of browsers");
    let build =
        clap::Command::new("build").about("Compile the WebAssembly module and its JavaScript").args([out, node]);
    let command =
        clap::Command::new("cargo web").about("Builds l2lab for browsers").subcommand_required(true).subcommand(build);
    let matches = command.get_matches();
    let outcome = match matches.subcommand() {
        Some(("build", matches)) => build_modules(matches),
        _ => Ok(()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("cargo web: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn build_modules(matches: &ArgMatches) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("the workspace has moved")?;
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let out = matches.get_one::<PathBuf>("out").cloned().unwrap_or_else(|| target.join("web"));
    add_target()?;
    run(Command::new("cargo").current_dir(root).args([
        "build",
        "--locked",
        "--package",
        PACKAGE,
        "--lib",
        "--target",
        TARGET,
        "--profile",
        PROFILE,
    ]))?;
    let wasm = target.join(TARGET).join(PROFILE).join("l2lab_web.wasm");
    fs::create_dir_all(&out).with_context(|| format!("'{}' cannot be made", out.display()))?;
    let mut bindgen = Bindgen::new();
    bindgen.input_path(&wasm).typescript(true);
    if matches.get_flag("node") {
        bindgen.nodejs(true)?
    } else {
        bindgen.web(true)?
    };
    bindgen.generate(&out).context("wasm-bindgen failed")?;
    println!("{}", out.display());
    Ok(())
}

/// Adds the wasm target if rustup knows it to be missing.
fn add_target() -> Result<()> {
    let Ok(installed) = Command::new("rustup").args(["target", "list", "--installed"]).output() else {
        // Rust that is not rustup's brings its own targets.
        return Ok(());
    };
    if String::from_utf8_lossy(&installed.stdout).lines().any(|line| line == TARGET) {
        return Ok(());
    }
    run(Command::new("rustup").args(["target", "add", TARGET]))
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{command:?} cannot be started"))?;
    if !status.success() {
        bail!("{command:?} failed: {status}");
    }
    Ok(())
}
