//! Connectivity: what each kind promises about its connections.
#![allow(clippy::unwrap_used)]

use std::collections::HashSet;

use nullcline_compiler::model::{Circuit, Synapses, Values, instantiate};
use nullcline_compiler::source::SourceMap;
use nullcline_compiler::template::library::MemoryLibrary;
use nullcline_compiler::template::load;

/// The circuit of one edge from `a` (`sources` units) to `b` (or to itself, if `b` is `a`) with these attributes.
fn circuit(sources: usize, targets: usize, to: &str, attributes: &str) -> Circuit {
    let library = library(sources, targets, to, attributes);
    let mut sources = SourceMap::new();
    instantiate(&load(&mut sources, &library, "m.yaml", None).unwrap().circuit).unwrap()
}

fn library(sources: usize, targets: usize, to: &str, attributes: &str) -> MemoryLibrary {
    MemoryLibrary::new().with(
        "m.yaml",
        format!(
            r#"
op:
  base: OperatorTemplate
  equations: "x' = inp - x"
  variables: {{x: output(0.0), inp: input}}
cell: {{base: NodeTemplate, operators: op}}
net:
  base: CircuitTemplate
  seed: 3
  nodes:
    a: {{base: cell, n: {sources}}}
    b: {{base: cell, n: {targets}}}
  edges:
    - [a/op/x, {to}/op/inp, null, {{{attributes}}}]
"#
        ),
    )
}

fn both(sources: usize, targets: usize, to: &str, attributes: &str) -> (Synapses, Synapses) {
    let circuit = circuit(sources, targets, to, attributes);
    let projection = &circuit.projections[0];
    let (by_target, by_source) = (circuit.by_target(projection), circuit.by_source(projection));
    let mut turned: Vec<(u32, u32)> = pairs(&by_source).map(|(j, i)| (i, j)).collect();
    turned.sort_unstable();
    let mut straight: Vec<(u32, u32)> = pairs(&by_target).collect();
    straight.sort_unstable();
    assert_eq!(straight, turned, "both ends list the same connections");
    (by_target, by_source)
}

/// (unit, other unit) of each connection.
fn pairs(synapses: &Synapses) -> impl Iterator<Item = (u32, u32)> {
    let rows = synapses.starts.windows(2).enumerate();
    rows.flat_map(move |(i, row)| (row[0]..row[1]).map(move |e| (i as u32, synapses.units[e as usize])))
}

fn degrees(synapses: &Synapses) -> Vec<u32> {
    synapses.starts.windows(2).map(|row| row[1] - row[0]).collect()
}

/// Mean of numbers and their variance.
fn moments(numbers: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = numbers.clone().count() as f64;
    let mean = numbers.clone().sum::<f64>() / count;
    (mean, numbers.map(|x| (x - mean).powi(2)).sum::<f64>() / count)
}

#[test]
fn random_connections_have_binomial_degrees() {
    let (n, m, p) = (400usize, 500usize, 0.1);
    let (by_target, by_source) = both(n, m, "b", "connectivity: {random: {p: 0.1}}");
    for (degrees, partners, units) in [(degrees(&by_target), n, m), (degrees(&by_source), m, n)] {
        let (mean, variance) = moments(degrees.iter().map(|d| f64::from(*d)));
        let expected = partners as f64 * p * (1.0 - p);
        // Five standard errors of the mean, and of the variance of a nearly normal law.
        let error = 5.0 * (expected / units as f64).sqrt();
        assert!((mean - partners as f64 * p).abs() < error, "mean {mean}");
        assert!((variance - expected).abs() < 5.0 * expected * (2.0 / units as f64).sqrt(), "variance {variance}");
    }
    let all = both(7, 5, "b", "connectivity: {random: {p: 1}}").0;
    assert_eq!(all.units.len(), 35);
    assert_eq!(both(7, 5, "b", "connectivity: {random: 0.0}").0.units.len(), 0);
}

