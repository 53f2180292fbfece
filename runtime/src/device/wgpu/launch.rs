//! Entries ready to be launched.

use super::Wgpu;
use super::memory::Memory;
use crate::artifact::DeviceError;
use crate::code::{Artifact, Binding, Entry};

/// A compiled entry with what it is given.
pub struct Launch {
    pipeline: wgpu::ComputePipeline,
    bindings: wgpu::BindGroup,
    groups: [u32; 2],
}

/// The buffers of a model besides its memory.
pub struct Shared {
    /// Blocks of uniforms.
    pub uniforms: wgpu::Buffer,
    /// Rows of samples.
    pub samples: wgpu::Buffer,
}

impl Launch {
    /// Launches the entry with the uniforms at an offset.
    pub fn encode(&self, pass: &mut wgpu::ComputePass<'_>, uniforms: u32) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.bindings, &[uniforms]);
        pass.dispatch_workgroups(self.groups[0], self.groups[1], 1);
    }
}

/// Compiles the entries of a model.
pub fn launches(
    wgpu: &Wgpu,
    artifact: &Artifact,
    memory: &Memory,
    shared: &Shared,
) -> Result<Vec<Launch>, DeviceError> {
    for entry in &artifact.entries {
        check(wgpu, entry)?;
    }
    let module = module(wgpu, "model", &artifact.code)?;
    let launch = |entry: &Entry| {
        let slot = |binding: Binding| artifact.slot(binding).expect("`check` lets no single buffers pass");
        let given: Vec<Given<'_>> = entry
            .bindings
            .iter()
            .map(|binding| match binding {
                Binding::Bank { index, .. } => {
                    Given { slot: slot(*binding), buffer: &memory.banks[*index as usize], read_only: false }
                }
                Binding::Constant(index) => {
                    Given { slot: slot(*binding), buffer: &memory.constants[*index as usize], read_only: true }
                }
                Binding::Marks => Given { slot: slot(*binding), buffer: &memory.marks, read_only: false },
                _ => Given { slot: slot(*binding), buffer: &shared.samples, read_only: true },
            })
            .collect();
        let uniforms = (&shared.uniforms, artifact.uniform_bytes() as u64);
        let groups = workgroups(wgpu, entry.extent.div_ceil(entry.group as usize));
        compile(wgpu, &module, &entry.name, uniforms, &given, groups)
    };
    let launches = artifact.entries.iter().map(launch).collect();
    wgpu.check()?;
    Ok(launches)
}

/// One binding of storage.
pub struct Given<'b> {
    pub slot: u32,
    pub buffer: &'b wgpu::Buffer,
    pub read_only: bool,
}

/// Compiles an entry, whose uniforms are binding 0.
pub fn compile(
    wgpu: &Wgpu,
    module: &wgpu::ShaderModule,
    name: &str,
    (uniforms, block): (&wgpu::Buffer, u64),
    given: &[Given<'_>],
    groups: [u32; 2],
) -> Launch {
    let entry = |binding: u32, ty: wgpu::BufferBindingType, dynamic: bool| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: dynamic, min_binding_size: None },
        count: None,
    };
    let mut entries = vec![entry(0, wgpu::BufferBindingType::Uniform, true)];
    let block = wgpu::BufferBinding { buffer: uniforms, offset: 0, size: wgpu::BufferSize::new(block) };
    let mut resources = vec![wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::Buffer(block) }];
    for given in given {
        let ty = wgpu::BufferBindingType::Storage { read_only: given.read_only };
        entries.push(entry(given.slot, ty, false));
        resources.push(wgpu::BindGroupEntry { binding: given.slot, resource: given.buffer.as_entire_binding() });
    }
    let device = &wgpu.device;
    let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries });
    let bindings =
        device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout: &layout, entries: &resources });
    let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: None,
        bind_group_layouts: &[Some(&layout)],
        immediate_size: 0,
    });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(name),
        layout: Some(&pipeline_layout),
        module,
        entry_point: Some(name),
        compilation_options: wgpu::PipelineCompilationOptions {
            // Nothing is kept there uninitialised.
            zero_initialize_workgroup_memory: false,
            ..Default::default()
        },
        cache: None,
    });
    Launch { pipeline, bindings, groups }
}

/// Hands code to the device's compiler.
pub fn module(wgpu: &Wgpu, name: &str, code: &str) -> Result<wgpu::ShaderModule, DeviceError> {
    let source = wgpu::ShaderSource::Wgsl(code.into());
    let module = wgpu.device.create_shader_module(wgpu::ShaderModuleDescriptor { label: Some(name), source });
    wgpu.check()?;
    Ok(module)
}

/// The workgroups of a launch in rows no longer than the device allows.
pub fn workgroups(wgpu: &Wgpu, count: usize) -> [u32; 2] {
    let most = wgpu.device.limits().max_compute_workgroups_per_dimension as usize;
    let width = count.clamp(1, most);
    // `check` has made sure that they fit.
    [width as u32, count.div_ceil(width) as u32]
}

fn check(wgpu: &Wgpu, entry: &Entry) -> Result<(), DeviceError> {
    let limits = wgpu.device.limits();
    let fault = |what: String| {
        Err(DeviceError(format!("`{}` cannot run `{}`: {what}\n  help: use `--device cpu`", wgpu.name, entry.name)))
    };
    let most = limits.max_storage_buffers_per_shader_stage as usize;
    if entry.bindings.len() > most {
        return fault(format!("it takes {} bindings, at most {most} are allowed", entry.bindings.len()));
    }
    let most = (limits.max_compute_workgroups_per_dimension as usize).pow(2);
    let count = entry.extent.div_ceil(entry.group as usize);
    if count > most || entry.extent > u32::MAX as usize {
        return fault(format!("it takes {count} workgroups, at most {most} are allowed"));
    }
    if entry.group > limits.max_compute_invocations_per_workgroup {
        let most = limits.max_compute_invocations_per_workgroup;
        return fault(format!("its workgroups have {} invocations, at most {most} are allowed", entry.group));
    }
    if entry.bindings.iter().any(|b| matches!(b, Binding::Buffer { .. })) {
        return fault("it takes single buffers".to_string());
    }
    Ok(())
}
