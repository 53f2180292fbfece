//! How work is compiled for several instruction sets. The printed `unsafe` is the only one in generated code, and only in
//! code that depends on nothing; otherwise it is that of the runtime.

use proc_macro2::TokenStream;
use quote::quote;

use super::Options;

/// How work is compiled for several instruction sets.
pub(super) fn dispatch(options: &Options) -> TokenStream {
    match &options.runtime {
        Some(runtime) if options.std => quote!(use #runtime::isa::{Work, dispatch};),
        _ if options.std => quote! {
            /// Something that is compiled for several instruction sets; everything it calls is inlined into it.
            trait Work {
                fn run(self);
            }

            /// Has the processor count numbers below the normal ones as zero until it is dropped: arithmetic on them would
            /// take a hundred cycles.
            #[cfg(target_arch = "x86_64")]
            struct Flush(u32);

            #[cfg(target_arch = "x86_64")]
            impl Flush {
                fn on() -> Flush {
                    let mut before = 0u32;
                    comment!("SAFETY: stores the four bytes of the control register.");
                    unsafe { core::arch::asm!("stmxcsr [{}]", in(reg) &raw mut before, options(nostack)); }
                    Flush::set(before | 0x8040);
                    Flush(before)
                }

                fn set(control: u32) {
                    comment!("SAFETY: only the bits FTZ and DAZ change, which every x86-64 processor has; no constant is subnormal.");
                    unsafe { core::arch::asm!("ldmxcsr [{}]", in(reg) &raw const control, options(nostack)); }
                }
            }

            #[cfg(target_arch = "x86_64")]
            impl Drop for Flush {
                fn drop(&mut self) {
                    Flush::set(self.0);
                }
            }

            /// Runs work compiled for the best instruction set of this machine.
            fn dispatch(work: impl Work) {
                #[cfg(target_arch = "x86_64")]
                {
                    let _flush = Flush::on();
                    if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
                        comment!("SAFETY: this machine has the instructions.");
                        return unsafe { with_avx512(work) };
                    }
                    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                        comment!("SAFETY: as above.");
                        return unsafe { with_avx2(work) };
                    }
                }
                work.run();
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
        },
        _ => quote! {
            /// Something to do.
            trait Work {
                fn run(self);
            }

            /// Runs work, compiled for the instruction set of the build.
            #[inline(always)]
            fn dispatch(work: impl Work) {
                work.run();
            }
        },
    }
}
