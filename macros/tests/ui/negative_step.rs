nullcline_macros::model!("models/decay.yaml", dt = 0.0);

fn main() {}
