//! Random numbers of a step, by counter.

use proc_macro2::TokenStream;
use quote::quote;

use super::element::whole;
use super::fields::Fields;
use super::{Interface, Options};
use crate::kernel::ir::Precision;

/// Fills the buffers of random numbers.
pub(super) fn random(interface: &Interface<'_>, options: &Options, fields: &Fields<'_>) -> TokenStream {
    let driven = options.runtime.is_some() && options.std;
    let unless_driven = driven.then(|| {
        quote!(if self.driven {
            return;
        })
    });
    let module = interface.module;
    let narrow = |value: TokenStream| match module.precision {
        Precision::F64 => value,
        Precision::F32 => quote!(#value as f32),
    };
    let fills = module.randoms.iter().map(|(buffer, random)| {
        let place = fields.write(*buffer);
        let (site, part) = (whole(random.site), whole(random.part));
        let from = random.units.first().copied().unwrap_or(0);
        let in_order = random.units.iter().enumerate().all(|(i, u)| *u == from + i as u32);
        if fields.len(*buffer) == 1 {
            let unit = whole(from);
            let value = narrow(quote!(uniform_pair(self.seed, #site, #unit, self.step)[#part]));
            return quote!(#place = #value;);
        }
        if in_order {
            let from = whole(from);
            let value = narrow(quote!(uniform_pair(self.seed, #site, unit, self.step)[#part]));
            return quote! {
                for (unit, value) in (#from..).zip(#place.iter_mut()) {
                    *value = #value;
                }
            };
        }
        let units = random.units.iter().map(|u| whole(*u));
        let value = narrow(quote!(uniform_pair(self.seed, #site, unit, self.step)[#part]));
        quote! {
            for (unit, value) in [#(#units),*].into_iter().zip(#place.iter_mut()) {
                *value = #value;
            }
        }
    });
    quote! {
        impl Model {
            /// Draws the random numbers of a step.
            #[inline(always)]
            fn randomise(&mut self) {
                #unless_driven
                #(#fills)*
            }
        }

        /// Two numbers for a place in the equations, a unit and a step: the first in (0, 1], the second in [0, 1).
        /// Philox4x32-10 by counter: J. Salmon, M. Moraes, R. Dror, D. Shaw, SC11 (2011).
        fn uniform_pair(seed: u64, site: u32, unit: u32, step: u64) -> [f64; 2] {
            const UNIT: f64 = 1.0 / (1u64 << 53) as f64;
            let mut counter = [step as u32, (step >> 32) as u32, unit, site];
            let mut key = [seed as u32, (seed >> 32) as u32];
            for round in 0..10 {
                if round > 0 {
                    key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
                }
                let (a, b) = (0xD251_1F53 * u64::from(counter[0]), 0xCD9E_8D57 * u64::from(counter[2]));
                let (high_a, high_b) = ((a >> 32) as u32, (b >> 32) as u32);
                counter = [high_b ^ counter[1] ^ key[0], b as u32, high_a ^ counter[3] ^ key[1], a as u32];
            }
            let whole = |high: u32, low: u32| (((u64::from(high) << 32) | u64::from(low)) >> 11) as f64;
            [(whole(counter[0], counter[1]) + 1.0) * UNIT, whole(counter[2], counter[3]) * UNIT]
        }
    }
}
