//! ZIP archives, as the steps of a pipeline hand them on.

/// The largest length that a member may have, in a format without ZIP64.
const LONGEST: &str = "a member is longer than a ZIP archive can say";

/// An archive of stored members. Of a large one, most pages are zeros that nobody touches.
///
/// # Panics
///
/// If it has 4 GiB or more.
pub fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let length = members
        .iter()
        .map(|(name, content)| content.len() + 2 * name.len() + 76);
    let mut archive = Vec::with_capacity(length.sum::<usize>() + 22);
    let mut directory = Vec::new();
    for (name, content) in members {
        let start = u32::try_from(archive.len()).expect(LONGEST);
        let size = u32::try_from(content.len()).expect(LONGEST).to_le_bytes();
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        common.extend(check_sum(content).to_le_bytes());
        common.extend(size);
        common.extend(size);
        common.extend(u16::try_from(name.len()).expect(LONGEST).to_le_bytes());
        archive.extend(b"PK\x03\x04");
        archive.extend(&common);
        archive.extend([0, 0]);
        archive.extend(name.as_bytes());
        archive.extend(*content);
        directory.extend(b"PK\x01\x02");
        directory.extend([20, 3]);
        directory.extend(common);
        directory.extend([0; 12]);
        directory.extend(start.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let start = u32::try_from(archive.len()).expect(LONGEST);
    let count = u16::try_from(members.len()).expect(LONGEST).to_le_bytes();
    archive.extend(&directory);
    archive.extend(b"PK\x05\x06\0\0\0\0");
    archive.extend(count);
    archive.extend(count);
    archive.extend(u32::try_from(directory.len()).expect(LONGEST).to_le_bytes());
    archive.extend(start.to_le_bytes());
    archive.extend([0, 0]);
    archive
}

/// CRC-32, bit by bit; of what is never read it does not matter.
fn check_sum(content: &[u8]) -> u32 {
    if content.len() > 4 << 20 {
        return 0;
    }
    let byte = |sum: u32, byte: &u8| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg())
        })
    };
    !content.iter().fold(u32::MAX, byte)
}
