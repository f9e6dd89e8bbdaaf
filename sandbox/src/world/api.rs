//! A request's way in: faults, credentials, rights, then the verb.

use super::fault::{self, Fault};
use super::object::map_mut;
use super::route::{self, Route, Target};
use super::selector::Fields;
use super::status;
use super::validation;
use super::{Answer, Body, Reply, Request, Watch, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What the API server takes as a body.
pub(super) const BODY_LIMIT: usize = 3 * 1024 * 1024;

/// What is done about unknown fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FieldValidation {
    Ignore,
    Warn,
    Strict,
}

/// A request to an object or a collection, read.
pub(super) struct Call<'a> {
    pub(super) target: Target,
    pub(super) query: BTreeMap<String, String>,
    pub(super) content_type: &'a str,
    pub(super) body: &'a [u8],
    pub(super) dry_run: bool,
    pub(super) validation: FieldValidation,
    pub(super) manager: String,
}

impl Call<'_> {
    pub(super) fn ask(&self, name: &str) -> Option<&str> {
        self.query
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.ask(name), Some("1" | "true" | "True" | "TRUE" | "t"))
    }
}

fn remarked(answer: Answer) -> Reply {
    Reply::Answer(super::warning::added(answer))
}

/// An object as the answer to a request.
pub(super) fn answer(status: u16, object: Value) -> Answer {
    Answer {
        status,
        headers: Vec::new(),
        body: Body::Json(object),
    }
}

pub(super) fn plain(status: u16, text: impl Into<String>) -> Answer {
    Answer {
        status,
        headers: Vec::new(),
        body: Body::Text(text.into()),
    }
}

impl World {
    /// The reply, as the fault planned for the request has it.
    pub(super) fn reply(&mut self, request: &Request, authorized: bool) -> Reply {
        let Some(fault) = fault::draw(&mut self.faults, request) else {
            return self.serve(request, authorized);
        };
        let seconds = |seconds: u32| ("Retry-After".to_owned(), seconds.to_string());
        Reply::Answer(match fault {
            Fault::Stall => return Reply::Stall,
            Fault::CutBefore => return Reply::Cut,
            Fault::CutAfter => {
                self.serve(request, authorized);
                return Reply::Cut;
            }
            Fault::Stale => return self.serve_stale(request, authorized),
            Fault::WatchError410 | Fault::WatchClosed => {
                return self.serve_broken_watch(request, authorized, &fault);
            }
            Fault::Throttled { retry_after } => Answer {
                headers: vec![seconds(retry_after)],
                ..plain(429, "Too many requests, please try again later.")
            },
            Fault::Unavailable { retry_after } => unavailable(retry_after),
            Fault::InternalError => internal_error(),
            Fault::Html { status } => proxy_page(status),
            Fault::Conflict => self.raced(request),
            Fault::Gone => status::expired(status::too_old(1, self.resource_version())),
            Fault::Unauthorized => status::unauthorized(),
            Fault::Redirect { to } => Answer {
                headers: vec![("Location".to_owned(), to)],
                ..plain(307, "Temporary Redirect")
            },
            Fault::Oversized => Answer {
                status: 200,
                headers: Vec::new(),
                body: Body::Endless,
            },
        })
    }

    fn serve(&mut self, request: &Request, authorized: bool) -> Reply {
        self.route(request, authorized)
            .unwrap_or_else(Reply::Answer)
    }

    fn route(&mut self, request: &Request, authorized: bool) -> Result<Reply, Answer> {
        let route = route::route(&request.path);
        if !authorized && !matches!(route, Route::Version | Route::Healthy) {
            return Err(status::unauthorized());
        }
        if request.body.len() > BODY_LIMIT {
            return Err(status::too_large(BODY_LIMIT));
        }
        match route {
            Route::Version => Ok(Reply::Answer(answer(200, version()))),
            Route::Healthy => Ok(Reply::Answer(plain(200, "ok"))),
            Route::AccessReview => self.review_access(request).map(Reply::Answer),
            Route::IdentityReview => Ok(Reply::Answer(self.review_identity())),
            Route::NoResource => Err(status::no_such_resource()),
            // Rights in a namespace are none to paths outside of it.
            Route::NoPath => {
                let path = request.path.split('?').next().unwrap_or_default();
                Err(status::forbidden_path(&self.user, &request.method, path))
            }
            Route::Target(target) => {
                let call = read(request, target);
                self.check_access(&request.method, &call)?;
                check_options(&request.method, &call)?;
                self.check_admission(&request.method, &call)?;
                self.dispatch(&request.method, &call)
            }
        }
    }

