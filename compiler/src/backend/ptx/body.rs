//! Pointwise bodies, and where they find what they load and store.

use std::collections::HashMap;

use nullcline_runtime::code::{Binding, Marks};

use super::code::{Class, Code, Float};
use super::spelling::{self, Value};
use crate::kernel::ir::{Body, BufferId, BufferRole, Index, Module, Named, Precision, Stmt, ValueOp};

/// What an entry is made from.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub module: &'a Module,
    pub float: Float,
    /// Whether approximations are welcome.
    pub fast: bool,
    /// Where recorded events are marked.
    pub marks: Option<&'a Marks>,
}

impl Source<'_> {
    pub fn name(&self, buffer: BufferId) -> &str {
        &self.module.buffers[buffer.index()].name
    }

    /// The values of equations in a body of the module.
    fn named(&self, statements: &[Stmt]) -> &[Named] {
        let own = |body: &Body| matches!(body, Body::Pointwise(own) if std::ptr::eq(own.as_ptr(), statements.as_ptr()));
        let kernel = self.module.kernels.iter().position(|kernel| own(&kernel.body));
        kernel.map_or(&[], |kernel| self.module.named_in(kernel))
    }

    /// The register with a buffer's address.
    pub fn pointer(&self, code: &mut Code, buffer: BufferId, written: bool) -> String {
        code.pointer(Binding::Buffer { index: buffer.0, written }, self.name(buffer))
    }

    /// `ld.global.f64`, or the like.
    pub fn access(&self, what: &str) -> String {
        format!("{what}.global.f{}", self.float.width())
    }

    /// Marks that an element had an event in a step, if the value it stores in a buffer says so and is recorded.
    pub fn mark(&self, code: &mut Code, (buffer, element): (BufferId, &str), value: &str, step: &str) {
        let Some((marks, first)) = self.marks.and_then(|marks| Some((marks, marks.first(buffer.0)?))) else { return };
        let (b32, unmarked) = (Class::Bits32, code.label("unmarked"));
        let kind = format!("setp.eq.f{}", self.float.width());
        let none = code.set(Class::Predicate, &kind, &[value, &self.float.immediate(0.0)]);
        code.branch(Some(&none), &unmarked);
        let base = code.pointer(Binding::Marks, "marks");
        let row = code.set(b32, "cvt.u32.u64", &[step]);
        let row = code.set(b32, "and.b32", &[&row, &(marks.rows - 1).to_string()]);
        let row = code.set(b32, "mad.lo.u32", &[&row, &marks.words.to_string(), &first.to_string()]);
        let word = code.set(b32, "shr.u32", &[element, "5"]);
        let word = code.set(b32, "add.u32", &[&word, &row]);
        let bit = code.set(b32, "and.b32", &[element, "31"]);
        let bit = code.set(b32, "shl.b32", &["1", &bit]);
        let address = code.element(&base, &word, 4);
        code.op("red.global.or.b32", &[&format!("[{address}]"), &bit]);
        code.remark(&format!("an event of {}", self.name(buffer)));
        code.place(&unmarked);
    }

    pub fn load(&self, code: &mut Code, address: &str) -> String {
        code.set(self.float.class(), &self.access("ld"), &[&format!("[{address}]")])
    }
}

/// Where a body finds numbers: loads give registers.
pub(super) trait Places {
    /// The value of an element of a buffer.
    fn load(&mut self, code: &mut Code, buffer: BufferId, index: Index) -> String;
    /// The value of an element of the slot that was written `steps` steps ago.
    fn past(&mut self, code: &mut Code, buffer: BufferId, index: Index, steps: u32) -> String;
    /// Keeps a value, of a history in the current slot.
    fn store(&mut self, code: &mut Code, buffer: BufferId, value: &str);
    /// The number of the step.
    fn step(&mut self, code: &mut Code) -> String;
}

/// Writes a body for one element.
pub(super) fn body(code: &mut Code, source: &Source<'_>, places: &mut dyn Places, statements: &[Stmt]) {
    let float = source.float;
    let mut values: Vec<Value> = Vec::with_capacity(statements.len());
    let named = source.named(statements);
    for statement in statements {
        match statement {
            Stmt::Let(id, op) => {
                let written = code.length();
                let value = match op {
                    ValueOp::Constant(value) => Value::number(float.immediate(*value)),
                    ValueOp::Time => {
                        let step = places.step(code);
                        Value::number(time(code, float, &step))
                    }
                    ValueOp::StepSize => {
                        let dt = code.dt();
                        Value::number(rounded(code, float, dt))
                    }
                    ValueOp::Load { buffer, index } => Value::number(places.load(code, *buffer, *index)),
                    ValueOp::Past { buffer, index, steps } => Value::number(places.past(code, *buffer, *index, *steps)),
                    ValueOp::Call(prim, args) => {
                        // A value that is used twice in a call is one value.
                        let mut own: Vec<Value> = args.iter().map(|a| values[a.index()].clone()).collect();
                        let mut operands: Vec<&mut Value> = own.iter_mut().collect();
                        let result = spelling::call(code, float, source.fast, prim, &mut operands);
                        args.iter().zip(own).for_each(|(a, known)| values[a.index()].learn(known));
                        result
                    }
                };
                if let Ok(equation) = named.binary_search_by_key(&id.index(), |n| n.value.index())
                    && code.length() > written
                {
                    code.remark(&named[equation].equation);
                }
                values.push(value);
            }
            Stmt::Store(buffer, value) => {
                let value = values[value.index()].as_number(code, float);
                places.store(code, *buffer, &value);
            }
        }
    }
}

