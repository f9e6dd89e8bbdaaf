//! Patterns for the names of members: a file, a folder or a glob.

use super::names::{below, is_hidden, is_likely, plain};

/// Which names are wanted.
#[derive(Clone, Debug, PartialEq)]
pub enum Pattern {
    /// The file of this name, or the manifests in the folder of this name and below.
    Path(String),
    /// The manifests whose whole path matches, folder by folder.
    Glob(Vec<Vec<char>>),
}

/// Whether a path is a glob: `*` stands for any letters of one name, `?` for one letter, and `**`
/// for any folders.
pub fn is_glob(path: &str) -> bool {
    path.contains(['*', '?'])
}

impl Pattern {
    /// Reads a pattern.
    pub fn new(text: &str) -> Pattern {
        let path = plain(text);
        let path = path.trim_end_matches('/');
        match is_glob(path) {
            true => Pattern::Glob(path.split('/').map(|part| part.chars().collect()).collect()),
            false => Pattern::Path(path.to_owned()),
        }
    }

    /// Whether a file's name, in its [`plain`] form, is wanted. Hidden files and folders are only
    /// wanted where the pattern itself names them.
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Pattern::Path(path) if path == name => true,
            Pattern::Path(path) => below(path, name)
                .is_some_and(|rest| is_likely(rest) && !rest.split('/').any(is_hidden)),
            Pattern::Glob(parts) => {
                let name_parts = name.split('/').collect::<Vec<_>>();
                let is_star = |part: &Vec<char>| part.as_slice() == ['*', '*'];
                let may_skip = |part: &&str| !is_hidden(part);
                is_likely(name)
                    && fits(
                        parts,
                        &name_parts,
                        is_star,
                        |part, name| part_fits(part, name),
                        may_skip,
                    )
            }
        }
    }

    /// The folder that the names have in common, without an end; empty for the whole archive.
    pub(super) fn folder(&self) -> String {
        match self {
            Pattern::Path(path) => path.clone(),
            Pattern::Glob(parts) => {
                let parts = parts.iter().map(|part| part.iter().collect::<String>());
                let parts = parts.take_while(|part| !is_glob(part));
                parts.collect::<Vec<_>>().join("/")
            }
        }
    }
}

fn part_fits(pattern: &[char], part: &str) -> bool {
    let starts_open = matches!(pattern.first(), Some('*' | '?'));
    if starts_open && is_hidden(part) {
        return false;
    }
    let letters = part.chars().collect::<Vec<_>>();
    let fits_one = |pattern: &char, letter: &char| *pattern == '?' || pattern == letter;
    fits(
        pattern,
        &letters,
        |letter| *letter == '*',
        fits_one,
        |_| true,
    )
}

/// Whether a list fits a pattern, in which a star stands for any number of elements that may be
/// skipped. It returns to the last star alone: what an earlier one could take more of, the last one
/// can take as well. So the time is at most the product of both lengths.
fn fits<P, N>(
    pattern: &[P],
    list: &[N],
    is_star: impl Fn(&P) -> bool,
    fits_one: impl Fn(&P, &N) -> bool,
    may_skip: impl Fn(&N) -> bool,
) -> bool {
    let (mut at, mut place) = (0, 0);
    // Where the pattern goes on after the last star, and what that star takes next.
    let mut last_star = None;
    loop {
        match (pattern.get(at), list.get(place)) {
            (None, None) => return true,
            (Some(star), _) if is_star(star) => {
                at += 1;
                last_star = Some((at, place));
            }
            (Some(one), Some(element)) if fits_one(one, element) => {
                at += 1;
                place += 1;
            }
            _ => {
                let Some((after, next)) = last_star else {
                    return false;
                };
                if !list.get(next).is_some_and(&may_skip) {
                    return false;
                }
                at = after;
                place = next + 1;
                last_star = Some((after, place));
            }
        }
    }
}

#[cfg(test)]
mod tests;
