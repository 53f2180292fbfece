//! What `nullcline compile --target ptx` writes, and hosts that run it without this library.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn run(program: &str, arguments: &[&str]) -> Option<Output> {
    Command::new(program).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().ok()
}

fn nullcline(arguments: &[&str]) -> Output {
    run(env!("CARGO_BIN_EXE_nullcline"), arguments).unwrap()
}

/// A directory of its own with the Jansen-Rit column in it.
fn written(name: &str, arguments: &[&str]) -> PathBuf {
    let directory = std::env::temp_dir().join(format!("nullcline-{name}-{}", std::process::id()));
    let path = directory.display().to_string();
    let done =
        nullcline(&[&["compile", "templates/jansen_rit.yaml", "--target", "ptx", "-o", &path], arguments].concat());
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    directory
}

fn read(directory: &Path, name: &str) -> String {
    fs::read_to_string(directory.join(name)).unwrap()
}

#[test]
fn the_program_writes_code_and_manifest() {
    let directory = written("ptx-written", &["--sm", "80", "--precision", "f32"]);
    let (code, manifest) = (read(&directory, "model.ptx"), read(&directory, "manifest.json"));
    assert!(code.contains(".target sm_80") && code.contains(".version 7.0"), "{code}");
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["target"], "ptx");
    assert_eq!(manifest["arguments"], serde_json::json!(["first", "count", "dt", "seed"]));
    let entries = manifest["entries"].as_array().unwrap();
    // Below the model's own text, instructions say which equation they complete, in each stage of the scheme.
    let body = code.split(".visible .entry").skip(1).collect::<String>();
    for equation in ["psp = y1 - y2\n", "S0 = 2 * e0 / (1 + exp(r * (v0 - psp)))\n", "psp = y1 - y2, stage 2\n"] {
        assert!(body.contains(&format!(";  // {equation}")), "{equation}");
    }
    assert!(body.contains(";  // y5' = B * b * C4 * S2 - 2 * b * y5 - b^2 * y2\n"), "{body}");
    for entry in entries {
        let declared = format!(".visible .entry {}(", entry["name"].as_str().unwrap());
        let head = code.split(&declared).nth(1).unwrap().split(')').next().unwrap();
        let parameters = head.matches(".param").count();
        assert_eq!(parameters, entry["bindings"].as_array().unwrap().len() + 4, "{declared}");
    }
    assert!(manifest["steps"].as_u64().is_some_and(|s| (s as usize) < entries.len()));
    // How to launch: one block for one column, as many as it takes for what is recorded.
    let blocks = |key: &str| entries[manifest[key].as_u64().unwrap() as usize]["blocks"].clone();
    assert_eq!((blocks("steps"), blocks("record")), (1.into(), "ceil(count / 256)".into()));
    assert_eq!(manifest["seed"], 0);
    let steepness = manifest["buffers"].as_array().unwrap().iter().find(|b| b["name"] == "p/column/r").unwrap();
    assert_eq!(steepness["unit"], "1/mV");
    assert_eq!(steepness["description"], "steepness of the transfer function");
    fs::remove_dir_all(directory).unwrap();
}

#[test]
fn processors_that_do_not_exist_are_refused() {
    let done = nullcline(&["compile", "templates/linear.yaml", "--target", "ptx", "-o", "nowhere", "--sm", "35"]);
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(!done.status.success() && said.contains("60, 61, 70"), "{said}");
}

#[test]
fn options_of_another_language_are_refused() {
    let directory = std::env::temp_dir().join(format!("nullcline-options-{}", std::process::id()));
    let path = directory.display().to_string();
    for (options, said) in [
        (&["--target", "ptx", "--standalone"][..], "`--standalone` means nothing to `--target ptx`"),
        (&["--target", "wgsl", "--no-std"], "use `--target rust`"),
        (&["--target", "rust", "--fast-math"], "use `--target ptx`"),
        (&["--target", "rust", "--sm", "80"], "`--sm` means nothing to `--target rust`"),
        (&["--target", "rust", "--engine", "block"], "`--engine` says how nullcline runs a model"),
        (&["--target", "ptx", "--threads", "2"], "`--threads`"),
        (&["--target", "ptx", "--device", "cpu"], "`--device`"),
    ] {
        let done = nullcline(&[&["compile", "templates/linear.yaml", "-o", &path][..], options].concat());
        let text = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.code() == Some(2) && text.contains(said), "{options:?}: {text}");
    }
    assert!(!directory.exists(), "nothing is written");
}

/// The host in C reads the manifest, and says that there is no driver where there is none.
#[test]
fn a_host_in_c_reads_the_manifest() {
    let directory = written("ptx-host", &[]);
    let host = directory.join("host").display().to_string();
    let built = run("cc", &["-O1", "-Wall", "-Werror", "examples/cuda_host/host.c", "-ldl", "-o", &host]);
    let Some(built) = built else {
        println!("skipped: there is no C compiler");
        return;
    };
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let done = run(&host, &[&directory.display().to_string(), "100"]).unwrap();
    let (out, said) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    let manifest: serde_json::Value = serde_json::from_str(&read(&directory, "manifest.json")).unwrap();
    let entries = manifest["entries"].as_array().unwrap().len();
    let name = manifest["model"].as_str().unwrap();
    assert!(out.starts_with(&format!("{name}: {entries} entries")), "{out}{said}");
    if said.contains("no NVIDIA driver") {
        println!("skipped: running the host, there is no NVIDIA driver");
    } else {
        let columns = manifest["columns"].as_array().unwrap().len();
        assert_eq!(out.lines().count(), 1 + columns, "{out}{said}");
    }
    fs::remove_dir_all(directory).unwrap();
}

