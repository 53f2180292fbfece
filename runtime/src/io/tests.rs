//! Files as a user meets them: what is written reads back, and every fault says what to do.

use super::*;
use crate::observe::Sink;
use ndarray_npy::{NpzReader, ReadNpyExt, WriteNpyExt};
use std::fs;
use tempfile::TempDir;

const AWKWARD: [f64; 8] = [0.1, -0.0, 1e300, 5e-324, 1.0 / 3.0, 123456789012345680.0, f64::NEG_INFINITY, 2.5e-5];

fn recording() -> Recording {
    let mut recording = Recording::new(vec![
        Label::new("psp").with_unit("mV"),
        Label::new("x[0]").in_group("x"),
        Label::new("x[1]").in_group("x"),
        Label::new("z.re").in_group("z"),
        Label::new("z.im").in_group("z"),
    ]);
    for (row, value) in AWKWARD.into_iter().enumerate() {
        recording.row(row as f64 * 1e-4, &[value, row as f64, -1.5, 0.25, value]).unwrap();
    }
    recording
}

fn saved(name: &str, recording: &Recording) -> (TempDir, std::path::PathBuf) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join(name);
    save(recording, &path).unwrap();
    (directory, path)
}

/// Runs the action in a fresh directory and gives its fault with that directory's path taken out.
fn fault(action: impl Fn(&Path) -> Result<(), Fault>) -> String {
    let directory = TempDir::new().unwrap();
    let fault = action(directory.path()).unwrap_err();
    fault.to_string().replace(&format!("{}/", directory.path().display()), "")
}

fn read_fault(name: &str, content: &[u8]) -> String {
    fault(|directory| {
        fs::write(directory.join(name), content).unwrap();
        read_series(directory.join(name)).map(drop)
    })
}

fn series(content: &str) -> Series {
    table::parse(Path::new("x.csv"), content.as_bytes()).unwrap()
}

#[test]
fn csv_values_read_back_bit_identical() {
    let (_directory, path) = saved("out.csv", &recording());
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("t,psp,x[0],x[1],z.re,z.im\n0,0.1,0,-1.5,0.25,0.1\n0.0001,-0,1,"), "{text}");
    let read = read_series(&path).unwrap();
    let psp: Vec<u64> = read.column(0).map(f64::to_bits).collect();
    assert_eq!(psp, AWKWARD.map(f64::to_bits));
    assert_eq!(read.times.as_deref(), Some(&recording().times[..]));
    assert_eq!(read.names.unwrap(), ["psp", "x[0]", "x[1]", "z.re", "z.im"]);
}

/// Hands a recording to a sink, each spike before the first row after it.
fn play(recording: &Recording, sink: &mut dyn Sink) {
    let mut next = vec![0; recording.spikes.len()];
    for (index, &time) in recording.times.iter().enumerate() {
        for (event, spikes) in recording.spikes.iter().enumerate() {
            while let Some(&at) = spikes.times.get(next[event]).filter(|at| **at < time) {
                sink.spike(event, at, spikes.ids[next[event]]).unwrap();
                next[event] += 1;
            }
        }
        let row: Vec<f64> = recording.columns.iter().map(|column| column[index]).collect();
        sink.row(time, &row).unwrap();
    }
    for (event, spikes) in recording.spikes.iter().enumerate() {
        for at in next[event]..spikes.len() {
            sink.spike(event, spikes.times[at], spikes.ids[at]).unwrap();
        }
    }
}

#[test]
fn what_is_streamed_equals_what_is_saved_in_every_format() {
    // More numbers than a sink holds in memory.
    let mut long = recording();
    for row in 8..300_000 {
        let x = row as f64;
        long.row(x * 1e-4, &[x.sin(), x, -x, f64::NAN, 1.0 / x]).unwrap();
    }
    for recording in [recording(), spiking(), long, Recording::new(vec![Label::new("x")])] {
        for ending in ["csv", "npz", "json"] {
            let (directory, path) = saved(&format!("out.{ending}"), &recording);
            let before = fs::read_dir(directory.path()).unwrap().count();
            let streamed = directory.path().join(format!("streamed.{ending}"));
            let mut sink = stream(&streamed, &recording.labels, &recording.spikes).unwrap();
            play(&recording, &mut sink);
            assert!(!streamed.exists(), "the file must not appear before it is complete");
            let files = sink.finish().unwrap();
            assert_eq!(files[0], streamed);
            assert!(fs::read(&streamed).unwrap() == fs::read(path).unwrap(), "{ending}");
            // And no temporary file stays.
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), before + files.len());
        }
    }
}

