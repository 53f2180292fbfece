//! Entries that transform kept rows, column by column, and look for the highest bin: in double precision and with the
//! operations, in their order, by which the runtime measures a column that is read back, so the numbers are the same.
//!
//! A transform takes some columns at a time; its numbers lie place by place, those of all columns next to each other. What is
//! told, and where, is in [`Spectra`](nullcline_runtime::code::Spectra).

use nullcline_runtime::code::{Binding, Entry, Spectra};

use super::body::Source;
use super::code::{Class, Code};
use super::measure::double;

/// Bytes of a complex number.
const COMPLEX: u32 = 16;

/// An entry of one thread for each of `count` pairs of a place and a column.
struct Transform {
    code: Code,
    done: String,
    /// What it is told.
    told: String,
    /// The thread's column among those of the transform, and its place.
    lane: String,
    place: String,
    /// Columns of the transform.
    width: String,
}

impl Transform {
    fn new(name: &str, about: &str) -> Transform {
        let mut code = Code::new(name.to_string(), vec![about.to_string()]);
        let (own, count, done) = (code.thread(), code.count(), code.label("done"));
        let wide = code.set(Class::Bits64, "cvt.u64.u32", &[&own]);
        let outside = code.set(Class::Predicate, "setp.ge.u64", &[&wide, &count]);
        code.branch(Some(&outside), &done);
        let told = code.pointer(Binding::Totals, "told");
        let width = number(&mut code, &told, Spectra::WIDTH);
        let place = code.set(Class::Bits32, "div.u32", &[&own, &width]);
        let before = code.set(Class::Bits32, "mul.lo.u32", &[&place, &width]);
        let lane = code.set(Class::Bits32, "sub.u32", &[&own, &before]);
        Transform { code, done, told, lane, place, width }
    }

    /// A number of what is told, in 32 bits.
    fn number(&mut self, word: usize) -> String {
        number(&mut self.code, &self.told, word)
    }

    /// An address among what is told.
    fn address(&mut self, word: usize) -> String {
        self.code.set(Class::Bits64, "ld.global.u64", &[&at(&self.told, word)])
    }

    /// The address of the complex number of the thread's column at a place.
    fn complex(&mut self, signal: &str, place: &str) -> String {
        let index = self.code.set(Class::Bits32, "mad.lo.u32", &[place, &self.width, &self.lane]);
        self.code.element(signal, &index, COMPLEX)
    }

    /// The two parts of a number at an address.
    fn parts(&mut self, address: &str) -> [String; 2] {
        [0, 8].map(|offset| self.code.set(Class::F64, "ld.global.f64", &[&format!("[{address}+{offset}]")]))
    }

    /// The number of an array at an index.
    fn item(&mut self, array: &str, index: &str) -> String {
        let place = self.code.element(array, index, 8);
        self.code.set(Class::F64, "ld.global.f64", &[&format!("[{place}]")])
    }

    fn op(&mut self, op: &str, [a, b]: [&str; 2]) -> String {
        self.code.set(Class::F64, op, &[a, b])
    }

    fn finish(mut self) -> (String, Entry) {
        self.code.place(&self.done);
        self.code.finish(0)
    }
}

fn at(told: &str, word: usize) -> String {
    format!("[{told}+{}]", 8 * word)
}

fn number(code: &mut Code, told: &str, word: usize) -> String {
    let wide = code.set(Class::Bits64, "ld.global.u64", &[&at(told, word)]);
    code.set(Class::Bits32, "cvt.u32.u64", &[&wide])
}

/// The entry that shifts, scales and tapers columns, and puts row `k` where the transform in place wants it: at the place whose
/// bits are those of `k` from the last to the first. Behind the last row there are zeros.
pub(super) fn taper(source: &Source<'_>) -> (String, Entry) {
    let about = "windowed columns in bit-reversed order: one thread for each of `count` numbers";
    let mut entry = Transform::new("taper", about);
    let [rows, columns, base, shift] =
        [Spectra::ROWS, Spectra::COLUMNS, Spectra::BASE, Spectra::SHIFT].map(|word| entry.number(word));
    let [window, means, scales, signal] =
        [Spectra::WINDOW, Spectra::MEANS, Spectra::SCALES, Spectra::SIGNAL].map(|word| entry.address(word));
    let (row, lane) = (entry.place.clone(), entry.lane.clone());
    let code = &mut entry.code;
    let (b32, b64) = (Class::Bits32, Class::Bits64);
    let store = code.label("store");
    let value = code.set(Class::F64, "mov.f64", &[&double(0.0)]);
    let column = code.set(b32, "add.u32", &[&base, &lane]);
    for (place, end) in [(&row, &rows), (&column, &columns)] {
        let outside = code.set(Class::Predicate, "setp.ge.u32", &[place, end]);
        code.branch(Some(&outside), &store);
    }
    let kept = code.pointer(Binding::Rows, "rows");
    let wide = code.set(b64, "cvt.u64.u32", &[&column]);
    let index = code.address(&wide, &row, &columns);
    let address = code.set(b64, "mad.lo.u64", &[&index, &source.float.size().to_string(), &kept]);
    let loaded = source.load(code, &address);
    let number = match source.float.class() {
        Class::F64 => loaded,
        _ => code.set(Class::F64, "cvt.f64.f32", &[&loaded]),
    };
    let [mean, scale, weight] = [(&means, &column), (&scales, &column), (&window, &row)].map(|(a, i)| entry.item(a, i));
    let shifted = entry.op("sub.rn.f64", [&number, &mean]);
    let scaled = entry.op("mul.rn.f64", [&scale, &shifted]);
    entry.code.op("mul.rn.f64", &[&value, &weight, &scaled]);
    entry.code.place(&store);
    let mirrored = entry.code.set(b32, "brev.b32", &[&row]);
    let mirrored = entry.code.set(b32, "shr.u32", &[&mirrored, &shift]);
    let place = entry.complex(&signal, &mirrored);
    entry.code.op("st.global.f64", &[&format!("[{place}]"), &value]);
    entry.code.op("st.global.f64", &[&format!("[{place}+8]"), &double(0.0)]);
    entry.finish()
}

