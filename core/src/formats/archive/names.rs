//! Names of members: how they are written by the programs that there are, and which may be meant.

use icu_normalizer::ComposingNormalizerBorrowed;

/// The longest name that is told.
pub(super) const NAME_LIMIT: usize = 300;

/// The longest file name, without folders, that is compared letter by letter: that takes the square
/// of its length, a manifest's has 20 or so, and one of this length some ten microseconds.
pub(super) const ALIKE_LENGTH: usize = 64;

/// A path as it is compared: with `/` between folders (some programs write `\`), without `/` or
/// `./` before all, as `unzip` takes it, and with composed letters: a Mac writes `u` and its dots
/// apart.
pub fn plain(path: &str) -> String {
    let path = path.replace('\\', "/");
    let mut parts = path.split('/').filter(|part| *part != ".").peekable();
    while parts.next_if(|part| part.is_empty()).is_some() {}
    // What is empty at the end marks a folder.
    let path = parts.collect::<Vec<_>>().join("/");
    match path.is_ascii() {
        true => path,
        false => ComposingNormalizerBorrowed::new_nfc()
            .normalize(&path)
            .into_owned(),
    }
}

/// Whether somebody who wrote `wanted` may have meant `name`: the same file in another folder, a
/// slip of two letters, or what is in it where it is a folder. `alike` is how many more names may
/// be compared letter by letter.
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

pub(super) fn is_folder(name: &str) -> bool {
    name.ends_with('/') || name.is_empty()
}

/// Whether a file may be what a request names, by its ending.
pub(super) fn is_likely(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".yaml", ".yml", ".json"]
        .iter()
        .any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests;
