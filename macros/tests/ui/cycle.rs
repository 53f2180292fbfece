nullcline_macros::model!(decay {
    a = b + 1;
    b = a - 1;
    d/dt x = a;
    x: output(1.0);
    a: variable;
    b: variable;
}, dt = 0.1);

fn main() {}
