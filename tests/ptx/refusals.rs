//! What the interpreter refuses, so that what it executes is known to be what a device executes.

use nullcline::runtime::code::Entry;
use nullcline::runtime::device::Driver;

use super::interpreter::Machine;

/// An entry of a parameter `p` around some lines.
fn entry(lines: &str) -> String {
    format!(
        ".version 6.0\n.target sm_60\n.address_size 64\n.visible .entry k(\n.param .u64 p\n)\n.maxntid 256, 1, 1\n\
         .minnctapersm 1\n{{\n.reg .pred %p<3>;\n.reg .b32 %r<5>;\n.reg .b64 %x<5>;\n.reg .f64 %d<5>;\n{lines}\nret;\n}}\n"
    )
}

fn parse_fault(lines: &str) -> String {
    Machine::new(&entry(lines)).err().expect("it is not taken").0
}

/// What a launch of so many blocks of `threads` threads on 64 bytes says.
fn launch(lines: &str, (blocks, threads): (u32, u32)) -> Result<(), String> {
    let mut machine = Machine::new(&entry(lines)).unwrap();
    let address = machine.allocate(64).unwrap();
    let of = Entry { name: "k".into(), extent: 0, group: threads, shared: 0, bindings: Vec::new(), product: None };
    machine.launch(0, &of, blocks, &[address]).map_err(|fault| fault.0)
}

#[test]
fn text_that_an_assembler_refuses_is_refused() {
    assert!(Machine::new(&entry("add.rn.f64 %d1, %d2, 0d3FF0000000000000;")).is_ok());
    for (lines, why) in [
        ("ex2.approx.f64 %d1, %d2;", "ex2.approx.f64 is unknown"),
        ("add.f64 %d1, %d2, %d3;", "add.f64 is unknown"),
        ("add.rn.f64 %d1, %d2;", "has 3 operands"),
        ("add.rn.f64 %d1, %d2, %r1;", "%r1 is not declared as F64"),
        ("add.rn.f64 %d1, %d2, %d9;", "%d9 is not declared"),
        ("add.rn.f64 %d1, %d2, 0.5;", "0.5 is no F64"),
        ("bra nowhere;", "no label nowhere"),
        ("ld.param.u64 %x1, [q];", "no such parameter"),
        ("add.u32 %r1, %r2, 4294967296;", "is no B32"),
    ] {
        let fault = parse_fault(lines);
        assert!(fault.contains(why), "{lines}: {fault}");
    }
}

const ADDRESS: &str =
    "ld.param.u64 %x1, [p];\nmov.u32 %r1, %tid.x;\nmul.wide.u32 %x2, %r1, 4;\nadd.u64 %x2, %x1, %x2;\n";

#[test]
fn accesses_outside_of_memory_are_refused() {
    let store = format!("{ADDRESS}st.global.u32 [%x2], %r1;");
    assert_eq!(launch(&store, (1, 16)), Ok(()));
    assert!(launch(&store, (1, 17)).unwrap_err().contains("outside of memory"));
    // Between two numbers.
    assert!(
        launch(&format!("{ADDRESS}ld.global.u64 %x3, [%x1+4];"), (1, 1)).unwrap_err().contains("between two numbers")
    );
}

#[test]
fn threads_that_race_are_found() {
    let same = format!("{ADDRESS}st.global.u32 [%x1], %r1;");
    assert_eq!(launch(&same, (1, 1)), Ok(()));
    for shape in [(1, 2), (2, 1)] {
        assert!(launch(&same, shape).unwrap_err().contains("a race"), "{shape:?}");
    }
    // A neighbour is read without waiting for it, and after all have waited.
    let before = format!("{ADDRESS}st.global.u32 [%x2], %r1;\n");
    let read = "xor.b32 %r2, %r1, 1;\nmul.wide.u32 %x3, %r2, 4;\nadd.u64 %x3, %x1, %x3;\nld.global.u32 %r3, [%x3];";
    assert!(launch(&format!("{before}{read}"), (1, 2)).unwrap_err().contains("a race"));
    assert_eq!(launch(&format!("{before}bar.sync 0;\n{read}"), (1, 2)), Ok(()));
    // Two blocks cannot wait for each other.
    let first = format!("{ADDRESS}ld.global.u32 %r3, [%x1];\nbar.sync 0;\nst.global.u32 [%x1], %r3;");
    assert!(launch(&first, (2, 1)).unwrap_err().contains("a race"));
}

#[test]
fn barriers_that_not_all_threads_reach_are_found() {
    let some = "mov.u32 %r1, %tid.x;\nsetp.ge.u32 %p1, %r1, 1;\n@%p1 bra past;\nbar.sync 0;\npast:";
    assert_eq!(launch(some, (1, 1)), Ok(()));
    assert!(launch(some, (1, 2)).unwrap_err().contains("do not reach the barrier"));
    let different = "mov.u32 %r1, %tid.x;\nsetp.ge.u32 %p1, %r1, 1;\n@%p1 bra past;\nbar.sync 0;\nbra end;\npast:\n\
                     bar.sync 0;\nend:";
    assert!(launch(different, (1, 2)).unwrap_err().contains("different barriers"));
}
