//! What a deploy is bound to once it has begun: the server where it writes, and the files that its
//! caller named.

use super::Continuation;
use crate::kubernetes::object::digest;

impl Continuation {
    /// Whether the deploy may go on at the API server at this address. As long as nothing was
    /// written, it may move; then it is bound to the server where that was.
    pub fn belongs_to(&mut self, address: &str) -> bool {
        self.may_move_to(address);
        let address = digest(address);
        *self.server.get_or_insert_with(|| address.clone()) == address
    }

    /// Binds the deploy to the files that were read at its beginning; false if these are others.
    /// A job that is known by what its caller asks for is known by the files as well.
    pub fn has_files(&mut self, files: String, is_repeatable: bool) -> bool {
        // A token of an earlier version names a server, and its job may have records already.
        let is_new = self.files.is_none() && self.server.is_none() && !self.has_begun();
        if is_new && is_repeatable {
            self.job = format!("{}-{files}", self.job);
        }
        *self.files.get_or_insert_with(|| files.clone()) == files
    }

    /// The API server is at this address now: whether the deploy may go there. It may, as long as
    /// nothing was written; then the server there may be another cluster's.
    pub fn may_move_to(&mut self, address: &str) -> bool {
        let may_move = !self.has_begun();
        if may_move {
            self.server = Some(digest(address));
        }
        may_move
    }
}
