//! Behaviour of the rendering.

use super::*;
use crate::source::{FileId, Span};

fn all(text: &str) -> (SourceMap, FileId) {
    let mut sources = SourceMap::new();
    let file = sources.add("m.yaml", text);
    (sources, file)
}

#[test]
fn every_span_renders_wherever_it_points() {
    for text in ["", "a", "a\n", "\ta: τ\r\n\r\nb", "\u{feff}x\u{2028}y\u{1b}[31m\n", &"τ".repeat(5000)] {
        let (sources, file) = all(text);
        let ends: Vec<usize> =
            (0..text.len().min(20) + 3).chain([text.len(), text.len() + 1, text.len() + 99]).collect();
        for &start in &ends {
            for &end in ends.iter().filter(|end| **end >= start) {
                let fault = Diagnostic::error("code", Span::new(file, start, end), "message", "label")
                    .with_related(Span::new(file, 0, 1), "first")
                    .with_related(Span::NOWHERE, "nowhere");
                let rendered = render(&fault.clone().into(), &sources, false);
                assert!(!rendered.contains('\u{1b}'), "{rendered:?}");
                assert_eq!(rendered, render(&fault.into(), &sources, false));
            }
        }
    }
}

#[test]
fn of_a_flood_the_first_are_shown_and_the_rest_is_counted() {
    let (sources, file) = all("a");
    let fault = Diagnostic::error("code", Span::new(file, 0, 1), "message", "label");
    let flood = Diagnostics(vec![fault; 100_000]);
    for text in [render(&flood, &sources, false), render_short(&flood, &sources)] {
        assert_eq!(text.matches("error[code]").count(), 200);
        assert!(text.ends_with("and 99800 more\n"), "{text}");
    }
}

#[test]
fn a_fault_without_a_place_shows_message_and_help_only() {
    let (sources, _) = all("a");
    let fault = Diagnostic::warning("code", Span::NOWHERE, "message", "label").with_note("why").with_help("do");
    assert_eq!(render(&fault.clone().into(), &sources, false), "warning[code]: message\n  note: why\n  help: do\n");
    assert_eq!(render_short(&fault.into(), &sources), "warning[code]: message\n  help: do\n");
}

#[test]
fn the_short_form_is_one_line_with_the_place() {
    let (sources, file) = all("a\nbτc: 1\n");
    let fault = Diagnostic::error("code", Span::new(file, 5, 6), "message", "label");
    assert_eq!(render_short(&fault.into(), &sources), "m.yaml:2:3: error[code]: message\n");
}

#[test]
fn long_lines_are_cut_and_keep_their_true_position() {
    let text = format!("first: 1\nw: [{}]\n", "1.5, ".repeat(100_000));
    let (sources, file) = all(&text);
    let fault = Diagnostic::error("code", Span::new(file, 250_003, 250_004), "message", "label");
    let rendered = render(&fault.into(), &sources, false);
    assert!(rendered.len() < 1000, "{rendered}");
    assert!(rendered.contains("m.yaml:2:249995"), "{rendered}");
}

#[test]
fn colours_appear_only_when_asked_for() {
    let (sources, file) = all("a: b\n");
    let fault: Diagnostics = Diagnostic::error("code", Span::new(file, 0, 1), "message", "label").into();
    assert!(render(&fault, &sources, true).contains('\u{1b}'));
    assert!(!render(&fault, &sources, false).contains('\u{1b}'));
}
