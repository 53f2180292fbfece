//! `nullcline sweep` as users run it.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// `x' = k*(u - x)`: Euler's method gives `u + (x0 - u)*(1 - k*dt)^n`.
const RELAXATION: &str = "\
op:
  base: OperatorTemplate
  equations: [\"x' = k*(u - x)\"]
  variables: {x: output(0.0), u: 1.0, k: 1.0}
cell:
  base: NodeTemplate
  operators: [op]
simulate: {duration: 1.0, dt: 0.25}
";

struct Place(PathBuf);

impl Place {
    fn new(test: &str, model: &str) -> Place {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sweep-{test}"));
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("m.yaml"), model).unwrap();
        Place(directory)
    }

    fn command(&self, line: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nullcline"));
        command.args(["sweep", "m.yaml"]).args(line).current_dir(&self.0).stdin(Stdio::null());
        command
    }

    /// Exit code, standard output, standard error.
    fn run(&self, line: &[&str]) -> (i32, String, String) {
        let output = self.command(line).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    #[track_caller]
    fn ok(&self, line: &[&str]) -> String {
        let (code, out, err) = self.run(line);
        assert_eq!((code, &*err), (0, ""), "{out}");
        out
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }
}

/// Header and rows of a table without its first comment.
fn table(text: &str) -> (Vec<&str>, Vec<Vec<f64>>) {
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let header = lines.next().unwrap().split(',').collect();
    (header, lines.map(|line| line.split(',').map(|x| x.parse().unwrap()).collect()).collect())
}

#[test]
fn a_grid_is_a_table_of_closed_forms() {
    let place = Place::new("grid", RELAXATION);
    let out = place.ok(&["--grid", "k=[1,2]", "--grid", "u=0:2:3", "--reduce", "final,max,min,mean,peak-to-peak"]);
    let (header, rows) = table(&out);
    assert_eq!(header, ["k", "u", "x.final", "x.max", "x.min", "x.mean", "x.peak-to-peak", "diverged"]);
    assert_eq!(rows.len(), 6);
    for (row, (k, u)) in rows.iter().zip([(1.0, 0.0), (1.0, 1.0), (1.0, 2.0), (2.0, 0.0), (2.0, 1.0), (2.0, 2.0)]) {
        let x = |n: i32| u * (1.0 - f64::powi(1.0 - 0.25 * k, n));
        let mean = (0..4).map(x).sum::<f64>() / 4.0;
        let expected = [k, u, x(4), x(3), 0.0, mean, x(3), 0.0];
        assert!(row.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-14), "{row:?}, expected {expected:?}");
    }
    place.ok(&["--grid", "k=1:3:3", "--grid", "u=[0,5,7]", "--pairwise", "--quiet", "-o", "p.csv"]);
    let text = place.read("p.csv");
    let pairs = table(&text).1;
    assert_eq!(pairs.iter().map(|r| (r[0], r[1])).collect::<Vec<_>>(), [(1.0, 0.0), (2.0, 5.0), (3.0, 7.0)]);
}

