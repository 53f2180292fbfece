//! The program of a standalone crate: prints what a run of the model records.

use std::fmt::Write;

use nullcline_compiler::backend::rust::{self, Interface};
use nullcline_compiler::kernel::ir::Precision;
use nullcline_runtime::artifact::DeviceError;
use nullcline_runtime::sim::Clock;

use crate::model::Compiled;

/// The program that writes what a run would record: rows to standard output, spikes beside them to a file, or to standard
/// output if nothing else is recorded.
pub(super) fn program(
    name: &str,
    interface: &Interface<'_>,
    compiled: &Compiled,
    files: &mut Vec<(String, Vec<u8>)>,
) -> Result<String, DeviceError> {
    let (rows, spikes) = (!interface.recorded.is_empty(), !interface.events.is_empty());
    let aside = rows && spikes;
    let mut text = main(name, compiled, rows || !spikes, aside);
    let clock = Clock::new(compiled.dt);
    let time = |step: &str| match clock.per_unit() {
        Some(per_unit) => format!("{step} as f64 / {per_unit:?}"),
        None => format!("{step} as f64 * {:?}", compiled.dt),
    };
    let given = if aside { "out: &mut impl Write, spikes: &mut impl Write" } else { "out: &mut impl Write" };
    let _ = writeln!(text, "fn run({given}) -> io::Result<()> {{");
    if rows || !spikes {
        let columns = interface.recorded.iter().flat_map(|r| r.columns.iter().map(|c| &**c));
        let header = std::iter::once("t").chain(columns).map(quoted).collect::<Vec<_>>().join(",");
        let _ = writeln!(text, "    writeln!(out, {header:?})?;");
    }
    if spikes {
        let to = if aside { "spikes" } else { "out" };
        let _ = writeln!(text, "    writeln!({to}, \"t,event,unit\")?;");
    }
    text.push_str("    let mut model = Model::default();\n    for step in 0..=STEPS {\n");
    let fed = !interface.module.inputs.is_empty();
    if rows || !spikes {
        text.push_str(&row(interface, compiled, &time("step"), fed));
    }
    text.push_str("        if step < STEPS {\n");
    if fed {
        text.push_str("            feed(&mut model, step);\n");
    }
    text.push_str("            model.step();\n");
    if spikes {
        text.push_str(&spiking(interface, compiled, &time("spike.step"), aside));
    }
    text.push_str("        }\n    }\n    Ok(())\n}\n");
    text.push_str(NUMBER);
    if fed {
        text.push_str(&feed(name, interface, compiled, files)?);
    }
    Ok(text)
}

