//! What comes back from a device.

use burn::tensor::Tensor;

/// The device did not give a result back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the device failed while results were read back: {0}")]
pub struct DeviceError(String);

/// A tensor's values on the host, row-major.
pub(crate) async fn read_back<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, DeviceError> {
    // Boxed: a GPU backend's future is larger than a stack frame should be.
    let data = Box::pin(tensor.into_data_async()).await.map_err(|e| DeviceError(e.to_string()))?;
    data.convert::<f32>().try_to_vec().map_err(|e| DeviceError(format!("{e:?}")))
}
