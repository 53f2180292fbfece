//! Generated Rust has no warning, of clippy's pedantic lints neither, but for those it allows; and no `unsafe` unless it
//! depends on nothing.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use nullcline::compiler::template::library::FileLibrary;
use nullcline::{EmbedOptions, Model};

use super::crates::Sources;
use super::shipped;

/// Every model, shipped networks of thousands of units among them.
fn models() -> Vec<(String, Model)> {
    let networks = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/networks")).unwrap();
    let networks = networks.map(|file| {
        let name = file.unwrap().path().display().to_string();
        let model = Model::load(&FileLibrary::new(), &name, None).unwrap();
        (name, model)
    });
    shipped::models().chain(networks).collect()
}

/// The forms: name, options, and what the crate begins with.
const FORMS: &[(&str, EmbedOptions, &str)] = &[
    ("standalone", EmbedOptions { standalone: true, no_std: false }, ""),
    ("runtime", EmbedOptions { standalone: false, no_std: false }, "#![forbid(unsafe_code)]\n"),
    ("no_std", EmbedOptions { standalone: true, no_std: true }, "#![no_std]\n#![forbid(unsafe_code)]\n"),
];

#[test]
fn generated_rust_passes_the_pedantic_lints() {
    let clippy = std::env::var("CLIPPY_DRIVER").unwrap_or("clippy-driver".to_string());
    let found = Command::new(&clippy).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !found.is_ok_and(|status| status.success()) {
        println!("skipped: there is no clippy-driver");
        return;
    }
    let models = models();
    assert!(models.len() >= 120, "{} models", models.len());
    for (form, options, head) in FORMS {
        let mut sources = Sources::new(&format!("lints_{form}"));
        sources.lib = format!("{head}#![allow(missing_docs)]\n");
        // Each model in one of the precisions.
        for (index, (name, model)) in models.iter().enumerate() {
            let mut model = model.clone();
            model.settings.precision = Some(model.name("precision", ["f64", "f32"][index % 2]));
            (model.settings.duration, model.settings.cutoff) = (model.settings.dt, None);
            model.settings.sample_every = None;
            sources.add(&model.embed(*options).unwrap_or_else(|e| panic!("{name}: {e}")), &[]);
        }
        sources.write("models");
        sources.runtime();
        let driver = Command::new(&clippy)
            .args(["--edition", "2024", "--crate-type", "lib", "--emit", "metadata", "--crate-name", "models"])
            .args(["--extern", "nullcline_runtime=libnullcline_runtime.rlib", "-L", "."])
            .args(["-D", "warnings", "-D", "clippy::pedantic", "lib.rs"])
            .current_dir(&sources.folder)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&driver.stderr);
        assert!(driver.status.success(), "{form}\n{}", said.chars().take(4000).collect::<String>());
        let text = |name: &str| fs::read_to_string(sources.folder.join(name).join("model.rs")).unwrap();
        let blocks = |text: &str| text.lines().filter(|line| line.contains("unsafe {")).count();
        // Those that read and write the control register and call what was compiled for an instruction set.
        let expected = if *form == "standalone" { 4 } else { 0 };
        assert!((0..models.len()).all(|m| blocks(&text(&format!("m{m}"))) == expected), "{form}");
    }
}
