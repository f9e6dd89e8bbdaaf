//! Reads YAML like Kubernetes' own tools, and JSON: text in, one value per document out.
//!
//! `kubectl` uses sigs.k8s.io/yaml, which follows YAML 1.1 in places: `on`, `yes` and `y` are true,
//! `0777` is octal, `1e3` is a number, `2026-01-01` is a string. This module does the same, so a
//! manifest has the same meaning here. One difference: a duplicate key is a fault.
//! <https://github.com/kubernetes-sigs/yaml/blob/master/goyaml.v2/resolve.go>
//!
//! Memory is limited per object. An alias counts each time it is used, so ten lines cannot expand
//! to a billion. Of objects that nobody asked for only the names are kept, so a file may contain
//! many of them.

mod budget;
mod held;
mod json;
mod reader;
mod scalar;
mod scan;
pub mod text;

use budget::too_many_documents;
pub use budget::{DEPTH_LIMIT, DOCUMENTS_LIMIT, TEXT_LIMIT, VALUES_LIMIT, YamlError};
use held::Objects;
use reader::Reader;
use serde_json::Value;

/// Finds the first placeholder of an unrendered template: its line, from one, and its text.
pub fn template(text: &str) -> Option<(usize, &str)> {
    let line = scan::template_line(text)?;
    Some((line, text.lines().nth(line - 1)?.trim()))
}

/// Finds the first instruction of ytt: its line, from one, and its text.
pub fn ytt(text: &str) -> Option<(usize, &str)> {
    let line = scan::ytt_line(text)?;
    Some((line, text.lines().nth(line - 1)?.trim()))
}

/// Reads all documents of a text and passes each to `take`, except empty ones.
pub fn read(text: &str, mut take: impl FnMut(Value)) -> Result<(), YamlError> {
    documents(text, Kept::Values, |document, _| {
        take(document);
        Ok(())
    })
}

/// Reads a file of Kubernetes objects. Each object that may be of this kind, also in a `List`,
/// passes through `reduce`; of other objects only the names are read.
pub fn read_objects(
    text: &str,
    kind: &str,
    mut reduce: impl FnMut(Value) -> Value,
    mut take: impl FnMut(Value),
) -> Result<(), YamlError> {
    documents(text, Kept::Only(kind, &mut reduce), |document, _| {
        take(document);
        Ok(())
    })
}

/// Reads a file of Kubernetes objects and passes each document to `take`, with the line in which it
/// begins. In an object that has `items` and may be a list, each item first passes through `pack`,
/// with its line: a long list need not be held as values. An error of either ends the reading.
pub fn read_placed(
    text: &str,
    mut pack: impl FnMut(Value, usize) -> Result<Value, String>,
    take: impl FnMut(Value, usize) -> Result<(), String>,
) -> Result<(), YamlError> {
    documents(text, Kept::All(&mut pack), take)
}

/// What becomes of the objects of a text.
enum Kept<'r> {
    /// They are values like others.
    Values,
    /// See [`read_objects`].
    Only(&'r str, &'r mut dyn FnMut(Value) -> Value),
    /// See [`read_placed`].
    All(&'r mut dyn FnMut(Value, usize) -> Result<Value, String>),
}

fn documents(
    text: &str,
    kept: Kept<'_>,
    take: impl FnMut(Value, usize) -> Result<(), String>,
) -> Result<(), YamlError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !text.trim_start().starts_with('{') {
        let text = scan::without_inner_marks(text);
        return parts(scan::documents(&text), kept, take);
    }
    // A text that begins with a bracket is JSON, or YAML that looks like it.
    match json::documents(text) {
        Ok(found) => parts(found.into_iter(), kept, take),
        Err(fault) => parts(scan::documents(text), kept, take).map_err(|error| {
            // For a JSON author the JSON error is more helpful.
            match text.trim_start()[1..].trim_start().starts_with('"') {
                true => fault,
                false => error,
            }
        }),
    }
}

/// Reads the parts of a file, each with the number of lines before it.
fn parts<'a>(
    parts: impl Iterator<Item = (usize, &'a str)>,
    mut kept: Kept<'_>,
    mut take: impl FnMut(Value, usize) -> Result<(), String>,
) -> Result<(), YamlError> {
    let mut documents = 0;
    for (line, text) in parts {
        let at_line = |mut error: YamlError| {
            error.line += line;
            error
        };
        let mut placed;
        let objects = match &mut kept {
            Kept::Values => None,
            Kept::Only(kind, reduce) => Some(Objects::Only(kind, &mut **reduce)),
            Kept::All(pack) => {
                placed = |object, begin: usize| pack(object, begin + line);
                Some(Objects::All(&mut placed))
            }
        };
        let mut reader = Reader::new(text, objects);
        while let Some(document) = reader.document().map_err(at_line)? {
            documents += 1;
            if documents > DOCUMENTS_LIMIT {
                return Err(at_line(reader.error(too_many_documents())));
            }
            if !document.is_null() {
                let taken = take(document, reader.begin() + line);
                taken.map_err(|problem| at_line(reader.error(problem)))?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
