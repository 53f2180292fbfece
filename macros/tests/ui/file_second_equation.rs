nullcline_macros::model!("models/second_equation.yaml");

fn main() {}
