//! `l2lab serve`: the built page, served on this machine.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Arg, ArgMatches, Command, value_parser};
use l2lab_web_serve::Server;

/// The command's flags.
pub fn command() -> Command {
    Command::new("serve")
        .about("Serve the page on this machine, for its browsers alone")
        .arg(
            Arg::new("page")
                .long("page")
                .value_name("DIR")
                .default_value("www/dist")
                .value_parser(value_parser!(PathBuf))
                .help("The built page ('cargo web build' makes it)"),
        )
        .arg(
            Arg::new("port")
                .long("port")
                .value_name("PORT")
                .default_value("8080")
                .value_parser(value_parser!(u16))
                .help("Port; 0 takes any free one"),
        )
}

/// Runs the command until Ctrl-C.
///
/// # Errors
/// When there is no page, or the port is taken.
pub fn run(matches: &ArgMatches) -> Result<String> {
    let page = matches.get_one::<PathBuf>("page").cloned().unwrap_or_default();
    let server = Server::bind(&page, matches.get_one("port").copied().unwrap_or_default())?;
    println!("l2lab is at {} (Ctrl-C ends it)", server.url()?);
    server.run()?;
    Ok(String::new())
}
