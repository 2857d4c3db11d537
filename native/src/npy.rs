//! Arrays in NumPy's `.npy` files.

use std::{fs, io::Cursor, path::Path};

use anyhow::{Context, Result, anyhow, bail};
use faer::MatRef;
use npyz::{DType, NpyFile, Order, WriterBuilder};

use crate::store::write_with;

/// Numbers of any shape, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Lengths of the axes.
    pub shape: Vec<usize>,
    /// Values, the last axis fastest.
    pub values: Vec<f64>,
}

/// Reads a file of float32 or float64 numbers, of either byte order and layout.
///
/// # Errors
/// When it cannot be read, is damaged, or holds something else, NaN and infinity included; the message names the file.
pub fn read(path: &Path) -> Result<Array> {
    let bytes = fs::read(path).with_context(|| format!("'{}' cannot be read", path.display()))?;
    let array =
        parse(&bytes).with_context(|| format!("'{}' is no .npy file of float32 or float64 numbers", path.display()))?;
    if let Some(at) = array.values.iter().position(|value| !value.is_finite()) {
        let (index, value) = (array.index(at), array.values[at]);
        bail!("'{}': {index:?} is {value}; every value has to be finite", path.display());
    }
    Ok(array)
}

impl Array {
    /// Where value number `at` is.
    fn index(&self, mut at: usize) -> Vec<usize> {
        let mut index = vec![0; self.shape.len()];
        for (place, &length) in index.iter_mut().zip(&self.shape).rev() {
            *place = at % length;
            at /= length;
        }
        index
    }
}

fn parse(bytes: &[u8]) -> Result<Array> {
    let mut reader = Cursor::new(bytes);
    // The parser's own words go on for lines.
    let header = npyz::NpyHeader::from_reader(&mut reader)
        .map_err(|e| anyhow!("its header: {}", e.to_string().lines().next().unwrap_or_default()))?;
    let data = &bytes[usize::try_from(reader.position())?..];
    let shape = header.shape().iter().map(|&n| Ok(usize::try_from(n)?)).collect::<Result<Vec<_>>>()?;
    let dtype = match header.dtype() {
        DType::Plain(plain) => plain.to_string(),
        other => bail!("its type is {}", other.descr()),
    };
    let size = match dtype.get(1..) {
        Some("f4") => 4,
        Some("f8") => 8,
        _ => bail!("its type is '{dtype}'"),
    };
    // Before anything of that size is allocated.
    let expected = shape.iter().try_fold(size, |product: usize, &n| product.checked_mul(n));
    if expected != Some(data.len()) {
        bail!("its header promises an array of shape {shape:?} and type '{dtype}', but {} bytes follow", data.len());
    }
    let order = header.order();
    let file = NpyFile::with_header(header, data);
    let values: Vec<f64> =
        if size == 4 { file.into_vec::<f32>()?.into_iter().map(f64::from).collect() } else { file.into_vec::<f64>()? };
    let values = if order == Order::Fortran { row_major(&values, &shape) } else { values };
    Ok(Array { shape, values })
}

/// Values whose first axis is fastest, with the last axis fastest.
fn row_major(values: &[f64], shape: &[usize]) -> Vec<f64> {
    let mut index = vec![0; shape.len()];
    let mut strides = vec![1; shape.len()];
    for axis in 1..shape.len() {
        strides[axis] = strides[axis - 1] * shape[axis - 1];
    }
    (0..values.len())
        .map(|_| {
            let value = values[index.iter().zip(&strides).map(|(i, s)| i * s).sum::<usize>()];
            for axis in (0..shape.len()).rev() {
                index[axis] += 1;
                if index[axis] < shape[axis] {
                    break;
                }
                index[axis] = 0;
            }
            value
        })
        .collect()
}

/// Writes a matrix as float64, row-major.
///
/// # Errors
/// When it cannot be written.
pub fn write_matrix(path: &Path, matrix: MatRef<'_, f64>) -> Result<()> {
    let shape = [matrix.nrows() as u64, matrix.ncols() as u64];
    write(path, &shape, matrix.row_iter().flat_map(|row| row.iter().copied().collect::<Vec<_>>()))
}

/// Writes a vector as float64.
///
/// # Errors
/// When it cannot be written.
pub fn write_vector(path: &Path, values: &[f64]) -> Result<()> {
    write(path, &[values.len() as u64], values.iter().copied())
}

fn write(path: &Path, shape: &[u64], values: impl Iterator<Item = f64>) -> Result<()> {
    write_with(path, |file| {
        let mut writer = npyz::WriteOptions::new().default_dtype().shape(shape).writer(file).begin_nd()?;
        writer.extend(values)?;
        writer.finish()
    })
}

#[cfg(test)]
mod tests {
    use faer::mat;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_matrix_comes_back_as_it_was_written() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("a.npy");
        let matrix = mat![[1.0, 2.5, -3e300], [0.1, 5e-324, 6.0]];
        write_matrix(&path, matrix.as_ref()).unwrap();
        assert_eq!(read(&path).unwrap(), Array { shape: vec![2, 3], values: vec![1.0, 2.5, -3e300, 0.1, 5e-324, 6.0] });
    }

    #[test]
    fn columns_first_is_read_as_rows_first() {
        // [2, 3] with the first axis fastest: 0 2 4 / 1 3 5.
        let values: Vec<f64> = (0..6).map(f64::from).collect();
        assert_eq!(row_major(&values, &[2, 3]), [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]);
        // [2, 1, 2]: [[[0, 2]], [[1, 3]]].
        assert_eq!(row_major(&values[..4], &[2, 1, 2]), [0.0, 2.0, 1.0, 3.0]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(garbage in prop::collection::vec(any::<u8>(), 0..200), at in 0_usize..120) {
            let _ = parse(&garbage);
            let mut bytes = Vec::new();
            let mut writer =
                npyz::WriteOptions::<f64>::new().default_dtype().shape(&[3]).writer(&mut bytes).begin_nd().unwrap();
            writer.extend([1.0, 2.0, 3.0]).unwrap();
            writer.finish().unwrap();
            let end = (at + garbage.len()).min(bytes.len());
            if at < end {
                bytes[at..end].copy_from_slice(&garbage[..end - at]);
            }
            let _ = parse(&bytes);
        }
    }
}
