//! From the events of the YAML parser to the tree.

use std::collections::HashMap;
use std::sync::Arc;

use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Tag, options};

use super::merge::merge;
use super::scalar::{Style, lies, mapped};
use super::{Entry, MAX_DEPTH, Node, Scalar, Value};
use crate::diagnostic::{Diagnostic, Diagnostics, Result, did_you_mean, syntax};
use crate::source::{FileId, Name, Span};
use crate::syntax::text::MappedText;

/// How many nodes aliases may add to any file; to this come [`EXPANSION_FACTOR`] for every node written, so that one
/// large matrix can be used several times but memory stays proportional to the file.
const EXPANSION_BASE: usize = 100_000;

/// See [`EXPANSION_BASE`].
const EXPANSION_FACTOR: usize = 8;

/// Faults after which reading stops.
const MAX_FAULTS: usize = 50;

/// Mappings of up to this many entries are searched for duplicates entry by entry.
const LINEAR_SEARCH: usize = 16;

/// A mapping or sequence that is not complete yet.
struct Open {
    anchor: usize,
    start: usize,
    content: Content,
    /// Whether it stands where a key should, which is refused when it is complete.
    is_key: bool,
}

enum Content {
    Sequence(Vec<Node>),
    Mapping {
        entries: Vec<Entry>,
        places: HashMap<Arc<str>, usize>,
        merges: Vec<(usize, Node)>,
        first_merge: Option<Span>,
        key: Option<Key>,
    },
}

/// A key that waits for its value.
enum Key {
    Name(Name),
    /// `<<`
    Merge(Name),
    /// A key that was refused; its value is dropped.
    Refused,
}

/// Reads the tree of one document.
pub(super) struct Loader<'t> {
    /// The text of the file.
    whole: &'t Arc<str>,
    /// Bytes before what is read (a byte order mark).
    offset: usize,
    /// What is read.
    text: &'t str,
    file: FileId,
    faults: Diagnostics,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    root: Option<Node>,
    written: usize,
    expanded: usize,
}

/// Why reading stops: with a fault of its own.
type Step = std::result::Result<(), Box<Diagnostic>>;

impl<'t> Loader<'t> {
    /// Reads `whole`, the text of `file`, from byte `offset` on.
    pub(super) fn new(whole: &'t Arc<str>, offset: usize, file: FileId) -> Loader<'t> {
        Loader {
            whole,
            offset,
            text: &whole[offset..],
            file,
            faults: Diagnostics::new(),
            open: Vec::new(),
            anchors: HashMap::new(),
            root: None,
            written: 0,
            expanded: 0,
        }
    }

    /// Reads the whole text.
    pub(super) fn load(mut self) -> Result<Node> {
        let mut parser = Parser::new_from_str_with_options(
            self.text,
            options! {
                emit_unresolved_aliases: true,
                flow_nesting_limit: MAX_DEPTH,
                block_nesting_limit: MAX_DEPTH,
            },
        );
        let mut documents = 0;
        while let Some(event) = parser.next_event() {
            let step = match event {
                Ok((Event::DocumentStart(..), at)) => {
                    documents += 1;
                    let (start, end) = (self.byte(&at.start), self.byte(&at.end));
                    if documents > 1 { Err(Box::new(syntax::several_documents(self.span(start, end)))) } else { Ok(()) }
                }
                Ok((event, at)) => {
                    let (start, end) = (self.byte(&at.start), self.byte(&at.end));
                    let tag = at.tag_span().map(|at| (self.byte(&at.start), self.byte(&at.end)));
                    self.event(event, (start, end.max(start)), tag)
                }
                Err(fault) => Err(Box::new(self.scan_fault(&fault))),
            };
            if let Err(fault) = step {
                self.faults.push(*fault);
                break;
            }
            if self.faults.0.len() >= MAX_FAULTS {
                break;
            }
        }
        let end = self.text.len();
        let root = self.root.take().unwrap_or(Node { value: Value::Null, span: self.span(end, end) });
        self.faults.into_result(root)
    }

    /// Where a place of the scanner is.
    fn byte(&self, place: &Marker) -> usize {
        // The scanner counts bytes whenever it reads from a text in memory.
        place.byte_offset().unwrap_or(self.text.len()).min(self.text.len())
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, self.offset + start, self.offset + end.max(start))
    }

