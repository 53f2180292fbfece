//! Tokens as text.

use proc_macro2::TokenStream;

/// Formats items, and puts comments where the tokens have `comment!("..")`.
///
/// Fails only when the tokens are no items, which is a defect of the printer.
pub fn format(items: &TokenStream) -> Result<String, String> {
    let file = syn::parse2::<syn::File>(items.clone()).map_err(|e| format!("the generated code is not Rust: {e}"))?;
    let mut text = String::new();
    let printed = prettyplease::unparse(&file);
    let mut lines = printed.lines();
    while let Some(line) = lines.next() {
        let code = line.trim_start();
        let indent = &line[..line.len() - code.len()];
        match code.strip_prefix("comment!(") {
            Some(rest) => {
                // A long one stands in lines of its own.
                let literal = match rest.strip_suffix(");") {
                    Some(literal) => literal.to_string(),
                    None => lines.by_ref().take_while(|l| l.trim() != ");").collect::<Vec<_>>().join("\n"),
                };
                let literal = literal.trim().trim_end_matches(',');
                let comment = syn::parse_str::<syn::LitStr>(literal).map_err(|e| e.to_string())?.value();
                if comment.starts_with('\n') {
                    text.push('\n');
                }
                for line in comment.trim_start().lines() {
                    text.push_str(&format!("{indent}// {line}\n"));
                }
            }
            None => {
                // Items that follow each other stand apart.
                if starts_item(code) && !text.is_empty() && !ends_open(&text) {
                    text.push('\n');
                }
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    Ok(text)
}

/// Whether a line begins an item with a body, or what is written above one.
fn starts_item(code: &str) -> bool {
    let begins = |words: &[&str]| words.iter().any(|w| code.starts_with(w));
    begins(&["///", "#[", "pub fn ", "fn ", "pub struct ", "struct ", "impl ", "impl<", "pub trait ", "trait ", "mod "])
}

/// Whether the text stands inside something that was just opened, below a line that belongs to the next one, or between
/// members.
fn ends_open(text: &str) -> bool {
    let last = text.lines().next_back().unwrap_or("").trim();
    last.is_empty()
        || last.ends_with(['{', ',', '('])
        || last.starts_with("///")
        || last.starts_with("#[")
        || last == ")]"
}
