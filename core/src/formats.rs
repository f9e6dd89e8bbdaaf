//! Detects and reads the formats of files and secrets.

pub mod archive;
pub mod certificate;
mod der;
pub mod gzip;
pub mod json;
mod pem;
pub mod private_key;
pub mod yaml;
