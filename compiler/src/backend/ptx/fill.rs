//! Entries before the kernels of a step, which fill the buffers of inputs and random numbers.

use nullcline_runtime::code::Entry;

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
