nullcline_macros::model!();

fn main() {}
