nullcline_macros::model!(self { d/dt x = -x; x: output(1.0); }, dt = 0.1);

fn main() {}
