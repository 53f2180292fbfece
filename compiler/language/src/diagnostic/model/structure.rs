//! Faults of connectivity and of drawn values, once the sizes of populations are known.

use super::Diagnostic;
use crate::source::Span;

/// One to one between populations of different sizes.
pub fn sizes_differ(span: Span, kind: &str, sources: usize, targets: usize) -> Diagnostic {
    let message =
        format!("`{kind}` connects populations of one size, but there are {sources} sources and {targets} targets");
    Diagnostic::error("sizes-differ", span, message, "sizes differ")
        .with_help("give both populations the same `n`, or use `random` or `fixed_indegree`")
}

/// More connections of a unit than there are partners.
pub fn too_few_partners(span: Span, kind: &str, wanted: u64, partners: u64) -> Diagnostic {
    let message = format!("`{kind}` asks for {wanted} different connections where there are only {partners}");
    Diagnostic::error("too-few-partners", span, message, "not enough units")
        .with_help("use a smaller number, or allow several connections of a pair: `multapses: true`")
}

/// A pair beyond the population.
pub fn pair_out_of_range(span: Span, row: usize, end: &str, found: u32, units: usize) -> Diagnostic {
    let message = format!("pair {row}: there is no {end} unit {found}");
    Diagnostic::error("pair-out-of-range", span, message, format!("the {end} population has {units} units"))
        .with_help(format!("units are numbered from 0 to {}", units.saturating_sub(1)))
}

/// A pair that must not be.
pub fn pair_refused(span: Span, row: usize, key: &str) -> Diagnostic {
    let message = format!("pair {row} is there although `{key}: false` is written");
    Diagnostic::error("pair-refused", span, message, "contradiction")
        .with_help(format!("remove the pair, or `{key}: false`"))
}

/// Blocks that do not add up to the population.
pub fn blocks_do_not_fit(span: Span, end: &str, sum: u64, units: usize, blocks: usize) -> Diagnostic {
    let message = if sum == 0 {
        format!("{units} {end} cannot be split into {blocks} blocks of one size")
    } else {
        format!("the blocks of {end} have {sum} units, the population has {units}")
    };
    Diagnostic::error("blocks-do-not-fit", span, message, "sizes do not fit")
        .with_help(format!("give the sizes of the blocks: `{end}: [..]`, {units} in all"))
}

/// A grid that is no square.
pub fn not_a_square(span: Span, units: usize) -> Diagnostic {
    let side = (units as f64).sqrt().round() as usize;
    let message = format!("{units} units do not fill a square grid");
    Diagnostic::error("not-a-square", span, message, "no square")
        .with_help(format!("use a population of {} units, or `space: line`", side * side))
}

/// A profile where units have no places: edges from a matrix between nodes.
pub fn no_distance(span: Span, what: &str) -> Diagnostic {
    let message = format!("a {what} by distance needs populations, whose units have places");
    Diagnostic::error("no-distance", span, message, "between nodes")
        .with_help("put the units into a population, `n: 10`, or give a matrix")
}

/// Weights, delays or values in a matrix beside pairs that have their own.
pub fn given_twice(span: Span, what: &str) -> Diagnostic {
    let message = format!("the {what} is given by the connectivity and by the edge");
    Diagnostic::error("given-twice", span, message, "given twice").with_help(format!("remove one {what}"))
}

/// Sources that are no grid as `conv2d` has it.
pub fn not_the_grid(span: Span, units: usize, shape: Option<[u32; 2]>, channels: u32) -> Diagnostic {
    let of_each = if channels == 1 { String::new() } else { format!(" of {channels} channels") };
    let Some([rows, columns]) = shape else {
        let message = format!("the {units} sources of `conv2d` do not fill a square grid{of_each}");
        let (places, depth) = (units / channels.max(1) as usize, channels as usize);
        let side = (places as f64).sqrt() as usize;
        let help = match (1..=side).rev().find(|rows| places.is_multiple_of(*rows)) {
            Some(rows) if places * depth == units => {
                let channels = if channels == 1 { String::new() } else { format!(", {channels}") };
                format!("say which rows and columns they are, e.g. `shape: [{rows}, {}{channels}]`", places / rows)
            }
            _ => format!("write `n: {}` at the source population", (side + 1) * (side + 1) * depth),
        };
        return Diagnostic::error("not-the-grid", span, message, "no square").with_help(help);
    };
    let wanted = u128::from(rows) * u128::from(columns) * u128::from(channels);
    let message =
        format!("a grid of {rows} x {columns}{of_each} has {wanted} units, but the source population has {units}");
    Diagnostic::error("not-the-grid", span, message, "does not fit")
        .with_help(format!("write `n: {wanted}` at the source population, or another `shape`"))
}

/// A kernel larger than the grid that it must stay inside of.
pub fn kernel_too_large(span: Span, [rows, columns]: [u32; 2], [height, width]: [u32; 2]) -> Diagnostic {
    let message = format!("a kernel of {rows} x {columns} does not fit into a grid of {height} x {width}");
    Diagnostic::error("kernel-too-large", span, message, "too large")
        .with_help("use a smaller kernel, or `padding: zero`, which lets it reach beyond the sides")
}

/// Targets that are not as many as `conv2d` has sums.
pub fn convolved_targets(span: Span, [rows, columns, channels]: [u32; 3], units: usize) -> Diagnostic {
    let sums = u128::from(rows) * u128::from(columns) * u128::from(channels);
    let message = format!(
        "`conv2d` makes {rows} x {columns} x {channels} = {sums} sums, but the target population has {units} units"
    );
    Diagnostic::error("convolved-targets", span, message, "does not fit")
        .with_note(
            "rows and columns of the targets follow from `shape`, `stride` and `padding`, channels from the kernel",
        )
        .with_help(format!("write `n: {sums}` at the target population"))
}

/// A drawn delay that may be negative.
pub fn delay_may_be_negative(span: Span, what: &str) -> Diagnostic {
    let message = format!("the {what} is drawn from a law that gives negative numbers too");
    Diagnostic::error("negative-delay", span, message, "may be negative").with_help("add a bound: `min: 0`")
}

/// A distribution for a variable of an edge's operator.
pub fn drawn_on_edge(span: Span, variable: &str) -> Diagnostic {
    let message = format!("`{variable}` stands on an edge, whose variables cannot be drawn from a distribution");
    Diagnostic::error("drawn-on-edge", span, message, "expected numbers")
        .with_help("give one number, or a matrix of numbers between populations")
}
