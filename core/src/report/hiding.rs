//! The last that is done to a report: what must not be seen is taken out, within the limits.

use super::model::{CHANGES, Report, SUMMARY_LIMIT, VARIABLE_LIMIT, refit};
use crate::text::clip;
use crate::text::redaction::{Mask, visible};

impl Report {
    /// The report without what is hidden. Output variables but one, the id and the token are made
    /// of names alone: of them only what does not show is taken out.
    pub fn hide(self, mask: &Mask) -> Report {
        match self {
            Report::Success {
                summary,
                external_id,
                variables,
            } => Report::Success {
                summary: clip(&mask.text(&summary), SUMMARY_LIMIT),
                external_id: visible(&external_id),
                variables: variables
                    .into_iter()
                    .map(|(name, value)| match name == CHANGES {
                        true => (name, clip(&mask.text(&value), VARIABLE_LIMIT)),
                        false => (name, visible(&value)),
                    })
                    .collect(),
            },
            Report::Progress {
                token,
                summary,
                percent,
            } => Report::Progress {
                token,
                summary: clip(&mask.text(&summary), SUMMARY_LIMIT),
                percent,
            },
            Report::Failure {
                failure_type,
                code,
                message,
            } => Report::Failure {
                failure_type,
                code,
                message: refit(mask.text(&message)),
            },
        }
    }
}

#[cfg(test)]
mod tests;
