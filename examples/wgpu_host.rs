//! A host of its own for models as WGSL: plain `wgpu` and the manifest, nothing of nullcline. Extrinsic inputs stay 0.
//!
//! ```text
//! nullcline compile jansen_rit --target wgsl --precision f32 -o model
//! cargo run --features wgpu --example wgpu_host -- model/jansen_rit.json 500 10
//! ```
//!
//! prints 500 rows, one after every 10 steps.

use std::error::Error;
use std::path::Path;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::{env, fs};

use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A model on a device.
struct Host {
    manifest: Value,
    device: wgpu::Device,
    queue: wgpu::Queue,
    banks: Vec<wgpu::Buffer>,
    constants: Vec<wgpu::Buffer>,
    samples: wgpu::Buffer,
    marks: wgpu::Buffer,
    uniforms: wgpu::Buffer,
    entries: Vec<(wgpu::ComputePipeline, wgpu::BindGroup, [u32; 2])>,
}

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let path = arguments.next().ok_or("expected the path of a manifest")?;
    let mut number = |default: u32| arguments.next().map_or(Ok(default), |text| text.parse());
    let (rows, every) = (number(10)?, number(1)?);
    for row in run(Path::new(&path), rows, every)? {
        let line: Vec<String> = row.iter().map(f32::to_string).collect();
        println!("{}", line.join(","));
    }
    Ok(())
}

/// Records so many rows, one after every so many steps.
pub fn run(manifest: &Path, rows: u32, every: u32) -> Result<Vec<Vec<f32>>> {
    let host = Host::load(manifest)?;
    host.start()?;
    (0..rows)
        .map(|row| {
            let values = host.observe(row * every)?;
            for step in row * every..(row + 1) * every {
                host.launch(&[&host.manifest["feed"], &host.manifest["phases"]["step"]], step, host.dt())?;
            }
            Ok(values)
        })
        .collect()
}

impl Host {
    fn load(path: &Path) -> Result<Host> {
        let manifest: Value = serde_json::from_slice(&fs::read(path)?)?;
        if manifest["precision"] != "f32" {
            return Err("this host computes in single precision".into());
        }
        let beside = |name: &Value| Some(path.with_file_name(name.as_str()?));
        let code = fs::read_to_string(beside(&manifest["code"]).ok_or("no code")?)?;
        let data = beside(&manifest["data"]).map_or(Ok(Vec::new()), fs::read)?;

        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
        let adapter = wait(instance.request_adapter(&wgpu::RequestAdapterOptions::default()))?;
        let limits = wgpu::DeviceDescriptor { required_limits: adapter.limits(), ..Default::default() };
        let (device, queue) = wait(adapter.request_device(&limits))?;
        let buffer = |bytes: usize, usage| {
            let size = bytes.max(8) as u64;
            device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
        };
        let storage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC;
        let banks = list(&manifest["banks"]).map(|bank| buffer(4 * count(&bank["length"]), storage)).collect();
        let mut constants = Vec::new();
        for constant in list(&manifest["constants"]) {
            let integers = constant["format"] == "u32";
            let bytes = numbers(&constant["values"], 0, integers, &data)?;
            let made = buffer(bytes.len(), storage);
            queue.write_buffer(&made, 0, &bytes);
            constants.push(made);
        }
        let uniform = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let samples = buffer(4 * list(&manifest["samples"]).count(), storage);
        // Where recorded events are marked; this host does not look at it.
        let marks = &manifest["marks"];
        let marks = buffer(4 * count(&marks["rows"]) * count(&marks["words"]), storage);
        let uniforms = buffer(256, uniform);
        let entries = Vec::new();
        let mut host = Host { manifest, device, queue, banks, constants, samples, marks, uniforms, entries };
        for (index, held) in list(&host.manifest["buffers"]).enumerate() {
            let (bank, offset) = host.place(index)?;
            let bytes = numbers(&held["initial"], count(&held["length"]), false, &data)?;
            for slot in 0..count(&held["slots"]) {
                let at = 4 * (offset + slot * count(&held["length"]));
                host.queue.write_buffer(&host.banks[bank], at as u64, &bytes);
            }
        }
        host.entries = host.compile(&code);
        Ok(host)
    }

