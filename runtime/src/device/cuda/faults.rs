//! What the driver says, for people: which device, which kernel, how much memory. None of it asks the driver, so all of it is
//! tested without one.

use cudarc::driver::{DriverError, sys};

use crate::artifact::DeviceError;
use crate::code::Entry;

/// The oldest driver that has all functions that are called, some of them by `cudarc`: that of CUDA 11.2 (December 2020), the
/// first one with pools of memory, of which each device is asked.
const OLDEST: i32 = 11020;

/// Why a driver does not start.
#[derive(Debug)]
pub(super) enum NotStarted {
    /// It says so.
    Driver(DriverError),
    /// It knows CUDA of this version only.
    Old(i32),
}

impl From<DriverError> for NotStarted {
    fn from(error: DriverError) -> NotStarted {
        NotStarted::Driver(error)
    }
}

/// Whether a driver that knows CUDA of this version has all that is called.
pub(super) fn new_enough(version: i32) -> Result<(), NotStarted> {
    if version >= OLDEST { Ok(()) } else { Err(NotStarted::Old(version)) }
}

/// The number of processors, if there is a driver and it starts.
pub(super) fn count(present: bool, started: impl FnOnce() -> Result<i32, NotStarted>) -> Result<usize, DeviceError> {
    if !present {
        return Err(DeviceError(
            "there is no NVIDIA driver on this machine: its library (libcuda.so.1, nvcuda.dll) was not found; install the \
             driver, or compute on the processor with `--device cpu`"
                .into(),
        ));
    }
    let known = |version: i32| format!("CUDA {}.{}", version / 1000, version % 1000 / 10);
    match started() {
        Ok(count) => Ok(usize::try_from(count).unwrap_or(0)),
        Err(NotStarted::Driver(DriverError(sys::CUresult::CUDA_ERROR_NO_DEVICE))) => Ok(0),
        Err(NotStarted::Driver(error)) => {
            Err(DeviceError(format!("the NVIDIA driver does not start: {}", reason(error))))
        }
        Err(NotStarted::Old(version)) => Err(DeviceError(format!(
            "the NVIDIA driver is too old: it knows {}, and {} is needed; install a newer driver",
            known(version),
            known(OLDEST)
        ))),
    }
}

/// Whether there is a processor of this number.
pub(super) fn pick(index: usize, count: usize) -> Result<(), DeviceError> {
    if index < count {
        return Ok(());
    }
    let found = match count {
        0 => "no processor by NVIDIA".to_string(),
        1 => "one, `cuda:0`".to_string(),
        n => format!("{n}, `cuda:0` to `cuda:{}`", n - 1),
    };
    Err(DeviceError(format!("there is no `cuda:{index}`: this machine has {found}")))
}

/// The oldest processors that code is written for: `sm_60`.
const OLDEST_PROCESSOR: u32 = 60;

/// Whether a processor runs the code that is written.
pub(super) fn new_enough_for_code(device: &str, sm: u32) -> Result<(), DeviceError> {
    if sm >= OLDEST_PROCESSOR {
        return Ok(());
    }
    let oldest =
        format!("its instructions are those of sm_{sm}, and code is written for sm_{OLDEST_PROCESSOR} and later");
    Err(DeviceError(format!("{device} is too old: {oldest}")))
}

/// What is said of something that failed: the device, and the kernel launched last, whose faults show later.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub device: &'a str,
    pub last: Option<&'a str>,
}

impl Place<'_> {
    /// Something else than a launch.
    pub fn failed(self, what: &str, error: DriverError) -> DeviceError {
        let after = self.last.map_or(String::new(), |last| format!(" (the last kernel launched was `{last}`)"));
        DeviceError(format!("{}: {what} failed{after}: {}", self.device, reason(error)))
    }

    /// Memory of so many bytes, where so many are free: the address, unless there was not enough.
    pub fn allocated(
        self,
        (asked, free): (usize, usize),
        allocate: impl FnOnce() -> Result<u64, DriverError>,
    ) -> Result<u64, DeviceError> {
        let full = || {
            let (asked, free) = (size(asked), size(free));
            let help = "take `--precision f32`, or fewer members or units at a time";
            DeviceError(format!("{}: {asked} of memory were asked for, {free} are free; {help}", self.device))
        };
        if asked > free {
            return Err(full());
        }
        match allocate() {
            Ok(address) => Ok(address),
            Err(DriverError(sys::CUresult::CUDA_ERROR_OUT_OF_MEMORY)) => Err(full()),
            Err(error) => Err(self.failed("allocating memory", error)),
        }
    }

    /// A launch of an entry in so many blocks.
    pub fn launched(self, entry: &Entry, groups: u32, done: Result<(), DriverError>) -> Result<(), DeviceError> {
        done.map_err(|error| {
            let (name, threads, elements) = (&entry.name, entry.group, entry.extent);
            DeviceError(format!(
                "{}: `{name}` was not launched ({groups} blocks of {threads} threads for {elements} elements): {}",
                self.device,
                reason(error)
            ))
        })
    }
}

