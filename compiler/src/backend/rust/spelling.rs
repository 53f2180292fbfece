//! How the basic operations are written in Rust, and the functions that generated code brings along for them.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::quote;

use super::element::real;
use crate::ir::prim::{Prim, arith, bits};
use crate::kernel::ir::Precision;

/// The form of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Spelling {
    /// `a op b`
    Infix(&'static str),
    /// `-a`
    Negate,
    /// `a op b`, a truth value.
    Compare(&'static str),
    /// `a & b`
    Both,
    /// `a | b`
    Either,
    /// `!a`
    Neither,
    /// `if c { a } else { b }`
    Select,
    /// `name(..)`, a function of the prelude.
    Function(&'static str),
}

static SPELLINGS: &[(&Prim, Spelling)] = &[
    (&arith::ADD, Spelling::Infix("+")),
    (&arith::SUB, Spelling::Infix("-")),
    (&arith::MUL, Spelling::Infix("*")),
    (&arith::DIV, Spelling::Infix("/")),
    (&arith::NEG, Spelling::Negate),
    (&arith::LT, Spelling::Compare("<")),
    (&arith::LE, Spelling::Compare("<=")),
    (&arith::GT, Spelling::Compare(">")),
    (&arith::GE, Spelling::Compare(">=")),
    (&arith::EQ, Spelling::Compare("==")),
    (&arith::NE, Spelling::Compare("!=")),
    (&arith::AND, Spelling::Both),
    (&arith::OR, Spelling::Either),
    (&arith::NOT, Spelling::Neither),
    (&arith::SELECT, Spelling::Select),
    (&arith::FMA, Spelling::Function("fma")),
    (&arith::ABS, Spelling::Function("abs")),
    (&arith::SQRT, Spelling::Function("sqrt")),
    (&arith::FLOOR, Spelling::Function("floor")),
    (&arith::CEIL, Spelling::Function("ceil")),
    (&arith::ROUND, Spelling::Function("round")),
    (&arith::TRUNC, Spelling::Function("trunc")),
    (&arith::MIN, Spelling::Function("min")),
    (&arith::MAX, Spelling::Function("max")),
    (&bits::RAISE, Spelling::Function("raise")),
    (&bits::EXPONENT, Spelling::Function("exponent")),
    (&bits::MANTISSA, Spelling::Function("mantissa")),
    (&bits::XORSIGN, Spelling::Function("xorsign")),
    (&bits::ALTERNATE, Spelling::Function("alternate")),
];

/// Whether Rust has this function.
pub(super) fn has(prim: &Prim) -> bool {
    SPELLINGS.iter().any(|row| row.0 == prim)
}

/// The form of a function that Rust has.
pub(super) fn spelling(prim: &Prim) -> Spelling {
    let row = SPELLINGS.iter().find(|row| row.0 == prim);
    row.expect("`legalise` leaves only functions that the target has").1
}

/// The functions that a piece of code needs.
#[derive(Clone, Debug, Default)]
pub(super) struct Prelude {
    names: BTreeSet<&'static str>,
}

impl Prelude {
    /// Notes that a function is needed.
    pub fn add(&mut self, name: &'static str) {
        self.names.insert(name);
    }

    /// Their definitions.
    pub fn items(&self, precision: Precision, std: bool) -> TokenStream {
        let real = real(precision);
        let items = self.names.iter().map(|name| match *name {
            "truth" => quote! {
                /// 1 for true, 0 for false.
                #[inline(always)]
                fn truth(a: bool) -> #real {
                    if a { 1.0 } else { 0.0 }
                }
            },
            "slot" => quote! {
                /// The slot of a ring that was written `back` steps before a step.
                #[inline(always)]
                fn slot(step: u64, back: u64, ring: u64) -> usize {
                    ((step + ring - back) % ring) as usize
                }
            },
            "abs" => quote! {
                #[inline(always)]
                fn abs(a: #real) -> #real {
                    a.abs()
                }
            },
            "min" => quote! {
                /// The smaller of two; a NaN is ignored.
                #[inline(always)]
                fn min(a: #real, b: #real) -> #real {
                    if (a < b) | b.is_nan() { a } else { b }
                }
            },
            "max" => quote! {
                /// The larger of two; a NaN is ignored.
                #[inline(always)]
                fn max(a: #real, b: #real) -> #real {
                    if (a > b) | b.is_nan() { a } else { b }
                }
            },
            "matrix" | "matrix_with_gaps" => super::couple::item(name, precision),
            "raise" | "exponent" | "mantissa" | "xorsign" | "alternate" => layout(name, precision),
            rounding => {
                if std {
                    from_std(rounding, precision)
                } else {
                    super::soft::item(rounding, precision)
                }
            }
        });
        let aligned = self.names.iter().any(|name| name.starts_with("matrix")).then(super::couple::aligned);
        quote!(#(#items)* #aligned)
    }
}

/// What the standard library has as a method.
fn from_std(name: &str, precision: Precision) -> TokenStream {
    let real = real(precision);
    match name {
        "fma" => quote! {
            /// `a * b + c`, rounded once.
            #[inline(always)]
            fn fma(a: #real, b: #real, c: #real) -> #real {
                a.mul_add(b, c)
            }
        },
        "round" => quote! {
            /// The nearest whole number, ties to even.
            #[inline(always)]
            fn round(a: #real) -> #real {
                a.round_ties_even()
            }
        },
        _ => {
            let name = super::names::ident(name);
            quote! {
                #[inline(always)]
                fn #name(a: #real) -> #real {
                    a.#name()
                }
            }
        }
    }
}

/// What works on the layout of numbers.
fn layout(name: &str, precision: Precision) -> TokenStream {
    match (name, precision) {
        ("raise", Precision::F64) => quote! {
            /// 2^k of 1.5 * 2^52 + 1023 + k.
            #[inline(always)]
            fn raise(a: f64) -> f64 {
                f64::from_bits(a.to_bits() << 52)
            }
        },
        ("raise", Precision::F32) => quote! {
            /// 2^k of 1.5 * 2^23 + 127 + k.
            #[inline(always)]
            fn raise(a: f32) -> f32 {
                f32::from_bits(a.to_bits() << 23)
            }
        },
        ("exponent", Precision::F64) => quote! {
            /// The whole k with a = m 2^k, sqrt(1/2) < m <= sqrt(2).
            #[inline(always)]
            fn exponent(a: f64) -> f64 {
                let carried = a.to_bits().wrapping_add(0x3ff0_0000_0000_0000 - 0x3fe6_a09e_667f_3bcc);
                f64::from_bits((carried >> 52) | 0x4330_0000_0000_0000) - (4_503_599_627_370_496.0 + 1023.0)
            }
        },
        ("exponent", Precision::F32) => quote! {
            /// The whole k with a = m 2^k, sqrt(1/2) < m <= sqrt(2).
            #[inline(always)]
            fn exponent(a: f32) -> f32 {
                let carried = a.to_bits().wrapping_add(0x3f80_0000 - 0x3f35_04f3);
                f32::from_bits((carried >> 23) | 0x4b00_0000) - (8_388_608.0 + 127.0)
            }
        },
        ("mantissa", Precision::F64) => quote! {
            /// The m with a = m 2^k, sqrt(1/2) < m <= sqrt(2).
            #[inline(always)]
            fn mantissa(a: f64) -> f64 {
                let carried = a.to_bits().wrapping_add(0x3ff0_0000_0000_0000 - 0x3fe6_a09e_667f_3bcc);
                f64::from_bits((carried & !(u64::MAX << 52)) + 0x3fe6_a09e_667f_3bcc)
            }
        },
        ("mantissa", Precision::F32) => quote! {
            /// The m with a = m 2^k, sqrt(1/2) < m <= sqrt(2).
            #[inline(always)]
            fn mantissa(a: f32) -> f32 {
                let carried = a.to_bits().wrapping_add(0x3f80_0000 - 0x3f35_04f3);
                f32::from_bits((carried & !(u32::MAX << 23)) + 0x3f35_04f3)
            }
        },
        ("xorsign", Precision::F64) => quote! {
            /// `a` with its sign changed if the sign bit of `b` is set.
            #[inline(always)]
            fn xorsign(a: f64, b: f64) -> f64 {
                f64::from_bits(a.to_bits() ^ (b.to_bits() & (1 << 63)))
            }
        },
        ("xorsign", Precision::F32) => quote! {
            /// `a` with its sign changed if the sign bit of `b` is set.
            #[inline(always)]
            fn xorsign(a: f32, b: f32) -> f32 {
                f32::from_bits(a.to_bits() ^ (b.to_bits() & (1 << 31)))
            }
        },
        (_, Precision::F64) => quote! {
            /// `a` with its sign changed if the lowest bit of `b` is set.
            #[inline(always)]
            fn alternate(a: f64, b: f64) -> f64 {
                f64::from_bits(a.to_bits() ^ (b.to_bits() << 63))
            }
        },
        (_, Precision::F32) => quote! {
            /// `a` with its sign changed if the lowest bit of `b` is set.
            #[inline(always)]
            fn alternate(a: f32, b: f32) -> f32 {
                f32::from_bits(a.to_bits() ^ (b.to_bits() << 31))
            }
        },
    }
}
