//! NVIDIA's processors, by the driver alone: it compiles the PTX of an artifact for the processor it finds. The driver's
//! library is looked for when a device is opened, so a program with this device starts on machines without one.
//!
//! Where there is no such processor it is tested with a driver that is an interpreter of PTX (`tests/driver`): every call made
//! here, and what it says when one fails. What remains is whether NVIDIA's driver does as its interface says.

mod cublas;
mod faults;
mod graphs;

use std::ffi::{CString, c_void};
use std::sync::Arc;

use cudarc::driver::{CudaContext, DriverError, result, sys};

use self::cublas::Cublas;
use self::faults::{Place, reason};
use self::graphs::Graphs;
use super::blas::Call;
use super::{Driver, Launcher, List};
use crate::artifact::{DeviceError, Executable};
use crate::code::{Artifact, Entry};
use crate::program::Precision;

/// A processor by NVIDIA.
pub struct Cuda {
    context: Arc<CudaContext>,
    name: String,
}

/// What a processor is and has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facts {
    /// Its name.
    pub name: String,
    /// The version of its instruction set: 90 for `sm_90`.
    pub sm: u32,
    /// Number of its multiprocessors.
    pub multiprocessors: u32,
    /// Bytes of memory that are free, and that it has.
    pub memory: (usize, usize),
    /// Version of CUDA that the driver knows: (12, 4).
    pub version: (u32, u32),
}

/// The processors of this machine by their numbers, with the faults of those that do not open; none without a driver.
///
/// Fails if there is a driver that does not start.
pub fn devices() -> Result<Vec<Result<Facts, DeviceError>>, DeviceError> {
    if !present() {
        return Ok(Vec::new());
    }
    Ok((0..count()?).map(|index| Cuda::open(index)?.facts()).collect())
}

/// Whether there is a driver.
fn present() -> bool {
    // SAFETY: it loads the library by name, whose initialisers are those of NVIDIA's driver, and unloads it again.
    unsafe { sys::is_culib_present() }
}

/// Number of processors, if there is a driver.
fn count() -> Result<usize, DeviceError> {
    let started = || {
        faults::new_enough(version()?)?;
        result::init()?;
        CudaContext::device_count().map_err(Into::into)
    };
    faults::count(present(), started)
}

/// The version of CUDA that the driver knows: 12040 for 12.4.
fn version() -> Result<i32, DriverError> {
    let mut version = 0;
    // SAFETY: writes one integer to the address it is given.
    unsafe { sys::cuDriverGetVersion(&mut version) }.result().map(|()| version)
}

impl Cuda {
    /// Opens a processor by its number, from 0 on.
    pub fn open(index: usize) -> Result<Cuda, DeviceError> {
        faults::pick(index, count()?)?;
        let context =
            CudaContext::new(index).map_err(|e| DeviceError(format!("`cuda:{index}` does not open: {}", reason(e))))?;
        let name = context.name().unwrap_or_else(|_| "NVIDIA".to_string());
        let device = Cuda { context, name: format!("cuda:{index} ({name})") };
        faults::new_enough_for_code(&device.name, device.sm()?)?;
        Ok(device)
    }

    /// The version of its instruction set: 90 for `sm_90`.
    fn sm(&self) -> Result<u32, DeviceError> {
        let (major, minor) = self.context.compute_capability().map_err(|error| self.failed(error))?;
        Ok(10 * positive(major) + positive(minor))
    }

    fn failed(&self, error: DriverError) -> DeviceError {
        DeviceError(format!("{}: {}", self.name, reason(error)))
    }

    /// What it is and has.
    pub fn facts(&self) -> Result<Facts, DeviceError> {
        let failed = |error| self.failed(error);
        let name = self.context.name().map_err(failed)?;
        let units = sys::CUdevice_attribute_enum::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT;
        let multiprocessors = self.context.attribute(units).map_err(failed)?;
        let memory = self.context.mem_get_info().map_err(failed)?;
        let version = version().map_err(failed)?;
        Ok(Facts {
            name,
            sm: self.sm()?,
            multiprocessors: positive(multiprocessors),
            memory,
            version: (positive(version) / 1000, positive(version) % 1000 / 10),
        })
    }

    /// Loads an artifact of PTX; products of its entries are computed by cuBLAS.
    ///
    /// Fails if there are any and no cuBLAS.
    pub fn load(&self, artifact: Artifact) -> Result<Box<dyn Executable>, DeviceError> {
        let queue = Queue::new(self, &artifact)?;
        Ok(Box::new(Launcher::new(artifact, "cuda", queue)?))
    }
}

