//! Faults of YAML documents.

use crate::diagnostic::Diagnostic;
use crate::source::{Name, Span};

/// What is left when nothing more precise is known.
pub fn unreadable_yaml(span: Span, info: &str) -> Diagnostic {
    Diagnostic::error("unreadable-yaml", span, "this is not valid YAML", "not understood from here")
        .with_note(format!("the YAML reader says: {info}"))
}

/// A file beyond the size limit.
pub fn file_too_large(span: Span, bytes: usize, limit: usize) -> Diagnostic {
    Diagnostic::error(
        "file-too-large",
        span,
        format!("this file has {bytes} bytes, more than the limit of {limit}"),
        "too large",
    )
    .with_help("keep large arrays in .npy or .csv files and name those")
}

/// A second document in one file.
pub fn several_documents(span: Span) -> Diagnostic {
    Diagnostic::error("several-documents", span, "a file holds one document only", "a second document starts here")
        .with_help("remove the `---`, or put the templates after it into a file of their own")
}

/// Nesting beyond the limit.
pub fn yaml_nested_too_deeply(span: Span, limit: usize) -> Diagnostic {
    Diagnostic::error(
        "yaml-nested-too-deeply",
        span,
        format!("this document nests more than {limit} levels deep"),
        "too deep from here",
    )
}

/// Aliases that expand beyond the budget.
pub fn alias_bomb(span: Span, limit: usize) -> Diagnostic {
    Diagnostic::error(
        "too-many-aliases",
        span,
        "the aliases of this document expand to too much",
        format!("past {limit} copied values here"),
    )
    .with_help("write the values out, or keep them in a .npy or .csv file")
}

/// `&a [*a]`.
pub fn recursive_alias(span: Span, alias: &str) -> Diagnostic {
    Diagnostic::error("recursive-alias", span, format!("`{alias}` stands inside what it refers to"), "refers to itself")
        .with_help("move the anchor to a value that is complete before the alias")
}

/// `*name` without `&name` before it.
pub fn unknown_anchor(span: Span, alias: &str, near: Option<&str>) -> Diagnostic {
    let name = alias.trim_start_matches('*');
    Diagnostic::error(
        "unknown-anchor",
        span,
        format!("no anchor `&{name}` stands before `{alias}`"),
        "refers to nothing",
    )
    .with_help(match near {
        Some(near) => format!("did you mean `*{near}`?"),
        None => {
            format!("mark the value with `&{name}` before using it, or quote the text: \"{alias}\"")
        }
    })
}

/// A key written twice.
pub fn duplicate_key(key: &Name, first: Span) -> Diagnostic {
    Diagnostic::error("duplicate-key", key.span, format!("the key `{key}` is written twice"), "again here")
        .with_related(first, "first here")
        .with_help("remove one of them, or rename it")
}

/// A key that is not text.
pub fn key_not_text(span: Span) -> Diagnostic {
    Diagnostic::error("key-not-text", span, "keys must be text", "a list or mapping stands where a key should")
        .with_help("write a name before the `:`; quote the key if it starts with `[` or `{`")
}

/// `: value`.
pub fn missing_key(span: Span) -> Diagnostic {
    Diagnostic::error("missing-key", span, "a key is missing before `:`", "expected a key")
        .with_help("write `name: value`")
}

/// `<<: 3`.
pub fn merge_needs_mapping(span: Span) -> Diagnostic {
    Diagnostic::error("merge-needs-mapping", span, "`<<` merges mappings only", "not a mapping")
        .with_help("give it an alias of a mapping, `<<: *defaults`, or a list of such aliases")
}

/// `!tag value`.
pub fn unsupported_tag(span: Span, tag: &str) -> Diagnostic {
    Diagnostic::error("unsupported-tag", span, format!("the tag `{tag}` is not supported"), "unknown tag")
        .with_help("remove the tag; quote the text if it starts with `!`")
}

/// A directive such as `%YAML`.
pub fn unsupported_directive(span: Span) -> Diagnostic {
    Diagnostic::error(
        "unsupported-directive",
        span,
        "this YAML directive or tag cannot be read",
        "not understood from here",
    )
    .with_help("remove it: model files need no directives and no tags")
}

/// A tab among the spaces before a line.
pub fn tab_in_indentation(span: Span) -> Diagnostic {
    Diagnostic::error("tab-in-indentation", span, "YAML indents with spaces, not with tabs", "a tab")
        .with_help("replace the tab by spaces")
}

/// A line that stands in no column it could belong to.
pub fn bad_indentation(span: Span) -> Diagnostic {
    Diagnostic::error(
        "bad-indentation",
        span,
        "this line does not fit the lines before it",
        "indented differently from its neighbours, or not `key: value`",
    )
    .with_help("indent it as far as the lines it belongs with, and write every entry as `key: value` or `- value`")
}

