nullcline_macros::model!(decay {
    d/dt x = tanh(x, x);
    x: output(1.0);
}, dt = 0.1);

fn main() {}
