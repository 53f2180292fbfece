//! The kinds of devices that engines run on. A new one is one row.

use nullcline_runtime::artifact::DeviceError;

use crate::engine::{ENGINES, Engine};

/// The devices of a kind by their numbers, with the faults of those that do not open; or why none of the kind can be used.
pub type Listed = Result<Vec<Result<DeviceInfo, DeviceError>>, DeviceError>;

/// A kind of device.
pub struct Kind {
    /// Name on the command line.
    pub name: &'static str,
    /// The devices of this kind that this machine has, by their numbers; `None` if this build cannot use any.
    pub list: Option<fn() -> Listed>,
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
        name: "cuda",
        #[cfg(feature = "cuda")]
        list: Some(nvidia),
        #[cfg(not(feature = "cuda"))]
        list: None,
        help: "install with `cargo install --path . --features cuda`",
        doc: "processors by NVIDIA, by the driver alone",
    },
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

/// A device as asked for: its kind and its number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// The kind's name.
    pub kind: &'static str,
    /// Which of them.
    pub index: usize,
}

/// A device that was chosen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Auto {
    /// The device.
    pub place: Place,
    /// Why others, which are there, were not: their faults.
    pub passed_over: Vec<DeviceError>,
}

impl Place {
    /// The device that `auto` means: the first processor by NVIDIA that opens if there is one, else the processor. Devices that
    /// do not compute what the processor computes, to the bit, are not chosen unasked.
    pub fn auto() -> Auto {
        let list = Kind::lookup("cuda").and_then(|kind| kind.list);
        let (mut index, mut passed_over) = (None, Vec::new());
        match list.map_or_else(|| Ok(Vec::new()), |list| list()) {
            Err(fault) => passed_over.push(fault),
            Ok(devices) => {
                index = devices.iter().position(Result::is_ok);
                let before = index.unwrap_or(devices.len());
                passed_over.extend(devices.into_iter().take(before).filter_map(Result::err));
            }
        }
        let place = index.map_or(Place { kind: "cpu", index: 0 }, |index| Place { kind: "cuda", index });
        Auto { place, passed_over }
    }
}

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

fn processor() -> Listed {
    let cores = std::thread::available_parallelism().map_or_else(|e| e.to_string(), |n| n.to_string());
    let engines: Vec<&str> = ENGINES.iter().filter(|e| e.device == "cpu").map(|e| e.name).collect();
    let facts = vec![("threads", cores), ("engines", engines.join(", ")), ("precisions", "f32, f64".to_string())];
    Ok(vec![Ok(DeviceInfo { name: std::env::consts::ARCH.to_string(), facts })])
}

#[cfg(feature = "cuda")]
fn nvidia() -> Listed {
    let gigabytes = |bytes: usize| format!("{:.1} GB", bytes as f64 / 1e9);
    let info = |device: nullcline_runtime::device::cuda::Facts| {
        let (free, all) = device.memory;
        let facts = vec![
            ("instructions", format!("sm_{}", device.sm)),
            ("multiprocessors", device.multiprocessors.to_string()),
            ("memory", format!("{}, {} free", gigabytes(all), gigabytes(free))),
            ("driver", format!("CUDA {}.{}", device.version.0, device.version.1)),
            ("precisions", "f32, f64".to_string()),
        ];
        DeviceInfo { name: device.name, facts }
    };
    Ok(nullcline_runtime::device::cuda::devices()?.into_iter().map(|device| device.map(info)).collect())
}

#[cfg(feature = "wgpu")]
fn graphics() -> Listed {
    let found = nullcline_runtime::device::wgpu::adapters().into_iter().map(|device| {
        let precisions = if device.double { "f32, f64" } else { "f32" };
        let mut facts = vec![
            ("kind", device.kind.to_string()),
            ("interface", device.interface),
            ("driver", device.driver),
            ("precisions", precisions.to_string()),
        ];
        facts.extend(device.limits.iter().map(|(what, value)| (*what, value.to_string())));
        Ok(DeviceInfo { name: device.name, facts })
    });
    Ok(found.collect())
}
