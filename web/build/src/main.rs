//! `cargo web`: builds l2lab for browsers and serves it.

mod modules;
mod page;

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, bail};
use clap::{Arg, ArgMatches, value_parser};
use l2lab_web_serve::Server;
use wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args;

fn main() -> ExitCode {
    let port = Arg::new("port")
        .long("port")
        .value_name("PORT")
        .default_value("8080")
        .value_parser(value_parser!(u16))
        .help("Port on this machine; 0 takes any free one");
    let out = Arg::new("out").long("out").value_name("DIR").required(true).value_parser(value_parser!(PathBuf));
    let filter = Arg::new("filter").value_name("FILTER");
    let arguments = Arg::new("arguments").num_args(1..).trailing_var_arg(true).allow_hyphen_values(true);
    let command = clap::Command::new("cargo web")
        .about("Builds l2lab for browsers and serves it")
        .subcommand_required(true)
        .subcommand(clap::Command::new("build").about("Compile the WebAssembly modules and the page into www/dist"))
        .subcommand(
            clap::Command::new("serve").about("Serve www/dist on this machine; builds it if it is not there").arg(port),
        )
        .subcommand(
            clap::Command::new("node").about("Compile the CPU module for Node, for tests").arg(out.help("Where to")),
        )
        .subcommand(
            clap::Command::new("test")
                .about("Run the core's tests in headless Chromium, compiled as the page's modules are")
                .arg(filter.help("Run only tests whose names contain this")),
        )
        .subcommand(clap::Command::new("runner").hide(true).arg(arguments));
    let matches = command.get_matches();
    let outcome = match matches.subcommand() {
        Some(("build", _)) => build(),
        Some(("serve", matches)) => serve(matches),
        Some(("node", matches)) => node(matches),
        Some(("test", matches)) => modules::test(matches.get_one::<String>("filter").map(String::as_str)),
        Some(("runner", matches)) => runner(matches),
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

fn build() -> Result<()> {
    page::install()?;
    for module in modules::PAGE {
        module.build()?;
    }
    page::build()
}

fn serve(matches: &ArgMatches) -> Result<()> {
    if !page::dist().join("index.html").is_file() {
        build()?;
    }
    let server = Server::bind(&page::dist(), matches.get_one("port").copied().unwrap_or(0))?;
    println!("l2lab is at {} (Ctrl-C ends it)", server.url()?);
    server.run()
}

fn node(matches: &ArgMatches) -> Result<()> {
    let out: &PathBuf = matches.get_one("out").context("--out is required")?;
    modules::NODE.for_node(out)
}

/// What cargo runs a test's module with: the test runner of wasm-bindgen, in the version that the module is bound with.
fn runner(matches: &ArgMatches) -> Result<()> {
    let arguments = matches.get_many::<String>("arguments").into_iter().flatten().cloned();
    run_cli_with_args(["wasm-bindgen-test-runner".to_owned()].into_iter().chain(arguments))
}

/// The workspace's root.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or_else(|| Path::new("."))
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{command:?} cannot be started"))?;
    if !status.success() {
        bail!("{command:?} failed: {status}");
    }
    Ok(())
}
