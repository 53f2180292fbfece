//! Jansen and Rit's column, once and many times.

/// Jansen and Rit's column as an operator.
const COLUMN: &str = "
column:
  base: OperatorTemplate
  equations:
    - y0' = y3
    - y1' = y4
    - y2' = y5
    - y3' = A*a*S(y1 - y2) - 2*a*y3 - a^2*y0
    - y4' = A*a*(p + 0.8*C*S(C*y0)) - 2*a*y4 - a^2*y1
    - y5' = B*b*0.25*C*S(0.25*C*y0) - 2*b*y5 - b^2*y2
    - v = y1 - y2
  variables: {v: output, y0: variable, y1: variable, y2: variable, y3: variable, y4: variable, y5: variable,
    p: 220.0, A: 3.25, B: 22.0, a: 100.0, b: 50.0, C: 135.0}
functions:
  S: {args: [x], expr: 5.0/(1 + exp(0.56*(6.0 - x)))}
";

/// One column; y1 - y2 is recorded every 10 steps, y0 for the check.
pub fn column() -> String {
    format!(
        "{COLUMN}simulate: {{duration: 100.0, dt: 1e-4, scheme: euler, sample_every: 1e-3, include_end: true, \
         record: {{v: v, y0: y0}}}}\n"
    )
}

/// Columns that differ in their input, for so many steps.
pub fn population(n: usize, steps: usize) -> String {
    let inputs: Vec<String> =
        (0..n).map(|k| format!("{:?}", 120.0 + 200.0 * k as f64 / (n - 1).max(1) as f64)).collect();
    let (inputs, duration) = (inputs.join(", "), steps as f64 * 1e-4);
    format!(
        "{COLUMN}columns: {{base: NodeTemplate, n: {n}, operators: {{column: {{p: [{inputs}]}}}}}}
net: {{base: CircuitTemplate, nodes: {{c: columns}}}}
simulate: {{duration: {duration:?}, dt: 1e-4, scheme: euler, sample_every: 1e-3, include_end: true, record: {{y0: 'y0'}}}}
"
    )
}

/// Columns that are nodes of their own, for so many steps.
pub fn nodes(n: usize, steps: usize) -> String {
    let nodes: String = (0..n).map(|k| format!("    c{k}: unit\n")).collect();
    let duration = steps as f64 * 1e-4;
    format!(
        "{COLUMN}unit: {{base: NodeTemplate, operators: [column]}}
net:
  base: CircuitTemplate
  nodes:
{nodes}simulate: {{duration: {duration:?}, dt: 1e-4, scheme: euler, sample_every: {duration:?}, record: {{y0: c0/column/y0}}}}
"
    )
}
