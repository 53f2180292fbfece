//! `nullcline list`: the shipped templates.

use clap::Args;
use nullcline::compiler::source::SourceMap;
use nullcline::compiler::template::library::{FileLibrary, SHIPPED, SHIPPED_TEMPLATES};
use nullcline::compiler::template::{load, load_all};

use super::fault::{DONE, Fault};
use super::print;

/// List the templates that ship with nullcline
#[derive(Args)]
#[command(after_help = "Example:\n  nullcline run jansen_rit    # run the first of them")]
pub struct List {}

impl List {
    /// Runs the command.
    pub fn run(self) -> Result<u8, Fault> {
        let names: Vec<&str> = SHIPPED_TEMPLATES.iter().map(|(file, _)| file.trim_end_matches(".yaml")).collect();
        let width = names.iter().map(|name| name.len()).max().unwrap_or(0);
        let mut text = String::new();
        for (name, (file, _)) in names.iter().zip(SHIPPED_TEMPLATES) {
            let line = format!("{name:<width$}  {}", description(file));
            text.push_str(line.trim_end());
            text.push('\n');
        }
        print::out(&text);
        Ok(DONE)
    }
}

/// What the template that runs says of itself, or else the first that says something.
fn description(file: &str) -> String {
    let path = format!("{SHIPPED}/{file}");
    let library = FileLibrary::new();
    let mut sources = SourceMap::new();
    let of_main = load(&mut sources, &library, &path, None).ok().and_then(|l| l.circuit.description.clone());
    let text = of_main.or_else(|| {
        let all = load_all(&mut sources, &library, &path).circuits;
        all.iter().find_map(|(.., circuit)| circuit.description.clone())
    });
    text.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}
