nullcline_macros::model!(decay {
    d/dt x = -x
}, dt = 0.1);

fn main() {}
