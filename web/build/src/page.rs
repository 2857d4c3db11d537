//! The page: its packages and its build.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::{root, run};

fn www() -> PathBuf {
    root().join("www")
}

/// Where the built page is.
pub fn dist() -> PathBuf {
    www().join("dist")
}

/// A program of the page's packages.
pub fn tool(name: &str) -> PathBuf {
    www().join("node_modules/.bin").join(name)
}

/// Installs the packages that package-lock.json names, unless they are there already.
///
/// # Errors
/// When npm fails or is missing.
pub fn install() -> Result<()> {
    let lock = |path: &str| std::fs::metadata(www().join(path)).and_then(|m| m.modified()).ok();
    if lock("node_modules/.package-lock.json") >= lock("package-lock.json") {
        return Ok(());
    }
    npm(&["ci", "--no-audit", "--no-fund"])
}

/// Builds the page into [`dist`].
///
/// # Errors
/// When a tool fails.
pub fn build() -> Result<()> {
    npm(&["run", "--silent", "build"])?;
    println!("the page is in {}; 'cargo web serve' serves it", dist().display());
    Ok(())
}

fn npm(arguments: &[&str]) -> Result<()> {
    run(Command::new("npm").current_dir(www()).args(arguments))
        .context("the page is built with Node 20 or newer and npm (https://nodejs.org)")
}
