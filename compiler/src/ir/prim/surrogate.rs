//! Spike functions whose derivative in the rows is not that of their value: the value is the unit step, the derivative a
//! smooth surrogate through which training sees the threshold. Scale the argument to set the sharpness:
//! `superspike(beta * (v - theta))`.

use super::Prim;
use super::arith::{ABS, GE};

/// SuperSpike (F. Zenke, S. Ganguli, "SuperSpike: supervised learning in multilayer spiking neural networks", Neural
/// Computation 30(6), 2018): surrogate derivative `1 / (1 + |x|)^2`, that of the fast sigmoid `x / (1 + |x|)`.
pub static SUPERSPIKE: Prim = Prim::function(
    "superspike",
    "unit step, 1 if x >= 0, else 0; surrogate derivative 1 / (1 + |x|)^2",
    &[(-3.0, 3.0)],
    |a| if a[0] >= 0.0 { 1.0 } else { 0.0 },
    |g, a, _| {
        let (one, magnitude) = (g.constant(1.0), g.call(&ABS, a));
        let sum = g.sum(one, magnitude);
        let square = g.product(sum, sum);
        vec![g.quotient(one, square)]
    },
)
.means(|g, a| {
    let zero = g.constant(0.0);
    g.call(&GE, &[a[0], zero])
});

/// All rows of this file.
pub static ROWS: &[&Prim] = &[&SUPERSPIKE];
