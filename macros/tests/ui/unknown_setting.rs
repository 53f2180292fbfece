nullcline_macros::model!("models/decay.yaml", step = 0.1);

fn main() {}
