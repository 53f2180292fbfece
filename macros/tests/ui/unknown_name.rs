nullcline_macros::model!(decay {
    d/dt x = -x/tua;
    x: output(1.0);
    tau: 2.0;
}, dt = 0.1);

fn main() {}
