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

mod json;
mod reader;
mod scalar;
mod scan;
pub mod text;

use reader::Reader;
use serde_json::Value;

/// The most documents in one file: those of 200 bytes in the largest.
pub const DOCUMENTS_LIMIT: usize = 10_000;

/// The most values in an object, aliases resolved, of 32 bytes each: a mapping counts as
/// `MAPPING_VALUES`. A Deployment has 300; one of 1.5 MiB, which is all that etcd takes, has less
/// than this where its mappings have 50 characters or more.
pub const VALUES_LIMIT: usize = 600_000;

/// What a mapping counts, even one of a single key: a node of its tree has room for eleven, in some
/// 650 bytes.
const MAPPING_VALUES: usize = 20;

/// The most signs that begin something, from one bracket to its end. The parser holds all that is
/// between them before it tells of the first of it: up to three tokens a sign, 30 MB of these.
const SIGNS_LIMIT: usize = 80_000;

/// The most text in an object, aliases resolved: twice what a file may have.
pub const TEXT_LIMIT: usize = 4 * 1024 * 1024;

/// How deep values may lie in each other. A Deployment needs 15.
pub const DEPTH_LIMIT: usize = 100;

/// Why a text is no YAML that can be used; with the line, which is worth most.
#[derive(Clone, Debug, PartialEq)]
pub struct YamlError {
    /// Counted from one.
    pub line: usize,
    /// What is wrong there.
    pub problem: String,
}

/// What is kept of an object that was read: all of it, or what tells it from others.
type Reduce<'r> = &'r mut dyn FnMut(Value) -> Value;

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

fn too_many_documents() -> String {
    format!("has more than {DOCUMENTS_LIMIT} documents")
}

fn too_many_signs(line: usize) -> YamlError {
    let problem = format!(
        "has more than {SIGNS_LIMIT} signs within one bracket: give the \
                           Deployment a file of its own"
    );
    YamlError { line, problem }
}

fn too_many(line: usize) -> YamlError {
    let problem = format!(
        "has an object of more than {VALUES_LIMIT} values or {} MiB of text, with what its aliases \
         stand for",
        TEXT_LIMIT >> 20
    );
    YamlError { line, problem }
}

/// What may still be held of one object.
#[derive(Clone, Copy)]
struct Budget {
    values: usize,
    text: usize,
}

impl Budget {
    const FULL: Budget = Budget {
        values: VALUES_LIMIT,
        text: TEXT_LIMIT,
    };

    /// What is left; `None` where that is not enough.
    fn without(self, values: usize, text: usize) -> Option<Budget> {
        Some(Budget {
            values: self.values.checked_sub(values)?,
            text: self.text.checked_sub(text)?,
        })
    }
}

/// What a field of an object is to those who look for a Deployment.
#[derive(Clone, Copy, PartialEq)]
enum Field {
    /// It is held.
    Held,
    /// It holds objects of its own.
    Items,
    /// Nobody will ask for it.
    Unread,
}

/// Says of each field of an object what it is, by what came before it.
#[derive(Default)]
struct Fields {
    is_other: bool,
    may_have_items: bool,
}

impl Fields {
    fn of(&self, key: &str) -> Field {
        match key {
            "kind" | "metadata" | "apiVersion" => Field::Held,
            "items" if self.may_have_items => Field::Items,
            _ if self.is_other => Field::Unread,
            _ => Field::Held,
        }
    }

    /// Takes note of a field's value.
    fn saw(&mut self, key: &str, value: &Value) {
        if key == "kind"
            && let Some(kind) = value.as_str()
        {
            self.is_other = kind != "Deployment" && kind != "List";
            self.may_have_items &= kind == "List";
        }
    }
}

#[cfg(test)]
mod tests;
