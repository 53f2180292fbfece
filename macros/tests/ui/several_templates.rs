nullcline_macros::model!("models/several.yaml", dt = 0.1);

fn main() {}
