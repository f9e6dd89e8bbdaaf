//! HTTP requests and responses.

use crate::world::identity::Identity;
use serde_json::Value;

/// One HTTP request to the API server.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// Path with query, as on the request line.
    pub path: String,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The `Authorization` header, which is checked but not stored.
    pub authorization: Option<String>,
    /// To whom the client's certificate was issued.
    pub certificate: Option<Identity>,
    /// The `User-Agent` header; names the field manager.
    pub user_agent: Option<String>,
    /// The raw body.
    pub body: Vec<u8>,
}

/// One HTTP response.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers, without the content type, which depends on the body.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
}

/// The body of an [`Answer`].
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// An object, a list or a Status.
    Json(Value),
    /// Logs, health checks, and messages of proxies and priority-and-fairness.
    Text(String),
    /// A proxy's page.
    Html(String),
    /// A body that never ends (a fault).
    Endless,
}

/// An object as a response.
pub(crate) fn answer(status: u16, object: Value) -> Answer {
    Answer {
        status,
        headers: Vec::new(),
        body: Body::Json(object),
    }
}

pub(crate) fn plain(status: u16, text: impl Into<String>) -> Answer {
    Answer {
        status,
        headers: Vec::new(),
        body: Body::Text(text.into()),
    }
}
