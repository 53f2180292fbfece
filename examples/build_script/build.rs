//! Compiles the models of this crate.

fn main() {
    nullcline_compiler::build::compile("models/*.yaml");
}