#[test]
fn fixed_numbers_are_exact() {
    let (by_target, _) = both(50, 40, "b", "connectivity: {fixed_indegree: {k: 20}, multapses: false}");
    assert_eq!(degrees(&by_target), [20; 40]);
    assert_eq!(pairs(&by_target).collect::<HashSet<_>>().len(), 800);
    let (by_target, _) = both(50, 40, "b", "connectivity: {fixed_indegree: 20}");
    assert_eq!(degrees(&by_target), [20; 40]);
    // 20 draws of 50 without any repetition in 40 rows have a probability of 1e-80.
    assert!(pairs(&by_target).collect::<HashSet<_>>().len() < 800);
    let (_, by_source) = both(50, 40, "b", "connectivity: {fixed_outdegree: {k: 39}, multapses: false}");
    assert_eq!(degrees(&by_source), [39; 50]);
    for multapses in [true, false] {
        let attributes = format!("connectivity: {{fixed_total: {{n: 1999}}, multapses: {multapses}}}");
        let (by_target, _) = both(50, 40, "b", &attributes);
        assert_eq!(by_target.units.len(), 1999);
        let distinct = pairs(&by_target).collect::<HashSet<_>>().len();
        assert_eq!(distinct == 1999, !multapses);
    }
}

/// Each source is equally likely: its number of targets is binomial.
#[test]
fn fixed_numbers_choose_evenly() {
    let (k, n, m) = (30.0, 60.0, 2000usize);
    for attributes in ["{fixed_indegree: 30}", "{fixed_indegree: 30, multapses: false}"] {
        let (_, by_source) = both(60, m, "b", &format!("connectivity: {attributes}"));
        let expected = m as f64 * k / n;
        let largest = if attributes.contains("multapses") { 1.0 - k / n } else { 1.0 };
        for degree in degrees(&by_source) {
            assert!((f64::from(degree) - expected).abs() < 5.0 * (expected * largest).sqrt(), "{degree}");
        }
    }
}

#[test]
fn nobody_meets_itself_when_that_is_refused() {
    let refused = |(i, j): (u32, u32)| assert_ne!(i, j);
    for rule in [
        "{all_to_all: {}, autapses: false}",
        "{random: 0.5, autapses: false}",
        "{fixed_indegree: 9, autapses: false}",
        "{fixed_indegree: 29, autapses: false, multapses: false}",
        "{fixed_outdegree: 9, autapses: false}",
        "{fixed_total: 300, autapses: false}",
        "{fixed_total: 870, autapses: false, multapses: false}",
        "{distance: {gaussian: 0.3}, autapses: false}",
        "{block: {p: [[0.5, 1], [1, 0.5]]}, autapses: false}",
        "{circular: 3}",
        "{line: 3}",
        "{small_world: {k: 6, p: 0.5}}",
    ] {
        let (by_target, _) = both(30, 1, "a", &format!("connectivity: {rule}"));
        assert!(!by_target.units.is_empty(), "{rule}");
        pairs(&by_target).for_each(refused);
    }
    // Between populations, units of one number are different units.
    let (by_target, _) = both(30, 30, "b", "connectivity: {all_to_all: {}, autapses: false}");
    assert_eq!(by_target.units.len(), 900);
    let (by_target, _) = both(30, 30, "a", "connectivity: {circular: 3, autapses: true}");
    assert_eq!(degrees(&by_target), [7; 30]);
}

#[test]
fn neighbours_are_within_reach() {
    let (by_target, _) = both(10, 1, "a", "connectivity: {circular: {reach: 2}}");
    assert_eq!(degrees(&by_target), [4; 10]);
    assert_eq!(by_target.units[..4], [1, 2, 8, 9]);
    let (by_target, _) = both(10, 1, "a", "connectivity: {line: {reach: 2}}");
    assert_eq!(degrees(&by_target), [2, 3, 4, 4, 4, 4, 4, 4, 3, 2]);
    // Everyone is within reach, and nobody from both sides.
    let (by_target, _) = both(10, 1, "a", "connectivity: {circular: {reach: 70}}");
    assert_eq!(degrees(&by_target), [9; 10]);
    let (by_target, _) = both(6, 6, "b", "connectivity: one_to_one");
    assert_eq!(pairs(&by_target).collect::<Vec<_>>(), (0..6).map(|i| (i, i)).collect::<Vec<_>>());
}

