//! Entries behind the kernels of a step: what is recorded is gathered into rows, or added up; the clock goes on.

use nullcline_runtime::code::{Binding, Entry};

use super::body::Source;
use super::code::{Class, Code};

/// Begins with the thread's number, in 64 bits too, a jump to the end for those past the last address, and the recorded number.
fn recorded(code: &mut Code, source: &Source<'_>, done: &str) -> (String, String) {
    let own = code.thread();
    let count = code.count();
    let wide = code.set(Class::Bits64, "cvt.u64.u32", &[&own]);
    let outside = code.set(Class::Predicate, "setp.ge.u64", &[&wide, &count]);
    code.branch(Some(&outside), done);
    let addresses = code.pointer(Binding::Addresses, "addresses");
    let place = code.element(&addresses, &own, 8);
    let generic = code.set(Class::Bits64, "ld.global.u64", &[&format!("[{place}]")]);
    let address = code.set(Class::Bits64, "cvta.to.global.u64", &[&generic]);
    (wide, source.load(code, &address))
}

/// The entry that copies the numbers at `count` addresses into row `first` of a block.
pub(super) fn record(source: &Source<'_>) -> (String, Entry) {
    let about = "row `first` of a block of recorded rows: one thread for each of `count` addresses";
    let mut code = Code::new("record".to_string(), vec![about.to_string()]);
    let done = code.label("done");
    let (own, value) = recorded(&mut code, source, &done);
    let (row, count, rows) = (code.row(), code.count(), code.pointer(Binding::Rows, "rows"));
    let place = code.set(Class::Bits64, "mad.lo.u64", &[&row, &count, &own]);
    let place = code.set(Class::Bits64, "mad.lo.u64", &[&place, &source.float.size().to_string(), &rows]);
    code.op(&source.access("st"), &[&format!("[{place}]"), &value]);
    code.place(&done);
    code.finish(0)
}

/// The entry that adds the numbers at `count` addresses to their totals, in double precision, as
/// [`Totals`](nullcline_runtime::artifact::Totals) does.
pub(super) fn reduce(source: &Source<'_>) -> (String, Entry) {
    let about = "sums and extremes of what is recorded: one thread for each of `count` addresses";
    let mut code = Code::new("reduce".to_string(), vec![about.to_string()]);
    let done = code.label("done");
    let (own, value) = recorded(&mut code, source, &done);
    let value = match source.float.class() {
        Class::F64 => value,
        _ => code.set(Class::F64, "cvt.f64.f32", &[&value]),
    };
    let (count, totals) = (code.count(), code.pointer(Binding::Totals, "totals"));
    let mut place = code.set(Class::Bits64, "mad.lo.u64", &[&own, "8", &totals]);
    for (what, test) in [("sum", None), ("smallest", Some("setp.lt.f64")), ("largest", Some("setp.gt.f64"))] {
        let old = code.set(Class::F64, "ld.global.f64", &[&format!("[{place}]")]);
        code.remark(what);
        let new = match test {
            None => code.set(Class::F64, "add.rn.f64", &[&old, &value]),
            Some(test) => {
                let beyond = code.set(Class::Predicate, test, &[&value, &old]);
                code.set(Class::F64, "selp.f64", &[&value, &old, &beyond])
            }
        };
        code.op("st.global.f64", &[&format!("[{place}]"), &new]);
        place = code.set(Class::Bits64, "mad.lo.u64", &[&count, "8", &place]);
    }
    code.place(&done);
    code.finish(0)
}

/// The entry that moves the clock on, by `first` steps and `count` rows, so that launches which were made before can be made
/// again as they are.
pub(super) fn tick() -> (String, Entry) {
    let mut code = Code::new("tick".to_string(), vec!["the clock, `first` steps and `count` rows later".to_string()]);
    let (own, done) = (code.thread(), code.label("done"));
    let others = code.set(Class::Predicate, "setp.ne.u32", &[&own, "0"]);
    code.branch(Some(&others), &done);
    let clock = code.pointer(Binding::Clock, "clock");
    for (offset, ahead) in [(0, code.given()), (8, code.count())] {
        let place = format!("[{clock}+{offset}]");
        let old = code.set(Class::Bits64, "ld.global.u64", &[&place]);
        let new = code.set(Class::Bits64, "add.u64", &[&old, &ahead]);
        code.op("st.global.u64", &[&place, &new]);
    }
    code.place(&done);
    code.finish(1)
}
