//! The kinds of devices that engines run on. A new one is one row.

use crate::engine::{ENGINES, Engine};

/// A kind of device.
pub struct Kind {
    /// Name on the command line.
    pub name: &'static str,
    /// The devices of this kind that this machine has, by their numbers; `None` if this build cannot use any.
    pub list: Option<fn() -> Vec<DeviceInfo>>,
    /// How to get a build that can.
    pub help: &'static str,
    /// One line for the manual.
    pub doc: &'static str,
}

/// A device, for people.
pub struct DeviceInfo {
    /// Its name.
    pub name: String,
    /// What it is, how it is used, and what it allows: (what, value).
    pub facts: Vec<(&'static str, String)>,
}

/// All kinds.
pub static KINDS: &[Kind] = &[
    Kind { name: "cpu", list: Some(processor), help: "", doc: "the processor" },
    Kind {
        name: "wgpu",
        #[cfg(feature = "wgpu")]
        list: Some(graphics),
        #[cfg(not(feature = "wgpu"))]
        list: None,
        help: "install with `cargo install --path . --features wgpu`",
        doc: "graphics processors by way of Vulkan, Metal or Direct3D 12",
    },
];

impl Kind {
    /// The kind with this name.
    pub fn lookup(name: &str) -> Option<&'static Kind> {
        KINDS.iter().find(|k| k.name == name)
    }

    /// The engine that devices of this kind run models with unless another one is asked for; `None` if this build has none.
    pub fn engine(&self) -> Option<&'static Engine> {
        match self.name {
            "cpu" => Some(Engine::auto()),
            name => ENGINES.iter().find(|e| e.device == name),
        }
    }
}

fn processor() -> Vec<DeviceInfo> {
    let cores = std::thread::available_parallelism().map_or_else(|e| e.to_string(), |n| n.to_string());
    let engines: Vec<&str> = ENGINES.iter().filter(|e| e.device == "cpu").map(|e| e.name).collect();
    let facts = vec![("threads", cores), ("engines", engines.join(", ")), ("precisions", "f32, f64".to_string())];
    vec![DeviceInfo { name: std::env::consts::ARCH.to_string(), facts }]
}

#[cfg(feature = "wgpu")]
fn graphics() -> Vec<DeviceInfo> {
    let found = nullcline_runtime::device::wgpu::adapters().into_iter().map(|device| {
        let precisions = if device.double { "f32, f64" } else { "f32" };
        let mut facts = vec![
            ("kind", device.kind.to_string()),
            ("interface", device.interface),
            ("driver", device.driver),
            ("precisions", precisions.to_string()),
        ];
        facts.extend(device.limits.iter().map(|(what, value)| (*what, value.to_string())));
        DeviceInfo { name: device.name, facts }
    });
    found.collect()
}
