//! Shows a report like CodePipeline, for a terminal.

use crate::terminal::wrap;
use landfall_sandbox::aws::{InvocationEnd, JobResult, Outcome, Report};

/// Longer lines are hard to read.
const WIDEST: usize = 110;

/// The end of an action, as the CodePipeline console shows it.
pub(crate) fn report(outcome: &Outcome, width: usize) -> Vec<String> {
    let mut lines = Lines {
        width: width.min(WIDEST),
        all: vec![String::new()],
    };
    match outcome {
        Outcome::Succeeded(report) | Outcome::Failed(report) => lines.result(report),
        // Without a pipeline the response goes to the caller.
        Outcome::Silent(InvocationEnd::Response(answer)) if !answer.is_null() => {
            lines.field("Answer", &answer.to_string());
        }
        // So does an error: the handbook's words are in it.
        Outcome::Silent(InvocationEnd::Error(error)) if error["errorMessage"].is_string() => {
            let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
            lines.field("Error", &text("errorType"));
            lines.field("Message", &text("errorMessage"));
        }
        Outcome::Silent(end) => {
            lines.field("Status", "none: the function ended without a report");
            let how = match end {
                InvocationEnd::Response(_) => "it returned without reporting".to_owned(),
                InvocationEnd::Error(error) => format!("it returned the error {error}"),
                InvocationEnd::TimedOut => "its time was over".to_owned(),
                InvocationEnd::Crashed(reason) => reason.clone(),
            };
            lines.field("Invocation", &how);
        }
        Outcome::Pending => lines.field("Status", "none: nothing was reported in time"),
    }
    lines.all.push(String::new());
    lines.all
}

struct Lines {
    width: usize,
    all: Vec<String>,
}

impl Lines {
    fn result(&mut self, report: &Report) {
        match &report.result {
            JobResult::Success {
                summary,
                external_execution_id,
                output_variables,
                ..
            } => {
                self.field("Status", "Succeeded");
                self.field("Summary", summary.as_deref().unwrap_or("-"));
                self.field("Execution", external_execution_id.as_deref().unwrap_or("-"));
                for (name, value) in output_variables {
                    self.field("Variable", &format!("{name} = {value}"));
                }
            }
            JobResult::Failure {
                kind,
                message,
                external_execution_id,
            } => {
                self.field("Status", "Failed");
                self.field("Type", kind);
                self.field("Message", message);
                self.field("Execution", external_execution_id.as_deref().unwrap_or("-"));
            }
        }
    }

    fn field(&mut self, name: &str, text: &str) {
        const LABEL: usize = 12;
        // A pod's log in a message may contain codes that move the cursor.
        let text = text.replace(|c: char| c.is_control() && c != '\n', " ");
        let lines = wrap(&text, self.width - LABEL - 4).into_iter();
        for (number, line) in lines.enumerate() {
            let label = if number == 0 { name } else { "" };
            let line = format!("  | {label:LABEL$}{line}");
            self.all.push(line.trim_end().to_owned());
        }
    }
}
