//! What the standard library has and `core` has not, in integer arithmetic: correctly rounded, with results below the
//! normal numbers flushed to zero.

use proc_macro2::TokenStream;
use quote::quote;

use super::element::real;
use crate::kernel::ir::Precision;

/// A function by name.
pub(super) fn item(name: &str, precision: Precision) -> TokenStream {
    let real = real(precision);
    // Numbers from here on are whole.
    let (whole, integer) = match precision {
        Precision::F64 => (quote!(4_503_599_627_370_496.0), quote!(i64)),
        Precision::F32 => (quote!(8_388_608.0), quote!(i32)),
    };
    match (name, precision) {
        ("trunc", _) => quote! {
            /// The whole part.
            #[inline(always)]
            fn trunc(a: #real) -> #real {
                if a.abs() < #whole { ((a as #integer) as #real).copysign(a) } else { a }
            }
        },
        ("floor", _) => quote! {
            /// The largest whole number not above.
            #[inline(always)]
            fn floor(a: #real) -> #real {
                let whole = if a.abs() < #whole { ((a as #integer) as #real).copysign(a) } else { a };
                if whole > a { whole - 1.0 } else { whole }
            }
        },
        ("ceil", _) => quote! {
            /// The smallest whole number not below.
            #[inline(always)]
            fn ceil(a: #real) -> #real {
                let whole = if a.abs() < #whole { ((a as #integer) as #real).copysign(a) } else { a };
                if whole < a { whole + 1.0 } else { whole }
            }
        },
        ("round", _) => quote! {
            /// The nearest whole number, ties to even.
            #[inline(always)]
            fn round(a: #real) -> #real {
                let size: #real = #whole;
                let big = size.copysign(a);
                if a.abs() < size { ((a + big) - big).copysign(a) } else { a }
            }
        },
        ("sqrt", Precision::F64) => square_root(&quote! { sqrt }),
        ("sqrt", Precision::F32) => {
            let double = square_root(&quote! { sqrt_double });
            quote! {
                /// The square root. Rounding twice is innocuous: double precision has more than twice the digits.
                fn sqrt(a: f32) -> f32 {
                    sqrt_double(f64::from(a)) as f32
                }

                #double
            }
        }
        (_, Precision::F64) => quote! {
            /// `a * b + c`, rounded once, in integers of 128 bits.
            fn fma(a: f64, b: f64, c: f64) -> f64 {
                // The product of finite numbers is finite, also where a double cannot hold it.
                if a.is_finite() && b.is_finite() && c.is_infinite() {
                    return c;
                }
                if !(a.is_finite() && b.is_finite() && c.is_finite()) || a == 0.0 || b == 0.0 {
                    let sum = a * b + c;
                    return if sum.abs() < f64::MIN_POSITIVE { 0f64.copysign(sum) } else { sum };
                }
                let ((m, e), (n, f)) = (parts(a), parts(b));
                let first = raised(u128::from(m) * u128::from(n), e + f);
                let negative = a.is_sign_negative() != b.is_sign_negative();
                if c == 0.0 {
                    return rounded(first.0, first.1, negative);
                }
                let (k, g) = parts(c);
                let second = raised(u128::from(k), g);
                let other = c.is_sign_negative();
                let swap = (second.1, second.0) > (first.1, first.0);
                let (big, small) = if swap { (second, first) } else { (first, second) };
                let sign = if swap { other } else { negative };
                let shift = big.1.abs_diff(small.1);
                let lost = shift > 127 || small.0 & ((1u128 << shift) - 1) != 0;
                let small = if shift > 127 { 0 } else { small.0 >> shift } | u128::from(lost);
                if negative == other {
                    rounded(big.0 + small, big.1, sign)
                } else if big.0 == small {
                    0.0
                } else {
                    rounded(big.0 - small, big.1, sign)
                }
            }

            /// Digits and exponent of a number that is not 0.
            fn parts(a: f64) -> (u64, i32) {
                let bits = a.to_bits();
                let (digits, exponent) = (bits & ((1 << 52) - 1), ((bits >> 52) & 0x7ff) as i32);
                if exponent == 0 { (digits, -1074) } else { (digits | 1 << 52, exponent - 1075) }
            }

            /// The same with the highest bit at place 125.
            fn raised(digits: u128, exponent: i32) -> (u128, i32) {
                let up = digits.leading_zeros() - 2;
                (digits << up, exponent - up.cast_signed())
            }

            /// `digits 2^exponent` as a number.
            fn rounded(digits: u128, exponent: i32, negative: bool) -> f64 {
                let top = digits.ilog2();
                let (mut kept, mut exponent) = (digits, exponent + top.cast_signed());
                if top > 52 {
                    let down = top - 52;
                    let (rest, half) = (digits & ((1 << down) - 1), 1u128 << (down - 1));
                    kept = digits >> down;
                    if rest > half || rest == half && kept & 1 == 1 {
                        kept += 1;
                    }
                } else {
                    kept <<= 52 - top;
                }
                if kept >> 53 == 1 {
                    kept >>= 1;
                    exponent += 1;
                }
                let size = match exponent {
                    ..-1022 => 0.0,
                    1024.. => f64::INFINITY,
                    _ => f64::from_bits((u64::from((exponent + 1023).cast_unsigned()) << 52) | (kept as u64 & ((1 << 52) - 1))),
                };
                if negative { -size } else { size }
            }
        },
        (_, Precision::F32) => quote! {
            /// `a * b + c`, rounded once: the product is exact in double precision, the sum is rounded to odd there
            /// (S. Boldo, G. Melquiond, IEEE Trans. Computers 57(4), 2008).
            fn fma(a: f32, b: f32, c: f32) -> f32 {
                let (product, c) = (f64::from(a) * f64::from(b), f64::from(c));
                let sum = product + c;
                let back = sum - product;
                let error = (product - (sum - back)) + (c - back);
                if error == 0.0 || !sum.is_finite() || sum.to_bits() & 1 == 1 {
                    return sum as f32;
                }
                let outwards = (error > 0.0) == (sum > 0.0);
                f64::from_bits(if outwards { sum.to_bits() + 1 } else { sum.to_bits() - 1 }) as f32
            }
        },
    }
}

fn square_root(name: &TokenStream) -> TokenStream {
    quote! {
        /// The square root: that of an integer, rounded.
        fn #name(a: f64) -> f64 {
            if a.abs() < f64::MIN_POSITIVE {
                return 0f64.copysign(a);
            }
            if a < 0.0 || a.is_nan() {
                return f64::NAN;
            }
            if a.is_infinite() {
                return a;
            }
            let bits = a.to_bits();
            let (mut digits, mut exponent) = (bits & ((1 << 52) - 1) | 1 << 52, (bits >> 52) as i32 - 1075);
            if exponent % 2 != 0 {
                digits <<= 1;
                exponent -= 1;
            }
            let square = u128::from(digits) << 54;
            let root = square.isqrt();
            // The lowest bit is the first one that is rounded away; a tie is impossible.
            let kept = (root >> 1) + (root & 1);
            let power = f64::from_bits(u64::from(((exponent - 54) / 2 + 1 + 1023).cast_unsigned()) << 52);
            kept as f64 * power
        }
    }
}
