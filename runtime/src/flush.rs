//! Numbers below the normal ones count as zero: every result that is below the smallest normal number, when rounded as if
//! exponents had no lower bound, becomes a zero of its sign, and so does every number that enters a program. Arithmetic on
//! subnormal numbers would take a hundred cycles.
//!
//! On x86-64 the processor does this for results (FTZ and DAZ in MXCSR: Intel 64 and IA-32 Architectures Software
//! Developer's Manual, volume 1, section 10.2.3) while a [`Flush`] lives; elsewhere the functions of this file do.

#[cfg(target_arch = "x86_64")]
use std::arch::asm;

/// Has this thread flush until it is dropped, then restores what was before.
pub struct Flush {
    #[cfg(target_arch = "x86_64")]
    before: u32,
}

/// Flush results to zero, and count subnormal operands as zero.
#[cfg(target_arch = "x86_64")]
const FTZ_DAZ: u32 = 1 << 15 | 1 << 6;

impl Flush {
    /// Flushes from now on.
    pub fn on() -> Flush {
        #[cfg(target_arch = "x86_64")]
        {
            let before = control();
            if before & FTZ_DAZ != FTZ_DAZ {
                set_control(before | FTZ_DAZ);
            }
            Flush { before }
        }
        #[cfg(not(target_arch = "x86_64"))]
        Flush {}
    }

    /// Flushes for as long as this thread lives.
    pub fn for_good() {
        std::mem::forget(Flush::on());
    }
}

