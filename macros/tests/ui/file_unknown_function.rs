nullcline_macros::model!("models/unknown_function.yaml");

fn main() {}
