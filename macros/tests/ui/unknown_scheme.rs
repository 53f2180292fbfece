nullcline_macros::model!("models/decay.yaml", scheme = huen);

fn main() {}
