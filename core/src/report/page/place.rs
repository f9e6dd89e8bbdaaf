//! Where the page is, as the report says it.

use crate::report::model::{MESSAGE_LIMIT, Report, SUMMARY_LIMIT};

impl Report {
    /// The report with the sentence that tells where its page is, or why there is none. Without
    /// room for it the report stays as it is.
    pub fn with_page(self, place: &str, written: Result<(), &str>) -> Report {
        let sentence = match written {
            Ok(()) => format!("The report as a page: {place} (report.html in this ZIP archive)."),
            Err(why) => format!("The report could not be written as a page to {place}: {why}."),
        };
        match self {
            Report::Success {
                summary,
                external_id,
                variables,
            } => Report::Success {
                summary: added(summary, ' ', &sentence, SUMMARY_LIMIT),
                external_id,
                variables,
            },
            Report::Failure {
                failure_type,
                code,
                message,
            } => Report::Failure {
                failure_type,
                code,
                message: added(message, '\n', &sentence, MESSAGE_LIMIT),
            },
            Report::Progress { .. } => self,
        }
    }
}

fn added(text: String, between: char, sentence: &str, limit: usize) -> String {
    match text.len() + between.len_utf8() + sentence.len() <= limit {
        // What a plan would change is a list of lines.
        true if text.contains('\n') => format!("{text}\n{sentence}"),
        true => format!("{text}{between}{sentence}"),
        false => text,
    }
}
