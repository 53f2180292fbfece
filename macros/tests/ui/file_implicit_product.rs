nullcline_macros::model!("models/implicit_product.yaml");

fn main() {}
