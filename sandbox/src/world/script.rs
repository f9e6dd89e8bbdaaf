//! Scripted pods: what they show, second by second, as somebody wrote it down.

use jiff::SignedDuration;
use serde_json::Value;

/// A second from a pod's creation on, and what the pod shows from then on.
type Moment = (SignedDuration, Value);

/// What the pods of one version show.
///
/// A state is `"creating"`, `"ready"`, or an object with any of `phase`, `reason`, `message`,
/// `node` (null: none yet), `conditions` (`{type: [status, reason, message]}`), `containers` and
/// `init`. A container is `{"waiting": [reason, message]}`, `{"running": true}` or
/// `{"ended": [code, reason, message]}` with `ready`, `started`, `restarts`, `image`, and `last`
/// (how it ended before).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// A life for each pod in the order of their creation; the last one is that of all others.
    pub lives: Vec<Vec<Moment>>,
    /// Merged into the spec of each pod, as by a mutating webhook; containers are added.
    pub spec: Value,
    /// What each container has written.
    pub log: String,
    /// Events of each pod: `{"type", "reason", "message", "count"}`.
    pub events: Vec<Value>,
    /// When pods cannot be created.
    pub barred: Option<Barred>,
}

/// Why pods cannot be created for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Barred {
    /// The API server's words.
    pub message: String,
    /// From the first attempt.
    pub lasts: SignedDuration,
    /// Pods that there is room for all the same.
    pub room: usize,
}

impl Script {
    /// Reads it: `[[second, state], …]` for all pods, or a list of such lists.
    pub fn read(pods: &Value) -> Script {
        let life = |life: &Value| {
            let moments = life.as_array().into_iter().flatten();
            let moment = |moment: &Value| {
                let seconds = moment[0].as_f64().unwrap_or_default();
                let at = SignedDuration::from_secs_f64(seconds);
                (at, moment[1].clone())
            };
            moments.map(moment).collect()
        };
        let lives = if pods[0][0].is_array() {
            pods.as_array().into_iter().flatten().map(life).collect()
        } else {
            vec![life(pods)]
        };
        Script {
            lives,
            ..Script::default()
        }
    }
}
