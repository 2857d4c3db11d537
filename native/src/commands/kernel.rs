//! `l2lab kernel`: the NNGP or NTK matrix of an infinitely wide network on arrays in `.npy` files.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Arg, ArgAction, ArgMatches, Command, builder::PossibleValuesParser, value_parser};
use faer::MatRef;
use l2lab_core::{
    experiment::ExperimentError,
    model::{Parameterization, Readout},
    theory::{Activation, ConvNetwork, Images, Kernel, Kind, Network},
};

use crate::{
    interrupt, kernels, memory,
    npy::{self, Array},
    store::refuse_input,
    threads,
};

/// The command's flags.
pub fn command(common: [Arg; 2]) -> Command {
    let path = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("FILE.npy").value_parser(value_parser!(PathBuf)).help(help)
    };
    let choice = |name: &'static str, values: &'static [&'static str], help: &'static str| {
        Arg::new(name).long(name).default_value(values[0]).value_parser(PossibleValuesParser::new(values)).help(help)
    };
    let number = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("VALUE")
            .allow_hyphen_values(true)
            .value_parser(value_parser!(f64))
            .help(help)
    };
    let count = |name: &'static str, default: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("N").default_value(default).value_parser(value_parser!(usize)).help(help)
    };
    Command::new("kernel")
        .about("Compute the NNGP or NTK matrix of an infinitely wide network, in float64")
        .args([
            path("input", "Inputs [n, d], float32 or float64; with --conv images [n, h, w, c]").required(true),
            path("input2", "Inputs of the columns [default: the same inputs]"),
            path("out", "Where the matrix goes, [n, n2]; with --diagonal a vector [n]").required(true),
            count("depth", "3", "Weight layers, the last one linear; with --conv the last one dense"),
            choice("activation", &["relu", "leaky-relu", "erf", "linear"], "Activation between the layers"),
            number("slope", "Slope of leaky-relu below 0 [default: 0.01]"),
            number("w-std", "Weight scale σ_w [default: √2 for relu and leaky-relu, else 1]"),
            number("b-std", "Bias scale σ_b [default: no biases]"),
            choice("kind", &["ntk", "nngp"], "Neural tangent kernel, or covariance of random networks"),
            choice("parameterization", &["ntk", "standard"], "Parameterization; the NNGP does not depend on it"),
            count(
                "width",
                "1",
                "Units or channels of the hidden layers: the NTK grows with them in standard parameterization",
            ),
            Arg::new("conv")
                .long("conv")
                .action(ArgAction::SetTrue)
                .help("A convolutional network: 3×3 same-padded convolutions, then a dense layer"),
            choice(
                "readout",
                &["flatten", "pool"],
                "What the dense layer of --conv reads: every pixel, or their average",
            ),
            Arg::new("diagonal")
                .long("diagonal")
                .action(ArgAction::SetTrue)
                .conflicts_with_all(["input2", "conv"])
                .help("Only the kernel of each input with itself"),
        ])
        .args(common)
        .after_help(
            "Inner products are divided by the dimension (with --conv by the channels), as neural-tangents does.\n\
             Example: l2lab kernel --input x.npy --depth 4 --out ntk.npy",
        )
}

