//! 3×3 convolutions with a padding of 1, and their gradients.
//!
//! A block of images is laid out with its padding, plane after plane, and for a stride of 2 its even and odd rows and
//! columns apart. What a tap of the kernel reads for all pixels of a block is then one flat run of values at an offset, and
//! all three products (the output, the gradients of input and weight) multiply such runs: no im2col and no edges. The price
//! is a few pixels between rows and between images that are computed and thrown away (or multiplied by zero: an infinite
//! input can make more of the weight's gradient NaN than it should).
//!
//! Sums have an order that does not depend on the threads, so neither do the results.

use pulp::{Arch, Simd, WithSimd};

use super::parallel::each_chunk;

/// Channels and vectors of pixels whose sums are in registers at a time.
const ROWS: usize = 4;
const VECTORS: usize = 3;
/// Runs have a multiple of this length: of `VECTORS` vectors of 4, 8 or 16 values.
const GRAIN: usize = 48;
/// Pixels of a block of small images: enough for long runs, few enough for the caches.
const BLOCK: usize = 1024;
/// The weight's gradient has at most so many partial sums.
const PARTS: usize = 16;
const TAPS: usize = 9;

/// A convolution of `[images, groups·channels[0], size[0], size[1]]` by `[groups·channels[1], channels[0], 3, 3]`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Convolution {
    pub images: usize,
    pub groups: usize,
    /// Of a group: in, out.
    pub channels: [usize; 2],
    /// Height and width of the input.
    pub size: [usize; 2],
    /// 1 or 2.
    pub stride: usize,
}

/// Its input or its output, and how a block has it: pixel (y, x) is in row and column `(y + pad) / stride`, `(x + pad) / stride`
/// of the plane of its phase, the remainders.
#[derive(Clone, Copy)]
struct Side {
    channels: usize,
    size: [usize; 2],
    stride: usize,
    pad: usize,
}

impl Side {
    fn area(self) -> usize {
        self.size[0] * self.size[1]
    }

    /// Planes of a block: a channel's phases lie side by side.
    fn planes(self) -> usize {
        self.channels * self.stride * self.stride
    }
}

