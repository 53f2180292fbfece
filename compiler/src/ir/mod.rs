//! Intermediate representation: expressions as a hash-consed graph, the table of pointwise functions, and the
//! [`System`](system::System) of differential equations they make up.

pub mod complex;
pub mod evaluate;
pub mod event;
pub mod expr;
pub mod lower;
pub mod partial;
pub mod prim;
pub mod system;
#[cfg(feature = "edit")]
pub mod text;
pub mod vectorise;
