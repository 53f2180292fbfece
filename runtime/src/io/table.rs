//! Tables of numbers in text files.

use super::{Fault, Series};
use std::path::Path;

/// What separates the fields of a row.
#[derive(Clone, Copy, PartialEq)]
enum Delimiter {
    Character(char),
    /// Any run of spaces and tabs.
    Spaces,
}

impl Delimiter {
    /// The separator of a row: a semicolon before a comma, since the comma may be a decimal one.
    fn of(row: &str) -> Delimiter {
        [';', ',', '\t']
            .into_iter()
            .find(|&candidate| row.trim().contains(candidate))
            .map_or(Delimiter::Spaces, Delimiter::Character)
    }
}

/// A field without the spaces and quotes around it, and the column where it starts (in characters, from one).
struct Field {
    text: String,
    column: usize,
}

/// Reads a table from the content of the file at `path`.
pub fn parse(path: &Path, bytes: &[u8]) -> Result<Series, Fault> {
    let text = decode(path, bytes)?;
    let mut rows = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.split_once('#').map_or(line, |(row, _)| row)))
        .filter(|(_, row)| !row.trim().is_empty())
        .peekable();
    let mut series = Series::default();
    let Some(&(first_line, first_row)) = rows.peek() else {
        return Ok(series);
    };
    let delimiter = Delimiter::of(first_row);
    let first = fields(first_row, delimiter, path, first_line)?;
    let width = first.len();
    let mut has_time = false;
    if first.first().is_some_and(|field| field.text.parse::<f64>().is_err()) {
        rows.next();
        // Once a first field is no number, other numbers there may well be names of elements: `t,0,1`.
        has_time = width > 1 && ["t", "time"].contains(&first[0].text.to_lowercase().as_str());
        if looks_like_number(&first[0].text) {
            return Err(not_a_number(&first[0], delimiter, path, first_line));
        }
        series.names = Some(first.into_iter().skip(usize::from(has_time)).map(|field| field.text).collect());
    }
    series.columns = width - usize::from(has_time);
    let mut times = Vec::new();
    for (line, row) in rows {
        let found = fields(row, delimiter, path, line)?;
        if found.len() != width {
            let column = found.get(width).or(found.last()).map_or(1, |field| field.column);
            let cause = format!("found {} fields, expected {width} as in line {first_line}", found.len());
            let help = "every row needs the same number of fields; write `nan` where a value is missing";
            return Err(Fault::read(path, cause).at(line, column).with_help(help));
        }
        for (index, field) in found.iter().enumerate() {
            let value: f64 = field.text.parse().map_err(|_| not_a_number(field, delimiter, path, line))?;
            if has_time && index == 0 { times.push(value) } else { series.data.push(value) }
        }
        series.rows += 1;
    }
    series.times = has_time.then_some(times);
    Ok(series)
}

fn decode<'a>(path: &Path, bytes: &'a [u8]) -> Result<&'a str, Fault> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let line = before.split('\n').count();
        let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
        Fault::read(path, "found bytes that are no UTF-8 text, expected numbers as text")
            .at(line, column)
            .with_help("save the table as UTF-8 text, or as .npy with `numpy.save`")
    })
}

fn fields(row: &str, delimiter: Delimiter, path: &Path, line: usize) -> Result<Vec<Field>, Fault> {
    let mut fields = Vec::new();
    let mut rest = row.trim_end_matches(['\r', '\n']);
    let mut column = 1;
    loop {
        let spaces = match delimiter {
            // A tab between fields must not be eaten with the spaces before a field.
            Delimiter::Character('\t') => rest.len() - rest.trim_start_matches(' ').len(),
            _ => rest.len() - rest.trim_start().len(),
        };
        column += rest[..spaces].chars().count();
        rest = &rest[spaces..];
        if rest.is_empty() && delimiter == Delimiter::Spaces {
            return Ok(fields);
        }
        let (text, length) = match rest.strip_prefix('"') {
            Some(quoted) => unquote(quoted).ok_or_else(|| {
                Fault::read(path, "a quote is opened and not closed in this line")
                    .at(line, column)
                    .with_help("add the closing `\"`")
            })?,
            None => {
                let end = match delimiter {
                    Delimiter::Character(character) => rest.find(character),
                    Delimiter::Spaces => rest.find(char::is_whitespace),
                };
                let end = end.unwrap_or(rest.len());
                (rest[..end].trim_end().to_owned(), end)
            }
        };
        fields.push(Field { text, column });
        column += rest[..length].chars().count();
        rest = &rest[length..];
        match delimiter {
            Delimiter::Spaces => {}
            Delimiter::Character(character) => {
                let trailing = rest.len() - rest.trim_start_matches(' ').len();
                column += trailing;
                rest = &rest[trailing..];
                match rest.strip_prefix(character) {
                    Some(after) => {
                        rest = after;
                        column += 1;
                    }
                    None if rest.is_empty() => return Ok(fields),
                    None => {
                        let cause = format!("found `{rest}` after a closing quote, expected `{character}`");
                        return Err(Fault::read(path, cause).at(line, column));
                    }
                }
            }
        }
    }
}

/// The text up to the closing quote, doubled quotes made single, and the length with both quotes.
fn unquote(quoted: &str) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut characters = quoted.char_indices().peekable();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' if characters.next_if(|&(_, next)| next == '"').is_some() => text.push('"'),
            '"' => return Some((text, index + 2)),
            _ => text.push(character),
        }
    }
    None
}

/// True for a misspelt number, which must not pass for a header.
fn looks_like_number(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first))
}

fn not_a_number(field: &Field, delimiter: Delimiter, path: &Path, line: usize) -> Fault {
    let fault = |cause: String| Fault::read(path, cause).at(line, field.column);
    if field.text.is_empty() {
        return fault("found an empty field, expected a number".into())
            .with_help("write `nan` where a value is missing");
    }
    let fault = fault(format!("found `{}`, expected a number", field.text));
    if field.text.contains(',') && field.text.replace(',', ".").parse::<f64>().is_ok() {
        let help = format!("write decimals with a point: `{}`", field.text.replace(',', "."));
        return fault.with_help(help);
    }
    match delimiter {
        Delimiter::Character(_) => fault.with_help("comments start with `#`; a header may only be the first row"),
        Delimiter::Spaces => {
            fault.with_help("separate fields by commas, semicolons, tabs or spaces; comments start with `#`")
        }
    }
}
