//! Explicit Runge-Kutta methods.

/// Butcher's coefficients of an explicit method: `k_i = f(t + c_i dt, y + dt sum_j a_ij k_j)`, `y + dt sum_i b_i k_i`,
/// with `c_i = sum_j a_ij` (J. C. Butcher, Numerical Methods for Ordinary Differential Equations, section 232).
#[derive(Debug)]
pub struct RungeKutta {
    /// Row `i` holds `a_ij` for `j < i`; trailing zeros are left out.
    pub stages: &'static [&'static [f64]],
    /// `b_i`.
    pub weights: &'static [f64],
}

impl RungeKutta {
    /// `c_i`: when stage `i` is evaluated, in steps.
    pub fn time(&self, stage: usize) -> f64 {
        self.stages[stage].iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use crate::scheme::{Method, TABLE};

    /// The conditions of order one to four on the coefficients (Butcher, table 310(II)), each to rounding.
    #[test]
    fn coefficients_satisfy_the_order_conditions() {
        for scheme in TABLE {
            let (Method::RungeKutta(rk), Some(highest)) = (&scheme.method, scheme.order) else { continue };
            let s = rk.weights.len();
            assert_eq!(rk.stages.len(), s, "{}", scheme.name);
            let a = |i: usize, j: usize| rk.stages[i].get(j).copied().unwrap_or(0.0);
            let b = |i: usize| rk.weights[i];
            let c = |i: usize| rk.time(i);
            let sum = |f: &dyn Fn(usize) -> f64| (0..s).map(f).sum::<f64>();
            let sum2 = |f: &dyn Fn(usize, usize) -> f64| sum(&|i| sum(&|j| f(i, j)));
            let sum3 = |f: &dyn Fn(usize, usize, usize) -> f64| sum2(&|i, j| sum(&|k| f(i, j, k)));
            let conditions = [
                (1, sum(&|i| b(i)), 1.0),
                (2, sum(&|i| b(i) * c(i)), 1.0 / 2.0),
                (3, sum(&|i| b(i) * c(i) * c(i)), 1.0 / 3.0),
                (3, sum2(&|i, j| b(i) * a(i, j) * c(j)), 1.0 / 6.0),
                (4, sum(&|i| b(i) * c(i).powi(3)), 1.0 / 4.0),
                (4, sum2(&|i, j| b(i) * c(i) * a(i, j) * c(j)), 1.0 / 8.0),
                (4, sum2(&|i, j| b(i) * a(i, j) * c(j) * c(j)), 1.0 / 12.0),
                (4, sum3(&|i, j, k| b(i) * a(i, j) * a(j, k) * c(k)), 1.0 / 24.0),
            ];
            for (order, found, expected) in conditions {
                if order <= highest {
                    assert!((found - expected).abs() < 1e-15, "{} order {order}: {found}", scheme.name);
                }
            }
        }
    }
}
