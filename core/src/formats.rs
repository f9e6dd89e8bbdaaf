//! Detects and reads the formats of files and secrets.

pub mod archive;
pub mod certificate;
pub mod json;
pub mod yaml;
