//! NNGP and NTK of infinitely wide convolutional networks: 3×3 same-padded convolutions, each followed by the
//! activation, and a dense layer that reads every pixel (flatten) or their average (pool).

use std::iter::repeat;

use faer::{Accum, MatMut, MatRef, Par, linalg::matmul::matmul};

use super::{
    Kernel, Kind, Network, TheoryError,
    dual::{Scale, equal_above},
    kernel::{bytes, check_finite, check_range},
};
use crate::model::Readout;

/// A convolutional network: `network.depth − 1` convolutions and a dense layer; `network.width` are its channels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConvNetwork {
    /// Depth, activation and scales.
    pub network: Network,
    /// What the dense layer reads.
    pub readout: Readout,
}

/// Images, `[examples, height, width, channels]`, row-major.
#[derive(Debug, Clone, Copy)]
pub struct Images<'a> {
    /// Their values.
    pub values: &'a [f64],
    /// `[height, width, channels]`.
    pub shape: [usize; 3],
}

impl Images<'_> {
    fn size(&self) -> usize {
        self.shape.iter().product()
    }

    fn count(&self) -> usize {
        self.values.len().checked_div(self.size()).unwrap_or(0)
    }

    /// `[channels, pixels]` of image i.
    fn image(&self, i: usize) -> MatRef<'_, f64> {
        let [h, w, channels] = self.shape;
        MatRef::from_column_major_slice(&self.values[i * self.size()..(i + 1) * self.size()], channels, h * w)
    }
}

impl ConvNetwork {
    /// The kernel between images; among `rows` themselves without `columns`. Inner products are divided by the number
    /// of channels.
    ///
    /// # Errors
    /// When the network or the images are not allowed, or their shapes differ.
    pub fn kernel<'a>(
        &self,
        kind: Kind,
        rows: Images<'a>,
        columns: Option<Images<'a>>,
    ) -> Result<ConvKernel<'a>, TheoryError> {
        self.network.validate()?;
        if self.network.depth < 2 {
            let (what, value) = ("depth", self.network.depth.to_string());
            return Err(TheoryError::Value { what, value, allowed: "2 weight layers or more, the last one dense" });
        }
        if let Some(columns) = columns
            && columns.shape != rows.shape
        {
            let [first, second] = [rows, columns].map(|images| images.shape.to_vec());
            return Err(TheoryError::Shape { first, second });
        }
        let right = columns.map(|c| Side::new(&self.network, c)).transpose()?;
        Ok(ConvKernel { network: *self, kind, left: Side::new(&self.network, rows)?, right })
    }

    /// Bytes that the kernel of these images takes when so many threads compute it: the matrix, what it is made from, and
    /// what each thread works in.
    #[must_use]
    pub fn kernel_bytes(&self, rows: &Images, columns: Option<&Images>, threads: usize) -> usize {
        let [h, w, _] = rows.shape;
        let pixels = h.saturating_mul(w);
        let tasks = columns.unwrap_or(rows).count().min(threads);
        let working = tasks.saturating_mul(BUFFERS * size_of::<f64>()).saturating_mul(self.pair_values(pixels));
        let [rows, columns] = [Some(rows), columns].map(|images| images.map(Images::count));
        bytes(rows.unwrap_or(0), columns, self.network.depth, pixels).saturating_add(working)
    }

    /// Values per buffer of a pair of images.
    fn pair_values(&self, pixels: usize) -> usize {
        match self.readout {
            Readout::Flatten => pixels,
            Readout::Pool => pixels.saturating_mul(pixels),
        }
    }
}

/// One side's images, and the scales of their pre-activations.
struct Side<'a> {
    images: Images<'a>,
    /// `[convolutions][examples · pixels]`.
    scales: Vec<Vec<Scale>>,
}

