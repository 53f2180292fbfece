//! What enters a step from outside: samples of extrinsic inputs, and random numbers by counter.

use nullcline_runtime::code::{Binding, Data};

use super::body::{Source, rounded};
use super::code::{Class, Code};
use super::gather::{Constants, Part};

/// No column feeds this element.
const NONE: u32 = u32::MAX;

/// The register with the column of an element of an extrinsic input.
pub(super) fn column(
    code: &mut Code,
    source: &Source<'_>,
    constants: &mut Constants,
    input: usize,
    element: &str,
) -> String {
    let feed = &source.module.inputs[input].1;
    let name = format!("columns of {}", feed.name);
    let columns = || Data::Integers(feed.columns.iter().map(|c| c.unwrap_or(NONE)).collect());
    let columns = constants.pointer(code, Part::Columns(input), &name, columns);
    let place = code.element(&columns, element, 4);
    code.set(Class::Bits32, "ld.global.nc.u32", &[&format!("[{place}]")])
}

/// The sample of a column at a step: that of the row with the step's number or, after the end, of the last; 0 without a
/// column. Samples begin with the number of rows and that of columns, 64 bits each.
pub(super) fn sample(code: &mut Code, source: &Source<'_>, input: usize, column: &str, step: &str) -> String {
    let (buffer, feed) = &source.module.inputs[input];
    let samples = code.pointer(Binding::Series(feed.series as u32), &format!("samples {}", feed.series));
    let rows = code.set(Class::Bits64, "ld.global.u64", &[&format!("[{samples}]")]);
    let columns = code.set(Class::Bits64, "ld.global.u64", &[&format!("[{samples}+8]")]);
    let last = code.set(Class::Bits64, "sub.u64", &[&rows, "1"]);
    let row = code.set(Class::Bits64, "min.u64", &[step, &last]);
    let fed = code.set(Class::Predicate, "setp.ne.u32", &[column, &NONE.to_string()]);
    let column = code.set(Class::Bits32, "selp.b32", &[column, "0", &fed]);
    let column = code.set(Class::Bits64, "cvt.u64.u32", &[&column]);
    let place = code.set(Class::Bits64, "mad.lo.u64", &[&row, &columns, &column]);
    let address = code.set(Class::Bits64, "mad.lo.u64", &[&place, &source.float.size().to_string(), &samples]);
    let value = source.load(code, &format!("{address}+16"));
    code.remark(source.name(*buffer));
    let op = format!("selp.f{}", source.float.width());
    code.set(source.float.class(), &op, &[&value, &source.float.immediate(0.0), &fed])
}

/// The register with the unit of an element of a source of random numbers.
pub(super) fn unit(
    code: &mut Code,
    source: &Source<'_>,
    constants: &mut Constants,
    random: usize,
    element: &str,
) -> String {
    let (_, row) = &source.module.randoms[random];
    let units = || Data::Integers(row.units.to_vec().into());
    let units = constants.pointer(code, Part::Units(random), &format!("units of {}", row.name), units);
    let place = code.element(&units, element, 4);
    code.set(Class::Bits32, "ld.global.nc.u32", &[&format!("[{place}]")])
}

/// Two 32-bit halves of a 64-bit register, low first.
fn halves(code: &mut Code, whole: &str) -> [String; 2] {
    let low = code.set(Class::Bits32, "cvt.u32.u64", &[whole]);
    let high = code.set(Class::Bits64, "shr.u64", &[whole, "32"]);
    let high = code.set(Class::Bits32, "cvt.u32.u64", &[&high]);
    [low, high]
}

/// The random number of a unit at a step: Philox4x32-10 as in the runtime's `random`, with the same constants.
pub(super) fn random(code: &mut Code, source: &Source<'_>, random: usize, unit: &str, step: &str) -> String {
    /// Multipliers and key increments of Salmon et al. (SC11, 2011), section 4.3.
    const MULTIPLY: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
    const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
    const ROUNDS: u32 = 10;
    let (buffer, row) = &source.module.randoms[random];
    code.comment(&format!("{}: Philox of seed, site {}, unit and step", source.name(*buffer), row.site));
    let [low, high] = halves(code, step);
    let seed = code.seed();
    let mut key = halves(code, &seed);
    let mut counter = [low, high, unit.to_string(), row.site.to_string()];
    let b32 = Class::Bits32;
    for round in 0..ROUNDS {
        if round > 0 {
            key = [0, 1].map(|i| code.set(b32, "add.u32", &[&key[i], &WEYL[i].to_string()]));
        }
        let [a, b] = MULTIPLY.map(|m| m.to_string());
        let mut next = |op: &str, x: &str, y: &str| code.set(b32, op, &[x, y]);
        let (a_high, a_low) = (next("mul.hi.u32", &counter[0], &a), next("mul.lo.u32", &counter[0], &a));
        let (b_high, b_low) = (next("mul.hi.u32", &counter[2], &b), next("mul.lo.u32", &counter[2], &b));
        let first = next("xor.b32", &b_high, &counter[1]);
        let first = next("xor.b32", &first, &key[0]);
        let third = next("xor.b32", &a_high, &counter[3]);
        let third = next("xor.b32", &third, &key[1]);
        counter = [first, b_low, third, a_low];
    }
    let [high, low] = if row.part == 0 { [&counter[0], &counter[1]] } else { [&counter[2], &counter[3]] };
    let whole = code.set(Class::Bits64, "mov.b64", &[&format!("{{{low}, {high}}}")]);
    let whole = code.set(Class::Bits64, "shr.u64", &[&whole, "11"]);
    let mut number = code.set(Class::F64, "cvt.rn.f64.u64", &[&whole]);
    if row.part == 0 {
        number = code.set(Class::F64, "add.rn.f64", &[&number, &format!("0d{:016X}", 1f64.to_bits())]);
    }
    let unit = 1.0 / (1u64 << 53) as f64;
    let number = code.set(Class::F64, "mul.rn.f64", &[&number, &format!("0d{:016X}", unit.to_bits())]);
    rounded(code, source.float, number)
}