#[test]
fn small_worlds_keep_their_degrees() {
    let (ring, _) = both(100, 1, "a", "connectivity: {small_world: {k: 10, p: 0}}");
    let (near, _) = both(100, 1, "a", "connectivity: {circular: {reach: 5}}");
    assert_eq!((&ring.starts, &ring.units), (&near.starts, &near.units));
    for p in [0.1f64, 1.0] {
        let (world, _) = both(100, 1, "a", &format!("connectivity: {{small_world: {{k: 10, p: {p}}}}}"));
        assert_eq!(degrees(&world), [10; 100]);
        assert_eq!(pairs(&world).collect::<HashSet<_>>().len(), 1000);
        let kept = pairs(&world).filter(|(i, j)| (i.abs_diff(*j)).min(100 - i.abs_diff(*j)) <= 5).count() as f64;
        // A replaced connection lands on one of the 89 others that are no sources, none of them near unless freed before.
        let expected = 1000.0 * (1.0 - p);
        let error = 5.0 * (1000.0 * p * (1.0 - p)).sqrt() + 1000.0 * p * 10.0 / 89.0;
        assert!((kept - expected).abs() < error, "{kept}");
    }
}

/// The number of connections at each distance is binomial with the probability of the kernel.
#[test]
fn probability_falls_with_distance() {
    let n = 400usize;
    for (kernel, probability) in [
        ("gaussian: 0.1", (|d: f64| 0.8 * (-d * d / 0.02).exp()) as fn(f64) -> f64),
        ("exponential: 0.1", |d: f64| 0.8 * (-d / 0.1).exp()),
        ("box: 0.1", |d: f64| if d <= 0.1 { 0.8 } else { 0.0 }),
    ] {
        let attributes = format!("connectivity: {{distance: {{space: ring, length: 1.0, {kernel}, p: 0.8}}}}");
        let (by_target, _) = both(n, 1, "a", &attributes);
        let mut count = vec![0.0; n / 2 + 1];
        pairs(&by_target).for_each(|(i, j)| {
            let steps = i.abs_diff(j) as usize;
            count[steps.min(n - steps)] += 1.0;
        });
        // Distances of the same size together: one test for each ten steps.
        for (tens, counts) in count[1..n / 2].chunks(10).enumerate() {
            let each: Vec<f64> =
                (0..counts.len()).map(|k| probability((tens * 10 + k + 1) as f64 / n as f64)).collect();
            let mean: f64 = each.iter().map(|p| 2.0 * n as f64 * p).sum();
            let variance: f64 = each.iter().map(|p| 2.0 * n as f64 * p * (1.0 - p)).sum();
            let found: f64 = counts.iter().sum();
            // The edge of a box lies on a whole number of steps, which rounding may put on either side.
            let edge = if kernel.starts_with("box") && tens == 3 { 2.0 * n as f64 } else { 0.0 };
            assert!((found - mean).abs() <= 5.0 * variance.sqrt() + 1e-9 + edge, "{kernel} at {tens}: {found} {mean}");
        }
    }
    // On a torus every unit has the same surroundings; in a square those at the corner have fewer.
    let box_of = |torus: bool| {
        let attributes = format!("connectivity: {{distance: {{space: grid, torus: {torus}, length: 10, box: 1.1}}}}");
        degrees(&both(100, 1, "a", &attributes).0)
    };
    assert_eq!(box_of(true), [5; 100]);
    assert_eq!((box_of(false)[0], box_of(false)[1], box_of(false)[11]), (3, 4, 5));
}

#[test]
fn blocks_have_their_own_probabilities() {
    let attributes = "connectivity: {block: {p: [[0, 1], [0.5, 0]], targets: [30, 70], sources: [40, 10]}}";
    let (by_target, _) = both(50, 100, "b", attributes);
    let block = |i: u32, j: u32| (usize::from(i >= 30), usize::from(j >= 40));
    let mut count = [[0u32; 2]; 2];
    pairs(&by_target).for_each(|(i, j)| count[block(i, j).0][block(i, j).1] += 1);
    assert_eq!([count[0][0], count[0][1], count[1][1]], [0, 300, 0]);
    // Five standard deviations of 2800 trials.
    assert!((f64::from(count[1][0]) - 1400.0).abs() < 5.0 * 700f64.sqrt(), "{count:?}");
}

