//! Names of members: how different programs write them, and which one a user may have meant.

use icu_normalizer::ComposingNormalizerBorrowed;

/// The longest name that an error shows.
pub(super) const NAME_LIMIT: usize = 300;

/// The longest file name, without folders, that is compared letter by letter. The comparison takes
/// quadratic time: about ten microseconds at this length. A manifest's name has about 20 letters.
pub(super) const ALIKE_LENGTH: usize = 64;

/// Up to this length a folder's name has one slip at the most.
const SHORT_NAME: usize = 4;

/// The form of a path for comparison: with `/` between folders (some programs write `\`), without a
/// leading `/` or `./` (like `unzip`), with one `/` for several, and with composed letters (a Mac
/// writes `u` and its dots separately).
pub fn plain(path: &str) -> String {
    let path = path.replace('\\', "/");
    let parts = path.split('/').filter(|part| !["", "."].contains(part));
    let parts = parts.collect::<Vec<_>>();
    // What is empty at the end marks a folder.
    let is_folder = path.ends_with('/') && !parts.is_empty();
    let path = parts.join("/") + if is_folder { "/" } else { "" };
    match path.is_ascii() {
        true => path,
        false => ComposingNormalizerBorrowed::new_nfc()
            .normalize(&path)
            .into_owned(),
    }
}

/// Whether someone who wrote `wanted` may have meant `name`: the same file in another folder, a
/// typing error of two letters, or a file in the folder `wanted`. `alike` is how many more names
/// may be compared letter by letter.
pub(super) fn is_near(name: &str, wanted: &str, alike: &mut usize) -> bool {
    if is_folder(name) || name.len() > NAME_LIMIT {
        return false;
    }
    let file = |path: &str| path.rsplit('/').next().unwrap_or(path).to_lowercase();
    let (file, meant) = (file(name), file(wanted));
    let inside = name
        .strip_prefix(wanted)
        .is_some_and(|rest| rest.starts_with('/'));
    if inside || file == meant {
        return true;
    }
    let is_short = file.len().max(meant.len()) <= ALIKE_LENGTH;
    if *alike == 0 || !is_short || file.len().abs_diff(meant.len()) > 2 {
        return false;
    }
    *alike -= 1;
    strsim::levenshtein(&file, &meant) <= 2
}

/// Whether someone who named manifests in `folder` may have meant `name`: a file in it or below, or
/// a manifest in a folder of a similar name.
pub(super) fn is_near_folder(name: &str, folder: &str, alike: &mut usize) -> bool {
    if name.len() > NAME_LIMIT || is_folder(name) || name.split('/').any(is_hidden) {
        return false;
    }
    if below(folder, name).is_some() {
        return !folder.is_empty() || is_likely(name);
    }
    let meant = folder.rsplit('/').next().unwrap_or(folder).to_lowercase();
    if !is_likely(name) || meant.len() > ALIKE_LENGTH {
        return false;
    }
    // In a short name every second slip makes another word of it.
    let slips = if meant.len() > SHORT_NAME { 2 } else { 1 };
    let mut parts = name.split('/');
    parts.next_back();
    parts.any(|part| {
        if *alike == 0 || part.len().abs_diff(meant.len()) > slips {
            return false;
        }
        *alike -= 1;
        strsim::levenshtein(&part.to_lowercase(), &meant) <= slips
    })
}

/// The rest of a name below a folder.
pub(super) fn below<'a>(folder: &str, name: &'a str) -> Option<&'a str> {
    match folder {
        "" => Some(name),
        _ => name.strip_prefix(folder)?.strip_prefix('/'),
    }
}

/// Whether a name is not part of what people put into an archive: `.github`, `._app.yaml`, and the
/// folder that a Mac adds to its archives.
pub(super) fn is_hidden(part: &str) -> bool {
    part.starts_with('.') || part == "__MACOSX"
}

pub(super) fn is_folder(name: &str) -> bool {
    name.ends_with('/') || name.is_empty()
}

/// Whether the file name's extension is one of those that requests name.
pub(super) fn is_likely(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".yaml", ".yml", ".json"]
        .iter()
        .any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests;
