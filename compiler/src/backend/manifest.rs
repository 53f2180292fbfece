//! Manifests: what a host needs to know to run generated code, as JSON, next to the code.
//!
//! The keys of the object, in order:
//!
//! - `manifest`: version of this format, 1. `generator`, `model`, `target`, `precision`, `scheme`, `dt`, `pre_history`, `seed`.
//! - `code`: name of the file of code. `data`: name of the file of long lists, absent when there is none.
//! - `buffers`: one object for each buffer: `name`, `role` (`state`, `parameter`, `input`, `history`, `observed`,
//!   `event`, `internal`), `length` (elements of one slot), `slots` (1, or the ring length of a history: step n writes slot n mod
//!   slots), `initial` (values that every slot starts from; 0 when absent), `unit`, `description`.
//!   Of generated Rust, `field`: where it is in `Model`.
//! - `constants`: arrays that are never written: `name`, `format` (`u32`, or the precision) and `values`.
//! - `entries`: what can be launched: `name`, `extent` (elements, one invocation each), `group` (invocations per
//!   workgroup), `blocks` (workgroups to be launched: a number, or `ceil(count / group)` for as many invocations as the
//!   argument `count` says; absent where a program calls the entry itself) and `bindings` in order:
//!   `{"buffer": 3, "access": "read"}`, `{"constant": 0}`, `{"bank": 0, "access": "write"}`, `{"samples": true}`; each with its `slot` where the target numbers bindings.
//!   `{"series": 0}` is the address of all samples of a series: the number of rows and that of columns, 64 bits each, then
//!   the numbers. `{"clock": true}` is the address of two integers of 64 bits, 0 unless `tick` is used. `shared`: bytes of
//!   memory that a workgroup shares, when there are any; the code declares them.
//! - `phases`: entries of `setup`, `remember`, `step` and `observe`, in order. `feed`: entries that fill the buffers of
//!   inputs and random numbers, before those of a step or of the observe phase. `steps`: the entry that runs any number of
//!   steps by itself, or null.
//! - `record`: the entry that copies the numbers at `{"addresses": true}` (64 bits each) into a row of `{"rows": true}`, where
//!   there is one: one invocation per address. `arguments`: what every entry is given after its bindings, 64 bits each:
//!   `first` (the step; for `record`, the row), `count` (steps for `steps`, addresses for `record` and `reduce`, rows for
//!   `recorder`), `dt` (a double), `seed`.
//! - `recorder`: the `entry` that fills `count` rows of `{"rows": true}` by itself, where there is one, with the steps between
//!   them. `{"plan": true}` is made of numbers of 64 bits: the steps from one row to the next, the bytes of a row, for each
//!   owner the number of its first column, the number of all columns, and for each column, those of the first owner first,
//!   its address and its place in the row. Element i of a buffer of n elements belongs to owner i div (n div `parts`) div
//!   `each`; if n is no multiple of `parts`, to owner 0. There are `parts` div `each` owners, rounded up.
//! - `reduce`: the entry that adds the numbers at the addresses to `{"totals": true}`, where there is one: the sum of each
//!   column, then the smallest of each, then the largest, 64 bits each; the host begins with 0, inf and -inf.
//! - `tick`: the entry that adds `first` and `count` to the integers at `{"clock": true}`, where there is one. Entries with that
//!   binding add the first integer to the step that they are given as `first`, and `record` the second one to its row: so
//!   launches can be made again as they are.
//! - `measures`: entries that measure recorded rows, where there are any: `totals` and `rises`, one invocation for each of
//!   `count` columns of `first` rows at `{"rows": true}`. `{"totals": true}` holds numbers of 64 bits, each for all columns:
//!   of `totals` the sum, the smallest and the largest. `rises` reads two levels there, a low and a middle one; a rise leads
//!   from less than the middle one to at least that, and follows a number below the low one. Behind the levels it writes,
//!   as integers, how many there are, the row before the first and that before the last, then the numbers around the first
//!   and around the last. `taper`, `join` for parts of `first` = 1, 2, 4, .. numbers, and `peak` find the highest bins of power
//!   spectra of some columns at a time; `{"totals": true}` begins with integers of 64 bits: the number of rows and that of
//!   columns, the first column of the transform and the number of its columns, half its length (a power of two), 32 less the
//!   number of bits of a place in it, then the addresses of the window, the means and the scales (doubles) by which
//!   columns are tapered, shifted and scaled, of sine and cosine of the angles -pi k / half, of the bins that are found
//!   (integers of 64 bits), of the powers before, in and behind them (each for all columns), and of the transform, two
//!   doubles for each place and column. `count` is the number of places by columns, half as many, and that of columns.
//! - `marks`: where entries mark recorded events, `{"marks": true}`, when there are any: a ring of `rows` rows of `words` words
//!   of 32 bits, 0 at first. In a step, element i of a buffer in `buffers` (`[buffer, first word]`) that has its event sets
//!   bit i mod 32 of word (step mod rows) words + first word + i / 32; the host reads and clears rows before they come round.
//! - `banks`: memory of several buffers: `name`, `length`, and `buffers` as `[buffer, first element]`.
//! - `samples`: what a row of samples holds. `uniforms`: the block of numbers that entries are given: `name`, `quantity`,
//!   `offset` in bytes.
//! - `inputs`: extrinsic inputs: `buffer`, `series`, and for each element its `columns` of the series or null.
//! - `randoms`: random numbers, new in each step: `buffer`, `generator`, `site`, `part`, `units`. The number of an element
//!   is the `part` of the pair that Philox4x32-10 gives for the counter (step, step >> 32, unit, site) and the key (seed,
//!   seed >> 32): with words w, (((w0 << 32 | w1) >> 11) + 1) 2^-53 and ((w2 << 32 | w3) >> 11) 2^-53.
//! - `history_passes`: how often the remember phase is run over all slots, with a step size of 0, before the first step.
//! - `columns`: what a run records: `name`, `unit`, `buffer`, `element`, and of generated Rust the `field` of `Outputs`.
//! - `events`: recorded events: `name`, and the elements of a `buffer` that are not 0 after a step in which they had one:
//!   `count` from `first` on, the units from number `unit` on. `delay`: steps from the start of that step to the event.
//!
//! A list of numbers is one number (all elements are the same), an array, or, past [`LONGEST`] numbers,
//! `{"offset": bytes, "length": numbers}` in the data file, little-endian in the format of the list. A number that JSON
//! cannot express is `"NaN"`, `"inf"` or `"-inf"`.

