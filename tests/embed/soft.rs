//! What generated code has instead of the standard library: correctly rounded, except that double precision knows no
//! numbers below the normal ones.

use nullcline::compiler::template::library::MemoryLibrary;
use nullcline::{EmbedOptions, Model};

use super::crates::Sources;

/// A model that needs every function.
const MODEL: &str = "
all:
  base: OperatorTemplate
  equations: [\"x' = sqrt(x) + floor(x) + ceil(x) + round(x) + exp(x)\"]
  variables: {x: output(1.0)}
simulate: {dt: 0.1, duration: 1.0}
";

/// Compares with the standard library; `REAL`, `INT` and the sizes of the format are put in.
const CHECK: &str = r##"
    #[derive(Clone)]
    struct Random(u64);

    impl Random {
        /// SplitMix64 (G. Steele, D. Lea, C. Flood, OOPSLA 2014).
        fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }

        /// Any bits; now and then few digits, so that ties occur.
        fn number(&mut self) -> REAL {
            let bits = self.next() as INT;
            let bits = if self.next() % 4 == 0 { bits & !((1 << (DIGITS - 8)) - 1) } else { bits };
            REAL::from_bits(bits)
        }
    }

    fn same(a: REAL, b: REAL) -> bool {
        a.is_nan() && b.is_nan() || a.to_bits() == b.to_bits()
    }

    /// The result in the rule of the kernels: rounded as if exponents had no lower bound, then a zero if it is below the
    /// normal numbers. Single precision leaves that to the processor.
    fn expected(a: REAL, b: REAL, c: REAL) -> REAL {
        let plain = a.mul_add(b, c);
        if !FLUSHES || !(plain.abs() <= REAL::MIN_POSITIVE) || plain == 0.0 {
            return plain;
        }
        let scale = REAL::powi(2.0, 64);
        // A product this small leaves room for the factor in one of its parts.
        let (a, b) = if a.abs() < 1.0 { (a * scale, b) } else { (a, b * scale) };
        let scaled = a.mul_add(b, c * scale);
        if scaled.abs() < REAL::MIN_POSITIVE * scale { (0.0 as REAL).copysign(scaled) } else { scaled / scale }
    }

    pub fn check() {
        let mut random = Random(1);
        let least = REAL::MIN_POSITIVE;
        let mut edges = vec![0.0, 1.0, 1.5, 2.0, 3.0, 0.1, least, least * 1.5, REAL::MAX, REAL::INFINITY, REAL::NAN];
        edges.extend([REAL::EPSILON, 1.0 + REAL::EPSILON, 1.0 - REAL::EPSILON / 2.0, 0.5, 2.5, 1e-30, 1e30]);
        edges.extend([least / 2.0, REAL::from_bits(1), least.next_down(), least.next_up(), REAL::MAX.sqrt(), least.sqrt()]);
        edges.extend([REAL::powi(2.0, DIGITS), REAL::powi(2.0, DIGITS + 1), REAL::powi(2.0, DIGITS) - 0.5]);
        let edges: Vec<REAL> = edges.iter().flat_map(|e: &REAL| [*e, -*e]).collect();
        let mut triples = Vec::new();
        for a in &edges {
            for b in &edges {
                triples.extend(edges.iter().map(|c| (*a, *b, *c)));
            }
        }
        for _ in 0..1_000_000 {
            let (a, b) = (random.number(), random.number());
            triples.push((a, b, random.number()));
            // Sums that nearly cancel, and sums whose smaller part decides a tie.
            let shifts = [1, DIGITS, DIGITS + 1, 2 * DIGITS, 2 * DIGITS + 1, 2 * DIGITS + 2];
            let shift = shifts[(random.next() % 6) as usize];
            let product = a * b;
            triples.push((a, b, -product));
            triples.push((a, b, product * REAL::powi(2.0, shift)));
            triples.push((a, b, -product * REAL::powi(2.0, -shift)));
            triples.push((a, b, -product * (1.0 + REAL::EPSILON)));
        }
        for (a, b, c) in &triples {
            let (a, b, c) = (*a, *b, *c);
            let (found, expected) = (fma(a, b, c), expected(a, b, c));
            assert!(same(found, expected), "fma({a:e}, {b:e}, {c:e}) = {found:e}, expected {expected:e}");
        }
        let ones = triples.iter().map(|t| t.0).chain((-3000..3000).map(|k| k as REAL / 4.0));
        let mut count = 0;
        for a in ones {
            // Below the normal numbers, double precision knows zeros only.
            let seen = if FLUSHES && a.abs() < least { (0.0 as REAL).copysign(a) } else { a };
            assert!(same(sqrt(a), seen.sqrt()), "sqrt({a:e}) = {:e}", sqrt(a));
            assert!(same(floor(a), a.floor()), "floor({a:e}) = {:e}", floor(a));
            assert!(same(ceil(a), a.ceil()), "ceil({a:e}) = {:e}", ceil(a));
            assert!(same(round(a), a.round_ties_even()), "round({a:e}) = {:e}", round(a));
            count += 1;
        }
        println!("{} of three, {count} of one", triples.len());
    }
"##;

#[test]
fn integer_arithmetic_rounds_as_the_standard_library() {
    for (real, int, digits, flushes) in [("f64", "u64", "52", "true"), ("f32", "u32", "23", "false")] {
        let mut model = Model::load(&MemoryLibrary::new().with("all.yaml", MODEL), "all.yaml", None).unwrap();
        model.settings.precision = Some(model.name("precision", real));
        let made = model.embed(EmbedOptions { standalone: true, no_std: true }).unwrap();
        for function in ["fma", "sqrt", "floor", "ceil", "round"] {
            assert!(made.source.contains(&format!("fn {function}(a: {real}")), "{function}\n{}", made.source);
        }
        let check =
            CHECK.replace("REAL", real).replace("INT", int).replace("DIGITS", digits).replace("FLUSHES", flushes);
        // The check stands among the functions.
        let text = made.source.replacen("mod generated {\n", &format!("pub mod generated {{\n{check}"), 1);
        let sources = Sources::new(&format!("soft_{real}"));
        std::fs::write(sources.folder.join("main.rs"), format!("{text}\nfn main() {{\n    generated::check();\n}}\n"))
            .unwrap();
        sources.rustc(&["-C", "opt-level=2", "-A", "warnings", "main.rs"]);
        println!("{real}: {}", sources.run("main"));
    }
}
