nullcline_macros::model!("models/missing_step.yaml");

fn main() {}
