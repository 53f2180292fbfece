//! Instruction sets: the same code compiled for several, chosen at run time.

use crate::flush::Flush;

/// An instruction set this machine has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Isa {
    /// What the program was compiled for.
    Baseline,
    /// 256-bit vectors and fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 512-bit vectors.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Isa {
    /// The best one this machine has.
    pub fn detect() -> Isa {
        #[cfg(target_arch = "x86_64")]
        {
            let avx512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512bw");
            if avx512 {
                return Isa::Avx512;
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                return Isa::Avx2;
            }
        }
        Isa::Baseline
    }

    /// Whether it has 512-bit vectors.
    pub fn has_wide_vectors(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        return self == Isa::Avx512;
        #[cfg(not(target_arch = "x86_64"))]
        false
    }

    /// Runs work compiled for this instruction set.
    #[inline]
    pub fn run(self, work: impl Work) {
        match self {
            // SAFETY: `detect` found these instructions on this machine.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => unsafe { with_avx512(work) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => unsafe { with_avx2(work) },
            Isa::Baseline => work.run(),
        }
    }
}

/// Something that is compiled for several instruction sets. All it calls must be inlined into `run`, which therefore is
/// marked `#[inline(always)]` wherever it is implemented. (A closure is not always inlined, and then knows none of the
/// instructions.)
pub trait Work {
    /// Does it.
    fn run(self);
}

/// Runs work compiled for the best instruction set of this machine, with numbers below the normal ones flushed to zero:
/// what generated code calls.
#[inline]
pub fn dispatch(work: impl Work) {
    let _flush = Flush::on();
    Isa::detect().run(work);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")]
fn with_avx512(work: impl Work) {
    work.run();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn with_avx2(work: impl Work) {
    work.run();
}
