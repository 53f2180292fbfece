//! The entry that runs many steps of a network: its invocations take turns on the elements of each kernel, and wait for each
//! other behind it.

use std::fmt::Write;

use nullcline_runtime::code::Limits;

use super::GROUP;
use super::entry::{Frame, Printer};
use crate::kernel::ir::{Body, BufferId, Stmt};
use crate::kernel::many::Groups;

/// Invocations of a group with more elements than [`GROUP`]: what every device has (W3C, WebGPU, section 3.6.2:
/// `maxComputeInvocationsPerWorkgroup`).
pub const LARGE_GROUP: u32 = 256;

impl Printer<'_> {
    /// Prints the entry for a module whose parts have a group each. There is none where a connection is in several pieces,
    /// where it would take more bindings than there are, or where the device is better without.
    pub fn together(&mut self, groups: &Groups, limits: &Limits) -> Option<u32> {
        let module = self.module;
        if groups.largest * groups.count() > limits.together {
            return None;
        }
        let kernels = || module.step.iter().filter(|k| !groups.scalar.contains(k)).map(|k| &module.kernels[*k]);
        let scalars = || {
            groups.scalar.iter().filter_map(|k| match &module.kernels[*k].body {
                Body::Pointwise(body) => Some(&body[..]),
                _ => None,
            })
        };
        let stored = scalars().flatten().filter_map(|stmt| match stmt {
            Stmt::Store(buffer, _) => Some(*buffer),
            Stmt::Let(..) => None,
        });
        if kernels().any(|kernel| self.pieces(kernel).is_some_and(|pieces| pieces.len() > 1)) {
            return None;
        }
        let size = (groups.largest.next_power_of_two()).clamp(GROUP as usize, LARGE_GROUP as usize) as u32;
        let [step, row, element] = ["step", "row", "i"].map(str::to_string);
        let stored: Vec<BufferId> = stored.collect();
        let registers = groups.common.iter().chain(&stored).map(|b| (*b, format!("b{}", b.0))).collect();
        let mut frame = Frame { step, row, element: "0u".to_string(), registers };
        let mut text = String::new();
        if groups.count() > 1 {
            text += "    let part = group.y * groups.x + group.x;\n";
        }
        text += "    for (var k = 0u; k < clock.count; k++) {\n        let step = clock.step + k;\n        \
                 let row = clock.row + k;\n";
        text += &self.fed(&groups.common.iter().copied().collect(), &frame);
        stored.iter().for_each(|buffer| _ = writeln!(text, "        var b{} = real(0);", buffer.0));
        for body in scalars() {
            _ = write!(text, "        {{\n{}        }}\n", self.body(body, &frame, "            "));
        }
        frame.element = element;
        self.fills(&frame, &|buffer| groups.own.contains(&buffer), &mut |_, name, extent, body| {
            in_turns(&mut text, (name, extent), (groups, size), body);
        });
        if !groups.own.is_empty() {
            text += "        storageBarrier();\n";
        }
        for kernel in kernels() {
            let piece = self.pieces(kernel).and_then(|pieces| pieces.first());
            let body = self.element(kernel, piece, &frame);
            in_turns(&mut text, (&kernel.name, kernel.extent), (groups, size), &body);
            text += "        storageBarrier();\n";
        }
        text += "    }\n";
        if self.bound() > limits.bindings {
            self.drop_entry();
            return None;
        }
        Some(self.finish_entry("steps", (groups.count() * size as usize, size), &text))
    }
}

/// Code for each element of an index set that falls to an invocation.
fn in_turns(text: &mut String, (name, extent): (&str, usize), (groups, size): (&Groups, u32), body: &str) {
    let (first, end) = match (groups.count(), groups.share(extent)) {
        (1, _) => ("local".to_string(), format!("{extent}u")),
        (_, share) => (format!("part * {share}u + local"), format!("min((part + 1u) * {share}u, {extent}u)")),
    };
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    _ = writeln!(text, "        // {name}\n        for (var i = {first}; i < {end}; i += {size}u) {{");
    body.lines().for_each(|line| _ = writeln!(text, "        {line}"));
    *text += "        }\n";
}
