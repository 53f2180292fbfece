//! Work on many things of which none depends on another: shared among threads with the feature `threads`, one after the
//! other without. What comes out is the same.

/// What `make` makes of 0, 1, .. `count`, in that order.
pub(super) fn each<T: Send>(count: usize, make: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
    #[cfg(feature = "threads")]
    {
        use rayon::prelude::*;
        (0..count).into_par_iter().map(make).collect()
    }
    #[cfg(not(feature = "threads"))]
    (0..count).map(make).collect()
}

/// Gives every item to `take`.
pub(super) fn take<T: Send>(items: Vec<T>, take: impl Fn(T) + Sync + Send) {
    #[cfg(feature = "threads")]
    {
        use rayon::prelude::*;
        items.into_par_iter().for_each(take);
    }
    #[cfg(not(feature = "threads"))]
    items.into_iter().for_each(take);
}