use nullcline_runtime::artifact::Role;
use nullcline_runtime::code::{Artifact, Binding, Data, Measures, Quantity, Sample, Spectra};
use nullcline_runtime::program::Precision;

/// The longest list that is written into the text.
pub const LONGEST: usize = 1024;

/// What a manifest says besides the artifact.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct About {
    /// Name of the file of code.
    pub code: String,
    /// Name that the file of long lists gets.
    pub data: String,
    /// Name of the integration scheme.
    pub scheme: String,
    /// Step size.
    pub dt: f64,
    /// What holds before time 0 for delayed quantities: `initial` or `zero`.
    pub pre_history: String,
    /// Seed of random numbers.
    pub seed: u64,
    /// For each buffer, its unit and its description; may be shorter than the list of buffers.
    pub notes: Vec<(Option<String>, Option<String>)>,
    /// For each buffer, where it is in generated code; may be shorter than the list of buffers.
    pub fields: Vec<Option<String>>,
    /// What a run records.
    pub columns: Vec<Column>,
    /// Names of the recorded events, in the order of the layout.
    pub events: Vec<String>,
}

/// A recorded column.
#[derive(Clone, PartialEq, Debug)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its unit, for people.
    pub unit: Option<String>,
    /// The buffer.
    pub buffer: usize,
    /// The element.
    pub element: usize,
    /// Where it is in generated code.
    pub field: Option<String>,
}

/// A manifest as text, and the contents of its data file; empty when it needs none.
#[derive(Clone, PartialEq, Debug)]
pub struct Manifest {
    /// The JSON text.
    pub json: String,
    /// The long lists.
    pub data: Vec<u8>,
}

