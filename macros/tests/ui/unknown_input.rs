nullcline_macros::model!("models/decay.yaml", inputs = ["drive"]);

fn main() {}
