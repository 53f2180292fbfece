//! The table of a sweep: one row per member, kept as soon as it is finished, and continued where it ends.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use nullcline::runtime::io::{Fault as FileFault, csv_field, csv_row, save_columns};
use serde_json::{Map, Value};

use crate::cmd::fault::Fault;
use crate::cmd::print;

/// How the first line of a table begins; the settings follow.
const MARK: &str = "# nullcline sweep ";

/// Where finished rows go.
pub enum Table<'a> {
    /// To the end of a file of text.
    Kept {
        /// The file.
        rows: File,
        /// Where it is: the table itself, or beside a table of a format that takes no more rows once it is written.
        path: PathBuf,
        /// The table.
        table: &'a Path,
    },
    /// Kept, to be printed at the end.
    Printed(Vec<Vec<f64>>),
}

/// What a table holds already.
#[derive(Default)]
pub struct Finished {
    /// Rows.
    pub rows: usize,
    /// Rows of members that diverged.
    pub diverged: usize,
}

impl<'a> Table<'a> {
    /// Opens the table, and says how many rows of the same sweep it holds.
    pub fn open(
        table: Option<&'a PathBuf>,
        header: &[String],
        settings: &Map<String, Value>,
        restart: bool,
    ) -> Result<(Table<'a>, Finished), Fault> {
        let Some(table) = table else { return Ok((Table::Printed(Vec::new()), Finished::default())) };
        let path = if has_ending(table, "csv") { table.clone() } else { rows_beside(table) };
        let fault = |error: std::io::Error| Fault::from(FileFault::write_os(&path, &error));
        let head = head(header, settings);
        let mut finished = Finished::default();
        let mut kept = 0;
        match fs::read_to_string(&path) {
            Ok(text) if !restart && !text.is_empty() => {
                let Some(rows) = text.strip_prefix(&head) else { return Err(other_sweep(&path, &text, settings)) };
                kept = head.len();
                // A line without its end was being written when the program was stopped.
                for line in rows.split_inclusive('\n').filter(|l| l.ends_with('\n')) {
                    kept += line.len();
                    finished.rows += 1;
                    finished.diverged += usize::from(line.trim_end().ends_with(",1"));
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData && !restart => {
                return Err(other_sweep(&path, "", settings));
            }
            _ => {}
        }
        let mut rows = OpenOptions::new().create(true).write(true).truncate(false).open(&path).map_err(fault)?;
        rows.set_len(kept as u64).map_err(fault)?;
        std::io::Seek::seek(&mut rows, std::io::SeekFrom::End(0)).map_err(fault)?;
        if kept == 0 {
            rows.write_all(head.as_bytes()).map_err(fault)?;
        }
        Ok((Table::Kept { rows, path, table }, finished))
    }

    /// Takes finished rows; from here on they are kept whatever happens.
    pub fn add(&mut self, added: Vec<Vec<f64>>) -> Result<(), FileFault> {
        match self {
            Table::Kept { rows, path, .. } => {
                let text: String = added.iter().map(|row| csv_row(row)).collect();
                rows.write_all(text.as_bytes()).map_err(|error| FileFault::write_os(path, &error))
            }
            Table::Printed(kept) => {
                kept.extend(added);
                Ok(())
            }
        }
    }

    /// Completes the table; returns the file written. Rows beside a table are needed no longer when all are in it.
    pub fn finish(self, header: &[String], all: bool, quiet: bool) -> Result<Option<PathBuf>, FileFault> {
        match self {
            Table::Kept { path, table, .. } => {
                if path != table {
                    save_columns(header, &columns(&path, header.len())?, table)?;
                    if all {
                        fs::remove_file(&path).map_err(|error| FileFault::write_os(&path, &error))?;
                    }
                }
                Ok(Some(table.to_path_buf()))
            }
            Table::Printed(rows) => {
                if !quiet {
                    print::out(&format!("{}\n", fields(header)));
                    print::out(&rows.iter().map(|row| csv_row(row)).collect::<String>());
                }
                Ok(None)
            }
        }
    }
}

/// Where the rows of a table are kept until all are there: `table.npz` has `table.npz.rows.csv`.
fn rows_beside(table: &Path) -> PathBuf {
    let mut path = table.as_os_str().to_owned();
    path.push(".rows.csv");
    path.into()
}

/// The columns of the rows that [`Table::add`] wrote to a file.
fn columns(path: &Path, width: usize) -> Result<Vec<Vec<f64>>, FileFault> {
    let text = fs::read_to_string(path).map_err(|error| FileFault::read_os(path, &error))?;
    let mut columns = vec![Vec::new(); width];
    // Settings and header come first.
    for (number, line) in text.lines().enumerate().skip(2) {
        let mut fields = line.split(',').map(str::parse::<f64>);
        for column in &mut columns {
            match fields.next() {
                Some(Ok(value)) => column.push(value),
                _ => return Err(FileFault::read(path, format!("line {} is no row of the table", number + 1))),
            }
        }
    }
    Ok(columns)
}

/// The first two lines of a file of rows.
fn head(header: &[String], settings: &Map<String, Value>) -> String {
    format!("{MARK}{}\n{}\n", Value::Object(settings.clone()), fields(header))
}

/// Whether a file name ends so, in any case.
pub fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case(ending))
}

fn fields(header: &[String]) -> String {
    header.iter().map(|name| csv_field(name)).collect::<Vec<_>>().join(",")
}

/// The file holds something else: another sweep, of which one setting is named, or no sweep at all.
fn other_sweep(path: &Path, text: &str, settings: &Map<String, Value>) -> Fault {
    let file = path.display();
    let first = text.lines().next().and_then(|line| line.strip_prefix(MARK));
    let found = first.and_then(|json| serde_json::from_str::<Map<String, Value>>(json).ok());
    let message = match found {
        None => format!("`{file}` exists and is not the table of a sweep"),
        Some(found) => {
            let mut keys = settings.keys().chain(found.keys());
            match keys.find(|key| settings.get(*key) != found.get(*key)) {
                Some(key) => {
                    let show = |v: Option<&Value>| v.map_or("nothing".to_string(), Value::to_string);
                    let (was, is) = (show(found.get(key)), show(settings.get(key)));
                    format!("`{file}` is the table of another sweep: its {key} is {was}, not {is}")
                }
                None => format!("`{file}` is the table of a sweep with other columns"),
            }
        }
    };
    let help = "name another file, or use `--restart` to overwrite this one";
    Fault::usage(format!("{}\n  help: {help}", print::labelled_error(message)))
}
