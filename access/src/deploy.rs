//! The command that deploys `template.yaml`, as the guides have it.

use crate::command::quoted;
use crate::options::Options;

/// Writes the command with these parameters.
pub(crate) fn line(options: &Options, parameters: &[String]) -> String {
    let mut words = Vec::new();
    for (variable, value) in [
        ("AWS_PROFILE", &options.profile),
        ("AWS_DEFAULT_REGION", &options.region),
    ] {
        let value = value.iter().map(|value| quoted(value));
        words.extend(value.map(|value| format!("{variable}={value}")));
    }
    let parameters = parameters.iter().map(|word| quoted(word));
    let parameters = parameters.collect::<Vec<_>>().join(" ");
    words.push(format!(
        "make deploy PARAMETERS=\"{}\"",
        escaped(&parameters)
    ));
    words.join(" ")
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