#[test]
fn an_archive_that_is_not_finished_leaves_no_litter() {
    for ending in ["npz", "json"] {
        let directory = TempDir::new().unwrap();
        let mut sink = stream(directory.path().join(format!("out.{ending}")), &[Label::new("x")], &[]).unwrap();
        (0..1_000_000).for_each(|k| sink.row(f64::from(k), &[0.1]).unwrap());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2, "the archive and what waits for it");
        drop(sink);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}

#[test]
fn names_with_commas_and_quotes_are_quoted() {
    let names = ["a,b", "the \"big\" one"];
    let mut recording = Recording::new(names.map(Label::new).to_vec());
    recording.row(0.0, &[1.0, 2.0]).unwrap();
    let (_directory, path) = saved("out.csv", &recording);
    assert_eq!(fs::read_to_string(&path).unwrap(), "t,\"a,b\",\"the \"\"big\"\" one\"\n0,1,2\n");
    assert_eq!(read_series(&path).unwrap().names.unwrap(), names);
}

#[test]
fn npz_reads_back_with_an_independent_reader() {
    let (_directory, path) = saved("out.npz", &recording());
    let mut archive = NpzReader::new(fs::File::open(path).unwrap()).unwrap();
    assert_eq!(archive.names().unwrap(), ["t", "psp", "x", "z", "names", "units"]);
    let times: ndarray::Array1<f64> = archive.by_name("t").unwrap();
    assert_eq!(times.to_vec(), recording().times);
    let psp: ndarray::Array1<f64> = archive.by_name("psp").unwrap();
    assert_eq!(psp.to_vec(), AWKWARD);
    let x: ndarray::Array2<f64> = archive.by_name("x").unwrap();
    assert_eq!((x.dim(), x[[3, 0]], x[[3, 1]]), ((8, 2), 3.0, -1.5));
    let z: ndarray::Array1<num_complex::Complex64> = archive.by_name("z").unwrap();
    assert_eq!(z[2], num_complex::Complex64::new(0.25, 1e300));
}

#[test]
fn json_keeps_the_columns_in_order_and_has_null_for_what_is_not_finite() {
    let mut recording = recording();
    recording.columns[0][1] = f64::NAN;
    let (_directory, path) = saved("out.json", &recording);
    let text = fs::read_to_string(path).unwrap();
    assert!(text.find("\"x[0]\"").unwrap() > text.find("\"psp\"").unwrap());
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["columns"]["psp"][0], 0.1);
    assert!(value["columns"]["psp"][1].is_null() && value["columns"]["psp"][6].is_null());
    assert_eq!(value["units"], serde_json::json!({"psp": "mV"}));
    assert_eq!(value["t"][7].as_f64().unwrap().to_bits(), recording.times[7].to_bits());
}

#[test]
fn an_unfinished_write_leaves_the_old_file_and_no_litter() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("out.csv");
    fs::write(&path, "old").unwrap();
    let mut sink = CsvSink::create(&path, &[Label::new("x")], &[]).unwrap();
    sink.row(0.0, &[1.0]).unwrap();
    assert!(sink.row(0.1, &[1.0, 2.0]).is_err());
    drop(sink);
    let mut broken = recording();
    broken.columns[1].pop();
    assert!(save(&broken, &path).is_err());
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn a_finished_write_keeps_links_and_devices_in_place() {
    let (directory, path) = saved("out.csv", &recording());
    let link = directory.path().join("link.csv");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let mut one = Recording::new(vec![Label::new("x")]);
    one.row(0.0, &[1.0]).unwrap();
    save(&one, &link).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&path).unwrap(), "t,x\n0,1\n");
    Box::new(CsvSink::create("/dev/null", &one.labels, &[]).unwrap()).finish().unwrap();
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
}

