use super::classification::of_waiting;
use super::evidence::LOG_LINE;
use super::quotes::{core, of_probe, other_image, telling};
use super::*;
use crate::kubernetes::pod::{Container, Ended, Event, Pod, State, Unscheduled};
use crate::tests::at;
use crate::workload::Kind;
use crate::workload::replica_set::ReplicaSet;
use insta::assert_snapshot;
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(30);

/// Two pods wanted, so that one may be too many.
fn live(replicas: i64) -> Workload {
    let probe = |path: &str| json!({"httpGet": {"path": path, "port": "http"}});
    Workload::new(
        Kind::Deployment,
        json!({"metadata": {"name": "web"}, "spec": {"replicas": replicas,
        "template": {"spec": {
            "initContainers": [{"name": "setup", "image": "setup:2"}],
            "containers": [{"name": "app", "image": "registry/app:2",
                "readinessProbe": probe("/ready"), "livenessProbe": probe("/alive"),
                "resources": {"limits": {"memory": "256Mi"}}},
                {"name": "bare", "image": "bare:1"}]}}}}),
    )
}

fn pod(containers: Vec<Container>) -> Pod {
    Pod {
        name: "web-2-a".into(),
        node: "n1".into(),
        created: Some(at(0)),
        scheduled: Some(at(0)),
        containers,
        ..Pod::default()
    }
}

fn on(node: &str, pod: Pod) -> Pod {
    Pod {
        name: format!("web-2-{node}"),
        node: node.into(),
        ..pod
    }
}

fn container(state: State) -> Container {
    Container {
        name: "app".into(),
        state,
        ..Container::default()
    }
}

fn waiting(reason: &str, message: &str) -> Container {
    container(State::Waiting {
        reason: reason.into(),
        message: message.into(),
    })
}

fn ended(code: i64, reason: &str, message: &str) -> Ended {
    Ended {
        code,
        reason: reason.into(),
        message: message.into(),
        finished: Some(at(2)),
    }
}

/// A container that waits to be started again, having ended `restarts` + 1 times.
fn looping(restarts: u64, last: Ended) -> Container {
    Container {
        restarts,
        last: Some(last),
        ..waiting(
            "CrashLoopBackOff",
            "back-off 20s restarting failed container",
        )
    }
}

fn crash(restarts: u64) -> Container {
    looping(restarts, ended(1, "Error", ""))
}

fn init(container: Container) -> Container {
    Container {
        name: "setup".into(),
        init: true,
        ..container
    }
}

fn running(ready: bool) -> Container {
    Container {
        ready,
        ..container(State::Running)
    }
}

fn unscheduled(reason: &str) -> Pod {
    let message = "0/3 nodes are available: 3 Insufficient cpu.";
    Pod {
        unscheduled: Some(Unscheduled {
            reason: reason.into(),
            message: message.into(),
            since: Some(at(0)),
        }),
        scheduled: None,
        node: String::new(),
        ..pod(vec![])
    }
}

fn pods(ready: usize, others: Vec<Pod>) -> Pods {
    Pods {
        ready,
        others,
        ..Pods::default()
    }
}

fn sight(seconds: u64, pods: Pods) -> PodSnapshot {
    PodSnapshot {
        at: at(seconds),
        set: ReplicaSet {
            name: "web-2".into(),
            ..ReplicaSet::default()
        },
        pods: Ok(pods),
    }
}

#[derive(Debug, PartialEq)]
enum Told {
    Nothing,
    Suspicious(Cause),
    Doomed(Cause),
}
use Told::{Doomed, Suspicious};

fn told(replicas: i64, sight: &PodSnapshot) -> Told {
    match diagnose(&live(replicas), sight, at(0), PATIENCE) {
        Diagnosis::Nothing => Told::Nothing,
        Diagnosis::Suspicious(finding) => Suspicious(finding.cause),
        Diagnosis::Doomed(finding) => Doomed(finding.cause),
    }
}

const NOT_FOUND: &str = "rpc error: code = NotFound desc = failed to pull and unpack image \
    \"registry/app:2\": registry/app:2: not found";
const DENIED: &str = "pull access denied, repository does not exist or may require \
    authorization: server message: insufficient_scope";
const TIMEOUT: &str = "Head \"https://registry/v2/app\": dial tcp 10.0.0.1:443: i/o timeout";
const SYNC: &str = "failed to sync secret cache: timed out waiting for the condition";
const NO_COMMAND: &str = "exec: \"/srv\": stat /srv: no such file or directory: unknown";

