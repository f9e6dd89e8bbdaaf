//! The API server: how a request enters, its checks, reads and writes.

pub(crate) mod access;
pub(crate) mod admission;
pub(crate) mod call;
pub(crate) mod commit;
pub(crate) mod decode;
pub(crate) mod defaults;
pub(crate) mod faults;
pub(crate) mod message;
pub(crate) mod patch;
pub(crate) mod preconditions;
pub(crate) mod proxy;
pub(crate) mod read;
pub(crate) mod reply;
pub(crate) mod route;
pub(crate) mod scale;
pub(crate) mod schema;
pub(crate) mod serve;
pub(crate) mod status;
pub(crate) mod token;
pub(crate) mod validation;
pub(crate) mod warning;
pub(crate) mod write;
