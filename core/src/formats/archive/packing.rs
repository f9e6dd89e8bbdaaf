//! Writes a small ZIP archive.

use rawzip::{CompressionMethod, DataDescriptorOutput, Error, ZipArchiveWriter};
use std::io::Write;

/// miniz's usual level of compression.
const LEVEL: u8 = 6;

/// An archive of these files. They are compressed: some readers refuse a member that is not, where
/// its length stands behind it.
///
/// # Panics
///
/// If memory does not take it, or a name is longer than an archive can say.
pub fn pack(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipArchiveWriter::new(Vec::new());
    for (name, content) in members {
        put(&mut archive, name, content).expect("memory takes everything");
    }
    archive.finish().expect("memory takes everything")
}

fn put(archive: &mut ZipArchiveWriter<Vec<u8>>, name: &str, content: &[u8]) -> Result<(), Error> {
    let file = archive.new_file(name);
    let (mut entry, _) = file
        .compression_method(CompressionMethod::DEFLATE)
        .start()?;
    let packed = miniz_oxide::deflate::compress_to_vec(content, LEVEL);
    entry.write_all(&packed).map_err(Error::from)?;
    let (sum, size) = (crc32fast::hash(content), content.len() as u64);
    entry.finish(DataDescriptorOutput::new(sum, size))?;
    Ok(())
}
