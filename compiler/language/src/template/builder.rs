//! Templates from Rust values, without YAML.
//!
//! Each builder collects what it is told and reports all faults when it is built. What is built here has no place in a
//! text, so the faults of an equation name the operator and quote the equation.
//!
//! ```
//! use nullcline_language::template::builder::{CircuitBuilder, Link, NodeBuilder, OperatorBuilder};
//!
//! let leaky = OperatorBuilder::new("leaky")
//!     .equation("x' = (inp - x)/tau")
//!     .output("x", 0.5)
//!     .input("inp", 0.0)
//!     .parameter("tau", 10.0)
//!     .build()?;
//! let unit = NodeBuilder::new("unit").operator(&leaky).set("tau", 20.0).build()?;
//! let circuit = CircuitBuilder::new("net")
//!     .node("a", &unit)
//!     .node("b", &unit)
//!     .edge(Link::new("a/leaky/x", "b/leaky/inp").weight(2.0).delay(0.1))
//!     .build()?;
//! assert_eq!(circuit.edges.len(), 1);
//! # Ok::<(), nullcline_language::diagnostic::Diagnostics>(())
//! ```

mod circuit;
mod link;
mod node;
mod operator;

pub use circuit::CircuitBuilder;
pub use link::Link;
pub use node::{EdgeBuilder, NodeBuilder};
pub use operator::OperatorBuilder;

use crate::source::{Name, Span};

/// A name that stands in no text.
fn name(text: &str) -> Name {
    Name::new(text, Span::NOWHERE)
}
