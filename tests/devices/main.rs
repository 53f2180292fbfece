//! Graphics processors: what they compute, and how they fail. Without one, or one in software (Debian's
//! `mesa-vulkan-drivers`), these tests say that they were skipped.
#![cfg(feature = "wgpu")]
#![allow(clippy::unwrap_used, dead_code)]

#[path = "../support/bounds.rs"]
mod bounds;
mod faults;
mod golden;
#[path = "../../examples/wgpu_host.rs"]
mod host;
mod kept;
mod launches;
#[path = "../support/models.rs"]
mod models;
#[path = "../support/promises.rs"]
mod promises;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use nullcline::compiler::backend::wgsl::{WGSL, wgsl};
use nullcline::compiler::ir::expr::{Op, ParameterId};
use nullcline::compiler::ir::prim::Prim;
use nullcline::compiler::ir::system::{System, Values};
use nullcline::compiler::kernel::ir::Precision;
use nullcline::compiler::pass::elementary::ROWS;
use nullcline::compiler::pass::{Observable, compile};
use nullcline::compiler::scheme;
use nullcline::compiler::template::library::FileLibrary;
use nullcline::runtime::artifact::{Phase, Role};
use nullcline::runtime::device::wgpu::{Wgpu, adapters};
use nullcline::runtime::observe::Recording;
use nullcline::{Engine, Interrupt, Model, SHADERS};

/// The first device, with whether it computes in double precision.
fn device() -> Option<(Wgpu, bool)> {
    let Some(found) = adapters().into_iter().next() else {
        println!("skipped: there is no graphics processor and no software one");
        return None;
    };
    Some((Wgpu::open(0).unwrap(), found.double))
}

/// The values of a function on the device.
fn evaluate(device: &Wgpu, prim: &'static Prim, args: &[Vec<f64>], precision: Precision) -> Vec<f64> {
    let mut system = System::new("function");
    let space = system.add_space("points", args[0].len());
    let arguments: Vec<_> = (args.iter().enumerate())
        .map(|(i, values)| system.add_parameter(format!("a{i}"), space, Values::Each(values.clone().into())))
        .collect();
    // Parameters that are functions of nothing else are computed by the setup phase.
    assert!(matches!(system.graph.node(arguments[0]).op, Op::Parameter(ParameterId(0))));
    let value = system.graph.call(prim, &arguments);
    let observables = vec![Observable { name: "value".into(), value }];
    let module = compile(system, observables, &scheme::TABLE[0], precision, &WGSL).unwrap();
    let artifact = wgsl(&module, &device.limits());
    let buffer = artifact.layout.buffers.iter().position(|b| b.role == Role::Observed).unwrap();
    let mut executable = device.load(&artifact).unwrap();
    executable.run(Phase::Setup, 0, 0.0).unwrap();
    executable.run(Phase::Observe, 0, 0.0).unwrap();
    let mut values = Vec::new();
    executable.read(buffer, &mut values).unwrap();
    values
}

/// Arguments: uniform in the row's interval, then in one a hundred times as wide if the function goes on there.
fn points(prim: &Prim, single: bool) -> Vec<Vec<f64>> {
    const POINTS: usize = 20_000;
    let mut state = 1u64;
    let mut uniform = move || {
        // Knuth's linear congruential generator (MMIX); its upper bits.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let interval = |(low, high): (f64, f64), wide: bool| {
        let middle = (low + high) / 2.0;
        let half = (high - low) / 2.0 * if wide { 10.0 } else { 1.0 };
        (middle - half, middle + half)
    };
    prim.domain
        .iter()
        .map(|domain| {
            (0..POINTS)
                .map(|i| {
                    let (low, high) = interval(*domain, i % 2 == 1);
                    let x = low + (high - low) * uniform();
                    if single { f64::from(x as f32) } else { x }
                })
                .collect()
        })
        .collect()
}

/// The bound that the parity test takes for granted.
#[test]
fn every_elementary_function_is_as_accurate_on_the_device_as_the_bounds_assume() {
    let Some((device, double)) = device() else { return };
    for (precision, single) in [(Precision::F32, true), (Precision::F64, false)] {
        if !single && !double {
            println!("skipped: f64, the device lacks it");
            continue;
        }
        for row in ROWS {
            let args = points(row.prim, single);
            let found = evaluate(&device, row.prim, &args, precision);
            let (mut worst, mut at) = (0f64, 0);
            for (i, found) in found.iter().enumerate() {
                let point: Vec<f64> = args.iter().map(|a| a[i]).collect();
                let exact = (row.prim.eval)(&point);
                let (least, most, digits) = if single {
                    (f64::from(f32::MIN_POSITIVE), f64::from(f32::MAX), 23)
                } else {
                    (f64::MIN_POSITIVE, f64::MAX, 52)
                };
                // Next to the ends of the format results are flushed or infinite; NaN is NaN.
                if exact.is_nan() {
                    assert!(found.is_nan(), "{} of {point:?}: found {found}, expected NaN", row.prim.name);
                    continue;
                }
                if exact.abs() < 2.0 * least || exact.abs() > most / 2.0 {
                    continue;
                }
                let unit = 2f64.powi(exact.abs().log2().floor() as i32 - digits);
                let error = (found - exact).abs() / unit;
                if error.is_nan() || error > worst {
                    (worst, at) = (if error.is_nan() { f64::INFINITY } else { error }, i);
                }
            }
            let point: Vec<f64> = args.iter().map(|a| a[at]).collect();
            println!("{:<10} {} {worst:.2}", row.prim.name, precision.name());
            assert!(
                worst <= bounds::ELEMENTARY / 2.0,
                "{} of {point:?}: {worst} units in the last place, found {}, expected {}",
                row.prim.name,
                found[at],
                (row.prim.eval)(&point)
            );
        }
    }
}