/// `x = cos(2 pi f t)`.
const COSINE: &str = "
op:
  base: OperatorTemplate
  equations: [\"x' = -2*pi*f*y\", \"y' = 2*pi*f*x\"]
  variables: {x: output(1.0), y: variable(0.0), f: 1.0}
cell: {base: NodeTemplate, operators: [op]}
simulate: {duration: 20.0, dt: 1e-3, scheme: rk4}
";

#[test]
fn frequencies_of_a_sweep_are_those_of_the_model() {
    let place = Place::new("frequency", COSINE);
    let out = place.ok(&["--grid", "f=1:5:70", "--reduce", "frequency,spectral-peak"]);
    for row in table(&out).1 {
        assert!((row[1] - row[0]).abs() < 1e-4 && (row[2] - row[0]).abs() < 2e-3, "{row:?}");
    }
}

/// In single precision a step's phase errs by some 2^-24 of a turn, 20,000 of them by less than 2e-3, of 20 turns and more.
#[cfg(feature = "wgpu")]
#[test]
fn a_graphics_processor_measures_the_rows_it_keeps_and_the_report_says_so() {
    if nullcline::runtime::device::wgpu::adapters().is_empty() {
        println!("skipped: there is no graphics processor and no software one");
        return;
    }
    let place = Place::new("device", COSINE);
    let grid = ["--grid", "f=1:5:70", "--sample-every", "0.01", "--reduce", "frequency,spectral-peak,mean,max"];
    let line = [&grid[..], &["--device", "wgpu", "--precision", "f32", "--out", "t.csv"]].concat();
    let (code, out, err) = place.run(&line);
    assert!(code == 0 && out.contains("rows      measured on the device"), "{out}{err}");
    for row in table(&place.read("t.csv")).1 {
        assert!((row[1] - row[0]).abs() < 1e-4 && (row[2] - row[0]).abs() < 2e-3, "{row:?}");
        assert!(row[3].abs() < 0.05 && (row[4] - 1.0).abs() < 0.01, "{row:?}");
    }
    // Rows that are asked for themselves are read back, and nothing is said of them; so on the processor.
    let traces = [&line[..], &["--traces", "rows.npz", "--restart", "--json"]].concat();
    let here = [&grid[..], &["--precision", "f32", "--out", "here.csv", "--json"]].concat();
    for line in [traces, here] {
        let (code, out, err) = place.run(&line);
        assert!(code == 0 && out.contains("\"rows\":null"), "{out}{err}");
    }
    // The device's own numbers for the frequencies are within what it errs by itself of the processor's.
    let (device, processor) = (place.read("t.csv"), place.read("here.csv"));
    for (device, processor) in table(&device).1.iter().zip(table(&processor).1) {
        assert!(
            (device[1] - processor[1]).abs() < 1e-4 && (device[2] - processor[2]).abs() < 1e-4,
            "{device:?} {processor:?}"
        );
    }
}

#[test]
fn random_samples_depend_on_the_seed_and_their_number_alone() {
    let place = Place::new("random", RELAXATION);
    let sweep = |seed: &str, samples: &str| {
        let line = ["--random", "k=uniform(0.5,1)", "--random", "x=normal(0,1)", "--samples", samples, "--seed", seed];
        place.ok(&line)
    };
    let (few, many) = (sweep("3", "5"), sweep("3", "300"));
    assert!(many.starts_with(&few), "{few}");
    assert_ne!(few, sweep("4", "5"));
    assert!(table(&many).1.iter().all(|row| (0.5..1.0).contains(&row[0])));
}

#[test]
fn a_sweep_goes_on_after_the_last_finished_row() {
    let place = Place::new("resume", RELAXATION);
    let line = ["--grid", "k=0:1:300", "--grid", "u=[1,2]", "--out", "t.csv"];
    place.ok(&line);
    let whole = place.read("t.csv");
    // Once in the middle of a row, once in the header.
    for kept in [whole.len() / 2, 0] {
        fs::write(place.0.join("t.csv"), &whole[..kept]).unwrap();
        place.ok(&line);
        assert_eq!(place.read("t.csv"), whole);
    }
    let report: Value = serde_json::from_str(&place.ok(&[&line[..], &["--json"]].concat())).unwrap();
    assert_eq!((&report["resumed"], &report["finished"]), (&600.into(), &600.into()));

    let other = ["--grid", "k=0:1:300", "--grid", "u=[1,3]", "--out", "t.csv"];
    let (code, _, err) = place.run(&other);
    assert!(code == 2 && err.contains("its grid is") && err.contains("--restart"), "{err}");
    fs::write(place.0.join("m.yaml"), RELAXATION.replace("0.25", "0.5")).unwrap();
    let (code, _, err) = place.run(&line);
    assert!(code == 2 && err.contains("another sweep"), "{err}");
    place.ok(&[&line[..], &["--restart"]].concat());
    assert_ne!(place.read("t.csv"), whole);
    fs::write(place.0.join("t.csv"), "a,b\n1,2\n").unwrap();
    let (code, _, err) = place.run(&line);
    assert!(code == 2 && err.contains("not the table of a sweep"), "{err}");
}

#[test]
fn a_member_that_diverges_has_a_row_that_says_so() {
    let place = Place::new("diverge", &RELAXATION.replace("k*(u - x)", "k*x*x + 0*u"));
    let line = ["--grid", "k=[-1,1e200,0]", "--set", "x=1", "--duration", "5", "--json", "--out", "t.csv"];
    let report: Value = serde_json::from_str(&place.ok(&line)).unwrap();
    assert_eq!((&report["diverged"], &report["finished"]), (&1.into(), &3.into()));
    let text = place.read("t.csv");
    let rows = table(&text).1;
    assert_eq!(rows.iter().map(|r| *r.last().unwrap()).collect::<Vec<_>>(), [0.0, 1.0, 0.0]);
    assert!(rows[1][1..rows[1].len() - 1].iter().all(|x| x.is_nan()));
    assert_eq!(rows[2][1..4], [1.0, 1.0, 1.0]);
}

/// Stops a sweep by Ctrl-C once there are some rows in a file; returns how many there are then.
fn stopped(place: &Place, line: &[&str], file: &str) -> usize {
    let mut child: Child = place.command(line).stdout(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while fs::read_to_string(place.0.join(file)).unwrap_or_default().lines().count() < 10 {
        assert!(Instant::now() < deadline && child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(10));
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let text = place.read(file);
    let rows = table(&text).1;
    assert!(rows.iter().all(|r| r.len() == 3));
    rows.len()
}

#[test]
fn ctrl_c_keeps_the_finished_rows() {
    let place = Place::new("stop", RELAXATION);
    let line = ["--grid", "k=0:1:100000", "--duration", "20000", "--dt", "0.1", "--reduce", "mean", "--out", "t.csv"];
    let rows = stopped(&place, &line, "t.csv");
    assert!((64..100_000).contains(&rows), "{rows}");
}

#[test]
fn tables_and_traces_go_to_numpy_files() {
    let place = Place::new("npz", RELAXATION);
    let line = ["--grid", "k=0:1:300", "--out", "t.npz"];
    place.ok(&[&line[..], &["--traces", "rows.npz"]].concat());
    for name in ["t.npz", "rows.npz"] {
        assert!(fs::read(place.0.join(name)).unwrap().starts_with(b"PK"));
    }
    assert!(!place.0.join("t.npz.rows.csv").exists(), "nothing is left beside a finished table");
}

/// A table that takes no more rows once it is written.
fn goes_on(test: &str, out: &str) {
    let place = Place::new(test, RELAXATION);
    let path = place.0.join(out);
    let (grid, beside) = (["--grid", "k=0:1:300", "--out"], place.0.join(format!("{out}.rows.csv")));
    let line = [&grid[..], &[out]].concat();
    place.ok(&line);
    let whole = fs::read(&path).unwrap();
    // The rows that a stopped sweep leaves are those of a `.csv` file, the last one in the middle.
    place.ok(&[&grid[..], &["rows.csv"]].concat());
    let rows = place.read("rows.csv");
    fs::write(&beside, &rows[..rows.len() / 2]).unwrap();
    fs::remove_file(&path).unwrap();
    let report: Value = serde_json::from_str(&place.ok(&[&line[..], &["--json"]].concat())).unwrap();
    let resumed = report["resumed"].as_u64().unwrap();
    assert!((100..200).contains(&resumed), "{report}");
    assert!(fs::read(&path).unwrap() == whole && !beside.exists());

    fs::write(&beside, &rows).unwrap();
    let (code, _, err) = place.run(&["--grid", "k=0:2:300", "--out", out]);
    assert!(code == 2 && err.contains("its grid is") && err.contains("--restart"), "{err}");
}

#[test]
fn a_sweep_to_a_numpy_file_goes_on_after_the_last_finished_row() {
    goes_on("resume-npz", "t.npz");
}

#[cfg(feature = "parquet")]
#[test]
fn a_sweep_to_a_parquet_file_goes_on_after_the_last_finished_row() {
    goes_on("resume-parquet", "t.parquet");
}

#[cfg(not(feature = "parquet"))]
#[test]
fn a_parquet_file_needs_its_feature() {
    let place = Place::new("parquet", RELAXATION);
    let (code, _, err) = place.run(&["--grid", "k=0:1:3", "--out", "t.parquet"]);
    assert!(code == 2 && err.contains("write `t.npz`, or build with `--features parquet`"), "{err}");
}

#[test]
fn a_stopped_sweep_to_a_numpy_file_keeps_the_finished_rows() {
    let place = Place::new("stop-npz", RELAXATION);
    let line = ["--grid", "k=0:1:100000", "--duration", "20000", "--dt", "0.1", "--reduce", "mean", "--out", "t.npz"];
    let rows = stopped(&place, &line, "t.npz.rows.csv");
    assert!(rows >= 64 && fs::read(place.0.join("t.npz")).unwrap().starts_with(b"PK"));
}

#[test]
fn arguments_without_meaning_are_refused_with_what_to_type() {
    let place = Place::new("refused", RELAXATION);
    for (line, said) in [
        (&[][..], "--grid PATH=0:1:11"),
        (&["--grid", "k=1:2"], "FIRST:LAST:COUNT"),
        (&["--random", "k=uniform(0,1)"], "--samples 100"),
        (&["--grid", "k=0:1:2", "--samples", "3"], "--random"),
        (&["--grid", "k=0:1:2", "--grid", "u=0:1:3", "--pairwise"], "--pairwise"),
        (&["--grid", "k=0:1:2", "--grid", "k=0:1:3"], "varied twice"),
        (&["--grid", "k=0:1:2", "--out", "t.txt"], "--out table.csv"),
        (&["--grid", "k=0:1:2", "--reduce", "median"], "peak-to-peak"),
    ] {
        let (code, _, err) = place.run(line);
        assert!(code == 2 && err.contains(said), "{line:?}: {code} {err}");
    }
    let (code, _, err) = place.run(&["--grid", "kk=0:1:2"]);
    assert!(code == 1 && err.contains("kk"), "{err}");
}
