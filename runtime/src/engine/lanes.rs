//! Loops over vectors that gather their operands, which compilers do not make of plain loops.

/// What the loops need of a number format. Without 512-bit vectors there are none, and plain loops do the work.
pub trait Lanes: Copy {
    /// Numbers in a 512-bit vector.
    const LANES: usize;

    /// For each row `j` of `ring`, of `length` numbers (a power of two), and each `i`:
    /// `sums[i] += weights[j * stride + i] * ring[j, (now - delays[j * stride + i]) mod length]`, fused, where the weight
    /// is not 0.
    ///
    /// # Safety
    ///
    /// The processor has AVX-512 (F, DQ, VL, BW); the number of sums is a multiple of [`Lanes::LANES`]; rows of
    /// weights and delays are at least as long as the sums.
    #[cfg(target_arch = "x86_64")]
    unsafe fn add_past<D: Delay>(
        sums: &mut [Self],
        weights: &[Self],
        delays: &[D],
        stride: usize,
        ring: (&[Self], usize),
        now: u32,
    );

    /// The sums of [`Lanes::LANES`] targets whose entries are interleaved: `sums[l] = sum_k weights[k, l] *
    /// values[indices[k, l]]`, each term fused, where the index is not [`NONE`]; `weights` may be one for all.
    ///
    /// # Safety
    ///
    /// The processor has AVX-512 (F, DQ, VL); the number of indices is a multiple of [`Lanes::LANES`]; all of them but
    /// [`NONE`] are below `values.len()` and `2^31`; there is one weight, or as many as indices.
    #[cfg(target_arch = "x86_64")]
    unsafe fn gather(sums: &mut [Self], weights: &[Self], indices: &[u32], values: &[Self]);
}

/// An index that stands for no entry.
pub const NONE: u32 = u32::MAX;

/// A delay as it is stored.
pub trait Delay: super::pages::Plain {
    /// Largest delay.
    const MOST: usize;

    /// Rounds down to what can be stored; the caller keeps within [`Delay::MOST`].
    fn from_steps(steps: u32) -> Self;
    /// In steps.
    fn steps(self) -> u32;

    /// Eight delays as 32-bit numbers.
    ///
    /// # Safety
    ///
    /// The processor has AVX2; there are eight at `from`.
    #[cfg(target_arch = "x86_64")]
    unsafe fn eight(from: *const Self) -> std::arch::x86_64::__m256i;

    /// Sixteen delays as 32-bit numbers.
    ///
    /// # Safety
    ///
    /// The processor has AVX-512F; there are sixteen at `from`.
    #[cfg(target_arch = "x86_64")]
    unsafe fn sixteen(from: *const Self) -> std::arch::x86_64::__m512i;
}

macro_rules! delay {
    ($type:ty, $load_eight:ident, $eight:ident, $load_sixteen:ident, $sixteen:ident) => {
        impl Delay for $type {
            const MOST: usize = <$type>::MAX as usize;

            fn from_steps(steps: u32) -> $type {
                steps as $type
            }
            fn steps(self) -> u32 {
                u32::from(self)
            }

            #[cfg(target_arch = "x86_64")]
            #[inline]
            #[target_feature(enable = "avx2")]
            unsafe fn eight(from: *const $type) -> std::arch::x86_64::__m256i {
                use std::arch::x86_64::*;
                // SAFETY: the caller vouches for eight numbers.
                $eight(unsafe { $load_eight(from.cast()) })
            }

            #[cfg(target_arch = "x86_64")]
            #[inline]
            #[target_feature(enable = "avx512f")]
            unsafe fn sixteen(from: *const $type) -> std::arch::x86_64::__m512i {
                use std::arch::x86_64::*;
                // SAFETY: the caller vouches for sixteen numbers.
                $sixteen(unsafe { $load_sixteen(from.cast()) })
            }
        }
    };
}

delay!(u8, _mm_loadl_epi64, _mm256_cvtepu8_epi32, _mm_loadu_si128, _mm512_cvtepu8_epi32);
delay!(u16, _mm_loadu_si128, _mm256_cvtepu16_epi32, _mm256_loadu_si256, _mm512_cvtepu16_epi32);