/// `step * dt`
fn time(code: &mut Code, float: Float, step: &str) -> String {
    let dt = code.dt();
    let step = code.set(Class::F64, "cvt.rn.f64.u64", &[step]);
    let time = code.set(Class::F64, "mul.rn.f64", &[&step, &dt]);
    code.remark("t");
    rounded(code, float, time)
}

/// A number in double precision, rounded to that of the module.
pub(super) fn rounded(code: &mut Code, float: Float, value: String) -> String {
    match float.precision {
        Precision::F64 => value,
        Precision::F32 => code.set(Class::F32, &format!("cvt.rn.{}.f64", float.rounding()), &[&value]),
    }
}

/// Numbers of histories: where the slots of a step begin.
#[derive(Default)]
pub(super) struct Rings {
    /// Current slot by ring length.
    current: HashMap<usize, String>,
}

impl Rings {
    /// The slot written `steps` steps before `step` in a ring of `slots`.
    fn slot(&mut self, code: &mut Code, (slots, step): (usize, &str), steps: u32) -> String {
        let ring = slots.to_string();
        let current = match self.current.get(&slots) {
            Some(current) => current.clone(),
            None => {
                let current = remainder(code, step, slots);
                code.remark(&format!("current of {slots} slots"));
                self.current.insert(slots, current.clone());
                current
            }
        };
        if (steps as usize).is_multiple_of(slots) {
            return current;
        }
        let steps = (steps as usize % slots).to_string();
        let back = code.set(Class::Bits32, "sub.u32", &[&current, &steps]);
        let wrapped = code.set(Class::Bits32, "add.u32", &[&back, &ring]);
        let ahead = code.set(Class::Predicate, "setp.lt.u32", &[&current, &steps]);
        code.set(Class::Bits32, "selp.b32", &[&wrapped, &back, &ahead])
    }

    /// Begins to count the current slot of a ring along with the steps, see [`Rings::turn`].
    pub fn start(&mut self, code: &mut Code, ring: (usize, &str)) {
        self.slot(code, ring, 0);
    }

    /// Goes to the next slot of every ring.
    pub fn turn(&mut self, code: &mut Code) {
        let mut rings: Vec<(usize, String)> = self.current.iter().map(|(slots, r)| (*slots, r.clone())).collect();
        rings.sort();
        for (slots, current) in rings {
            code.op("add.u32", &[&current, &current, "1"]);
            let around = code.set(Class::Predicate, "setp.eq.u32", &[&current, &slots.to_string()]);
            code.op("selp.b32", &[&current, "0", &current, &around]);
        }
    }

    /// The address of an element of a slot, from that of the element in the first slot.
    pub fn address(
        &mut self,
        code: &mut Code,
        (slots, step): (usize, &str),
        (first, stride): (&str, u64),
        steps: u32,
    ) -> String {
        let slot = self.slot(code, (slots, step), steps);
        slot_address(code, &slot, (first, stride))
    }
}

/// The address of an element of a slot, from that of the element in the first slot and the bytes from slot to slot.
pub(super) fn slot_address(code: &mut Code, slot: &str, (first, stride): (&str, u64)) -> String {
    if u32::try_from(stride).is_ok() {
        return code.address(first, slot, &stride.to_string());
    }
    let slot = code.set(Class::Bits64, "cvt.u64.u32", &[slot]);
    code.set(Class::Bits64, "mad.lo.u64", &[&slot, &stride.to_string(), first])
}

/// Writes `step % slots`. Processors have no division of integers; for one of 64 bits the assembler calls a function of some
/// seventy instructions. With the reciprocal `m = (2^64 - 1) / slots`, rounded down, the quotient `m step / 2^64`, rounded
/// down, is at most 1 too small: `m > 2^64 / slots - 1`, so it lacks less than `step / 2^64 < 1` before it is rounded.
pub(super) fn remainder(code: &mut Code, step: &str, slots: usize) -> String {
    let (b32, b64) = (Class::Bits32, Class::Bits64);
    if slots >= 1 << 31 {
        // Twice as many do not fit 32 bits.
        let rest = code.set(b64, "rem.u64", &[step, &slots.to_string()]);
        return code.set(b32, "cvt.u32.u64", &[&rest]);
    }
    let low = code.set(b32, "cvt.u32.u64", &[step]);
    if slots.is_power_of_two() {
        return code.set(b32, "and.b32", &[&low, &(slots - 1).to_string()]);
    }
    let ring = slots.to_string();
    let quotient = code.set(b64, "mul.hi.u64", &[step, &reciprocal(slots as u64).to_string()]);
    let quotient = code.set(b32, "cvt.u32.u64", &[&quotient]);
    let taken = code.set(b32, "mul.lo.u32", &[&quotient, &ring]);
    let rest = code.set(b32, "sub.u32", &[&low, &taken]);
    let less = code.set(b32, "sub.u32", &[&rest, &ring]);
    let small = code.set(Class::Predicate, "setp.lt.u32", &[&rest, &ring]);
    code.set(b32, "selp.b32", &[&rest, &less, &small])
}

