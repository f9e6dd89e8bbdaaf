//! The formats of files and of secrets, told apart and read, whoever made them.

pub mod archive;
pub mod certificate;
pub mod json;
pub mod yaml;
