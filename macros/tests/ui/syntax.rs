nullcline_macros::model!(decay {
    d/dt x = -x * / 2;
    x: output(1.0);
}, dt = 0.1);

fn main() {}
