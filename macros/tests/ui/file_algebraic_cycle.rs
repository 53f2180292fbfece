nullcline_macros::model!("models/algebraic_cycle.yaml");

fn main() {}