fn positive(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

/// Loaded code with its memory. All launches and copies go through the context's default stream, in order.
struct Queue {
    context: Arc<CudaContext>,
    name: String,
    module: sys::CUmodule,
    /// By the index of the entry.
    functions: Vec<sys::CUfunction>,
    memory: Vec<sys::CUdeviceptr>,
    /// For entries with products.
    cublas: Option<Cublas>,
    /// Lists of launches, if the driver has graphs.
    graphs: Option<Graphs>,
    /// The entry launched last, for faults that show later.
    last: Option<String>,
}

// SAFETY: handles of the driver belong to a context, not to a thread; every method makes the context current first.
unsafe impl Send for Queue {}

impl Queue {
    fn new(device: &Cuda, artifact: &Artifact) -> Result<Queue, DeviceError> {
        let context = device.context.clone();
        bind(&context, &device.name)?;
        let products = artifact.entries.iter().any(|entry| entry.product.is_some());
        let cublas = if products { Some(Cublas::open(&device.name)?) } else { None };
        let module = compile(&artifact.code, &device.name)?;
        let (name, memory, functions) = (device.name.clone(), Vec::new(), Vec::new());
        let graphs = graphs::known().then(Graphs::default);
        let mut queue = Queue { context, name, module, functions, memory, cublas, graphs, last: None };
        for entry in &artifact.entries {
            let name =
                CString::new(entry.name.as_str()).map_err(|_| DeviceError("a name of an entry has a 0".into()))?;
            // SAFETY: the module was loaded above and lives as long as the queue.
            let function = unsafe { result::module::get_function(module, name) };
            let function = function.map_err(|e| {
                DeviceError(format!("{}: there is no entry `{}`: {}", queue.name, entry.name, reason(e)))
            })?;
            queue.functions.push(function);
        }
        Ok(queue)
    }

    fn place(&self) -> Place<'_> {
        Place { device: &self.name, last: self.last.as_deref() }
    }

    fn failed(&self, what: &str, error: DriverError) -> DeviceError {
        self.place().failed(what, error)
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        if self.context.bind_to_thread().is_err() || self.context.synchronize().is_err() {
            // A context that failed takes its memory with it.
            return;
        }
        drop(self.cublas.take());
        self.graphs.iter_mut().for_each(Graphs::clear);
        for address in self.memory.drain(..) {
            // SAFETY: it was allocated in this context, no launch is under way any more, and nobody has the address.
            let _ = unsafe { result::free_sync(address) };
        }
        // SAFETY: as above; the functions of the module go with it.
        let _ = unsafe { result::module::unload(self.module) };
    }
}

impl Driver for Queue {
    fn device(&self) -> &str {
        &self.name
    }

    fn allocate(&mut self, bytes: usize) -> Result<u64, DeviceError> {
        bind(&self.context, &self.name)?;
        let free = self.context.mem_get_info().map_err(|e| self.failed("asking for its memory", e))?.0;
        // SAFETY: the memory belongs to this queue, which frees it when it is dropped, and is set to 0 before anybody
        // reads it.
        let allocate = || unsafe { result::malloc_sync(bytes.max(1)) };
        let address = self.place().allocated((bytes, free), allocate)?;
        self.memory.push(address);
        // SAFETY: `bytes` bytes were allocated at the address.
        unsafe { result::memset_d8_sync(address, 0, bytes) }.map_err(|e| self.failed("clearing memory", e))?;
        Ok(address)
    }

    fn upload(&mut self, address: u64, bytes: &[u8]) -> Result<(), DeviceError> {
        bind(&self.context, &self.name)?;
        // SAFETY: the launcher copies into memory it has allocated only; the call returns when `bytes` has been read.
        unsafe { result::memcpy_htod_sync(address, bytes) }.map_err(|e| self.failed("copying to the device", e))
    }

    fn download(&self, address: u64, bytes: &mut [u8]) -> Result<(), DeviceError> {
        bind(&self.context, &self.name)?;
        // SAFETY: the launcher copies out of memory it has allocated only; the call returns when `bytes` has been written.
        unsafe { result::memcpy_dtoh_sync(bytes, address) }.map_err(|e| self.failed("computing or copying back", e))
    }

