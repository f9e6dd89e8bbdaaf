//! The field `strategy`, and the fields that belong to it.

use super::checks::{SMOKE_LIMIT, name_of, path_of};
use super::fields::Check;
use super::model::{Smoke, Strategy, Switch};
use super::shown::excerpt;
use crate::text::one_of;
use crate::workload::Kind;
use serde_json::Value;
use std::time::Duration;

/// The default `bake` of a switch: long enough for proxies and load balancers to learn of it.
const DEFAULT_BAKE: Duration = Duration::from_secs(30);

/// The longest `bake`: during that of a switch twice as many pods run.
pub(super) const LONGEST_BAKE: Duration = Duration::from_secs(6 * 3600);

/// The range of a `bake` in words.
pub(super) const SECONDS_TO_6H: &str = "0s to 6h";

/// The default for `keep`, and the largest value.
const DEFAULT_KEEP: usize = 1;
/// See [`DEFAULT_KEEP`].
const MOST_KEPT: u64 = 20;

/// The strategies that switch a Service.
const SWITCHING: &str = "`blueGreen`, `canary` and `immutable`";

/// The longest name of a switched Deployment. With `-` and a version of ten characters it must
/// leave room for the suffixes of ReplicaSets and pods, and fit into a label's value (63
/// characters).
const SWITCHED_NAME_LIMIT: usize = 45;

/// The longest name of a Service's port.
const PORT_NAME_LIMIT: usize = 63;