/// What the one new pod of two shows, how old it is, and what follows.
#[test]
fn what_one_pod_means() {
    let one = |container| pod(vec![container]);
    let image = |message: &str| one(waiting("ImagePullBackOff", message));
    let oom = |restarts| one(looping(restarts, ended(137, "OOMKilled", "")));
    let config = |message: &str| one(waiting("CreateContainerConfigError", message));
    let create = |message: &str| one(waiting("CreateContainerError", message));
    let start = |message: &str| looping(2, ended(128, "StartError", message));
    let now = |code, restarts| Container {
        restarts,
        ..container(State::Ended(ended(code, "Error", "")))
    };
    let restarted = Container {
        restarts: 1,
        last: Some(ended(1, "Error", "")),
        ..running(false)
    };
    let sidecar = Container {
        name: "proxy".into(),
        ..crash(2)
    };
    let done = init(container(State::Ended(ended(0, "Completed", ""))));
    let late = init(container(State::Ended(Ended {
        finished: Some(at(100)),
        ..ended(0, "Completed", "")
    })));
    let missing = || waiting("ErrImagePull", NOT_FOUND);
    let disrupted = Pod {
        disrupted: true,
        ..one(crash(9))
    };
    let rows = [
        ("just created", 1, pod(vec![]), Told::Nothing),
        (
            "being started",
            29,
            one(waiting("ContainerCreating", "")),
            Told::Nothing,
        ),
        (
            "for long",
            30,
            one(waiting("ContainerCreating", "")),
            Suspicious(Cause::NotStarted),
        ),
        (
            "for hours",
            9999,
            one(waiting("ContainerCreating", "")),
            Suspicious(Cause::NotStarted),
        ),
        (
            "no valid name",
            1,
            one(waiting("InvalidImageName", "")),
            Doomed(Cause::ImageName),
        ),
        (
            "no image",
            29,
            image(NOT_FOUND),
            Suspicious(Cause::ImageNotFound),
        ),
        (
            "no image for long",
            30,
            image(NOT_FOUND),
            Doomed(Cause::ImageNotFound),
        ),
        (
            "no access",
            119,
            image(DENIED),
            Suspicious(Cause::ImageDenied),
        ),
        (
            "no access for long",
            120,
            image(DENIED),
            Doomed(Cause::ImageDenied),
        ),
        (
            "registry silent",
            299,
            image(TIMEOUT),
            Suspicious(Cause::PullFails),
        ),
        (
            "registry silent for long",
            300,
            image(TIMEOUT),
            Doomed(Cause::PullFails),
        ),
        (
            "rate limit",
            299,
            image("toomanyrequests: denied"),
            Suspicious(Cause::PullFails),
        ),
        (
            "unsaid",
            299,
            image("Back-off pulling image"),
            Suspicious(Cause::PullFails),
        ),
        (
            "never pulled",
            30,
            one(waiting("ErrImageNeverPull", "")),
            Doomed(Cause::ImageNeverPulled),
        ),
        (
            "an init container before it",
            129,
            pod(vec![late.clone(), missing()]),
            Suspicious(Cause::ImageNotFound),
        ),
        (
            "the same for long",
            130,
            pod(vec![late, missing()]),
            Doomed(Cause::ImageNotFound),
        ),
        (
            "crashed once",
            900,
            one(now(1, 0)),
            Suspicious(Cause::Crash),
        ),
        (
            "crashed once, in back-off",
            900,
            one(crash(0)),
            Suspicious(Cause::Crash),
        ),
        (
            "crashed twice",
            900,
            one(crash(1)),
            Suspicious(Cause::Crash),
        ),
        (
            "three times, but young",
            29,
            one(crash(2)),
            Suspicious(Cause::Crash),
        ),
        ("three times", 30, one(crash(2)), Doomed(Cause::Crash)),
        (
            "three times, just now",
            30,
            one(now(1, 2)),
            Doomed(Cause::Crash),
        ),
        (
            "started again and running",
            900,
            one(restarted),
            Suspicious(Cause::NotReady),
        ),
        (
            "by itself",
            60,
            one(looping(2, ended(0, "Completed", ""))),
            Doomed(Cause::Ends),
        ),
        (
            "out of memory once",
            900,
            oom(0),
            Suspicious(Cause::OutOfMemory),
        ),
        ("out of memory", 60, oom(2), Doomed(Cause::OutOfMemory)),
        (
            "node trouble at its start",
            900,
            one(start("cgroup: device busy")),
            Suspicious(Cause::NodeTrouble),
        ),
        (
            "no such command",
            60,
            one(start(NO_COMMAND)),
            Doomed(Cause::ContainerNotStarted),
        ),
        (
            "exit 128 by itself",
            900,
            one(looping(5, ended(128, "", ""))),
            Doomed(Cause::Crash),
        ),
        (
            "an application's own exit 128, such as git's",
            900,
            one(looping(5, ended(128, "Error", ""))),
            Doomed(Cause::Crash),
        ),
        ("a Secret's cache", 20, config(SYNC), Told::Nothing),
        (
            "the same for long",
            900,
            config(SYNC),
            Suspicious(Cause::NotStarted),
        ),
        (
            "no Secret",
            119,
            config("secret \"db\" not found"),
            Suspicious(Cause::ConfigMissing),
        ),
        (
            "no Secret for long",
            120,
            config("secret \"db\" not found"),
            Doomed(Cause::ConfigMissing),
        ),
        (
            "no container",
            30,
            create("no command specified"),
            Doomed(Cause::ContainerNotCreated),
        ),
        (
            "a slow runtime",
            900,
            create("context deadline exceeded"),
            Suspicious(Cause::NodeTrouble),
        ),
        (
            "a hook",
            30,
            one(waiting("PostStartHookError", "exit 1")),
            Doomed(Cause::ContainerNotStarted),
        ),
        (
            "an unknown word",
            900,
            one(waiting("SomethingNew", "")),
            Suspicious(Cause::NotStarted),
        ),
        ("warming up", 29, one(running(false)), Told::Nothing),
        (
            "never ready",
            9999,
            one(running(false)),
            Suspicious(Cause::NotReady),
        ),
        (
            "init is done",
            20,
            pod(vec![done.clone(), running(false)]),
            Told::Nothing,
        ),
        (
            "init runs",
            20,
            pod(vec![init(running(false))]),
            Told::Nothing,
        ),
        (
            "init runs for long",
            900,
            pod(vec![init(running(false))]),
            Suspicious(Cause::NotStarted),
        ),
        (
            "init fails",
            60,
            pod(vec![init(crash(3)), waiting("PodInitializing", "")]),
            Doomed(Cause::Crash),
        ),
        (
            "init fails three times, as its database comes late",
            900,
            pod(vec![init(crash(2)), waiting("PodInitializing", "")]),
            Suspicious(Cause::Crash),
        ),
        (
            "init failed once",
            60,
            pod(vec![init(now(1, 0))]),
            Suspicious(Cause::Crash),
        ),
        (
            "a sidecar fails",
            60,
            pod(vec![done, sidecar, running(true)]),
            Doomed(Cause::Crash),
        ),
        (
            "no node",
            299,
            unscheduled("Unschedulable"),
            Suspicious(Cause::Unschedulable),
        ),
        (
            "no node for long",
            300,
            unscheduled("Unschedulable"),
            Doomed(Cause::Unschedulable),
        ),
        (
            "held back",
            9999,
            unscheduled("SchedulingGated"),
            Suspicious(Cause::NotStarted),
        ),
        (
            "a lost node",
            9999,
            disrupted,
            Suspicious(Cause::NodeTrouble),
        ),
    ];
    for (name, seconds, pod, expected) in rows {
        assert_eq!(
            told(2, &sight(seconds, pods(0, vec![pod]))),
            expected,
            "{name}"
        );
    }
}

/// How many of the new pods must be in trouble.
#[test]
fn what_several_pods_mean() {
    let sick = |node: &str| on(node, pod(vec![crash(5)]));
    let young = |node: &str| on(node, pod(vec![running(false)]));
    let rows = [
        ("none", 2, 2, vec![], Told::Nothing),
        (
            "all",
            2,
            0,
            vec![sick("a"), sick("b")],
            Doomed(Cause::Crash),
        ),
        (
            "all of one node",
            2,
            0,
            vec![sick("a"), sick("a")],
            Doomed(Cause::Crash),
        ),
        (
            "one is ready",
            2,
            1,
            vec![sick("a")],
            Suspicious(Cause::Crash),
        ),
        (
            "one is young",
            5,
            0,
            vec![sick("a"), sick("b"), young("c")],
            Suspicious(Cause::Crash),
        ),
        (
            "one of five",
            5,
            4,
            vec![sick("a")],
            Suspicious(Cause::Crash),
        ),
        // Of eight, two may be too many and two missing: four sick ones block the rollout.
        (
            "less than may be missing",
            8,
            3,
            vec![sick("a"), sick("b"), sick("c")],
            Suspicious(Cause::Crash),
        ),
        (
            "as many as may be missing",
            8,
            3,
            vec![sick("a"), sick("b"), sick("c"), sick("d")],
            Doomed(Cause::Crash),
        ),
        (
            "all of them on one node",
            8,
            3,
            vec![sick("a"), sick("a"), sick("a"), sick("a")],
            Suspicious(Cause::Crash),
        ),
    ];
    for (name, replicas, ready, others, expected) in rows {
        let mut seen = sight(60, pods(ready, others));
        assert_eq!(told(replicas, &seen), expected, "{name}");
        if let (Ok(pods), Doomed(_)) = (&mut seen.pods, expected)
            && pods.ready == 0
        {
            pods.cut = true;
            let unseen = told(replicas, &seen);
            assert!(
                matches!(unseen, Suspicious(_) | Doomed(_)),
                "{name}: {unseen:?}"
            );
        }
    }
}

