//! Faults of YAML documents.
