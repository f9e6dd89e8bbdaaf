//! What admits the objects of a release and does not answer, or denies them: it is waited for once,
//! not once for each object, and it does not keep everything else from coming back.

use super::play::JOB;
use super::setting::{self, Fate, Start, manifests, request_for};
use crate::simulated;
use jiff::{SignedDuration, Timestamp};
use landfall_core::engine::Ask;
use landfall_core::engine::release::{ReleaseEngine, ReleaseNext, ReleaseOutcome, Ticket};
use landfall_core::kubernetes::call::Verb;
use landfall_core::release::{LeftReason, ReleaseCause, ReleaseFailure, WayBack};
use landfall_core::request::ReleaseRequest;
use landfall_core::state::continuation::Continuation;
use landfall_core::state::release::{Heading, Parent, Status};
use landfall_sandbox::world::World;
use serde_json::{Value, json};
use std::cell::Cell;

/// How long a call takes that a webhook lets hang: the client does not try it again.
const HANGS: SignedDuration = SignedDuration::from_secs(10);

/// How long one takes that is refused at once, because no pod serves the webhook.
const REFUSED: SignedDuration = SignedDuration::from_millis(5);

const SILENT: &str = "Internal error occurred: failed calling webhook \"policy.example.com\": \
    failed to call webhook: Post \"https://policy.ops.svc:443/validate?timeout=10s\": context \
    deadline exceeded";

const DENIED: &str = "configmaps \"settings\" is forbidden: ValidatingAdmissionPolicy 'strict' with \
    binding 'strict' denied request: no version 1";

/// A cluster whose webhook does not answer for some calls.
struct Cluster<'a> {
    world: World,
    now: Timestamp,
    /// Whether a call is refused, when it is sent and when it was tried for the last time.
    refuses: &'a dyn Fn(&World, &Ask, Timestamp) -> bool,
    /// How long a call takes that is refused.
    tries: SignedDuration,
    refusal: (u16, &'static str, &'static str),
}

impl Cluster<'_> {
    fn release(&mut self, request: ReleaseRequest, job: &str) -> ReleaseOutcome {
        let begun = Continuation::begin(job, self.now, request.timeout);
        let until = self.now + SignedDuration::from_hours(24);
        let mut engine = ReleaseEngine::new(request, begun, self.now, until, str::to_owned);
        let mut sent = Vec::<(Timestamp, Ticket, Ask)>::new();
        loop {
            let next = engine.next(self.now);
            sent.sort_by_key(|(end, ticket, _)| std::cmp::Reverse((*end, *ticket)));
            match next {
                ReleaseNext::Ask(asks) => {
                    for (ticket, ask) in asks {
                        let takes = match (self.refuses)(&self.world, &ask, self.now) {
                            true => self.tries,
                            false => SignedDuration::from_millis(5),
                        };
                        sent.push((self.now + takes, ticket, ask));
                    }
                }
                ReleaseNext::Sleep(end) if sent.last().is_none_or(|it| it.0 > end) => {
                    self.pass(end);
                }
                ReleaseNext::Sleep(_) | ReleaseNext::Await => {
                    let (end, ticket, ask) = sent.pop().expect("it waits for an answer");
                    self.pass(end);
                    let result = if (self.refuses)(&self.world, &ask, self.now) {
                        let (code, reason, message) = self.refusal;
                        simulated::refused(code, reason, message)
                    } else {
                        let request = simulated::request(&ask.call);
                        simulated::read(&ask.reading, self.world.answer(&request, self.now))
                    };
                    engine.answered(ticket, result, self.now);
                }
                ReleaseNext::Alarms(_) => panic!("nothing guards it"),
                ReleaseNext::Done(outcome) => return *outcome,
            }
        }
    }

    fn pass(&mut self, end: Timestamp) {
        let time = end.duration_since(self.now);
        simulated::pass(&mut self.world, &mut self.now, time);
    }

    /// How long it has been since the simulation began.
    fn seconds(&self) -> i64 {
        self.now.duration_since(setting::begin()).as_secs()
    }
}

fn request(manifests: &[Value], job: &str) -> ReleaseRequest {
    let fields = json!({"release": "shop", "manifests": "k8s", "timeout": "15m", "execution": job});
    request_for(&fields, manifests, job)
}

/// As many ConfigMaps as Services, in turns.
fn many() -> Vec<Value> {
    let object = |kind: &str, number: usize| {
        let name = format!("a{number}");
        json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}})
    };
    let service = |number| {
        let mut service = object("Service", number);
        service["spec"] = json!({"ports": [{"port": 80}]});
        service
    };
    (0..150)
        .flat_map(|number| [object("ConfigMap", number), service(number)])
        .collect()
}

fn is_write(ask: &Ask, path: &str, tried: bool) -> bool {
    let is_dry = ask.call.query.iter().any(|(key, _)| *key == "dryRun");
    ask.call.verb == Verb::Apply && is_dry == tried && ask.call.path.contains(path)
}

