//! Recordings and tables as Parquet files: uncompressed columns in groups of rows.
//!
//! Rows are columns `t`, NAME, .. as in a `.csv` file, spikes a table `t`, `event`, `unit`; where both are recorded, the spikes
//! of `NAME.parquet` are in `NAME.spikes.parquet`. Units are in the file's metadata, under `units`, as one JSON object.

use super::tables::{Tables, spikes_in_order, tables_of};
use super::{AtomicFile, Fault, FileSink};
use crate::observe::{Label, Recording, Sink, Spikes};
use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of a group of rows, which is what memory holds.
const GROUP: usize = 8 << 20;

/// Writes columns that have no time.
pub fn save_columns(names: &[String], columns: &[Vec<f64>], path: &Path) -> Result<(), Fault> {
    let rows = columns.first().map_or(0, Vec::len);
    let group = GROUP / 8 / columns.len().max(1);
    let mut table = Table::create(path, names.iter().map(|name| (name.as_str(), Kind::Number)), Vec::new())?;
    for first in (0..rows).step_by(group.max(1)) {
        for (column, values) in table.columns.iter_mut().zip(columns) {
            column.extend(&values[first..rows.min(first + group.max(1))]);
        }
        table.write().map_err(|error| fault(path, &error))?;
    }
    table.finish().map(drop)
}

/// Writes a whole recording: spikes in order of time, then of event.
pub fn write(recording: &Recording, path: &Path) -> Result<(), Fault> {
    let mut sink = ParquetSink::create(path, &recording.labels, &recording.spikes)?;
    let fill = |sink: &mut ParquetSink| -> io::Result<()> {
        let mut values = Vec::new();
        for (index, &time) in recording.times.iter().enumerate() {
            values.clear();
            values.extend(recording.columns.iter().map(|column| column[index]));
            sink.row(time, &values)?;
        }
        spikes_in_order(&recording.spikes).try_for_each(|(event, time, unit)| sink.spike(event, time, unit))
    };
    fill(&mut sink).map_err(|error| Fault::write_os(path, &error))?;
    Box::new(sink).finish().map(drop)
}

/// Writes rows and spikes to `.parquet` files while they are computed. The files appear with [`finish`](FileSink::finish).
pub struct ParquetSink {
    rows: Option<Table>,
    spikes: Option<Table>,
    columns: usize,
    /// Names of the events.
    events: Vec<ByteArray>,
}

impl ParquetSink {
    /// Opens the files.
    pub fn create(path: &Path, labels: &[Label], events: &[Spikes]) -> Result<ParquetSink, Fault> {
        let Tables { rows, spikes } = tables_of(path, labels, events);
        let numbers = std::iter::once("t").chain(labels.iter().map(|label| label.name.as_str()));
        let units = labels.iter().filter_map(|label| Some((label.name.clone(), label.unit.clone()?.into())));
        let units = serde_json::Value::Object(units.collect()).to_string();
        let rows = rows.map(|path| {
            Table::create(
                &path,
                numbers.map(|name| (name, Kind::Number)),
                vec![KeyValue::new("units".to_string(), units)],
            )
        });
        let spikes = spikes.map(|path| {
            let columns = [("t", Kind::Number), ("event", Kind::Text), ("unit", Kind::Whole)];
            Table::create(&path, columns.into_iter(), Vec::new())
        });
        let events = events.iter().map(|event| ByteArray::from(event.label.name.as_str())).collect();
        Ok(ParquetSink { rows: rows.transpose()?, spikes: spikes.transpose()?, columns: labels.len(), events })
    }
}

impl Sink for ParquetSink {
    fn row(&mut self, time: f64, values: &[f64]) -> io::Result<()> {
        let Some(table) = &mut self.rows else { return Ok(()) };
        if values.len() != self.columns {
            let cause = format!("found a row of {} values, expected {}", values.len(), self.columns);
            return Err(Fault::write(&table.path, cause).into());
        }
        for (column, value) in table.columns.iter_mut().zip(std::iter::once(&time).chain(values)) {
            column.extend(std::slice::from_ref(value));
        }
        table.advance().map_err(|error| fault(&table.path, &error).into())
    }

