//! `nullcline devices`: what models can run on.

use clap::Args;
use nullcline::KINDS;

use super::fault::{DONE, Fault};
use super::print;

/// List the devices that models can run on, and their limits
#[derive(Args)]
#[command(after_help = "Example:\n  nullcline run jansen_rit --device wgpu:0 --precision f32")]
pub struct Devices {}

impl Devices {
    /// Runs the command.
    pub fn run(self) -> Result<u8, Fault> {
        let mut text = String::new();
        for kind in KINDS {
            let Some(list) = kind.list else {
                text += &format!("{}  not in this build: {}; {}\n", kind.name, kind.doc, kind.help);
                continue;
            };
            let devices = match list() {
                Ok(devices) => devices,
                Err(fault) => {
                    text += &format!("{}  cannot be used: {fault}\n", kind.name);
                    continue;
                }
            };
            if devices.is_empty() {
                text += &format!("{}  none found: {}\n", kind.name, kind.doc);
            }
            for (index, device) in devices.iter().enumerate() {
                let device = match device {
                    Ok(device) => device,
                    Err(fault) => {
                        text += &format!("{}:{index}  cannot be used: {fault}\n", kind.name);
                        continue;
                    }
                };
                text += &format!("{}:{index}  {}\n", kind.name, device.name);
                let width = device.facts.iter().map(|(what, _)| what.len()).max().unwrap_or(0);
                for (what, value) in &device.facts {
                    text += &format!("    {what:<width$}  {value}\n");
                }
            }
        }
        print::out(&text);
        Ok(DONE)
    }
}
