//! What comes back from a device.

use burn::tensor::{Device, Tensor};

/// The device did not give a result back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the device failed while results were read back: {0}")]
pub struct DeviceError(String);

/// Whether a device is flex, Burn's CPU backend. A page is spared the way that it does not take: its module without other backends
/// has no other tensors, and that for the GPU uses flex for one step, to compare with.
pub(crate) fn is_flex(device: &Device) -> bool {
    let other_devices = cfg!(feature = "other-devices");
    if cfg!(target_arch = "wasm32") { !other_devices } else { !other_devices || *device == Device::flex() }
}

/// A tensor's values on the host, row-major.
pub(crate) async fn read_back<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, DeviceError> {
    // Else a GPU is asked at the first look at the bytes, which blocks, and not by the future.
    #[cfg(feature = "other-devices")]
    burn_std::set_runtime_kind(burn_std::RuntimeKind::Async);
    // Boxed: a GPU backend's future is larger than a stack frame should be.
    let data = Box::pin(tensor.into_data_async()).await.map_err(|e| DeviceError(e.to_string()))?;
    data.try_into_vec_as().map_err(|e| DeviceError(e.to_string()))
}
