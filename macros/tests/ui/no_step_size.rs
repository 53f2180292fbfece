nullcline_macros::model!(decay {
    d/dt x = -x;
    x: output(1.0);
});

fn main() {}
