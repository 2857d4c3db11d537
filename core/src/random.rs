//! Named, independent random streams of one seed.
//!
//! ChaCha is counter-based: a stream is a pure function of `(seed, stream, index)`, so nothing but
//! the step counter has to be saved for a resumed run to draw what an unbroken one draws.

use rand::SeedableRng;
pub(crate) use rand_chacha::ChaCha8Rng;

/// What a random number is drawn for. Streams never share numbers.
#[derive(Clone, Copy)]
pub(crate) enum Stream {
    /// Which examples a subset keeps.
    Subset = 1,
    /// Which labels are corrupted, and to what.
    LabelNoise = 2,
    /// The initial weights; the index is the parameter's position in the layout.
    Init = 3,
    /// The order of the examples; the index is the epoch (or the step, with replacement).
    Batch = 4,
    /// Bootstrap resamples.
    Bootstrap = 5,
    /// The examples on which a λ schedule watches training; the index is the step.
    Probe = 6,
    /// How a batch's examples are varied; the index is the step.
    Augmentation = 7,
    /// What dropout drops; the index is the step and the layer.
    Dropout = 8,
    /// The exchange of times between λ; the index is the draw.
    Placebo = 9,
}

/// The generator of `stream` at `index` for `seed`.
pub(crate) fn stream(seed: u64, stream: Stream, index: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // 2^56 indices a stream: far more steps than any run has.
    rng.set_stream(((stream as u64) << 56) | (index & ((1 << 56) - 1)));
    rng
}
