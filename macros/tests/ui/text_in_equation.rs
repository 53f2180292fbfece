nullcline_macros::model!(x { d/dt x = "a\\b"; x: output(1.0); }, dt = 0.1);

fn main() {}
