//! Random numbers by counter: a number depends on the seed, the place in the equations, the unit and the step only, so it
//! is the same for any number of threads, any order of evaluation and on any device.

/// Philox4x32-10: four words from a counter of four and a key of two.
///
/// J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11 (2011).
pub fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    /// Multipliers and key increments of the paper, section 4.3.
    const MULTIPLY: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
    const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
    const ROUNDS: usize = 10;
    for round in 0..ROUNDS {
        if round > 0 {
            key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
        }
        let a = u64::from(MULTIPLY[0]) * u64::from(counter[0]);
        let b = u64::from(MULTIPLY[1]) * u64::from(counter[2]);
        let (high, low) = (|x: u64| (x >> 32) as u32, |x: u64| x as u32);
        counter = [high(b) ^ counter[1] ^ key[0], low(b), high(a) ^ counter[3] ^ key[1], low(a)];
    }
    counter
}

/// Two numbers for the Box-Muller transform: the first in (0, 1], the second in [0, 1), multiples of 2^-53.
pub fn uniform_pair(seed: u64, site: u32, unit: u32, step: u64) -> [f64; 2] {
    let words = philox([step as u32, (step >> 32) as u32, unit, site], [seed as u32, (seed >> 32) as u32]);
    let whole = |high: u32, low: u32| ((u64::from(high) << 32 | u64::from(low)) >> 11) as f64;
    const UNIT: f64 = 1.0 / (1u64 << 53) as f64;
    [(whole(words[0], words[1]) + 1.0) * UNIT, whole(words[2], words[3]) * UNIT]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers published with the authors' library Random123.
    #[test]
    fn philox_gives_the_published_words() {
        let cases = [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, expected) in cases {
            assert_eq!(philox(counter, key), expected);
        }
    }
}
