//! The report as a page: `report.html` for people and `report.json` for programs, in the ZIP
//! archive that the action's output artifact is.

mod chart;
mod html;
mod markup;
mod model;
mod place;

pub use model::{Details, Page, Target};

use crate::formats::archive::pack;

/// The most bytes of each of the two files.
pub const PAGE_LIMIT: usize = 200_000;

impl Page {
    /// The archive with both files.
    pub fn archive(self) -> Vec<u8> {
        let (html, json) = self.fitted();
        pack(&[
            ("report.html", html.as_bytes()),
            ("report.json", json.as_bytes()),
        ])
    }

    /// Both files. What has no room is left out, the longest list first.
    fn fitted(mut self) -> (String, String) {
        loop {
            let (html, json) = (self.html(), self.json());
            let fits = html.len().max(json.len()) <= PAGE_LIMIT;
            if fits || !self.shrink() {
                return (html, json);
            }
        }
    }

    /// The page as JSON, by docs/report.schema.json.
    pub fn json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("plain data is always JSON");
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests;