#[test]
fn a_webhook_that_does_not_answer_a_dry_run_is_waited_for_once() {
    // How long each call is tried, when the webhook is back, and the last second of the end.
    for (tries, back, by) in [
        (HANGS, None, 80),
        (REFUSED, None, 70),
        (HANGS, Some(50), 100),
        (REFUSED, Some(40), 100),
    ] {
        let back = back.map(|seconds| setting::begin() + SignedDuration::from_secs(seconds));
        let mut cluster = Cluster {
            world: setting::world(),
            now: setting::begin(),
            refuses: &|_, ask, now| {
                let is_away = back.is_none_or(|back| now < back);
                is_away && is_write(ask, "/services/", true)
            },
            tries,
            refusal: (500, "InternalError", SILENT),
        };
        let end = cluster.release(request(&many(), JOB), JOB);
        let after = cluster.seconds();
        assert!(after <= by, "{tries:#} {back:?}: it took {after} s");
        match (&end, back) {
            (ReleaseOutcome::Finished(_), Some(_)) => {}
            (ReleaseOutcome::Broken(..), None) => {
                let written = cluster.world.objects("secrets").len();
                assert_eq!(written, 0, "something was written");
            }
            _ => panic!("{tries:#} {back:?}: {end:?}"),
        }
    }
}

#[test]
fn a_webhook_that_falls_silent_after_the_dry_runs_is_waited_for_once() {
    for tries in [HANGS, REFUSED] {
        let mut cluster = Cluster {
            world: setting::world(),
            now: setting::begin(),
            refuses: &|_, ask, _| is_write(ask, "/services/", false),
            tries,
            refusal: (500, "InternalError", SILENT),
        };
        let end = cluster.release(request(&many(), JOB), JOB);
        let after = cluster.seconds();
        assert!(after <= 240, "{tries:#}: it took {after} s");
        let (cause, way_back) = ended(&end);
        assert!(matches!(cause, ReleaseCause::Refused(_)), "{cause:?}");
        assert_eq!(way_back.left, []);
        let others = setting::OTHERS.len();
        assert_eq!(cluster.world.objects("configmaps").len(), others);
    }
}

