//! A field, and what is wrong with it.

use std::fmt;

/// A fault in the user parameters or in what they request.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The field, with dots: `images.web`.
    pub field: String,
    /// What is wrong, and what is valid.
    pub problem: String,
}

impl Fault {
    /// Builds a fault of a field.
    pub fn new(field: impl Into<String>, problem: impl Into<String>) -> Fault {
        Fault {
            field: field.into(),
            problem: problem.into(),
        }
    }
}

/// What was read of a field, or its fault among the others.
pub fn kept<T>(
    faults: &mut Vec<Fault>,
    field: &str,
    read: Result<T, impl Into<String>>,
) -> Option<T> {
    read.map_err(|problem| faults.push(Fault::new(field, problem)))
        .ok()
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` {}", self.field, self.problem)
    }
}
