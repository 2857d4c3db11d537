//! `--device`: the backends of this build, by name.

use std::{fmt, str::FromStr};

use anyhow::{Result, bail};
use burn::tensor::Device;
use l2lab_core::{experiment::ExperimentError, model::Precision, train::Execution};

use crate::failure;

/// A device as the user names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceChoice {
    /// burn-flex: the default.
    Cpu,
    /// burn-ndarray: a second CPU implementation to check the first against.
    Ndarray,
    /// burn-wgpu, the GPU of this index, or the first.
    Gpu(Option<usize>),
    /// burn-cuda, the GPU of this index, or the first.
    Cuda(Option<usize>),
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Ndarray => f.write_str("ndarray"),
            Self::Gpu(i) => write!(f, "gpu:{}", i.unwrap_or(0)),
            Self::Cuda(i) => write!(f, "cuda:{}", i.unwrap_or(0)),
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || "allowed are cpu, ndarray, gpu, gpu:N, cuda and cuda:N".to_owned();
        let (name, index) = match text.split_once(':') {
            Some((name, index)) => (name, Some(index.parse::<usize>().map_err(|_| unknown())?)),
            None => (text, None),
        };
        match (name, index) {
            ("cpu", None) => Ok(Self::Cpu),
            ("ndarray", None) => Ok(Self::Ndarray),
            ("gpu", index) => Ok(Self::Gpu(index)),
            ("cuda", index) => Ok(Self::Cuda(index)),
            _ => Err(unknown()),
        }
    }
}

impl DeviceChoice {
    /// The device itself, and how a grid is laid out on it.
    ///
    /// # Errors
    /// When this build has no such backend, or the machine no such device.
    pub fn open(&self) -> Result<(Device, Execution)> {
        failure::caught(self.advice("--device cpu always works"), || match self {
            Self::Cpu => Ok((Device::flex(), Execution::Single)),
            Self::Ndarray => ndarray(),
            Self::Gpu(index) => gpu(*index),
            Self::Cuda(index) => cuda(*index),
        })
    }

    /// The flag that asks for this device as the user did.
    pub fn flag(&self) -> String {
        match self {
            Self::Gpu(None) => "gpu".into(),
            Self::Cuda(None) => "cuda".into(),
            named => named.to_string(),
        }
    }

    /// What to do about it where this device fails, for [`failure::caught`]; a CPU does not.
    pub fn advice<'a>(&self, advice: &'a str) -> Option<&'a str> {
        matches!(self, Self::Gpu(_) | Self::Cuda(_)).then_some(advice)
    }
}

/// Refuses a number format that a device does not have.
///
/// # Errors
/// For it.
pub fn supports(device: &Device, choice: &DeviceChoice, precision: Precision) -> Result<()> {
    let name = |p: Precision| format!("{p:?}").to_lowercase();
    match precision.reduced() {
        Some(format) if !device.supports_dtype(format) => {
            let has = [Precision::F32, Precision::Bf16, Precision::F16]
                .into_iter()
                .filter(|p| p.reduced().is_none_or(|f| device.supports_dtype(f)))
                .map(name);
            let allowed = format!("on --device {choice}: {}", has.collect::<Vec<_>>().join(", "));
            Err(ExperimentError::Value { field: "precision", value: name(precision), allowed }.into())
        }
        _ => Ok(()),
    }
}

#[cfg(feature = "ndarray")]
#[expect(clippy::unnecessary_wraps, reason = "the same signature without the feature")]
fn ndarray() -> Result<(Device, Execution)> {
    #[expect(deprecated, reason = "kept as an independent check of flex")]
    Ok((Device::ndarray(), Execution::Single))
}

#[cfg(not(feature = "ndarray"))]
fn ndarray() -> Result<(Device, Execution)> {
    missing("ndarray")
}

#[cfg(feature = "gpu")]
fn gpu(index: Option<usize>) -> Result<(Device, Execution)> {
    pick(Device::enumerate(burn::tensor::DeviceType::Wgpu).into_vec(), index, "gpu")
}

#[cfg(not(feature = "gpu"))]
fn gpu(_: Option<usize>) -> Result<(Device, Execution)> {
    missing("gpu")
}

#[cfg(feature = "cuda")]
fn cuda(index: Option<usize>) -> Result<(Device, Execution)> {
    pick(Device::enumerate(burn::tensor::DeviceType::Cuda).into_vec(), index, "cuda")
}

#[cfg(not(feature = "cuda"))]
fn cuda(_: Option<usize>) -> Result<(Device, Execution)> {
    missing("cuda")
}

/// The device of an index, whose name is told; a software driver only with a word on it, unless it was asked for by its index.
#[cfg(any(feature = "gpu", feature = "cuda"))]
fn pick(devices: Vec<Device>, index: Option<usize>, kind: &str) -> Result<(Device, Execution)> {
    let name = |i: usize, device: &Device| match device.identity() {
        Some(identity) => format!("{kind}:{i} ({})", identity.name),
        None => format!("{kind}:{i}"),
    };
    let i = index.unwrap_or(0);
    let Some(device) = devices.get(i) else {
        if devices.is_empty() {
            bail!("--device {kind}: this machine has none that the program can reach; --device cpu always works");
        }
        let all: Vec<String> = devices.iter().enumerate().map(|(i, device)| name(i, device)).collect();
        bail!("--device {kind}:{i}: this machine has {}", all.join(", "));
    };
    eprintln!("device: {}", name(i, device));
    if index.is_none() && device.identity().is_some_and(|identity| identity.physical.is_none()) {
        eprintln!("this is no GPU but a driver that computes on the CPU; --device cpu is faster");
    }
    Ok((device.clone(), Execution::Stacked))
}

#[cfg(not(all(feature = "ndarray", feature = "gpu", feature = "cuda")))]
fn missing(feature: &str) -> Result<(Device, Execution)> {
    bail!(
        "--device {feature}: this program was built without it; build with 'cargo build --release --features {feature}'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_asked_for_again_as_the_user_did() {
        for text in ["cpu", "ndarray", "gpu", "gpu:0", "gpu:3", "cuda", "cuda:1"] {
            assert_eq!(text.parse::<DeviceChoice>().unwrap().flag(), text);
        }
        assert_eq!("gpu".parse::<DeviceChoice>().unwrap().to_string(), "gpu:0");
        assert!("gpu:x".parse::<DeviceChoice>().is_err());
    }
}
