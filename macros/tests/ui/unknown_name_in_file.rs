nullcline_macros::model!("models/misspelt.yaml");

fn main() {}
