//! Behaviour of the YAML reader.

use super::*;
use crate::syntax::print::document;

fn read(text: &str) -> (SourceMap, Node) {
    let mut sources = SourceMap::new();
    let file = sources.add("m.yaml", text);
    match parse(&sources, file) {
        Ok(node) => (sources, node),
        Err(faults) => panic!("{}", crate::diagnostic::render(&faults, &sources, false)),
    }
}

fn code(text: &str) -> &'static str {
    let mut sources = SourceMap::new();
    let file = sources.add("m.yaml", text);
    parse(&sources, file).expect_err("refused").0[0].code
}

#[test]
fn keys_and_values_know_their_places() {
    let text = "# τ\nop: # c\n  \"k e\":   'it''s'  # c\n  τ: &x [1, 2.5]\n  z: {a: b c}\n  n:\nlast: one\n  two\n";
    for text in [text.to_string(), text.replace('\n', "\r\n"), format!("\u{feff}{text}")] {
        let (sources, root) = read(&text);
        let op = root.get("op").expect("op");
        let keys: Vec<&str> = op.as_mapping().expect("a mapping").iter().map(|e| sources.slice(e.key.span)).collect();
        assert_eq!(keys, ["\"k e\"", "τ", "z", "n"]);
        assert_eq!(sources.slice(op.get("k e").expect("there").span), "'it''s'");
        assert_eq!(op.get("k e").and_then(Node::as_text), Some("it's"));
        let list = op.get("τ").expect("there");
        assert_eq!(sources.slice(list.span), "[1, 2.5]");
        assert_eq!(sources.slice(list.as_sequence().expect("a list")[1].span), "2.5");
        assert_eq!(sources.slice(op.get("z").expect("there").span), "{a: b c}");
        let nothing = op.get("n").expect("there");
        assert!(nothing.is_null());
        assert!(text[..nothing.span.start as usize].ends_with("n:"));
        assert!(sources.slice(op.span).starts_with("\"k e\"") && sources.slice(op.span).ends_with("n:"));
        let last = root.get("last").and_then(Node::as_scalar).expect("text");
        assert_eq!(last.text.as_str(), "one two");
        assert_eq!(sources.slice(last.text.span(4, 7)), "two");
    }
}

#[test]
fn block_texts_map_line_by_line() {
    for (header, expected) in
        [("|", "x' = (a\n  + b)\ny\n"), (">-", "x' = (a\n  + b)\ny"), ("|+\n", "\nx' = (a\n  + b)\ny\n")]
    {
        let (sources, root) = read(&format!("eq: {header}\n    x' = (a\n      + b)\n    y\nnext: 1\n"));
        let text = &root.get("eq").and_then(Node::as_scalar).expect("text").text;
        assert_eq!(text.as_str(), expected);
        for word in ["x' = (a", "+ b)", "y"] {
            let at = text.as_str().find(word).expect("there");
            assert_eq!(sources.slice(text.span(at, at + word.len())), word, "{header}");
        }
    }
}

#[test]
fn absent_values_are_null_and_quoted_ones_are_text() {
    let (_, root) = read("a: ~\nb: null\nc:\nd: 'null'\ne: ''\nf: !!str\ng: [~, ]\n");
    let value = |key: &str| root.get(key).expect("there");
    assert!(value("a").is_null() && value("b").is_null() && value("c").is_null());
    assert_eq!(value("d").as_text(), Some("null"));
    assert_eq!(value("e").as_text(), Some(""));
    assert_eq!(value("f").as_text(), Some(""));
    assert_eq!(value("g").as_sequence().map(<[Node]>::len), Some(1));
    for empty in ["", "\n\n# only a comment\n", "---\n", "\u{feff}"] {
        assert!(read(empty).1.is_null());
    }
}

#[test]
fn aliases_and_merge_keys_are_expanded() {
    let (_, root) = read("d: &d {a: 1, b: 2}\ne: &e {b: 9, c: 3}\nm:\n  x: 0\n  <<: [*d, *e]\n  a: 7\nn: *d\n");
    assert_eq!(document(root.get("m").expect("there")), "x: 0\nb: 2\nc: 3\na: 7\n");
    assert_eq!(document(root.get("n").expect("there")), "a: 1\nb: 2\n");
}

#[test]
fn hostile_documents_are_refused() {
    assert_eq!(code(&"[".repeat(100_000)), "yaml-nested-too-deeply");
    assert_eq!(code(&"a: {".repeat(1000)), "yaml-nested-too-deeply");
    assert_eq!(code(&"- ".repeat(10_000)), "yaml-nested-too-deeply");
    let anchors: String = (1..60).map(|i| format!("a{i}: &a{i} [*a{}, *a{}]\n", i - 1, i - 1)).collect();
    assert_eq!(code(&format!("a0: &a0 [x]\n{anchors}")), "too-many-aliases");
    assert_eq!(code("a: 1\0b"), "control-character");
}

#[test]
fn large_matrices_load() {
    let row = format!("  - [{}]\n", vec!["0.12345"; 1000].join(", "));
    let (_, root) = read(&format!("w: &w\n{}again: *w\n", row.repeat(300)));
    assert_eq!(root.get("again").and_then(Node::as_sequence).map(<[Node]>::len), Some(300));
}

#[test]
fn documents_print_as_yaml_that_reads_back() {
    let text = "op:\n  base: OperatorTemplate\n  equations:\n    - x' = -x\n    - \"y = {a}\"\n  v: {x: variable(0.0), \"1\": '2'}\n  l: [1, [2, ~]]\n";
    let printed = document(&read(text).1);
    assert_eq!(document(&read(&printed).1), printed);
    assert!(printed.contains("- x' = -x\n"), "{printed}");
}

#[test]
#[ignore = "a measurement; run it in release"]
fn a_million_numbers_load_in_well_under_a_second() {
    let row = format!("  - [{}]\n", vec!["-0.123456789012345678"; 1000].join(", "));
    let text = format!("w:\n{}", row.repeat(1000));
    let start = std::time::Instant::now();
    let (_, root) = read(&text);
    let seconds = start.elapsed().as_secs_f64();
    assert!(root.get("w").is_some());
    println!("{} MB in {seconds:.3} s", text.len() / 1_000_000);
    let start = std::time::Instant::now();
    drop(root);
    println!("dropped in {:.3} s", start.elapsed().as_secs_f64());
    assert!(seconds < 1.0);
}
