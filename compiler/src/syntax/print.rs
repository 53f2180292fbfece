//! Text form of abstract syntax.
