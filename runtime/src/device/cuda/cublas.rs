//! Products by cuBLAS, whose library is looked for when a model asks for it.

use cudarc::cublas::{result, sys};

use super::super::blas::{Call, Gemm, Gemv};
use crate::artifact::DeviceError;
use crate::program::Precision;

/// The library with what it needs on a device.
pub(super) struct Cublas {
    handle: sys::cublasHandle_t,
}

/// Whether the library is on this machine.
pub(super) fn check(present: bool) -> Result<(), DeviceError> {
    if present {
        return Ok(());
    }
    Err(DeviceError(
        "cuBLAS is not on this machine: its library (libcublas.so.12, cublas64_12.dll) was not found; install it with NVIDIA's \
         toolkit, or leave out `--engine cublas`: `--device cuda` needs the driver only"
            .into(),
    ))
}

impl Cublas {
    /// Opens the library on the context that is current.
    pub fn open(device: &str) -> Result<Cublas, DeviceError> {
        // SAFETY: it loads the library by name, whose initialisers are those of NVIDIA's toolkit, and unloads it again.
        check(unsafe { sys::is_culib_present() })?;
        let handle = result::create_handle()
            .map_err(|error| DeviceError(format!("{device}: cuBLAS does not start: {:?}", error.0)))?;
        Ok(Cublas { handle })
    }

    /// Computes a product, after all launches made so far: addresses of the matrix, the vectors and the results.
    ///
    /// # Safety
    ///
    /// The context is current on this thread, and the addresses are of memory in it as large as `call` says.
    pub unsafe fn multiply(&self, call: &Call, precision: Precision, addresses: [u64; 3]) -> Result<(), DeviceError> {
        const T: sys::cublasOperation_t = sys::cublasOperation_t::CUBLAS_OP_T;
        const N: sys::cublasOperation_t = sys::cublasOperation_t::CUBLAS_OP_N;
        let [a, b, c] = addresses;
        let handle = self.handle;
        // SAFETY: the caller's promise; the factors are read before the call returns, as the handle is left to read them from
        // the host.
        let done = unsafe {
            match (*call, precision) {
                (Call::Gemv(Gemv { m, n, lda }), Precision::F32) => {
                    result::sgemv(handle, T, m, n, &1.0, a as _, lda, b as _, 1, &0.0, c as _, 1)
                }
                (Call::Gemv(Gemv { m, n, lda }), Precision::F64) => {
                    result::dgemv(handle, T, m, n, &1.0, a as _, lda, b as _, 1, &0.0, c as _, 1)
                }
                (Call::Gemm(Gemm { m, n, k, lda, ldb, ldc }), Precision::F32) => {
                    result::sgemm(handle, T, N, m, n, k, &1.0, a as _, lda, b as _, ldb, &0.0, c as _, ldc)
                }
                (Call::Gemm(Gemm { m, n, k, lda, ldb, ldc }), Precision::F64) => {
                    result::dgemm(handle, T, N, m, n, k, &1.0, a as _, lda, b as _, ldb, &0.0, c as _, ldc)
                }
            }
        };
        done.map_err(|error| DeviceError(format!("cuBLAS failed at {call:?}: {:?}", error.0)))
    }
}

impl Drop for Cublas {
    fn drop(&mut self) {
        // SAFETY: the handle was created with it and nobody else has it.
        let _ = unsafe { result::destroy_handle(self.handle) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_library_is_named_with_what_to_do() {
        assert_eq!(check(true), Ok(()));
        let fault = check(false).unwrap_err().0;
        assert!(fault.contains("libcublas") && fault.contains("leave out `--engine cublas`"), "{fault}");
        // SAFETY: as in `open`.
        if unsafe { sys::is_culib_present() } {
            println!("skipped: opening it, this machine has cuBLAS");
        } else {
            assert_eq!(Cublas::open("cuda:0").err().expect("there is none").0, fault);
        }
    }
}