/// Name of a fault, and its text if there is a driver that has one.
pub(super) fn reason(error: DriverError) -> String {
    let name = format!("{:?}", error.0);
    // SAFETY: it loads the library by name, whose initialisers are those of NVIDIA's driver, and unloads it again.
    if !unsafe { sys::is_culib_present() } {
        return name;
    }
    error.error_string().map_or(name.clone(), |text| format!("{} ({name})", text.to_string_lossy()))
}

/// A number of bytes for people.
pub(super) fn size(bytes: usize) -> String {
    match bytes {
        0..1_000_000 => format!("{bytes} bytes"),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sys::CUresult::{CUDA_ERROR_INVALID_VALUE, CUDA_ERROR_LAUNCH_FAILED, CUDA_ERROR_NO_DEVICE};
    use sys::CUresult::{CUDA_ERROR_OUT_OF_MEMORY, CUDA_ERROR_SYSTEM_DRIVER_MISMATCH};

    const PLACE: Place<'_> = Place { device: "cuda:1 (H200)", last: Some("k3_step") };

    fn said<T>(done: Result<T, DeviceError>) -> String {
        done.err().expect("it fails").0
    }

    #[test]
    fn a_missing_driver_is_named_with_what_to_do() {
        let fault = said(count(false, || unreachable!("nobody is asked")));
        assert!(fault.contains("no NVIDIA driver") && fault.contains("--device cpu"), "{fault}");
        assert_eq!(count(true, || Ok(3)), Ok(3));
        // A driver without a processor is no fault of the driver.
        assert_eq!(count(true, || Err(DriverError(CUDA_ERROR_NO_DEVICE).into())), Ok(0));
        let fault = said(count(true, || Err(DriverError(CUDA_ERROR_SYSTEM_DRIVER_MISMATCH).into())));
        assert!(fault.contains("does not start") && fault.contains("CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"), "{fault}");
        assert!(new_enough(11020).is_ok());
        let fault = said(count(true, || new_enough(11010).map(|()| 1)));
        assert!(fault.contains("too old") && fault.contains("CUDA 11.1") && fault.contains("CUDA 11.2"), "{fault}");
        let fault = said(new_enough_for_code("cuda:0 (M60)", 52));
        assert!(fault.contains("cuda:0 (M60)") && fault.contains("sm_52") && fault.contains("sm_60"), "{fault}");
    }

    #[test]
    fn numbers_of_processors_that_are_not_there_are_refused() {
        assert_eq!((pick(0, 1), pick(3, 4)), (Ok(()), Ok(())));
        let fault = said(pick(0, 0));
        assert!(fault.contains("there is no `cuda:0`") && fault.contains("no processor by NVIDIA"), "{fault}");
        assert!(said(pick(1, 1)).contains("one, `cuda:0`"));
        assert!(said(pick(9, 4)).contains("`cuda:0` to `cuda:3`"));
    }

    #[test]
    fn too_little_memory_says_how_much_was_asked_and_how_much_is_free() {
        assert_eq!(PLACE.allocated((512, 512), || Ok(77)), Ok(77));
        let full = || Err(DriverError(CUDA_ERROR_OUT_OF_MEMORY));
        // Nobody is asked for more than there is; and memory may be short although there seemed to be enough.
        let foreseen = said(PLACE.allocated((90_000_000_000, 12_300_000), || unreachable!("it does not fit")));
        for fault in [foreseen, said(PLACE.allocated((90_000_000_000, 99_000_000_000), full))] {
            assert!(fault.contains("cuda:1") && fault.contains("90.00 GB of memory were asked for"), "{fault}");
            assert!(fault.contains("12.3 MB are free") || fault.contains("99.00 GB are free"), "{fault}");
        }
        let fault = said(PLACE.allocated((1, 2), || Err(DriverError(CUDA_ERROR_LAUNCH_FAILED))));
        assert!(fault.contains("CUDA_ERROR_LAUNCH_FAILED") && fault.contains("`k3_step`"), "{fault}");
    }

    #[test]
    fn faults_of_launches_name_the_entry_and_its_shape() {
        let entry = Entry {
            name: "k7_step".to_string(),
            extent: 1000,
            group: 256,
            shared: 0,
            bindings: Vec::new(),
            product: None,
        };
        assert_eq!(PLACE.launched(&entry, 4, Ok(())), Ok(()));
        let fault = said(PLACE.launched(&entry, 4, Err(DriverError(CUDA_ERROR_INVALID_VALUE))));
        for part in
            ["cuda:1 (H200)", "`k7_step`", "4 blocks of 256 threads", "1000 elements", "CUDA_ERROR_INVALID_VALUE"]
        {
            assert!(fault.contains(part), "{part}: {fault}");
        }
        // One that shows when results are fetched names the kernel launched last.
        let fault = PLACE.failed("copying back", DriverError(CUDA_ERROR_LAUNCH_FAILED)).0;
        assert!(fault.contains("copying back failed (the last kernel launched was `k3_step`)"), "{fault}");
    }

    #[test]
    fn sizes_are_written_for_people() {
        assert_eq!(size(512), "512 bytes");
        assert_eq!(size(12_300_000), "12.3 MB");
        assert_eq!(size(141_000_000_000), "141.00 GB");
    }
}
