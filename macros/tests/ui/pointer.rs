nullcline_macros::model!(x { *x = 3; x: output(1.0); }, dt = 0.1);

fn main() {}
