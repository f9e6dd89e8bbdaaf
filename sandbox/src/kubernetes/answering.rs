//! The world's answers as responses, in the form that the client asked for.

use crate::kubernetes::flow::{Flow, endless};
use crate::world::{Answer, Body as Content};
use hyper::header::{ACCEPT, HeaderName};
use hyper::{Request, Response, StatusCode};
use serde_json::{Value, json};

/// How much of the objects the client asked for.
#[derive(Clone, Copy)]
pub(super) enum Form {
    Whole,
    /// Of a list the metadata alone.
    /// <https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches>
    Metadata,
}

impl Form {
    pub(super) fn asked<B>(request: &Request<B>) -> Form {
        let accept = request.headers().get(ACCEPT);
        let accept = accept.and_then(|value| value.to_str().ok());
        match accept.is_some_and(|types| types.contains("as=PartialObjectMetadataList")) {
            true => Form::Metadata,
            false => Form::Whole,
        }
    }
}

pub(super) fn write(answer: Answer, form: Form) -> Response<Flow> {
    let (content_type, flow) = match answer.body {
        Content::Json(value) => {
            let value = match form {
                Form::Whole => value,
                Form::Metadata => metadata_alone(value),
            };
            let text = value.to_string();
            ("application/json", Flow::Whole(Some(text.into())))
        }
        Content::Text(text) => ("text/plain; charset=utf-8", Flow::Whole(Some(text.into()))),
        Content::Html(page) => ("text/html", Flow::Whole(Some(page.into()))),
        Content::Endless => ("application/json", endless()),
    };
    let mut response = Response::new(flow);
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = [("content-type".to_owned(), content_type.to_owned())];
    for (name, value) in headers.into_iter().chain(answer.headers) {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse()) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// A list with the metadata of its items alone; anything else, as a refusal, stays what it is.
fn metadata_alone(list: Value) -> Value {
    let Some(items) = list["items"].as_array() else {
        return list;
    };
    let items = items.iter().map(|item| {
        json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
            "metadata": item["metadata"]})
    });
    json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
        "metadata": list["metadata"], "items": items.collect::<Vec<_>>()})
}
