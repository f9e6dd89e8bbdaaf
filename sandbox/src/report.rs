//! Shows a report like CodePipeline, for a terminal.

use crate::picture::WIDTH;
use landfall_sandbox::aws::{InvocationEnd, JobResult, Outcome, Report};

/// How many lines of a report are shown; a failure's message may have 5,000 characters.
pub(crate) const REPORT_LINES: usize = 60;

/// The end of an action, as the CodePipeline console shows it.
pub(crate) fn report(outcome: &Outcome) -> Vec<String> {
    let mut lines = vec![String::new()];
    match outcome {
        Outcome::Succeeded(report) | Outcome::Failed(report) => result(report, &mut lines),
        // Without a pipeline the response goes to the caller.
        Outcome::Silent(InvocationEnd::Response(answer)) if !answer.is_null() => {
            field("Answer", &answer.to_string(), &mut lines);
        }
        // So does an error: the handbook's words are in it.
        Outcome::Silent(InvocationEnd::Error(error)) if error["errorMessage"].is_string() => {
            let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
            field("Error", &text("errorType"), &mut lines);
            field("Message", &text("errorMessage"), &mut lines);
        }
        Outcome::Silent(end) => {
            field(
                "Status",
                "none: the function ended without a report",
                &mut lines,
            );
            let how = match end {
                InvocationEnd::Response(_) => "it returned without reporting".to_owned(),
                InvocationEnd::Error(error) => format!("it returned the error {error}"),
                InvocationEnd::TimedOut => "its time was over".to_owned(),
                InvocationEnd::Crashed(reason) => reason.clone(),
            };
            field("Invocation", &how, &mut lines);
        }
        Outcome::Pending => field("Status", "none: nothing was reported in time", &mut lines),
    }
    if lines.len() > REPORT_LINES {
        lines.truncate(REPORT_LINES);
        lines.push("    …".to_owned());
    }
    lines.push(String::new());
    lines
}

pub(crate) fn result(report: &Report, lines: &mut Vec<String>) {
    match &report.result {
        JobResult::Success {
            summary,
            external_execution_id,
            output_variables,
            ..
        } => {
            field("Status", "Succeeded", lines);
            field("Summary", summary.as_deref().unwrap_or("-"), lines);
            field(
                "Execution",
                external_execution_id.as_deref().unwrap_or("-"),
                lines,
            );
            for (name, value) in output_variables {
                field("Variable", &format!("{name} = {value}"), lines);
            }
        }
        JobResult::Failure {
            kind,
            message,
            external_execution_id,
        } => {
            field("Status", "Failed", lines);
            field("Type", kind, lines);
            field("Message", message, lines);
            field(
                "Execution",
                external_execution_id.as_deref().unwrap_or("-"),
                lines,
            );
        }
    }
}

pub(crate) fn field(name: &str, text: &str, lines: &mut Vec<String>) {
    const LABEL: usize = 12;
    // A pod's log in a message may contain codes that move the cursor.
    let text = text.replace(|c: char| c.is_control() && c != '\n', " ");
    for (number, line) in wrap(&text, WIDTH - LABEL - 4).into_iter().enumerate() {
        let label = if number == 0 { name } else { "" };
        lines.push(format!("  | {label:LABEL$}{line}").trim_end().to_owned());
    }
}

/// Breaks lines at spaces, and within a word only if it is longer than a line.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let indent: String = paragraph
            .chars()
            .take_while(|c| *c == ' ')
            .take(width / 2)
            .collect();
        let mut line = indent.clone();
        for word in paragraph.split_whitespace() {
            let mut rest: Vec<char> = word.chars().collect();
            let space = usize::from(line.len() > indent.len());
            if space == 1 && line.chars().count() + 1 + rest.len() > width {
                lines.push(std::mem::replace(&mut line, indent.clone()));
            } else if space == 1 {
                line.push(' ');
            }
            while line.chars().count() + rest.len() > width {
                let room = width - line.chars().count();
                line.extend(rest.drain(..room));
                lines.push(std::mem::replace(&mut line, indent.clone()));
            }
            line.extend(rest);
        }
        lines.push(line);
    }
    if lines.is_empty() {
        lines.push(String::new());
    }
    lines
}
