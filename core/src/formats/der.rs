//! The little of DER that certificates and keys are recognized by.
//! <https://www.itu.int/rec/T-REC-X.690>

/// The tags of the values that are read.
pub(super) const INTEGER: u8 = 0x02;
/// See [`INTEGER`].
pub(super) const OCTETS: u8 = 0x04;
/// See [`INTEGER`].
pub(super) const OBJECT_ID: u8 = 0x06;
/// See [`INTEGER`].
pub(super) const SEQUENCE: u8 = 0x30;

/// Values that follow each other.
pub(super) struct Values<'a>(pub(super) &'a [u8]);

impl<'a> Values<'a> {
    /// The values in a sequence that is all of the bytes.
    pub(super) fn of(der: &'a [u8]) -> Option<Values<'a>> {
        let mut outer = Values(der);
        let content = outer.take(SEQUENCE)?;
        outer.0.is_empty().then_some(Values(content))
    }

    /// Takes the next value, whatever it is: its tag and its content.
    pub(super) fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let [tag, length, rest @ ..] = self.0 else {
            return None;
        };
        let (length, rest) = if *length < 0x80 {
            (usize::from(*length), rest)
        } else {
            let bytes = usize::from(length & 0x7f);
            let (said, rest) = rest.split_at_checked(bytes).filter(|_| bytes <= 4)?;
            let length = said.iter();
            let length = length.fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            (length, rest)
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, content))
    }

    /// Takes the next value, which must have this tag.
    pub(super) fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (is, content) = self.next()?;
        (is == tag).then_some(content)
    }
}
