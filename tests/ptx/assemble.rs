//! The assembler's opinion: every kernel of every model is taken by `ptxas`, for each generation of processors, and none
//! that computes element by element keeps registers in memory.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use nullcline::compiler::backend::ptx;
use nullcline::{Model, PtxOptions};

use super::golden::golden_models;
use super::{every_model, module};

/// Processors that are asked for.
const PROCESSORS: [u32; 4] = [60, 70, 80, 90];

/// What the assembler says of an entry.
struct Usage {
    entry: String,
    registers: usize,
    spilled: usize,
}

/// Reads what `ptxas -v` prints: for each entry a line with its name, one with its stack and one with its registers.
fn usage(text: &str) -> Vec<Usage> {
    let mut found: Vec<Usage> = Vec::new();
    let number_before = |line: &str, what: &str| -> usize {
        let before = line.split(what).next().unwrap_or("");
        before.split(|c: char| !c.is_ascii_digit()).rfind(|w| !w.is_empty()).and_then(|w| w.parse().ok()).unwrap_or(0)
    };
    for line in text.lines() {
        if let Some(rest) = line.split("Compiling entry function '").nth(1) {
            let entry = rest.split('\'').next().unwrap().to_string();
            found.push(Usage { entry, registers: 0, spilled: 0 });
        } else if let Some(last) = found.last_mut() {
            if line.contains("bytes spill stores") {
                last.spilled = number_before(line, " bytes spill stores") + number_before(line, " bytes spill loads");
            } else if line.contains("Used ") {
                last.registers = number_before(line, " registers");
            }
        }
    }
    found
}

fn assemble(ptxas: &str, file: &Path, sm: u32) -> Vec<Usage> {
    let done = Command::new(ptxas)
        .args(["-v", "-o", "/dev/null", &format!("-arch=sm_{sm}")])
        .arg(file)
        .output()
        .unwrap_or_else(|e| panic!("{ptxas}: {e}"));
    let said = String::from_utf8_lossy(&done.stderr).into_owned() + &String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{}, sm_{sm}:\n{said}", file.display());
    let usage = usage(&said);
    let entries = fs::read_to_string(file).unwrap().matches(".visible .entry ").count();
    assert_eq!(usage.len(), entries, "{}, sm_{sm}: entries that are reported:\n{said}", file.display());
    usage
}

#[test]
fn every_kernel_assembles_without_spills() {
    let Ok(ptxas) = std::env::var("NULLCLINE_PTXAS") else {
        println!("skipped: NULLCLINE_PTXAS does not say where ptxas is");
        return;
    };
    let folder = std::env::temp_dir().join(format!("nullcline-ptxas-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let mut jobs = Vec::new();
    let mut write = |name: &str, model: &mut Model| {
        for precision in ["f64", "f32"] {
            let module = module(model, precision);
            let artifact = ptx::artifact(&module, &ptx::Options::default());
            let file = folder.join(format!("{}.{precision}.ptx", jobs.len()));
            fs::write(&file, &artifact.code).unwrap();
            jobs.extend(PROCESSORS.map(|sm| (format!("{name}, {precision}"), file.clone(), sm)));
        }
        // Approximations, of which newer processors have more; the last precision set is single.
        for sm in [60, 80] {
            let written = model.ptx(PtxOptions { sm, fast: true }).unwrap_or_else(|e| panic!("{e}"));
            let file = folder.join(format!("{}.fast.ptx", jobs.len()));
            fs::write(&file, &written[0].1).unwrap();
            jobs.push((format!("{name}, approximated"), file, sm));
        }
    };
    every_model(&mut write);
    golden_models().for_each(|mut run| write(&run.name, &mut run.model));
    let (next, reports) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        let work = || {
            while let Some((name, file, sm)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                let usage = assemble(&ptxas, file, *sm);
                reports.lock().unwrap().push((name, *sm, usage));
            }
        };
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let reports = reports.into_inner().unwrap();
    fs::remove_dir_all(&folder).unwrap();
    let mut faults = Vec::new();
    for sm in PROCESSORS {
        let of: Vec<_> = reports.iter().filter(|r| r.1 == sm).flat_map(|r| r.2.iter().map(move |u| (r.0, u))).collect();
        let (most_in, most) = of.iter().max_by_key(|(_, u)| u.registers).unwrap();
        let spilled: usize = of.iter().map(|(_, u)| u.spilled).sum();
        println!(
            "sm_{sm}: {} kernels, at most {} registers ({most_in}, `{}`), {spilled} bytes spilled",
            of.len(),
            most.registers,
            most.entry
        );
        faults.extend(of.iter().filter(|(_, u)| u.spilled > 0).map(|(name, u)| {
            format!("sm_{sm}, {name}: `{}` spills {} bytes, {} registers", u.entry, u.spilled, u.registers)
        }));
        assert!(of.len() > 1000, "only {} kernels", of.len());
        // A thread has 255 at most (CUDA C++ Programming Guide, table of technical specifications), and none does without.
        let unreported = of.iter().find(|(_, u)| !(1..=255).contains(&u.registers));
        assert!(unreported.is_none(), "{:?}", unreported.map(|(name, u)| (name, &u.entry, u.registers)));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
