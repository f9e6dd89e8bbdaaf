//! The records of a ZIP archive: signatures, lengths and numbers.

/// Returns the extra field with this number.
pub(super) fn field(mut extra: &[u8], wanted: u16) -> Option<&[u8]> {
    while extra.len() >= 4 {
        let length = usize::from(u16_at(extra, 2));
        let content = extra.get(4..4 + length)?;
        if u16_at(extra, 0) == wanted {
            return Some(content);
        }
        extra = &extra[4 + length..];
    }
    None
}

pub(super) fn u16_at(bytes: &[u8], place: usize) -> u16 {
    u16::from_le_bytes([bytes[place], bytes[place + 1]])
}

pub(super) fn u32_at(bytes: &[u8], place: usize) -> u32 {
    u32::from(u16_at(bytes, place)) | u32::from(u16_at(bytes, place + 2)) << 16
}

pub(super) fn u64_at(bytes: &[u8], place: usize) -> u64 {
    u64::from(u32_at(bytes, place)) | u64::from(u32_at(bytes, place + 4)) << 32
}

/// Marks a number that is in the Zip64 fields.
pub(super) const IN_ZIP64: u64 = 0xffff_ffff;

pub(super) const END: [u8; 4] = *b"PK\x05\x06";

pub(super) const END_LENGTH: usize = 22;

pub(super) const LOCATOR_64: [u8; 4] = *b"PK\x06\x07";

pub(super) const LOCATOR_64_LENGTH: usize = 20;

pub(super) const END_64: [u8; 4] = *b"PK\x06\x06";

pub(super) const END_64_LENGTH: usize = 56;

pub(super) const ENTRY: [u8; 4] = *b"PK\x01\x02";

pub(super) const ENTRY_LENGTH: usize = 46;

pub(super) const LOCAL: [u8; 4] = *b"PK\x03\x04";

pub(super) const LOCAL_LENGTH: usize = 30;
