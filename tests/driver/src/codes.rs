//! What calls return. The numbers and names are those of the driver's interface (CUDA Driver API, `CUresult`).

use std::ffi::CStr;

/// What a call returns; 0 is success.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Code(pub i32);

macro_rules! codes {
    ($($name:ident = $number:literal, $text:literal;)*) => {
        $(#[allow(dead_code)] // some are for scripts only
        pub const $name: Code = Code($number);)*

        /// Number, name with `CUDA_` in front, and text.
        static ROWS: &[(i32, &str, &CStr)] = &[$(($number, concat!("CUDA_", stringify!($name), "\0"), $text)),*];
    };
}

codes! {
    SUCCESS = 0, c"no error";
    ERROR_INVALID_VALUE = 1, c"an argument is not valid";
    ERROR_OUT_OF_MEMORY = 2, c"out of memory";
    ERROR_NOT_INITIALIZED = 3, c"the driver was not started";
    ERROR_STUB_LIBRARY = 34, c"the library is a stub, without a driver";
    ERROR_DEVICE_UNAVAILABLE = 46, c"the device is busy or unavailable";
    ERROR_NO_DEVICE = 100, c"there is no device";
    ERROR_INVALID_DEVICE = 101, c"there is no such device";
    ERROR_INVALID_CONTEXT = 201, c"no context, or one that is not valid";
    ERROR_NO_BINARY_FOR_GPU = 209, c"the code is for other devices";
    ERROR_ECC_UNCORRECTABLE = 214, c"memory has an error that cannot be corrected";
    ERROR_INVALID_PTX = 218, c"the PTX was not taken";
    ERROR_UNSUPPORTED_PTX_VERSION = 222, c"the PTX is of a newer version than the driver";
    ERROR_INVALID_HANDLE = 400, c"there is no such object";
    ERROR_NOT_FOUND = 500, c"there is no such name";
    ERROR_NOT_READY = 600, c"not done yet";
    ERROR_ILLEGAL_ADDRESS = 700, c"a kernel touched memory that is not allocated";
    ERROR_LAUNCH_OUT_OF_RESOURCES = 701, c"a launch needs more than there is";
    ERROR_LAUNCH_TIMEOUT = 702, c"a launch took too long";
    ERROR_MISALIGNED_ADDRESS = 716, c"a kernel touched an address between two numbers";
    ERROR_LAUNCH_FAILED = 719, c"a launch failed";
    ERROR_NOT_SUPPORTED = 801, c"the stand-in does not do this";
    ERROR_SYSTEM_DRIVER_MISMATCH = 803, c"driver and library are of different versions";
    ERROR_STREAM_CAPTURE_UNSUPPORTED = 900, c"this cannot be captured";
    ERROR_STREAM_CAPTURE_INVALIDATED = 901, c"the capture has failed";
    ERROR_STREAM_CAPTURE_UNMATCHED = 903, c"the stream does not capture";
    ERROR_STREAM_CAPTURE_IMPLICIT = 906, c"this would wait for a stream that captures";
    ERROR_UNKNOWN = 999, c"unknown error";
}

impl Code {
    /// Its name.
    pub fn name(self) -> Option<&'static CStr> {
        let row = ROWS.iter().find(|row| row.0 == self.0)?;
        CStr::from_bytes_with_nul(row.1.as_bytes()).ok()
    }

    /// What it means.
    pub fn text(self) -> Option<&'static CStr> {
        ROWS.iter().find(|row| row.0 == self.0).map(|row| row.2)
    }

    /// The code of a name.
    pub fn named(name: &str) -> Option<Code> {
        ROWS.iter().find(|row| row.1.trim_end_matches('\0') == name).map(|row| Code(row.0))
    }

    /// Whether a context is lost with it, so that every later call returns it too: those of which the interface says that the
    /// process can do nothing more.
    pub fn is_sticky(self) -> bool {
        matches!(self.0, 214 | 700 | 702 | 714..=719)
    }
}
