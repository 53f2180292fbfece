//! How the stand-in behaves, by two environment variables.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use crate::codes::Code;

/// What there is, and what fails.
///
/// `STAND_IN_DRIVER` holds parts between commas: `devices=2`, `memory=1000000` (bytes of each device), `sm=80`,
/// `version=12040` (of CUDA), and faults: `cuMemAlloc_v2@3=CUDA_ERROR_OUT_OF_MEMORY` is what the third call of that function returns,
/// `kernel@5=CUDA_ERROR_LAUNCH_FAILED` what the fifth kernel executed ends with, of which the caller learns later.
pub struct Script {
    pub(crate) devices: usize,
    pub(crate) memory: usize,
    pub(crate) sm: u32,
    pub(crate) version: i32,
    faults: Vec<(String, u64, Code)>,
    /// `STAND_IN_DRIVER_LOG`: the file that says what was refused, and what was left when a context was given back.
    log: Option<PathBuf>,
}

impl Script {
    /// What the environment says.
    pub(crate) fn from_environment() -> Script {
        let text = std::env::var("STAND_IN_DRIVER").unwrap_or_default();
        let mut script = Script::read(&text).unwrap_or_else(|part| panic!("STAND_IN_DRIVER: `{part}` is not known"));
        script.log = std::env::var_os("STAND_IN_DRIVER_LOG").map(PathBuf::from);
        script
    }

    /// Fails with the part that is not understood.
    fn read(text: &str) -> Result<Script, String> {
        let mut script = Script { devices: 1, memory: 1 << 30, sm: 90, version: 12040, faults: Vec::new(), log: None };
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let wrong = || part.to_string();
            let (what, value) = part.split_once('=').ok_or_else(wrong)?;
            let number = || value.parse::<usize>().map_err(|_| wrong());
            match what {
                "devices" => script.devices = number()?,
                "memory" => script.memory = number()?,
                "sm" => script.sm = number()? as u32,
                "version" => script.version = number()? as i32,
                _ => {
                    let (call, count) = what.split_once('@').ok_or_else(wrong)?;
                    let count = count.parse().map_err(|_| wrong())?;
                    script.faults.push((call.to_string(), count, Code::named(value).ok_or_else(wrong)?));
                }
            }
        }
        Ok(script)
    }

    /// What the call of this number is to return.
    pub(crate) fn fault(&self, call: &str, number: u64) -> Option<Code> {
        self.faults.iter().find(|fault| fault.0 == call && fault.1 == number).map(|fault| fault.2)
    }

    /// The newest version of PTX that the driver knows: 7.x came with CUDA 11.x, 8.x with 12.x (PTX ISA 8.8, chapter 13).
    pub(crate) fn ptx(&self) -> (u32, u32) {
        let (major, minor) = (self.version as u32 / 1000, self.version as u32 % 1000 / 10);
        (major.saturating_sub(4), minor)
    }

    /// Adds a line to the log.
    pub(crate) fn log(&self, line: &str) {
        let Some(path) = &self.log else { return };
        let file = OpenOptions::new().create(true).append(true).open(path);
        let written = file.and_then(|mut file| writeln!(file, "{line}"));
        written.unwrap_or_else(|e| panic!("STAND_IN_DRIVER_LOG: {}: {e}", path.display()));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::codes;

    #[test]
    fn scripts_are_read_and_what_is_not_known_is_named() {
        let script = Script::read("devices=2,memory=4096,cuInit@2=CUDA_ERROR_STUB_LIBRARY").unwrap();
        assert_eq!((script.devices, script.memory, script.ptx()), (2, 4096, (8, 4)));
        assert_eq!((script.fault("cuInit", 1), script.fault("cuInit", 2)), (None, Some(codes::ERROR_STUB_LIBRARY)));
        for wrong in ["device=2", "cuInit@x=CUDA_ERROR_UNKNOWN", "cuInit@1=CUDA_ERROR_NONE", "memory"] {
            assert_eq!(Script::read(wrong).err().unwrap(), wrong);
        }
    }
}
