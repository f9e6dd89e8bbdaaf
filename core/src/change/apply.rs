//! Server-side apply of any object: what is sent, how the fields of earlier tools are taken over,
//! whom an object belongs to, what a refusal means, and what an apply would change.
//!
//! The order for one object, of which a plan leaves out the writes:
//!
//! 1. read it; [`owners`] says whether it belongs to somebody else,
//! 2. where it is not a repetition ([`is_repetition`]), try [`body()`] with a dry run; [`refused`]
//!    reads the refusal, and [`ApplyRefusal::named`] the fields that it means (of conflicts with
//!    those whose fields are taken over anyway, [`are_of_predecessors`], try again with force);
//!    [`needs_write`] and [`change`] compare the answer with what was read,
//! 3. send [`takeover()`], where there is one, as a JSON patch; its 409 means: read again. In the
//!    same patch an object that is ours already and is taken from another tool by force loses the
//!    marks of that tool ([`marks_of_others`], [`without_marks`]),
//! 4. apply [`body()`], made of the object that step 3 answered with,
//! 5. where [`takeover()`] finds something in the answer (the server itself invents a manager for
//!    an object that had none), or it still has such marks, steps 3 and 4 once more.
//!
//! <https://kubernetes.io/docs/reference/using-api/server-side-apply/>

mod body;
mod defaults;
mod effect;
mod fields;
mod immutable;
mod overwriting;
mod ownership;
mod refusal;
mod repetition;
mod takeover;

pub use body::body;
pub use effect::{change, needs_write};
pub use overwriting::{OtherWriter, changed_after_us, overwritten};
pub use ownership::{ForeignOwner, Mark, Owner, marks_of_others, owners};
pub use refusal::{ApplyRefusal, FieldConflict, refused};
pub use repetition::is_repetition;
pub use takeover::{are_of_predecessors, is_of_autoscaler, takeover, takeover_into, without_marks};
