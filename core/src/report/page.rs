//! The report as a page: `report.html` for people and `report.json` for programs, in the ZIP
//! archive that the action's output artifact is.

mod announcement;
mod chart;
mod html;
mod markup;
mod model;
mod place;

pub use model::{Details, Page, RolledBackTo, Target};

use crate::formats::archive::pack;

/// The most bytes of each of the two files.
pub const PAGE_LIMIT: usize = 200_000;

/// What the headings around all lists have at most, and the sentence that some were shortened.
const SECTIONS: usize = 1000;

impl Page {
    /// The archive with both files.
    pub fn archive(mut self) -> Vec<u8> {
        self.make_room();
        pack(&[
            ("report.html", self.html().as_bytes()),
            ("report.json", self.json().as_bytes()),
        ])
    }

    /// Leaves out what has no room, the longest list first. Both files are made without the lists,
    /// and the lines are counted: with the least memory a function has a fourteenth of a processor,
    /// and the report waits.
    fn make_room(&mut self) {
        let lists = self.lists().map(std::mem::take);
        let bare = (self.html().len(), self.json().len());
        for (place, list) in self.lists().into_iter().zip(lists) {
            *place = list;
        }
        let room = |(html, json): (usize, usize)| {
            let fits = |file: usize, lines: usize| file + lines + SECTIONS <= PAGE_LIMIT;
            fits(bare.0, html) && fits(bare.1, json)
        };
        while !room(self.lines_len()) && self.shrink() {}
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
