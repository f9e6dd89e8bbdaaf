//! What the design says of the tree itself: these tests read the files and run nothing, so they
//! come first.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::too_many_lines,
    clippy::unwrap_used
)]

mod floors;
mod mutations;
mod tidy;
