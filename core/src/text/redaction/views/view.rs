//! A decoded text that knows where in the original each of its bytes was.

use std::ops::Range;

/// If a text was cut, the beginning of a value must still be redacted.
pub(crate) const ELLIPSES: [&str; 2] = ["…", "..."];

/// Separates decoded parts. UTF-8 never has this byte, and no UTF-16 character at the beginning of
/// a value has it as a half.
pub(super) const SEPARATOR: u8 = 0xff;

/// Shorter values are common words and numbers.
pub const MINIMUM: usize = 5;

/// A decoded text.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    pub(crate) bytes: Vec<u8>,
    /// The start and the end of each byte in the original text.
    places: Vec<(usize, usize)>,
}

impl View {
    /// The start of the byte at this position.
    pub(crate) fn start(&self, at: usize) -> usize {
        let place = self.places.get(at);
        place.map_or_else(|| self.end(at), |(start, _)| *start)
    }

    /// The end of the byte before this position.
    pub(crate) fn end(&self, at: usize) -> usize {
        at.checked_sub(1).map_or(0, |last| self.places[last].1)
    }

    pub(super) fn with_capacity(bytes: usize) -> View {
        View {
            bytes: Vec::with_capacity(bytes),
            places: Vec::with_capacity(bytes),
        }
    }

    pub(super) fn plain(text: &str) -> View {
        View {
            bytes: text.as_bytes().to_vec(),
            places: (0..text.len()).map(|at| (at, at + 1)).collect(),
        }
    }

    /// Appends a part of another view.
    pub(super) fn copy(&mut self, other: &View, part: Range<usize>) {
        self.bytes.extend_from_slice(&other.bytes[part.clone()]);
        self.places.extend_from_slice(&other.places[part]);
    }

    /// Appends a decoded byte.
    pub(super) fn push(&mut self, byte: u8, start: usize, end: usize) {
        self.bytes.push(byte);
        self.places.push((start, end));
    }

    /// Keeps only valid UTF-8: most decoded digits are no text, and need not be decoded further.
    /// [`SEPARATOR`] is between the parts.
    pub(super) fn text_alone(&self) -> Option<View> {
        let mut view = View::default();
        let mut at = 0;
        for chunk in self.bytes.utf8_chunks() {
            let end = at + chunk.valid().len();
            if chunk.valid().len() >= MINIMUM {
                view.copy(self, at..end);
                view.push(SEPARATOR, self.end(end), self.end(end));
            }
            at = end + chunk.invalid().len();
        }
        (!view.bytes.is_empty()).then_some(view)
    }
}

/// One character, or up to four bytes.
pub(super) struct Decoded([u8; 4], usize);

impl Decoded {
    pub(super) const NOTHING: Decoded = Decoded([0; 4], 0);

    pub(super) fn byte(byte: u8) -> Decoded {
        Decoded([byte, 0, 0, 0], 1)
    }

    /// These bytes, unless one is missing or there are more than four.
    pub(super) fn bytes_of(mut all: impl Iterator<Item = Option<u8>>) -> Option<Decoded> {
        all.try_fold(Decoded::NOTHING, |Decoded(mut bytes, length), byte| {
            *bytes.get_mut(length)? = byte?;
            Some(Decoded(bytes, length + 1))
        })
    }

    pub(super) fn char(character: char) -> Decoded {
        let mut bytes = [0; 4];
        let length = character.encode_utf8(&mut bytes).len();
        Decoded(bytes, length)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0[..self.1]
    }
}
