//! The stand-in for NVIDIA's driver, where programs find it; and the tests that ask for a device, with it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The names by which driver and cuBLAS are looked for.
const NAMES: [&str; 3] = ["libcuda.so", "libcuda.so.1", "libcublas.so"];

/// A folder of its own with links to the library, and a log of what it was asked for.
pub struct StandIn {
    pub folder: PathBuf,
}

/// How a program ended.
pub struct Done {
    pub code: Option<i32>,
    pub out: String,
    /// What it said on standard error.
    pub said: String,
}

impl StandIn {
    /// A folder for a test.
    pub fn new(test: &str) -> StandIn {
        let name = format!("stand-in-{}", test.rsplit("::").next().unwrap());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("lib")).unwrap();
        // Cargo puts the libraries that tests depend on beside them.
        let program = std::env::current_exe().unwrap();
        let library = program.parent().unwrap().join("libstand_in_driver.so");
        assert!(library.is_file(), "{} is missing", library.display());
        for name in NAMES {
            std::os::unix::fs::symlink(&library, folder.join("lib").join(name)).unwrap();
        }
        StandIn { folder }
    }

    /// A program that finds the stand-in, which does as `script` says (see `tests/driver/src/script.rs`).
    pub fn command(&self, program: impl AsRef<OsStr>, script: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(env!("CARGO_MANIFEST_DIR"));
        command.env("LD_LIBRARY_PATH", self.folder.join("lib")).env("STAND_IN_DRIVER", script);
        command.env("STAND_IN_DRIVER_LOG", self.folder.join("log"));
        command
    }

    /// Runs a program.
    pub fn run(&self, program: impl AsRef<OsStr>, script: &str, arguments: &[&str]) -> Done {
        let done = self.command(program, script).args(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Done { code: done.status.code(), out: text(done.stdout), said: text(done.stderr) }
    }

    /// Runs `nullcline` in the folder.
    pub fn nullcline(&self, script: &str, line: &str) -> Done {
        let mut command = self.command(env!("CARGO_BIN_EXE_nullcline"), script);
        let done = command.current_dir(&self.folder).args(line.split(' ')).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Done { code: done.status.code(), out: text(done.stdout), said: text(done.stderr) }
    }

    /// A file of the folder.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// What the library noted since it was asked last.
    pub fn log(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let _ = fs::remove_file(self.folder.join("log"));
        text.lines().map(str::to_string).collect()
    }

    /// How many times a context was given back, and how many graphs were launched; fails unless all that was asked for was
    /// right, and everything was given back.
    #[track_caller]
    pub fn clean_log(&self) -> (usize, usize) {
        let log = self.log();
        let mut graphs = 0;
        for line in &log {
            graphs += line.split(" graphs launched").next().unwrap().rsplit(' ').next().unwrap().parse().unwrap_or(0);
            let left = line.split("left: ").nth(1).unwrap_or_else(|| panic!("{line}"));
            assert!(line.starts_with("released: ") && left.split(", ").all(|what| what.starts_with("0 ")), "{line}");
        }
        (log.len(), graphs)
    }
}

/// Runs a test of this program again with the stand-in; fails unless it found a device and gave everything back. Returns how
/// many graphs it launched.
fn again(test: &str, runs: usize) -> usize {
    let stand_in = StandIn::new(test);
    let program = std::env::current_exe().unwrap();
    let done = stand_in.command(&program, "").args(["--exact", "--nocapture", test]).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && said.contains("1 passed") && !said.contains("skipped:"), "{said}");
    let (released, graphs) = stand_in.clean_log();
    assert!(released >= runs, "{released} of {runs} runs:\n{said}");
    graphs
}

#[test]
fn every_model_gives_the_bits_of_the_reference_below_the_driver() {
    let graphs = again("device::every_model_gives_the_bits_of_the_reference_on_a_device", 240);
    assert!(graphs > 0);
}

#[test]
fn golden_models_give_the_bits_of_the_reference_below_the_driver() {
    again("device::golden_models_give_the_bits_of_the_reference_on_a_device", 108);
}
