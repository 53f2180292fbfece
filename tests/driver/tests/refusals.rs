//! What the stand-in refuses, and when it does what it is asked, so that calls that go well with it are known to be right.
#![allow(clippy::unwrap_used)]

use std::ffi::{CString, c_void};
use std::ptr::{null, null_mut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use stand_in_driver::abi::*;

const OK: i32 = 0;
const INVALID_VALUE: i32 = 1;
const OUT_OF_MEMORY: i32 = 2;
const INVALID_CONTEXT: i32 = 201;
const INVALID_PTX: i32 = 218;
const INVALID_HANDLE: i32 = 400;
const NOT_FOUND: i32 = 500;
const NOT_READY: i32 = 600;
const ILLEGAL_ADDRESS: i32 = 700;
const LAUNCH_FAILED: i32 = 719;
const NOT_SUPPORTED: i32 = 801;
const CAPTURE_UNSUPPORTED: i32 = 900;
const CAPTURE_INVALIDATED: i32 = 901;
const CAPTURE_IMPLICIT: i32 = 906;

/// A kernel that writes `a` to the address `p`, one that adds it there, and one that runs on from one block into the next.
const CODE: &str = "
.version 6.0
.target sm_60
.address_size 64
.visible .entry put(
.param .u64 p,
.param .u64 a
)
.maxntid 32, 1, 1
.minnctapersm 1
{
.reg .b64 %x<4>;
ld.param.u64 %x1, [p];
ld.param.u64 %x2, [a];
st.global.u64 [%x1], %x2;
ret;
}
.visible .entry more(
.param .u64 p,
.param .u64 a
)
.maxntid 32, 1, 1
.minnctapersm 1
{
.reg .b64 %x<4>;
ld.param.u64 %x1, [p];
ld.param.u64 %x2, [a];
ld.global.u64 %x3, [%x1];
add.u64 %x3, %x3, %x2;
st.global.u64 [%x1], %x3;
ret;
}
";

/// The device, opened for one test after the other.
struct Device {
    context: Handle,
    module: Handle,
    put: Handle,
    more: Handle,
    _alone: MutexGuard<'static, ()>,
}

impl Device {
    fn open() -> Device {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(cuInit(0), OK);
        let (mut context, mut module, mut put, mut more) = (null_mut(), null_mut(), null_mut(), null_mut());
        let code = CString::new(CODE).unwrap();
        // SAFETY: places of what is given back, texts that end in a 0.
        unsafe {
            assert_eq!(cuDevicePrimaryCtxRetain(&mut context, 0), OK);
            assert_eq!(cuCtxSetCurrent(context), OK);
            assert_eq!(cuModuleLoadData(&mut module, code.as_ptr().cast()), OK);
            assert_eq!(cuModuleGetFunction(&mut put, module, c"put".as_ptr()), OK);
            assert_eq!(cuModuleGetFunction(&mut more, module, c"more".as_ptr()), OK);
        }
        Device { context, module, put, more, _alone: alone }
    }

    fn allocate(&self, bytes: usize) -> Result<u64, i32> {
        let mut address = 0;
        // SAFETY: the place of an address.
        let code = unsafe { cuMemAlloc_v2(&mut address, bytes) };
        if code == OK { Ok(address) } else { Err(code) }
    }

    fn launch(&self, function: Handle, shape: (u32, u32), stream: Handle, [p, a]: [u64; 2]) -> i32 {
        let mut places: [*mut c_void; 2] = [(&raw const p).cast_mut().cast(), (&raw const a).cast_mut().cast()];
        let ((blocks, threads), places) = (shape, places.as_mut_ptr());
        // SAFETY: two arguments, as both functions have.
        unsafe { cuLaunchKernel(function, blocks, 1, 1, threads, 1, 1, 0, stream, places, null_mut()) }
    }

    fn read(&self, address: u64) -> Result<u64, i32> {
        let mut number = 0u64;
        // SAFETY: the place of 8 bytes.
        let code = unsafe { cuMemcpyDtoH_v2((&raw mut number).cast(), address, 8) };
        if code == OK { Ok(number) } else { Err(code) }
    }

    fn stream(&self, flags: u32) -> Handle {
        let mut stream = null_mut();
        // SAFETY: the place of a handle.
        assert_eq!(unsafe { cuStreamCreate(&mut stream, flags) }, OK);
        stream
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        assert_eq!(cuDevicePrimaryCtxRelease_v2(0), OK);
    }
}

#[test]
fn memory_is_that_of_one_allocation_that_was_not_given_back() {
    let device = Device::open();
    let (a, b) = (device.allocate(8).unwrap(), device.allocate(16).unwrap());
    // What it holds is anything but 0.
    assert!(device.read(a).unwrap() != 0);
    assert_eq!(device.read(a + 8), Err(INVALID_VALUE));
    assert_eq!(device.read(b + 12), Err(INVALID_VALUE));
    assert_eq!(cuMemsetD8_v2(b, 0, 17), INVALID_VALUE);
    assert_eq!(cuMemsetD8_v2(b, 1, 16), OK);
    assert_eq!(device.read(b + 8), Ok(0x0101_0101_0101_0101));
    // SAFETY: 16 bytes, none of which is read.
    assert_eq!(unsafe { cuMemcpyHtoD_v2(a, [0u8; 16].as_ptr().cast(), 16) }, INVALID_VALUE);
    assert_eq!(cuMemFree_v2(b + 8), INVALID_VALUE);
    assert_eq!((cuMemFree_v2(a), cuMemFree_v2(a)), (OK, INVALID_VALUE));
    assert_eq!(device.read(a), Err(INVALID_VALUE));
    assert_eq!(device.allocate(0), Err(INVALID_VALUE));
    assert_eq!(device.allocate(1 << 40), Err(OUT_OF_MEMORY));
}

#[test]
fn calls_need_a_context_and_handles_of_their_kind() {
    let device = Device::open();
    assert_eq!(cuCtxSetCurrent(null_mut()), OK);
    assert_eq!(device.allocate(8), Err(INVALID_CONTEXT));
    assert_eq!(cuCtxSynchronize(), INVALID_CONTEXT);
    assert_eq!(cuCtxSetCurrent(device.put), INVALID_CONTEXT);
    assert_eq!(cuCtxSetCurrent(device.context), OK);
    // On another thread there is none.
    assert_eq!(std::thread::spawn(|| cuCtxSynchronize()).join().unwrap(), INVALID_CONTEXT);
    let mut function = null_mut();
    // SAFETY: the place of a handle, and names that end in a 0.
    unsafe {
        assert_eq!(cuModuleGetFunction(&mut function, device.module, c"none".as_ptr()), NOT_FOUND);
        assert_eq!(cuModuleGetFunction(&mut function, device.put, c"put".as_ptr()), INVALID_HANDLE);
        assert_eq!(cuModuleGetFunction(null_mut(), device.module, c"put".as_ptr()), INVALID_VALUE);
    }
    let address = device.allocate(8).unwrap();
    assert_eq!(device.launch(device.module, (1, 1), null_mut(), [address, 1]), INVALID_HANDLE);
    assert_eq!(device.launch(device.put, (1, 1), device.module, [address, 1]), INVALID_HANDLE);
    assert_eq!((cuModuleUnload(device.module), cuModuleUnload(device.module)), (OK, INVALID_HANDLE));
    assert_eq!(device.launch(device.put, (1, 1), null_mut(), [address, 1]), INVALID_HANDLE);
}

#[test]
fn code_is_read_as_an_assembler_reads_it() {
    let _device = Device::open();
    let mut module = null_mut();
    for (from, to) in [("add.u64", "add.s64"), ("%x<4>", "%x<2>"), (".version", "version"), ("sm_60", "sm_999")] {
        let code = CString::new(CODE.replace(from, to)).unwrap();
        let (mut log, mut options) = ([0u8; 100], [5, 6]);
        let mut values = [log.as_mut_ptr().cast(), std::ptr::without_provenance_mut::<c_void>(log.len())];
        // SAFETY: a text that ends in a 0, and two options with their values.
        let done = unsafe {
            let values = values.as_mut_ptr();
            cuModuleLoadDataEx(&mut module, code.as_ptr().cast(), 2, options.as_mut_ptr(), values)
        };
        assert!(done == INVALID_PTX || to == "sm_999" && done == 209, "{to}: {done}");
        let said = std::str::from_utf8(&log[..values[1].addr()]).unwrap();
        assert!(said.starts_with("fatal: "), "{to}: {said}");
    }
    // SAFETY: the place of a handle.
    assert_eq!(unsafe { cuModuleLoadData(&mut module, null()) }, INVALID_VALUE);
}

#[test]
fn launches_have_the_shape_of_their_entry() {
    let device = Device::open();
    let address = device.allocate(8).unwrap();
    for shape in [(0, 1), (1, 0), (1, 33), (1 << 31, 1)] {
        assert_eq!(device.launch(device.put, shape, null_mut(), [address, 1]), INVALID_VALUE, "{shape:?}");
    }
    let mut places = [null_mut(); 2];
    // SAFETY: places that are null.
    let launch = |y, places| unsafe { cuLaunchKernel(device.put, 1, y, 1, 1, 1, 1, 0, null_mut(), places, null_mut()) };
    assert_eq!((launch(1, null_mut()), launch(1, places.as_mut_ptr())), (INVALID_VALUE, INVALID_VALUE));
    assert_eq!(launch(2, places.as_mut_ptr()), NOT_SUPPORTED);
}

#[test]
fn faults_of_kernels_show_later_and_stay() {
    for (p, shape, code) in [(8, (1, 1), ILLEGAL_ADDRESS), (0, (1, 1), ILLEGAL_ADDRESS), (0, (2, 1), LAUNCH_FAILED)] {
        let device = Device::open();
        let address = device.allocate(8).unwrap();
        // Behind the memory, at no address, and two blocks at the same place.
        let p = if code == LAUNCH_FAILED { address } else { p * (address + 1) };
        assert_eq!(device.launch(device.put, shape, null_mut(), [p, 1]), OK);
        assert_eq!(device.read(address), Err(code));
        assert_eq!((device.allocate(8), cuCtxSynchronize(), cuMemFree_v2(address)), (Err(code), code, code));
        // A context opened anew is whole.
        drop(device);
        let device = Device::open();
        assert!(device.allocate(8).is_ok());
    }
}

#[test]
fn nothing_is_done_before_somebody_waits() {
    let device = Device::open();
    let address = device.allocate(8).unwrap();
    let [own, blocking] = [1, 0].map(|flags| device.stream(flags));
    assert_eq!(cuMemsetD8_v2(address, 0, 8), OK);
    assert_eq!(cuCtxSynchronize(), OK);
    // A stream that does not wait for others, nor they for it.
    assert_eq!(device.launch(device.put, (1, 1), own, [address, 7]), OK);
    assert_eq!(device.read(address), Ok(0));
    assert_eq!(cuStreamSynchronize(own), OK);
    assert_eq!(device.read(address), Ok(7));
    // One that does.
    assert_eq!(device.launch(device.put, (1, 1), blocking, [address, 8]), OK);
    assert_eq!(device.read(address), Ok(8));
    // The legacy stream comes before what follows in such a stream.
    assert_eq!(device.launch(device.put, (1, 1), null_mut(), [address, 1]), OK);
    assert_eq!(device.launch(device.more, (1, 1), blocking, [address, 1]), OK);
    assert_eq!(cuStreamSynchronize(blocking), OK);
    assert_eq!(device.read(address), Ok(2));
    // An event makes one wait for the other.
    let mut event = null_mut();
    // SAFETY: the place of a handle.
    assert_eq!(unsafe { cuEventCreate(&mut event, 0) }, OK);
    assert_eq!(device.launch(device.put, (1, 1), own, [address, 9]), OK);
    assert_eq!((cuEventRecord(event, own), cuEventQuery(event)), (OK, NOT_READY));
    assert_eq!(cuStreamWaitEvent(null_mut(), event, 0), OK);
    assert_eq!((device.read(address), cuEventQuery(event)), (Ok(9), OK));
    assert_eq!(cuStreamDestroy_v2(event), INVALID_HANDLE);
    assert_eq!((cuStreamDestroy_v2(own), cuStreamDestroy_v2(own)), (OK, INVALID_HANDLE));
}

#[test]
fn parts_of_graphs_have_the_order_they_are_given() {
    let device = Device::open();
    let address = device.allocate(8).unwrap();
    let (one, two) = (1u64, 2u64);
    let node = |graph: Handle, function: Handle, number: &u64, before: &[Handle]| {
        let mut places: [*mut c_void; 2] =
            [(&raw const address).cast_mut().cast(), (number as *const u64).cast_mut().cast()];
        let kernel = Kernel::new(function, [1, 1], places.as_mut_ptr());
        let mut node = null_mut();
        // SAFETY: a description with two arguments, and so many nodes.
        let code = unsafe { cuGraphAddKernelNode_v2(&mut node, graph, before.as_ptr(), before.len(), &kernel) };
        if code == OK { Ok(node) } else { Err(code) }
    };
    for (chained, expected) in [(true, 3), (false, 1)] {
        let (mut graph, mut executable) = (null_mut(), null_mut());
        // SAFETY: places of handles.
        unsafe {
            assert_eq!(cuGraphCreate(&mut graph, 0), OK);
            let first = node(graph, device.put, &one, &[]).unwrap();
            node(graph, device.more, &two, if chained { std::slice::from_ref(&first) } else { &[] }).unwrap();
            assert_eq!(node(graph, device.put, &one, &[device.put]), Err(INVALID_VALUE));
            assert_eq!(node(device.module, device.put, &one, &[]), Err(INVALID_HANDLE));
            assert_eq!(cuGraphInstantiateWithFlags(&mut executable, graph, 0), OK);
        }
        assert_eq!(cuGraphLaunch(graph, null_mut()), INVALID_HANDLE);
        assert_eq!((cuGraphDestroy(graph), cuGraphDestroy(graph)), (OK, INVALID_HANDLE));
        assert_eq!(cuGraphLaunch(executable, null_mut()), OK);
        assert_eq!(device.read(address), Ok(expected));
        assert_eq!(cuGraphExecDestroy(executable), OK);
        assert_eq!(cuGraphLaunch(executable, null_mut()), INVALID_HANDLE);
    }
}

#[test]
fn streams_are_captured_where_nothing_gets_in_the_way() {
    let device = Device::open();
    let address = device.allocate(8).unwrap();
    let (own, blocking) = (device.stream(1), device.stream(0));
    let (mut graph, mut executable) = (null_mut(), null_mut());
    assert_eq!(cuStreamBeginCapture_v2(null_mut(), 0), CAPTURE_UNSUPPORTED);
    assert_eq!(device.launch(device.put, (1, 1), null_mut(), [address, 5]), OK);
    assert_eq!(cuStreamBeginCapture_v2(own, 0), OK);
    assert_eq!(device.launch(device.more, (1, 1), own, [address, 1]), OK);
    // SAFETY: places of handles.
    unsafe {
        assert_eq!(cuStreamEndCapture(own, &mut graph), OK);
        assert_eq!(cuGraphInstantiateWithFlags(&mut executable, graph, 0), OK);
    }
    // What is captured is not done, and then as often as it is launched.
    assert_eq!(device.read(address), Ok(5));
    assert_eq!((cuGraphLaunch(executable, null_mut()), cuGraphLaunch(executable, null_mut())), (OK, OK));
    assert_eq!(device.read(address), Ok(7));
    // Memory cannot be asked for meanwhile, nor can anybody wait for what is captured.
    for spoil in [|d: &Device, _| d.allocate(8).unwrap_err(), |_: &Device, own| cuStreamSynchronize(own)] {
        assert_eq!(cuStreamBeginCapture_v2(own, 0), OK);
        assert_eq!(spoil(&device, own), CAPTURE_UNSUPPORTED);
        // SAFETY: the place of a handle.
        assert_eq!(unsafe { cuStreamEndCapture(own, &mut graph) }, CAPTURE_INVALIDATED);
    }
    assert_eq!(cuStreamBeginCapture_v2(blocking, 0), OK);
    assert_eq!(device.launch(device.put, (1, 1), null_mut(), [address, 5]), CAPTURE_IMPLICIT);
}
