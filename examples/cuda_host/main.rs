//! Runs what `nullcline compile --target ptx -o DIR` writes, with the driver and `cudarc` alone:
//!
//! ```text
//! nullcline compile jansen_rit --target ptx -o jansen_rit
//! cargo run --features cuda --example cuda_host -- jansen_rit 1000
//! ```
//!
//! It reads `manifest.json`, makes the buffers, runs a number of steps, and prints the recorded columns. Models with
//! extrinsic inputs are left out here: their samples go into memory as the manifest's format says (`series`).

use std::error::Error;
use std::ffi::{CString, c_void};
use std::fs;
use std::path::Path;

use cudarc::driver::{CudaContext, result, sys};
use serde_json::Value;

type Fallible<T> = Result<T, Box<dyn Error>>;

fn main() -> Fallible<()> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: cuda_host DIRECTORY STEPS";
    let directory = arguments.next().ok_or(usage)?;
    let steps: u64 = arguments.next().ok_or(usage)?.parse()?;
    let directory = Path::new(&directory);
    let manifest: Value = serde_json::from_str(&fs::read_to_string(directory.join("manifest.json"))?)?;
    println!("{}: {} entries", manifest["model"].as_str().unwrap_or_default(), list(&manifest["entries"]).len());
    // SAFETY: loads the driver's library by its name, to see whether it is there.
    if !unsafe { sys::is_culib_present() } {
        return Err("there is no NVIDIA driver on this machine".into());
    }
    let context = CudaContext::new(0)?;
    let host = Host::new(directory, manifest)?;
    let dt = host.manifest["dt"].as_f64().ok_or("no dt")?;
    host.phase("setup", 0, dt)?;
    if host.manifest["pre_history"] == "initial" {
        let slots =
            list(&host.manifest["buffers"]).iter().filter(|b| b["role"] == "history").map(|b| count(&b["slots"]));
        for slot in (0..count(&host.manifest["history_passes"])).flat_map(|_| 0..slots.clone().max().unwrap_or(0)) {
            host.phase("remember", slot as u64, 0.0)?;
        }
    }
    match host.manifest["steps"].as_u64() {
        Some(entry) => host.launch(entry as usize, 0, steps, dt)?,
        None => {
            for step in 0..steps {
                host.feed(step, dt)?;
                host.phase("step", step, dt)?;
            }
        }
    }
    host.feed(steps, dt)?;
    host.phase("observe", steps, dt)?;
    context.synchronize()?;
    for column in list(&host.manifest["columns"]) {
        let value = host.read(count(&column["buffer"]), count(&column["element"]))?;
        println!("{} = {value}", column["name"].as_str().unwrap_or_default());
    }
    Ok(())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], |list| list)
}

fn count(value: &Value) -> usize {
    value.as_u64().unwrap_or(0) as usize
}

/// A model on the device. Its memory goes with the process.
struct Host {
    manifest: Value,
    double: bool,
    functions: Vec<sys::CUfunction>,
    buffers: Vec<u64>,
    constants: Vec<u64>,
    /// Where recorded events are marked; this host does not look at it.
    marks: u64,
    /// What entries count steps and rows from; this host gives them the numbers themselves.
    clock: u64,
}

impl Host {
    fn new(directory: &Path, manifest: Value) -> Fallible<Host> {
        if !list(&manifest["inputs"]).is_empty() {
            return Err("this example does without extrinsic inputs".into());
        }
        let code = CString::new(fs::read(directory.join("model.ptx"))?)?;
        // Short lists stand in the manifest itself: without long ones there is no such file.
        let path = directory.join("model.bin");
        let data = if path.exists() { fs::read(path)? } else { Vec::new() };
        // SAFETY: the text ends in a 0.
        let module = unsafe { result::module::load_data(code.as_ptr().cast()) }?;
        let mut functions = Vec::new();
        for entry in list(&manifest["entries"]) {
            let name = CString::new(entry["name"].as_str().ok_or("an entry without a name")?)?;
            // SAFETY: the module was just loaded and is never unloaded.
            functions.push(unsafe { result::module::get_function(module, name) }?);
        }
        let double = manifest["precision"] == "f64";
        let format = if double { "f64" } else { "f32" };
        let size = if double { 8 } else { 4 };
        let mut buffers = Vec::new();
        for buffer in list(&manifest["buffers"]) {
            let length = count(&buffer["length"]);
            let mut bytes = encode(&buffer["initial"], format, length, &data);
            bytes.resize(length * count(&buffer["slots"]) * size, 0);
            buffers.push(upload(&bytes)?);
        }
        let mut constants = Vec::new();
        for constant in list(&manifest["constants"]) {
            let format = constant["format"].as_str().ok_or("a constant without a format")?;
            constants.push(upload(&encode(&constant["values"], format, 1, &data))?);
        }
        let marks = &manifest["marks"];
        let marks = upload(&vec![0; 4 * count(&marks["rows"]) * count(&marks["words"]) + 4])?;
        let clock = upload(&[0; 16])?;
        Ok(Host { double, functions, buffers, constants, marks, clock, manifest })
    }

