nullcline_macros::model!("models/second_derivative.yaml");

fn main() {}