/// A quote without its end.
pub fn unclosed_quote(span: Span, quote: char) -> Diagnostic {
    let fault = Diagnostic::error(
        "unclosed-quote",
        span,
        "this quoted text never ends",
        format!("no closing `{quote}` follows"),
    );
    if quote == '\'' {
        fault.with_help("add the closing `'`; inside single quotes, write `''` for the sign of a derivative")
    } else {
        fault.with_help(format!("add the closing `{quote}`"))
    }
}

/// `'a' b`.
pub fn text_after_quote(span: Span) -> Diagnostic {
    Diagnostic::error("text-after-quote", span, "text follows the closing quote", "expected the end of the line")
        .with_help("put the whole value into quotes, or none of it; inside '..' write '' for a quote, as in 'x'' = -x'")
}

/// A plain value that starts with a reserved character.
pub fn reserved_indicator(span: Span, character: char) -> Diagnostic {
    Diagnostic::error(
        "reserved-character",
        span,
        format!("YAML text cannot start with `{character}`"),
        "reserved character",
    )
    .with_help("put the text into double quotes")
}

/// `[` without `]`.
pub fn unclosed_flow(span: Span, open: &str) -> Diagnostic {
    let close = if open == "[" { "]" } else { "}" };
    Diagnostic::error(
        "unclosed-list",
        span,
        format!("this `{open}` is never closed"),
        format!("no `{close}` follows for it"),
    )
    .with_help(format!("add the missing `{close}`"))
}

/// Something other than `,` or the closing bracket.
pub fn missing_comma(span: Span, open: Option<(Span, String)>) -> Diagnostic {
    let close = if open.as_ref().is_some_and(|(_, open)| open == "{") { "}" } else { "]" };
    let fault =
        Diagnostic::error("missing-comma", span, "this list cannot go on here", format!("expected `,` or `{close}`"))
            .with_help(format!("separate the values by `,`, or close the list with `{close}`"));
    match open {
        Some((span, _)) => fault.with_related(span, "the list starts here"),
        None => fault,
    }
}

/// `]` without `[`.
pub fn unopened_flow(span: Span, close: char) -> Diagnostic {
    let open = if close == '}' { '{' } else { '[' };
    Diagnostic::error(
        "unopened-list",
        span,
        format!("this `{close}` closes nothing"),
        format!("no `{open}` is open here"),
    )
    .with_help(format!("remove it, or quote the text if `{close}` is part of it"))
}

/// An escape that does not exist.
pub fn bad_escape(span: Span) -> Diagnostic {
    Diagnostic::error("bad-escape", span, "this text has an escape that YAML does not know", "in this text")
        .with_help("write `\\\\` for a backslash, or use single quotes, where nothing is escaped")
}

/// A second `: ` in one value.
pub fn unexpected_mapping_colon(span: Span) -> Diagnostic {
    Diagnostic::error("unexpected-colon", span, "a second `:` stands in this entry", "cannot start a value here")
        .with_help("put the value into double quotes if `: ` is part of it, or start the entry on a line of its own")
}

/// A line in a mapping without `:`.
pub fn not_a_key(span: Span) -> Diagnostic {
    Diagnostic::error("not-a-key", span, "expected `key: value`", "has no `:` after its key").with_help(
        "write `key: value`, with a space after the colon; indent the line further if it continues the one above",
    )
}

/// A faulty header of `|` or `>`.
pub fn bad_block_scalar(span: Span) -> Diagnostic {
    Diagnostic::error("bad-block-text", span, "this block of text cannot be read", "`|` or `>` must end its line")
        .with_help(
            "write `|` (keep lines) or `>` (join lines) at the end of the line and indent the text below it by spaces",
        )
}

/// `-` where no item can start.
pub fn misplaced_dash(span: Span) -> Diagnostic {
    Diagnostic::error("misplaced-dash", span, "no list item can start here", "unexpected `-`")
        .with_help("start every item `- value` on a line of its own, below its key")
}

/// Nothing where a value must stand.
pub fn yaml_missing_value(span: Span, found: Option<char>) -> Diagnostic {
    let label = match found {
        Some(found) if !found.is_whitespace() => format!("found `{found}` instead"),
        _ => "nothing stands here".to_string(),
    };
    Diagnostic::error("missing-value", span, "a value is missing", label)
        .with_help("write the value, or `null` for none; remove commas that separate nothing")
}

/// A comment between the lines of a plain text.
pub fn comment_in_text(span: Span) -> Diagnostic {
    Diagnostic::error(
        "comment-in-text",
        span,
        "this line does not fit the lines before it",
        "cannot continue a text across a comment",
    )
    .with_help("move the comment before the text, or write this line as `key: value`")
}

/// A character that YAML forbids.
pub fn control_character(span: Span, character: char) -> Diagnostic {
    Diagnostic::error(
        "control-character",
        span,
        format!("the control character U+{:04X} stands in the text", character as u32),
        "not allowed in YAML",
    )
    .with_help("remove it; a file full of such characters is not a text file")
}
