//! A field, and what is wrong with it.

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
