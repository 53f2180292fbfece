//! Running C programs beside this one.
// Each bench uses some of it.
#![allow(dead_code)]

pub mod columns;
pub mod peak;

use std::num::NonZeroUsize;
use std::path::Path;
use std::process::Command;

use nullcline::compiler::template::library::MemoryLibrary;
use nullcline::{Model, Prepared};

/// Compiles a program of `benches/c` for this machine.
pub fn compile(source: &str, options: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = root.join("target").join(format!("bench-{source}{}", options.concat().replace("=", "-")));
    let done = Command::new("cc")
        .args(["-O3", "-march=native", "-o"])
        .arg(&out)
        .arg(root.join(format!("benches/c/{source}.c")))
        .args(options)
        .arg("-lm")
        .status()
        .expect("a C compiler named `cc`");
    assert!(done.success());
    out.display().to_string()
}

/// CPU seconds that a C program reports (`T wall cpu`), and the value if it prints one (`V value`).
pub fn run_program(program: &str, arguments: &[&str]) -> (f64, Option<f64>) {
    let out = Command::new(program).args(arguments).output().unwrap();
    let out = String::from_utf8(out.stdout).unwrap();
    let line = |head: &str| out.lines().find_map(|l| l.strip_prefix(head));
    let times = line("T ").expect("a line with times");
    (times.split_whitespace().nth(1).unwrap().parse().unwrap(), line("V ").map(|v| v.trim().parse().unwrap()))
}

/// CPU seconds of this process so far.
pub fn cpu_seconds() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock exists on every system this runs on, and `time` is valid for writing.
    let done = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    assert_eq!(done, 0);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// The middle one.
pub fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// A model from its text.
pub fn model(text: String) -> Model {
    Model::load(&MemoryLibrary::new().with("w.yaml", text), "w.yaml", None).unwrap()
}

/// A model ready to run, on one thread.
pub fn prepare(model: &Model) -> Prepared {
    let mut prepared = model.simulation().unwrap();
    prepared.simulation.set_threads(NonZeroUsize::MIN);
    prepared
}
