//! Where a failure is explained: the section of the handbook that is about it.

use crate::outcome::Topic;
use crate::text::clip;

/// The handbook, within the repository.
const PAGE: &str = "docs/operations.md";

/// Where the repository is on the web, from `homepage` in Cargo.toml; empty where it has none.
const HOMEPAGE: &str = env!("CARGO_PKG_HOMEPAGE");

/// The section about a failure: its address, or without one the page and its heading.
pub(super) fn section(topic: Topic) -> String {
    address(HOMEPAGE, topic.anchor())
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

/// What to do next, with the section where it does not have that already.
pub(super) fn with_section(next: &str, topic: Topic, limit: usize) -> String {
    let section = section(topic);
    if next.contains(&section) {
        return next.to_owned();
    }
    let see = format!(" See {section}.");
    clip(next, limit.saturating_sub(see.len())) + &see
}

#[cfg(test)]
mod tests;
