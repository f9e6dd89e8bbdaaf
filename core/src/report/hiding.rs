//! The last that is done to a report: what must not be seen is taken out, within the limits.

use super::model::{CHANGES, Report, SUMMARY_LIMIT, VARIABLE_LIMIT, refit};
use crate::text::clip;
use crate::text::redaction::{Mask, visible};

impl Report {
    /// The report without what is hidden. Output variables but one, the id and the token are made
    /// of names alone: of them only what does not show is taken out.
    pub fn hide(mut self, mask: &Mask) -> Report {
        match &mut self {
            Report::Success {
                summary,
                external_id,
                variables,
            } => {
                *summary = clip(&mask.text(summary), SUMMARY_LIMIT);
                *external_id = visible(external_id);
                for (name, value) in variables {
                    *value = match *name == CHANGES {
                        true => clip(&mask.text(value), VARIABLE_LIMIT),
                        false => visible(value),
                    };
                }
            }
            Report::Progress { summary, .. } => {
                *summary = clip(&mask.text(summary), SUMMARY_LIMIT);
            }
            Report::Failure { message, .. } => *message = refit(mask.text(message)),
        }
        self
    }
}

#[cfg(test)]
mod tests;
