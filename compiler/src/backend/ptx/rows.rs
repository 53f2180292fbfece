//! The part of an entry that records: rows between the steps it runs.
//!
//! What is recorded, and where it lies, comes from [`Binding::Plan`], column by column and sorted by who computes it. An
//! owner copies its columns itself, so no launch has to wait for another one.

use nullcline_runtime::code::Binding;

use super::body::Source;
use super::code::{Class, Code};

/// A row while it is recorded.
pub(super) struct Row {
    /// Address of the row.
    row: String,
    bytes: String,
    /// The columns of the owner: the first, the one behind the last.
    columns: [String; 2],
    /// Address of the first column of the plan.
    planned: String,
    /// Steps from one row to the next.
    pub every: String,
}

impl Row {
    /// Reads the plan of one of so many owners.
    pub fn new(code: &mut Code, owners: usize, owner: &str) -> Row {
        let b64 = Class::Bits64;
        let (plan, rows) = (code.pointer(Binding::Plan, "plan"), code.pointer(Binding::Rows, "rows"));
        let row = code.set(b64, "mov.u64", &[&rows]);
        let every = code.set(b64, "ld.global.u64", &[&format!("[{plan}]")]);
        code.remark("steps from row to row");
        let bytes = code.set(b64, "ld.global.u64", &[&format!("[{plan}+8]")]);
        code.remark("bytes of a row");
        let own = code.element(&plan, owner, 8);
        let columns = [16, 24].map(|at| code.set(b64, "ld.global.u64", &[&format!("[{own}+{at}]")]));
        let planned = code.set(b64, "add.u64", &[&plan, &(16 + 8 * (owners + 1)).to_string()]);
        Row { row, bytes, columns, planned, every }
    }

    /// Copies the columns of the owner from `first` (of them) on, by `stride`, into the row.
    pub fn copy(&self, code: &mut Code, source: &Source<'_>, first: Option<&str>, stride: u32) {
        let b64 = Class::Bits64;
        let (next, done) = (code.label("column"), code.label("recorded"));
        let [from, to] = &self.columns;
        let column = match first {
            Some(first) => {
                let first = code.set(b64, "cvt.u64.u32", &[first]);
                code.set(b64, "add.u64", &[from, &first])
            }
            None => code.set(b64, "mov.u64", &[from]),
        };
        code.place(&next);
        let outside = code.set(Class::Predicate, "setp.ge.u64", &[&column, to]);
        code.branch(Some(&outside), &done);
        let planned = code.set(b64, "mad.lo.u64", &[&column, "16", &self.planned]);
        let generic = code.set(b64, "ld.global.u64", &[&format!("[{planned}]")]);
        let address = code.set(b64, "cvta.to.global.u64", &[&generic]);
        let value = source.load(code, &address);
        let place = code.set(b64, "ld.global.u64", &[&format!("[{planned}+8]")]);
        let place = code.set(b64, "mad.lo.u64", &[&place, &source.float.size().to_string(), &self.row]);
        code.op(&source.access("st"), &[&format!("[{place}]"), &value]);
        code.op("add.u64", &[&column, &column, &stride.to_string()]);
        code.branch(None, &next);
        code.place(&done);
    }

    /// Goes to the next row.
    pub fn turn(&self, code: &mut Code) {
        code.op("add.u64", &[&self.row, &self.row, &self.bytes]);
    }
}

/// Writes a loop that runs `write` as often as the register `count` says when it is entered.
pub(super) fn repeat(code: &mut Code, (count, what): (&str, &str), write: impl FnOnce(&mut Code)) {
    let left = code.set(Class::Bits64, "mov.u64", &[count]);
    let (again, over) = (code.label(what), code.label("over"));
    code.place(&again);
    let finished = code.set(Class::Predicate, "setp.eq.u64", &[&left, "0"]);
    code.branch(Some(&finished), &over);
    write(code);
    code.op("sub.u64", &[&left, &left, "1"]);
    code.branch(None, &again);
    code.place(&over);
}
