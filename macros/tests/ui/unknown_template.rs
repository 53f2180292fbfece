nullcline_macros::model!("models/decay.yaml", Growth);

fn main() {}
