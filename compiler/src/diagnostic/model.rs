//! Faults of the model stage.
