//! JSON is YAML to the parser, except for documents that follow each other without a separator.

use super::budget::YamlError;
use crate::formats::json::problem;
use serde::de::IgnoredAny;

/// Splits a text of JSON into documents, each with the number of lines before it; or says where the
/// text is not JSON.
pub(super) fn documents(text: &str) -> Result<Vec<(usize, &str)>, YamlError> {
    let mut reader = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    let (mut place, mut line) = (0, 0);
    let mut documents = Vec::new();
    while let Some(document) = reader.next() {
        document.map_err(|cause| syntax_error(&cause))?;
        let document = &text[place..reader.byte_offset()];
        documents.push((line, document));
        line += document.matches('\n').count();
        place = reader.byte_offset();
    }
    Ok(documents)
}

fn syntax_error(cause: &serde_json::Error) -> YamlError {
    YamlError {
        line: cause.line(),
        problem: format!("is neither valid JSON nor YAML: {}", problem(cause)),
        duplicate: None,
    }
}
