//! Rollbacks on demand: the objects of an earlier revision come back, from its record alone.

use super::others::{level, lock};
use super::plan::{encoded, secret};
use super::{
    GOOD, NEVER, empty, image, migration, object, release, release_in, service, settings, web,
};
use crate::alarms::{put_alarms, ring};
use crate::stage::{Ended, LIFE, SHORT, Stage};
use landfall_sandbox::world::Behaviour;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

const NEWER: &str = "registry.example.com/web:2.1.0";

/// Rolls the release back, as this execution.
async fn back(stage: &Stage, execution: &str, more: Value) -> Ended {
    back_in(LIFE, stage, execution, more).await
}

async fn back_in(life: Duration, stage: &Stage, execution: &str, more: Value) -> Ended {
    let mut parameters = json!({"release": "shop", "mode": "rollback", "execution": execution});
    for (name, value) in more.as_object().into_iter().flatten() {
        parameters[name] = value.clone();
    }
    stage.deploy_in(life, parameters).await
}

/// Releases a level and an image, as this execution.
pub async fn at(stage: &Stage, execution: &str, level: &str, image: &str) {
    let (config, web) = (settings(level), web("web", image));
    let files = [("k8s/config.yaml", &*config), ("k8s/web.yaml", &*web)];
    let more = json!({"execution": execution});
    release(stage, &files, more).await.released();
}

/// Two revisions; the second one has no Service any more, and `worker` is new.
async fn two(stage: &Stage) {
    let (config, web_old, service) = (settings("info"), web("web", GOOD), service("web"));
    let files = [
        ("k8s/config.yaml", &*config),
        ("k8s/web.yaml", &*web_old),
        ("k8s/service.yaml", &*service),
    ];
    release(stage, &files, json!({"execution": "run-1"}))
        .await
        .released();
    let (config, web_new, worker) = (settings("debug"), web("web", NEWER), web("worker", GOOD));
    let files = [
        ("k8s/config.yaml", &*config),
        ("k8s/web.yaml", &*web_new),
        ("k8s/worker.yaml", &*worker),
    ];
    release(stage, &files, json!({"execution": "run-2", "prune": true}))
        .await
        .released();
}

/// How often something was written.
fn writes(stage: &Stage) -> Option<usize> {
    stage.writes().map(|writes| writes.len())
}

