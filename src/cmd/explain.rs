//! `--explain`: how the connections of a model are executed.

use std::fmt::Write;

use nullcline::runtime::artifact::Explanation;

/// One line for each set of connections: its name, the kernel, synapses, memory, and why.
pub fn table(explanations: &[Explanation]) -> String {
    if explanations.is_empty() {
        return "no connections between arrays: every step is straight-line code\n".to_string();
    }
    let name = explanations.iter().map(|e| e.name.chars().count()).max().unwrap_or(0);
    let kernel = explanations.iter().map(|e| e.kernel.len()).max().unwrap_or(0);
    let mut text = String::new();
    for e in explanations {
        let (count, bytes) = (e.synapses, size(e.bytes));
        // Writing to a string cannot fail.
        let _ =
            writeln!(text, "{:<name$}  {:<kernel$}  {count:>10} synapses {bytes:>9}  {}", e.name, e.kernel, e.reason);
    }
    text
}

fn size(bytes: usize) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}
