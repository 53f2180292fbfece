//! Random numbers on the device: the integers of `nullcline_runtime::random`, and numbers made from them with one
//! rounding to nearest, which is what storing the runtime's numbers does too.

use crate::kernel::ir::Precision;

/// Philox4x32-10 on 32-bit words (J. Salmon, M. Moraes, R. Dror, D. Shaw, SC11, 2011); products by halves, as the language
/// has none of 64 bits.
const PHILOX: &str = "\
fn high_product(a: u32, b: u32) -> u32 {
    let low = (a & 0xffffu) * (b & 0xffffu);
    let middle = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
    let other = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
    return (a >> 16u) * (b >> 16u) + (middle >> 16u) + (other >> 16u);
}
fn philox(start: vec4<u32>, seed: vec2<u32>) -> vec4<u32> {
    var counter = start;
    var key = seed;
    for (var round = 0u; round < 10u; round++) {
        counter = vec4<u32>(
            high_product(0xcd9e8d57u, counter.z) ^ counter.y ^ key.x,
            0xcd9e8d57u * counter.z,
            high_product(0xd2511f53u, counter.x) ^ counter.w ^ key.y,
            0xd2511f53u * counter.x,
        );
        key += vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
    }
    return counter;
}
";

/// `(whole + plus) 2^-53` of the 53-bit number in the upper bits of two words. In single precision it is rounded to nearest,
/// ties to even, by integers: the language leaves open how an integer that is no number of the format is converted.
const SINGLE: &str = "\
fn uniform_number(words: vec2<u32>, plus: u32) -> f32 {
    var high = words.x >> 11u;
    var low = (words.x << 21u) | (words.y >> 11u);
    low += plus;
    high += select(0u, 1u, low < plus);
    if (high == 0u && low == 0u) {
        return 0f;
    }
    var shift = countLeadingZeros(high);
    if (high == 0u) {
        shift = 32u + countLeadingZeros(low);
        high = low << (shift - 32u);
        low = 0u;
    } else {
        high = (high << shift) | (low >> (32u - shift));
        low = low << shift;
    }
    let rest = high & 0xffu;
    var digits = high >> 8u;
    if (rest > 0x80u || (rest == 0x80u && (low != 0u || (digits & 1u) == 1u))) {
        digits += 1u;
    }
    return f32(digits) * bitcast<f32>((114u - shift) << 23u);
}
";

const DOUBLE: &str = "\
fn uniform_number(words: vec2<u32>, plus: u32) -> f64 {
    let whole = f64(words.x >> 11u) * 4294967296lf + f64((words.x << 21u) | (words.y >> 11u));
    return (whole + f64(plus)) * 1.1102230246251565e-16lf;
}
";

/// The functions that give random numbers.
pub fn functions(precision: Precision) -> String {
    let own = if precision == Precision::F64 { DOUBLE } else { SINGLE };
    format!("{PHILOX}{own}")
}

/// The four words of a place and a unit at a step, as an expression.
pub fn words(site: u32, unit: &str, step: &str) -> String {
    format!("philox(vec4<u32>({step}, 0u, {unit}, {site}u), vec2<u32>(clock.seed_low, clock.seed_high))")
}

/// One number of a pair, from the four words.
pub fn number(words: &str, part: usize) -> String {
    if part == 0 { format!("uniform_number({words}.xy, 1u)") } else { format!("uniform_number({words}.zw, 0u)") }
}
