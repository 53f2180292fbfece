//! Printing to the terminal: colours only there, and no panic when the reader of a pipe has gone.

use std::fmt::Display;
use std::io::{IsTerminal, Write};

/// Prints to standard output. A reader who has gone wants no more; there is nobody to tell of other failures.
pub fn out(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// Prints a message to standard error, on lines of its own.
pub fn error(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = writeln!(stderr, "{}", text.trim_end());
}

/// `error: ..`, as diagnostics begin.
pub fn labelled_error(message: impl Display) -> String {
    format!("{}: {message}", paint(colors_on_stderr(), "1;31", "error"))
}

/// `warning: ..`, likewise.
pub fn labelled_warning(message: impl Display) -> String {
    format!("{}: {message}", paint(colors_on_stderr(), "1;33", "warning"))
}

/// Whether messages on standard error have colours.
pub fn colors_on_stderr() -> bool {
    std::io::stderr().is_terminal() && wanted()
}

/// Whether text on standard output has colours.
pub fn colors_on_stdout() -> bool {
    std::io::stdout().is_terminal() && wanted()
}

/// <https://no-color.org>: any value but the empty one turns colours off.
fn wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// `text` in the colour with this SGR code.
pub fn paint(colors: bool, code: &str, text: &str) -> String {
    if colors { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_string() }
}

/// `1.3 MB`
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if count < 1000 {
        return format!("{count} bytes");
    }
    let mut size = count as f64 / 1000.0;
    let mut unit = 0;
    while size >= 999.5 && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    if size < 9.95 { format!("{size:.1} {}", UNITS[unit]) } else { format!("{size:.0} {}", UNITS[unit]) }
}
