//! From the character positions of the YAML scanner to byte positions.

/// Characters between two entries of the table.
const STRIDE: usize = 64;

/// Maps character indices of a text to byte offsets.
pub(super) struct Places<'t> {
    text: &'t str,
    /// Bytes before `text` in its file (a byte order mark).
    offset: usize,
    /// Byte offset of every 64th character; empty for ASCII, where both count the same.
    table: Vec<usize>,
}

impl<'t> Places<'t> {
    pub(super) fn new(text: &'t str, offset: usize) -> Places<'t> {
        let table = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().step_by(STRIDE).map(|(byte, _)| byte).collect()
        };
        Places { text, offset, table }
    }

    /// Byte offset in `text` of the character with this index; the end for indices beyond it.
    pub(super) fn byte(&self, character: usize) -> usize {
        if self.table.is_empty() {
            return character.min(self.text.len());
        }
        let Some(&base) = self.table.get(character / STRIDE) else {
            return self.text.len();
        };
        let rest = self.text[base..].char_indices().nth(character % STRIDE);
        rest.map_or(self.text.len(), |(byte, _)| base + byte)
    }

    /// The text that the positions count in.
    pub(super) fn text(&self) -> &'t str {
        self.text
    }

    /// Where `text` starts in its file.
    pub(super) fn offset(&self) -> usize {
        self.offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_maps_to_its_byte() {
        for text in ["plain", &"aτ≤x".repeat(100)] {
            let places = Places::new(text, 0);
            for (index, (byte, _)) in text.char_indices().enumerate() {
                assert_eq!(places.byte(index), byte);
            }
            assert_eq!(places.byte(10_000), text.len());
        }
    }
}
