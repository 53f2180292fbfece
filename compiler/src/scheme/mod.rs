//! Integration schemes. A scheme is a row: its method, and its coefficients where it has any, with its source.

mod runge_kutta;

pub use runge_kutta::RungeKutta;

/// An integration scheme with a fixed step.
#[derive(Debug)]
pub struct Scheme {
    /// Name on the command line and in `simulate:` sections.
    pub name: &'static str,
    /// Order of convergence without noise; `None`: no error but rounding.
    pub order: Option<u32>,
    /// What one step does.
    pub method: Method,
    /// What white noise in an equation means to it.
    pub noise: Noise,
    /// One line for the manual.
    pub doc: &'static str,
    /// Where it comes from.
    pub citation: &'static str,
}

/// What one step of a scheme does; `pass/discretise` has one file for each.
#[derive(Debug)]
pub enum Method {
    /// A weighted sum of slopes.
    RungeKutta(RungeKutta),
    /// An Euler step and the second term of the stochastic Taylor expansion.
    Milstein,
    /// The solution of every equation by itself, what else it reads held constant.
    ExponentialEuler,
    /// The solution of the linear system that each unit is.
    Exact,
}

/// What white noise in an equation means to a scheme.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Noise {
    /// The integral of Ito: the noise is multiplied by what it finds at the start of a step. With the strong order of
    /// convergence for multiplicative noise, in halves.
    Ito {
        /// Twice the strong order.
        halves: u32,
    },
    /// The integral of Stratonovich, the limit of noise with ever shorter memory.
    Stratonovich {
        /// Twice the strong order.
        halves: u32,
    },
    /// Refused.
    Refused,
}

impl Noise {
    /// Integral and strong order, for the manual.
    pub fn describe(self) -> String {
        match self {
            Noise::Ito { halves } => format!("Ito, strong order {}", f64::from(halves) / 2.0),
            Noise::Stratonovich { halves } => format!("Stratonovich, strong order {}", f64::from(halves) / 2.0),
            Noise::Refused => "refused".to_string(),
        }
    }
}

/// `y + dt f(t, y)`
const EULER: RungeKutta = RungeKutta { stages: &[&[]], weights: &[1.0] };

/// All schemes.
pub static TABLE: &[Scheme] = &[
    Scheme {
        name: "euler",
        order: Some(1),
        method: Method::RungeKutta(EULER),
        noise: Noise::Ito { halves: 1 },
        doc: "y + dt f(t, y)",
        citation: "L. Euler, Institutionum calculi integralis I (1768), section 650",
    },
    Scheme {
        name: "heun",
        order: Some(2),
        method: Method::RungeKutta(RungeKutta { stages: &[&[], &[1.0]], weights: &[0.5, 0.5] }),
        noise: Noise::Stratonovich { halves: 2 },
        doc: "y + dt (k1 + k2) / 2, k2 at the end of an Euler step",
        citation: "K. Heun, Z. Math. Phys. 45, 23-38 (1900); with noise W. Ruemelin, SIAM J. Numer. Anal. 19, 604-613 (1982)",
    },
    Scheme {
        name: "rk4",
        order: Some(4),
        method: Method::RungeKutta(RungeKutta {
            stages: &[&[], &[0.5], &[0.0, 0.5], &[0.0, 0.0, 1.0]],
            weights: &[1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0],
        }),
        noise: Noise::Refused,
        doc: "the classical Runge-Kutta method with four stages",
        citation: "W. Kutta, Z. Math. Phys. 46, 435-453 (1901)",
    },
    Scheme {
        name: "exponential_euler",
        order: Some(1),
        method: Method::ExponentialEuler,
        noise: Noise::Refused,
        doc: "for y' = a - b y with a and b held over the step: y exp(-b dt) + a (1 - exp(-b dt)) / b",
        citation: "R. J. MacGregor, Neural and Brain Modeling, Academic Press (1987)",
    },
    Scheme {
        name: "exact",
        order: None,
        method: Method::Exact,
        noise: Noise::Refused,
        doc: "for y' = A y + b with A of parameters and b constant over the step: exp(A dt) y + (exp(A dt) - 1) A^-1 b",
        citation: "S. Rotter, M. Diesmann, Biol. Cybern. 81, 381-402 (1999)",
    },
    Scheme {
        name: "euler_maruyama",
        order: Some(1),
        method: Method::RungeKutta(EULER),
        noise: Noise::Ito { halves: 1 },
        doc: "y + dt f + g dW; the same as `euler`",
        citation: "G. Maruyama, Rend. Circ. Mat. Palermo 4, 48-90 (1955)",
    },
    Scheme {
        name: "milstein",
        order: Some(1),
        method: Method::Milstein,
        noise: Noise::Ito { halves: 2 },
        doc: "y + dt f + g dW + g dg/dy (dW^2 - dt) / 2",
        citation: "G. N. Milstein, Theory Probab. Appl. 19, 557-562 (1974)",
    },
];

/// The scheme with this name.
pub fn lookup(name: &str) -> Option<&'static Scheme> {
    TABLE.iter().find(|s| s.name == name)
}
