//! Products of matrices as cuBLAS computes them, with sums in the order of our kernels, so that results can be compared.

use crate::interpreter::{Fault, Machine};

/// `C = A^T B`, column by column: `A^T` is `m` by `k`, `B` is `k` by `n`.
#[derive(Clone, Copy)]
pub struct Product {
    pub double: bool,
    /// `m`, `n`, `k`
    pub sides: [usize; 3],
    /// From one column to the next, in `A`, `B` and `C`.
    pub leading: [usize; 3],
    /// Addresses of `A`, `B` and `C`.
    pub addresses: [u64; 3],
}

impl Product {
    /// Computes it.
    pub fn compute(&self, machine: &mut Machine) -> Result<(), Fault> {
        let ([m, n, k], [lda, ldb, ldc]) = (self.sides, self.leading);
        let size = if self.double { 8 } else { 4 };
        let number = |bytes: &[u8]| match bytes.try_into() {
            Ok(eight) => f64::from_le_bytes(eight),
            Err(_) => f64::from(f32::from_le_bytes(bytes.try_into().expect("four or eight bytes"))),
        };
        let numbers = |address, count: usize| -> Result<Vec<f64>, Fault> {
            Ok(machine.bytes(address, count * size)?.chunks(size).map(number).collect())
        };
        // The last column ends with its last element.
        let a = numbers(self.addresses[0], (m - 1) * lda + k)?;
        let b = numbers(self.addresses[1], (n - 1) * ldb + k)?;
        for (j, i) in (0..n).flat_map(|j| (0..m).map(move |i| (j, i))) {
            let terms = (0..k).map(|p| (a[p + i * lda], b[p + j * ldb]));
            let sum = if self.double {
                terms.fold(0.0, |sum, (a, b): (f64, f64)| a.mul_add(b, sum)).to_le_bytes().to_vec()
            } else {
                terms.fold(0.0, |sum, (a, b)| (a as f32).mul_add(b as f32, sum)).to_le_bytes().to_vec()
            };
            let place = self.addresses[2] + ((i + j * ldc) * size) as u64;
            machine.bytes_mut(place, size)?.copy_from_slice(&sum);
        }
        Ok(())
    }
}