/// A matrix product that gives one phase of a result.
struct Product {
    phase: [usize; 2],
    /// Where the runs that are summed begin in the block.
    offsets: Vec<usize>,
    /// Their factors and what they are added to, [`pack`]ed, one group after another.
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Convolution {
    /// Height and width of the output.
    pub fn output(&self) -> [usize; 2] {
        self.size.map(|n| n.div_ceil(self.stride))
    }

    fn sides(&self) -> [Side; 2] {
        let [c_in, c_out] = self.channels;
        [
            Side { channels: c_in, size: self.size, stride: self.stride, pad: 1 },
            Side { channels: c_out, size: self.output(), stride: 1, pad: 2 - self.stride },
        ]
    }

    /// Values of an image, all groups together.
    fn image(&self, side: Side) -> usize {
        self.groups * side.channels * side.area()
    }

    /// From a row of a block to the next.
    fn pitch(&self) -> usize {
        self.output()[1] + 3 - self.stride
    }

    /// From an image of a block to the next.
    fn plane(&self) -> usize {
        (self.output()[0] + 3 - self.stride) * self.pitch()
    }

    /// Images of a block.
    fn block(&self) -> usize {
        (BLOCK / self.plane()).clamp(1, self.images.max(1))
    }

    /// Length of the runs for this many images.
    fn run(&self, images: usize) -> usize {
        let [height, width] = self.output();
        ((images - 1) * self.plane() + (height - 1) * self.pitch() + width).next_multiple_of(GRAIN)
    }

    /// From a channel or phase of a block to the next: a run at the largest offset ends before.
    fn span(&self) -> usize {
        self.run(self.block()) + (3 - self.stride) * (self.pitch() + 1)
    }

    /// Where the runs that the taps read begin in a block of the input, channel by channel.
    fn offsets(&self) -> Vec<usize> {
        let (s, span, pitch) = (self.stride, self.span(), self.pitch());
        let tap = |y: usize, x: usize| (y % s * s + x % s) * span + y / s * pitch + x / s;
        (0..self.channels[0] * TAPS).map(|i| i / TAPS * s * s * span + tap(i % TAPS / 3, i % 3)).collect()
    }

    /// The output, of `x`, `weight` and `bias`, `[groups·channels[1]]`.
    pub fn forward(&self, x: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
        let [input, output] = self.sides();
        let (rows, columns) = (output.channels, input.channels * TAPS);
        let weight = weight.chunks_exact(rows * columns).flat_map(|w| pack(rows, columns, |r, c| w[r * columns + c]));
        let bias = bias.chunks_exact(rows).flat_map(|b| pack(rows, 1, |r, _| b[r]));
        let product =
            Product { phase: [0, 0], offsets: self.offsets(), weight: weight.collect(), bias: bias.collect() };
        self.multiply(input, x, output, &[product])
    }

    /// The gradient of the input, of the output's.
    pub fn input_gradient(&self, weight: &[f32], gradient: &[f32]) -> Vec<f32> {
        let [input, output] = self.sides();
        let s = self.stride;
        let products = (0..s * s).map(|phase| {
            let phase = [phase / s, phase % s];
            // Row s·i + p of the input meets row `tap` of the kernel in row i + (p + 1 − tap) / s of the output.
            let meets = |p: usize| {
                let taps = (0..3).filter(move |tap| (p + 1 + tap).is_multiple_of(s));
                taps.map(move |tap| (tap, (p + 3 - s - tap) / s))
            };
            let taps: Vec<(usize, usize)> = meets(phase[0])
                .flat_map(|(ty, y)| meets(phase[1]).map(move |(tx, x)| (ty * 3 + tx, y * self.pitch() + x)))
                .collect();
            let (rows, columns) = (input.channels, output.channels * taps.len());
            let at = |column: usize| (column / taps.len(), taps[column % taps.len()]);
            let weight = weight.chunks_exact(self.channels[0] * self.channels[1] * TAPS).flat_map(|w| {
                pack(rows, columns, |r, c| {
                    let (channel, (tap, _)) = at(c);
                    w[(channel * rows + r) * TAPS + tap]
                })
            });
            Product {
                phase,
                weight: weight.collect(),
                bias: vec![0.0; self.groups * rows.next_multiple_of(ROWS)],
                offsets: (0..columns).map(at).map(|(channel, (_, offset))| channel * self.span() + offset).collect(),
            }
        });
        self.multiply(output, gradient, input, &products.collect::<Vec<_>>())
    }

    /// The gradients of weight and bias, of the output's.
    pub fn parameter_gradients(&self, x: &[f32], gradient: &[f32]) -> [Vec<f32>; 2] {
        let [input, output] = self.sides();
        let (offsets, span, block) = (self.offsets(), self.span(), self.block());
        let rows = output.channels.next_multiple_of(ROWS);
        let columns = offsets.len() + 1;
        let images = self.images.div_ceil(block).div_ceil(PARTS).max(1) * block;
        let mut parts = vec![0.0; self.images.div_ceil(images) * self.groups * rows * columns];
        let scratch = || (vec![0.0; input.planes() * span], vec![0.0; rows * span]);
        each_chunk(&mut parts, self.groups * rows * columns, scratch, |(x_block, block_gradient), part, sums| {
            let blocks = |values, side| {
                let size = self.image(side);
                part_of(values, part * images * size, images * size).chunks(block * size)
            };
            for (x, gradient) in blocks(x, input).zip(blocks(gradient, output)) {
                let count = x.len() / self.image(input);
                if count < block {
                    block_gradient.fill(0.0);
                }
                for (group, sums) in sums.chunks_exact_mut(rows * columns).enumerate() {
                    self.lay_out(input, x, group, x_block);
                    self.lay_out(output, gradient, group, block_gradient);
                    Arch::new().dispatch(Correlate {
                        block: x_block,
                        offsets: &offsets,
                        rows: &block_gradient[output.pad * (self.pitch() + 1)..],
                        span,
                        run: self.run(count),
                        sums,
                    });
                }
            }
        });
        let mut sums = vec![0.0; self.groups * rows * columns];
        for part in parts.chunks_exact(sums.len()) {
            sums.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
        }
        let rows = sums.chunks_exact(rows * columns).flat_map(|g| g.chunks_exact(columns).take(output.channels));
        let [weight, bias] = [0..columns - 1, columns - 1..columns]
            .map(|range| rows.clone().flat_map(|row| row[range.clone()].iter().copied()).collect());
        [weight, bias]
    }

    /// The products of what is laid out of `source`, brought together in a new tensor of the other side.
    fn multiply(&self, from: Side, source: &[f32], to: Side, products: &[Product]) -> Vec<f32> {
        let (span, images, size) = (self.span(), self.block(), self.image(to));
        let rows = to.channels.next_multiple_of(ROWS);
        let mut out = vec![0.0; self.images * size];
        let scratch = || (vec![0.0; from.planes() * span], vec![0.0; rows * span]);
        each_chunk(&mut out, images * size, scratch, |(block, result), index, out| {
            let count = out.len() / size;
            let source = part_of(source, index * images * self.image(from), count * self.image(from));
            for group in 0..self.groups {
                self.lay_out(from, source, group, block);
                for Product { phase, offsets, weight, bias } in products {
                    Arch::new().dispatch(Multiply {
                        weight: part_of(weight, group * rows * offsets.len(), rows * offsets.len()),
                        bias: part_of(bias, group * rows, rows),
                        block,
                        offsets,
                        rows: result,
                        span,
                        run: self.run(count),
                    });
                    self.gather(to, *phase, result, group, out);
                }
            }
        });
        out
    }

    /// A group's channels of some images into a block.
    fn lay_out(&self, side: Side, images: &[f32], group: usize, block: &mut [f32]) {
        let Side { channels, size: [_, width], stride, pad } = side;
        let (area, span) = (side.area(), self.span());
        for (i, image) in images.chunks_exact(self.image(side)).enumerate() {
            let image = &image[group * channels * area..];
            for (channel, to) in image.chunks_exact(area).zip(block.chunks_exact_mut(stride * stride * span)) {
                for (y, row) in channel.chunks_exact(width).enumerate() {
                    let at = (y + pad) % stride * stride * span + i * self.plane() + (y + pad) / stride * self.pitch();
                    if stride == 1 {
                        to[at + pad..][..width].copy_from_slice(row);
                        continue;
                    }
                    for first in 0..2.min(width) {
                        let to = &mut to[at + (first + pad) % stride * span + (first + pad) / stride..];
                        let (pairs, last) = row[first..].as_chunks::<2>();
                        to.iter_mut().zip(pairs).for_each(|(to, pair)| *to = pair[0]);
                        if let [last] = last {
                            to[pairs.len()] = *last;
                        }
                    }
                }
            }
        }
    }

    /// A phase of a group's channels out of a block, into some images.
    fn gather(&self, side: Side, phase: [usize; 2], block: &[f32], group: usize, images: &mut [f32]) {
        let Side { channels, size: [_, width], stride, .. } = side;
        let area = side.area();
        for (i, image) in images.chunks_exact_mut(self.image(side)).enumerate() {
            let image = &mut image[group * channels * area..][..channels * area];
            for (channel, from) in image.chunks_exact_mut(area).zip(block.chunks_exact(self.span())) {
                let rows = channel.chunks_exact_mut(width).skip(phase[0]).step_by(stride);
                for (row, from) in rows.zip(from[i * self.plane()..].chunks(self.pitch())) {
                    if stride == 1 {
                        row.copy_from_slice(&from[..width]);
                    } else {
                        row.iter_mut().skip(phase[1]).step_by(2).zip(from).for_each(|(to, value)| *to = *value);
                    }
                }
            }
        }
    }
}

/// At most `length` values from `start` on.
fn part_of(values: &[f32], start: usize, length: usize) -> &[f32] {
    &values[start..(start + length).min(values.len())]
}

/// A matrix by blocks of `ROWS` rows, column after column, with zeros below its last row.
fn pack(rows: usize, columns: usize, at: impl Fn(usize, usize) -> f32) -> Vec<f32> {
    let mut packed = vec![0.0; rows.next_multiple_of(ROWS) * columns];
    for row in 0..rows {
        for column in 0..columns {
            packed[(row / ROWS * columns + column) * ROWS + row % ROWS] = at(row, column);
        }
    }
    packed
}

/// Adds products of factors and values. Written out: compiled for size, as for a page, loops would keep the sums in memory.
#[inline(always)]
fn add<S: Simd>(
    simd: S,
    [a, b, c, d]: [[S::f32s; VECTORS]; ROWS],
    factors: [S::f32s; ROWS],
    values: [S::f32s; VECTORS],
) -> [[S::f32s; VECTORS]; ROWS] {
    [
        add_row(simd, a, factors[0], values),
        add_row(simd, b, factors[1], values),
        add_row(simd, c, factors[2], values),
        add_row(simd, d, factors[3], values),
    ]
}

#[inline(always)]
fn add_row<S: Simd>(
    simd: S,
    sums: [S::f32s; VECTORS],
    factor: S::f32s,
    values: [S::f32s; VECTORS],
) -> [S::f32s; VECTORS] {
    let [a, b, c] = sums;
    let [x, y, z] = values;
    [simd.mul_add_e_f32s(factor, x, a), simd.mul_add_e_f32s(factor, y, b), simd.mul_add_e_f32s(factor, z, c)]
}

/// `rows[r][p] = bias[r] + Σ_k weight[r][k] · block[offsets[k] + p]` for p in a run.
struct Multiply<'a> {
    weight: &'a [f32],
    bias: &'a [f32],
    block: &'a [f32],
    offsets: &'a [usize],
    rows: &'a mut [f32],
    span: usize,
    run: usize,
}

