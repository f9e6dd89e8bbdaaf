//! Whose the objects of a release are.

/// A release, as its objects are marked with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// The id of the release's ApplySet: the value of the label
    /// [`PART_OF`](crate::state::marks::PART_OF).
    pub id: String,
    /// `NAMESPACE/NAME` of the release: the value of the annotation
    /// [`RELEASE`](crate::state::marks::RELEASE).
    pub release: String,
}