/// Writes the manifest of an artifact.
pub fn manifest(artifact: &Artifact, about: &About) -> Manifest {
    let mut data = Vec::new();
    let layout = &artifact.layout;
    let buffers = layout.buffers.iter().enumerate().map(|(index, buffer)| {
        let initial = artifact.initial.iter().find(|i| i.0 as usize == index);
        let (unit, description) = about.notes.get(index).cloned().unwrap_or_default();
        object([
            ("name", Some(text(&buffer.name))),
            ("role", Some(text(role(buffer.role)))),
            ("length", Some(buffer.len.to_string())),
            ("slots", Some(buffer.slots.to_string())),
            ("initial", initial.map(|i| numbers(&i.1, artifact.precision, &mut data))),
            ("unit", unit.map(|u| text(&u))),
            ("description", description.map(|d| text(&d))),
            ("field", about.fields.get(index).and_then(Option::as_ref).map(|f| text(f))),
        ])
    });
    let buffers = array(buffers, true);
    let constants = artifact.constants.iter().map(|constant| {
        let (format, values) = match &constant.data {
            Data::Integers(all) => ("u32", integers(all, &mut data)),
            Data::Numbers(all) => (precision(artifact.precision), numbers(all, artifact.precision, &mut data)),
        };
        object([("name", Some(text(&constant.name))), ("format", Some(text(format))), ("values", Some(values))])
    });
    let constants = array(constants, true);
    let counted = artifact.counted();
    let entries = artifact.entries.iter().enumerate().map(|(index, entry)| {
        let blocks = match counted.contains(&(index as u32)) {
            true => text(&format!("ceil(count / {})", entry.group)),
            false => entry.extent.div_ceil(entry.group as usize).to_string(),
        };
        let bindings = entry.bindings.iter().map(|b| binding(artifact, *b));
        object([
            ("name", Some(text(&entry.name))),
            ("extent", Some(entry.extent.to_string())),
            ("group", Some(entry.group.to_string())),
            ("blocks", (artifact.target != "rust").then_some(blocks)),
            ("shared", (entry.shared > 0).then(|| entry.shared.to_string())),
            ("bindings", Some(array(bindings, false))),
        ])
    });
    let [setup, remember, step, observe] = &artifact.phases;
    let phases = [("setup", setup), ("remember", remember), ("step", step), ("observe", observe)];
    let phases = object(phases.map(|(name, entries)| (name, Some(array(entries.iter(), false)))));
    let inputs = layout.feeds.iter().map(|feed| {
        let columns = feed.columns.iter().map(|c| c.map_or("null".to_string(), |c| c.to_string()));
        object([
            ("buffer", Some(feed.buffer.to_string())),
            ("series", Some(feed.series.to_string())),
            ("columns", Some(array(columns, false))),
        ])
    });
    let inputs = array(inputs, true);
    let randoms = layout.randoms.iter().map(|random| {
        object([
            ("buffer", Some(random.buffer.to_string())),
            ("generator", Some(text("philox4x32-10"))),
            ("site", Some(random.site.to_string())),
            ("part", Some(random.part.to_string())),
            ("units", Some(integers(&random.units, &mut data))),
        ])
    });
    let randoms = array(randoms, true);
    let banks = artifact.banks.iter().map(|bank| {
        let held = bank.buffers.iter().map(|(buffer, first)| format!("[{buffer}, {first}]"));
        object([
            ("name", Some(text(&bank.name))),
            ("length", Some(bank.len.to_string())),
            ("buffers", Some(array(held, false))),
        ])
    });
    let samples = artifact.samples.iter().map(|sample| match sample {
        Sample::Time => text("time"),
        Sample::Column { series, column } => {
            object([("series", Some(series.to_string())), ("column", Some(column.to_string()))])
        }
    });
    let uniforms = artifact.uniforms.iter().map(|uniform| {
        object([
            ("name", Some(text(&uniform.name))),
            ("quantity", Some(text(quantity(uniform.quantity)))),
            ("offset", Some(uniform.offset.to_string())),
        ])
    });
    let columns = about.columns.iter().map(|column| {
        object([
            ("name", Some(text(&column.name))),
            ("unit", column.unit.as_ref().map(|u| text(u))),
            ("buffer", Some(column.buffer.to_string())),
            ("element", Some(column.element.to_string())),
            ("field", column.field.as_ref().map(|f| text(f))),
        ])
    });
    let marks = artifact.marks.as_ref().map(|marks| {
        let held = marks.buffers.iter().map(|(buffer, first)| format!("[{buffer}, {first}]"));
        object([
            ("rows", Some(marks.rows.to_string())),
            ("words", Some(marks.words.to_string())),
            ("buffers", Some(array(held, false))),
        ])
    });
    let events = layout.events.iter().enumerate().map(|(index, event)| {
        object([
            ("name", Some(text(about.events.get(index).unwrap_or(&layout.buffers[event.buffer].name)))),
            ("buffer", Some(event.buffer.to_string())),
            ("first", Some(event.first.to_string())),
            ("count", Some(event.count.to_string())),
            ("unit", Some(event.unit.to_string())),
            ("delay", Some(event.delay.to_string())),
        ])
    });
    let recorder = artifact.recorder.map(|recorder| {
        let (entry, parts, each) = (recorder.entry.to_string(), recorder.parts.to_string(), recorder.each.to_string());
        object([("entry", Some(entry)), ("parts", Some(parts)), ("each", Some(each))])
    });
    let arguments = artifact.arguments.iter().map(|a| text(a));
    let arguments = (!artifact.arguments.is_empty()).then(|| array(arguments, false));
    let members = [
        ("manifest", Some("1".to_string())),
        ("generator", Some(text(concat!("nullcline ", env!("CARGO_PKG_VERSION"))))),
        ("model", Some(text(&layout.name))),
        ("target", Some(text(&artifact.target))),
        ("precision", Some(text(precision(artifact.precision)))),
        ("scheme", Some(text(&about.scheme))),
        ("dt", Some(number(about.dt))),
        ("pre_history", Some(text(&about.pre_history))),
        ("seed", Some(about.seed.to_string())),
        ("code", Some(text(&about.code))),
        ("data", (!data.is_empty()).then(|| text(&about.data))),
        ("buffers", Some(buffers)),
        ("constants", Some(constants)),
        ("entries", Some(array(entries, true))),
        ("phases", Some(phases)),
        ("feed", Some(array(artifact.feed.iter(), false))),
        ("recorder", recorder),
        ("record", artifact.record.map(|r| r.to_string())),
        ("reduce", artifact.reduce.map(|r| r.to_string())),
        ("tick", artifact.tick.map(|t| t.to_string())),
        ("measures", artifact.measures.map(measures)),
        ("marks", marks),
        ("arguments", arguments),
        ("steps", Some(artifact.steps.map_or("null".to_string(), |s| s.to_string()))),
        ("banks", Some(array(banks, true))),
        ("samples", Some(array(samples, false))),
        ("uniforms", Some(array(uniforms, true))),
        ("inputs", Some(inputs)),
        ("randoms", Some(randoms)),
        ("history_passes", Some(layout.history_passes.to_string())),
        ("columns", Some(array(columns, true))),
        ("events", Some(array(events, true))),
    ];
    let lines = members.into_iter().filter_map(|(key, value)| Some(format!("  {}: {}", text(key), value?)));
    let json = format!("{{\n{}\n}}\n", lines.collect::<Vec<String>>().join(",\n"));
    Manifest { json, data }
}

