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

fn main() -> ExitCode {
    let port = Arg::new("port")
        .long("port")
        .value_name("PORT")
        .default_value("8080")
        .value_parser(value_parser!(u16))
        .help("Port on this machine; 0 takes any free one");
    let out = Arg::new("out").long("out").value_name("DIR").required(true).value_parser(value_parser!(PathBuf));
    let command = clap::Command::new("cargo web")
        .about("Builds l2lab for browsers and serves it")
        .subcommand_required(true)
        .subcommand(clap::Command::new("build").about("Compile the WebAssembly modules and the page into www/dist"))
        .subcommand(
            clap::Command::new("serve").about("Serve www/dist on this machine; builds it if it is not there").arg(port),
        )
        .subcommand(
            clap::Command::new("node").about("Compile the CPU module for Node, for tests").arg(out.help("Where to")),
        );
    let matches = command.get_matches();
    let outcome = match matches.subcommand() {
        Some(("build", _)) => build(),
        Some(("serve", matches)) => serve(matches),
        Some(("node", matches)) => node(matches),
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
