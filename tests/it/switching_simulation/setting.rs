//! What is deployed, and what is there before.

use landfall_core::request::{Parameters, Request};
use landfall_sandbox::gateway::HTTP_ROUTES;
use serde_json::json;

/// What the new version is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    Well,
    Slow,
    /// Only its deadline shows that it never serves.
    NeverReady,
    /// Its pods show at once that it never serves.
    Doomed,
    /// It is up, but answers the smoke test with 500.
    FailsSmoke,
    /// It serves, and falls ill five seconds after the switch.
    FallsIll,
}

pub use Health::*;

pub const HEALTHS: [Health; 6] = [Well, Slow, NeverReady, Doomed, FailsSmoke, FallsIll];

/// What is there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// A plain Deployment and a Service that selects `app` alone.
    Adoption,
    /// Two deploys of this strategy were made before.
    Third,
    /// The same, and the first one's version is brought back: a rollback on demand.
    Back,
}

/// Whose lock is on the Service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locked {
    No,
    /// Of an execution that died: it expires in three minutes.
    Live,
    Expired,
}

/// The route of a canary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    HttpRoute,
    Ingress,
}

impl Route {
    pub fn resource(self) -> &'static str {
        match self {
            Route::HttpRoute => HTTP_ROUTES,
            Route::Ingress => "ingresses",
        }
    }
}

/// For how long both versions serve. A target is healthy sooner.
pub const OVERLAP: &str = "40s";

/// One setting of a deploy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    pub immutable: bool,
    /// The route of a canary; `None` for the other strategies.
    pub route: Option<Route>,
    pub start: Start,
    pub scaled: bool,
    pub smoke: bool,
    pub health: Health,
    pub locked: Locked,
    /// Whether a load balancer's target group is in front, so that both versions serve for a while.
    pub overlap: bool,
    /// Whether what is read once is followed by watches.
    pub watched: bool,
}

impl Setting {
    /// Whether the deploy takes all of its time.
    pub fn is_waited_for(self) -> bool {
        self.start == Start::Back && self.health == NeverReady
    }
}

/// Those that are disturbed: of canaries a few.
pub fn settings() -> Vec<Setting> {
    let mut all = all_settings();
    all.retain(|it| match (it.route, it.start) {
        (None, _) => true,
        (Some(Route::HttpRoute), Start::Adoption) => {
            it.scaled && matches!(it.health, Well | FallsIll)
        }
        (Some(Route::HttpRoute), Start::Third) => !it.scaled && it.health == NeverReady,
        (Some(Route::HttpRoute), Start::Back) => false,
        (Some(Route::Ingress), start) => start == Start::Adoption && it.scaled && it.health == Well,
    });
    all
}

/// All settings.
pub fn all_settings() -> Vec<Setting> {
    let mut all = Vec::new();
    let ways = [
        (false, None),
        (true, None),
        (false, Some(Route::HttpRoute)),
        (false, Some(Route::Ingress)),
    ];
    for (immutable, route) in ways {
        for start in [Start::Adoption, Start::Third, Start::Back] {
            for scaled in [false, true] {
                for health in HEALTHS {
                    let smoke = scaled || health == FailsSmoke;
                    let locked = Locked::No;
                    let setting = Setting {
                        immutable,
                        route,
                        start,
                        scaled,
                        smoke,
                        health,
                        locked,
                        overlap: false,
                        watched: true,
                    };
                    all.push(setting);
                    // Where nothing is followed it is asked for again and again while the version
                    // does not come: that is most of the work, and shows little.
                    if health != NeverReady || !scaled && start == Start::Adoption {
                        all.push(Setting {
                            watched: false,
                            ..setting
                        });
                    }
                    let fits = [Well, FallsIll].contains(&health) || smoke && !scaled;
                    if fits && route.is_none() {
                        all.push(Setting {
                            overlap: true,
                            ..setting
                        });
                    }
                    if health == Well && !scaled {
                        all.push(Setting {
                            locked: Locked::Live,
                            ..setting
                        });
                        all.push(Setting {
                            locked: Locked::Expired,
                            ..setting
                        });
                    }
                }
            }
        }
    }
    all
}

pub fn request(job: &str, execution: &str, image: &str, setting: Setting) -> (String, Request) {
    let strategy = match (setting.immutable, setting.route) {
        (true, _) => "immutable",
        (false, Some(_)) => "canary",
        (false, None) => "blueGreen",
    };
    // What was up before is never given up by Kubernetes, so that all of this is waited for, at a
    // look a second: the work for its disturbances grows with the square.
    let timeout = if setting.is_waited_for() { "4m" } else { "10m" };
    let mut parameters = json!({"deployment": "demo-app", "images": {"app": image},
        "strategy": strategy, "service": "demo-app", "execution": execution, "timeout": timeout});
    if let Some(route) = setting.route {
        parameters["route"] = match route {
            Route::HttpRoute => json!("httproute/demo-app"),
            Route::Ingress => json!("ingress/demo-app"),
        };
        parameters["steps"] = json!([10, 50]);
    }
    if setting.smoke {
        parameters["smoke"] = json!({"path": "/health", "contains": "ok"});
    }
    // A retry has the same execution, and so is a rollback as well.
    if setting.start == Start::Back && execution == "run-1" {
        parameters["mode"] = json!("rollback");
        parameters.as_object_mut().unwrap().remove("images");
    }
    if setting.overlap {
        parameters["handover"] = json!({"overlap": OVERLAP});
    }
    let text = parameters.to_string();
    let request = Request::parse(&Parameters::Text(text.clone()), job).unwrap();
    (text, request)
}
