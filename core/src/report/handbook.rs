//! Where a failure is explained: the section of the handbook that is about it.

use crate::outcome::FailureCode;
use crate::text::clip;

/// The handbook, within the repository.
const PAGE: &str = "docs/operations.md";

/// Where the repository is on the web, from `homepage` in Cargo.toml; empty where it has none.
const HOMEPAGE: &str = env!("CARGO_PKG_HOMEPAGE");

/// The section about a failure: its address, or without one the page and its heading.
pub(super) fn section(code: FailureCode) -> String {
    address(HOMEPAGE, code.anchor())
}

fn address(homepage: &str, anchor: &str) -> String {
    match homepage.trim_end_matches('/') {
        "" => format!("{PAGE}, {anchor}"),
        home if home.starts_with("https://github.com/") => {
            format!("{home}/blob/main/{PAGE}#{anchor}")
        }
        home => format!("{home}/{PAGE}#{anchor}"),
    }
}

/// What to do next, which ends with the section.
pub(super) fn with_section(next: &str, code: FailureCode, limit: usize) -> String {
    let section = section(code);
    if next.ends_with(&format!("{section}.")) {
        return next.to_owned();
    }
    ending(next, &format!(" See {section}."), limit)
}

/// What to do about a call that failed after the new version did, which ends with both sections.
pub(super) fn with_two_sections(
    next: &str,
    call: FailureCode,
    version: FailureCode,
    limit: usize,
) -> String {
    if call == version {
        return with_section(next, call, limit);
    }
    let (call, version) = (section(call), section(version));
    let see = format!(" See {call}, and for what the new version failed of {version}.");
    ending(next, &see, limit)
}

fn ending(next: &str, see: &str, limit: usize) -> String {
    clip(next, limit.saturating_sub(see.len())) + see
}

#[cfg(test)]
mod tests;
