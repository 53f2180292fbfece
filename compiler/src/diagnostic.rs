//! What the compiler says of a model. Faults of its text and of what it describes are those of the language
//! ([`nullcline_language::diagnostic`]); what only a pass, a scheme or a target can find is here, one constructor per fault.

pub mod lower;
pub mod scheme;
pub mod settings;
pub mod target;

pub use nullcline_language::diagnostic::*;
