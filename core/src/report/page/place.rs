//! Where the page is, as the report says it.

use crate::report::model::{MESSAGE_LIMIT, Report, SUMMARY_LIMIT};

impl Report {
    /// The report with the sentence that tells where its page is, or why there is none. Without
    /// room for it the report stays as it is.
    pub fn with_page(mut self, place: &str, written: Result<(), &str>) -> Report {
        let sentence = match written {
            Ok(()) => format!("The report as a page: {place} (report.html in this ZIP archive)."),
            Err(why) => format!("The report could not be written as a page to {place}: {why}."),
        };
        match &mut self {
            Report::Success { summary, .. } => add(summary, ' ', &sentence, SUMMARY_LIMIT),
            Report::Failure { message, .. } => add(message, '\n', &sentence, MESSAGE_LIMIT),
            Report::Progress { .. } => {}
        }
        self
    }
}

fn add(text: &mut String, between: char, sentence: &str, limit: usize) {
    if text.len() + between.len_utf8() + sentence.len() <= limit {
        // What a plan would change is a list of lines.
        text.push(if text.contains('\n') { '\n' } else { between });
        text.push_str(sentence);
    }
}