    fn spike(&mut self, event: usize, time: f64, unit: u32) -> io::Result<()> {
        let Some(table) = &mut self.spikes else { return Ok(()) };
        for column in &mut table.columns {
            match column {
                Column::Number(times) => times.push(time),
                Column::Text(names) => names.push(self.events[event].clone()),
                Column::Whole(units) => units.push(i64::from(unit)),
            }
        }
        table.advance().map_err(|error| fault(&table.path, &error).into())
    }
}

impl FileSink for ParquetSink {
    fn finish(self: Box<Self>) -> Result<Vec<PathBuf>, Fault> {
        self.rows.into_iter().chain(self.spikes).map(Table::finish).collect()
    }
}

/// What a column holds.
#[derive(Clone, Copy)]
enum Kind {
    Number,
    Whole,
    Text,
}

/// The values of a column in the group of rows that is being gathered.
enum Column {
    Number(Vec<f64>),
    Whole(Vec<i64>),
    Text(Vec<ByteArray>),
}

impl Column {
    fn extend(&mut self, values: &[f64]) {
        if let Column::Number(held) = self {
            held.extend_from_slice(values);
        }
    }
}

/// A file being written.
struct Table {
    path: PathBuf,
    writer: SerializedFileWriter<AtomicFile>,
    columns: Vec<Column>,
    /// Rows gathered, and how many make a group.
    held: usize,
    most: usize,
}

impl Table {
    fn create<'a>(
        path: &Path,
        columns: impl Iterator<Item = (&'a str, Kind)>,
        metadata: Vec<KeyValue>,
    ) -> Result<Table, Fault> {
        let columns: Vec<(&str, Kind)> = columns.collect();
        let file = AtomicFile::create(path)?;
        let open = |file| -> Result<SerializedFileWriter<AtomicFile>, ParquetError> {
            let fields = columns.iter().map(|(name, kind)| {
                let (physical, logical) = match kind {
                    Kind::Number => (Physical::DOUBLE, None),
                    Kind::Whole => (Physical::INT64, None),
                    Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
                };
                let field = Type::primitive_type_builder(name, physical).with_repetition(Repetition::REQUIRED);
                Ok(Arc::new(field.with_logical_type(logical).build()?))
            });
            let fields = fields.collect::<Result<Vec<_>, ParquetError>>()?;
            let schema = Type::group_type_builder("table").with_fields(fields).build()?;
            // Simulated doubles hardly repeat and hardly shrink.
            let properties = WriterProperties::builder()
                .set_created_by(concat!("nullcline ", env!("CARGO_PKG_VERSION")).to_string())
                .set_compression(Compression::UNCOMPRESSED)
                .set_dictionary_enabled(false)
                .set_key_value_metadata((!metadata.is_empty()).then_some(metadata))
                .build();
            SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties))
        };
        let writer = open(file).map_err(|error| fault(path, &error))?;
        let most = (GROUP / 8 / columns.len().max(1)).max(1);
        let columns = columns.iter().map(|(_, kind)| match kind {
            Kind::Number => Column::Number(Vec::new()),
            Kind::Whole => Column::Whole(Vec::new()),
            Kind::Text => Column::Text(Vec::new()),
        });
        Ok(Table { path: path.to_owned(), writer, columns: columns.collect(), held: 0, most })
    }

    /// One row more is complete.
    fn advance(&mut self) -> Result<(), ParquetError> {
        self.held += 1;
        if self.held == self.most { self.write() } else { Ok(()) }
    }

    /// Writes what is gathered as a group of rows.
    fn write(&mut self) -> Result<(), ParquetError> {
        let mut group = self.writer.next_row_group()?;
        for column in &mut self.columns {
            // The schema was made of as many.
            let Some(mut writer) = group.next_column()? else { break };
            match column {
                Column::Number(values) => {
                    writer.typed::<DoubleType>().write_batch(values, None, None)?;
                    values.clear();
                }
                Column::Whole(values) => {
                    writer.typed::<Int64Type>().write_batch(values, None, None)?;
                    values.clear();
                }
                Column::Text(values) => {
                    writer.typed::<ByteArrayType>().write_batch(values, None, None)?;
                    values.clear();
                }
            }
            writer.close()?;
        }
        self.held = 0;
        group.close().map(drop)
    }

    fn finish(mut self) -> Result<PathBuf, Fault> {
        let rest = if self.held > 0 { self.write() } else { Ok(()) };
        let file = rest.and_then(|()| self.writer.into_inner()).map_err(|error| fault(&self.path, &error))?;
        file.finish()?;
        Ok(self.path)
    }
}