#[test]
fn pods_that_cannot_be_created() {
    let quota = |since| Some(("exceeded quota".to_owned(), Some(at(since))));
    let failing = |seconds, pods, since| PodSnapshot {
        set: ReplicaSet {
            failure: quota(since),
            ..ReplicaSet::default()
        },
        ..sight(seconds, pods)
    };
    let none = || pods(0, vec![]);
    for (name, sight, expected) in [
        ("no pod yet", sight(900, none()), Told::Nothing),
        (
            "quota",
            failing(119, none(), 0),
            Suspicious(Cause::PodNotCreated),
        ),
        (
            "quota for long",
            failing(120, none(), 0),
            Doomed(Cause::PodNotCreated),
        ),
        (
            "quota, only now",
            failing(900, none(), 800),
            Suspicious(Cause::PodNotCreated),
        ),
        (
            "surge throttled",
            failing(900, pods(1, vec![]), 0),
            Told::Nothing,
        ),
        (
            "one pod is coming",
            failing(20, pods(0, vec![pod(vec![])]), 0),
            Told::Nothing,
        ),
    ] {
        assert_eq!(told(2, &sight), expected, "{name}");
    }
    let unread = PodSnapshot {
        pods: Err("HTTP 403".into()),
        ..failing(900, none(), 0)
    };
    assert_eq!(told(2, &unread), Told::Nothing);
}

/// A slow pull, and only then a Secret that is missing for a moment.
#[test]
fn a_state_that_began_late_has_its_grace() {
    let missing = || waiting("CreateContainerConfigError", "secret \"web\" not found");
    let creating = || waiting("ContainerCreating", "");
    let mut sights = SymptomHistory::default();
    for (seconds, container, expected) in [
        (30, creating(), false),
        (34, missing(), false),
        (149, missing(), false),
        (150, missing(), true),
        // It went away, and its time begins anew.
        (154, creating(), false),
        (158, missing(), false),
        (270, missing(), false),
        (274, missing(), true),
    ] {
        let seen = sight(seconds, pods(0, vec![pod(vec![container])]));
        sights = sights.with(&seen, &at(0).into());
        let since = Since {
            seen: &sights.seen,
            ..Since::from(at(0))
        };
        let diagnosis = diagnose(&live(1), &seen, since, PATIENCE);
        let doomed = matches!(diagnosis, Diagnosis::Doomed(_));
        assert_eq!(doomed, expected, "{seconds}: {sights:?}");
    }
}

/// The same version again, whose cause was mended: its old pod is still in its back-off.
#[test]
fn what_a_pod_showed_before_our_write_is_not_final() {
    let crashed = |seconds| {
        let mut last = ended(1, "Error", "");
        last.finished = Some(at(seconds));
        looping(8, last)
    };
    let pulling = || waiting("ImagePullBackOff", "manifest unknown");
    for (name, now, container, expected) in [
        ("the crash is older", 390, crashed(290), false),
        ("it crashed again", 390, crashed(310), true),
        ("no pull was tried yet", 590, pulling(), false),
        ("one was, after the longest back-off", 601, pulling(), true),
    ] {
        let seen = sight(now, pods(0, vec![pod(vec![container])]));
        let diagnosis = diagnose(&live(1), &seen, at(300), PATIENCE);
        let doomed = matches!(diagnosis, Diagnosis::Doomed(_));
        assert_eq!(doomed, expected, "{name}");
    }
}

#[test]
fn names_are_no_words() {
    for (reason, message, expected) in [
        (
            "CreateContainerConfigError",
            "couldn't find key TIMEOUT in ConfigMap shop/web",
            Cause::ConfigMissing,
        ),
        (
            "ErrImagePull",
            "failed to resolve reference \"r.example/timeout-svc:2\": not found",
            Cause::ImageNotFound,
        ),
        (
            "ErrImagePull",
            "failed to pull r.example/web:2: dial tcp: i/o timeout",
            Cause::PullFails,
        ),
        (
            "ErrImagePull",
            "no match for platform in manifest: not found",
            Cause::ImagePlatform,
        ),
        (
            "CreateContainerError",
            "mkdir /var/lib/x: no space left on device",
            Cause::NodeTrouble,
        ),
    ] {
        assert_eq!(of_waiting(reason, message), expected, "{message}");
    }
}

/// A cluster whose clock is behind must not make a state older than our own write.
#[test]
fn nothing_is_older_than_the_write() {
    let seen = sight(60, pods(0, vec![pod(vec![crash(5)])]));
    for (written, expected) in [(30, true), (31, false)] {
        let diagnosis = diagnose(&live(2), &seen, at(written), PATIENCE);
        assert_eq!(
            matches!(diagnosis, Diagnosis::Doomed(_)),
            expected,
            "{written}"
        );
    }
    let impatient = diagnose(&live(2), &seen, at(60), Duration::ZERO);
    assert!(matches!(impatient, Diagnosis::Doomed(_)));
}

fn event(reason: &str, message: &str, count: u64) -> Event {
    Event {
        kind: "Warning".into(),
        reason: reason.into(),
        message: message.into(),
        count,
        last: Some(at(40 + count)),
        ..Event::default()
    }
}

fn explained(events: Vec<Event>, log: &str) -> Explanation {
    Explanation {
        events: Some(Ok(events)),
        log: Some(Ok(log_lines(log))),
    }
}