#[test]
fn writing_faults_say_what_failed_and_what_to_do() {
    let saving = |name: &str, recording: &Recording| fault(|directory| save(recording, directory.join(name)));
    assert_eq!(
        saving("out.xls", &recording()),
        format!("cannot write `out.xls`: unknown extension `.xls`, expected {KNOWN}\n  help: write `out.csv`")
    );
    assert_eq!(
        saving("out", &recording()),
        format!("cannot write `out`: the name has no extension, expected {KNOWN}\n  help: write `out.csv`")
    );
    assert_eq!(
        saving("no/such/out.csv", &recording()),
        "cannot write `no/such/out.csv`: directory `no/such` does not exist\n  help: create it: `mkdir -p no/such`"
    );
    let in_the_way = fault(|directory| {
        fs::create_dir(directory.join("out.csv")).unwrap();
        save(&recording(), directory.join("out.csv"))
    });
    assert_eq!(
        in_the_way,
        "cannot write `out.csv`: it is a directory, expected a file name\n  help: write `out.csv/recording.csv`"
    );
    let read_only = fault(|directory| {
        let path = directory.join("out.csv");
        fs::write(&path, "old").unwrap();
        let mut permissions = fs::metadata(&path).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&path, permissions).unwrap();
        save(&recording(), path)
    });
    assert_eq!(
        read_only,
        "cannot write `out.csv`: the file exists and is read-only\n  help: write elsewhere, or `chmod u+w out.csv`"
    );
    let behind_a_file = fault(|directory| {
        fs::write(directory.join("file"), "").unwrap();
        save(&recording(), directory.join("file/out.csv"))
    });
    assert_eq!(behind_a_file, "cannot write `file/out.csv`: `file` is a file, expected a directory");
    let mut twice = recording();
    twice.labels[2].name = "x[0]".into();
    assert_eq!(
        saving("out.csv", &twice),
        "cannot write `out.csv`: two columns are named `x[0]`\n  help: record one of them under another name: `--record NAME=path`"
    );
    twice.labels[2].name = "t".into();
    assert_eq!(
        saving("out.csv", &twice),
        "cannot write `out.csv`: a column is named `t`, which is the name of the time\n  help: record the variable under another name: `--record NAME=path`"
    );
    let mut reserved = recording();
    reserved.labels[0].group = "names".into();
    assert_eq!(
        saving("out.npz", &reserved),
        "cannot write `out.npz`: a column is named `names`, which the format uses itself\n  help: record it under another name: `--record names_1=path`"
    );
    let mut ragged = recording();
    ragged.columns[0].pop();
    assert_eq!(
        saving("out.csv", &ragged),
        "cannot write `out.csv`: column `psp` has 7 values, expected 8 as there are times"
    );
}

#[test]
fn tables_are_read_with_any_common_delimiter() {
    for text in
        ["1,2\n3,4\n", "1;2\r\n3;4", "1\t2\n\n3\t4\n", "  1   2\n3 \t 4 \n", "# made by hand\n1, 2 # first\n3 ,4"]
    {
        let read = series(text);
        assert_eq!((read.rows, read.columns, &read.data[..]), (2, 2, &[1.0, 2.0, 3.0, 4.0][..]), "{text:?}");
        assert_eq!((read.times, read.names), (None, None));
    }
}

#[test]
fn a_column_named_t_or_time_becomes_the_times() {
    for text in ["t,u\n0,5\n0.1,6\n", "\u{feff}Time;u\n0;5\n0.1;6\n", "\"time\" \"u\"\n0 5\n0.1 6\n"] {
        let read = series(text);
        assert_eq!(read.times.as_deref(), Some(&[0.0, 0.1][..]), "{text:?}");
        assert_eq!((read.columns, &read.data[..]), (1, &[5.0, 6.0][..]));
        assert_eq!(read.names.unwrap(), ["u"]);
    }
    let values_named_t = series("t\n1\n2\n");
    assert_eq!((values_named_t.times, values_named_t.data), (None, vec![1.0, 2.0]));
    assert_eq!(series("t,0,1\n0,5,6\n").names.unwrap(), ["0", "1"]);
}

#[test]
fn table_faults_point_at_line_and_column() {
    for (text, expected) in [
        (
            "t,u\n0,1\n0.1,abc\n",
            "u.csv:3:5: found `abc`, expected a number\n  help: comments start with `#`; a header may only be the first row",
        ),
        (
            "1,2\n3, \n",
            "u.csv:2:4: found an empty field, expected a number\n  help: write `nan` where a value is missing",
        ),
        (
            "1,2\n3,4,5\n",
            "u.csv:2:5: found 3 fields, expected 2 as in line 1\n  help: every row needs the same number of fields; write `nan` where a value is missing",
        ),
        (
            "# c\n1 2\n3\n",
            "u.csv:3:1: found 1 fields, expected 2 as in line 2\n  help: every row needs the same number of fields; write `nan` where a value is missing",
        ),
        ("1;2\n3;4,5\n", "u.csv:2:3: found `4,5`, expected a number\n  help: write decimals with a point: `4.5`"),
        (
            "1.2.3\n4\n",
            "u.csv:1:1: found `1.2.3`, expected a number\n  help: separate fields by commas, semicolons, tabs or spaces; comments start with `#`",
        ),
        ("\"a,b\n1,2\n", "u.csv:1:1: a quote is opened and not closed in this line\n  help: add the closing `\"`"),
        ("\"a\"b,c\n1,2\n", "u.csv:1:4: found `b,c` after a closing quote, expected `,`"),
        ("", "cannot read `u.csv`: the file has no values\n  help: give at least one row with one number"),
        ("t,u\n", "cannot read `u.csv`: the file has no values\n  help: give at least one row with one number"),
    ] {
        assert_eq!(read_fault("u.csv", text.as_bytes()), expected);
    }
    assert_eq!(
        read_fault("u.csv", b"1\n\xc3\xa4 \xff"),
        "u.csv:2:3: found bytes that are no UTF-8 text, expected numbers as text\n  help: save the table as UTF-8 text, or as .npy with `numpy.save`"
    );
}