/// What the writer reports, most of which comes from the file below.
fn fault(path: &Path, error: &ParquetError) -> Fault {
    match std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>()) {
        Some(error) => Fault::write_os(path, error),
        None => Fault::write(path, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;
    use std::fs::File;

    fn open(path: &Path) -> SerializedFileReader<File> {
        SerializedFileReader::new(File::open(path).unwrap()).unwrap()
    }

    /// Names of the columns, and all rows.
    fn read(path: &Path) -> (Vec<String>, Vec<Vec<Field>>) {
        let rows: Vec<Vec<(String, Field)>> =
            open(path).get_row_iter(None).unwrap().map(|row| row.unwrap().into_columns()).collect();
        let names = rows[0].iter().map(|(name, _)| name.clone()).collect();
        (names, rows.into_iter().map(|row| row.into_iter().map(|(_, field)| field).collect()).collect())
    }

    #[test]
    fn rows_and_spikes_read_back() {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("out.parquet");
        let mut recording = Recording::new(vec![Label::new("v").with_unit("mV"), Label::new("x[0]").in_group("x")]);
        for (time, values) in [(0.0, [0.1, -0.0]), (0.5, [1e300, f64::NEG_INFINITY])] {
            recording.row(time, &values).unwrap();
        }
        let spikes = |name: &str, times: &[f64], ids: &[u32]| Spikes {
            times: times.to_vec(),
            ids: ids.to_vec(),
            ..Spikes::new(Label::new(name), 40)
        };
        let recording = recording.with_events(vec![spikes("e", &[0.1, 0.3], &[3, 39]), spikes("i", &[0.2], &[7])]);
        write(&recording, &path).unwrap();
        let (names, rows) = read(&path);
        assert_eq!(names, ["t", "v", "x[0]"]);
        let number = Field::Double;
        assert_eq!(rows[0], [number(0.0), number(0.1), number(-0.0)]);
        assert_eq!(rows[1], [number(0.5), number(1e300), number(f64::NEG_INFINITY)]);
        let reader = open(&path);
        let metadata = reader.metadata().file_metadata().key_value_metadata().unwrap();
        let units = metadata.iter().find(|entry| entry.key == "units").unwrap();
        assert_eq!(units.value.as_deref(), Some(r#"{"v":"mV"}"#));

        let (names, rows) = read(&directory.path().join("out.spikes.parquet"));
        assert_eq!(names, ["t", "event", "unit"]);
        let spike = |time, event: &str, unit| vec![number(time), Field::Str(event.to_string()), Field::Long(unit)];
        assert_eq!(rows, [spike(0.1, "e", 3), spike(0.2, "i", 7), spike(0.3, "e", 39)]);
    }

    #[test]
    fn a_long_table_is_in_several_groups_of_rows() {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("out.parquet");
        let columns: Vec<Vec<f64>> = (0..3).map(|c| (0..400_000).map(|r| f64::from(r * 3 + c)).collect()).collect();
        save_columns(&["a", "b", "c"].map(String::from), &columns, &path).unwrap();
        assert_eq!(open(&path).num_row_groups(), 2);
        let (names, rows) = read(&path);
        assert_eq!((names, rows.len()), (vec!["a".to_string(), "b".to_string(), "c".to_string()], 400_000));
        let whole = rows.iter().flatten().enumerate().all(|(k, field)| *field == Field::Double(k as f64));
        assert!(whole);
    }
}
