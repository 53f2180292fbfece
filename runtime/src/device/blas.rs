//! Products of matrices as libraries of linear algebra want to be asked for them.
//!
//! BLAS (Dongarra et al., ACM Trans. Math. Softw. 14, 1, 1988, and 16, 1, 1990) stores matrices column by column, the
//! first elements of two columns a leading dimension apart. A matrix that lies row by row is, so read, its transpose; and
//! vectors that lie one after the other are the columns of a matrix.

use crate::artifact::DeviceError;
use crate::code::Product;

/// A call that computes a [`Product`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Call {
    /// `y = A^T x`: one vector.
    Gemv(Gemv),
    /// `C = A^T B`: several vectors.
    Gemm(Gemm),
}

/// Arguments of `gemv`, transposed: `A` is `m` by `n`, `x` has `m` elements and `y` has `n`, without gaps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gemv {
    /// Rows of `A` as BLAS sees it.
    pub m: i32,
    /// Columns of `A` as BLAS sees it.
    pub n: i32,
    /// Leading dimension of `A`.
    pub lda: i32,
}

/// Arguments of `gemm`, its first matrix transposed: `A^T` is `m` by `k`, `B` is `k` by `n`, `C` is `m` by `n`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gemm {
    /// Rows of `A^T` and `C`.
    pub m: i32,
    /// Columns of `B` and `C`.
    pub n: i32,
    /// Columns of `A^T`, rows of `B`.
    pub k: i32,
    /// Leading dimension of `A`.
    pub lda: i32,
    /// Leading dimension of `B`.
    pub ldb: i32,
    /// Leading dimension of `C`.
    pub ldc: i32,
}

impl Call {
    /// The call for a product. Fails if a side has more elements than BLAS counts.
    pub fn new(product: &Product) -> Result<Call, DeviceError> {
        let count = |what: &str, count: usize| {
            i32::try_from(count)
                .map_err(|_| DeviceError(format!("a matrix with {count} {what} is too large for cuBLAS")))
        };
        let (rows, columns) = (count("rows", product.rows)?, count("columns", product.columns)?);
        Ok(match product.vectors {
            1 => Call::Gemv(Gemv { m: columns, n: rows, lda: columns }),
            vectors => {
                let n = count("vectors", vectors)?;
                Call::Gemm(Gemm { m: rows, n, k: columns, lda: columns, ldb: columns, ldc: rows })
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `gemm` computes by its definition: element (i, j) of a matrix is at `i + j ld`.
    fn gemm((transposed, other): (bool, bool), of: Gemm, a: &[f64], b: &[f64], c: &mut [f64]) {
        let at = |matrix: &[f64], turned: bool, ld: i32, (i, j): (i32, i32)| {
            let (i, j) = if turned { (j, i) } else { (i, j) };
            assert!(i < ld, "a column is as long as its leading dimension at most");
            matrix[(i + j * ld) as usize]
        };
        for j in 0..of.n {
            for i in 0..of.m {
                let term = |p| at(a, transposed, of.lda, (i, p)) * at(b, other, of.ldb, (p, j));
                assert!(i < of.ldc);
                c[(i + j * of.ldc) as usize] = (0..of.k).map(term).sum();
            }
        }
    }

    /// What `gemv` computes by its definition, as a `gemm` with one column.
    fn gemv(transposed: bool, of: Gemv, a: &[f64], x: &[f64], y: &mut [f64]) {
        let (m, k) = if transposed { (of.n, of.m) } else { (of.m, of.n) };
        gemm((transposed, false), Gemm { m, n: 1, k, lda: of.lda, ldb: k, ldc: m }, a, x, y);
    }

    #[test]
    fn the_definitions_are_those_of_blas() {
        // 2 by 3, column by column in columns of 4: (1 2 3; 4 5 6).
        let a = [1.0, 4.0, 9.0, 9.0, 2.0, 5.0, 9.0, 9.0, 3.0, 6.0, 9.0, 9.0];
        let (mut y, of) = ([0.0; 2], Gemv { m: 2, n: 3, lda: 4 });
        gemv(false, of, &a, &[1.0, 10.0, 100.0], &mut y);
        assert_eq!(y, [321.0, 654.0]);
        let mut y = [0.0; 3];
        gemv(true, of, &a, &[1.0, 10.0], &mut y);
        assert_eq!(y, [41.0, 52.0, 63.0]);
    }

    #[test]
    fn calls_compute_the_product() {
        let number = |k: usize| (k * k % 17) as f64 - 8.0;
        for (rows, columns, vectors) in [(2, 3, 1), (5, 4, 1), (3, 3, 2), (2, 5, 4), (7, 2, 3)] {
            let matrix: Vec<f64> = (0..rows * columns).map(number).collect();
            let values: Vec<f64> = (0..vectors * columns).map(|k| number(k + 3)).collect();
            let product = Product { matrix: 0, source: 0, target: 1, rows, columns, vectors };
            // Small whole numbers: every order of the terms gives the same sum.
            let sum = |v: usize, r: usize| -> f64 {
                (0..columns).map(|c| matrix[r * columns + c] * values[v * columns + c]).sum()
            };
            let expected: Vec<f64> = (0..vectors * rows).map(|at| sum(at / rows, at % rows)).collect();
            let mut found = vec![f64::NAN; vectors * rows];
            match Call::new(&product).unwrap() {
                Call::Gemv(of) => gemv(true, of, &matrix, &values, &mut found),
                Call::Gemm(of) => gemm((true, false), of, &matrix, &values, &mut found),
            }
            assert_eq!(found, expected, "{rows} by {columns}, {vectors} vectors");
        }
    }

    #[test]
    fn sides_that_blas_cannot_count_are_refused() {
        let product = Product { matrix: 0, source: 0, target: 1, rows: 1 << 31, columns: 2, vectors: 1 };
        assert!(Call::new(&product).unwrap_err().0.contains("2147483648 rows"));
    }
}
