//! Modules: code that the driver compiles.

use std::ffi::{CStr, c_char, c_void};
use std::sync::Arc;

use super::{Handle, give, give_text, handle};
use crate::codes::{self, Code};
use crate::context::Object;
use crate::interpreter::parse::parse;
use crate::script::Script;
use crate::state::call;

/// The options that say where words about faults go: buffer, and its size.
const LOG: (i32, i32) = (5, 6);

/// Most bytes that the threads of a block share without being asked for more at the launch.
const MOST_SHARED: usize = 48 << 10;

/// Reads code; beside a fault, what is said of it.
fn compile(script: &Script, text: &[u8]) -> Result<crate::interpreter::Code, (Code, String)> {
    let text = std::str::from_utf8(text).map_err(|e| (codes::ERROR_INVALID_PTX, e.to_string()))?;
    let code = parse(text).map_err(|why| (codes::ERROR_INVALID_PTX, format!("fatal: {why}")))?;
    let ((major, minor), newest) = (code.version, script.ptx());
    if code.version > newest {
        let said = format!("fatal: .version {major}.{minor} is newer than {}.{}", newest.0, newest.1);
        return Err((codes::ERROR_UNSUPPORTED_PTX_VERSION, said));
    }
    if code.sm > script.sm {
        let said = format!("fatal: .target sm_{} does not run on sm_{}", code.sm, script.sm);
        return Err((codes::ERROR_NO_BINARY_FOR_GPU, said));
    }
    if let Some(function) = code.functions.iter().find(|f| f.shared() > MOST_SHARED) {
        let said = format!("error: entry `{}` uses {} bytes of shared memory", function.name(), function.shared());
        return Err((codes::ERROR_INVALID_PTX, said));
    }
    Ok(code)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuModuleLoadDataEx(
    module: *mut Handle,
    image: *const c_void,
    count: u32,
    options: *mut i32,
    values: *mut *mut c_void,
) -> i32 {
    call("cuModuleLoadDataEx", |state| {
        state.current()?.1.forbid_captures(false, codes::ERROR_STREAM_CAPTURE_UNSUPPORTED)?;
        if image.is_null() || count > 0 && (options.is_null() || values.is_null()) {
            return Err(codes::ERROR_INVALID_VALUE);
        }
        // SAFETY: as the interface says (see the top of `abi`): a text that ends in a 0, and `count` options with values.
        let (text, given) = unsafe {
            let given = (0..count as usize).map(|i| (options.add(i).read(), values.add(i)));
            (CStr::from_ptr(image.cast::<c_char>()).to_bytes(), given.collect::<Vec<_>>())
        };
        if given.iter().any(|(option, _)| ![LOG.0, LOG.1].contains(option)) {
            return Err(codes::ERROR_NOT_SUPPORTED);
        }
        let place = |wanted: i32| given.iter().find(|(option, _)| *option == wanted).map(|(_, value)| *value);
        match compile(&state.script, text) {
            Ok(code) => {
                let added = state.add(Object::Module(Arc::new(code)))?;
                if let Some(size) = place(LOG.1) {
                    // SAFETY: the place of the value of an option.
                    unsafe { size.write(handle(0)) };
                }
                // SAFETY: as above.
                unsafe { give(module, handle(added)) }
            }
            Err((code, said)) => {
                if let (Some(buffer), Some(size)) = (place(LOG.0), place(LOG.1)) {
                    // SAFETY: the value of the one is a buffer, that of the other its size in place of an address.
                    unsafe {
                        let written = give_text(buffer.read().cast(), size.read().addr(), &said)?;
                        size.write(handle(written));
                    }
                }
                Err(code)
            }
        }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuModuleLoadData(module: *mut Handle, image: *const c_void) -> i32 {
    // SAFETY: as above, without options.
    unsafe { cuModuleLoadDataEx(module, image, 0, std::ptr::null_mut(), std::ptr::null_mut()) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuModuleGetFunction(function: *mut Handle, module: Handle, name: *const c_char) -> i32 {
    call("cuModuleGetFunction", |state| {
        let number = module.addr();
        let Some(Object::Module(code)) = state.current()?.1.objects.get(&number) else {
            return Err(codes::ERROR_INVALID_HANDLE);
        };
        if name.is_null() {
            return Err(codes::ERROR_INVALID_VALUE);
        }
        // SAFETY: a name that ends in a 0.
        let name = unsafe { CStr::from_ptr(name) }.to_bytes();
        let index = code.functions.iter().position(|f| f.name().as_bytes() == name);
        let found = Object::Function { module: number, index: index.ok_or(codes::ERROR_NOT_FOUND)? };
        let added = state.add(found)?;
        // SAFETY: as above.
        unsafe { give(function, handle(added)) }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuModuleUnload(module: Handle) -> i32 {
    call("cuModuleUnload", |state| {
        let (script, context) = state.current()?;
        let number = module.addr();
        if !matches!(context.objects.get(&number), Some(Object::Module(_))) {
            return Err(codes::ERROR_INVALID_HANDLE);
        }
        context.finish_all(script)?;
        context.objects.remove(&number);
        context.objects.retain(|_, object| !matches!(object, Object::Function { module, .. } if *module == number));
        Ok(())
    })
}
