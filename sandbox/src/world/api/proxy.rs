//! `GET …/services/{name}/proxy/…`: the API server sends the request to one of a Service's ready
//! pods.
//! <https://github.com/kubernetes/kubernetes/blob/master/pkg/registry/core/service/storage/storage.go>

use crate::world::api::call::Call;
use crate::world::api::kinds::Kind;
use crate::world::api::message::{Answer, plain};
use crate::world::api::status;
use crate::world::object::{list, terminating, text};
use crate::world::state::World;
use crate::world::store::Key;
use serde_json::Value;

impl World {
    pub(crate) fn proxy(&self, call: &Call<'_>) -> Result<Answer, Answer> {
        let target = &call.target;
        let namespace = target.namespace.as_deref().unwrap_or_default();
        let (name, port) = split(target.name.as_deref().unwrap_or_default());
        let services = Kind::of_plural("services").ok_or_else(status::no_such_resource)?;
        let service = self.store.get(&Key::new("services", namespace, name));
        let service = service.ok_or_else(|| status::not_found(services, name))?;
        let known = |it: &Value| {
            it["name"] == port
                || it["port"].as_i64().map(|it| it.to_string()).as_deref() == Some(port)
        };
        if !port.is_empty() && !list(service, "/spec/ports").iter().any(known) {
            let why = format!("no service port \"{port}\" found for service \"{name}\"");
            return Err(unreachable(&why));
        }
        let slice = Key::new("endpointslices", namespace, &format!("{name}-slice"));
        let slice = self
            .store
            .get(&slice)
            .map(|slice| list(slice, "/endpoints"));
        let mut endpoints = slice.unwrap_or_default().iter();
        let ready =
            endpoints.find(|it| it.pointer("/conditions/ready") == Some(&Value::Bool(true)));
        let Some(ready) = ready else {
            let why = format!("no endpoints available for service \"{name}\"");
            return Err(unreachable(&why));
        };
        let pod = Key::new("pods", namespace, text(ready, "/targetRef/name"));
        // EndpointSlices are updated later than their pods.
        let Some(pod) = self.store.get(&pod).filter(|pod| !terminating(pod)) else {
            let address = text(ready, "/addresses/0");
            let why = format!(
                "error trying to reach service: dial tcp {address}:8080: connect: connection \
                 refused"
            );
            return Err(unreachable(&why));
        };
        let containers = list(pod, "/spec/containers");
        let says = self.answers.iter().rev().find(|says| {
            let mut images = containers.iter().map(|it| text(it, "/image"));
            images.any(|image| image.contains(&says.image))
        });
        let (status, body) = says.map_or((200, "ok"), |says| (says.status, says.body.as_str()));
        Ok(plain(status, body))
    }
}

/// Parses `[https:]name[:port]`.
fn split(asked: &str) -> (&str, &str) {
    let parts = asked.split(':').collect::<Vec<_>>();
    match parts.as_slice() {
        ["http" | "https", name, port] | [name, port] => (name, port),
        [name] => (name, ""),
        _ => (asked, ""),
    }
}

fn unreachable(why: &str) -> Answer {
    status::refusal(503, "ServiceUnavailable", why, Value::Null)
}
