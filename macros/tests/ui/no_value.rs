nullcline_macros::model!(x {
    d/dt x = -x + k;
    x: output(1.0);
    k: ;
    tau: 2.0;
}, dt = 0.1);

fn main() {}
