//! Products of dense matrices that a library of linear algebra may compute in place of a kernel: for one network a matrix times
//! a vector, for the members of a batch that share the matrix a matrix times a matrix.

use nullcline_runtime::code::{Data, Entry, Product};

use super::body::Source;
use super::code::{Class, Code};
use super::gather::{Constants, Part, Sum};
use crate::ir::system::{Connection, Values};
use crate::kernel::ir::BufferId;

/// A matrix that some vectors share.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Shape {
    rows: usize,
    columns: usize,
    vectors: usize,
}

impl Shape {
    /// The shape of a connection from so many elements, if each vector has every column in order and all of them have the same
    /// weights, of which not all are one.
    pub fn of(connection: &Connection, sources: usize) -> Option<Shape> {
        let Values::Each(weights) = &connection.weights else { return None };
        let (targets, entries) = (connection.starts.len() - 1, connection.sources.len());
        if targets == 0 || !entries.is_multiple_of(targets) {
            return None;
        }
        let columns = entries / targets;
        if columns < 2 || !sources.is_multiple_of(columns) || !targets.is_multiple_of(sources / columns) {
            return None;
        }
        let vectors = sources / columns;
        let rows = targets / vectors;
        let full = connection.starts.windows(2).all(|pair| (pair[1] - pair[0]) as usize == columns);
        let place = |entry: usize| entry / (rows * columns) * columns + entry % columns;
        let ordered = connection.sources.iter().enumerate().all(|(entry, source)| *source as usize == place(entry));
        let (first, rest) = weights.split_at(rows * columns);
        let same = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits();
        let shared = rest.chunks(rows * columns).all(|own| own.iter().zip(first).all(same));
        (full && ordered && shared).then_some(Shape { rows, columns, vectors })
    }
}

/// Writes the kernel that computes the product where there is no library: a thread for each result, whose terms are added in the
/// order of the columns.
pub(super) fn product(
    mut code: Code,
    source: &Source<'_>,
    constants: &mut Constants,
    (shape, index, from, to): (Shape, usize, BufferId, BufferId),
) -> (String, Entry) {
    let Shape { rows, columns, vectors } = shape;
    let connection = &source.module.connections[index];
    let (b32, size) = (Class::Bits32, source.float.size());
    let matrix = || match &connection.weights {
        Values::Each(each) => Data::Numbers(each[..rows * columns].to_vec()),
        Values::Uniform(weight) => Data::Numbers(vec![*weight; rows * columns]),
    };
    let (element, done) = (code.thread(), code.label("done"));
    let outside = code.set(Class::Predicate, "setp.ge.u32", &[&element, &(rows * vectors).to_string()]);
    code.branch(Some(&outside), &done);
    let weights = constants.pointer(&mut code, Part::Matrix(index), &format!("matrix c{index}"), matrix);
    let base = source.pointer(&mut code, from, false);
    code.comment(&format!("{}: {rows} by {columns} matrix, {vectors} vectors", connection.name));
    let vector = code.set(b32, "div.u32", &[&element, &rows.to_string()]);
    let first = code.set(b32, "mul.lo.u32", &[&vector, &rows.to_string()]);
    let row = code.set(b32, "sub.u32", &[&element, &first]);
    let [weight, value] = [(&row, &weights), (&vector, &base)].map(|(at, base)| {
        let first = code.set(b32, "mul.lo.u32", &[at, &columns.to_string()]);
        code.element(base, &first, size)
    });
    let sum = Sum::new(&mut code, source);
    let (left, next) = (code.set(b32, "mov.u32", &[&columns.to_string()]), code.label("term"));
    code.place(&next);
    let (a, x) = (source.load(&mut code, &weight), source.load(&mut code, &value));
    sum.add(&mut code, &a, &x);
    for address in [&weight, &value] {
        code.op("add.u64", &[address, address, &size.to_string()]);
    }
    code.op("sub.u32", &[&left, &left, "1"]);
    let more = code.set(Class::Predicate, "setp.ne.u32", &[&left, "0"]);
    code.branch(Some(&more), &next);
    sum.store(&mut code, &element, to);
    code.place(&done);
    let matrix = constants.index(Part::Matrix(index)).expect("the kernel has asked for it");
    let (text, entry) = code.finish(rows * vectors);
    let product = Product { matrix, source: from.0, target: to.0, rows, columns, vectors };
    (text, Entry { product: Some(product), ..entry })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::expr::SpaceId;

    /// `vectors` blocks of 2 rows and 3 columns; `weight` of (vector, row, column).
    fn connection(vectors: usize, weight: impl Fn(usize, usize) -> f64) -> Connection {
        let starts: Vec<u32> = (0..=2 * vectors as u32).map(|target| 3 * target).collect();
        let sources: Vec<u32> = (0..6 * vectors as u32).map(|entry| entry / 6 * 3 + entry % 3).collect();
        let weights: Vec<f64> = (0..6 * vectors).map(|entry| weight(entry / 6, entry % 6)).collect();
        Connection::new("all", (SpaceId(1), SpaceId(2)), starts, sources, Values::Each(weights.into()))
    }

    #[test]
    fn a_matrix_is_shared_by_vectors_with_the_same_weights() {
        let shape = |vectors| Some(Shape { rows: 2, columns: 3, vectors });
        assert_eq!(Shape::of(&connection(1, |_, at| at as f64), 3), shape(1));
        assert_eq!(Shape::of(&connection(5, |_, at| at as f64), 15), shape(5));
        // Members with weights of their own, and a zero of another sign.
        assert_eq!(Shape::of(&connection(5, |vector, at| (vector * 6 + at) as f64), 15), None);
        assert_eq!(Shape::of(&connection(2, |vector, _| if vector == 0 { 0.0 } else { -0.0 }), 6), None);
        // A source that nobody reads, an entry out of order, and one weight for all.
        assert_eq!(Shape::of(&connection(5, |_, at| at as f64), 16), None);
        let mut other = connection(1, |_, at| at as f64);
        other.sources = vec![0, 2, 1, 0, 1, 2].into();
        assert_eq!(Shape::of(&other, 3), None);
        assert_eq!(Shape::of(&Connection { weights: Values::Uniform(1.0), ..connection(1, |_, _| 1.0) }, 3), None);
    }
}
