//! A parsed request to an object or a collection.

use crate::world::api::message::{Answer, Request};
use crate::world::api::route;
use crate::world::api::route::Target;
use crate::world::api::status;
use crate::world::api::validation;
use std::collections::BTreeMap;

/// The largest body that the API server accepts.
pub(crate) const BODY_LIMIT: usize = 3 * 1024 * 1024;

/// The content type of a server-side apply.
pub(crate) const APPLY: &str = "application/apply-patch+yaml";

/// How unknown fields are handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldValidation {
    Ignore,
    Warn,
    Strict,
}

/// A parsed request to an object or a collection.
pub(crate) struct Call<'a> {
    pub(crate) target: Target,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) content_type: &'a str,
    pub(crate) body: &'a [u8],
    pub(crate) dry_run: bool,
    pub(crate) validation: FieldValidation,
    pub(crate) manager: String,
}

impl Call<'_> {
    pub(crate) fn ask(&self, name: &str) -> Option<&str> {
        self.query
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Whether the body has this text in it.
    pub(crate) fn has(&self, text: &str) -> bool {
        String::from_utf8_lossy(self.body).contains(text)
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        matches!(self.ask(name), Some("1" | "true" | "True" | "TRUE" | "t"))
    }
}

pub(crate) fn read(request: &Request, target: Target) -> Call<'_> {
    let query = route::query(&request.path);
    let content_type = request.content_type.as_deref().unwrap_or_default();
    let content_type = content_type.split(';').next().unwrap_or_default().trim();
    let validation = match query.get("fieldValidation").map(String::as_str) {
        Some("Strict") => FieldValidation::Strict,
        Some("Ignore") => FieldValidation::Ignore,
        _ => FieldValidation::Warn,
    };
    // The default field manager is the first word of the user agent.
    let agent = request.user_agent.as_deref().unwrap_or("unknown");
    let agent = agent.split(['/', ' ']).next().unwrap_or(agent);
    let manager = query
        .get("fieldManager")
        .cloned()
        .unwrap_or_else(|| agent.to_owned());
    let dry_run = query.get("dryRun").is_some_and(|value| value == "All");
    Call {
        target,
        query,
        content_type,
        body: &request.body,
        dry_run,
        validation,
        manager,
    }
}

pub(crate) fn check_options(method: &str, call: &Call<'_>) -> Result<(), Answer> {
    let kind = match method {
        "POST" => "CreateOptions",
        "PUT" => "UpdateOptions",
        "PATCH" => "PatchOptions",
        _ => return Ok(()),
    };
    let validation = call.ask("fieldValidation");
    let mut causes = validation::option_faults(&call.manager, call.ask("dryRun"), validation);
    if method == "PATCH" {
        causes.extend(validation::patch_option_faults(
            call.content_type == APPLY,
            call.ask("fieldManager"),
            call.ask("force").is_some(),
        ));
    }
    if causes.is_empty() {
        return Ok(());
    }
    Err(status::invalid(kind, "meta.k8s.io", "", &causes))
}
