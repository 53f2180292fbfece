//! Identifiers: paths of the model as names of Rust.

use std::collections::{HashMap, HashSet};

use proc_macro2::{Ident, Span};

use crate::kernel::ir::{BufferId, BufferRole, Module};

/// Words that cannot be names of fields (The Rust Reference, "Keywords", edition 2024).
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "Self", "static", "struct", "super", "trait",
    "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield", "_",
];

/// An identifier, of a text that is one.
pub fn ident(text: &str) -> Ident {
    Ident::new(text, Span::call_site())
}

/// A text as an identifier: what is no letter, digit or `_` becomes `_`, a keyword gets one at its end, and what begins with a
/// digit an `n` in front: names that begin with `_` are those of what is not used.
pub fn word(text: &str) -> String {
    let mut word: String = text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if word.is_empty() || word.starts_with(|c: char| c.is_ascii_digit()) {
        word.insert(0, 'n');
    }
    if KEYWORDS.contains(&&*word) {
        word.push('_');
    }
    word
}

/// A text as the name of a module: `JansenRit` is `jansen_rit`.
pub fn snake(text: &str) -> String {
    let mut out = String::new();
    let mut before = '_';
    for letter in text.chars() {
        if letter.is_uppercase() && before != '_' && !before.is_uppercase() {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
        before = letter;
    }
    word(&out)
}

/// The shortest end of each path that no other path has, as an identifier; paths that look alike get numbers.
pub fn shortest(paths: &[&str]) -> Vec<String> {
    let parts: Vec<Vec<&str>> = paths.iter().map(|p| p.split('/').collect()).collect();
    let ending = |path: usize, count: usize| -> String {
        let parts = &parts[path];
        word(&parts[parts.len().saturating_sub(count)..].join("_"))
    };
    let longest = parts.iter().map(Vec::len).max().unwrap_or(0);
    let mut found: Vec<Option<String>> = vec![None; paths.len()];
    for count in 1..=longest {
        let mut known: HashMap<String, usize> = HashMap::new();
        for path in 0..paths.len() {
            *known.entry(ending(path, count)).or_default() += 1;
        }
        for (path, name) in found.iter_mut().enumerate().filter(|(_, n)| n.is_none()) {
            let text = ending(path, count);
            if known[&text] == 1 {
                *name = Some(text);
            }
        }
    }
    let mut taken: HashSet<String> = HashSet::new();
    let mut names = Vec::new();
    for (path, name) in found.into_iter().enumerate() {
        let text = name.unwrap_or_else(|| ending(path, longest));
        let mut unique = text.clone();
        let mut number = 1;
        while !taken.insert(unique.clone()) {
            number += 1;
            unique = format!("{text}_{number}");
        }
        names.push(unique);
    }
    names
}

/// The name of the field of each buffer.
#[derive(Clone, Debug)]
pub(super) struct Names(Vec<Ident>);

impl Names {
    /// Names the buffers of a module; no two fields have the same.
    pub fn new(module: &Module) -> Names {
        // Names of variables do not depend on what else there is.
        let internal = |role: BufferRole| matches!(role, BufferRole::Derived(_) | BufferRole::Scratch(_));
        let (mut variables, mut rest) = (Vec::new(), Vec::new());
        for (index, buffer) in module.buffers.iter().enumerate() {
            let path = buffer.name.split("<-").next().unwrap_or(&buffer.name);
            let list = if internal(buffer.role) { &mut rest } else { &mut variables };
            list.push((index, path));
        }
        let paths: Vec<&str> = variables.iter().chain(&rest).map(|v| v.1).collect();
        let mut names = vec![ident("_none"); module.buffers.len()];
        for ((index, _), name) in variables.iter().chain(&rest).zip(shortest(&paths)) {
            names[*index] = ident(&name);
        }
        Names(names)
    }

    /// The names of all buffers, in order.
    pub fn from(names: Vec<Ident>) -> Names {
        Names(names)
    }

    /// The name of a buffer's field.
    pub fn of(&self, buffer: BufferId) -> &Ident {
        &self.0[buffer.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_get_their_shortest_unambiguous_ending() {
        let names = shortest(&["pc/rpo/v", "ein/rpo/v", "pc/rpo/tau", "z.re", "a<b", "a>b", "pc/op/type"]);
        assert_eq!(names, ["pc_rpo_v", "ein_rpo_v", "tau", "z_re", "a_b", "a_b_2", "type_"]);
        assert_eq!(shortest(&["a/1/x", "b/1/x", "2"]), ["a_1_x", "b_1_x", "n2"]);
        assert_eq!([snake("JansenRit"), snake("QIF"), snake("ein net")], ["jansen_rit", "qif", "ein_net"]);
    }
}