fn measures(measures: Measures) -> String {
    let Spectra { taper, join, peak } = measures.spectra;
    let entries =
        [("totals", measures.totals), ("rises", measures.rises), ("taper", taper), ("join", join), ("peak", peak)];
    object(entries.map(|(name, entry)| (name, Some(entry.to_string()))))
}

fn binding(artifact: &Artifact, binding: Binding) -> String {
    let access = |written: bool| Some(text(if written { "write" } else { "read" }));
    let (key, value, access) = match binding {
        Binding::Buffer { index, written } => ("buffer", index.to_string(), access(written)),
        Binding::Constant(index) => ("constant", index.to_string(), None),
        Binding::Bank { index, written } => ("bank", index.to_string(), access(written)),
        Binding::Samples => ("samples", "true".to_string(), None),
        Binding::Series(series) => ("series", series.to_string(), None),
        Binding::Addresses => ("addresses", "true".to_string(), None),
        Binding::Plan => ("plan", "true".to_string(), None),
        Binding::Rows => ("rows", "true".to_string(), access(true)),
        Binding::Clock => ("clock", "true".to_string(), None),
        Binding::Marks => ("marks", "true".to_string(), access(true)),
        Binding::Totals => ("totals", "true".to_string(), access(true)),
    };
    object([(key, Some(value)), ("access", access), ("slot", artifact.slot(binding).map(|s| s.to_string()))])
}