impl WithSimd for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { weight, bias, block, offsets, rows, span, run } = self;
        let step = VECTORS * S::F32_LANES;
        for at in (0..run).step_by(step) {
            let (weight, bias) = (weight.chunks_exact(ROWS * offsets.len()), bias.as_chunks::<ROWS>().0);
            for ((rows, weight), bias) in rows.chunks_exact_mut(ROWS * span).zip(weight).zip(bias) {
                let mut sums = bias.map(|b| [simd.splat_f32s(b); VECTORS]);
                for (&[a, b, c, d], offset) in weight.as_chunks::<ROWS>().0.iter().zip(offsets) {
                    let &[x, y, z] = S::as_simd_f32s(&block[offset + at..][..step]).0 else { break };
                    let factors = [simd.splat_f32s(a), simd.splat_f32s(b), simd.splat_f32s(c), simd.splat_f32s(d)];
                    sums = add(simd, sums, factors, [x, y, z]);
                }
                for (row, sums) in rows.chunks_exact_mut(span).zip(sums) {
                    S::as_mut_simd_f32s(&mut row[at..][..step]).0.copy_from_slice(&sums);
                }
            }
        }
    }
}

/// `sums[r][k] += Σ_p rows[r][p] · block[offsets[k] + p]` over p in a run; in a last column `Σ_p rows[r][p]`.
struct Correlate<'a> {
    block: &'a [f32],
    offsets: &'a [usize],
    rows: &'a [f32],
    span: usize,
    run: usize,
    sums: &'a mut [f32],
}