/// Compiles a model, runs it by the hosts below the driver's interface, and compares what they print with what the processor has
/// after so many steps.
#[cfg(all(feature = "cuda", target_os = "linux"))]
fn hosts_agree(stand_in: &super::driver::StandIn, hosts: &[&Path], model: &str, precision: &str, steps: u64) {
    let path = format!("{}/templates/{model}.yaml", env!("CARGO_MANIFEST_DIR"));
    let dt = 1e-4;
    let settings = format!("{path} --precision {precision} --dt {dt}");
    let done = stand_in.nullcline("", &format!("compile {settings} --target ptx -o {model}"));
    assert_eq!(done.code, Some(0), "{}", done.said);
    // The row at the end is the state after the last step.
    let duration = dt * steps as f64;
    let line = format!("run {settings} --duration {duration} --include-end --engine oracle --quiet --out {model}.csv");
    let done = stand_in.nullcline("", &line);
    assert_eq!((done.code, &*done.said), (Some(0), ""));
    let table = stand_in.read(&format!("{model}.csv"));
    let names = table.lines().next().unwrap().split(',').skip(1);
    let last = table.lines().last().unwrap().split(',').skip(1);
    let expected: Vec<(&str, f64)> = names.zip(last.map(|number| number.parse().unwrap())).collect();
    for host in hosts {
        let directory = stand_in.folder.join(model).display().to_string();
        let done = stand_in.run(host, "", &[&directory, &steps.to_string()]);
        assert_eq!((done.code, &*done.said), (Some(0), ""), "{}", done.out);
        let printed: Vec<(&str, f64)> = (done.out.lines().skip(1).filter_map(|line| line.split_once(" = ")))
            .map(|(name, number)| (name, number.parse().unwrap()))
            .collect();
        assert_eq!(printed, expected, "{model}, {precision}, {}", host.display());
    }
}

/// Builds the host in Rust, with the features that this program has, so that little is to be built; returns where it is.
#[cfg(all(feature = "cuda", target_os = "linux"))]
fn rust_host() -> PathBuf {
    // Test programs are in `deps` of the folder of their profile, that of examples beside it.
    let program = std::env::current_exe().unwrap();
    let folder = program.parent().unwrap().parent().unwrap();
    let features = [
        ("cli", cfg!(feature = "cli")),
        ("cuda", true),
        ("ndarray", cfg!(feature = "ndarray")),
        ("parquet", cfg!(feature = "parquet")),
        ("wgpu", cfg!(feature = "wgpu")),
    ];
    let features: Vec<&str> = features.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect();
    let (target, features) = (folder.parent().unwrap().display().to_string(), features.join(","));
    let mut arguments = vec!["build", "--offline", "--quiet", "--example", "cuda_host", "--target-dir", &target];
    arguments.extend(["--no-default-features", "--features", &features]);
    if folder.ends_with("release") {
        arguments.push("--release");
    }
    let cargo = std::env::var("CARGO").unwrap_or("cargo".to_string());
    let built = run(&cargo, &arguments).unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    folder.join("examples/cuda_host")
}

/// Both hosts have the numbers of the processor: of one network, of delays, of many units and of long lists.
#[cfg(all(feature = "cuda", target_os = "linux"))]
#[test]
fn hosts_have_the_numbers_of_the_processor() {
    let stand_in = super::driver::StandIn::new("hosts");
    let c = stand_in.folder.join("host");
    let built = run("cc", &["-O1", "-Wall", "-Werror", "examples/cuda_host/host.c", "-ldl", "-o", c.to_str().unwrap()]);
    let mut hosts: Vec<&Path> = Vec::new();
    match built {
        Some(built) => {
            assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
            hosts.push(&c);
        }
        None => println!("skipped: the host in C, there is no C compiler"),
    }
    let rust = rust_host();
    hosts.push(&rust);
    for (model, steps) in [("jansen_rit", 1000), ("jansen_rit_two_columns", 300), ("qif_ei", 200)] {
        for precision in ["f64", "f32"] {
            hosts_agree(&stand_in, &hosts, model, precision, steps);
        }
    }
    // They say what the driver says.
    for host in hosts {
        let directory = stand_in.folder.join("jansen_rit").display().to_string();
        for (script, why) in
            [("cuInit@1=CUDA_ERROR_STUB_LIBRARY", "stub"), ("kernel@1=CUDA_ERROR_LAUNCH_FAILED", "launch failed")]
        {
            let done = stand_in.run(host, script, &[&directory, "10"]);
            assert!(done.code == Some(1) && done.said.contains(why), "{script}: {}{}", done.out, done.said);
        }
    }
}
