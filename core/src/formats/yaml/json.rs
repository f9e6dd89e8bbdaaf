//! JSON is YAML to the parser, but for documents that follow each other without a mark between
//! them.

use super::budget::YamlError;
use serde::de::IgnoredAny;

/// The documents of a text of JSON, each with the lines before it; or where it is none.
pub(super) fn documents(text: &str) -> Result<Vec<(usize, &str)>, YamlError> {
    let mut reader = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    let (mut place, mut line) = (0, 0);
    let mut documents = Vec::new();
    while let Some(document) = reader.next() {
        document.map_err(|cause| told(&cause))?;
        let document = &text[place..reader.byte_offset()];
        documents.push((line, document));
        line += document.matches('\n').count();
        place = reader.byte_offset();
    }
    Ok(documents)
}

fn told(cause: &serde_json::Error) -> YamlError {
    let what = cause.to_string();
    let what = what.split(" at line ").next().unwrap_or_default();
    YamlError {
        line: cause.line(),
        problem: format!("is neither valid JSON nor YAML: {what}"),
    }
}