impl Drop for Flush {
    fn drop(&mut self) {
        #[cfg(target_arch = "x86_64")]
        if self.before & FTZ_DAZ != FTZ_DAZ {
            set_control(self.before);
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn control() -> u32 {
    let mut value = 0u32;
    // SAFETY: stores the register's four bytes in `value`.
    unsafe { asm!("stmxcsr [{}]", in(reg) &mut value, options(nostack)) };
    value
}

#[cfg(target_arch = "x86_64")]
fn set_control(value: u32) {
    // SAFETY: only the two bits above differ from what the register held, and both are allowed on every x86-64 processor.
    // The compiler takes for granted that they are clear: what runs in between computes with numbers that it reads from
    // memory and writes back, which it cannot move across this statement, and never with constants that are subnormal.
    unsafe { asm!("ldmxcsr [{}]", in(reg) &value, options(nostack)) };
}

/// The rule in software, for a number format.
pub trait Flushed: Sized {
    /// A result that no smaller numbers would have changed: of a sum, or a number that enters.
    fn flushed(self) -> Self;
    /// `a * b`
    fn flushed_mul(self, b: Self) -> Self;
    /// `a / b`
    fn flushed_div(self, b: Self) -> Self;
    /// `a * b + c` with one rounding.
    fn flushed_fma(self, b: Self, c: Self) -> Self;
}

macro_rules! flushed {
    ($type:ty) => {
        impl Flushed for $type {
            #[inline(always)]
            fn flushed(self) -> Self {
                if self.abs() < <$type>::MIN_POSITIVE { <$type>::copysign(0.0, self) } else { self }
            }

            #[inline(always)]
            fn flushed_mul(self, b: Self) -> Self {
                settle!($type, self * b, |scale: $type| {
                    if self.abs() < b.abs() { self * scale * b } else { self * (b * scale) }
                })
            }

            #[inline(always)]
            fn flushed_div(self, b: Self) -> Self {
                settle!($type, self / b, |scale: $type| self * scale / b)
            }

            #[inline(always)]
            fn flushed_fma(self, b: Self, c: Self) -> Self {
                settle!($type, self.mul_add(b, c), |scale: $type| {
                    if self.abs() < b.abs() {
                        (self * scale).mul_add(b, c * scale)
                    } else {
                        self.mul_add(b * scale, c * scale)
                    }
                })
            }
        }
    };
}

/// Flushes a result; the smallest normal number is one if it still is when scaled, where smaller numbers have all digits.
macro_rules! settle {
    ($type:ty, $result:expr, $scaled:expr) => {{
        let (result, least) = ($result, <$type>::MIN_POSITIVE);
        let scale = 18_446_744_073_709_551_616.0;
        if result.abs() == least && $scaled(scale).abs() < least * scale {
            <$type>::copysign(0.0, result)
        } else {
            result.flushed()
        }
    }};
}

flushed!(f32);
flushed!(f64);

/// Rounds to single precision.
#[inline(always)]
pub fn narrow(value: f64) -> f32 {
    // Halfway to the next number below the smallest normal one, were there one; the tie rounds up.
    const LEAST: f64 = f32::MIN_POSITIVE as f64 * (1.0 - f32::EPSILON as f64 / 4.0);
    if value.abs() < LEAST { f32::copysign(0.0, value as f32) } else { value as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of all signs whose products and quotients are near the smallest normal number, among others.
    fn numbers() -> Vec<f64> {
        // Digits of the golden ratio's multiples: spread evenly, with all bits in use.
        let digits = (0..400u64).map(|k| f64::from_bits(0x3ff << 52 | k.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 12));
        let special = [1.0, 1.0f64.next_up(), 1.0f64.next_up().next_up(), 2.0f64.next_down(), 1.5];
        let all = digits.chain(special).enumerate();
        all.map(|(k, d)| if k % 3 == 0 { -d } else { d }).collect()
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn the_processor_flushes_by_the_same_rule() {
        let numbers = numbers();
        let mut flushed = 0;
        // Factors 2^low and 2^(-1022 - low + shift).
        for (low, shift) in [(-511, 0), (-1000, -1), (-1022, 0), (-1, -1), (-511, -2), (-200, 1)] {
            for a in &numbers {
                for b in &numbers {
                    let (x, y) = (a * 2f64.powi(low), (b * 2f64.powi(-1022 - low + shift)).flushed());
                    let (u, v) = ((a * 2f64.powi(-100)) as f32, (b * 2f64.powi(-26 + shift)) as f32);
                    let (p, q) = (1.0 / y, 1.0 / v);
                    let (c, d) = ((-0.5 * y).flushed(), (-0.5 * u).flushed());
                    let w = f64::from(u) * f64::from(v);
                    let software = (
                        [x.flushed_mul(y), x.flushed_div(p), x.flushed_fma(y, c), x.flushed_fma(y, 0.0)],
                        [u.flushed_mul(v), u.flushed_div(q), u.flushed_fma(v, d), u.flushed_fma(v, 0.0)],
                        [(x + y).flushed(), (x - y).flushed()],
                        narrow(w),
                    );
                    let on = Flush::on();
                    // Computed here and now.
                    let (x, y, p, c) = std::hint::black_box((x, y, p, c));
                    let (u, v, q, d, w) = std::hint::black_box((u, v, q, d, w));
                    let hardware = std::hint::black_box((
                        [x * y, x / p, x.mul_add(y, c), x.mul_add(y, 0.0)],
                        [u * v, u / q, u.mul_add(v, d), u.mul_add(v, 0.0)],
                        [x + y, x - y],
                        w as f32,
                    ));
                    drop(on);
                    let doubles = |r: &([f64; 4], [f32; 4], [f64; 2], f32)| {
                        [r.0[0], r.0[1], r.0[2], r.0[3], r.2[0], r.2[1]].map(f64::to_bits)
                    };
                    let singles = |r: &([f64; 4], [f32; 4], [f64; 2], f32)| {
                        [r.1[0], r.1[1], r.1[2], r.1[3], r.3].map(f32::to_bits)
                    };
                    assert_eq!(doubles(&software), doubles(&hardware), "{x:e} {y:e}");
                    assert_eq!(singles(&software), singles(&hardware), "{u:e} {v:e}");
                    flushed += usize::from(software.0[0] == 0.0);
                }
            }
        }
        assert!(flushed > 100_000, "{flushed}");
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn what_was_before_is_restored() {
        let smallest = std::hint::black_box(f64::MIN_POSITIVE);
        assert!(std::hint::black_box(smallest * 0.5) > 0.0);
        let outer = Flush::on();
        drop(Flush::on());
        assert_eq!(control() & FTZ_DAZ, FTZ_DAZ, "the inner one leaves it on");
        drop(outer);
        assert_eq!(control() & FTZ_DAZ, 0);
        let panicked = std::panic::catch_unwind(|| {
            let _flush = Flush::on();
            panic!("on purpose");
        });
        assert!(panicked.is_err());
        assert_eq!(control() & FTZ_DAZ, 0);
    }
}
