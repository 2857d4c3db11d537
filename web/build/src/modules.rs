//! The WebAssembly modules: compiled, bound to JavaScript, made small.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use wasm_bindgen_cli_support::Bindgen;

use crate::{page, root, run};

const TARGET: &str = "wasm32-unknown-unknown";
const PACKAGE: &str = "l2lab-web";
const PROFILE: &str = "web";
/// What `wasm-bindgen` calls the module's parts.
const NAME: &str = "l2lab_web";

/// All of the core's tests take a fraction of it, one after the other.
const TEST_SECONDS: &str = "900";
/// A browser starts within it on a machine that has other work.
const DRIVER_SECONDS: &str = "60";

/// A module made from the crate `l2lab-web`.
pub struct Module {
    /// Its folder in www/src/wasm.
    name: &'static str,
    features: &'static str,
}

/// What a page can load: first what trains on the CPU, the others when they are wanted.
pub const PAGE: [Module; 3] = [
    Module { name: "cpu", features: "data,train,keep" },
    Module { name: "theory", features: "theory" },
    Module { name: "gpu", features: "gpu" },
];
/// What tests load in Node.
pub const NODE: Module = Module { name: "node", features: "data,train,keep,theory" };

impl Module {
    /// Puts the module where the page's build finds it.
    ///
    /// # Errors
    /// When a tool fails or is missing.
    pub fn build(&self) -> Result<()> {
        let out = root().join("www/src/wasm").join(self.name);
        let mut bindgen = self.compile()?;
        // The module is beside its JavaScript: whoever loads it need not name it.
        bindgen.web(true)?.typescript(true).omit_default_module_path(false);
        self.bind(&mut bindgen, &out)?;
        let wasm = out.join(format!("{NAME}_bg.wasm"));
        run(Command::new(page::tool("wasm-opt"))
            .arg("-Oz")
            .args(["--strip-debug", "--strip-producers"])
            .arg(&wasm)
            .arg("-o")
            .arg(&wasm))
    }

    /// The same for Node, without the page's tools.
    ///
    /// # Errors
    /// When a tool fails or is missing.
    pub fn for_node(&self, out: &Path) -> Result<()> {
        let mut bindgen = self.compile()?;
        bindgen.nodejs(true)?;
        self.bind(&mut bindgen, out)
    }

    fn compile(&self) -> Result<Bindgen> {
        println!("compiling the {} module", self.name);
        let features = ["--no-default-features", "--features", self.features];
        run(cargo("build")?.args(["--lib", "--package", PACKAGE]).args(features))?;
        let mut bindgen = Bindgen::new();
        bindgen.input_path(target_dir().join(TARGET).join(PROFILE).join(format!("{NAME}.wasm")));
        bindgen.remove_name_section(true).remove_producers_section(true);
        Ok(bindgen)
    }

    fn bind(&self, bindgen: &mut Bindgen, out: &Path) -> Result<()> {
        fs::create_dir_all(out).with_context(|| format!("'{}' cannot be made", out.display()))?;
        bindgen.generate(out).context("wasm-bindgen failed")?;
        // Where the constructors are not called once at the start, the linker makes every export call them.
        let wasm = fs::read(out.join(format!("{NAME}_bg.wasm")))?;
        let wrapped = wasm.windows(14).any(|part| part == b"command_export");
        ensure!(!wrapped, "the {} module's exports run all constructors at every call", self.name);
        Ok(())
    }
}

/// Runs the core's tests, or those whose names contain `filter`, in a worker of headless Chromium.
///
/// # Errors
/// When a test fails, or a tool fails or is missing.
pub fn test(filter: Option<&str>) -> Result<()> {
    let program = env::current_exe().context("cargo web does not know where it is")?;
    let runner = [program.display().to_string(), "runner".into()];
    run(cargo("test")?
        .args(["--config", &format!("target.{TARGET}.runner = {runner:?}")])
        .env("WASM_BINDGEN_TEST_TIMEOUT", TEST_SECONDS)
        .env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", DRIVER_SECONDS)
        .args(["--package", "l2lab-core", "--test", "suite"])
        .args(filter.map(|f| ["--", f]).into_iter().flatten()))
}

/// Cargo for what runs in a browser.
fn cargo(command: &str) -> Result<Command> {
    add_target()?;
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root()).env("CARGO_TARGET_DIR", target_dir()).args(without_home());
    cargo.args([command, "--locked", "--target", TARGET, "--profile", PROFILE]);
    Ok(cargo)
}

fn target_dir() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Panics name source files: without this, by the paths of the builder's home.
fn without_home() -> Vec<String> {
    let Ok(home) = env::var("CARGO_HOME").or_else(|_| env::var("HOME")) else { return Vec::new() };
    let flags = ["--remap-path-prefix".to_owned(), format!("{home}=")];
    vec!["--config".into(), format!("target.{TARGET}.rustflags = {flags:?}")]
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
