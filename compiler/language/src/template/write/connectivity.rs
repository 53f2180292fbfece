//! Connectivity as YAML.

use super::value::{drawn, number, space};
use crate::template::connectivity::{Block, Connectivity, Conv2d, Distance, Kernel, Pairs, Rule, Table};

/// The value of the key `connectivity`.
pub(super) fn connectivity(connectivity: &Connectivity) -> String {
    let mut entries = vec![rule(&connectivity.rule)];
    entries.extend(connectivity.autapses.map(|allowed| format!("autapses: {allowed}")));
    entries.extend(connectivity.multapses.map(|allowed| format!("multapses: {allowed}")));
    entries.extend(connectivity.seed.map(|seed| format!("seed: {seed}")));
    format!("{{{}}}", entries.join(", "))
}

fn rule(rule: &Rule) -> String {
    match rule {
        Rule::AllToAll => "all_to_all: {}".to_string(),
        Rule::OneToOne => "one_to_one: {}".to_string(),
        Rule::Random { p } => format!("random: {{p: {}}}", number(*p)),
        Rule::FixedIndegree { k } => format!("fixed_indegree: {{k: {k}}}"),
        Rule::FixedOutdegree { k } => format!("fixed_outdegree: {{k: {k}}}"),
        Rule::FixedTotal { n } => format!("fixed_total: {{n: {n}}}"),
        Rule::Distance(distance) => written_distance(distance),
        Rule::Block(block) => written_block(block),
        Rule::Circular { reach } => format!("circular: {{reach: {reach}}}"),
        Rule::Line { reach } => format!("line: {{reach: {reach}}}"),
        Rule::SmallWorld { k, p } => format!("small_world: {{k: {k}, p: {}}}", number(*p)),
        Rule::Conv2d(conv2d) => written_conv2d(conv2d),
        Rule::Pairs(pairs) => format!("pairs: {}", rows(pair_rows(pairs))),
        Rule::Mask(mask) => format!("mask: {}", table(mask)),
    }
}

fn written_distance(distance: &Distance) -> String {
    let (kernel, width) = distance.kernel.written();
    let (width, p) = (number(width), number(distance.p));
    format!("distance: {{{}, {kernel}: {width}, p: {p}}}", space(distance.space, distance.length))
}

fn written_block(block: &Block) -> String {
    let mut entries = format!("p: {}", table(&block.p));
    for (key, sizes) in [("targets", &block.targets), ("sources", &block.sources)] {
        if let Some(sizes) = sizes {
            let sizes: Vec<String> = sizes.iter().map(u32::to_string).collect();
            entries.push_str(&format!(", {key}: [{}]", sizes.join(", ")));
        }
    }
    format!("block: {{{entries}}}")
}

fn written_conv2d(conv2d: &Conv2d) -> String {
    let Conv2d { kernel, size: [rows, columns], channels: [from, to], shape, stride: [down, right], padding } = conv2d;
    let kernel = match kernel {
        Kernel::Drawn(law) => format!("{}, size: [{rows}, {columns}], channels: {to}", drawn(law)),
        Kernel::Given(given) => nested(given, &[*to as usize, *from as usize, *rows as usize, *columns as usize]),
    };
    let shape = match shape {
        Some([height, width]) => format!(", shape: [{height}, {width}, {from}]"),
        None => String::new(),
    };
    format!("conv2d: {{kernel: {kernel}{shape}, stride: [{down}, {right}], padding: {}}}", padding.name())
}

/// Numbers in nested lists of these lengths.
fn nested(numbers: &[f64], lengths: &[usize]) -> String {
    let parts: Vec<String> = match lengths {
        [length, inner @ ..] if !inner.is_empty() => {
            numbers.chunks((numbers.len() / length).max(1)).map(|part| nested(part, inner)).collect()
        }
        _ => numbers.iter().map(|n| number(*n)).collect(),
    };
    format!("[{}]", parts.join(", "))
}

fn table(table: &Table) -> String {
    rows(table.data.chunks(table.columns.max(1)).map(<[f64]>::to_vec))
}

fn pair_rows(pairs: &Pairs) -> impl Iterator<Item = Vec<f64>> {
    // A delay without a weight has a weight of 1 before it.
    let weights = pairs.weights.is_some() || pairs.delays.is_some();
    (0..pairs.sources.len()).map(move |e| {
        let mut row = vec![f64::from(pairs.sources[e]), f64::from(pairs.targets[e])];
        if weights {
            row.push(pairs.weights.as_ref().map_or(1.0, |w| w[e]));
        }
        row.extend(pairs.delays.as_ref().map(|d| d[e]));
        row
    })
}

fn rows(rows: impl Iterator<Item = Vec<f64>>) -> String {
    let row = |row: Vec<f64>| format!("[{}]", row.into_iter().map(number).collect::<Vec<_>>().join(", "));
    format!("[{}]", rows.map(row).collect::<Vec<_>>().join(", "))
}
