//! The logs of containers, for `pods/log`.

use crate::world::api::call::Call;
use crate::world::api::kinds::Kind;
use crate::world::api::message::{Answer, plain};
use crate::world::api::status;
use crate::world::behaviour::Behaviour;
use crate::world::object::{list, text};
use crate::world::state::World;
use crate::world::store::Key;
use serde_json::Value;

/// The longest log in a response.
pub(crate) const LOG_LIMIT: usize = 1024 * 1024;
/// The log of a healthy container.
pub(crate) const HEALTHY_LOG: &str = "listening on :8080\n";
/// The log of a container that ends with success.
pub(crate) const COMPLETED_LOG: &str = "done\n";

impl World {
    /// `GET …/pods/{name}/log`.
    pub(crate) fn log(&self, call: &Call<'_>) -> Result<Answer, Answer> {
        let target = &call.target;
        let name = target.name.as_deref().unwrap_or_default();
        let key = Key::new(
            "pods",
            target.namespace.as_deref().unwrap_or_default(),
            name,
        );
        let pods = Kind::of_plural("pods").ok_or_else(status::no_such_resource)?;
        let Some(pod) = self.store.get(&key) else {
            return Err(status::not_found(pods, name));
        };
        let init = list(pod, "/spec/initContainers").iter();
        let all = list(pod, "/spec/containers").iter().chain(init);
        let containers: Vec<&str> = all.map(|it| text(it, "/name")).collect();
        let container = match (call.ask("container"), containers.as_slice()) {
            (Some(asked), all) if all.contains(&asked) => asked,
            (Some(asked), _) => {
                let message = format!("container {asked} is not valid for pod {name}");
                return Err(status::bad_request(message));
            }
            (None, [only]) => *only,
            (None, all) => {
                return Err(status::bad_request(format!(
                    "a container name must be specified for pod {name}, choose one of: [{}]",
                    all.join(" ")
                )));
            }
        };
        let text = self.log_of(pod, container, call.flag("previous"))?;
        Ok(plain(200, tail(&text, call)))
    }

    pub(crate) fn log_of(
        &self,
        pod: &Value,
        container: &str,
        previous: bool,
    ) -> Result<String, Answer> {
        let name = text(pod, "/metadata/name");
        let init = list(pod, "/status/initContainerStatuses").iter();
        let mut statuses = list(pod, "/status/containerStatuses").iter().chain(init);
        let found = statuses
            .find(|it| it["name"] == container)
            .unwrap_or(&Value::Null);
        if previous && found.pointer("/lastState/terminated").is_none() {
            return Err(status::bad_request(format!(
                "previous terminated container \"{container}\" in pod \"{name}\" not found"
            )));
        }
        let waiting = text(found, "/state/waiting/reason");
        let why = match waiting {
            _ if found.is_null() => Some("PodInitializing"),
            "" | "CrashLoopBackOff" => None,
            "ErrImagePull" => Some("image can't be pulled"),
            "ImagePullBackOff" => Some("trying and failing to pull image"),
            other => Some(other),
        };
        if let Some(why) = why {
            return Err(status::bad_request(format!(
                "container \"{container}\" in pod \"{name}\" is waiting to start: {why}"
            )));
        }
        let (culprit, behaviour) = self.behaviour_of(&pod["spec"]);
        let is_culprit = pod["spec"]["containers"][culprit]["name"] == container;
        if let Behaviour::Scripted(script) = behaviour {
            return Ok(script.log.clone());
        }
        let is_once = ["Never", "OnFailure"].contains(&text(pod, "/spec/restartPolicy"));
        let healthy = if is_once { COMPLETED_LOG } else { HEALTHY_LOG };
        Ok(behaviour
            .log()
            .filter(|_| is_culprit)
            .unwrap_or_else(|| healthy.to_owned()))
    }
}

pub(crate) fn tail(log: &str, call: &Call<'_>) -> String {
    let number = |name: &str| call.ask(name).and_then(|value| value.parse::<usize>().ok());
    let lines: Vec<&str> = log.split_inclusive('\n').collect();
    let from = number("tailLines").map_or(0, |wanted| lines.len().saturating_sub(wanted));
    let text = lines[from..].concat();
    let limit = number("limitBytes")
        .unwrap_or(LOG_LIMIT)
        .min(LOG_LIMIT)
        .min(text.len());
    String::from_utf8_lossy(&text.as_bytes()[..limit]).into_owned()
}