    /// Launches an entry: addresses of its bindings, then step, number of steps, step size and seed.
    fn launch(&self, index: usize, first: u64, steps: u64, dt: f64) -> Fallible<()> {
        let entry = &self.manifest["entries"][index];
        let mut arguments = Vec::new();
        for binding in list(&entry["bindings"]) {
            let buffer = binding["buffer"].as_u64().map(|b| self.buffers[b as usize]);
            let constant = binding["constant"].as_u64().map(|c| self.constants[c as usize]);
            let marks = binding["marks"].as_bool().map(|_| self.marks);
            let clock = binding["clock"].as_bool().map(|_| self.clock);
            arguments.push(buffer.or(constant).or(marks).or(clock).ok_or("a binding that this example does not know")?);
        }
        arguments.extend([first, steps, dt.to_bits(), 0]);
        let mut places: Vec<*mut c_void> = arguments.iter().map(|a| std::ptr::from_ref(a).cast_mut().cast()).collect();
        let group = count(&entry["group"]) as u32;
        let groups = (count(&entry["extent"]) as u32).div_ceil(group);
        // SAFETY: the bindings are what the manifest says that the entry is given, and of the length it says.
        unsafe {
            let stream = std::ptr::null_mut();
            result::launch_kernel(self.functions[index], (groups, 1, 1), (group, 1, 1), 0, stream, &mut places)?;
        }
        Ok(())
    }

    fn phase(&self, name: &str, step: u64, dt: f64) -> Fallible<()> {
        list(&self.manifest["phases"][name]).iter().try_for_each(|entry| self.launch(count(entry), step, 1, dt))
    }

    fn feed(&self, step: u64, dt: f64) -> Fallible<()> {
        list(&self.manifest["feed"]).iter().try_for_each(|entry| self.launch(count(entry), step, 1, dt))
    }

    fn read(&self, buffer: usize, element: usize) -> Fallible<f64> {
        let mut bytes = [0u8; 8];
        let size = if self.double { 8 } else { 4 };
        let address = self.buffers[buffer] + (element * size) as u64;
        // SAFETY: the element is one of the buffer's.
        unsafe { result::memcpy_dtoh_sync(&mut bytes[..size], address) }?;
        let single = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        Ok(if self.double { f64::from_le_bytes(bytes) } else { f64::from(single) })
    }
}

/// Memory with these contents.
fn upload(bytes: &[u8]) -> Fallible<u64> {
    // SAFETY: as many bytes are allocated as are copied.
    unsafe {
        let address = result::malloc_sync(bytes.len().max(1))?;
        result::memcpy_htod_sync(address, bytes)?;
        Ok(address)
    }
}

/// A list of the manifest as bytes: one number for all of `length` elements, an array, or a place in the data file.
fn encode(values: &Value, format: &str, length: usize, data: &[u8]) -> Vec<u8> {
    let number = |value: &Value| -> Vec<u8> {
        let named = |name: &str| name.parse().unwrap_or(f64::NAN);
        let number = value.as_f64().unwrap_or_else(|| value.as_str().map_or(0.0, named));
        match format {
            "f64" => number.to_le_bytes().to_vec(),
            "f32" => (number as f32).to_le_bytes().to_vec(),
            _ => (number as u32).to_le_bytes().to_vec(),
        }
    };
    match values {
        Value::Array(list) => list.iter().flat_map(number).collect(),
        Value::Object(place) => {
            let offset = count(&place["offset"]);
            let size = if format == "f64" { 8 } else { 4 };
            data[offset..offset + count(&place["length"]) * size].to_vec()
        }
        one => number(one).repeat(length),
    }
}
