//! How much of a file is held in memory, and what is said of one that has more.

/// The most documents in one file: those of 200 bytes in the largest.
pub const DOCUMENTS_LIMIT: usize = 10_000;

/// The most values in an object, aliases resolved, of 32 bytes each: a mapping counts as
/// `MAPPING_VALUES`. A Deployment has 300; one of 1.5 MiB, which is all that etcd takes, has less
/// than this where its mappings have 50 characters or more.
pub const VALUES_LIMIT: usize = 600_000;

/// What a mapping counts, even one of a single key: a node of its tree has room for eleven, in some
/// 650 bytes.
pub(super) const MAPPING_VALUES: usize = 20;

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

pub(super) fn too_many_documents() -> String {
    format!("has more than {DOCUMENTS_LIMIT} documents")
}

pub(super) fn too_many(line: usize) -> YamlError {
    let problem = format!(
        "has an object of more than {VALUES_LIMIT} values or {} MiB of text, with what its aliases \
         stand for",
        TEXT_LIMIT >> 20
    );
    YamlError { line, problem }
}

/// What may still be held of one object.
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

    /// What is left; `None` where that is not enough.
    pub(super) fn without(self, values: usize, text: usize) -> Option<Budget> {
        Some(Budget {
            values: self.values.checked_sub(values)?,
            text: self.text.checked_sub(text)?,
        })
    }
}
