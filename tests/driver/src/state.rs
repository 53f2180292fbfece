//! All that the library knows, behind one lock, and what every call does first.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::codes::{self, Code};
use crate::context::{Context, Object};
use crate::script::Script;

/// A device with its primary context.
#[derive(Default)]
pub struct Device {
    /// How often the context was retained and not released.
    pub retained: usize,
    pub context: Option<Context>,
}

pub struct State {
    pub script: Script,
    calls: HashMap<&'static str, u64>,
    pub started: bool,
    pub devices: Vec<Device>,
    last: usize,
}

static STATE: Mutex<Option<State>> = Mutex::new(None);

thread_local! {
    /// The contexts of this thread; the last one is current.
    pub static CURRENT: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// The handle of a device's primary context, which is the same each time.
fn primary(device: usize) -> usize {
    0xC000 + 16 * device
}

impl State {
    fn new() -> State {
        let script = Script::from_environment();
        let devices = (0..script.devices).map(|_| Device::default()).collect();
        State { script, calls: HashMap::new(), started: false, devices, last: 0xD000 }
    }

    /// A handle that was never given before.
    pub fn handle(&mut self) -> usize {
        self.last += 16;
        self.last
    }

    /// A device by its number.
    pub fn device(&mut self, device: i32) -> Result<(usize, &mut Device), Code> {
        let index = usize::try_from(device).map_err(|_| codes::ERROR_INVALID_DEVICE)?;
        Ok((index, self.devices.get_mut(index).ok_or(codes::ERROR_INVALID_DEVICE)?))
    }

    /// Opens a device, or counts that it is open once more.
    pub fn retain(&mut self, device: i32) -> Result<usize, Code> {
        let memory = self.script.memory;
        let (index, device) = self.device(device)?;
        device.retained += 1;
        let context = device.context.get_or_insert_with(|| Context::new(primary(index), memory));
        Ok(context.handle)
    }

    /// Closes a device that was opened once.
    pub fn release(&mut self, device: i32) -> Result<(), Code> {
        let (_, device) = self.device(device)?;
        device.retained = device.retained.checked_sub(1).ok_or(codes::ERROR_INVALID_CONTEXT)?;
        if device.retained == 0
            && let Some(context) = device.context.take()
        {
            self.script.log(&format!("released: {}", context.left()));
        }
        Ok(())
    }

    /// The context that is current on this thread, with the script.
    pub fn current(&mut self) -> Result<(&Script, &mut Context), Code> {
        let handle = CURRENT.with_borrow(|stack| stack.last().copied()).ok_or(codes::ERROR_INVALID_CONTEXT)?;
        let mut contexts = self.devices.iter_mut().filter_map(|device| device.context.as_mut());
        let context = contexts.find(|context| context.handle == handle).ok_or(codes::ERROR_INVALID_CONTEXT)?;
        match context.lost {
            Some(code) => Err(code),
            None => Ok((&self.script, context)),
        }
    }

    /// Adds an object to the current context.
    pub fn add(&mut self, object: Object) -> Result<usize, Code> {
        let handle = self.handle();
        self.current()?.1.objects.insert(handle, object);
        Ok(handle)
    }

    fn begin(&mut self, name: &'static str) -> Result<(), Code> {
        let count = self.calls.entry(name).or_default();
        *count += 1;
        let Some(code) = self.script.fault(name, *count) else { return Ok(()) };
        if code.is_sticky()
            && let Ok((_, context)) = self.current()
        {
            context.lost = Some(code);
        }
        Err(code)
    }
}

/// A call by its name. What it refuses of itself goes into the log, so that refusals show that nobody looks at.
pub fn call(name: &'static str, what: impl FnOnce(&mut State) -> Result<(), Code>) -> i32 {
    let mut lock = STATE.lock().unwrap_or_else(PoisonError::into_inner);
    let state = lock.get_or_insert_with(State::new);
    if let Err(code) = state.begin(name) {
        return code.0;
    }
    let started = state.started || ["cuInit", "cuDriverGetVersion"].contains(&name);
    let done = if started { what(state) } else { Err(codes::ERROR_NOT_INITIALIZED) };
    match done {
        Ok(()) => codes::SUCCESS.0,
        Err(code) => {
            let known = code.name().map_or(code.0.to_string(), |name| name.to_string_lossy().into_owned());
            state.script.log(&format!("refused: {name}: {known}"));
            code.0
        }
    }
}
