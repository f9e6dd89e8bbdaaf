//! Which bytes of an archive to read for several members.

use std::ops::Range;

/// The most bytes between two members that are read for nothing: a request to S3 takes longer.
const GAP_LIMIT: u64 = 256 * 1024;

/// The most bytes of one read that has several members: what is in memory at once, packed.
const READ_LIMIT: u64 = 2 * 1024 * 1024;

/// One read of an archive.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// The bytes.
    pub range: Range<u64>,
    /// Which members they contain, by their places in the list.
    pub members: Vec<usize>,
}

/// Groups members that lie side by side into few reads, in the archive's order.
pub fn batches(ranges: &[Range<u64>]) -> Vec<Batch> {
    let mut ranges = ranges.iter().cloned().enumerate().collect::<Vec<_>>();
    ranges.sort_by_key(|(_, range)| range.start);
    let mut all: Vec<Batch> = Vec::new();
    for (index, range) in ranges {
        if let Some(last) = all.last_mut()
            && range.start <= last.range.end + GAP_LIMIT
            && range.end.max(last.range.end) - last.range.start <= READ_LIMIT
        {
            last.range.end = last.range.end.max(range.end);
            last.members.push(index);
            continue;
        }
        all.push(Batch {
            range,
            members: vec![index],
        });
    }
    all
}

#[cfg(test)]
mod tests;
