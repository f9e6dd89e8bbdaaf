//! Applies planned faults to requests.

use crate::world::api::message::plain;
use crate::world::api::message::{Answer, Body, Request, answer};
use crate::world::api::reply::{Reply, Watch, WatchFlow};
use crate::world::api::route::{Route, Target};
use crate::world::api::status;
use crate::world::fault;
use crate::world::fault::Fault;
use crate::world::object::text;
use crate::world::state::World;
use crate::world::store::Key;
use serde_json::{Value, json};

impl World {
    /// Returns the reply with the request's planned fault.
    pub(crate) fn reply(&mut self, request: &Request, authorized: bool) -> Reply {
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
            Fault::WatchError410
            | Fault::WatchClosed
            | Fault::WatchMute
            | Fault::WatchGarbled
            | Fault::WatchCut => {
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
            Fault::Kept => {
                let path = request.path.split('?').next().unwrap_or_default();
                let read = Request {
                    method: "GET".to_owned(),
                    path: path.to_owned(),
                    body: Vec::new(),
                    ..request.clone()
                };
                return self.serve(&read, authorized);
            }
            Fault::Odd {
                status,
                header,
                body,
            } => Answer {
                status,
                headers: header.into_iter().collect(),
                body: Body::Text(body),
            },
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

    /// A 409 on a write, as if another write had come before.
    pub(crate) fn raced(&self, request: &Request) -> Answer {
        match self.routed(&request.path) {
            Route::Target(Target {
                kind,
                name: Some(name),
                ..
            }) => status::modified(kind, &name),
            Route::Target(Target {
                kind, name: None, ..
            }) => {
                let object: Value = serde_json::from_slice(&request.body).unwrap_or_default();
                status::already_exists(kind, text(&object, "/metadata/name"))
            }
            Route::Version | Route::Healthy | Route::AccessReview => status::no_such_resource(),
            Route::IdentityReview | Route::NoResource | Route::NoPath => status::no_such_resource(),
            Route::Discovery { .. } | Route::NoGroup => status::no_such_resource(),
        }
    }

    pub(crate) fn serve_stale(&mut self, request: &Request, authorized: bool) -> Reply {
        let route = self.routed(&request.path);
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
                .before(&Key::new(kind.resource, &namespace, &name))
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

    pub(crate) fn serve_broken_watch(
        &mut self,
        request: &Request,
        authorized: bool,
        fault: &Fault,
    ) -> Reply {
        match self.serve(request, authorized) {
            Reply::Watch(watch) => {
                let mut initial = Vec::new();
                if *fault == Fault::WatchError410 {
                    initial.push(watch.expired());
                } else if *fault == Fault::WatchGarbled {
                    initial.push(json!("<html>"));
                }
                let flow = if *fault == Fault::WatchMute {
                    WatchFlow::Mute
                } else if *fault == Fault::WatchCut {
                    WatchFlow::Cut
                } else {
                    WatchFlow::Ends
                };
                Reply::Watch(Watch {
                    initial,
                    flow,
                    ..watch
                })
            }
            reply @ (Reply::Answer(_) | Reply::Stall | Reply::Cut) => reply,
        }
    }
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
