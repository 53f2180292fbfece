//! Models whose equations stand in the macro: what tokens mean there.

// A keyword as the name, and a subscript with a colon, which YAML would take for a mapping.
nullcline_macros::model!(r#type {
    d/dt x = -x + mean(y[1:3]) - y[0];
    dy/dt = 0*y + 1_0.0;
    x: output(1.0);
    y: {vtype: variable, shape: [3], value: [0.5, 2.0, 4.0], unit: "mV"};
}, dt = 0.125, inputs = []);

#[test]
fn subscripts_and_keywords_are_as_in_files() {
    let mut model = r#type::Model::default();
    model.step();
    // x + dt (-1 + 3 - 0.5), y + dt 10
    assert_eq!((model.state.x, model.state.y), (1.1875, [1.75, 3.25, 5.25]));
}
