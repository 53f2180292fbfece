//! Which devices there are.

use std::pin::pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};

use super::DOUBLE;
use crate::artifact::DeviceError;

/// A device as people see it.
#[derive(Clone, PartialEq, Debug)]
pub struct Description {
    /// Its name.
    pub name: String,
    /// `discrete GPU`, `integrated GPU`, `processor` ..
    pub kind: &'static str,
    /// The interface it is used by: `Vulkan`.
    pub interface: String,
    /// Driver with its version.
    pub driver: String,
    /// Whether it computes in double precision.
    pub double: bool,
    /// Limits that models meet, with their units.
    pub limits: Vec<(&'static str, u64)>,
}

/// The devices, fastest kind first. Their places in the list are their numbers.
pub fn adapters() -> Vec<Description> {
    all().iter().map(describe).collect()
}

/// The device with a number.
pub(super) fn adapter(index: usize) -> Result<wgpu::Adapter, DeviceError> {
    let mut all = all();
    let count = all.len();
    if index < count {
        return Ok(all.swap_remove(index));
    }
    Err(DeviceError(match count {
        0 => "there is no graphics processor with a driver for Vulkan, Metal or Direct3D 12\n  \
              help: install the driver (in software: Debian's `mesa-vulkan-drivers` and `libvulkan1`), \
              or use `--device cpu`"
            .to_string(),
        1 => {
            format!("there is no device `wgpu:{index}`: there is one, `wgpu:0`\n  help: `nullcline devices` lists them")
        }
        _ => format!(
            "there is no device `wgpu:{index}`, the last is `wgpu:{}`\n  help: `nullcline devices` lists them",
            count - 1
        ),
    }))
}

/// All adapters, looked for once: a driver may complain each time of what it does not find.
fn all() -> Vec<wgpu::Adapter> {
    static ALL: OnceLock<Vec<wgpu::Adapter>> = OnceLock::new();
    ALL.get_or_init(find).clone()
}

fn find() -> Vec<wgpu::Adapter> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let mut adapters = wait(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
    let order = |kind: wgpu::DeviceType| match kind {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    };
    adapters.sort_by_key(|a| order(a.get_info().device_type));
    adapters
}

fn describe(adapter: &wgpu::Adapter) -> Description {
    let (info, limits) = (adapter.get_info(), adapter.limits());
    let kind = match info.device_type {
        wgpu::DeviceType::DiscreteGpu => "discrete GPU",
        wgpu::DeviceType::IntegratedGpu => "integrated GPU",
        wgpu::DeviceType::VirtualGpu => "virtual GPU",
        wgpu::DeviceType::Cpu => "processor",
        wgpu::DeviceType::Other => "other",
    };
    Description {
        name: info.name,
        kind,
        interface: format!("{:?}", info.backend),
        driver: [info.driver, info.driver_info].join(" ").trim().to_string(),
        double: adapter.features().contains(DOUBLE),
        limits: vec![
            ("bytes of one binding", limits.max_storage_buffer_binding_size),
            ("bytes of one buffer", limits.max_buffer_size),
            ("bindings of an entry", u64::from(limits.max_storage_buffers_per_shader_stage)),
            ("invocations of a workgroup", u64::from(limits.max_compute_invocations_per_workgroup)),
            ("workgroups in a row", u64::from(limits.max_compute_workgroups_per_dimension)),
        ],
    }
}

/// The outcome of a future that needs nobody to wake it: outside browsers those of `wgpu` are ready at once.
pub(super) fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        std::thread::yield_now();
    }
}