impl<'a> Side<'a> {
    fn new(network: &Network, images: Images<'a>) -> Result<Self, TheoryError> {
        if images.values.is_empty() || images.size() == 0 {
            return Err(TheoryError::Empty { what: "image" });
        }
        if !images.values.len().is_multiple_of(images.size()) {
            let (found, expected) = (images.values.len(), images.count() * images.size());
            return Err(TheoryError::Count { what: "values of whole images", found, expected });
        }
        check_finite("image", images.values.iter().copied())?;
        let [h, w, channels] = images.shape;
        let pixels = h * w;
        let square = |pixel: &[f64]| pixel.iter().map(|x| x * x).sum::<f64>() / channels as f64;
        let mut variances: Vec<f64> = images.values.chunks_exact(channels).map(square).collect();
        let mut scratch = vec![0.0; pixels];
        let mut scales = Vec::with_capacity(network.depth - 1);
        for layer in 1..network.depth {
            for (i, image) in variances.chunks_exact_mut(pixels).enumerate() {
                average(image, &mut scratch, [h, w]);
                image.iter_mut().for_each(|v| *v = network.affine(*v));
                image.iter().try_for_each(|&v| check_range(i, [layer, network.depth], v))?;
            }
            scales.push(variances.iter().map(|&v| network.activation.scale(v)).collect());
            variances.iter_mut().for_each(|v| *v = network.activation.diagonal(*v)[0]);
        }
        Ok(Self { images, scales })
    }

    fn scales(&self, layer: usize, image: usize) -> &[Scale] {
        let [h, w, _] = self.images.shape;
        &self.scales[layer][image * h * w..(image + 1) * h * w]
    }
}

/// A convolutional network's kernel on given images.
pub struct ConvKernel<'a> {
    network: ConvNetwork,
    kind: Kind,
    left: Side<'a>,
    right: Option<Side<'a>>,
}

/// Buffers of a pair of images.
const BUFFERS: usize = 4;

/// What one pair of images needs; with pooling each is `[pixels, pixels]`.
struct Buffers {
    nngp: Vec<f64>,
    tangent: Vec<f64>,
    slope: Vec<f64>,
    scratch: Vec<f64>,
}

impl ConvKernel<'_> {
    /// K(image i of the rows, image j of the columns).
    fn entry(&self, i: usize, j: usize, b: &mut Buffers) -> f64 {
        let net = &self.network.network;
        let right = self.right.as_ref().unwrap_or(&self.left);
        let (x, y) = (self.left.images.image(i), right.images.image(j));
        let [h, w, channels] = self.left.images.shape;
        let pixels = h * w;
        let pool = self.network.readout == Readout::Pool;
        let per_channel = 1.0 / channels as f64;
        if pool {
            let out = MatMut::from_column_major_slice_mut(&mut b.nngp, pixels, pixels);
            matmul(out, Accum::Replace, x.transpose(), y, per_channel, Par::Seq);
        } else {
            for (p, k) in b.nngp.iter_mut().enumerate() {
                *k = (0..channels).map(|c| x[(c, p)] * y[(c, p)]).sum::<f64>() * per_channel;
            }
        }
        b.tangent.fill(0.0);
        let equal_above = equal_above(channels);
        let mut fan_in = 9 * channels;
        for layer in 0..net.depth - 1 {
            for values in [&mut b.nngp, &mut b.tangent] {
                if pool {
                    average_pairs(values, &mut b.scratch, [h, w]);
                } else {
                    average(values, &mut b.scratch, [h, w]);
                }
            }
            for (k, t) in b.nngp.iter_mut().zip(&mut b.tangent) {
                let above = net.affine(*k);
                *t = net.own_tangent(fan_in, *k, above) + net.w_std * net.w_std * *t;
                *k = above;
            }
            let (left, right) = (self.left.scales(layer, i), right.scales(layer, j));
            if pool {
                let columns = b.nngp.chunks_exact_mut(pixels).zip(b.slope.chunks_exact_mut(pixels));
                for ((nngp, slope), right) in columns.zip(right) {
                    net.activation.apply(nngp, slope, left, repeat(*right), equal_above);
                }
            } else {
                net.activation.apply(&mut b.nngp, &mut b.slope, left, right.iter().copied(), equal_above);
            }
            b.tangent.iter_mut().zip(&b.slope).for_each(|(t, slope)| *t *= slope);
            fan_in = 9 * net.width;
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let below = mean(&b.nngp);
        let nngp = net.affine(below);
        match self.kind {
            Kind::Nngp => nngp,
            Kind::Ntk => {
                let fan_in = if pool { net.width } else { net.width * pixels };
                net.own_tangent(fan_in, below, nngp) + net.w_std * net.w_std * mean(&b.tangent)
            }
        }
    }
}

