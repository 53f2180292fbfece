//! Graphics processors by way of the crate `wgpu`: Vulkan, Metal, Direct3D 12.
//!
//! A loaded model keeps its buffers on the device. Many steps go into one submission; recorded rows are gathered on the
//! device and read back while the next submission runs.

mod adapter;
mod executable;
mod kept;
mod launch;
mod measures;
mod memory;
mod rows;
mod totals;
mod uniform;

use std::sync::{Arc, Mutex};

pub use adapter::{Description, adapters};

use crate::artifact::{DeviceError, Executable};
use crate::code::{Artifact, Limits};
use crate::program::Precision;
use executable::Loaded;

/// A graphics processor that is open for use.
#[derive(Clone)]
pub struct Wgpu {
    name: String,
    /// Whether it is a processor after all.
    software: bool,
    device: wgpu::Device,
    queue: wgpu::Queue,
    /// The first fault that the device has reported outside a call.
    fault: Arc<Mutex<Option<String>>>,
}

/// What double precision takes: the numbers, and integers of their size for their layout.
const DOUBLE: wgpu::Features = wgpu::Features::SHADER_F64.union(wgpu::Features::SHADER_INT64);

/// Most elements that devices in software step together: with one for each of 64 invocations, Mesa's llvmpipe takes a tenth of
/// the time of launches (`cargo bench --bench devices`), with many more several times as long, as it keeps all variables of
/// invocations that wait in memory.
const SOFTWARE_TOGETHER: usize = 64;

impl Wgpu {
    /// Opens the device with this place in the list of [`adapters`].
    ///
    /// Fails when there is none, or its driver refuses.
    pub fn open(index: usize) -> Result<Wgpu, DeviceError> {
        let adapter = adapter::adapter(index)?;
        let info = adapter.get_info();
        let descriptor = wgpu::DeviceDescriptor {
            label: None,
            required_features: adapter.features() & DOUBLE,
            required_limits: adapter.limits(),
            ..Default::default()
        };
        let opened = adapter::wait(adapter.request_device(&descriptor));
        let (device, queue) = opened.map_err(|e| DeviceError(format!("`{}` cannot be used: {e}", info.name)))?;
        let fault = Arc::new(Mutex::new(None));
        let (reported, lost) = (fault.clone(), fault.clone());
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| report(&reported, error.to_string())));
        device.set_device_lost_callback(move |reason, message| {
            report(&lost, format!("the device was lost ({reason:?}): {message}"));
        });
        let software = info.device_type == wgpu::DeviceType::Cpu;
        Ok(Wgpu { name: info.name, software, device, queue, fault })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the arrangement of memory must keep to.
    pub fn limits(&self) -> Limits {
        let limits = self.device.limits();
        // Elements are counted in 32 bits, and offsets in bytes must be whole elements.
        let most = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size).min(1 << 32);
        let bindings = limits.max_storage_buffers_per_shader_stage as usize;
        let together = if self.software { SOFTWARE_TOGETHER } else { usize::MAX };
        Limits { binding_bytes: most - most % 256, bindings, together }
    }

    /// Loads a model: memory for its buffers, with their initial values, and its code.
    ///
    /// Fails when the device lacks double precision and the model needs it, when the model needs more bindings or larger
    /// ones than the device has, or when its driver refuses the code.
    pub fn load(&self, artifact: &Artifact) -> Result<Box<dyn Executable>, DeviceError> {
        if artifact.target != "wgsl" {
            return Err(DeviceError(format!("code for `{}` cannot run on a device for WGSL", artifact.target)));
        }
        if artifact.precision == Precision::F64 && !self.device.features().contains(DOUBLE) {
            let message =
                format!("`{}` does not compute in double precision\n  help: use `--precision f32`", self.name);
            return Err(DeviceError(message));
        }
        Ok(Box::new(Loaded::new(self.clone(), artifact)?))
    }

    /// Gives the device up: whatever is loaded on it fails from now on, as after the loss of a device.
    pub fn destroy(&self) {
        self.device.destroy();
    }

    /// The fault that the device has reported, if any.
    fn check(&self) -> Result<(), DeviceError> {
        let fault = self.fault.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        match &*fault {
            Some(message) => Err(DeviceError(format!("`{}`: {message}", self.name))),
            None => Ok(()),
        }
    }

    /// Waits until a submission is done.
    fn finish(&self, submission: wgpu::SubmissionIndex) -> Result<(), DeviceError> {
        let waiting = wgpu::PollType::Wait { submission_index: Some(submission), timeout: None };
        let done = self.device.poll(waiting);
        self.check()?;
        done.map(|_| ()).map_err(|e| DeviceError(format!("`{}`: {e}", self.name)))
    }
}

/// Keeps the first fault: those behind it follow from it.
fn report(fault: &Mutex<Option<String>>, message: String) {
    fault.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get_or_insert(message);
}
