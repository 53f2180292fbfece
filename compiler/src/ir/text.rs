//! Text form of a system.