fn ended(end: &ReleaseOutcome) -> (&ReleaseCause, &WayBack) {
    match end {
        ReleaseOutcome::Failed(failure) => match &**failure {
            ReleaseFailure::Ended {
                cause, way_back, ..
            } => (cause, way_back),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// Upgrades a release whose new version cannot serve, with objects beside its own: how it ends, and
/// how long it took.
fn upgrade(
    (first, second): (&[Value], &[Value]),
    tries: SignedDuration,
    refusal: (u16, &'static str, &'static str),
    refuses: &dyn Fn(&World, &Ask, Timestamp) -> bool,
) -> (ReleaseOutcome, World, i64) {
    let mut cluster = Cluster {
        world: setting::world(),
        now: setting::begin(),
        refuses: &|_, _, _| false,
        tries,
        refusal,
    };
    let all = |version, beside: &[Value]| [manifests(version), beside.to_vec()].concat();
    let end = cluster.release(request(&all(1, first), "first"), "first");
    assert!(matches!(end, ReleaseOutcome::Finished(_)), "{end:?}");
    setting::doom(&mut cluster.world, Start::Upgrade, Fate::Doomed);
    let before = cluster.seconds();
    let mut cluster = Cluster { refuses, ..cluster };
    let end = cluster.release(request(&all(2, second), JOB), JOB);
    let after = cluster.seconds() - before;
    (end, cluster.world, after)
}

fn version_of(world: &World) -> Value {
    let settings = world.object("configmaps", "default", "settings").unwrap();
    settings["data"]["version"].clone()
}

/// Whether the second version is in the cluster, and a write of what is in its settings comes now.
fn returns(world: &World, ask: &Ask) -> bool {
    is_write(ask, "/configmaps/settings", false) && version_of(world) == "2"
}

fn reasons(way_back: &WayBack) -> Vec<(String, LeftReason)> {
    let left = way_back.left.iter();
    left.map(|(id, reason)| (id.name.clone(), reason.clone()))
        .collect()
}

/// It is told what stays for its sake, everything else goes back, and the release is not left
/// locked.
#[test]
fn a_silent_webhook_keeps_nothing_else_from_coming_back() {
    let refusal = (500, "InternalError", SILENT);
    let refuses = |world: &World, ask: &Ask, _| returns(world, ask);
    let (end, world, after) = upgrade((&[], &[]), REFUSED, refusal, &refuses);
    assert!(after <= 330, "it took {after} s");
    let (_, way_back) = ended(&end);
    let left = reasons(way_back);
    assert!(
        matches!(
            &*left,
            [(job, LeftReason::JobRan), (settings, LeftReason::Refused(why))]
                if job == "migrate" && settings == "settings" && why.contains("policy.example.com")
        ),
        "{left:?}"
    );
    for name in ["web", "worker"] {
        let live = world.object("deployments", "default", name).unwrap();
        let image = &live["spec"]["template"]["spec"]["containers"][0]["image"];
        assert_eq!(*image, format!("registry.example.com/{name}:1"));
    }
    let secrets = world.objects("secrets").into_iter();
    let newest = secrets
        .filter_map(Heading::read)
        .max_by_key(|it| it.revision);
    assert_eq!(newest.unwrap().status, Status::Failed);
    let parent = world.object("secrets", "default", "landfall.shop").unwrap();
    assert_eq!(Parent::read(parent).unwrap().lock, None);
}

/// Each object that it is to admit costs one call once the webhook was waited for, and not six.
#[test]
fn a_webhook_that_hangs_for_many_objects_leaves_time_to_bring_back_the_others() {
    let labelled = |version: &str| {
        let mut all = many();
        for object in &mut all {
            object["metadata"]["labels"] = json!({"version": version});
        }
        all
    };
    let version = |world: &World, plural: &str| {
        let live = world.object(plural, "default", "a149").unwrap();
        live["metadata"]["labels"]["version"].clone()
    };
    let refusal = (500, "InternalError", SILENT);
    let refuses =
        |world: &World, ask: &Ask, _| is_write(ask, "/services/a", false) && failed(world);
    let all = (labelled("1"), labelled("2"));
    let (end, world, after) = upgrade((&all.0, &all.1), HANGS, refusal, &refuses);
    assert!(after <= 600, "it took {after} s");
    let (_, way_back) = ended(&end);
    let left = way_back.left.iter();
    let left = left.filter(|(id, _)| id.kind == "Service").count();
    assert_eq!(left, 150);
    assert_eq!(version(&world, "configmaps"), "1");
    assert_eq!(version(&world, "services"), "2");
}

/// Whether the newest revision is known to have failed.
fn failed(world: &World) -> bool {
    let secrets = world.objects("secrets").into_iter();
    let newest = secrets
        .filter_map(Heading::read)
        .max_by_key(|it| it.revision);
    newest.is_some_and(|it| it.has_failed())
}

/// What came last goes first, or it would be asked about what comes back.
#[test]
fn what_the_failed_version_admits_by_does_not_hinder_its_way_back() {
    const HOOKS: &str = "validatingwebhookconfigurations";
    const POLICIES: &str = "validatingadmissionpolicies";
    let object = |kind: &str, spec: Value| {
        let api = "admissionregistration.k8s.io/v1";
        json!({"apiVersion": api, "kind": kind, "metadata": {"name": "strict"}, "spec": spec})
    };
    let mut hook = object("ValidatingWebhookConfiguration", json!(null));
    hook.as_object_mut().unwrap().remove("spec");
    let policy = |version: u32| {
        let spec = json!({"validations": [{"expression": format!("version >= {version}")}]});
        object("ValidatingAdmissionPolicy", spec)
    };
    let is_strict = |world: &World| {
        let live = world.object(POLICIES, "", "strict");
        live.is_some_and(|live| live["spec"] == policy(2)["spec"])
    };
    let has_hook = |world: &World| world.object(HOOKS, "", "strict").is_some();
    type Refuses<'a> = &'a dyn Fn(&World, &Ask, Timestamp) -> bool;
    // A policy that has gone is asked for up to a second more.
    let seen = Cell::new(setting::begin());
    let denies: Refuses = &|world, ask, now| {
        if is_strict(world) {
            seen.set(now);
        }
        let still = now.duration_since(seen.get()) < SignedDuration::from_secs(1);
        returns(world, ask) && still
    };
    let is_silent: Refuses = &|world, ask, _| returns(world, ask) && has_hook(world);
    let denial = (422, "Invalid", DENIED);
    let silence = (500, "InternalError", SILENT);
    for (what, first, second, refusal, refuses) in [
        ("a new policy", vec![], vec![policy(2)], denial, denies),
        (
            "a stricter one",
            vec![policy(1)],
            vec![policy(2)],
            denial,
            denies,
        ),
        ("a new webhook", vec![], vec![hook], silence, is_silent),
    ] {
        let (end, world, after) = upgrade((&first, &second), REFUSED, refusal, refuses);
        assert!(after <= 120, "{what}: it took {after} s");
        let (_, way_back) = ended(&end);
        let left = reasons(way_back);
        let expected = ("migrate".to_owned(), LeftReason::JobRan);
        assert_eq!(left, [expected], "{what}");
        assert_eq!(version_of(&world), "1", "{what}");
        let policy = world.object(POLICIES, "", "strict").map(|it| &it["spec"]);
        assert_eq!(policy, first.first().map(|it| &it["spec"]), "{what}");
        assert!(!has_hook(&world), "{what}");
    }
}