impl Check<'_> {
    pub(super) fn strategy(&mut self, deployment: Option<&str>) -> Strategy {
        let name = self.text("strategy");
        let name = name.as_deref();
        let known = self.kind.row().strategies;
        if self.fields.contains_key("strategy") && name.is_none_or(|name| !known.contains(&name)) {
            match name {
                Some(other) if self.is_of_another_kind(other) => {
                    let kind = self.kind.word();
                    let problem = format!(
                        "is `{other}`, by which only a Deployment can be deployed. A {kind} is \
                         deployed by `rolling`, which is the default"
                    );
                    self.fault("strategy", problem);
                }
                Some(other) => self.unknown_strategy(other, known),
                None => {}
            }
            return self.fields_of_any();
        }
        let switches = matches!(name, Some("blueGreen" | "canary" | "immutable"));
        self.only("service", switches, SWITCHING);
        self.only("smoke", switches, SWITCHING);
        let hands_over = matches!(name, Some("blueGreen" | "immutable"));
        self.only("handover", hands_over, "`blueGreen` and `immutable`");
        self.only("keep", name == Some("immutable"), "`immutable`");
        self.only("steps", name == Some("canary"), "`canary`");
        self.only("route", name == Some("canary"), "`canary`");
        if !switches {
            return Strategy::Rolling;
        }
        if self.fields.contains_key("method") {
            let problem =
                "is only for the strategy `rolling`, as the others write a new Deployment";
            self.fault("method", format!("{problem}; leave it out"));
        }
        if deployment.is_some_and(|name| name.len() > SWITCHED_NAME_LIMIT || name.contains('.')) {
            let problem = format!(
                "is too long or has a dot: with this strategy it is a label's value and the \
                 beginning of other names, so that it may have {SWITCHED_NAME_LIMIT} characters \
                 and no dot"
            );
            self.fault(self.naming_field(), problem);
        }
        let switch = Switch {
            service: self.service(),
            bake: self.bake(DEFAULT_BAKE),
            smoke: self.smoke(),
            handover: self.handover(),
        };
        match name {
            Some("immutable") => Strategy::Immutable {
                switch,
                keep: self.keep(),
            },
            Some("canary") => Strategy::Canary {
                canary: self.canary(switch.bake),
                switch,
            },
            _ => Strategy::BlueGreen(switch),
        }
    }

    /// Whether a strategy exists and this kind of workload cannot be deployed by it.
    fn is_of_another_kind(&self, strategy: &str) -> bool {
        Kind::ALL
            .into_iter()
            .any(|kind| kind != self.kind && kind.row().strategies.contains(&strategy))
    }

    fn unknown_strategy(&mut self, given: &str, known: &[&str]) {
        let letters = |name: &str| name.replace(['-', '_', ' ', '/'], "").to_lowercase();
        let meant = known.iter().find(|known| letters(known) == letters(given));
        let given = excerpt(given, 0);
        let problem = match meant {
            Some(meant) => format!("must be `{meant}`, and is `{given}`"),
            None => format!("must be {}, and is `{given}`", one_of(known)),
        };
        self.fault("strategy", problem);
    }

    /// Checks the fields of a strategy that is not known: whether each is valid, not whether the
    /// strategy uses it.
    fn fields_of_any(&mut self) -> Strategy {
        let service = match self.fields.contains_key("service") {
            true => self.service(),
            false => String::new(),
        };
        self.keep();
        let has_bake = self.fields.contains_key("bake");
        let switch = Switch {
            service,
            bake: self.bake(DEFAULT_BAKE),
            smoke: self.smoke(),
            handover: self.handover(),
        };
        match has_bake {
            true => Strategy::BlueGreen(switch),
            false => Strategy::Rolling,
        }
    }

    /// How long the new version is watched, by whatever strategy.
    pub(super) fn bake_of(&mut self, strategy: &Strategy) -> Duration {
        match strategy.switch() {
            Some(switch) => switch.bake,
            // Kubernetes' own rolling update keeps no pods of the previous version.
            None => self.bake(Duration::ZERO),
        }
    }

    pub(super) fn bake(&mut self, default: Duration) -> Duration {
        let range = Duration::ZERO..=LONGEST_BAKE;
        self.duration("bake", default, range, SECONDS_TO_6H)
    }

    /// Refuses a field that the strategy does not use.
    fn only(&mut self, field: &str, used: bool, strategies: &str) {
        if !used && self.fields.contains_key(field) {
            let problem = format!("is only for the strategy {strategies}; leave it out");
            self.fault(field, problem);
        }
    }

    fn service(&mut self) -> String {
        let Some(service) = self.text("service") else {
            if !self.is_there("service") {
                let problem = "is missing: the Service that is switched to the new version";
                self.fault("service", problem);
            }
            return String::new();
        };
        // The limit leaves room for `-preview`.
        self.check("service", name_of(&service, 55, false));
        service
    }

    fn keep(&mut self) -> usize {
        let Some(value) = self.fields.get("keep") else {
            return DEFAULT_KEEP;
        };
        let count = value.as_u64().filter(|count| *count <= MOST_KEPT);
        let count = count.and_then(|count| usize::try_from(count).ok());
        if count.is_none() {
            let problem = format!("must be a whole number from 0 to {MOST_KEPT}, no quotes");
            self.fault("keep", problem);
        }
        count.unwrap_or(DEFAULT_KEEP)
    }

    fn smoke(&mut self) -> Option<Smoke> {
        let shape =
            r#"a path such as "/health", or {"path": "/health", "contains": "ok", "port": "http"}"#;
        let (path, contains, port) = match self.fields.get("smoke").cloned() {
            None => return None,
            Some(Value::String(path)) => (path, None, None),
            Some(Value::Object(fields)) => {
                self.known_parts("smoke", &fields, &["path", "contains", "port"])?;
                let text = |field: &str| match fields.get(field) {
                    None => Ok(None),
                    Some(Value::String(text)) => Ok(Some(text.clone())),
                    Some(Value::Number(port)) if field == "port" => Ok(Some(port.to_string())),
                    Some(_) => Err(()),
                };
                let (Ok(Some(path)), Ok(contains), Ok(port)) =
                    (text("path"), text("contains"), text("port"))
                else {
                    self.fault("smoke", format!("must be {shape}"));
                    return None;
                };
                (path, contains, port)
            }
            Some(other) => {
                self.must_be("smoke", shape, &other);
                return None;
            }
        };
        self.check("smoke", path_of(&path));
        let given = self.fields["smoke"].get("port");
        if given.is_some_and(|port| !is_port(port)) {
            let problem = "must be the name or the number (1 to 65535) of a port of the Service";
            self.fault("smoke.port", problem);
        }
        let fits = |text: &String| (1..=SMOKE_LIMIT).contains(&text.len());
        if !contains.as_ref().is_none_or(fits) {
            let problem = format!("must be a text of 1 to {SMOKE_LIMIT} characters");
            self.fault("smoke.contains", problem);
        }
        Some(Smoke {
            path,
            contains,
            port,
        })
    }
}

/// Whether a port can be one of a Service, by its name or its number.
fn is_port(port: &Value) -> bool {
    match port {
        Value::Number(number) => number.as_u64().is_some_and(|it| (1..=65_535).contains(&it)),
        Value::String(name) => (1..=PORT_NAME_LIMIT).contains(&name.chars().count()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
    }
}
