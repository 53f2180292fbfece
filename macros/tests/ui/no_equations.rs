nullcline_macros::model!(decay {
    x: output(1.0);
}, dt = 0.1);

fn main() {}
