//! Why an invocation is answered with an error.

use landfall_core::outcome::FailureType;

/// Why an invocation is answered with an error, so that Lambda counts it as one.
#[derive(Debug, PartialEq)]
pub enum Unreported {
    /// There is no job to report to.
    NoJob,
    /// The report could not be delivered.
    Undelivered(String),
    /// The cluster's token was to be renewed and was not.
    NotRenewed(String),
    /// A deploy failed whose caller waits for the answer: the type of the failure, and the message.
    Failed(FailureType, String),
}

impl std::fmt::Display for Unreported {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unreported::NoJob => formatter.write_str(
                "this is not a CodePipeline job: the event has no `CodePipeline.job` with an `id`, \
                 and no `deploy` of a call without a pipeline, which has the user parameters in it",
            ),
            Unreported::Undelivered(why) => {
                write!(formatter, "CodePipeline did not take the report: {why}")
            }
            Unreported::NotRenewed(why) | Unreported::Failed(_, why) => formatter.write_str(why),
        }
    }
}

impl std::error::Error for Unreported {}

impl From<Unreported> for lambda_runtime::Diagnostic {
    fn from(unreported: Unreported) -> Self {
        let kind = match unreported {
            Unreported::NoJob => "NoJob",
            Unreported::Undelivered(_) => "Undelivered",
            Unreported::NotRenewed(_) => "NotRenewed",
            Unreported::Failed(failure_type, _) => failure_type.name(),
        };
        lambda_runtime::Diagnostic {
            error_type: kind.to_owned(),
            error_message: unreported.to_string(),
        }
    }
}