    fn dispatch(&mut self, method: &str, call: &Call<'_>) -> Result<Reply, Answer> {
        let target = &call.target;
        let named = target.name.is_some();
        match (method, named, target.subresource.as_deref()) {
            ("POST", true, Some("token")) => self.issue_token(call).map(Reply::Answer),
            (_, _, Some("token")) => Err(status::method_not_allowed()),
            ("GET", true, Some("log")) => self.log(call).map(Reply::Answer),
            ("GET", true, Some("proxy")) => self.proxy(call).map(Reply::Answer),
            ("GET", true, Some("scale")) => self.get_scale(call).map(Reply::Answer),
            ("PUT" | "PATCH", true, Some("scale")) => {
                self.change_scale(method, call).map(Reply::Answer)
            }
            ("GET", true, _) => self.get(call).map(Reply::Answer),
            ("GET", false, _) if call.flag("watch") => self.start_watch(call).map(Reply::Watch),
            ("GET", false, _) => self.list(call).map(Reply::Answer),
            ("POST", false, None) => self.create(call).map(remarked),
            ("PUT", true, None | Some("status")) => self.update(call).map(remarked),
            ("PATCH", true, None | Some("status")) => self.patch(call).map(remarked),
            ("DELETE", true, None) => self.delete_one(call).map(Reply::Answer),
            _ => Err(status::method_not_allowed()),
        }
    }

    fn check_access(&self, method: &str, call: &Call<'_>) -> Result<(), Answer> {
        let named = call.target.name.is_some();
        let verb = match (method, named) {
            ("GET", true) => "get",
            ("GET", false) if call.flag("watch") => "watch",
            ("GET", false) => "list",
            ("POST", _) => "create",
            ("PUT", _) => "update",
            ("PATCH", _) => "patch",
            ("DELETE", true) => "delete",
            ("DELETE", false) => "deletecollection",
            _ => return Err(status::method_not_allowed()),
        };
        let subresource = call.target.subresource.as_deref();
        if self.may(verb, call.target.kind.plural, subresource) {
            return Ok(());
        }
        let fields = call.ask("fieldSelector").unwrap_or_default();
        let fields = Fields::parse(call.target.kind.plural, fields).unwrap_or_default();
        let name = call.target.name.as_deref().or(fields.name());
        let name = name.unwrap_or_default();
        Err(status::forbidden(&self.user, verb, &call.target, name))
    }

    fn may(&self, verb: &str, plural: &str, subresource: Option<&str>) -> bool {
        let resource = match subresource {
            Some(subresource) => format!("{plural}/{subresource}"),
            None => plural.to_owned(),
        };
        let verbs = [verb, "*"];
        let resources = [resource.as_str(), "*"];
        !verbs.iter().any(|verb| {
            let forbidden = |resource: &&str| {
                self.forbidden
                    .contains(&((*verb).to_owned(), (*resource).to_owned()))
            };
            resources.iter().any(forbidden)
        })
    }

    fn review_access(&self, request: &Request) -> Result<Answer, Answer> {
        let mut review: Value = serde_json::from_slice(&request.body)
            .map_err(|error| status::bad_request(error.to_string()))?;
        let wanted = review["spec"]["resourceAttributes"].clone();
        let text = |field: &str| wanted[field].as_str().unwrap_or_default();
        let subresource = Some(text("subresource")).filter(|name| !name.is_empty());
        let allowed = self.may(text("verb"), text("resource"), subresource);
        map_mut(&mut review, "status").insert("allowed".to_owned(), allowed.into());
        Ok(answer(201, review))
    }