/// A note on the record of a revision.
pub async fn note(stage: &Stage, revision: u32, name: &str) -> Value {
    let name_of = format!("landfall.shop.v{revision}");
    let record = object(stage, "secrets", &name_of).await.unwrap();
    record["metadata"]["annotations"][format!("landfall/{name}")].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_served_before_comes_back_as_a_whole_and_once() {
    let stage = empty().await;
    two(&stage).await;
    let prune = json!({"prune": true});
    let (summary, first) = back(&stage, "run-3", prune.clone()).await.released();
    assert!(
        summary.starts_with(
            "Release `shop` in `default` was rolled back from revision 2 to revision 1, which is \
             revision 3 now, and serves after "
        ),
        "{summary}"
    );
    assert_eq!(level(&stage).await, "info", "{summary}");
    assert_eq!(image(&stage, "web").await, GOOD, "{summary}");
    let live = object(&stage, "deployments", "web").await.unwrap();
    assert_eq!(live["status"]["availableReplicas"], 2, "{summary}");
    assert!(object(&stage, "services", "web").await.is_some());
    assert_eq!(object(&stage, "deployments", "worker").await, None);
    assert_eq!(
        (&*first["Revision"], &*first["PreviousRevision"]),
        ("3", "2")
    );
    assert_eq!(note(&stage, 3, "previous").await, "2");
    assert_eq!(note(&stage, 3, "returned-to").await, "1");

    // The stage is retried.
    let before = writes(&stage);
    let (summary, again) = back(&stage, "run-3", prune.clone()).await.released();
    let said = "was already rolled back from revision 2 to revision 1 by this execution, so \
                nothing was changed: revision 3";
    assert!(summary.contains(said), "{summary}");
    assert_eq!(writes(&stage), before, "{summary}");
    for name in ["Revision", "PreviousRevision", "Images"] {
        assert_eq!(first[name], again[name], "{name}");
    }
    // Another execution is another rollback: what served before is the newer version.
    let (summary, _) = back(&stage, "run-4", prune).await.released();
    let said = "from revision 3 to revision 2, which is revision 4 now";
    assert!(summary.contains(said), "{summary}");
    assert_eq!(image(&stage, "web").await, NEWER, "{summary}");
    assert!(object(&stage, "deployments", "worker").await.is_some());
    assert_eq!(object(&stage, "services", "web").await, None, "{summary}");
    // A retry of the first one now would take it away again.
    let (kind, message) = back(&stage, "run-3", json!({})).await.failure();
    assert_eq!(kind, "RevisionOutOfSync", "{message}");
    assert!(message.contains("run-4"), "{message}");
    assert_eq!(image(&stage, "web").await, NEWER, "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_newer_revision_has_is_named_where_it_is_not_pruned() {
    let stage = empty().await;
    two(&stage).await;
    let (summary, _) = back(&stage, "run-3", json!({})).await.released();
    assert!(
        summary.contains("Left, because `prune` is not set") && summary.contains("worker"),
        "{summary}"
    );
    assert!(object(&stage, "deployments", "worker").await.is_some());
    // It does not come back as a part of the revision that left it.
    at(&stage, "run-4", "debug", NEWER).await;
    stage.cluster.remove("deployments", "worker").await;
    let (summary, _) = back(&stage, "run-5", json!({"to": 3})).await.released();
    assert_eq!(
        object(&stage, "deployments", "worker").await,
        None,
        "{summary}"
    );
    assert!(object(&stage, "services", "web").await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revision_that_is_named_comes_back() {
    let stage = empty().await;
    for (number, level) in ["one", "two", "three"].into_iter().enumerate() {
        at(&stage, &format!("run-{number}"), level, GOOD).await;
    }
    let (summary, variables) = back(&stage, "run-8", json!({"to": 1})).await.released();
    assert!(
        summary.contains("from revision 3 to revision 1"),
        "{summary}"
    );
    assert_eq!(level(&stage).await, "one", "{summary}");
    assert_eq!(variables["PreviousRevision"], "3");
    // It is there already.
    let before = writes(&stage);
    let (summary, _) = back(&stage, "run-9", json!({"to": "4"})).await.released();
    let said = "already was as revision 4 had it, so nothing was changed: revision 4";
    assert!(summary.contains(said), "{summary}");
    assert_eq!(writes(&stage), before, "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_served_before_it_is_refused_with_the_reason() {
    let stage = empty().await;
    let refused = async |more: Value, said: &str| {
        let before = writes(&stage);
        for mode in ["rollback", "planRollback"] {
            let mut more = more.clone();
            more["mode"] = json!(mode);
            let (kind, message) = back(&stage, "run-8", more).await.failure();
            assert_eq!(kind, "ConfigurationError", "{message}");
            let what = "Release `shop` in `default` was not rolled back: ";
            assert!(message.starts_with(what), "{message}");
            assert!(message.contains(said), "{said}: {message}");
        }
        assert_eq!(writes(&stage), before);
    };
    refused(json!({}), "the cluster has no record of release `shop`").await;
    let broken = web("web", NEVER);
    let files = [("k8s/web.yaml", &*broken)];
    let fails = json!({"execution": "run-1", "timeout": "2s"});
    release(&stage, &files, fails.clone()).await.failure();
    refused(
        json!({}),
        "no revision of release `shop` in `default` was ever deployed",
    )
    .await;
    at(&stage, "run-2", "info", GOOD).await;
    refused(json!({}), "is recorded before revision 2").await;
    release(&stage, &files, fails).await.failure();
    // What failed and was taken back is not what served.
    refused(json!({}), "is recorded before revision 2").await;
    refused(
        json!({"to": 3}),
        "revision 3 of release `shop` in `default` failed; only revision 2",
    )
    .await;
    refused(
        json!({"to": 9}),
        "is not recorded; only revision 2 can be brought back",
    )
    .await;
    assert_eq!(level(&stage).await, "info");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_left_broken_goes_back_to_what_served_before_it() {
    let stage = empty().await;
    at(&stage, "run-1", "info", GOOD).await;
    let (config, broken) = (settings("debug"), web("web", NEVER));
    let files = [("k8s/config.yaml", &*config), ("k8s/web.yaml", &*broken)];
    let fails = json!({"execution": "run-2", "timeout": "2s", "rollback": false});
    release(&stage, &files, fails).await.failure();
    assert_eq!(image(&stage, "web").await, NEVER);
    let (summary, _) = back(&stage, "run-3", json!({})).await.released();
    assert!(
        summary.contains("from revision 2 to revision 1"),
        "{summary}"
    );
    assert_eq!(image(&stage, "web").await, GOOD, "{summary}");
    assert_eq!(level(&stage).await, "info", "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_release_is_left_alone() {
    let stage = empty().await;
    two(&stage).await;
    let other = settings("theirs").replace("name: settings", "name: other");
    let files = [("k8s/other.yaml", &*other)];
    let theirs = json!({"release": "bank", "execution": "run-3"});
    release(&stage, &files, theirs).await.released();
    let uid = async || {
        let live = object(&stage, "configmaps", "other").await.unwrap();
        live["metadata"]["resourceVersion"].clone()
    };
    let before = uid().await;
    back(&stage, "run-4", json!({"prune": true}))
        .await
        .released();
    assert_eq!(uid().await, before);
    let of_bank = json!({"release": "bank"});
    let (_, message) = back(&stage, "run-5", of_bank).await.failure();
    assert!(
        message.contains("is recorded before revision 1"),
        "{message}"
    );
}

/// An old migration on a new database would do harm.
#[tokio::test(flavor = "multi_thread")]
async fn jobs_neither_run_again_nor_go() {
    let stage = empty().await;
    let works =
        |version: u32| migration(&format!("registry.example.com/migrate:completes-{version}"));
    for version in [1, 2] {
        let (job, config) = (
            works(version),
            settings(["info", "debug"][version as usize - 1]),
        );
        let files = [("k8s/job.yaml", &*job), ("k8s/config.yaml", &*config)];
        let more = json!({"execution": format!("run-{version}")});
        release(&stage, &files, more).await.released();
    }
    let before = object(&stage, "jobs", "migrate").await.unwrap();
    let prune = json!({"prune": true});
    let (summary, _) = back(&stage, "run-3", prune.clone()).await.released();
    let said = "Jobs, which a rollback neither runs again nor deletes: `Job/migrate`";
    assert!(summary.contains(said), "{summary}");
    assert_eq!(level(&stage).await, "info", "{summary}");
    let live = object(&stage, "jobs", "migrate").await.unwrap();
    assert_eq!(live["metadata"]["uid"], before["metadata"]["uid"]);
    // It belongs to the release all the same: the next one finds it done, or deletes it.
    let (job, config) = (works(2), settings("error"));
    let files = [("k8s/job.yaml", &*job), ("k8s/config.yaml", &*config)];
    let (summary, _) = release(&stage, &files, json!({})).await.released();
    let live = object(&stage, "jobs", "migrate").await.unwrap();
    assert_eq!(
        live["metadata"]["uid"], before["metadata"]["uid"],
        "{summary}"
    );
    let (summary, _) = release(&stage, &files[1..], prune).await.released();
    assert_eq!(object(&stage, "jobs", "migrate").await, None, "{summary}");
    // Of a revision that had nothing else there is nothing to bring back.
    let alone = [("k8s/job.yaml", &*job)];
    let only = json!({"execution": "run-8", "release": "once"});
    release(&stage, &alone, only).await.released();
    let to = json!({"release": "once", "to": 1});
    let (_, message) = back(&stage, "run-9", to).await.failure();
    assert!(message.contains("has only Jobs"), "{message}");
}

/// Only an administrator may make definitions, so this one is for the sandbox.
#[tokio::test(flavor = "multi_thread")]
async fn definitions_stay_as_they_are_and_are_named() {
    let stage = Stage::in_sandbox(|_, _| {}).await;
    let newer = super::kinds::DEFINITION.replace(
        "size: {type: integer}",
        "size: {type: integer}, color: {type: string}",
    );
    let gadget = |spec: &str| {
        format!("apiVersion: example.com/v1\nkind: Gadget\nmetadata: {{name: one}}\nspec: {spec}\n")
    };
    let (old, new) = (gadget("{size: 3}"), gadget("{size: 4}"));
    for (number, definition, gadget) in [(1, super::kinds::DEFINITION, &old), (2, &*newer, &new)] {
        let files = [("k8s/a.yaml", definition), ("k8s/b.yaml", &**gadget)];
        let more = json!({"execution": format!("run-{number}")});
        release(&stage, &files, more).await.released();
    }
    let (summary, _) = back(&stage, "run-3", json!({})).await.released();
    let said = "Not taken back, because objects or data may depend on what they are now: \
                `CustomResourceDefinition/gadgets.example.com`";
    assert!(summary.contains(said), "{summary}");
    let definition = stage.sandbox().world(|world, _| {
        let name = "gadgets.example.com";
        world.object("customresourcedefinitions", "", name).cloned()
    });
    let definition = definition.unwrap().to_string();
    assert!(definition.contains("color"), "{summary}");
    let live = object(&stage, "gadgets.example.com", "one").await.unwrap();
    assert_eq!(live["spec"], json!({"size": 3}), "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_for_a_release_that_is_under_way() {
    let stage = empty().await;
    two(&stage).await;
    lock(&stage, Some("run-6")).await;
    let held = async {
        sleep(Duration::from_millis(1500)).await;
        assert_eq!(level(&stage).await, "debug");
        lock(&stage, None).await;
    };
    let (ended, ()) = tokio::join!(back(&stage, "run-7", json!({})), held);
    let (summary, _) = ended.released();
    assert_eq!(level(&stage).await, "info", "{summary}");
}

/// A release that fails, and a rollback that is asked for meanwhile: how both end.
async fn asked_during_one_that_fails(stage: &Stage) -> (Ended, Ended) {
    let (config, broken) = (settings("error"), web("web", NEVER));
    let files = [("k8s/config.yaml", &*config), ("k8s/web.yaml", &*broken)];
    let fails = json!({"execution": "run-3", "timeout": "8s"});
    let asked = async {
        while image(stage, "web").await != NEVER {
            sleep(Duration::from_millis(20)).await;
        }
        back_in(SHORT, stage, "run-4", json!({"timeout": "1m"})).await
    };
    // The function has time for both by turns.
    tokio::join!(release_in(SHORT, stage, &files, fails), asked)
}

/// What is to go has gone by itself: the revision before that is not what was asked for.
#[tokio::test(flavor = "multi_thread")]
async fn where_the_release_that_it_waits_for_fails_nothing_older_comes_back() {
    let stage = empty().await;
    two(&stage).await;
    let (failed, asked) = asked_during_one_that_fails(&stage).await;
    let (_, message) = failed.failure();
    assert!(message.contains("rolled back to revision 2"), "{message}");
    let (summary, _) = asked.released();
    assert!(
        summary.contains("already was as revision 2 had it"),
        "{summary}"
    );
    assert_eq!(level(&stage).await, "debug", "{summary}");
    assert_eq!(image(&stage, "web").await, NEWER, "{summary}");
    // Asked for after that, it goes further.
    let (summary, _) = back(&stage, "run-5", json!({"to": 1})).await.released();
    assert_eq!(level(&stage).await, "info", "{summary}");
}

/// The try before this one has waited for that release, and gave up before it was over.
#[tokio::test(flavor = "multi_thread")]
async fn a_retry_of_a_rollback_that_waited_in_vain_goes_no_further() {
    let stage = empty().await;
    two(&stage).await;
    let (config, broken) = (settings("error"), web("web", NEVER));
    let files = [("k8s/config.yaml", &*config), ("k8s/web.yaml", &*broken)];
    let fails = json!({"execution": "run-3", "timeout": "8s"});
    let asked = async {
        while image(&stage, "web").await != NEVER {
            sleep(Duration::from_millis(20)).await;
        }
        back_in(SHORT, &stage, "run-4", json!({"timeout": "2s"})).await
    };
    let failing = release_in(SHORT, &stage, &files, fails);
    let (failed, asked) = tokio::join!(failing, asked);
    let (_, message) = failed.failure();
    assert!(message.contains("rolled back to revision 2"), "{message}");
    let (_, message) = asked.failure();
    assert!(message.contains("run-3"), "{message}");
    let parent = object(&stage, "secrets", "landfall.shop").await.unwrap();
    assert!(parent["metadata"]["annotations"]["landfall/lock"].is_null());
    for (mode, said) in [
        ("planRollback", "which is as revision 2 had it"),
        ("rollback", "already was as revision 2 had it"),
        ("rollback", "by this execution, so nothing was changed"),
    ] {
        let (summary, _) = back(&stage, "run-4", json!({"mode": mode}))
            .await
            .released();
        assert!(summary.contains(said), "{summary}");
        assert_eq!(level(&stage).await, "debug", "{summary}");
    }
    // Asked for after that, it goes further.
    let (summary, _) = back(&stage, "run-5", json!({"to": 1})).await.released();
    assert_eq!(level(&stage).await, "info", "{summary}");
}

/// The newer revision asked for it, as its selector changed; the older one knew nothing of that.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_anew_for_the_newer_revision_is_made_anew_for_the_older_one() {
    let stage = empty().await;
    let old = web("web", GOOD);
    let new = old.replace("app: web", "app: shop").replace(
        "{name: web}",
        "{name: web, annotations: {landfall/recreate: 'yes'}}",
    );
    for (execution, text) in [("run-1", &old), ("run-2", &new)] {
        let more = json!({"execution": execution});
        let files = [("k8s/web.yaml", &**text)];
        release(&stage, &files, more).await.released();
    }
    let plan = json!({"mode": "planRollback"});
    let (summary, _) = back(&stage, "run-3", plan).await.released();
    assert!(summary.contains("deleted and made anew"), "{summary}");
    let (summary, _) = back(&stage, "run-3", json!({})).await.released();
    let live = object(&stage, "deployments", "web").await.unwrap();
    assert_eq!(
        live["spec"]["selector"]["matchLabels"]["app"], "web",
        "{summary}"
    );
    assert_eq!(live["status"]["availableReplicas"], 2, "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_goes_on_in_the_next_invocation() {
    let stage = empty().await;
    let slow = "registry.example.com/slow:after-2s";
    at(&stage, "run-1", "info", slow).await;
    at(&stage, "run-2", "debug", GOOD).await;
    let before = stage.aws.invocations().len();
    let ended = back_in(SHORT, &stage, "run-3", json!({})).await;
    let (summary, variables) = ended.released();
    assert!(stage.aws.invocations().len() > before + 1, "{summary}");
    assert!(
        summary.contains("from revision 2 to revision 1"),
        "{summary}"
    );
    assert_eq!(variables["PreviousRevision"], "2");
    assert_eq!(image(&stage, "web").await, slow, "{summary}");
    let live = object(&stage, "deployments", "web").await.unwrap();
    assert_eq!(live["status"]["availableReplicas"], 2, "{summary}");
    let fourth = object(&stage, "secrets", "landfall.shop.v4").await;
    assert!(fourth.is_none(), "{summary}");
}

/// The older version does not work any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_that_fails_is_taken_back() {
    let stage = Stage::in_sandbox(|_, _| {}).await;
    two(&stage).await;
    stage.sandbox().world(|world, _| {
        world.behave("web:2.0.0", Behaviour::InvalidImageName);
    });
    let more = json!({"prune": true, "patience": "0s"});
    let (kind, message) = back(&stage, "run-3", more.clone()).await.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    for said in ["Deployment/web", "rolled back to revision 2"] {
        assert!(message.contains(said), "{said}: {message}");
    }
    assert_eq!(image(&stage, "web").await, NEWER, "{message}");
    assert_eq!(level(&stage).await, "debug", "{message}");
    assert!(object(&stage, "deployments", "worker").await.is_some());
    assert_eq!(object(&stage, "services", "web").await, None, "{message}");
    // The stage is retried when it works again.
    stage.sandbox().world(|world, _| {
        world.behave("web:2.0.0", Behaviour::default());
    });
    let (summary, _) = back(&stage, "run-3", more).await.released();
    assert!(
        summary.contains("from revision 2 to revision 1"),
        "{summary}"
    );
    assert_eq!(image(&stage, "web").await, GOOD, "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_a_rollback_tells_what_would_change_and_writes_nothing() {
    let stage = empty().await;
    two(&stage).await;
    let before = writes(&stage);
    let plan = json!({"mode": "planRollback", "prune": true});
    let (summary, variables) = back(&stage, "run-3", plan).await.released();
    for said in [
        "Plan: release `shop` in `default` would be rolled back from revision 2 to revision 1, \
         which would be revision 3 then",
        "data.LEVEL: debug → info",
        "- Deployment/worker: deleted",
        "+ Service/web: new",
    ] {
        assert!(summary.contains(said), "{said}: {summary}");
    }
    assert_eq!(variables["Mode"], "plan");
    assert_eq!(variables["ChangeCount"], "4", "{variables:?}");
    assert_eq!(writes(&stage), before);
}

/// They are known only when the record was read.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_tells_the_values_of_secrets_that_come_back() {
    let stage = empty().await;
    let values = ["first-pass-5up3r", "second-pass-5up3r"];
    let crash = "registry.example.com/web:2.2.0";
    for (number, value) in values.iter().enumerate() {
        let app = web("web", [GOOD, crash][number]).replace(
            "containers: [{name: app,",
            &format!("containers: [{{name: app, env: [{{name: KEY, value: '{value}-in-env'}}],"),
        );
        let login = secret(value);
        let files = [("k8s/login.yaml", &*login), ("k8s/web.yaml", &*app)];
        let more = json!({"execution": format!("run-{number}")});
        release(&stage, &files, more).await.released();
    }
    let plan = json!({"mode": "planRollback"});
    let (summary, variables) = back(&stage, "run-8", plan).await.released();
    assert!(summary.contains("Secret/login"), "{summary}");
    let mut told = format!("{summary}{variables:?}");
    let (summary, variables) = back(&stage, "run-9", json!({})).await.released();
    told += &format!("{summary}{variables:?}{}", stage.log());
    for value in values {
        assert!(!told.contains(&encoded(value)), "{told}");
    }
    assert!(!told.contains(values[0]), "{told}");
    let live = object(&stage, "secrets", "login").await.unwrap();
    assert_eq!(live["data"]["PASSWORD"], encoded(values[0]));
}

/// That is why people go back.
#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_that_rings_does_not_keep_the_release_from_going_back() {
    let stage = empty().await;
    two(&stage).await;
    put_alarms(&stage);
    ring(&stage, "web 5xx");
    let more = json!({"alarms": ["web 5xx", "all"], "bake": "2s", "patience": "1s"});
    let (summary, _) = back(&stage, "run-3", more).await.released();
    assert!(
        summary.contains("from revision 2 to revision 1"),
        "{summary}"
    );
    let said = "`web 5xx` rings since before the deploy";
    assert!(summary.contains(said), "{summary}");
    assert_eq!(level(&stage).await, "info", "{summary}");
}

/// Two people ask for it: the second one brings back the same, although the first one is done when
/// its turn comes, and so does a retry of it.
#[tokio::test(flavor = "multi_thread")]
async fn two_rollbacks_that_meet_go_back_once() {
    let stage = empty().await;
    at(&stage, "run-0", "error", GOOD).await;
    two(&stage).await;
    let first = back_in(SHORT, &stage, "run-3", json!({"bake": "4s"}));
    let asked = async {
        while level(&stage).await != "info" {
            sleep(Duration::from_millis(20)).await;
        }
        back_in(SHORT, &stage, "run-4", json!({"timeout": "1m"})).await
    };
    let (first, second) = tokio::join!(first, asked);
    for ended in [first, second] {
        let (summary, _) = ended.released();
        assert_eq!(level(&stage).await, "info", "{summary}");
    }
    let (summary, _) = back(&stage, "run-4", json!({})).await.released();
    assert_eq!(level(&stage).await, "info", "{summary}");
    // Asked for after that, it is another rollback.
    let (summary, _) = back(&stage, "run-5", json!({})).await.released();
    assert_ne!(level(&stage).await, "error", "{summary}");
}

/// What failed was taken back, and the same version is deployed once more: that changes nothing,
/// and is not what a rollback leaves.
#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_changes_nothing_after_one_that_failed_does_not_hide_what_served_before() {
    let stage = empty().await;
    at(&stage, "run-1", "info", GOOD).await;
    at(&stage, "run-2", "debug", GOOD).await;
    let (config, broken) = (settings("error"), web("web", NEVER));
    let files = [("k8s/config.yaml", &*config), ("k8s/web.yaml", &*broken)];
    let fails = json!({"execution": "run-3", "timeout": "2s"});
    release(&stage, &files, fails).await.failure();
    let before = writes(&stage);
    let (config, web) = (settings("debug"), web("web", GOOD));
    let files = [("k8s/config.yaml", &*config), ("k8s/web.yaml", &*web)];
    for mode in ["plan", "deploy"] {
        let more = json!({"execution": "run-4", "mode": mode});
        let (summary, variables) = release(&stage, &files, more).await.released();
        let said = ["nothing would change", "nothing was changed: revision 2"];
        assert!(said.iter().any(|said| summary.contains(said)), "{summary}");
        let revision = &variables["Revision"];
        assert_eq!(revision, if mode == "plan" { "" } else { "2" }, "{summary}");
    }
    assert_eq!(writes(&stage), before);
    let (summary, _) = back(&stage, "run-5", json!({})).await.released();
    assert!(
        summary.contains("from revision 2 to revision 1"),
        "{summary}"
    );
    assert_eq!(level(&stage).await, "info", "{summary}");
}

/// A rollback that found everything in its place has a revision, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_after_one_that_changed_nothing_goes_to_what_served_before() {
    let stage = empty().await;
    two(&stage).await;
    let (failed, asked) = asked_during_one_that_fails(&stage).await;
    failed.failure();
    let (summary, _) = asked.released();
    assert!(
        summary.contains("already was as revision 2 had it"),
        "{summary}"
    );
    let (summary, _) = back(&stage, "run-5", json!({})).await.released();
    assert!(summary.contains("to revision 1,"), "{summary}");
    assert_eq!(level(&stage).await, "info", "{summary}");
    assert_eq!(image(&stage, "web").await, GOOD, "{summary}");
}
