nullcline_macros::model!("models/absent.yaml");

fn main() {}