fn role(role: Role) -> &'static str {
    match role {
        Role::State => "state",
        Role::Parameter => "parameter",
        Role::Input => "input",
        Role::History => "history",
        Role::Observed => "observed",
        Role::Event => "event",
        Role::Internal => "internal",
    }
}

fn quantity(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Step => "step",
        Quantity::Count => "count",
        Quantity::Row => "row",
        Quantity::SeedLow => "seed_low",
        Quantity::SeedHigh => "seed_high",
        Quantity::StepSize => "step_size",
        Quantity::Zero => "zero",
    }
}

fn precision(precision: Precision) -> &'static str {
    match precision {
        Precision::F32 => "f32",
        Precision::F64 => "f64",
    }
}

/// One number, an array, or a place in the data.
fn numbers(values: &[f64], precision: Precision, data: &mut Vec<u8>) -> String {
    match values {
        [value] => number(*value),
        values if values.len() <= LONGEST => array(values.iter().map(|v| number(*v)), false),
        values => {
            let offset = data.len();
            match precision {
                Precision::F64 => values.iter().for_each(|v| data.extend(v.to_le_bytes())),
                Precision::F32 => values.iter().for_each(|v| data.extend((*v as f32).to_le_bytes())),
            }
            place(offset, values.len())
        }
    }
}

fn integers(values: &[u32], data: &mut Vec<u8>) -> String {
    if values.len() <= LONGEST {
        return array(values.iter(), false);
    }
    let offset = data.len();
    values.iter().for_each(|v| data.extend(v.to_le_bytes()));
    place(offset, values.len())
}

fn place(offset: usize, length: usize) -> String {
    object([("offset", Some(offset.to_string())), ("length", Some(length.to_string()))])
}

/// A number with as many digits as it takes to read it back.
fn number(value: f64) -> String {
    if value.is_finite() { format!("{value:?}") } else { format!("\"{value}\"") }
}

fn text(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            control if control.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => quoted.push(other),
        }
    }
    quoted + "\""
}

/// The members that have a value.
fn object<const N: usize>(members: [(&str, Option<String>); N]) -> String {
    let members = members.into_iter().filter_map(|(key, value)| Some(format!("{}: {}", text(key), value?)));
    format!("{{{}}}", members.collect::<Vec<String>>().join(", "))
}

/// An array in one line, or with a line for each item of the outermost arrays.
fn array(items: impl Iterator<Item = impl ToString>, lines: bool) -> String {
    let items: Vec<String> = items.map(|i| i.to_string()).collect();
    if lines && !items.is_empty() {
        format!("[\n    {}\n  ]", items.join(",\n    "))
    } else {
        format!("[{}]", items.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_lists_are_written_out_and_long_ones_go_to_the_data() {
        let mut data = vec![0; 8];
        assert_eq!(numbers(&[1e-5], Precision::F64, &mut data), "1e-5");
        assert_eq!(numbers(&[1.0, f64::NAN], Precision::F64, &mut data), "[1.0, \"NaN\"]");
        let long = vec![0.5; LONGEST + 1];
        assert_eq!(numbers(&long, Precision::F32, &mut data), "{\"offset\": 8, \"length\": 1025}");
        assert_eq!(data.len(), 8 + 4 * long.len());
        assert_eq!(data[8..12], 0.5f32.to_le_bytes());
    }

    #[test]
    fn text_is_quoted() {
        assert_eq!(text("a\"\\\n\u{1}µ"), r#""a\"\\\n\u0001µ""#);
    }
}