/// Spells numbers as the files of runs have them.
const NUMBER: &str = "
/// Writes the shortest spelling that reads back as the same.
fn number(out: &mut impl Write, value: f64) -> io::Result<()> {
    let magnitude = value.abs();
    if value.is_nan() {
        write!(out, \"nan\")
    } else if magnitude == 0.0 || magnitude == f64::INFINITY || (1e-5..1e16).contains(&magnitude) {
        write!(out, \"{value}\")
    } else {
        write!(out, \"{value:e}\")
    }
}
";

/// Constants and the function `main`.
fn main(name: &str, compiled: &Compiled, rows: bool, aside: bool) -> String {
    let schedule = &compiled.schedule;
    let mut text = format!("/// Steps of the run.\nconst STEPS: u64 = {};\n\n", schedule.steps);
    if rows {
        let _ = write!(text, "/// Steps from one row to the next.\nconst EVERY: u64 = {};\n\n", schedule.every);
    }
    text.push_str("fn main() -> io::Result<()> {\n    let mut out = BufWriter::new(io::stdout().lock());\n");
    let run = if aside {
        let _ = write!(
            text,
            "    // Spikes go to the file that is named, or to this one.\n    let path = env::args().nth(1).unwrap_or(\"{name}.spikes.csv\".to_string());\n    let mut spikes = BufWriter::new(File::create(path)?);\n"
        );
        "run(&mut out, &mut spikes).and_then(|()| spikes.flush())"
    } else {
        "run(&mut out)"
    };
    let _ = write!(
        text,
        "    match {run}.and_then(|()| out.flush()) {{\n        // Whoever reads has enough.\n        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),\n        done => done,\n    }}\n}}\n\n"
    );
    text
}

/// Writes a row, if the step has one.
fn row(interface: &Interface<'_>, compiled: &Compiled, time: &str, fed: bool) -> String {
    let schedule = &compiled.schedule;
    let mut text = String::from("        if step % EVERY == 0 {\n");
    if !schedule.include_end {
        text.push_str("            if step == STEPS {\n                break;\n            }\n");
    }
    if fed {
        text.push_str("            feed(&mut model, step);\n");
    }
    let _ = writeln!(text, "            let t = {time};");
    if !interface.recorded.is_empty() {
        text.push_str("            let row = model.outputs();\n");
    }
    let cut = schedule.cutoff > 0.0;
    let indent = if cut { "    " } else { "" };
    if cut {
        let _ = writeln!(text, "            if t >= {:?} {{", schedule.cutoff - 1e-9 * compiled.dt);
    }
    let _ = writeln!(text, "            {indent}number(out, t)?;");
    let value = |name: &str| match interface.module.precision {
        Precision::F64 => name.to_string(),
        Precision::F32 => format!("f64::from({name})"),
    };
    let comma = "write!(out, \",\")?;";
    for (recorded, name) in interface.recorded.iter().zip(rust::recorded_names(interface.recorded)) {
        match recorded.places.len() {
            1 => {
                let value = value(&format!("row.{name}"));
                let _ = writeln!(text, "            {indent}{comma}\n            {indent}number(out, {value})?;");
            }
            _ => {
                let deeper = format!("                {indent}");
                let _ = writeln!(text, "            {indent}for value in row.{name} {{\n{deeper}{comma}");
                let _ = writeln!(text, "{deeper}number(out, {})?;\n            {indent}}}", value("value"));
            }
        }
    }
    let _ = writeln!(text, "            {indent}writeln!(out)?;");
    if cut {
        text.push_str("            }\n");
    }
    text + "        }\n"
}

/// Writes the spikes of the last step.
fn spiking(interface: &Interface<'_>, compiled: &Compiled, time: &str, aside: bool) -> String {
    let to = if aside { "spikes" } else { "out" };
    let names: Vec<String> = interface.events.iter().map(|e| quoted(&e.name)).collect();
    let plain = interface.events.iter().zip(&names).all(|(event, name)| event.name == *name);
    let name = if plain { "Model::EVENTS[spike.event]".to_string() } else { format!("{names:?}[spike.event]") };
    let write = |indent: &str| {
        format!("{indent}number({to}, t)?;\n{indent}writeln!({to}, \",{{}},{{}}\", {name}, spike.unit)?;")
    };
    let mut text = format!("            for spike in model.spikes() {{\n                let t = {time};\n");
    let cutoff = compiled.schedule.cutoff;
    if cutoff > 0.0 {
        let since = cutoff - 1e-9 * compiled.dt;
        let write = write("                    ");
        let _ = write!(text, "                if t >= {since:?} {{\n{write}\n                }}\n");
    } else {
        let _ = writeln!(text, "{}", write("                "));
    }
    text + "            }\n"
}

/// The function that sets the inputs of a step.
fn feed(
    name: &str,
    interface: &Interface<'_>,
    compiled: &Compiled,
    files: &mut Vec<(String, Vec<u8>)>,
) -> Result<String, DeviceError> {
    let mut text = String::from("\n/// Sets the inputs of a step.\nfn feed(model: &mut Model, step: u64) {\n");
    let real = interface.module.precision.name();
    let convert = if real == "f32" { " as f32" } else { "" };
    let names = rust::buffer_names(interface.module);
    for (buffer, input) in &interface.module.inputs {
        let (field, series) = (&names[buffer.index()], input.series);
        let at = |column: u32| format!("SERIES_{series}.at(step, {column}){convert}");
        let len = interface.module.buffers[buffer.index()].len;
        if len == 1 {
            let value = input.columns[0].map_or("0.0".to_string(), at);
            let _ = writeln!(text, "    model.inputs.{field} = {value};");
            continue;
        }
        let first = input.columns[0];
        if input.columns.iter().all(|c| *c == first) {
            let value = first.map_or("0.0".to_string(), at);
            let _ = writeln!(text, "    model.inputs.{field}.fill({value});");
            continue;
        }
        for (i, column) in input.columns.iter().enumerate().filter_map(|(i, c)| Some((i, (*c)?))) {
            let _ = writeln!(text, "    model.inputs.{field}[{i}] = {};", at(column));
        }
    }
    text.push_str("}\n\n/// Samples of an input: rows of double-precision numbers, one for each step; the last one holds on.\nstruct Series {\n    columns: usize,\n    samples: &'static [[u8; 8]],\n}\n\nimpl Series {\n    fn at(&self, step: u64, column: usize) -> f64 {\n        let rows = self.samples.len() / self.columns;\n        let row = usize::try_from(step).unwrap_or(usize::MAX).min(rows - 1);\n        f64::from_le_bytes(self.samples[row * self.columns + column])\n    }\n}\n");
    for (index, samples) in compiled.inputs.iter().enumerate() {
        let columns = samples.columns;
        let (_, data) = samples.in_rows()?;
        let file = format!("{name}.series_{index}.bin");
        let _ = write!(
            text,
            "\nstatic SERIES_{index}: Series =\n    Series {{ columns: {columns}, samples: include_bytes!({file:?}).as_chunks::<8>().0 }};\n"
        );
        files.push((file, data.iter().flat_map(|v| v.to_le_bytes()).collect()));
    }
    Ok(text)
}

/// A name as a field of comma-separated values.
fn quoted(name: &str) -> String {
    if name.contains([',', '"', '\n']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.to_string() }
}