    /// Every entry with the bindings that the manifest lists, and the uniforms at binding 0.
    fn compile(&self, code: &str) -> Vec<(wgpu::ComputePipeline, wgpu::BindGroup, [u32; 2])> {
        let source = wgpu::ShaderSource::Wgsl(code.into());
        let module = self.device.create_shader_module(wgpu::ShaderModuleDescriptor { label: None, source });
        let most = self.device.limits().max_compute_workgroups_per_dimension;
        let compile = |entry: &Value| {
            let mut layouts = vec![layout(0, wgpu::BufferBindingType::Uniform)];
            let mut resources = vec![(0, &self.uniforms)];
            for bound in list(&entry["bindings"]) {
                let slot = count(&bound["slot"]) as u32;
                let read_only = bound.get("access").is_none();
                layouts.push(layout(slot, wgpu::BufferBindingType::Storage { read_only }));
                resources.push((
                    slot,
                    match (bound.get("bank"), bound.get("constant")) {
                        (Some(bank), _) => &self.banks[count(bank)],
                        (_, Some(constant)) => &self.constants[count(constant)],
                        _ if bound.get("marks").is_some() => &self.marks,
                        _ => &self.samples,
                    },
                ));
            }
            let resources: Vec<wgpu::BindGroupEntry<'_>> = resources
                .into_iter()
                .map(|(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() })
                .collect();
            let device = &self.device;
            let layout = wgpu::BindGroupLayoutDescriptor { label: None, entries: &layouts };
            let layout = device.create_bind_group_layout(&layout);
            let group = wgpu::BindGroupDescriptor { label: None, layout: &layout, entries: &resources };
            let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: None,
                layout: Some(&device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                    label: None,
                    bind_group_layouts: &[Some(&layout)],
                    immediate_size: 0,
                })),
                module: &module,
                entry_point: entry["name"].as_str(),
                compilation_options: Default::default(),
                cache: None,
            });
            let groups = count(&entry["extent"]).div_ceil(count(&entry["group"])) as u32;
            let width = groups.clamp(1, most);
            (pipeline, device.create_bind_group(&group), [width, groups.div_ceil(width)])
        };
        list(&self.manifest["entries"]).map(compile).collect()
    }

    fn dt(&self) -> f64 {
        self.manifest["dt"].as_f64().unwrap_or(0.0)
    }

    /// Launches lists of entries for a step.
    fn launch(&self, entries: &[&Value], step: u32, dt: f64) -> Result<()> {
        let mut block = [0u8; 256];
        for uniform in list(&self.manifest["uniforms"]) {
            let bytes = match uniform["quantity"].as_str() {
                Some("step") => step.to_le_bytes(),
                Some("count") => 1u32.to_le_bytes(),
                Some("step_size") => (dt as f32).to_le_bytes(),
                // The row of samples, the seed, and the zero.
                _ => 0u32.to_le_bytes(),
            };
            let at = count(&uniform["offset"]);
            block[at..at + 4].copy_from_slice(&bytes);
        }
        self.queue.write_buffer(&self.uniforms, 0, &block);
        let time = (f64::from(step) * dt) as f32;
        let row = list(&self.manifest["samples"]).map(|sample| if sample == "time" { time } else { 0.0 });
        let row: Vec<u8> = row.flat_map(f32::to_le_bytes).collect();
        self.queue.write_buffer(&self.samples, 0, &row);
        let mut encoder = self.device.create_command_encoder(&Default::default());
        let mut pass = encoder.begin_compute_pass(&Default::default());
        for index in entries.iter().flat_map(|entries| list(entries)) {
            let (pipeline, bindings, [width, height]) = &self.entries[count(index)];
            pass.set_pipeline(pipeline);
            pass.set_bind_group(0, bindings, &[]);
            pass.dispatch_workgroups(*width, *height, 1);
        }
        drop(pass);
        self.queue.submit([encoder.finish()]);
        Ok(())
    }

    /// What is computed once, and the past before the first step.
    fn start(&self) -> Result<()> {
        let (manifest, phases) = (&self.manifest, &self.manifest["phases"]);
        self.launch(&[&phases["setup"]], 0, self.dt())?;
        if manifest["pre_history"] == "zero" {
            return Ok(());
        }
        let histories = list(&manifest["buffers"]).filter(|b| b["role"] == "history");
        let slots = histories.map(|b| count(&b["slots"])).max().unwrap_or(0);
        for slot in (0..count(&manifest["history_passes"])).flat_map(|_| 0..slots) {
            self.launch(&[&manifest["feed"], &phases["remember"]], slot as u32, 0.0)?;
        }
        Ok(())
    }

    /// The recorded columns at a step.
    fn observe(&self, step: u32) -> Result<Vec<f32>> {
        self.launch(&[&self.manifest["feed"], &self.manifest["phases"]["observe"]], step, self.dt())?;
        list(&self.manifest["columns"])
            .map(|column| {
                let (bank, offset) = self.place(count(&column["buffer"]))?;
                let at = 4 * (offset + count(&column["element"]));
                let staging = self.device.create_buffer(&wgpu::BufferDescriptor {
                    label: None,
                    size: 4,
                    usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
                    mapped_at_creation: false,
                });
                let mut encoder = self.device.create_command_encoder(&Default::default());
                encoder.copy_buffer_to_buffer(&self.banks[bank], at as u64, &staging, 0, Some(4));
                self.queue.submit([encoder.finish()]);
                staging.map_async(wgpu::MapMode::Read, .., |_| {});
                self.device.poll(wgpu::PollType::wait_indefinitely())?;
                let view = staging.get_mapped_range(..)?;
                Ok(f32::from_le_bytes([view[0], view[1], view[2], view[3]]))
            })
            .collect()
    }

    /// Bank and first element of a buffer.
    fn place(&self, buffer: usize) -> Result<(usize, usize)> {
        let found = list(&self.manifest["banks"]).enumerate().find_map(|(bank, held)| {
            let place = list(&held["buffers"]).find(|place| count(&place[0]) == buffer)?;
            Some((bank, count(&place[1])))
        });
        Ok(found.ok_or("the manifest has a buffer without a place")?)
    }
}

fn layout(binding: u32, ty: wgpu::BufferBindingType) -> wgpu::BindGroupLayoutEntry {
    let ty = wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None };
    wgpu::BindGroupLayoutEntry { binding, visibility: wgpu::ShaderStages::COMPUTE, ty, count: None }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn count(value: &Value) -> usize {
    value.as_u64().unwrap_or(0) as usize
}

/// The bytes of a list: one number for all, an array, or a place in the data.
fn numbers(value: &Value, length: usize, integers: bool, data: &[u8]) -> Result<Vec<u8>> {
    let bytes = |value: &Value| {
        let number = value.as_f64().or_else(|| value.as_str()?.parse().ok()).unwrap_or(0.0);
        if integers { (number as u32).to_le_bytes() } else { (number as f32).to_le_bytes() }
    };
    Ok(match value {
        Value::Array(values) => values.iter().flat_map(bytes).collect(),
        Value::Object(place) => {
            let at = count(&place["offset"]);
            data.get(at..at + 4 * count(&place["length"])).ok_or("the data file is too short")?.to_vec()
        }
        one => bytes(one).repeat(length),
    })
}

/// Outside browsers the futures of `wgpu` are ready at once.
fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}