#[test]
fn arrays_of_any_real_type_and_order_are_read() {
    fn read<T: ndarray_npy::WritableElement, D: ndarray::Dimension>(array: ndarray::Array<T, D>) -> Series {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("u.npy");
        array.write_npy(fs::File::create(&path).unwrap()).unwrap();
        read_series(path).unwrap()
    }
    let rows = [[1.0, -2.5], [3.0, 4.0], [0.5, 6.0]];
    let expected = [1.0, -2.5, 3.0, 4.0, 0.5, 6.0];
    let matrix = ndarray::arr2(&rows);
    let read_matrix = read(matrix.clone());
    assert_eq!((read_matrix.rows, read_matrix.columns, &read_matrix.data[..]), (3, 2, &expected[..]));
    assert_eq!(read(matrix.mapv(|value| value as f32)).data, expected);
    let mut fortran = ndarray::Array2::zeros(ndarray::ShapeBuilder::f((3, 2)));
    fortran.assign(&matrix);
    assert_eq!(read(fortran), read_matrix);
    let vector = read(ndarray::arr1(&[7i16, -300]));
    assert_eq!((vector.rows, vector.columns, &vector.data[..]), (2, 1, &[7.0, -300.0][..]));
    assert_eq!(read(ndarray::arr1(&[i64::MIN, -1])).data, [-9223372036854775808.0, -1.0]);
    assert_eq!(read(ndarray::arr1(&[u64::MAX])).data, [18446744073709551616.0]);
    assert_eq!(read(ndarray::arr1(&[true, false])).data, [1.0, 0.0]);
    assert_eq!(read(ndarray::arr0(4.5)).data, [4.5]);
}

#[test]
fn big_endian_arrays_are_read() {
    let bytes = [npy::header(">f4", &[2]), 1.5f32.to_be_bytes().to_vec(), (-2f32).to_be_bytes().to_vec()].concat();
    assert_eq!(npy::decode(&bytes).unwrap().data, [1.5, -2.0]);
}

#[test]
fn our_array_headers_are_read_by_others() {
    let bytes = [npy::header("<f8", &[1, 2]), 1f64.to_le_bytes().to_vec(), 2f64.to_le_bytes().to_vec()].concat();
    assert_eq!(bytes.len() % 64, 16);
    assert_eq!(ndarray::Array2::<f64>::read_npy(&bytes[..]).unwrap(), ndarray::arr2(&[[1.0, 2.0]]));
}

#[test]
fn array_faults_say_what_was_found() {
    let with = |descr: &str, shape: &[usize], data: &[u8]| [&npy::header(descr, shape), data].concat();
    for (bytes, expected) in [
        (
            b"1,2\n".to_vec(),
            "cannot read `u.npy`: this is no .npy file\n  help: write it with `numpy.save(path, array)`, or rename it to .csv if it is text",
        ),
        (
            b"\x93NUMPY\x01\x00\xff\xff{".to_vec(),
            "cannot read `u.npy`: the header is damaged\n  help: write it again with `numpy.save(path, array)`",
        ),
        (
            b"\x93NUMPY\x09\x00\xff\xff{".to_vec(),
            "cannot read `u.npy`: found version 9 of the format, expected 1, 2 or 3\n  help: write it again with `numpy.save(path, array)`",
        ),
        (
            with("<c16", &[1], &[0; 16]),
            "cannot read `u.npy`: found elements of type `<c16`, expected real numbers (f4, f8, integers or bool)\n  help: convert before saving: `numpy.save(path, a.astype(\"float64\"))`",
        ),
        (
            with("<f8", &[3], &[0; 16]),
            "cannot read `u.npy`: found 16 bytes of data, expected 24 for shape (3, 1)\n  help: the file was cut or damaged: write it again with `numpy.save`",
        ),
        (
            with("<f8", &[usize::MAX, 4], &[0; 16]),
            "cannot read `u.npy`: found 16 bytes of data, expected more than fits memory for shape (18446744073709551615, 4)\n  help: the file was cut or damaged: write it again with `numpy.save`",
        ),
        (
            with("<f8", &[1, 1, 2], &[0; 16]),
            "cannot read `u.npy`: found an array of 3 axes, expected one or two (time, element)\n  help: save a slice of it, or reshape: `a.reshape(len(a), -1)`",
        ),
        (
            with("<f8", &[0], &[]),
            "cannot read `u.npy`: the file has no values\n  help: give at least one row with one number",
        ),
    ] {
        assert_eq!(read_fault("u.npy", &bytes), expected);
    }
}