/// The entry for one pass of the transform, which joins parts of `first` numbers (Cooley and Tukey, 1965).
pub(super) fn join() -> (String, Entry) {
    let about = "a pass of the transforms, parts of `first` numbers become parts of twice as many: one thread for each of \
                 `count` pairs";
    let mut entry = Transform::new("join", about);
    let half_length = entry.number(Spectra::HALF);
    let [turns, signal] = [Spectra::TURNS, Spectra::SIGNAL].map(|word| entry.address(word));
    let (b32, pair) = (Class::Bits32, entry.place.clone());
    let code = &mut entry.code;
    let half = code.given();
    let half = code.set(b32, "cvt.u32.u64", &[&half]);
    let last = code.set(b32, "sub.u32", &[&half, "1"]);
    let within = code.set(b32, "and.b32", &[&pair, &last]);
    let before = code.set(b32, "sub.u32", &[&pair, &within]);
    let low = code.set(b32, "add.u32", &[&before, &pair]);
    let high = code.set(b32, "add.u32", &[&low, &half]);
    let stride = code.set(b32, "div.u32", &[&half_length, &half]);
    let turn = code.set(b32, "mul.lo.u32", &[&within, &stride]);
    let turn = code.element(&turns, &turn, COMPLEX);
    let [low, high] = [low, high].map(|place| entry.complex(&signal, &place));
    let ([a, a_im], [b, b_im], [sin, cos]) = (entry.parts(&low), entry.parts(&high), entry.parts(&turn));
    let mut turned = |op: &str, by: [&str; 2]| {
        let products = [(&b, by[0]), (&b_im, by[1])].map(|(part, by)| entry.op("mul.rn.f64", [part, by]));
        entry.op(op, [&products[0], &products[1]])
    };
    let (re, im) = (turned("sub.rn.f64", [&cos, &sin]), turned("add.rn.f64", [&sin, &cos]));
    for (op, place) in [("sub.rn.f64", &high), ("add.rn.f64", &low)] {
        for (offset, part, by) in [(0, &a, &re), (8, &a_im, &im)] {
            let value = entry.op(op, [part, by]);
            entry.code.op("st.global.f64", &[&format!("[{place}+{offset}]"), &value]);
        }
    }
    entry.finish()
}

/// The entry that finds the last highest bin of the power between both ends, and the powers around it.
pub(super) fn peak() -> (String, Entry) {
    let about = "the highest bin of each power spectrum: one thread for each of `count` columns";
    let mut entry = Transform::new("peak", about);
    let [base, columns, half] = [Spectra::BASE, Spectra::COLUMNS, Spectra::HALF].map(|word| entry.number(word));
    let [bins, powers, signal] = [Spectra::BINS, Spectra::POWERS, Spectra::SIGNAL].map(|word| entry.address(word));
    let b32 = Class::Bits32;
    let code = &mut entry.code;
    let column = code.set(b32, "add.u32", &[&base, &entry.lane]);
    let [bin, best] = [(); 2].map(|()| code.set(b32, "mov.u32", &["1"]));
    let highest = code.set(Class::F64, "mov.f64", &[&double(-1.0)]);
    let (again, found) = (code.label("bin"), code.label("found"));
    code.place(&again);
    let over = code.set(Class::Predicate, "setp.ge.u32", &[&bin, &half]);
    code.branch(Some(&over), &found);
    let power = squared(&mut entry, &signal, &bin);
    let code = &mut entry.code;
    let higher = code.set(Class::Predicate, "setp.ge.f64", &[&power, &highest]);
    code.op("selp.f64", &[&highest, &power, &highest, &higher]);
    code.op("selp.b32", &[&best, &bin, &best, &higher]);
    code.op("add.u32", &[&bin, &bin, "1"]);
    code.branch(None, &again);
    code.place(&found);
    let wide = code.set(Class::Bits64, "cvt.u64.u32", &[&best]);
    let place = code.element(&bins, &column, 8);
    code.op("st.global.u64", &[&format!("[{place}]"), &wide]);
    let mut place = code.element(&powers, &column, 8);
    let mut bin = code.set(b32, "sub.u32", &[&best, "1"]);
    for _ in 0..3 {
        let power = squared(&mut entry, &signal, &bin);
        let code = &mut entry.code;
        code.op("st.global.f64", &[&format!("[{place}]"), &power]);
        place = code.element(&place, &columns, 8);
        bin = code.set(b32, "add.u32", &[&bin, "1"]);
    }
    entry.finish()
}

/// The power in a bin.
fn squared(entry: &mut Transform, signal: &str, bin: &str) -> String {
    let place = entry.complex(signal, bin);
    let [re, im] = entry.parts(&place).map(|part| entry.op("mul.rn.f64", [&part, &part]));
    entry.op("add.rn.f64", [&re, &im])
}
