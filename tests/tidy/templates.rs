//! The templates that ship with nullcline.

use std::process::Command;

use nullcline::compiler::template::library::SHIPPED_TEMPLATES;

use super::files::{self, root};
use super::rows::has_year;

#[test]
fn every_template_ships() {
    let files: Vec<String> = files::ending_in(".yaml").into_iter().map(|f| f.path).collect();
    let files: Vec<&str> = files.iter().filter_map(|path| path.strip_prefix("templates/")).collect();
    let shipped: Vec<&str> = SHIPPED_TEMPLATES.iter().map(|(name, _)| *name).collect();
    assert_eq!(files, shipped);
}

#[test]
fn every_template_begins_with_its_source() {
    for (name, text) in SHIPPED_TEMPLATES {
        let comment: Vec<&str> = text.lines().take_while(|line| line.starts_with('#')).collect();
        assert!(has_year(&comment.join(" ")), "{name}: the comment at the top names no publication with its year");
    }
}

#[test]
fn every_template_describes_itself_and_its_experiment() {
    for (name, text) in SHIPPED_TEMPLATES {
        assert!(text.contains("\n  description: "), "{name} has no description");
        assert!(text.contains("\nsimulate:"), "{name} has no section `simulate`");
    }
}

#[test]
fn every_template_passes_the_check_without_a_warning() {
    let paths = SHIPPED_TEMPLATES.iter().map(|(name, _)| format!("templates/{name}"));
    let mut check = Command::new(env!("CARGO_BIN_EXE_nullcline"));
    let done = check.current_dir(root()).args(["check", "--short"]).args(paths).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && said.is_empty(), "{said}");
}
