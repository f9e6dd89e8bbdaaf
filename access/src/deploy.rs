//! The command that deploys `template.yaml`, as the guides have it.

use crate::command::quoted;
use crate::options::Options;
use std::path::Path;

/// The template in the files of a release.
const TEMPLATE: &str = concat!("landfall-", env!("CARGO_PKG_VERSION"), ".template.json");

/// Writes the command with these parameters: for a clone, or where a release's template lies here,
/// for that.
pub(crate) fn line(options: &Options, parameters: &[String]) -> String {
    let command = match Path::new(TEMPLATE).is_file() {
        true => of_release(parameters),
        false => of_clone(parameters),
    };
    let mut words = Vec::new();
    for (variable, value) in [
        ("AWS_PROFILE", &options.profile),
        ("AWS_DEFAULT_REGION", &options.region),
    ] {
        let value = value.iter().map(|value| quoted(value));
        words.extend(value.map(|value| format!("{variable}={value}")));
    }
    words.push(command);
    words.join(" ")
}

fn of_clone(parameters: &[String]) -> String {
    format!(
        "make deploy PARAMETERS=\"{}\"",
        escaped(&joined(parameters))
    )
}

/// SAM takes a value with spaces in quotes of its own; CloudFormation would keep them.
fn of_release(parameters: &[String]) -> String {
    let parameters: Vec<_> = parameters.iter().map(|one| one.replace('"', "")).collect();
    format!(
        "aws cloudformation deploy --stack-name landfall --template-file {TEMPLATE} --capabilities \
         CAPABILITY_IAM --parameter-overrides CodeBucket=BUCKET {}",
        joined(&parameters)
    )
}

fn joined(parameters: &[String]) -> String {
    let words = parameters.iter().map(|word| quoted(word));
    words.collect::<Vec<_>>().join(" ")
}

/// Escapes a text for the double quotes of a shell, and then for `make`, which gives it to another
/// shell.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '$' => escaped.push_str("\\$\\$"),
            '"' | '\\' | '`' => escaped.extend(['\\', letter]),
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
