//! Whole processes of the program: time from start to end, CPU time, memory.
//!
//! `cargo bench --bench process` prints medians of several processes. One thread each. docs/performance.md explains the
//! numbers.
#![allow(clippy::unwrap_used, missing_docs)]

mod beside;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use beside::columns::column;
use beside::median;

fn main() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("process");
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    // w8: the column of w1, ten steps.
    write("w8.yaml", &column().replace("duration: 100.0", "duration: 1e-3"));
    write("million.yaml", MILLION);
    write("field.yaml", FIELD);
    println!("{:<52}{:>11}{:>11}{:>9}", "medians of whole processes", "wall s", "CPU s", "MB");
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/jansen_rit.yaml").display().to_string();
    let cases: [(&str, usize, &[&str]); 4] = [
        ("run templates/jansen_rit.yaml, one step", 21, &["run", &template, "--duration", "1e-3", "--dt", "1e-3"]),
        ("w8: a column of a file, ten steps", 21, &["run", "w8.yaml"]),
        ("run of 1e6 neurons of three states, 1e3 steps", 3, &["run", "million.yaml"]),
        (
            "w5: sweep of 10,000 mean fields, 1e4 Euler steps",
            5,
            &[
                "sweep",
                "field.yaml",
                "--grid",
                "eta=-10:5:10000",
                "--reduce",
                "final",
                "--out",
                "table.csv",
                "--restart",
            ],
        ),
    ];
    for (name, rounds, arguments) in cases {
        let measured: Vec<[f64; 3]> = (0..rounds).map(|_| measure(&folder, arguments)).collect();
        let [wall, cpu, memory] = std::array::from_fn(|k| median(measured.iter().map(|m| m[k]).collect()));
        println!("{name:<52}{wall:>11.4}{cpu:>11.4}{:>9.1}", memory / 1e6);
    }
}

/// Wall seconds, CPU seconds and most bytes in memory of a process of the program.
#[allow(clippy::zombie_processes)] // it is waited for, with its usage
fn measure(folder: &Path, arguments: &[&str]) -> [f64; 3] {
    let start = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_nullcline"));
    command.current_dir(folder).args(arguments).args(["--threads", "1"]).stdout(Stdio::null());
    let child = command.spawn().unwrap();
    let (mut status, mut usage) = (0, std::mem::MaybeUninit::<libc::rusage>::zeroed());
    // SAFETY: the process is a child of this one that nothing else waits for; both pointers are valid for writing.
    let done = unsafe { libc::wait4(child.id() as i32, &mut status, 0, usage.as_mut_ptr()) };
    let wall = start.elapsed().as_secs_f64();
    assert!(done > 0 && status == 0, "`nullcline {}` failed", arguments.join(" "));
    // SAFETY: filled by the call, and zeroes are a value of it.
    let usage = unsafe { usage.assume_init() };
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 * 1e-6;
    [wall, seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss as f64 * 1024.0]
}

/// A million neurons with three states and spikes.
const MILLION: &str = "
neuron:
  base: OperatorTemplate
  equations: [v' = -v + g - w, w' = 0.1*(v - w), g' = -g + I]
  variables: {v: output(0.1), w: variable(0.0), g: variable(0.3), I: 2.0}
  events: {spike: {when: v >= 1, reset: {v: 0.0, w: w + 0.1}}}
neurons: {base: NodeTemplate, n: 1000000, operators: [neuron]}
net: {base: CircuitTemplate, nodes: {p: neurons}}
simulate: {duration: 10.0, dt: 0.01, scheme: euler, sample_every: 10.0, record: {v: 'p/neuron/v[0]'}}
";

/// Montbrio, Pazo and Roxin's mean field.
const FIELD: &str = "
field:
  base: OperatorTemplate
  equations: [r' = 1/pi + 2*r*v, v' = v^2 + eta + 15*r - (pi*r)^2]
  variables: {r: output(0.1), v: variable(-1.0), eta: 0.0}
unit: {base: NodeTemplate, operators: [field]}
net: {base: CircuitTemplate, nodes: {p: unit}}
simulate: {duration: 10.0, dt: 1e-3, scheme: euler, sample_every: 10.0}
";
