//! CPU engines.
