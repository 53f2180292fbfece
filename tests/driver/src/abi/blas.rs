//! As much of cuBLAS as is called: the same library is found under both names.

use super::{Handle, give, handle};
use crate::codes::{self, Code};
use crate::context::{LEGACY, Object, Work};
use crate::product::Product;
use crate::state::call;

/// `CUBLAS_STATUS_INVALID_VALUE`
const REFUSED: i32 = 7;

/// `CUBLAS_OP_N` and `CUBLAS_OP_T`
const OPERATIONS: [u32; 2] = [0, 1];

/// The status for what a call of the driver's would return.
fn status(code: i32) -> i32 {
    if code == codes::SUCCESS.0 { 0 } else { REFUSED }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cublasCreate_v2(library: *mut Handle) -> i32 {
    status(call("cublasCreate_v2", |state| {
        let added = state.add(Object::Library)?;
        // SAFETY: as the interface says (see the top of `abi`); so below.
        unsafe { give(library, handle(added)) }
    }))
}

#[unsafe(no_mangle)]
pub extern "C" fn cublasDestroy_v2(library: Handle) -> i32 {
    status(call("cublasDestroy_v2", |state| {
        let (_, context) = state.current()?;
        match context.objects.get(&library.addr()) {
            Some(Object::Library) => context.objects.remove(&library.addr()).map_or(Ok(()), |_| Ok(())),
            _ => Err(codes::ERROR_INVALID_HANDLE),
        }
    }))
}

/// A product as it is asked for, sides and leading dimensions as BLAS counts.
struct Asked<T> {
    library: Handle,
    operations: [u32; 2],
    sides: [i32; 3],
    /// `A`, `B`, `C`
    leading: [i32; 3],
    addresses: [*const T; 3],
    /// `alpha`, `beta`
    factors: [*const T; 2],
}

/// Submits a product.
///
/// # Safety
///
/// Factors are null, or places of a number.
unsafe fn product<T: Copy + Into<f64>>(name: &'static str, asked: Asked<T>) -> i32 {
    status(call(name, |state| {
        let (script, context) = state.current()?;
        if !matches!(context.objects.get(&asked.library.addr()), Some(Object::Library)) {
            return Err(codes::ERROR_INVALID_HANDLE);
        }
        if asked.factors.iter().any(|factor| factor.is_null()) {
            return Err(codes::ERROR_INVALID_VALUE);
        }
        // SAFETY: the caller's promise, and they are not null.
        let factors: [f64; 2] = asked.factors.map(|factor| unsafe { factor.read() }.into());
        if factors != [1.0, 0.0] || asked.operations != [OPERATIONS[1], OPERATIONS[0]] {
            return Err(codes::ERROR_NOT_SUPPORTED);
        }
        let number = |number: i32| usize::try_from(number).ok().filter(|n| *n > 0);
        let numbers = |list: [i32; 3]| -> Result<[usize; 3], Code> {
            let [Some(a), Some(b), Some(c)] = list.map(number) else { return Err(codes::ERROR_INVALID_VALUE) };
            Ok([a, b, c])
        };
        let (sides, leading) = (numbers(asked.sides)?, numbers(asked.leading)?);
        let [m, _, k] = sides;
        if leading[0] < k || leading[1] < k || leading[2] < m {
            return Err(codes::ERROR_INVALID_VALUE);
        }
        let addresses = asked.addresses.map(|address| address.addr() as u64);
        let product = Product { double: size_of::<T>() == 8, sides, leading, addresses };
        context.submit(script, LEGACY, Work::Product(product))
    }))
}

macro_rules! gemv {
    ($name:ident, $number:ty) => {
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(
            library: Handle,
            operation: u32,
            m: i32,
            n: i32,
            alpha: *const $number,
            a: *const $number,
            lda: i32,
            x: *const $number,
            x_step: i32,
            beta: *const $number,
            y: *mut $number,
            y_step: i32,
        ) -> i32 {
            if [x_step, y_step] != [1, 1] {
                return REFUSED;
            }
            let (operations, sides) = ([operation, OPERATIONS[0]], [n, 1, m]);
            let (leading, addresses, factors) = ([lda, m, n], [a, x, y.cast_const()], [alpha, beta]);
            // SAFETY: as above.
            unsafe { product(stringify!($name), Asked { library, operations, sides, leading, addresses, factors }) }
        }
    };
}

gemv!(cublasSgemv_v2, f32);
gemv!(cublasDgemv_v2, f64);

macro_rules! gemm {
    ($name:ident, $number:ty) => {
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(
            library: Handle,
            operation_a: u32,
            operation_b: u32,
            m: i32,
            n: i32,
            k: i32,
            alpha: *const $number,
            a: *const $number,
            lda: i32,
            b: *const $number,
            ldb: i32,
            beta: *const $number,
            c: *mut $number,
            ldc: i32,
        ) -> i32 {
            let (operations, sides, leading) = ([operation_a, operation_b], [m, n, k], [lda, ldb, ldc]);
            let (addresses, factors) = ([a, b, c.cast_const()], [alpha, beta]);
            // SAFETY: as above.
            unsafe { product(stringify!($name), Asked { library, operations, sides, leading, addresses, factors }) }
        }
    };
}

gemm!(cublasSgemm_v2, f32);
gemm!(cublasDgemm_v2, f64);
