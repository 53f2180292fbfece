nullcline_macros::model!("models/decay.yaml", inputs = ["tau", "x"]);

fn main() {}
