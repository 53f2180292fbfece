//! Diagnostics as text for people.

mod excerpt;
#[cfg(test)]
mod tests;

use std::fmt::Write;

use ariadne::{Config, IndexType, Label, LabelAttach, Report, ReportKind};

use super::{Diagnostic, Diagnostics, Severity};
use crate::source::SourceMap;
use excerpt::Excerpts;

/// Most diagnostics that are shown. What comes after so many is rarely news, and a model may have a fault in each of its
/// millions of numbers.
const MOST: usize = 200;

/// Each diagnostic with its source lines, carets, notes and help.
pub fn render(diagnostics: &Diagnostics, sources: &SourceMap, color: bool) -> String {
    let mut text = String::new();
    for (index, diagnostic) in diagnostics.0.iter().take(MOST).enumerate() {
        if index > 0 {
            text.push('\n');
        }
        text.push_str(&one(diagnostic, sources, color));
    }
    text.push_str(&rest(diagnostics));
    text
}

/// Each diagnostic on one line, `file:line:col: error[code]: message`, and its help on a second.
pub fn render_short(diagnostics: &Diagnostics, sources: &SourceMap) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics.0.iter().take(MOST) {
        let place = sources.describe(diagnostic.span);
        let separator = if place.is_empty() { "" } else { ": " };
        let (severity, code) = (severity(diagnostic.severity), diagnostic.code);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{place}{separator}{severity}[{code}]: {}", diagnostic.message);
        if let Some(help) = &diagnostic.help {
            let _ = writeln!(text, "  help: {help}");
        }
    }
    text.push_str(&rest(diagnostics));
    text
}

/// What is said instead of the diagnostics that are not shown.
fn rest(diagnostics: &Diagnostics) -> String {
    match diagnostics.0.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!("and {more} more\n"),
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// One diagnostic.
fn one(diagnostic: &Diagnostic, sources: &SourceMap, color: bool) -> String {
    let mut excerpts = Excerpts::new(sources, diagnostic);
    let kind = severity(diagnostic.severity);
    let mut text = if let Some(primary) = excerpts.place(diagnostic.span) {
        let (report_kind, related_color) = match diagnostic.severity {
            Severity::Error => (ReportKind::Custom("error", ariadne::Color::Red), ariadne::Color::Cyan),
            Severity::Warning => (ReportKind::Custom("warning", ariadne::Color::Yellow), ariadne::Color::Cyan),
        };
        let main_color = match diagnostic.severity {
            Severity::Error => ariadne::Color::Red,
            Severity::Warning => ariadne::Color::Yellow,
        };
        let config = Config::new()
            .with_color(color)
            .with_index_type(IndexType::Byte)
            .with_label_attach(LabelAttach::Start)
            .with_tab_width(4);
        let mut labels = vec![(primary.clone(), &diagnostic.label, main_color, 1)];
        for (span, label) in &diagnostic.related {
            labels.extend(excerpts.place(*span).map(|place| (place, label, related_color, 0)));
        }
        // In the order of the text, the excerpt of the fault first: otherwise one excerpt falls into several.
        labels.sort_by_key(|((id, range), ..)| (*id != primary.0, *id, range.start));
        let mut report = Report::build(report_kind, primary).with_config(config).with_message("");
        for (place, label, color, priority) in labels {
            report = report.with_label(Label::new(place).with_message(label).with_color(color).with_priority(priority));
        }
        let mut bytes = Vec::new();
        match report.finish().write(&mut excerpts, &mut bytes) {
            Ok(()) => excerpts.restore_positions(&String::from_utf8_lossy(&bytes)),
            Err(_) => String::new(),
        }
    } else {
        String::new()
    };
    // The first line and the last ones are ours: ariadne would name the kind after the code and indent the help.
    let body = text.split_once('\n').map_or("", |(_, rest)| rest).to_string();
    let paint = |what: &str, code: &str| {
        if color { format!("\u{1b}[{code}m{what}\u{1b}[0m") } else { what.to_string() }
    };
    let kind_color = if diagnostic.severity == Severity::Error { "1;31" } else { "1;33" };
    text = format!("{}: {}\n", paint(&format!("{kind}[{}]", diagnostic.code), kind_color), diagnostic.message);
    text.extend(body.lines().map(|line| format!("{}\n", line.trim_end())));
    for note in &diagnostic.notes {
        let _ = writeln!(text, "  {}: {note}", paint("note", "1"));
    }
    if let Some(help) = &diagnostic.help {
        let _ = writeln!(text, "  {}: {help}", paint("help", "1;32"));
    }
    text
}