    /// A 409 on a write, as if another one had come between.
    fn raced(&self, request: &Request) -> Answer {
        match route::route(&request.path) {
            Route::Target(Target {
                kind,
                name: Some(name),
                ..
            }) => status::modified(kind, &name),
            Route::Target(Target {
                kind, name: None, ..
            }) => {
                let object: Value = serde_json::from_slice(&request.body).unwrap_or_default();
                status::already_exists(kind, super::text(&object, "/metadata/name"))
            }
            Route::Version | Route::Healthy | Route::AccessReview => status::no_such_resource(),
            Route::IdentityReview | Route::NoResource | Route::NoPath => status::no_such_resource(),
        }
    }

    fn serve_stale(&mut self, request: &Request, authorized: bool) -> Reply {
        let route = route::route(&request.path);
        let before = if let Route::Target(Target {
            kind,
            namespace,
            name: Some(name),
            subresource: None,
            ..
        }) = route
        {
            let namespace = namespace.unwrap_or_default();
            self.store
                .before(&super::Key::new(kind.plural, &namespace, &name))
        } else {
            None
        };
        let reply = self.serve(request, authorized);
        match (before, &reply) {
            (Some(before), Reply::Answer(Answer { status: 200, .. }))
                if request.method == "GET" =>
            {
                Reply::Answer(answer(200, Value::clone(&before)))
            }
            _ => reply,
        }
    }

    fn serve_broken_watch(&mut self, request: &Request, authorized: bool, fault: &Fault) -> Reply {
        match self.serve(request, authorized) {
            Reply::Watch(watch) => {
                let error = (*fault == Fault::WatchError410).then(|| watch.expired());
                let initial = error.into_iter().collect();
                Reply::Watch(Watch {
                    initial,
                    ends: true,
                    ..watch
                })
            }
            reply @ (Reply::Answer(_) | Reply::Stall | Reply::Cut) => reply,
        }
    }
}

fn read(request: &Request, target: Target) -> Call<'_> {
    let query = route::query(&request.path);
    let content_type = request.content_type.as_deref().unwrap_or_default();
    let content_type = content_type.split(';').next().unwrap_or_default().trim();
    let validation = match query.get("fieldValidation").map(String::as_str) {
        Some("Strict") => FieldValidation::Strict,
        Some("Ignore") => FieldValidation::Ignore,
        _ => FieldValidation::Warn,
    };
    // Without a name of its own, a writer is called by the first word of its user agent.
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

fn check_options(method: &str, call: &Call<'_>) -> Result<(), Answer> {
    let kind = match method {
        "POST" => "CreateOptions",
        "PUT" => "UpdateOptions",
        "PATCH" => "PatchOptions",
        _ => return Ok(()),
    };
    let validation = call.ask("fieldValidation");
    let causes = validation::option_faults(&call.manager, call.ask("dryRun"), validation);
    if causes.is_empty() {
        return Ok(());
    }
    Err(status::invalid(kind, "meta.k8s.io", "", &causes))
}

fn unavailable(retry_after: Option<u32>) -> Answer {
    let message = "the server is currently unable to handle the request";
    let details = retry_after.map_or(json!({}), |seconds| json!({"retryAfterSeconds": seconds}));
    let mut answer = status::refusal(503, "ServiceUnavailable", message, details);
    let header = retry_after.map(|seconds| ("Retry-After".to_owned(), seconds.to_string()));
    answer.headers.extend(header);
    answer
}

fn internal_error() -> Answer {
    let cause = "etcdserver: leader changed";
    let details = json!({"causes": [{"message": cause}]});
    let message = format!("Internal error occurred: {cause}");
    status::refusal(500, "InternalError", message, details)
}

fn proxy_page(status: u16) -> Answer {
    let page = format!(
        "<html>\r\n<head><title>{status}</title></head>\r\n<body>\r\n<center><h1>{status}</h1>\
         </center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    );
    Answer {
        status,
        headers: Vec::new(),
        body: Body::Html(page),
    }
}

fn version() -> Value {
    json!({"major": "1", "minor": "35", "gitVersion": "v1.35.0", "gitCommit": "sandbox",
        "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z", "goVersion": "none",
        "compiler": "rustc", "platform": "linux/amd64"})
}