    fn event(&mut self, event: Event<'_>, (start, end): (usize, usize), tag_at: Option<(usize, usize)>) -> Step {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.written += 1;
                let text_tag = self.tag(tag.as_deref(), tag_at);
                let node = self.scalar(&text, style, start, end, text_tag);
                self.complete(node, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.tag(tag.as_deref(), tag_at);
                self.begin(anchor, start, end, Content::Sequence(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                self.tag(tag.as_deref(), tag_at);
                let content = Content::Mapping {
                    entries: Vec::new(),
                    places: HashMap::new(),
                    merges: Vec::new(),
                    first_merge: None,
                    key: None,
                };
                self.begin(anchor, start, end, content)
            }
            Event::SequenceEnd | Event::MappingEnd => self.finish(start, end),
            Event::Alias(id) => self.alias(id, start, end),
            Event::UnresolvedAlias(name) => {
                let anchors = self.text[..start].split([' ', '\n', '\t']).filter_map(|word| word.strip_prefix('&'));
                let near = did_you_mean(&name, anchors.map(str::trim_end));
                let span = self.span(start, end);
                self.faults.push(syntax::unknown_anchor(span, &self.text[start..end], near));
                self.complete(Node { value: Value::Null, span }, 0)
            }
            _ => Ok(()),
        }
    }

    /// Checks a tag and where it stands; whether it says that the scalar is text.
    fn tag(&mut self, tag: Option<&Tag>, at: Option<(usize, usize)>) -> bool {
        let (Some(tag), Some((start, end))) = (tag, at) else { return false };
        if let Some(kind) = tag.core_suffix() {
            return kind == "str";
        }
        self.faults.push(syntax::unsupported_tag(self.span(start, end), &self.text[start..end]));
        false
    }

    /// The node of a scalar.
    fn scalar(&self, text: &str, style: ScalarStyle, start: usize, end: usize, is_text: bool) -> Node {
        let source = self.text;
        if style == ScalarStyle::Plain {
            // The scanner writes `~` for nothing.
            if (text.is_empty() || start == end) && !is_text {
                return Node { value: Value::Null, span: self.empty_place(start) };
            }
            let null = matches!(text, "~" | "null" | "Null" | "NULL") && !is_text;
            let (text, length) = self.mapped(text, Style::Bare, start, end);
            let span = self.span(start, if length == 0 { start } else { end });
            let value = if null { Value::Null } else { Value::Scalar(Scalar { text, quoted: is_text }) };
            return Node { value, span };
        }
        let (start, content, layout) = match style {
            ScalarStyle::SingleQuoted => (start, start + 1, Style::Single),
            ScalarStyle::DoubleQuoted => (start, start + 1, Style::Double),
            _ => {
                let (header, content) = self.block_header(start);
                (header, content, Style::Bare)
            }
        };
        let content = content.min(end);
        let (text, length) = self.mapped(text, layout, content, end);
        let mut last = content + length;
        if layout == Style::Bare {
            last = start + source[start..last.max(start)].trim_end().len();
        } else if source[last..].starts_with(['"', '\'']) {
            last += 1;
        }
        Node { value: Value::Scalar(Scalar { text, quoted: true }), span: self.span(start, last) }
    }

    /// The text of a scalar with the places of its pieces, and the length of source used.
    fn mapped(&self, text: &str, style: Style, start: usize, end: usize) -> (MappedText, usize) {
        let source = &self.text[start..end];
        if lies(text, source, style) {
            let span = self.span(start, start + text.len());
            return (MappedText::lying(self.whole.clone(), span), text.len());
        }
        mapped(text, source, style, self.file, self.offset + start)
    }

    /// Where the header of a block scalar stands and where the line after it starts, given the first character of the
    /// content, which is what the scanner tells.
    fn block_header(&self, first: usize) -> (usize, usize) {
        let source = self.text;
        let header_end = source[..first].trim_end().len();
        let header_line = source[..header_end].rfind('\n').map_or(0, |newline| newline + 1);
        let header = source[header_line..header_end].rfind(['|', '>']).map_or(first, |at| header_line + at);
        let content = source[header_end..first].find('\n').map_or(first, |newline| header_end + newline + 1);
        (header, content)
    }

    /// Where an absent value stands: after the colon of its key, rather than at the next thing written.
    fn empty_place(&self, start: usize) -> Span {
        if let Some(Open { content: Content::Mapping { key: Some(Key::Name(name)), .. }, .. }) = self.open.last() {
            let after = name.span.end as usize - self.offset;
            let rest = self.text.get(after..).unwrap_or("");
            if let Some(colon) = rest.find([':', '\n']).filter(|at| rest[*at..].starts_with(':')) {
                return self.span(after + colon + 1, after + colon + 1);
            }
        }
        self.span(start, start)
    }

    fn begin(&mut self, anchor: usize, start: usize, end: usize, content: Content) -> Step {
        self.written += 1;
        if self.open.len() >= MAX_DEPTH {
            return Err(Box::new(syntax::yaml_nested_too_deeply(self.span(start, end), MAX_DEPTH)));
        }
        let is_key = matches!(self.open.last(), Some(Open { content: Content::Mapping { key: None, .. }, .. }));
        self.open.push(Open { anchor, start, content, is_key });
        Ok(())
    }

    /// Closes the innermost mapping or sequence.
    fn finish(&mut self, start: usize, end: usize) -> Step {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let flow = end > start && self.text[start..end].ends_with([']', '}']);
        let offset = self.offset;
        let last_child = match &open.content {
            Content::Sequence(items) => items.last().map(|item| item.span),
            Content::Mapping { entries, .. } => entries.last().map(|entry| entry.key.span.to(entry.value.span)),
        };
        // A block ends with its last child; the parser says so only at the next thing written. The last child may be
        // an alias, whose place is elsewhere.
        let end = match last_child {
            _ if flow => end,
            Some(child) if child.end as usize >= open.start + offset && child.end as usize <= start + offset => {
                child.end as usize - offset
            }
            _ => open.start + self.text[open.start..start.max(open.start)].trim_end().len(),
        };
        let span = self.span(open.start, end);
        let value = match open.content {
            Content::Sequence(items) => Value::Sequence(items.into()),
            Content::Mapping { entries, merges, .. } => {
                self.expanded += merges.iter().map(|(_, node)| size(node)).sum::<usize>();
                Value::Mapping(merge(entries, merges, &mut self.faults).into())
            }
        };
        if open.is_key {
            self.faults.push(syntax::key_not_text(span));
            self.set_key(Key::Refused);
            return Ok(());
        }
        self.complete(Node { value, span }, open.anchor)
    }

    fn set_key(&mut self, new: Key) {
        if let Some(Open { content: Content::Mapping { key, .. }, .. }) = self.open.last_mut() {
            *key = Some(new);
        }
    }

    /// `*name`: a copy of the anchored node.
    fn alias(&mut self, id: usize, start: usize, end: usize) -> Step {
        let span = self.span(start, end);
        self.written += 1;
        let Some(node) = self.anchors.get(&id) else {
            return Err(Box::new(syntax::recursive_alias(span, self.text[start..end].trim())));
        };
        if self.open.len() + height(node) > MAX_DEPTH {
            return Err(Box::new(syntax::yaml_nested_too_deeply(span, MAX_DEPTH)));
        }
        let node = node.clone();
        self.charge(size(&node), span)?;
        self.complete(node, 0)
    }

    /// Counts `nodes` copies against the budget.
    fn charge(&mut self, nodes: usize, span: Span) -> Step {
        self.expanded += nodes;
        let limit = EXPANSION_BASE + EXPANSION_FACTOR * self.written;
        if self.expanded > limit { Err(Box::new(syntax::alias_bomb(span, limit))) } else { Ok(()) }
    }

    /// Puts a complete node where it belongs.
    fn complete(&mut self, node: Node, anchor: usize) -> Step {
        if anchor > 0 {
            self.charge(size(&node), node.span)?;
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.content {
            Content::Sequence(items) => items.push(node),
            Content::Mapping { entries, places, merges, first_merge, key } => match key.take() {
                None => {
                    *key = Some(match key_of(node) {
                        Ok(found) => found,
                        Err(fault) => {
                            self.faults.push(*fault);
                            Key::Refused
                        }
                    });
                }
                Some(Key::Refused) => {}
                Some(Key::Merge(name)) => {
                    if let Some(first) = first_merge.replace(name.span) {
                        self.faults.push(syntax::duplicate_key(&name, first));
                    }
                    merges.push((entries.len(), node));
                }
                Some(Key::Name(name)) => {
                    let first = if entries.len() < LINEAR_SEARCH {
                        entries.iter().position(|entry| entry.key.text == name.text)
                    } else {
                        if places.is_empty() {
                            places.extend(entries.iter().enumerate().map(|(i, e)| (e.key.text.clone(), i)));
                        }
                        places.get(&name.text).copied()
                    };
                    if let Some(first) = first {
                        self.faults.push(syntax::duplicate_key(&name, entries[first].key.span));
                    } else {
                        if entries.len() >= LINEAR_SEARCH {
                            places.insert(name.text.clone(), entries.len());
                        }
                        entries.push(Entry { key: name, value: node });
                    }
                }
            },
        }
        Ok(())
    }

    /// A fault of the scanner in the user's words.
    fn scan_fault(&self, fault: &ScanError) -> Diagnostic {
        let at = self.byte(fault.marker());
        let from = self.open.last().map_or(0, |open| open.start);
        let innermost = super::fault::open_bracket(self.text, from, at);
        super::fault::explain(self.text, at, innermost, fault.kind(), |from, to| self.span(from, to))
    }
}

/// A node as a key.
fn key_of(node: Node) -> std::result::Result<Key, Box<Diagnostic>> {
    match node.value {
        Value::Scalar(Scalar { text, quoted: false }) if text.as_str() == "<<" => {
            Ok(Key::Merge(Name::new("<<", node.span)))
        }
        Value::Scalar(scalar) => Ok(Key::Name(Name::new(scalar.text.as_str(), node.span))),
        Value::Null if node.span.end > node.span.start => {
            Ok(Key::Name(Name::new(if node.span.end - node.span.start == 1 { "~" } else { "null" }, node.span)))
        }
        Value::Null => Err(Box::new(syntax::missing_key(node.span))),
        Value::Sequence(_) | Value::Mapping(_) => Err(Box::new(syntax::key_not_text(node.span))),
    }
}

/// Number of nodes of a tree.
fn size(node: &Node) -> usize {
    1 + match &node.value {
        Value::Null | Value::Scalar(_) => 0,
        Value::Sequence(items) => items.iter().map(size).sum(),
        Value::Mapping(entries) => entries.iter().map(|entry| 1 + size(&entry.value)).sum(),
    }
}

/// Levels of a tree; 0 for scalars.
fn height(node: &Node) -> usize {
    match &node.value {
        Value::Null | Value::Scalar(_) => 0,
        Value::Sequence(items) => 1 + items.iter().map(height).max().unwrap_or(0),
        Value::Mapping(entries) => 1 + entries.iter().map(|entry| height(&entry.value)).max().unwrap_or(0),
    }
}
