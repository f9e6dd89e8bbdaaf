//! A field, and what is wrong with it.

/// One thing that is wrong with the user parameters, or with what they ask for.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The field, with dots: `images.web`.
    pub field: String,
    /// What is wrong with it and what would be right.
    pub problem: String,
}

impl Fault {
    /// A fault of a field.
    pub fn new(field: impl Into<String>, problem: impl Into<String>) -> Fault {
        Fault {
            field: field.into(),
            problem: problem.into(),
        }
    }
}
