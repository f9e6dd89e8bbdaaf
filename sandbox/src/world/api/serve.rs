//! How a request enters: faults, credentials, permissions, then the verb.

use crate::world::api::call::{BODY_LIMIT, Call, check_options, read};
use crate::world::api::message::{Answer, Request, answer, plain};
use crate::world::api::reply::Reply;
use crate::world::api::route;
use crate::world::api::route::Route;
use crate::world::api::status;
use crate::world::api::warning;
use crate::world::state::{Seen, World};
use jiff::Timestamp;
use serde_json::{Value, json};

fn remarked(answer: Answer) -> Reply {
    Reply::Answer(warning::added(answer))
}

impl World {
    pub(crate) fn serve(&mut self, request: &Request, authorized: bool) -> Reply {
        self.route(request, authorized)
            .unwrap_or_else(Reply::Answer)
    }

    /// Routes a path: among the resources of every cluster, then among the custom ones.
    pub(crate) fn routed(&self, path: &str) -> Route {
        let found = route::route(path, &[]);
        if matches!(found, Route::NoGroup | Route::NoResource) && path.starts_with("/apis/") {
            return route::route(path, &self.custom_kinds());
        }
        found
    }

    fn route(&mut self, request: &Request, authorized: bool) -> Result<Reply, Answer> {
        let route = self.routed(&request.path);
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
            Route::Discovery { group, version } => {
                Ok(Reply::Answer(self.discover(&group, &version)))
            }
            Route::NoResource => Err(status::no_such_resource()),
            Route::NoGroup => Err(plain(404, "404 page not found\n")),
            // Permissions in a namespace do not cover paths outside it.
            Route::NoPath => {
                let path = request.path.split('?').next().unwrap_or_default();
                Err(status::forbidden_path(
                    &self.caller.user,
                    &request.method,
                    path,
                ))
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
}

fn version() -> Value {
    json!({"major": "1", "minor": "35", "gitVersion": "v1.35.0", "gitCommit": "sandbox",
        "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z", "goVersion": "none",
        "compiler": "rustc", "platform": "linux/amd64"})
}

impl World {
    /// Responds to a request, after everything due until `now` has happened.
    pub fn answer(&mut self, request: &Request, now: Timestamp) -> Reply {
        self.advance(now);
        let caller = self.authenticate(request);
        let authorized = caller.is_some();
        self.caller = caller.unwrap_or_default();
        let reply = self.reply(request, authorized);
        if self.seen.len() < self.seen_limit {
            self.seen.push(Seen {
                method: request.method.clone(),
                path: request.path.clone(),
                content_type: request.content_type.clone(),
                body: serde_json::from_slice(&request.body).ok(),
                authorized,
                user: self.caller.user.clone(),
                status: reply.status(),
                time: self.clock,
            });
        }
        // Tasks without delay are done before the next request.
        self.advance(now);
        reply
    }
}
