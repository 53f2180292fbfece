nullcline_macros::model!("models/decay.yaml", dt = 0.1, dt = 0.2);

fn main() {}
