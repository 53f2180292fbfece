//! Text form of a module.
