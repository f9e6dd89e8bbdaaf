//! What CodePipeline is told, within its limits.

use super::handbook;
use crate::change::editor::Editor;
use crate::outcome::{FailureCode, FailureType};
use crate::request::Request;
use crate::text::{clip, quote};

/// CodePipeline's limits, in characters; we count bytes, which are never fewer.
/// <https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_FailureDetails.html>
pub const MESSAGE_LIMIT: usize = 5000;
/// The limit of a summary.
pub const SUMMARY_LIMIT: usize = 2048;
/// The limit of an external execution id.
pub(super) const EXTERNAL_ID_LIMIT: usize = 1500;
/// How much of an output variable is kept; all of them may have 122,880 bytes together.
pub(super) const VARIABLE_LIMIT: usize = 4096;
/// How much of a message the first and the last part may take, so that both always fit.
pub(super) const HEADLINE_LIMIT: usize = 1500;
/// See [`HEADLINE_LIMIT`].
pub(super) const NEXT_LIMIT: usize = 1300;
/// The output variable with what a plan would change: the one that has values of others in it.
pub(super) const CHANGES: &str = "Changes";
/// What is between the parts of a message.
pub(super) const PARAGRAPH: &str = "\n\n";

/// What CodePipeline is told about a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Report {
    /// The new version serves.
    Success {
        /// What runs now, where, and how long it took.
        summary: String,
        /// `namespace/deployment@revision`.
        external_id: String,
        /// What later actions may use.
        variables: Vec<(&'static str, String)>,
    },
    /// The deploy goes on in another invocation.
    Progress {
        /// What the next invocation needs.
        token: String,
        /// How far it is.
        summary: String,
        /// The same in percent.
        percent: i32,
    },
    /// It failed.
    Failure {
        /// CodePipeline's type of it.
        failure_type: FailureType,
        /// Where to read more of it.
        code: FailureCode,
        /// The message.
        message: String,
    },
}

impl Report {
    /// The same with nothing in it that CodePipeline could refuse.
    pub fn bare(&self) -> Report {
        match self {
            Report::Success { .. } => Report::Success {
                summary: "It succeeded; the function's log says more.".to_owned(),
                external_id: "landfall".to_owned(),
                variables: Vec::new(),
            },
            Report::Progress { token, .. } => Report::Progress {
                token: token.clone(),
                summary: "The deploy continues.".to_owned(),
                percent: 0,
            },
            Report::Failure {
                failure_type,
                code,
                message,
            } => Report::Failure {
                failure_type: *failure_type,
                code: *code,
                message: clip(
                    message.lines().next().unwrap_or("It failed."),
                    HEADLINE_LIMIT,
                ),
            },
        }
    }
}

/// A message that hiding made longer, within the limit again.
pub(super) fn refit(text: String) -> String {
    if text.len() <= MESSAGE_LIMIT {
        return text;
    }
    let (headline, rest) = text.split_once(PARAGRAPH).unwrap_or((&text, ""));
    let (evidence, next) = rest.rsplit_once(PARAGRAPH).unwrap_or(("", rest));
    message(headline, &[evidence.to_owned()], next)
}

/// Why a call failed, and what is to be done about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The section of the handbook.
    pub code: FailureCode,
    /// CodePipeline's type of it.
    pub failure_type: FailureType,
    /// What happened, in a sentence without its full stop.
    pub reason: String,
    /// What to do, in sentences.
    pub next_step: String,
}

pub(super) fn fail(
    code: FailureCode,
    failure_type: FailureType,
    headline: &str,
    evidence: &[String],
    next: &str,
) -> Report {
    Report::Failure {
        failure_type,
        code,
        message: message(
            headline,
            evidence,
            &handbook::with_section(next, code, NEXT_LIMIT),
        ),
    }
}

/// Puts a message together within [`MESSAGE_LIMIT`], never cutting out its first or last part.
pub(super) fn message(headline: &str, evidence: &[String], next: &str) -> String {
    let headline = clip(headline, HEADLINE_LIMIT);
    let next = clip(next, NEXT_LIMIT);
    let room = MESSAGE_LIMIT - headline.len() - next.len() - 2 * PARAGRAPH.len();
    let evidence = clip(&evidence.join("\n"), room);
    if evidence.is_empty() {
        format!("{headline}{PARAGRAPH}{next}")
    } else {
        format!("{headline}{PARAGRAPH}{evidence}{PARAGRAPH}{next}")
    }
}

/// Who made a later change, as far as that is known.
pub(super) fn who(by: Option<&str>, editor: Option<&Editor>) -> String {
    match (by, editor) {
        (Some(execution), _) => format!("execution `{execution}`"),
        (None, Some(editor)) => format!("`{}` (at {})", quote(&editor.manager), editor.time),
        (None, None) => "someone else".to_owned(),
    }
}

pub(super) fn target(request: &Request) -> String {
    format!(
        "{} `{}` in `{}`",
        request.kind.word(),
        request.deployment,
        request.namespace
    )
}