impl Lanes for f64 {
    const LANES: usize = 8;

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
    unsafe fn add_past<D: Delay>(
        sums: &mut [f64],
        weights: &[f64],
        delays: &[D],
        stride: usize,
        ring: (&[f64], usize),
        now: u32,
    ) {
        use std::arch::x86_64::*;
        let (all, length) = ring;
        debug_assert!(length.is_power_of_two() && sums.len().is_multiple_of(8));
        let (now, last) = (_mm256_set1_epi32(now as i32), _mm256_set1_epi32(length as i32 - 1));
        for (j, row) in all.chunks_exact(length).enumerate() {
            let (weights, delays) = (&weights[j * stride..][..sums.len()], &delays[j * stride..][..sums.len()]);
            for i in (0..sums.len()).step_by(8) {
                // SAFETY: `weights`, `delays` and `sums` are of one length, a multiple of eight; indices are below `length`.
                unsafe {
                    let delay = D::eight(delays.as_ptr().add(i));
                    let index = _mm256_and_si256(_mm256_sub_epi32(now, delay), last);
                    let value = _mm512_i32gather_pd::<8>(index, row.as_ptr());
                    let weight = _mm512_loadu_pd(weights.as_ptr().add(i));
                    let sum = _mm512_loadu_pd(sums.as_ptr().add(i));
                    let some = _mm512_cmp_pd_mask::<_CMP_NEQ_UQ>(weight, _mm512_setzero_pd());
                    let sum = _mm512_mask3_fmadd_pd(weight, value, sum, some);
                    _mm512_storeu_pd(sums.as_mut_ptr().add(i), sum);
                }
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512dq,avx512vl")]
    unsafe fn gather(sums: &mut [f64], weights: &[f64], indices: &[u32], values: &[f64]) {
        use std::arch::x86_64::*;
        let mut sum = _mm512_setzero_pd();
        let one = _mm512_set1_pd(weights.first().copied().unwrap_or(0.0));
        for k in (0..indices.len()).step_by(8) {
            // SAFETY: there are eight indices from `k` on, and as many weights if there are several.
            unsafe {
                let index = _mm256_loadu_si256(indices.as_ptr().add(k).cast());
                let some = !_mm256_movepi32_mask(index);
                let value = _mm512_mask_i32gather_pd::<8>(_mm512_setzero_pd(), some, index, values.as_ptr());
                let weight = if weights.len() > 1 { _mm512_loadu_pd(weights.as_ptr().add(k)) } else { one };
                sum = _mm512_mask3_fmadd_pd(weight, value, sum, some);
            }
        }
        let mut all = [0.0; 8];
        // SAFETY: the array holds one vector.
        unsafe { _mm512_storeu_pd(all.as_mut_ptr(), sum) };
        sums.copy_from_slice(&all[..sums.len()]);
    }
}

impl Lanes for f32 {
    const LANES: usize = 16;

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
    unsafe fn add_past<D: Delay>(
        sums: &mut [f32],
        weights: &[f32],
        delays: &[D],
        stride: usize,
        ring: (&[f32], usize),
        now: u32,
    ) {
        use std::arch::x86_64::*;
        let (all, length) = ring;
        debug_assert!(length.is_power_of_two() && sums.len().is_multiple_of(16));
        let (now, last) = (_mm512_set1_epi32(now as i32), _mm512_set1_epi32(length as i32 - 1));
        for (j, row) in all.chunks_exact(length).enumerate() {
            let (weights, delays) = (&weights[j * stride..][..sums.len()], &delays[j * stride..][..sums.len()]);
            for i in (0..sums.len()).step_by(16) {
                // SAFETY: `weights`, `delays` and `sums` are of one length, a multiple of 16; indices are below `length`.
                unsafe {
                    let delay = D::sixteen(delays.as_ptr().add(i));
                    let index = _mm512_and_si512(_mm512_sub_epi32(now, delay), last);
                    let value = _mm512_i32gather_ps::<4>(index, row.as_ptr());
                    let weight = _mm512_loadu_ps(weights.as_ptr().add(i));
                    let sum = _mm512_loadu_ps(sums.as_ptr().add(i));
                    let some = _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(weight, _mm512_setzero_ps());
                    let sum = _mm512_mask3_fmadd_ps(weight, value, sum, some);
                    _mm512_storeu_ps(sums.as_mut_ptr().add(i), sum);
                }
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512dq,avx512vl")]
    unsafe fn gather(sums: &mut [f32], weights: &[f32], indices: &[u32], values: &[f32]) {
        use std::arch::x86_64::*;
        let mut sum = _mm512_setzero_ps();
        let one = _mm512_set1_ps(weights.first().copied().unwrap_or(0.0));
        for k in (0..indices.len()).step_by(16) {
            // SAFETY: there are 16 indices from `k` on, and as many weights if there are several.
            unsafe {
                let index = _mm512_loadu_si512(indices.as_ptr().add(k).cast());
                let some = !_mm512_movepi32_mask(index);
                let value = _mm512_mask_i32gather_ps::<4>(_mm512_setzero_ps(), some, index, values.as_ptr());
                let weight = if weights.len() > 1 { _mm512_loadu_ps(weights.as_ptr().add(k)) } else { one };
                sum = _mm512_mask3_fmadd_ps(weight, value, sum, some);
            }
        }
        let mut all = [0.0; 16];
        // SAFETY: the array holds one vector.
        unsafe { _mm512_storeu_ps(all.as_mut_ptr(), sum) };
        sums.copy_from_slice(&all[..sums.len()]);
    }
}
