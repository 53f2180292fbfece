//! `nullcline check`: says what is wrong with template files.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use nullcline::compiler::diagnostic::{Diagnostics, Severity, render, render_short};
use nullcline::compiler::ir::lower::functions::KnownFunctions;
use nullcline::compiler::ir::lower::{Options, lower};
use nullcline::compiler::model::check::check;
use nullcline::compiler::model::instantiate;
use nullcline::compiler::source::SourceMap;
use nullcline::compiler::template::library::{FileLibrary, directory_of};
use nullcline::compiler::template::{CircuitTemplate, Kind, LoadedFile, load_all};
use nullcline::{Engine, Error, Model};

use super::fault::{DONE, FAILED, Fault};
use super::print;

/// Step size for delays when the file has none: any will do to find faults.
const ANY_STEP: f64 = 1e-3;

/// Check every template of a file and report what is wrong
#[derive(Args)]
#[command(after_help = "Examples:\n  nullcline check model.yaml\n  nullcline check --short templates/*.yaml")]
pub struct Check {
    /// Template files, or names of shipped templates
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    files: Vec<String>,
    /// One line per fault: `file:line:column: error[code]: message`
    #[arg(long)]
    short: bool,
    /// Look for templates in this directory too (repeatable)
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    template_path: Vec<PathBuf>,
}

impl Check {
    /// Runs the command.
    pub fn run(self) -> Result<u8, Fault> {
        let library = FileLibrary::with_template_path(self.template_path.clone());
        let mut code = DONE;
        for file in &self.files {
            let mut sources = SourceMap::new();
            let loaded = load_all(&mut sources, &library, file);
            let templates = loaded.circuits.len();
            let of_run = chosen(&loaded).cloned();
            let (found, sources) = faults(loaded, sources);
            let count = |severity| found.0.iter().filter(|d| d.severity == severity).count();
            let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
            if !found.is_empty() {
                let text = if self.short {
                    render_short(&found, &sources)
                } else {
                    render(&found, &sources, print::colors_on_stderr())
                };
                print::error(&text);
            }
            let warned = if warnings > 0 { format!(", {}", many(warnings, "warning")) } else { String::new() };
            if errors > 0 {
                print::out(&format!("{file}: {}{warned}\n", many(errors, "error")));
                code = FAILED;
            } else {
                let sizes = of_run.and_then(|template| sizes(&template)).unwrap_or_default();
                print::out(&format!("{file}: ok ({}{sizes}{warned})\n", many(templates, "template")));
            }
        }
        Ok(code)
    }
}

/// Units and connections of a circuit with populations.
fn sizes(template: &CircuitTemplate) -> Option<String> {
    let circuit = instantiate(template).ok()?;
    let sized = circuit.populations.iter().any(|p| p.size.is_some());
    let units: usize = circuit.populations.iter().map(|p| p.size.unwrap_or(1)).sum();
    let each = circuit.projections.iter().map(|p| circuit.footprint(p));
    let (connections, memory) = each.fold((0, 0), |sum, size| (sum.0 + size.connections, sum.1 + size.bytes));
    let sizes = || {
        format!(", {}, {} in {}", many(units, "unit"), many(connections as usize, "connection"), print::bytes(memory))
    };
    sized.then(sizes)
}

/// All faults and warnings of a file, each once, with the texts they point into.
fn faults(loaded: LoadedFile, mut sources: SourceMap) -> (Diagnostics, SourceMap) {
    let mut found = Diagnostics::new();
    found.0.extend(loaded.diagnostics.0.iter().cloned());
    let sound = !found.has_errors();
    for (_, _, template) in &loaded.circuits {
        of_template(template, loaded.simulate.dt.unwrap_or(ANY_STEP), &mut found);
    }
    // The settings make sense for one template only, and only if that is sound.
    if let (Some(chosen), true, true) = (chosen(&loaded), sound, !found.has_errors()) {
        (found, sources) = of_settings(chosen, &loaded, found, sources);
    }
    let mut seen = std::collections::HashSet::new();
    found.0.retain(|d| seen.insert((d.code, d.span, d.message.clone())));
    (found, sources)
}

fn of_template(template: &CircuitTemplate, dt: f64, found: &mut Diagnostics) {
    let Some(circuit) = found.absorb(instantiate(template)) else { return };
    let checked = check(&circuit, &KnownFunctions);
    let sound = !checked.has_errors();
    found.0.extend(checked.0);
    if sound {
        found.absorb(lower(&circuit, &[], &Options { dt, vectorise: Default::default() }));
    }
}

/// Compiles the template that the `simulate:` section is about, as `run` would.
fn of_settings(
    template: &CircuitTemplate,
    loaded: &LoadedFile,
    mut found: Diagnostics,
    sources: SourceMap,
) -> (Diagnostics, SourceMap) {
    let mut settings = loaded.simulate.clone();
    // Both may also come from the command line.
    let dt = *settings.dt.get_or_insert(ANY_STEP);
    settings.duration.get_or_insert(settings.cutoff.unwrap_or(0.0) + dt);
    let directory = sources.files().next().map(|(_, f)| directory_of(&f.name).into()).unwrap_or_default();
    let compiled = Model::new(sources.clone(), template, settings, directory)
        .and_then(|model| model.compile(Engine::auto()).map(drop));
    match compiled {
        Err(Error::Model(more, sources)) => {
            found.0.extend(more.0);
            (found, *sources)
        }
        _ => (found, sources),
    }
}

/// The template that `run` would choose.
fn chosen(loaded: &LoadedFile) -> Option<&CircuitTemplate> {
    if let Some(name) = &loaded.simulate.template {
        let named = loaded.circuits.iter().find(|(template, ..)| template.text == name.text);
        return named.map(|(.., circuit)| &**circuit);
    }
    for kind in [Kind::Circuit, Kind::Node, Kind::Operator] {
        let mut of_kind = loaded.circuits.iter().filter(|c| c.1 == kind);
        match (of_kind.next(), of_kind.next()) {
            (None, _) => {}
            (Some((.., only)), None) => return Some(only),
            _ => return None,
        }
    }
    None
}

fn many(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
