//! YAML as Kubernetes' own tools read it, and JSON: text in, one value for each document out.
//!
//! `kubectl` reads by sigs.k8s.io/yaml, which is YAML 1.1 where it matters: `on`, `yes` and `y` are
//! true, `0777` is octal, `1e3` is a number, `2026-01-01` is a string. We follow it, so that a
//! manifest means the same here and there; but a key that stands twice is a fault here.
//! <https://github.com/kubernetes-sigs/yaml/blob/master/goyaml.v2/resolve.go>
//!
//! What is held in memory is limited, object by object: what an alias stands for counts each time
//! that it stands, so that ten lines cannot become a billion, and of objects that nobody asked for
//! only the names are kept, so that a file may have as many of them as it likes.

mod budget;
mod held;
mod json;
mod reader;
mod scalar;
mod scan;
pub mod text;

use budget::too_many_documents;
pub use budget::{DEPTH_LIMIT, DOCUMENTS_LIMIT, TEXT_LIMIT, VALUES_LIMIT, YamlError};
use held::Reduce;
use reader::Reader;
use serde_json::Value;

/// Where a text looks like a template that nobody rendered: its line, from one, and what stands
/// there.
pub fn template(text: &str) -> Option<(usize, &str)> {
    let line = scan::template_line(text)?;
    Some((line, text.lines().nth(line - 1)?.trim()))
}

/// Reads all documents of a text and gives each to `take`; empty ones are left out.
pub fn read(text: &str, take: impl FnMut(Value)) -> Result<(), YamlError> {
    documents(text, None, take)
}

/// Reads a file of Kubernetes objects. Each object that may be a Deployment, also in a `List`,
/// passes through `reduce`; of others only what names them is read at all.
pub fn read_objects(
    text: &str,
    mut reduce: impl FnMut(Value) -> Value,
    take: impl FnMut(Value),
) -> Result<(), YamlError> {
    documents(text, Some(&mut reduce), take)
}

fn documents(
    text: &str,
    reduce: Option<Reduce<'_>>,
    take: impl FnMut(Value),
) -> Result<(), YamlError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !text.trim_start().starts_with('{') {
        let text = scan::without_inner_marks(text);
        return parts(scan::documents(&text), reduce, take);
    }
    // What begins with a bracket is JSON, or YAML that looks like it.
    match json::documents(text) {
        Ok(found) => parts(found.into_iter(), reduce, take),
        Err(fault) => parts(scan::documents(text), reduce, take).map_err(|error| {
            // To those who write JSON its own fault says more.
            match text.trim_start()[1..].trim_start().starts_with('"') {
                true => fault,
                false => error,
            }
        }),
    }
}

/// Reads the parts of a file, each with the lines before it.
fn parts<'a>(
    parts: impl Iterator<Item = (usize, &'a str)>,
    mut reduce: Option<Reduce<'_>>,
    mut take: impl FnMut(Value),
) -> Result<(), YamlError> {
    let mut documents = 0;
    for (line, text) in parts {
        let at_line = |mut error: YamlError| {
            error.line += line;
            error
        };
        let reduce = reduce.as_mut().map(|reduce| &mut **reduce as Reduce<'_>);
        let mut reader = Reader::new(text, reduce);
        while let Some(document) = reader.document().map_err(at_line)? {
            documents += 1;
            if documents > DOCUMENTS_LIMIT {
                return Err(at_line(reader.error(too_many_documents())));
            }
            if !document.is_null() {
                take(document);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
