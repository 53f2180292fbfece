//! What a row holds: elements of buffers, and the same as stretches, found once and copied for every row.

use std::ops::{Deref, Range};

/// Elements of buffers, in the order of a row.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Places {
    each: Vec<(usize, usize)>,
    stretches: Vec<Stretch>,
}

/// Neighbouring elements of a buffer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stretch {
    /// The buffer.
    pub buffer: usize,
    /// Its elements.
    pub elements: Range<usize>,
}

impl Places {
    /// The same as stretches, in the same order.
    pub fn stretches(&self) -> &[Stretch] {
        &self.stretches
    }
}

impl Deref for Places {
    type Target = [(usize, usize)];

    /// Each place: (buffer, element).
    fn deref(&self) -> &[(usize, usize)] {
        &self.each
    }
}

impl From<Vec<(usize, usize)>> for Places {
    fn from(each: Vec<(usize, usize)>) -> Places {
        let stretches = stretches(&each);
        Places { each, stretches }
    }
}

impl FromIterator<(usize, usize)> for Places {
    fn from_iter<I: IntoIterator<Item = (usize, usize)>>(places: I) -> Places {
        Places::from(places.into_iter().collect::<Vec<_>>())
    }
}

/// Places (buffer, element) as stretches, in the same order.
pub fn stretches(places: &[(usize, usize)]) -> Vec<Stretch> {
    let mut found: Vec<Stretch> = Vec::new();
    for (buffer, element) in places {
        match found.last_mut() {
            Some(last) if last.buffer == *buffer && last.elements.end == *element => last.elements.end += 1,
            _ => found.push(Stretch { buffer: *buffer, elements: *element..element + 1 }),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_of_one_buffer_are_a_stretch() {
        let places = Places::from(vec![(0, 3), (0, 4), (1, 5), (1, 4), (1, 4), (0, 5)]);
        let found: Vec<_> = places.stretches().iter().map(|s| (s.buffer, s.elements.clone())).collect();
        assert_eq!(found, [(0, 3..5), (1, 5..6), (1, 4..5), (1, 4..5), (0, 5..6)]);
    }
}
