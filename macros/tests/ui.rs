//! What the user's compiler says of faulty models: each file of `ui` with the message beside it.
//!
//! `TRYBUILD=overwrite cargo test -p nullcline-macros` rewrites the messages; read them after.

#[test]
fn faults_are_shown_where_they_are() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
