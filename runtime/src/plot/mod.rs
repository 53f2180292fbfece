//! Pictures of recordings.