    fn launch(&mut self, index: usize, entry: &Entry, groups: u32, arguments: &[u64]) -> Result<(), DeviceError> {
        bind(&self.context, &self.name)?;
        self.last = Some(entry.name.clone());
        let mut places: Vec<*mut c_void> = arguments.iter().map(|a| std::ptr::from_ref(a).cast_mut().cast()).collect();
        // SAFETY: the function has as many parameters as arguments, all of 64 bits, which the driver copies before it
        // returns. What the kernel touches is memory that the launcher has allocated for its bindings: code and bindings
        // were written together, and the interpreter in the tests refuses any other access.
        let done = unsafe {
            let (grid, block) = ((groups, 1, 1), (entry.group, 1, 1));
            result::launch_kernel(self.functions[index], grid, block, 0, std::ptr::null_mut(), &mut places)
        };
        self.place().launched(entry, groups, done)
    }

    fn multiply(&mut self, call: &Call, precision: Precision, addresses: [u64; 3]) -> Option<Result<(), DeviceError>> {
        let cublas = self.cublas.as_ref()?;
        if let Err(fault) = bind(&self.context, &self.name) {
            return Some(Err(fault));
        }
        self.last = Some("a product by cuBLAS".to_string());
        // SAFETY: the context is current, and the launcher gives the addresses of buffers and of a constant that are as large as
        // the product they belong to. cuBLAS works on the same stream as all launches and copies unless told otherwise.
        Some(unsafe { cublas.multiply(call, precision, addresses) })
    }

    fn repeat(&mut self, entries: &[Entry], list: &List) -> Result<(), DeviceError> {
        let (Some(graphs), None) = (&mut self.graphs, &self.cublas) else {
            return list.make(self, entries);
        };
        bind(&self.context, &self.name)?;
        self.last = Some(format!("a graph of {} launches", list.launches.len()));
        // SAFETY: the context is current; for functions, arguments and memory see `launch`.
        let done = unsafe { graphs.launch(&self.functions, entries, list) };
        done.map_err(|e| self.failed("putting it together or launching it", e))
    }

    fn forget(&mut self, number: u64) {
        if let (Some(graphs), Ok(())) = (&mut self.graphs, bind(&self.context, &self.name)) {
            graphs.forget(number);
        }
    }

    fn repeats(&self) -> Result<&'static str, &'static str> {
        match (&self.cublas, &self.graphs) {
            (Some(_), _) => Err("one by one: cuBLAS is called from the host"),
            (None, None) => Err("one by one: a driver before 12.0 has no graphs of them"),
            (None, Some(_)) => Ok("a graph"),
        }
    }
}

fn bind(context: &Arc<CudaContext>, name: &str) -> Result<(), DeviceError> {
    context.bind_to_thread().map_err(|e| DeviceError(format!("{name}: {}", reason(e))))
}

/// Has the driver compile a text; what it says of faults goes into the message.
fn compile(code: &str, device: &str) -> Result<sys::CUmodule, DeviceError> {
    const LOG: usize = 8192;
    let text = CString::new(code).map_err(|_| DeviceError("the code has a 0 in it".into()))?;
    let mut log = vec![0u8; LOG];
    let mut module = std::ptr::null_mut();
    let mut options =
        [sys::CUjit_option::CU_JIT_ERROR_LOG_BUFFER, sys::CUjit_option::CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES];
    let mut values: [*mut c_void; 2] = [log.as_mut_ptr().cast(), std::ptr::without_provenance_mut(LOG)];
    // SAFETY: the text ends in a 0; the two options have a value each: a buffer, and its size instead of an address, as the
    // driver wants it. All of them live until the call returns.
    let done = unsafe {
        sys::cuModuleLoadDataEx(
            &mut module,
            text.as_ptr().cast(),
            options.len() as u32,
            options.as_mut_ptr(),
            values.as_mut_ptr(),
        )
    };
    done.result().map(|()| module).map_err(|error| {
        let end = log.iter().position(|b| *b == 0).unwrap_or(LOG);
        let said = String::from_utf8_lossy(&log[..end]).trim().to_string();
        let said = if said.is_empty() { String::new() } else { format!("\n{said}") };
        DeviceError(format!("{device}: the driver does not take the code: {}{said}", reason(error)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_a_driver_says_so() {
        match count() {
            Ok(count) => {
                println!("skipped: this machine has a driver and {count} processors");
                let fault = Cuda::open(count).err().expect("numbers go from 0 on").0;
                assert!(fault.contains(&format!("there is no `cuda:{count}`")), "{fault}");
            }
            Err(fault) => {
                assert!(fault.0.contains("no NVIDIA driver") && fault.0.contains("--device cpu"), "{fault}");
                assert_eq!(devices(), Ok(Vec::new()));
            }
        }
    }
}
