nullcline_macros::model!("models/unknown_key.yaml");

fn main() {}
