//! What a row holds, as stretches of buffers: found once, copied for every row.

use std::ops::Range;

/// Neighbouring elements of a buffer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stretch {
    /// The buffer.
    pub buffer: usize,
    /// Its elements.
    pub elements: Range<usize>,
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
        let found = stretches(&[(0, 3), (0, 4), (1, 5), (1, 4), (1, 4), (0, 5)]);
        let found: Vec<_> = found.into_iter().map(|s| (s.buffer, s.elements)).collect();
        assert_eq!(found, [(0, 3..5), (1, 5..6), (1, 4..5), (1, 4..5), (0, 5..6)]);
    }
}
