nullcline_macros::model!("models/nonlinear.yaml", scheme = exponential_euler);

fn main() {}