/// A model in single precision.
fn single(path: &str) -> Model {
    let path = format!("{}/{path}.yaml", env!("CARGO_MANIFEST_DIR"));
    let mut model = Model::load(&FileLibrary::new(), &path, None).unwrap_or_else(|e| panic!("{e}"));
    model.settings.precision = Some(model.name("precision", "f32"));
    model.settings.duration.get_or_insert(1.0);
    model.settings.dt.get_or_insert(0.01);
    model
}

/// Writes a model as WGSL into a new directory, and gives the path of its manifest.
fn written(model: &Model, name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&directory).unwrap();
    let files = model.shader("wgsl").unwrap();
    for (name, contents) in &files {
        fs::write(directory.join(name), contents).unwrap();
    }
    directory.join(&files.iter().find(|f| f.0.ends_with(".json")).unwrap().0)
}

/// What the interpreter records: so many rows, one after every so many steps.
fn expected(model: &Model, rows: u64, every: u64) -> Vec<Vec<f64>> {
    let mut prepared = model.compile(Engine::lookup("oracle").unwrap()).unwrap().load().unwrap();
    (prepared.schedule.steps, prepared.schedule.every, prepared.schedule.cutoff) = (rows * every, every, 0.0);
    let mut recording = Recording::new(prepared.simulation.labels());
    prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue).unwrap();
    recording.columns
}

/// Some hundred steps of smooth models, each of a few operations that err by 2^-24: 1e-4 is generous, and far below what any
/// mistake in binding, uniforms or order would cause.
const CLOSE: f64 = 1e-4;

#[test]
fn a_host_that_knows_the_manifest_only_computes_the_same() {
    if device().is_none() {
        return;
    }
    // One node, a coupled network, delays of a matrix.
    for (name, path) in [
        ("column", "templates/jansen_rit"),
        ("network", "templates/kuramoto"),
        ("delays", "tests/suite/delays_of_a_matrix"),
    ] {
        let model = single(path);
        let rows = host::run(&written(&model, name), 20, 5).unwrap_or_else(|e| panic!("{name}: {e}"));
        for (column, expected) in expected(&model, 20, 5).iter().enumerate() {
            let largest = expected.iter().fold(1e-3f64, |m, v| m.max(v.abs()));
            for (row, expected) in expected.iter().enumerate() {
                let found = f64::from(rows[row][column]);
                assert!((found - expected).abs() <= CLOSE * largest, "{name}, row {row}: {found} is not {expected}");
            }
        }
    }
}

#[test]
fn models_are_written_in_every_language() {
    let model = single("templates/jansen_rit");
    for language in SHADERS {
        let files = model.shader(language).unwrap_or_else(|e| panic!("{language}: {e}"));
        assert!(files.len() >= 2 && files.iter().all(|f| !f.1.is_empty()), "{language}");
    }
    assert!(model.shader("cobol").unwrap_err().to_string().contains("none of wgsl"));
    let spirv = &model.shader("spirv").unwrap()[0].1;
    assert_eq!(spirv[..4], 0x0723_0203u32.to_le_bytes(), "the magic number of SPIR-V");
}

/// The example page with a model in headless Chromium, on its software device.
#[test]
fn a_page_in_a_browser_computes_the_same() {
    if Command::new("chromium").arg("--version").output().is_err() {
        println!("skipped: there is no `chromium`");
        return;
    }
    let model = single("templates/jansen_rit");
    let manifest = written(&model, "page");
    for file in ["index.html", "host.js"] {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/webgpu").join(file);
        fs::copy(page, manifest.with_file_name(file)).unwrap();
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let directory = Arc::new(manifest.parent().unwrap().to_path_buf());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let directory = directory.clone();
            std::thread::spawn(move || serve(stream, &directory));
        }
    });
    let mut browser = Command::new("chromium")
        .args(["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--enable-logging=stderr"])
        .args(["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--remote-debugging-port=0"])
        .arg(format!("http://{address}/index.html?rows=50&every=10"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (send, receive) = std::sync::mpsc::channel();
    let errors = BufReader::new(browser.stderr.take().unwrap());
    std::thread::spawn(move || {
        let said = errors.lines().map_while(Result::ok).find(|line| line.contains("CONSOLE"));
        _ = send.send(said);
    });
    let said = receive.recv_timeout(Duration::from_secs(120));
    _ = browser.kill();
    _ = browser.wait();
    let said = said.ok().flatten().unwrap_or_else(|| panic!("the page said nothing in two minutes"));
    if said.contains("no WebGPU adapter") {
        println!("skipped: this browser has no software device");
        return;
    }
    let last = said.split("last ").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_else(|| panic!("{said}"));
    let (found, expected) = (last.parse::<f64>().unwrap(), expected(&model, 50, 10)[0][49]);
    assert!((found - expected).abs() <= CLOSE * expected.abs(), "found {found}, expected {expected}");
}

/// Answers one request for a file.
fn serve(mut stream: std::net::TcpStream, directory: &Path) {
    let mut request = [0; 4096];
    let length = stream.read(&mut request).unwrap_or(0);
    let text = String::from_utf8_lossy(&request[..length]);
    let name = text.split(['/', '?', ' ']).nth(2).unwrap_or_default();
    let kind = if name.ends_with(".js") { "text/javascript" } else { "text/html" };
    let head = |status: &str, length: usize| {
        format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")
    };
    match fs::read(directory.join(name)) {
        Ok(contents) => _ = stream.write_all(&[head("200 OK", contents.len()).as_bytes(), &contents].concat()),
        Err(_) => _ = stream.write_all(head("404 Not Found", 0).as_bytes()),
    }
}
