//! An input artifact from a folder or a ZIP file of this machine.

use super::input::told;
use landfall_sandbox::aws::zip;
use std::fs;
use std::path::{Path, PathBuf};

/// A ZIP file as it is, or a folder as one.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let problem =
        |path: &Path, error: std::io::Error| format!("{}: {}", path.display(), told(&error));
    if path.is_file() {
        return fs::read(path).map_err(|error| problem(path, error));
    }
    let mut folders = vec![path.to_owned()];
    let mut files = Vec::<PathBuf>::new();
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).map_err(|error| problem(&folder, error))?;
        for entry in entries {
            let found = entry.map_err(|error| problem(&folder, error))?.path();
            match found.is_dir() {
                true => folders.push(found),
                false => files.push(found),
            }
        }
    }
    files.sort();
    let mut members = Vec::new();
    for file in files {
        let content = fs::read(&file).map_err(|error| problem(&file, error))?;
        let name = file.strip_prefix(path).unwrap_or(&file);
        members.push((name.to_string_lossy().into_owned(), content));
    }
    let members = members.iter().map(|(name, content)| (&**name, &**content));
    Ok(zip(&members.collect::<Vec<_>>()))
}