/// Runs the command.
///
/// # Errors
/// Whatever is wrong with the flags or the files.
pub fn run(matches: &ArgMatches) -> Result<String> {
    interrupt::listen()?;
    let path = |name: &str| matches.get_one::<PathBuf>(name).cloned();
    let out = path("out").context("--out is required")?;
    let network = network(matches)?;
    let kind = if text(matches, "kind") == "nngp" { Kind::Nngp } else { Kind::Ntk };
    let input = path("input").context("--input is required")?;
    let other = path("input2");
    let inputs: Vec<&Path> = [Some(&input), other.as_ref()].into_iter().flatten().map(PathBuf::as_path).collect();
    refuse_input(&out, &inputs)?;
    let rows = npy::read(&input)?;
    let columns = other.as_ref().map(|p| npy::read(p)).transpose()?;
    let threads = threads::count(matches.get_one("threads").copied())?;
    let begin = std::time::Instant::now();
    let shape = threads::with(threads, || -> Result<Vec<usize>> {
        if matches.get_flag("conv") {
            let readout = if text(matches, "readout") == "pool" { Readout::Pool } else { Readout::Flatten };
            let rows = images(&rows, &input)?;
            let columns = columns.as_ref().zip(other.as_ref()).map(|(a, path)| images(a, path)).transpose()?;
            let network = ConvNetwork { network, readout };
            let bytes = network.kernel_bytes(&rows, columns.as_ref(), threads);
            let [height, width, _] = rows.shape;
            let of = |pooled: &str| format!("the kernel of {height} × {width} images{pooled}");
            match readout {
                Readout::Pool => {
                    memory::check(
                        &of(" with pooling"),
                        bytes,
                        "use fewer or smaller images, fewer layers, or --readout flatten",
                    )?;
                }
                Readout::Flatten => memory::check(&of(""), bytes, "use fewer or smaller images, or fewer layers")?,
            }
            return save(&network.kernel(kind, rows, columns)?, &out);
        }
        let rows = matrix(&rows, &input)?;
        if matches.get_flag("diagonal") {
            let diagonal = network.diagonal(kind, rows)?;
            npy::write_vector(&out, &diagonal)?;
            return Ok(vec![diagonal.len()]);
        }
        let columns = columns.as_ref().zip(other.as_ref()).map(|(a, path)| matrix(a, path)).transpose()?;
        let count = columns.map(|c| c.nrows());
        let what = format!("the {} × {} kernel", rows.nrows(), count.unwrap_or(rows.nrows()));
        memory::check(&what, network.kernel_bytes(rows.nrows(), count), "use fewer inputs or layers")?;
        save(&network.kernel(kind, rows, columns)?, &out)
    })?;
    let seconds = begin.elapsed().as_secs_f64();
    if matches.get_flag("json") {
        let summary = serde_json::json!({
            "out": out, "shape": shape, "kind": text(matches, "kind"), "homogeneity": network.homogeneity(), "seconds": seconds,
        });
        return Ok(format!("{summary}\n"));
    }
    let k = network.homogeneity().map_or_else(|| "no homogeneity".to_owned(), |k| format!("k = {k}"));
    let shape = shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ");
    Ok(format!("{}: {} {shape}, float64, {k}, {seconds:.2} s\n", out.display(), text(matches, "kind")))
}

fn save(kernel: &dyn Kernel, out: &Path) -> Result<Vec<usize>> {
    let matrix = kernels::compute("kernel", kernel)?;
    npy::write_matrix(out, matrix.as_ref())?;
    Ok(kernel.shape().to_vec())
}

fn text<'a>(matches: &'a ArgMatches, name: &str) -> &'a str {
    matches.get_one::<String>(name).map_or("", String::as_str)
}

/// The network that the flags describe.
fn network(matches: &ArgMatches) -> Result<Network> {
    let number = |name: &str| matches.get_one::<f64>(name).copied();
    let slope = number("slope");
    let activation = match text(matches, "activation") {
        "relu" => Activation::Relu,
        "leaky-relu" => Activation::LeakyRelu { slope: slope.unwrap_or(0.01) },
        "erf" => Activation::Erf,
        _ => Activation::Linear,
    };
    if slope.is_some() && !matches!(activation, Activation::LeakyRelu { .. }) {
        let text = "slope: it is leaky-relu's; add --activation leaky-relu";
        return Err(ExperimentError::Conflict(text.into()).into());
    }
    let rectified = matches!(activation, Activation::Relu | Activation::LeakyRelu { .. });
    let network = Network {
        depth: matches.get_one("depth").copied().unwrap_or(3),
        activation,
        w_std: number("w-std").unwrap_or(if rectified { std::f64::consts::SQRT_2 } else { 1.0 }),
        b_std: number("b-std"),
        parameterization: match text(matches, "parameterization") {
            "standard" => Parameterization::Standard,
            _ => Parameterization::Ntk,
        },
        width: matches.get_one("width").copied().unwrap_or(1),
    };
    network.validate()?;
    Ok(network)
}

fn matrix<'a>(array: &'a Array, path: &Path) -> Result<MatRef<'a, f64>> {
    match array.shape[..] {
        [n, d] if n > 0 && d > 0 => Ok(MatRef::from_row_major_slice(&array.values, n, d)),
        _ => bail!(
            "'{}' has shape {:?}; needed are inputs [n, d] (images [n, h, w, c] with --conv)",
            path.display(),
            array.shape
        ),
    }
}

fn images<'a>(array: &'a Array, path: &Path) -> Result<Images<'a>> {
    match array.shape[..] {
        [n, h, w, c] if n > 0 && h > 0 && w > 0 && c > 0 => Ok(Images { values: &array.values, shape: [h, w, c] }),
        _ => bail!("'{}' has shape {:?}; --conv needs images [n, h, w, c]", path.display(), array.shape),
    }
}
