//! Requests and answers as HTTP has them.

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
    /// The `Authorization` header; looked at, never kept.
    pub authorization: Option<String>,
    /// The `User-Agent` header; names the field manager.
    pub user_agent: Option<String>,
    /// The body as it came.
    pub body: Vec<u8>,
}

/// One HTTP response.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers beside the content type, which the body gives.
    pub headers: Vec<(String, String)>,
    /// What is said.
    pub body: Body,
}

/// The body of an [`Answer`].
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// An object, a list or a Status.
    Json(Value),
    /// Logs, health checks, and what proxies and priority-and-fairness say.
    Text(String),
    /// A proxy's page.
    Html(String),
    /// A body that never ends (a fault).
    Endless,
}

/// An object as the answer to a request.
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
