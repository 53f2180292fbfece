//! Faults of the syntax stage.
