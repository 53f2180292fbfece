nullcline_macros::model!("models/unknown_node.yaml");

fn main() {}