impl WithSimd for Correlate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { block, offsets, rows, span, run, sums } = self;
        let n = run / S::F32_LANES;
        let columns = offsets.len() + 1;
        let zero = simd.splat_f32s(0.0);
        for (rows, sums) in rows.chunks(ROWS * span).zip(sums.chunks_exact_mut(ROWS * columns)) {
            let rows: [&[S::f32s]; ROWS] = std::array::from_fn(|r| &S::as_simd_f32s(&rows[r * span..][..run]).0[..n]);
            let [a, b, c, d] = rows;
            for (k, offsets) in offsets.as_chunks::<VECTORS>().0.iter().enumerate() {
                let [x, y, z] = offsets.map(|offset| &S::as_simd_f32s(&block[offset..][..run]).0[..n]);
                let mut totals = [[zero; VECTORS]; ROWS];
                for p in 0..n {
                    totals = add(simd, totals, [a[p], b[p], c[p], d[p]], [x[p], y[p], z[p]]);
                }
                for (sums, totals) in sums.chunks_exact_mut(columns).zip(totals) {
                    for (sum, total) in sums[k * VECTORS..].iter_mut().zip(totals) {
                        *sum += simd.reduce_sum_f32s(total);
                    }
                }
            }
            for (sums, row) in sums.chunks_exact_mut(columns).zip(rows) {
                sums[columns - 1] += simd.reduce_sum_f32s(row.iter().fold(zero, |sum, v| simd.add_f32s(sum, *v)));
            }
        }
    }
}