#[test]
fn sentences() {
    let killed = |code| looping(3, ended(code, "Error", ""));
    let probes = || {
        vec![
            event(
                "Unhealthy",
                "Readiness probe failed: Get \"http://10.0.0.1:80/ready\": EOF",
                2,
            ),
            event(
                "Unhealthy",
                "Liveness probe failed: HTTP probe failed with statuscode: 500",
                1,
            ),
        ]
    };
    let unlimited = Container {
        name: "bare".into(),
        ..looping(2, ended(137, "OOMKilled", ""))
    };
    let mount = "MountVolume.SetUp failed for volume \"tls\" : secret \"tls\" not found";
    let go = "starting\n\u{1b}[31mpanic: no DATABASE_URL\u{1b}[0m\n\ngoroutine 1 [running]:\n";
    let nothing = Explanation::default;
    let rows = [
        (pod(vec![crash(6)]), explained(vec![], go)),
        (pod(vec![crash(2)]), nothing()),
        (
            pod(vec![looping(2, ended(3, "Error", "last\nwords\n"))]),
            nothing(),
        ),
        (pod(vec![killed(137)]), explained(probes(), "bye")),
        (pod(vec![killed(137)]), explained(vec![], "bye")),
        (
            pod(vec![killed(137)]),
            explained(
                vec![event(
                    "FailedPostStartHook",
                    "PostStartHook failed: command '/warm' exited with 1: no cache",
                    3,
                )],
                "bye",
            ),
        ),
        (pod(vec![killed(127)]), nothing()),
        (
            pod(vec![looping(2, ended(0, "Completed", ""))]),
            explained(vec![], "done"),
        ),
        (
            pod(vec![looping(2, ended(137, "OOMKilled", ""))]),
            nothing(),
        ),
        (pod(vec![unlimited]), nothing()),
        (pod(vec![init(crash(2))]), nothing()),
        (pod(vec![waiting("InvalidImageName", "x")]), nothing()),
        (pod(vec![waiting("ErrImagePull", NOT_FOUND)]), nothing()),
        (pod(vec![waiting("ErrImagePull", DENIED)]), nothing()),
        (pod(vec![waiting("ErrImagePull", TIMEOUT)]), nothing()),
        (pod(vec![waiting("ErrImageNeverPull", "x")]), nothing()),
        (
            pod(vec![waiting(
                "CreateContainerConfigError",
                "secret \"db\" not found",
            )]),
            nothing(),
        ),
        (
            pod(vec![looping(2, ended(128, "StartError", NO_COMMAND))]),
            nothing(),
        ),
        (pod(vec![running(false)]), explained(probes(), "")),
        (pod(vec![running(false)]), nothing()),
        (
            pod(vec![waiting("ContainerCreating", "")]),
            explained(vec![event("FailedMount", mount, 7)], ""),
        ),
        (unscheduled("Unschedulable"), nothing()),
    ];
    let sentences = rows.map(|(pod, explanation)| {
        let found = explain(&sight(60, pods(0, vec![pod])), at(0), PATIENCE).unwrap();
        found.sentence(&live(2), &explanation)
    });
    assert_snapshot!(sentences.join("\n"), @r#"
    `app` in pod `web-2-a` exits with code 1, 7 times: `panic: no DATABASE_URL`
    `app` in pod `web-2-a` exits with code 1, 3 times
    `app` in pod `web-2-a` exits with code 3, 3 times: `words`
    `app` in pod `web-2-a` is killed, 4 times, because its liveness probe (HTTP GET :http/alive) fails: HTTP probe failed with statuscode: 500
    `app` in pod `web-2-a` exits with code 137 (killed), 4 times: `bye`
    `app` in pod `web-2-a` is killed, 4 times, because its postStart hook fails: PostStartHook failed: command '/warm' exited with 1: no cache
    `app` in pod `web-2-a` exits with code 127 (its command was not found), 4 times
    `app` in pod `web-2-a` exits with code 0, 3 times; a container of a Deployment must keep running: `done`
    `app` in pod `web-2-a` is killed for using more memory than its limit of 256Mi, 3 times
    `bare` in pod `web-2-a` is killed for using too much memory, 3 times
    init container `setup` in pod `web-2-a` exits with code 1, 3 times
    `app` in pod `web-2-a` cannot start: `registry/app:2` is not a valid image name
    `app` in pod `web-2-a` cannot start: its registry does not have the image `registry/app:2`
    `app` in pod `web-2-a` cannot start: its registry does not let the cluster pull `registry/app:2` (pull access denied, repository does not exist or may require authorization: server message: insufficient_scope)
    `app` in pod `web-2-a` cannot start: pulling `registry/app:2` fails (Head "https://registry/v2/app": dial tcp 10.0.0.1:443: i/o timeout)
    `app` in pod `web-2-a` cannot start: imagePullPolicy is Never, and node `n1` does not have `registry/app:2`
    `app` in pod `web-2-a` cannot be created: secret "db" not found
    `app` in pod `web-2-a` cannot be started: exec: "/srv": stat /srv: no such file or directory: unknown
    `app` in pod `web-2-a` runs, but its readiness probe (HTTP GET :http/ready) fails: Get "http://10.0.0.1:80/ready": EOF
    `app` in pod `web-2-a` runs, but its readiness probe (HTTP GET :http/ready) has not passed
    `app` in pod `web-2-a` has not started: MountVolume.SetUp failed for volume "tls" : secret "tls" not found
    no node can run pod `web-2-a`: 0/3 nodes are available: 3 Insufficient cpu
    "#);
}

#[test]
fn what_a_person_sees() {
    let sick = |node: &str| on(node, pod(vec![crash(2)]));
    let seen = sight(
        34,
        pods(
            1,
            vec![sick("a"), sick("b"), on("c", unscheduled("Unschedulable"))],
        ),
    );
    let finding = explain(&seen, at(0), PATIENCE).unwrap();
    let mut old = event("Old", "from before the write", 1);
    old.last = at(0).checked_sub(Duration::from_secs(6)).ok();
    let mut normal = event("Pulled", "it is there", 1);
    normal.kind = "Normal".into();
    let twice = event("BackOff", "Back-off restarting failed container", 2);
    let events = vec![
        twice.clone(),
        old,
        normal,
        twice,
        event("Unhealthy", "Readiness\nfailed", 1),
        event("Failed", "Error: ErrImagePull", 1),
        event("Failed", "Error: it has more words", 3),
    ];
    let log = explained(events, "one\r\n\ttwo \u{7}\n\n\u{1b}]0;title\u{7}three");
    let show = |explanation: &Explanation| {
        let evidence = Evidence::of(
            &live(4),
            Some(&seen),
            Some(&finding),
            explanation,
            &at(0).into(),
            PATIENCE,
        );
        evidence.text(4000)
    };
    let unread = Explanation {
        events: Some(Err("the token may not list events".into())),
        log: Some(Err("the token may not get pods/log".into())),
    };
    let blind = PodSnapshot {
        pods: Err("HTTP 403".into()),
        ..seen.clone()
    };
    let blind = Evidence::of(
        &live(4),
        Some(&blind),
        None,
        &Explanation::default(),
        &at(0).into(),
        PATIENCE,
    );
    let texts = [show(&log), show(&unread), blind.text(4000)];
    assert_snapshot!(texts.join("\n--\n"), @r"
    34 s after the change: 1 of 4 new pods ready, 4 wanted.
    - the same is wrong with 2 pods
    - no node can run pod `web-2-c`: 0/3 nodes are available: 3 Insufficient cpu

    Events of pod `web-2-a`:
    - Unhealthy, once: Readiness failed
    - BackOff, 4 times: Back-off restarting failed container
    - Failed, 3 times: Error: it has more words

    The last lines of `app` in pod `web-2-a`:
      one
       two
      three
    --
    34 s after the change: 1 of 4 new pods ready, 4 wanted.
    - the same is wrong with 2 pods
    - no node can run pod `web-2-c`: 0/3 nodes are available: 3 Insufficient cpu

    The events of pod `web-2-a` could not be read: the token may not list events.

    The log of `app` in pod `web-2-a` could not be read: the token may not get pods/log.
    --
    The new pods could not be read: HTTP 403.
    ");
}

#[test]
fn evidence_gives_up_what_tells_least() {
    let lines = |name: &str, count: usize| (0..count).map(|n| format!("{name} {n}")).collect();
    let mut evidence = Evidence {
        pods: lines("pod", 9),
        events: lines("event", 9),
        log: lines("log", 21),
        ..Evidence::default()
    };
    let whole = evidence.text(10_000);
    assert_eq!(whole.lines().count(), 9 + 9 + 21 + 2);
    for limit in [0, 1, 7, 50, 100, 200, 300] {
        let text = evidence.text(limit);
        assert!(text.len() <= limit, "{limit}: {text}");
        assert!(limit < 20 || text.ends_with("log 20"), "{limit}: {text}");
    }
    assert!(
        evidence.text(41).starts_with("log 0\nlog "),
        "the heading stays"
    );
    let mut steps = 0;
    while evidence.shrink() {
        steps += 1;
    }
    assert!(steps < 9 + 9 + 21 && evidence == Evidence::default());
}

#[test]
fn log_lines_are_the_last_ones_without_a_terminals_tricks() {
    let many = (0..50).map(|n| format!("{n}\n")).collect::<String>();
    assert_eq!(log_lines(&many).first().map(String::as_str), Some("30"));
    assert_eq!(log_lines(&many).len(), LOG_LINES);
    assert_eq!(log_lines(" \n\r\n\u{1b}[2J\n"), Vec::<String>::new());
    assert_eq!(log_lines("\u{1b}[1;31mred\u{1b}[0m\u{1b}"), ["red"]);
    assert_eq!(log_lines("a\u{0}b\u{9b}c\u{8}d"), ["abcd"]);
    assert!(log_lines(&"é".repeat(9000))[0].len() <= LOG_LINE);
}

#[test]
fn the_image_of_a_volume_is_told_from_the_containers() {
    let said = |image: &str| format!("Back-off pulling image \"{image}\": ErrImagePull: x");
    for (named, own, expected) in [
        ("web:2", "web:2", None),
        ("docker.io/library/nginx:latest", "nginx", None),
        ("docker.io/library/nginx:1", "nginx:1", None),
        ("a.example/web@sha256:0d", "a.example/web:2@sha256:0d", None),
        (
            "a.example/models:9",
            "a.example/web:2",
            Some("a.example/models:9"),
        ),
        (
            "a.example/web:9",
            "a.example/web:2",
            Some("a.example/web:9"),
        ),
        ("a.example/web:9", "", None),
    ] {
        let said = said(named);
        assert_eq!(other_image(&said, own), expected, "{named}");
    }
    assert_eq!(other_image("no match for platform", "web:2"), None);
}

#[test]
fn the_telling_line() {
    for (log, expected) in [
        ("a\nb", Some("b")),
        ("panic: x\ngoroutine 1\nexit status 2", Some("panic: x")),
        (
            "Traceback\n  File x\nKeyError: 'DB'",
            Some("KeyError: 'DB'"),
        ),
        (
            "Exception in thread main\n\tat App.main",
            Some("Exception in thread main"),
        ),
        (
            "error: no DATABASE_URL\nfinished with 0 errors\nbye",
            Some("error: no DATABASE_URL"),
        ),
        ("started\n0 errors", Some("0 errors")),
        ("10 errors\nbye", Some("10 errors")),
        (
            "thread 'main' panicked at src/main.rs:4:9:\nno PORT\nnote: run with",
            Some("thread 'main' panicked at src/main.rs:4:9: no PORT"),
        ),
        (
            "panic: no PORT\nmain.handleError(0x1)\n\t/src/errors.go:12 +0x5d",
            Some("panic: no PORT"),
        ),
        (
            "Caused by: java.io.IOException: closed\n\tat org.x.ErrorHandler.run\n\t... 2 more",
            Some("Caused by: java.io.IOException: closed"),
        ),
        (
            "# A fatal error has been detected\n#1 /app/errors.php(3): x()",
            Some("# A fatal error has been detected"),
        ),
        (
            "cannot open /data\n{\"level\":\"info\",\"error\":null,\"errors\": 0}",
            Some("cannot open /data"),
        ),
        ("error=5 of the disk\nerror=0x5", Some("error=0x5")),
        ("read /var/log/error.txt\nbye", Some("bye")),
        ("", None),
    ] {
        assert_eq!(telling(&log_lines(log)).as_deref(), expected, "{log}");
    }
}

#[test]
fn a_registrys_words_without_what_is_around_them() {
    assert_eq!(core("x desc = y desc = the end."), "the end");
    let framed = "Back-off pulling image \"web:2\": ErrImagePull: denied: ask the owner";
    assert_eq!(core(framed), "denied: ask the owner");
    assert_eq!(
        core("Back-off pulling image \"web:2\""),
        "Back-off pulling image \"web:2\""
    );
    assert_eq!(core(""), "");
    let long = core(&"é".repeat(500));
    assert!(long.starts_with('…') && long.len() < 170);
}

/// An event for each try and each pod is one line, with the newest words.
#[test]
fn the_same_of_many_pods_is_one_event() {
    let refused = |pod: &str, count, used| {
        let message = format!(
            "Error creating: pods \"{pod}\" is forbidden: exceeded quota: compute, used: pods={used}"
        );
        event("FailedCreate", &message, count)
    };
    let finding = Finding {
        set: "web-2".into(),
        ..Finding::new(
            Cause::PodNotCreated,
            &Pod::default(),
            &sight(60, pods(0, vec![])),
        )
    };
    let long = format!(
        "Failed to create pod sandbox: {} failed to assign an IP address to container",
        "rpc error: code = Unknown desc = ".repeat(20)
    );
    let events = vec![
        refused("web-2-abcde", 1, 4),
        refused("web-2-fghij", 2, 4),
        refused("web-2-", 3, 4),
        event(
            "Unhealthy",
            "dial tcp 10.0.0.1:8080->10.0.0.2:51234: reset",
            1,
        ),
        event(
            "Unhealthy",
            "dial tcp 10.0.0.1:8080->10.0.0.2:49152: reset",
            2,
        ),
        event("Unhealthy", "HTTP probe failed with statuscode: 500", 4),
        event("Unhealthy", "HTTP probe failed with statuscode: 503", 5),
        event("FailedCreate", "pods \"web-20-abcde\" is forbidden", 6),
        event("FailedCreatePodSandBox", &long, 9),
    ];
    let evidence = Evidence::of(
        &live(2),
        None,
        Some(&finding),
        &explained(events, ""),
        &at(0).into(),
        PATIENCE,
    );
    assert_snapshot!(evidence.events.join("\n"), @r#"
    Events of ReplicaSet `web-2`:
    - Unhealthy, 3 times: dial tcp 10.0.0.1:8080->10.0.0.2:49152: reset
    - FailedCreate, 6 times: Error creating: pods "web-2-" is forbidden: exceeded quota: compute, used: pods=4
    - Unhealthy, 4 times: HTTP probe failed with statuscode: 500
    - Unhealthy, 5 times: HTTP probe failed with statuscode: 503
    - FailedCreate, 6 times: pods "web-20-abcde" is forbidden
    - FailedCreatePodSandBox, 9 times: Failed to create pod sandbox: rpc error: code = Unknown desc = rpc error: code = Unknown desc = r…code = Unknown desc = rpc error: code = Unknown desc = rpc error: code = Unknown desc = rpc error: code = Unknown desc = rpc error: code = Unknown desc =  failed to assign an IP address to container
    "#);
}

/// What a webhook added is not in the Deployment.
#[test]
fn sentences_of_injected_containers() {
    let spec = json!({"readinessProbe": {"httpGet": {"port": 15021, "path": "/healthz/ready"}},
        "startupProbe": {"tcpSocket": {"port": 1}}, "resources": {"limits": {"memory": "64Mi"}}});
    let proxy = |container| Container {
        name: "proxy".into(),
        image: "proxy:9".into(),
        spec: spec.to_string(),
        ..container
    };
    let unknown = |container| Container {
        name: "other".into(),
        ..container
    };
    let never = || waiting("ErrImageNeverPull", "x");
    let starting = Container {
        started: Some(false),
        ..running(false)
    };
    let rows = [
        proxy(waiting(
            "ErrImagePull",
            &NOT_FOUND.replace("registry/app:2", "proxy:9"),
        )),
        proxy(running(false)),
        proxy(starting),
        proxy(looping(3, ended(137, "OOMKilled", ""))),
        unknown(waiting("ErrImagePull", NOT_FOUND)),
        unknown(waiting("ErrImagePull", DENIED)),
        unknown(waiting("ErrImagePull", "no match for platform")),
        unknown(waiting("InvalidImageName", "")),
        unknown(never()),
        unknown(running(false)),
        unknown(looping(3, ended(137, "OOMKilled", ""))),
        init(running(false)),
    ];
    let sentences = rows.map(|container| {
        let found = explain(
            &sight(60, pods(0, vec![pod(vec![container])])),
            at(0),
            PATIENCE,
        );
        let sentence = found.unwrap().sentence(&live(2), &Explanation::default());
        assert!(
            !sentence.contains("`its") && !sentence.contains("``"),
            "{sentence}"
        );
        sentence
    });
    assert_snapshot!(sentences.join("\n"), @r"
    `proxy` in pod `web-2-a` cannot start: its registry does not have the image `proxy:9`
    `proxy` in pod `web-2-a` runs, but its readiness probe (HTTP GET :15021/healthz/ready) has not passed
    `proxy` in pod `web-2-a` runs, but its startup probe (TCP :1) has not passed
    `proxy` in pod `web-2-a` is killed for using more memory than its limit of 64Mi, 4 times
    `other` in pod `web-2-a` cannot start: its registry does not have its image
    `other` in pod `web-2-a` cannot start: its registry does not let the cluster pull its image (pull access denied, repository does not exist or may require authorization: server message: insufficient_scope)
    `other` in pod `web-2-a` cannot start: its image is not for the platform of the nodes (no match for platform)
    `other` in pod `web-2-a` cannot start: its image is not a valid image name
    `other` in pod `web-2-a` cannot start: imagePullPolicy is Never, and node `n1` does not have its image
    `other` in pod `web-2-a` runs and is not ready
    `other` in pod `web-2-a` is killed for using too much memory, 4 times
    init container `setup` in pod `web-2-a` is still running, and the containers after it are waiting
    ");
}

/// The controller of nodes takes a pod's readiness without a reason, and writes an event.
#[test]
fn a_node_that_is_not_ready_is_known_by_its_event() {
    let ready = Container {
        ready: true,
        ..running(true)
    };
    let found = explain(&sight(60, pods(0, vec![pod(vec![ready])])), at(0), PATIENCE).unwrap();
    let told = |reason: &str| {
        let explanation = explained(vec![event(reason, "Node is not ready", 1)], "");
        let found = found.clone().explained(&explanation);
        (found.cause, found.sentence(&live(2), &explanation))
    };
    let (cause, sentence) = told("NodeNotReady");
    assert_eq!(cause, Cause::NodeTrouble);
    assert_eq!(
        sentence,
        "pod `web-2-a` has a problem with its node `n1`: Node is not ready"
    );
    assert_eq!(told("Unhealthy").0, Cause::NotReady);
}

#[test]
fn a_warning_that_holds_no_pod_up_explains_nothing() {
    let creating = sight(
        60,
        pods(0, vec![pod(vec![waiting("ContainerCreating", "")])]),
    );
    let found = explain(&creating, at(0), PATIENCE).unwrap();
    let told = |events: Vec<Event>| found.sentence(&live(2), &explained(events, ""));
    let mount = || event("FailedMount", "MountVolume.SetUp failed: access denied", 1);
    let summary = || {
        event(
            "FailedMount",
            "Unable to attach or mount volumes: timed out",
            5,
        )
    };
    let remark = |reason: &str| event(reason, "not about this", 9);
    let has_cause =
        "`app` in pod `web-2-a` has not started: MountVolume.SetUp failed: access denied";
    for reason in ["DNSConfigForming", "PolicyViolation", "MissingClusterDNS"] {
        assert_eq!(told(vec![mount(), remark(reason)]), has_cause);
        let alone = told(vec![remark(reason)]);
        assert_eq!(alone, "`app` in pod `web-2-a` has not started yet");
    }
    assert_eq!(told(vec![mount(), summary()]), has_cause);
    // A node that came late: the summary is all that is known of the volume.
    let late = told(vec![event("FailedScheduling", "no node", 1), summary()]);
    assert!(
        late.ends_with("Unable to attach or mount volumes: timed out"),
        "{late}"
    );
}

#[test]
fn a_container_that_ends_well_when_it_is_killed_is_not_one_that_ends() {
    let unhealthy = || event("Unhealthy", "Liveness probe failed: HTTP 500", 9);
    let killing = |container: &str, count| Event {
        kind: "Normal".into(),
        ..event(
            "Killing",
            &format!("Container {container} failed liveness probe, will be restarted"),
            count,
        )
    };
    let told = |code, events: Vec<Event>| {
        let looping = looping(3, ended(code, "Completed", ""));
        let found = explain(
            &sight(60, pods(0, vec![pod(vec![looping])])),
            at(0),
            PATIENCE,
        );
        let explanation = explained(events, "bye");
        let found = found.unwrap().explained(&explanation);
        let killed = found
            .sentence(&live(2), &explanation)
            .contains("because its liveness");
        (found.cause, killed)
    };
    for (code, events, expected) in [
        (
            0,
            vec![killing("app", 4), unhealthy()],
            (Cause::Crash, true),
        ),
        (
            1,
            vec![killing("app", 4), unhealthy()],
            (Cause::Crash, true),
        ),
        (
            1,
            vec![killing("app", 1), unhealthy()],
            (Cause::Crash, false),
        ),
        (
            0,
            vec![killing("proxy", 4), unhealthy()],
            (Cause::Ends, false),
        ),
        (0, vec![unhealthy()], (Cause::Ends, false)),
        (137, vec![unhealthy()], (Cause::Crash, true)),
    ] {
        assert_eq!(told(code, events), expected, "{code}");
    }
}

#[test]
fn a_probe_that_cannot_be_carried_out_says_why() {
    for (message, expected) in [
        ("Readiness probe failed: EOF", Some(("Readiness", "EOF"))),
        (
            "Startup probe errored: no curl",
            Some(("Startup", "no curl")),
        ),
        (
            "Readiness probe errored and resulted in unknown state: no curl",
            Some(("Readiness", "no curl")),
        ),
        ("Readiness probe warning: redirected", None),
        ("Back-off restarting failed container", None),
    ] {
        let expected = expected.map(|(kind, answer)| (kind, answer.to_owned()));
        assert_eq!(of_probe(message), expected, "{message}");
    }
}

/// Whose words decide, and that a default accuses nobody.
#[test]
fn whose_fault_it_is() {
    for (reason, message, expected) in [
        (
            "CreateContainerConfigError",
            "secret \"web\" not found",
            Cause::ConfigMissing,
        ),
        (
            "CreateContainerConfigError",
            "configmap \"web\" not found",
            Cause::ConfigMissing,
        ),
        (
            "CreateContainerConfigError",
            "failed to prepare subPath for volumeMount \"a\" of container \"web\"",
            Cause::ContainerNotCreated,
        ),
        (
            "CreateContainerConfigError",
            "something new",
            Cause::ContainerNotCreated,
        ),
        (
            "CreateContainerConfigError",
            "object \"shop\"/\"web\" not registered",
            Cause::NotStarted,
        ),
        (
            "CreateContainerConfigError",
            "etcdserver: request timed out",
            Cause::NotStarted,
        ),
        ("ErrImagePull", "something new", Cause::PullFails),
        (
            "ErrImagePull",
            "no matching manifest for linux/arm64/v8 in the manifest list entries",
            Cause::ImagePlatform,
        ),
        (
            "ErrImagePull",
            "choosing an image from manifest list: no image found in image index for architecture \
             \"arm64\"",
            Cause::ImagePlatform,
        ),
        (
            "SignatureValidationFailed",
            "image pull failed for r.example/web:2 because the signature validation failed: \
             A signature was required, but no signature exists",
            Cause::ImageRefused,
        ),
        (
            "SignatureValidationFailed",
            "the signature validation failed: dial tcp 10.0.0.1:443: i/o timeout",
            Cause::PullFails,
        ),
        (
            "ErrImagePull",
            "Source image rejected: Running image r.example/web:2 is rejected by policy.",
            Cause::ImageRefused,
        ),
        (
            "ImageInspectError",
            "Failed to inspect image \"\": rpc error: code = Unknown desc = short name mode is \
             enforcing, but image name web:2 returns ambiguous list",
            Cause::ImageRefused,
        ),
        (
            "ImageInspectError",
            "Failed to inspect image \"web:2\": rpc error: code = Unknown desc = short-name \
             \"web:2\" did not resolve to an alias and no unqualified-search registries are \
             defined in \"\"",
            Cause::ImageRefused,
        ),
        ("ImageInspectError", "something new", Cause::PullFails),
        (
            "ErrImagePull",
            "failed to do request: Head \"https://r.example/v2/web/manifests/2\": http: server \
             gave HTTP response to HTTPS client",
            Cause::ImageRefused,
        ),
        (
            "ErrImagePull",
            "not implemented: media type \
             \"application/vnd.docker.distribution.manifest.v1+prettyjws\" is no longer \
             supported since containerd v2.1, please rebuild the image",
            Cause::ImageRefused,
        ),
        (
            "ErrImagePull",
            "failed commit on ref \"layer-sha256:55ae\": unexpected commit digest sha256:a8f2, \
             expected sha256:55ae: failed precondition",
            Cause::ImageRefused,
        ),
        (
            "ErrImagePull",
            "unsupported media type application/vnd.cncf.helm.config.v1+json",
            Cause::ImageRefused,
        ),
        (
            "ErrImagePull",
            "failed to extract layer sha256:9a: write /var/lib/x: no space left on device",
            Cause::NodeTrouble,
        ),
        (
            "ErrImagePull",
            "name invalid: Invalid repository name",
            Cause::ImageName,
        ),
        (
            "ErrImagePull",
            "failed to resolve reference \"r.example/unsupported-media-type:2\": not found",
            Cause::ImageNotFound,
        ),
        (
            "ErrImagePull",
            "failed size validation: 946 != 752: read tcp 10.0.0.1:443: i/o timeout",
            Cause::PullFails,
        ),
        (
            "RunContainerError",
            "something new",
            Cause::ContainerNotStarted,
        ),
        (
            "RunContainerError",
            "context deadline exceeded",
            Cause::NodeTrouble,
        ),
        (
            "RunContainerError",
            "exec: \"timeout\": executable file not found in $PATH",
            Cause::ContainerNotStarted,
        ),
        (
            "RunContainerError",
            "write pid: no space left on device",
            Cause::NodeTrouble,
        ),
        (
            "CreateContainerError",
            "something new",
            Cause::ContainerNotCreated,
        ),
    ] {
        assert_eq!(of_waiting(reason, message), expected, "{message}");
    }
}

/// The pods of a switch's new version make no room for one another, those of a rollout do.
#[test]
fn where_some_pods_can_be_created() {
    let half = |seconds, ready| PodSnapshot {
        set: ReplicaSet {
            failure: Some(("exceeded quota".to_owned(), Some(at(0)))),
            ..ReplicaSet::default()
        },
        ..sight(seconds, pods(ready, vec![]))
    };
    for (name, replicas, seconds, ready, frees_nothing, expected) in [
        ("a switch", 2, 120, 1, true, true),
        ("young", 2, 119, 1, true, false),
        ("all are there", 2, 900, 2, true, false),
        ("a rollout, whose old pods go", 2, 900, 1, false, false),
    ] {
        let since = Since {
            frees_nothing,
            ..Since::from(at(0))
        };
        let diagnosis = diagnose(&live(replicas), &half(seconds, ready), since, PATIENCE);
        let doomed =
            matches!(diagnosis, Diagnosis::Doomed(found) if found.cause == Cause::PodNotCreated);
        assert_eq!(doomed, expected, "{name}");
    }
}

/// Old pods that end within their grace period may leave what is missing.
#[test]
fn no_verdict_on_creation_while_old_pods_end() {
    let seen = |ends: Option<u64>| PodSnapshot {
        set: ReplicaSet {
            failure: Some(("exceeded quota".to_owned(), Some(at(0)))),
            ..ReplicaSet::default()
        },
        ..sight(
            300,
            Pods {
                ending: ends.map(at),
                ..Pods::default()
            },
        )
    };
    for (name, ends, counted, expected) in [
        ("none", None, false, true),
        ("in time", Some(310), false, false),
        ("a moment late", Some(280), false, false),
        ("stuck beyond its grace period", Some(100), false, true),
        ("stuck, and counted", Some(100), true, true),
        ("counted alone", None, true, false),
    ] {
        let since = Since {
            ending: counted,
            ..Since::from(at(0))
        };
        let diagnosis = diagnose(&live(2), &seen(ends), since, PATIENCE);
        assert_eq!(
            matches!(diagnosis, Diagnosis::Doomed(_)),
            expected,
            "{name}"
        );
    }
}

/// A controller is told that it may not create a pod by whatever stands before storage.
#[test]
fn a_webhook_that_is_away_is_no_fault_of_the_version() {
    let seen = |message: &str| PodSnapshot {
        set: ReplicaSet {
            failure: Some((message.to_owned(), Some(at(0)))),
            ..ReplicaSet::default()
        },
        ..sight(300, Pods::default())
    };
    for (message, cause) in [
        (
            "Internal error occurred: failed calling webhook \"v.example.com\": failed to call \
             webhook: Post \"https://v.ops.svc:443/\": no endpoints available for service \"v\"",
            Cause::WebhookAway,
        ),
        (
            "admission webhook \"v.example.com\" denied the request: no",
            Cause::PodNotCreated,
        ),
    ] {
        let diagnosis = diagnose(&live(2), &seen(message), at(0), PATIENCE);
        assert!(
            matches!(&diagnosis, Diagnosis::Doomed(found) if found.cause == cause),
            "{message}: {diagnosis:?}"
        );
    }
}

#[test]
fn what_a_program_leaves_behind_tells_more_than_its_log() {
    let log = |line: &str| Explanation {
        log: Some(Ok(vec![line.to_owned()])),
        ..Explanation::default()
    };
    for (message, line, expected) in [
        ("cannot open /data\n", "error: exit", "`cannot open /data`"),
        ("", "error: exit", "`error: exit`"),
        (
            "connected\nfatal: no schema\nbye\n",
            "bye",
            "`fatal: no schema`",
        ),
    ] {
        let looped = looping(3, ended(1, "Error", message));
        let seen = sight(40, pods(0, vec![pod(vec![looped])]));
        let found = explain(&seen, at(0), PATIENCE).unwrap();
        let sentence = found.sentence(&live(1), &log(line));
        assert!(sentence.ends_with(expected), "{sentence}");
    }
}

#[test]
fn a_pod_that_no_scheduler_has_seen() {
    let unseen = |name: &str| Pod {
        unscheduled: Some(Unscheduled {
            reason: "NoScheduler".to_owned(),
            message: name.to_owned(),
            since: Some(at(1)),
        }),
        ..pod(Vec::new())
    };
    for (seconds, name, expected) in [
        (20, "gpu-scheduler", None),
        (40, "gpu-scheduler", Some(false)),
        (125, "gpu-scheduler", Some(true)),
        (125, "default-scheduler", Some(true)),
    ] {
        let seen = sight(seconds, pods(0, vec![unseen(name)]));
        let found = match diagnose(&live(1), &seen, at(0), PATIENCE) {
            Diagnosis::Nothing => None,
            Diagnosis::Suspicious(found) => Some((false, found)),
            Diagnosis::Doomed(found) => Some((true, found)),
        };
        assert_eq!(found.as_ref().map(|(doomed, _)| *doomed), expected);
        if let Some((_, found)) = found {
            let sentence = found.sentence(&live(1), &Explanation::default());
            assert_eq!(found.cause, Cause::NoScheduler);
            let named = sentence.contains("its schedulerName is `gpu-scheduler`");
            assert_eq!(named, name != "default-scheduler", "{sentence}");
        }
    }
    // Without any patience, a busy scheduler has the time that it needs.
    for (seconds, doomed) in [(6, false), (19, false), (22, true)] {
        let seen = sight(seconds, pods(0, vec![unseen("default-scheduler")]));
        let found = diagnose(&live(1), &seen, at(0), Duration::ZERO);
        let is_doomed = matches!(found, Diagnosis::Doomed(_));
        assert_eq!(is_doomed, doomed, "after {seconds} s");
    }
}

/// What the pods did before their version served is known as a sum: what the other containers of a
/// pod have ended since, a sidecar's or an init container's, is not its own.
#[test]
fn the_ends_of_one_container_are_not_those_of_another() {
    let sidecar = |restarts| Container {
        name: "proxy".into(),
        restarts,
        ..running(true)
    };
    let before = pods(0, vec![pod(vec![running(false), sidecar(5)])]);
    let served = Served::of(1, &before);
    let history = SymptomHistory {
        served: Some(served),
        ..SymptomHistory::default()
    };
    let since = Since {
        served: history.served.as_ref(),
        ..at(0).into()
    };
    let of = |containers: Vec<Container>| {
        let found = pods(0, vec![pod(containers)]);
        let sight = sight(600, found.clone());
        let look = Look {
            sight: &sight,
            since: &since,
            patience: PATIENCE,
        };
        let found = findings(&found, &look);
        let found = found.iter().find(|it| it.ends > 0).unwrap();
        (found.container.clone(), found.ends, found.before)
    };
    // Three ends of its own, and none of them was before.
    assert_eq!(of(vec![crash(2), sidecar(5)]), ("app".to_owned(), 3, 0));
    let proxy = Container {
        name: "proxy".into(),
        ..crash(6)
    };
    assert_eq!(of(vec![running(true), proxy]), ("proxy".to_owned(), 7, 5));
    // The sum leaves out the ends of init containers.
    let setup = || init(crash(3));
    assert_eq!(of(vec![setup(), sidecar(5)]), ("setup".to_owned(), 4, 0));
}

/// In a release a workload is watched that was there before, and so are its pods.
#[test]
fn pods_of_a_version_that_was_there_before_are_not_called_new() {
    let evidence = |created: Option<u64>| {
        let mut sight = sight(610, pods(1, vec![pod(vec![running(false)])]));
        sight.set.created = created.map(at);
        let none = Explanation::default();
        let since = Since::from(at(600));
        let found = Evidence::of(&live(2), Some(&sight), None, &none, &since, PATIENCE);
        found.pods[0].clone()
    };
    assert_snapshot!(evidence(Some(0)), @"10 s after the change: 1 of 2 pods ready, 2 wanted.");
    assert_snapshot!(evidence(Some(601)), @"10 s after the change: 1 of 2 new pods ready, 2 wanted.");
    assert_snapshot!(evidence(None), @"10 s after the change: 1 of 2 new pods ready, 2 wanted.");
}
