//! Faults of distributions and connectivity.

use super::{Diagnostic, list_names, nearest};
use crate::source::{Name, Span};

/// A mapping that is no distribution.
pub fn unknown_distribution(key: &Name, what: &str, known: &[&str]) -> Diagnostic {
    let found = if key.text.is_empty() { "{}".to_string() } else { format!("{{{key}: ..}}") };
    let message = format!("{what}: `{found}` is no value");
    Diagnostic::error("unknown-distribution", key.span, message, "no distribution of this name")
        .with_note(format!("distributions are {}", list_names(known.iter().copied(), 8)))
        .with_help_if(nearest(&key.text, known.iter().copied()))
}

/// Two laws in one distribution, two kernels in one connectivity.
pub fn two_laws(second: &Name, first: Span, what: &str) -> Diagnostic {
    let message = format!("{what} has a second law, `{second}`");
    Diagnostic::error("two-laws", second.span, message, "second one")
        .with_related(first, "first one")
        .with_help("keep one of them")
}

/// `{normal: 1}`.
pub fn wrong_parameters(span: Span, law: &str, parameters: &[&str], found: usize) -> Diagnostic {
    let wanted = parameters.join(", ");
    let message = format!("`{law}` takes {} number(s), not {found}", parameters.len());
    Diagnostic::error("wrong-parameters", span, message, format!("expected {wanted}"))
        .with_help(format!("write `{{{law}: [{wanted}]}}` with numbers"))
}

/// A standard deviation below 0, bounds that leave nothing.
pub fn impossible_distribution(span: Span, what: &str, wrong: &str) -> Diagnostic {
    let message = format!("{what} cannot be drawn: {wrong}");
    Diagnostic::error("impossible-distribution", span, message, "impossible")
}

/// A kind of connectivity that does not exist, or one that needs parameters.
pub fn unknown_connectivity(found: &Name, known: &[&str], parameters: Option<&[&str]>) -> Diagnostic {
    if let Some(parameters) = parameters {
        let example = parameters.iter().map(|p| format!("{p}: ..")).collect::<Vec<_>>().join(", ");
        let message = format!("the connectivity `{found}` needs more than its name");
        return Diagnostic::error("unknown-connectivity", found.span, message, "its parameters are missing")
            .with_help(format!("write `{{{found}: {{{example}}}}}`"));
    }
    let message = format!("there is no connectivity `{found}`");
    Diagnostic::error("unknown-connectivity", found.span, message, "not known")
        .with_note(format!("kinds are {}", list_names(known.iter().copied(), 16)))
        .with_help_if(nearest(&found.text, known.iter().copied()))
}

/// A connectivity in a matrix of edges between nodes.
pub fn connectivity_of_nodes(key: &Name) -> Diagnostic {
    let message = "a matrix between lists of nodes has no `connectivity`: its entries say which nodes are connected";
    Diagnostic::error("connectivity-of-nodes", key.span, message, "not here")
        .with_help("use 0 for what is not connected, or give an edge between populations under `edges:`")
}

/// A probability outside of 0 to 1.
pub fn not_a_probability(span: Span, what: &str, found: f64) -> Diagnostic {
    let message = format!("{what} must be a probability, not {found}");
    Diagnostic::error("not-a-probability", span, message, "expected a number from 0 to 1")
}

/// An odd number of nearest neighbours.
pub fn odd_degree(span: Span, found: u32) -> Diagnostic {
    let message = format!("a small world has as many neighbours to both sides, so `k` must be even, not {found}");
    Diagnostic::error("odd-degree", span, message, "odd").with_help(format!("use `k: {}`", found + 1))
}

/// Sizes for another number of blocks.
pub fn number_of_blocks(span: Span, key: &str, blocks: usize, found: usize) -> Diagnostic {
    let message = format!("`{key}` has {found} sizes, but `p` has {blocks} blocks of {key}");
    Diagnostic::error("number-of-blocks", span, message, format!("expected {blocks} sizes"))
        .with_note("`p` has a row for each block of targets and a column for each block of sources")
}

/// A number where a matrix is needed.
pub fn not_a_table(span: Span, what: &str) -> Diagnostic {
    let message = format!("{what} must be a matrix, or a file that holds one");
    Diagnostic::error("not-a-table", span, message, "no matrix")
        .with_help("write rows, e.g. `[[0, 1], [2, 0]]`, or a file name that ends in `.csv` or `.npy`")
}

/// A kernel that is no matrix for each pair of channels.
pub fn kernel_dimensions(span: Span, shape: &[usize]) -> Diagnostic {
    let found = match shape {
        [] => "a number".to_string(),
        shape => shape.len().to_string(),
    };
    let message = format!("the kernel of `conv2d` must have two or four dimensions, not {found}");
    Diagnostic::error("kernel-dimensions", span, message, "expected rows and columns")
        .with_note("four dimensions are `[target channel][source channel][row][column]`")
        .with_help("write rows, e.g. `[[0, 1, 0], [1, -4, 1], [0, 1, 0]]`, or the name of a file that holds them")
}

/// A kernel for another number of channels than the sources have.
pub fn kernel_channels(span: Span, [rows, columns]: [u32; 2], given: u32, kernel: u32) -> Diagnostic {
    let message = format!("the sources have {given} channel(s), but the kernel is for {kernel}");
    Diagnostic::error("kernel-channels", span, message, format!("expected {kernel} channel(s)"))
        .with_note("a kernel of four dimensions is `[target channel][source channel][row][column]`, one of two has one channel")
        .with_help(format!("write `shape: [{rows}, {columns}, {kernel}]`, or a kernel for {given} source channel(s)"))
}

/// A list of pairs with one column, or five.
pub fn columns_of_pairs(span: Span, found: usize) -> Diagnostic {
    let message = format!("a list of pairs has two to four columns, not {found}");
    Diagnostic::error("columns-of-pairs", span, message, "expected source, target and perhaps weight, delay")
        .with_help("for a matrix `[target][source]` of connections use `mask:`")
}

/// A source or target that is no unit number.
pub fn not_a_unit(span: Span, row: usize, column: usize, found: f64) -> Diagnostic {
    let message = format!("row {row}, column {column}: {found} is not the number of a unit");
    Diagnostic::error("not-a-unit", span, message, "expected whole numbers from 0")
        .with_note("columns are source, target and perhaps weight, delay")
}

/// More connections than can be numbered.
pub fn too_many_synapses(span: Span, found: f64, most: f64) -> Diagnostic {
    let message = format!("about {found:.1e} connections are more than the {most:.1e} that one edge can have");
    Diagnostic::error("too-many-synapses", span, message, "too many")
        .with_help("split the populations, or connect fewer units")
}