#[test]
fn lists_and_masks_are_taken_as_they_are() {
    let attributes = "weight: 2, connectivity: {pairs: [[2, 1, 0.5, 0.1], [0, 1, 0.25, 0.2], [1, 0, 1, 0.3]]}";
    let (by_target, by_source) = both(3, 2, "b", attributes);
    assert_eq!(pairs(&by_target).collect::<Vec<_>>(), [(0, 1), (1, 2), (1, 0)]);
    assert_eq!(by_target.weights, Values::Each([2.0, 1.0, 0.5].into()));
    assert_eq!(by_target.delays, Values::Each([0.3, 0.1, 0.2].into()));
    assert_eq!(by_source.weights, Values::Each([0.5, 2.0, 1.0].into()));
    assert_eq!(by_source.delays, Values::Each([0.2, 0.3, 0.1].into()));
    let (by_target, _) = both(3, 2, "b", "weight: 2, connectivity: {mask: [[0, 1, 1], [7, 0, 0]]}");
    assert_eq!(pairs(&by_target).collect::<Vec<_>>(), [(0, 1), (0, 2), (1, 0)]);
    assert_eq!(by_target.weights, Values::Uniform(2.0));
    let (by_target, _) =
        both(3, 2, "b", "weight: [[1, 2, 3], [4, 5, 6]], connectivity: {mask: [[0, 1, 1], [7, 0, 0]]}");
    assert_eq!(by_target.weights, Values::Each([2.0, 3.0, 4.0].into()));
}

/// Each connection has one weight and one delay, from whichever end it is looked at.
#[test]
fn drawn_weights_stay_with_their_connections() {
    let attributes = "connectivity: {random: 0.2}, weight: {normal: [1, 0.1]}, delay: {uniform: [1, 2]}";
    let (by_target, by_source) = both(60, 70, "b", attributes);
    let listed = |synapses: &Synapses, turn: bool| {
        let mut all: Vec<(u32, u32, u64, u64)> = pairs(synapses)
            .enumerate()
            .map(|(e, (i, j))| if turn { (e, (j, i)) } else { (e, (i, j)) })
            .map(|(e, (i, j))| (i, j, synapses.weights.at(e).to_bits(), synapses.delays.at(e).to_bits()))
            .collect();
        all.sort_unstable();
        all
    };
    assert_eq!(listed(&by_target, false), listed(&by_source, true));
    let Values::Each(weights) = &by_target.weights else { panic!("drawn") };
    let (mean, variance) = moments(weights.iter().copied());
    let count = weights.len() as f64;
    assert!((mean - 1.0).abs() < 5.0 * 0.1 / count.sqrt(), "{mean}");
    assert!((variance - 0.01).abs() < 5.0 * 0.01 * (2.0 / count).sqrt(), "{variance}");
}

#[test]
fn the_seed_and_the_place_decide_and_nothing_else() {
    let random = "connectivity: {random: 0.2}";
    let first = both(60, 70, "b", random).0;
    assert_eq!(first, both(60, 70, "b", random).0);
    // Whatever stands beside it in the circuit.
    let library = library(60, 70, "b", random);
    let mut sources = SourceMap::new();
    let template = load(&mut sources, &library, "m.yaml", None).unwrap().circuit;
    let mut more = (*template).clone();
    let (label, node) = more.nodes[0].clone();
    more.nodes.insert(0, (nullcline_compiler::source::Name::new("z", label.span), node));
    let mut before = more.edges[0].clone();
    before.source = nullcline_compiler::source::Name::new("z/op/x", label.span);
    more.edges.insert(0, before);
    let circuit = instantiate(&more).unwrap();
    assert_eq!(first, circuit.by_target(&circuit.projections[1]));
    assert_ne!(first, circuit.by_target(&circuit.projections[0]));
    // Another seed of the structure, of the circuit or of the edge.
    let seeded = |seed| {
        let circuit = instantiate(&template.reseeded(seed)).unwrap();
        circuit.by_target(&circuit.projections[0])
    };
    assert_eq!(first, seeded(3));
    assert_ne!(first, seeded(4));
    assert_eq!(seeded(4), both(60, 70, "b", "connectivity: {random: 0.2, seed: 4}").0);
}

/// A pool of one thread and the one of all processors generate the same connections.
#[test]
fn threads_change_nothing() {
    let attributes = "connectivity: {random: 0.02}, weight: {lognormal: [0, 1]}";
    let many = both(1500, 900, "b", attributes);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(many, pool.install(|| both(1500, 900, "b", attributes)));
}
