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

pub use budget::{DEPTH_LIMIT, DOCUMENTS_LIMIT, TEXT_LIMIT, VALUES_LIMIT, YamlError};
use budget::{SIGNS_LIMIT, too_many_documents, too_many_signs};
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
    let Some(inner) = text.trim_start().strip_prefix('{') else {
        return yaml_documents(text, reduce, take);
    };
    // What begins with a bracket is JSON; without JSON's quotes it may be YAML of the same form.
    match json::syntax(text) {
        Err(_) if !inner.trim_start().starts_with('"') => yaml_documents(text, reduce, take),
        Err(error) => Err(error),
        Ok(()) => json::read(text, reduce, take),
    }
}

fn yaml_documents(
    text: &str,
    mut reduce: Option<Reduce<'_>>,
    mut take: impl FnMut(Value),
) -> Result<(), YamlError> {
    let text = scan::without_inner_marks(text);
    let text = scan::with_spaces_after_colons(&text);
    let mut documents = 0;
    for (line, text) in scan::documents(&text) {
        let at_line = |mut error: YamlError| {
            error.line += line;
            error
        };
        if let Some(line) = scan::too_many_signs(text, SIGNS_LIMIT) {
            return Err(at_line(too_many_signs(line)));
        }
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
