//! Entries that measure recorded rows where they are: one thread for each of `count` columns, over `first` rows.

use nullcline_runtime::code::{Binding, Entry};

use super::body::Source;
use super::code::{Class, Code};

/// A thread's column while its rows are read one after the other.
struct Column {
    /// Where the next number is, and the bytes to the one behind it.
    next: String,
    stride: String,
}

impl Column {
    /// Begins an entry: a jump to its end for threads past the last column, and the address of the column's number in what
    /// is found, with the bytes from there to what is found next.
    fn begin(code: &mut Code, source: &Source<'_>, done: &str) -> (Column, String, String) {
        let own = code.thread();
        let count = code.count();
        let wide = code.set(Class::Bits64, "cvt.u64.u32", &[&own]);
        let outside = code.set(Class::Predicate, "setp.ge.u64", &[&wide, &count]);
        code.branch(Some(&outside), done);
        let (rows, found) = (code.pointer(Binding::Rows, "rows"), code.pointer(Binding::Totals, "found"));
        let size = source.float.size().to_string();
        let next = code.set(Class::Bits64, "mad.lo.u64", &[&wide, &size, &rows]);
        let stride = code.set(Class::Bits64, "mad.lo.u64", &[&count, &size, "0"]);
        let place = code.set(Class::Bits64, "mad.lo.u64", &[&wide, "8", &found]);
        let behind = code.set(Class::Bits64, "mad.lo.u64", &[&count, "8", "0"]);
        (Column { next, stride }, place, behind)
    }

    /// The number in the next row, in double precision.
    fn number(&self, code: &mut Code, source: &Source<'_>) -> String {
        let value = source.load(code, &self.next);
        code.op("add.u64", &[&self.next, &self.next, &self.stride]);
        match source.float.class() {
            Class::F64 => value,
            _ => code.set(Class::F64, "cvt.f64.f32", &[&value]),
        }
    }
}

/// A number in double precision, as an operand.
pub(super) fn double(value: f64) -> String {
    format!("0d{:016X}", value.to_bits())
}

/// The entry that finds the sum, the smallest and the largest number of each column, in the order of the rows.
pub(super) fn totals(source: &Source<'_>) -> (String, Entry) {
    let about = "sum, smallest and largest number of `first` rows: one thread for each of `count` columns";
    let mut code = Code::new("totals".to_string(), vec![about.to_string()]);
    let (done, again, end) = (code.label("done"), code.label("row"), code.label("end"));
    let (column, place, behind) = Column::begin(&mut code, source, &done);
    let first = code.given();
    let left = code.set(Class::Bits64, "mov.u64", &[&first]);
    let [sum, lowest, highest] =
        [0.0, f64::INFINITY, f64::NEG_INFINITY].map(|value| code.set(Class::F64, "mov.f64", &[&double(value)]));
    code.place(&again);
    let none = code.set(Class::Predicate, "setp.eq.u64", &[&left, "0"]);
    code.branch(Some(&none), &end);
    let value = column.number(&mut code, source);
    code.op("add.rn.f64", &[&sum, &sum, &value]);
    for (test, extreme) in [("setp.lt.f64", &lowest), ("setp.gt.f64", &highest)] {
        let beyond = code.set(Class::Predicate, test, &[&value, extreme]);
        code.op("selp.f64", &[extreme, &value, extreme, &beyond]);
    }
    code.op("sub.u64", &[&left, &left, "1"]);
    code.branch(None, &again);
    code.place(&end);
    for value in [&sum, &lowest, &highest] {
        code.op("st.global.f64", &[&format!("[{place}]"), value]);
        code.op("add.u64", &[&place, &place, &behind]);
    }
    code.place(&done);
    code.finish(0)
}

/// The entry that finds the rises of each column through a level, each behind a number below another level: see
/// [`Measures::rises`](nullcline_runtime::code::Measures::rises).
pub(super) fn rises(source: &Source<'_>) -> (String, Entry) {
    let about = "rises through levels in `first` rows: one thread for each of `count` columns";
    let mut code = Code::new("rises".to_string(), vec![about.to_string()]);
    let [done, again, next, later, end] = ["done", "row", "next", "later", "end"].map(|stem| code.label(stem));
    let (column, place, behind) = Column::begin(&mut code, source, &done);
    let rows = code.given();
    // Levels, then what is found: nine numbers of a column.
    let places: Vec<String> =
        (0..9).map(|k| code.set(Class::Bits64, "mad.lo.u64", &[&behind, &k.to_string(), &place])).collect();
    let level = |code: &mut Code, k: usize| code.set(Class::F64, "ld.global.f64", &[&format!("[{}]", places[k])]);
    let (low, middle) = (level(&mut code, 0), level(&mut code, 1));
    let armed = code.set(Class::Bits32, "mov.u32", &["0"]);
    let number = code.set(Class::Bits64, "mov.u64", &["0"]);
    let row = code.set(Class::Bits64, "mov.u64", &["0"]);
    let value = column.number(&mut code, source);
    let before = code.set(Class::F64, "mov.f64", &[&value]);
    code.place(&again);
    let behind_it = code.set(Class::Bits64, "add.u64", &[&row, "1"]);
    let none = code.set(Class::Predicate, "setp.ge.u64", &[&behind_it, &rows]);
    code.branch(Some(&none), &end);
    let after = column.number(&mut code, source);
    let below = code.set(Class::Predicate, "setp.lt.f64", &[&before, &low]);
    code.op("selp.b32", &[&armed, "1", &armed, &below]);
    for (test, operands) in [("setp.lt.f64", [&before, &middle]), ("setp.ge.f64", [&after, &middle])] {
        let holds = code.set(Class::Predicate, test, &[operands[0], operands[1]]);
        code.branch(Some(&format!("!{holds}")), &next);
    }
    let unarmed = code.set(Class::Predicate, "setp.eq.u32", &[&armed, "0"]);
    code.branch(Some(&unarmed), &next);
    let first = code.set(Class::Predicate, "setp.eq.u64", &[&number, "0"]);
    code.branch(Some(&format!("!{first}")), &later);
    let store = |code: &mut Code, [at, from, to]: [usize; 3]| {
        code.op("st.global.u64", &[&format!("[{}]", places[at]), &row]);
        code.op("st.global.f64", &[&format!("[{}]", places[from]), &before]);
        code.op("st.global.f64", &[&format!("[{}]", places[to]), &after]);
    };
    store(&mut code, [3, 5, 6]);
    code.place(&later);
    store(&mut code, [4, 7, 8]);
    code.op("add.u64", &[&number, &number, "1"]);
    code.op("mov.u32", &[&armed, "0"]);
    code.place(&next);
    code.op("mov.f64", &[&before, &after]);
    code.op("mov.u64", &[&row, &behind_it]);
    code.branch(None, &again);
    code.place(&end);
    code.op("st.global.u64", &[&format!("[{}]", places[2]), &number]);
    code.place(&done);
    code.finish(0)
}
