//! Rust values as literals.

use std::sync::Arc;

use crate::template::distribution::Distribution;
use crate::template::profile::Profile;
use crate::template::{Complex, Literal};

impl From<f64> for Complex {
    fn from(re: f64) -> Complex {
        Complex { re, im: 0.0 }
    }
}

impl From<f64> for Literal {
    fn from(re: f64) -> Literal {
        Literal::Number(re.into())
    }
}

impl From<Complex> for Literal {
    fn from(number: Complex) -> Literal {
        Literal::Number(number)
    }
}

impl From<Distribution> for Literal {
    fn from(distribution: Distribution) -> Literal {
        Literal::Drawn(distribution)
    }
}

impl From<Profile> for Literal {
    fn from(profile: Profile) -> Literal {
        Literal::Profile(Arc::new(profile))
    }
}

impl From<&[f64]> for Literal {
    fn from(list: &[f64]) -> Literal {
        Literal::List(list.iter().map(|re| Complex::from(*re)).collect())
    }
}

impl From<Vec<f64>> for Literal {
    fn from(list: Vec<f64>) -> Literal {
        list.as_slice().into()
    }
}

impl<const N: usize> From<[f64; N]> for Literal {
    fn from(list: [f64; N]) -> Literal {
        list.as_slice().into()
    }
}

impl<const R: usize, const C: usize> From<[[f64; C]; R]> for Literal {
    fn from(rows: [[f64; C]; R]) -> Literal {
        Literal::Matrix { rows: R, columns: C, data: rows.concat() }
    }
}

#[cfg(feature = "ndarray")]
impl<S: ndarray::Data<Elem = f64>> From<&ndarray::ArrayBase<S, ndarray::Ix1>> for Literal {
    fn from(list: &ndarray::ArrayBase<S, ndarray::Ix1>) -> Literal {
        Literal::List(list.iter().map(|re| Complex::from(*re)).collect())
    }
}

#[cfg(feature = "ndarray")]
impl<S: ndarray::Data<Elem = f64>> From<&ndarray::ArrayBase<S, ndarray::Ix2>> for Literal {
    fn from(matrix: &ndarray::ArrayBase<S, ndarray::Ix2>) -> Literal {
        // Iteration is row by row, however the array lies in memory.
        Literal::Matrix { rows: matrix.nrows(), columns: matrix.ncols(), data: matrix.iter().copied().collect() }
    }
}
