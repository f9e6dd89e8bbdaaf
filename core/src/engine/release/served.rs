//! Whether the objects of a release served before.

/// What is known of whether the objects of the release served before the current revision.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Served {
    /// Nothing yet.
    #[default]
    Unasked,
    /// The list of all revisions was asked for.
    Listed,
    /// One after the other of these revisions is read, the last first; and the revision that is
    /// there now.
    Read(Vec<u64>, Option<u64>),
    /// Whether they did, and before which revision.
    Known(bool, Option<u64>),
}
