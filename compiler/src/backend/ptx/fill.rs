//! Entries around the kernels of a step: those that fill the buffers of inputs and random numbers, and the one that
//! gathers what is recorded.

use nullcline_runtime::code::{Binding, Entry};

use super::body::Source;
use super::code::{Class, Code};
use super::feeds::{column, random, sample, unit};
use super::gather::Constants;
use crate::kernel::ir::BufferId;

/// The buffer of an input or, after those, of a source of random numbers.
pub(super) fn buffer(source: &Source<'_>, index: usize) -> BufferId {
    let inputs = &source.module.inputs;
    inputs.get(index).map_or_else(|| source.module.randoms[index - inputs.len()].0, |input| input.0)
}

/// Fills one element of it.
pub(super) fn element(
    code: &mut Code,
    source: &Source<'_>,
    constants: &mut Constants,
    index: usize,
    element: &str,
    step: &str,
) {
    let inputs = source.module.inputs.len();
    let value = if index < inputs {
        let column = column(code, source, constants, index, element);
        sample(code, source, index, &column, step)
    } else {
        let unit = unit(code, source, constants, index - inputs, element);
        random(code, source, index - inputs, &unit, step)
    };
    let buffer = buffer(source, index);
    let base = source.pointer(code, buffer, true);
    let address = code.element(&base, element, source.float.size());
    code.op(&source.access("st"), &[&format!("[{address}]"), &value]);
    code.remark(source.name(buffer));
}

/// The entry that fills it.
pub(super) fn entry(source: &Source<'_>, constants: &mut Constants, index: usize) -> (String, Entry) {
    let inputs = source.module.inputs.len();
    let (what, name) = if index < inputs {
        ("sample", format!("feed_{index}"))
    } else {
        ("random numbers", format!("draw_{}", index - inputs))
    };
    let buffer = buffer(source, index);
    let extent = source.module.buffers[buffer.index()].len;
    let about = format!("{what} of the step for {}: one thread for each of {extent} elements", source.name(buffer));
    let mut code = Code::new(name, vec![about]);
    let (own, done) = (code.thread(), code.label("done"));
    let outside = code.set(Class::Predicate, "setp.ge.u32", &[&own, &extent.to_string()]);
    code.branch(Some(&outside), &done);
    let step = code.first();
    element(&mut code, source, constants, index, &own, &step);
    code.place(&done);
    code.finish(extent)
}

/// The entry that copies the numbers at `count` addresses into row `first` of a block.
pub(super) fn record(source: &Source<'_>) -> (String, Entry) {
    let about = "row `first` of a block of recorded rows: one thread for each of `count` addresses";
    let mut code = Code::new("record".to_string(), vec![about.to_string()]);
    let (own, done) = (code.thread(), code.label("done"));
    let (count, row) = (code.count(), code.first());
    let wide = code.set(Class::Bits64, "cvt.u64.u32", &[&own]);
    let outside = code.set(Class::Predicate, "setp.ge.u64", &[&wide, &count]);
    code.branch(Some(&outside), &done);
    let (addresses, rows) = (code.pointer(Binding::Addresses, "addresses"), code.pointer(Binding::Rows, "rows"));
    let place = code.element(&addresses, &own, 8);
    let generic = code.set(Class::Bits64, "ld.global.u64", &[&format!("[{place}]")]);
    let address = code.set(Class::Bits64, "cvta.to.global.u64", &[&generic]);
    let value = source.load(&mut code, &address);
    let place = code.set(Class::Bits64, "mad.lo.u64", &[&row, &count, &wide]);
    let place = code.set(Class::Bits64, "mad.lo.u64", &[&place, &source.float.size().to_string(), &rows]);
    code.op(&source.access("st"), &[&format!("[{place}]"), &value]);
    code.place(&done);
    code.finish(0)
}
