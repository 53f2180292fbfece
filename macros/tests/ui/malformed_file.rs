nullcline_macros::model!("models/malformed.yaml");

fn main() {}