fn reciprocal(slots: u64) -> u64 {
    u64::MAX / slots
}

/// Numbers in global memory.
pub(super) struct Memory<'a> {
    source: Source<'a>,
    /// Register with the kernel's element.
    element: String,
    /// Register with the step.
    step: Option<String>,
    rings: Rings,
    /// Addresses of elements in the first slot of their buffers.
    addresses: HashMap<(BufferId, Index), String>,
    /// Buffers of one element that are in registers.
    pub given: HashMap<BufferId, String>,
}

impl<'a> Memory<'a> {
    /// The memory as seen by the thread of an element. Without a register for the step it is that of the launch.
    pub fn new(source: Source<'a>, element: String, step: Option<String>) -> Memory<'a> {
        let (rings, addresses, given) = (Rings::default(), HashMap::new(), HashMap::new());
        Memory { source, element, step, rings, addresses, given }
    }

    /// The same with some buffers of one element in registers.
    pub fn with(self, given: HashMap<BufferId, String>) -> Memory<'a> {
        Memory { given, ..self }
    }

    fn address(&mut self, code: &mut Code, buffer: BufferId, index: Index, written: bool) -> String {
        let base = self.source.pointer(code, buffer, written);
        if index == Index::Zero {
            return base;
        }
        if let Some(address) = self.addresses.get(&(buffer, index)) {
            return address.clone();
        }
        let address = code.element(&base, &self.element, self.source.float.size());
        self.addresses.insert((buffer, index), address.clone());
        address
    }

    fn slot(&mut self, code: &mut Code, buffer: BufferId, first: &str, steps: u32) -> String {
        let module = self.source.module;
        let slots = module.slots(buffer);
        let stride = module.buffers[buffer.index()].len as u64 * u64::from(self.source.float.size());
        let step = self.step(code);
        self.rings.address(code, (slots, &step), (first, stride), steps)
    }
}

impl Places for Memory<'_> {
    fn load(&mut self, code: &mut Code, buffer: BufferId, index: Index) -> String {
        if let Some(value) = self.given.get(&buffer) {
            return value.clone();
        }
        let address = self.address(code, buffer, index, false);
        let value = self.source.load(code, &address);
        code.remark(self.source.name(buffer));
        value
    }

    fn past(&mut self, code: &mut Code, buffer: BufferId, index: Index, steps: u32) -> String {
        let first = self.address(code, buffer, index, false);
        let address = self.slot(code, buffer, &first, steps);
        let value = self.source.load(code, &address);
        code.remark(&format!("{}, {steps} steps ago", self.source.name(buffer)));
        value
    }

    fn store(&mut self, code: &mut Code, buffer: BufferId, value: &str) {
        let mut address = self.address(code, buffer, Index::Element, true);
        if matches!(self.source.module.buffers[buffer.index()].role, BufferRole::History(_)) {
            address = self.slot(code, buffer, &address, 0);
        }
        code.op(&self.source.access("st"), &[&format!("[{address}]"), value]);
        code.remark(self.source.name(buffer));
        let step = self.step(code);
        self.source.mark(code, (buffer, &self.element), value, &step);
    }

    fn step(&mut self, code: &mut Code) -> String {
        self.step.clone().unwrap_or_else(|| code.first())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_with_the_reciprocal_is_the_quotient_or_one_less() {
        let edges = |n: u64| [n.saturating_sub(1), n, n.saturating_add(1)];
        for slots in [3, 5, 6, 7, 10, 100, 641, 4097, 999_999_937, (1 << 31) - 1] {
            let multiples = [1, 2, 3, 1 << 20, 1 << 31, u64::MAX / slots / 2, u64::MAX / slots - 1, u64::MAX / slots];
            let steps = multiples.iter().flat_map(|n| edges(n * slots)).chain([0, 1, 1 << 32, 1 << 63, u64::MAX]);
            for step in steps {
                let quotient = (u128::from(step) * u128::from(reciprocal(slots))) >> 64;
                let rest = (step as u32).wrapping_sub((quotient as u32).wrapping_mul(slots as u32));
                assert!(u64::from(rest) < 2 * slots, "{step} % {slots}");
                let rest = u64::from(rest);
                assert_eq!(if rest < slots { rest } else { rest - slots }, step % slots, "{step} % {slots}");
            }
        }
    }
}
