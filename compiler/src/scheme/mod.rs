//! Integration schemes. A scheme is a row of coefficients with its source.

mod runge_kutta;

pub use runge_kutta::RungeKutta;

/// An integration scheme with a fixed step.
#[derive(Debug)]
pub struct Scheme {
    /// Name on the command line and in `simulate:` sections.
    pub name: &'static str,
    /// Order of convergence.
    pub order: u32,
    /// Coefficients.
    pub method: RungeKutta,
    /// One line for the manual.
    pub doc: &'static str,
    /// Where it comes from.
    pub citation: &'static str,
}

/// All schemes.
pub static TABLE: &[Scheme] = &[
    Scheme {
        name: "euler",
        order: 1,
        method: RungeKutta { stages: &[&[]], weights: &[1.0] },
        doc: "y + dt f(t, y)",
        citation: "L. Euler, Institutionum calculi integralis I (1768), section 650",
    },
    Scheme {
        name: "heun",
        order: 2,
        method: RungeKutta { stages: &[&[], &[1.0]], weights: &[0.5, 0.5] },
        doc: "y + dt (k1 + k2) / 2, k2 at the end of an Euler step",
        citation: "K. Heun, Z. Math. Phys. 45, 23-38 (1900)",
    },
    Scheme {
        name: "rk4",
        order: 4,
        method: RungeKutta {
            stages: &[&[], &[0.5], &[0.0, 0.5], &[0.0, 0.0, 1.0]],
            weights: &[1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0],
        },
        doc: "the classical Runge-Kutta method with four stages",
        citation: "W. Kutta, Z. Math. Phys. 46, 435-453 (1901)",
    },
];

/// The scheme with this name.
pub fn lookup(name: &str) -> Option<&'static Scheme> {
    TABLE.iter().find(|s| s.name == name)
}
