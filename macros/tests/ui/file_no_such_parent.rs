nullcline_macros::model!("models/no_such_parent.yaml");

fn main() {}
