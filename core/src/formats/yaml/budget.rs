//! How much of a file is held in memory, and the errors if a file needs more.

/// The largest number of documents in a file: those of 200 bytes in the largest file.
pub const DOCUMENTS_LIMIT: usize = 10_000;

/// The largest number of values in an object, of 32 bytes each, with aliases resolved. A mapping
/// counts as `MAPPING_VALUES`. A Deployment has 300. A Deployment of 1.5 MiB, etcd's limit, has
/// fewer than this if its mappings have 50 characters or more.
pub const VALUES_LIMIT: usize = 600_000;

/// How many values a mapping counts, even with a single key: a node of its tree has room for eleven
/// entries, in about 650 bytes.
pub(super) const MAPPING_VALUES: usize = 20;

/// The most text in an object, with aliases resolved: twice the size limit of a file.
pub const TEXT_LIMIT: usize = 4 * 1024 * 1024;

/// The deepest nesting of values. A Deployment needs 15.
pub const DEPTH_LIMIT: usize = 100;

/// Why a text is not usable YAML, and in which line.
#[derive(Clone, Debug, PartialEq)]
pub struct YamlError {
    /// The line, counted from one.
    pub line: usize,
    /// What is wrong in that line.
    pub problem: String,
    /// The field, if it is there twice in one place.
    pub duplicate: Option<String>,
}

pub(super) fn too_many_documents() -> String {
    format!("has more than {DOCUMENTS_LIMIT} documents")
}

pub(super) fn too_many(line: usize) -> YamlError {
    let problem = format!(
        "has an object of more than {VALUES_LIMIT} values or {} MiB of text, with what its aliases \
         stand for",
        TEXT_LIMIT >> 20
    );
    YamlError {
        line,
        problem,
        duplicate: None,
    }
}

/// The remaining budget of one object.
#[derive(Clone, Copy)]
pub(super) struct Budget {
    pub(super) values: usize,
    pub(super) text: usize,
}

impl Budget {
    pub(super) const FULL: Budget = Budget {
        values: VALUES_LIMIT,
        text: TEXT_LIMIT,
    };

    /// Subtracts from the budget; `None` if it is not enough.
    pub(super) fn without(self, values: usize, text: usize) -> Option<Budget> {
        Some(Budget {
            values: self.values.checked_sub(values)?,
            text: self.text.checked_sub(text)?,
        })
    }
}
