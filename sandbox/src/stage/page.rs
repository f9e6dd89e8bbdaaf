//! The page of a report, as a file of this machine.

use crate::stage::Stage;
use rawzip::ZipArchive;
use serde_json::Value;
use std::path::PathBuf;

/// The page's file in the output artifact.
const PAGE: &str = "report.html";
/// Twice what a page may have.
const PAGE_LIMIT: usize = 400_000;

impl Stage {
    /// Where the page of an action is that has ended, if the function has written one.
    pub(crate) fn leave_page(&self, event: &Value) -> Result<Option<PathBuf>, String> {
        let place = "/CodePipeline.job/data/outputArtifacts/0/location/s3Location";
        let text = |field: &str| event.pointer(place)?[field].as_str();
        let Some((bucket, key)) = text("bucketName").zip(text("objectKey")) else {
            return Ok(None);
        };
        let Some(archive) = self.aws.object(bucket, key) else {
            return Ok(None);
        };
        let page = page_in(&archive).ok_or("the output artifact has no page")?;
        let name = format!("landfall-{}-{PAGE}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let written = std::fs::write(&path, page);
        written.map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Some(path))
    }
}

fn page_in(archive: &[u8]) -> Option<Vec<u8>> {
    let archive = ZipArchive::from_slice(archive).ok()?;
    let mut entries = archive.entries().filter_map(Result::ok);
    let page = entries.find(|entry| entry.file_path().as_ref() == PAGE.as_bytes())?;
    let packed = archive.get_entry(page.wayfinder()).ok()?;
    miniz_oxide::inflate::decompress_to_vec_with_limit(packed.data(), PAGE_LIMIT).ok()
}
