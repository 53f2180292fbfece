//! Faults of the template stage.
