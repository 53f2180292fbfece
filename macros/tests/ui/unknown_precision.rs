nullcline_macros::model!("models/decay.yaml", precision = f16);

fn main() {}
