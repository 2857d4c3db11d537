//! Work on parts of a result, in parallel where there are threads.

/// `work` on each chunk of `size` elements, by its number, with scratch memory that is made once and used again.
///
/// The threads are rayon's current pool, as for flex's own operations: whoever calls decides how many there are. A browser has none.
pub(super) fn each_chunk<E: Send, T>(
    data: &mut [E],
    size: usize,
    scratch: impl Fn() -> T + Send + Sync,
    work: impl Fn(&mut T, usize, &mut [E]) + Send + Sync,
) {
    #[cfg(not(target_arch = "wasm32"))]
    {
        use rayon::prelude::*;
        data.par_chunks_mut(size).enumerate().for_each_init(scratch, |scratch, (i, chunk)| work(scratch, i, chunk));
    }
    #[cfg(target_arch = "wasm32")]
    {
        let mut scratch = scratch();
        data.chunks_mut(size).enumerate().for_each(|(i, chunk)| work(&mut scratch, i, chunk));
    }
}
