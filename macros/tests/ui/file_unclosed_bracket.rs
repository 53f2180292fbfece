nullcline_macros::model!("models/unclosed_bracket.yaml");

fn main() {}
