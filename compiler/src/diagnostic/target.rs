//! Faults of the target stage.