impl Kernel for ConvKernel<'_> {
    fn shape(&self) -> [usize; 2] {
        [self.left.images.count(), self.right.as_ref().unwrap_or(&self.left).images.count()]
    }

    fn is_symmetric(&self) -> bool {
        self.right.is_none()
    }

    fn columns_per_task(&self) -> usize {
        1
    }

    fn fill(&self, first: usize, mut out: MatMut<'_, f64>) {
        let [h, w, _] = self.left.images.shape;
        let buffers: [Vec<f64>; BUFFERS] = std::array::from_fn(|_| vec![0.0; self.network.pair_values(h * w)]);
        let [nngp, tangent, slope, scratch] = buffers;
        let mut buffers = Buffers { nngp, tangent, slope, scratch };
        for j in 0..out.ncols() {
            for i in 0..out.nrows() {
                out[(i, j)] = self.entry(i, first + j, &mut buffers);
            }
        }
    }
}

/// The 3×3 mean over each pixel's neighbourhood, zero beyond the border.
fn average(values: &mut [f64], scratch: &mut [f64], [h, w]: [usize; 2]) {
    for (row, out) in values.chunks_exact(w).zip(scratch.chunks_exact_mut(w)) {
        out.copy_from_slice(row);
        add(&mut out[1..], &row[..w - 1]);
        add(&mut out[..w - 1], &row[1..]);
    }
    values.copy_from_slice(scratch);
    add(&mut values[w..], &scratch[..(h - 1) * w]);
    add(&mut values[..(h - 1) * w], &scratch[w..]);
    values.iter_mut().for_each(|v| *v /= 9.0);
}

/// The same over pairs of pixels that move together: `[pixels, pixels]`, by columns.
fn average_pairs(values: &mut [f64], scratch: &mut [f64], [h, w]: [usize; 2]) {
    let pixels = h * w;
    let column = |q: usize| q * pixels..(q + 1) * pixels;
    for q in 0..pixels {
        let x = q % w;
        let out = &mut scratch[column(q)];
        out.copy_from_slice(&values[column(q)]);
        for (neighbour, right) in [(x.checked_sub(1).map(|_| q - 1), false), ((x + 1 < w).then_some(q + 1), true)] {
            let Some(neighbour) = neighbour else { continue };
            let from = &values[column(neighbour)];
            for (out, row) in out.chunks_exact_mut(w).zip(from.chunks_exact(w)) {
                if right {
                    add(&mut out[..w - 1], &row[1..]);
                } else {
                    add(&mut out[1..], &row[..w - 1]);
                }
            }
        }
    }
    let shifted = (h - 1) * w;
    for q in 0..pixels {
        let out = &mut values[column(q)];
        out.copy_from_slice(&scratch[column(q)]);
        if let Some(above) = q.checked_sub(w) {
            add(&mut out[w..], &scratch[column(above)][..shifted]);
        }
        if q + w < pixels {
            add(&mut out[..shifted], &scratch[column(q + w)][w..]);
        }
        out.iter_mut().for_each(|v| *v /= 9.0);
    }
}

fn add(out: &mut [f64], more: &[f64]) {
    out.iter_mut().zip(more).for_each(|(o, m)| *o += m);
}
