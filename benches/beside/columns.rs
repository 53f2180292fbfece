//! Jansen and Rit's column, once and many times.

/// Jansen and Rit's column as an operator.
const COLUMN: &str = include_str!("column.yaml");

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