#[test]
fn damaged_files_never_panic() {
    let whole = [npy::header("<f8", &[2, 1]), vec![1; 16]].concat();
    for length in 0..whole.len() {
        assert!(npy::decode(&whole[..length]).is_err());
    }
    for index in 0..whole.len() {
        for value in [0, b'(', b'\'', 0xff] {
            let mut bytes = whole.clone();
            bytes[index] = value;
            let _ = npy::decode(&bytes);
            let _ = table::parse(Path::new("u.csv"), &bytes);
        }
    }
}

#[test]
fn reading_faults_name_the_file_and_the_formats() {
    let missing = fault(|directory| read_series(directory.join("u.csv")).map(drop));
    assert!(missing.starts_with("cannot read `u.csv`: no such file\n  help: check the name; it is looked up from"));
    assert_eq!(
        read_fault("u.mat", b""),
        "cannot read `u.mat`: unknown extension `.mat`, expected .csv or .npy\n  help: save the series as text with one row per sample, or with `numpy.save`"
    );
    assert_eq!(
        read_fault("u.npz", b""),
        "cannot read `u.npz`: an archive of several arrays, expected one array\n  help: save the array alone: `numpy.save(\"input.npy\", archive[\"NAME\"])`"
    );
    let directory = fault(|directory| {
        fs::create_dir(directory.join("u.csv")).unwrap();
        read_series(directory.join("u.csv")).map(drop)
    });
    assert_eq!(directory, "cannot read `u.csv`: it is a directory, expected a file");
}

fn spiking() -> Recording {
    let spikes = |name: &str, times: &[f64], ids: &[u32]| Spikes {
        times: times.to_vec(),
        ids: ids.to_vec(),
        ..Spikes::new(Label::new(name), 40)
    };
    let events =
        vec![spikes("e/spike", &[0.1, 0.1, 0.30000000000000004], &[3, 39, 3]), spikes("i/spike", &[0.2], &[7])];
    recording().with_events(events)
}

#[test]
fn spikes_are_a_table_of_their_own() {
    let expected = "t,event,unit\n0.1,e/spike,3\n0.1,e/spike,39\n0.2,i/spike,7\n0.30000000000000004,e/spike,3\n";
    let (directory, path) = saved("out.csv", &spiking());
    assert!(fs::read_to_string(&path).unwrap().starts_with("t,psp,"));
    assert_eq!(fs::read_to_string(directory.path().join("out.spikes.csv")).unwrap(), expected);
    // Alone they need no second file.
    let alone = Recording::new(vec![]).with_events(spiking().spikes);
    let (directory, path) = saved("spikes.csv", &alone);
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn spikes_in_an_archive_are_times_and_ids() {
    let (_directory, path) = saved("out.npz", &spiking());
    let mut archive = NpzReader::new(fs::File::open(path).unwrap()).unwrap();
    let times: ndarray::Array1<f64> = archive.by_name("e/spike.times").unwrap();
    let ids: ndarray::Array1<u32> = archive.by_name("e/spike.ids").unwrap();
    let units: ndarray::Array0<u32> = archive.by_name("e/spike.units").unwrap();
    assert_eq!(times.to_vec(), [0.1, 0.1, 0.30000000000000004]);
    assert_eq!((ids.to_vec(), units.into_scalar()), (vec![3, 39, 3], 40));
}

#[test]
fn spikes_in_json_are_an_object_for_each_event() {
    let (_directory, path) = saved("out.json", &spiking());
    let read: serde_json::Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(read["spikes"]["i/spike"], serde_json::json!({"times": [0.2], "ids": [7], "units": 40}));
    assert_eq!(read["spikes"]["e/spike"]["ids"], serde_json::json!([3, 39, 3]));
}

#[test]
fn events_and_columns_have_names_of_their_own() {
    let twice = recording().with_events(vec![Spikes::new(Label::new("psp"), 3)]);
    for name in ["out.csv", "out.npz", "out.json"] {
        assert!(fault(|directory| save(&twice, directory.join(name))).contains("two columns are named `psp`"));
    }
}
