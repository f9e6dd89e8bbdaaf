//! Renewals that are refused, and what is said of them.

use crate::cluster::Cluster;
use crate::rotation::{
    KEY, PARAMETER, administrator, answer, failure, invoke, rotate, sandbox, stage,
};
use jiff::{SignedDuration, Timestamp};
use landfall_sandbox::aws::{AwsFault, ParameterKind};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn what_aws_denies_is_named() {
    let put = "AWS denies ssm:PutParameter (";
    let encrypt = "AWS denies kms:Encrypt and kms:GenerateDataKey (";
    let no_policy = "no identity-based policy allows the ssm:PutParameter action";
    let read = "AWS denies kms:Decrypt (";
    let history = "AWS denies ssm:GetParameterHistory (AccessDeniedException";
    for (call, fault, words, kept) in [
        (
            "PutParameter",
            AwsFault::AccessDenied,
            [put, no_policy],
            true,
        ),
        (
            "PutParameter",
            AwsFault::KmsAccessDenied,
            [encrypt, "kms:Encrypt on resource"],
            true,
        ),
        (
            "GetParameterHistory",
            AwsFault::AccessDenied,
            [history, "Allow ssm:GetParameterHistory on the parameter"],
            true,
        ),
        (
            "GetParameters",
            AwsFault::KmsAccessDenied,
            [read, "Allow kms:Decrypt on the parameter's key"],
            false,
        ),
    ] {
        let stage = stage(&[]).await;
        // The name of one call begins as that of another does.
        let target = format!(".{call}");
        stage.aws.fault(&target, fault, 1);
        let message = failure(&stage, json!({"rotate": true})).await;
        let holds = match kept {
            true => "The present one was kept",
            false => "Nothing was changed",
        };
        for words in [words[0], words[1], holds] {
            assert!(message.contains(words), "{call}: {message}");
        }
        rotate(&stage).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_that_cannot_be_renewed_is_refused() {
    let arn = "arn:aws:ssm:eu-central-1:111122223333:parameter/k8s-bear-token";
    for name in [
        "k8s-bear-token:1",
        "k8s-bear-token:good",
        &format!("{arn}:1"),
    ] {
        let stage = stage(&[("K8S_TOKEN_PARAMETER", Some(name))]).await;
        let message = failure(&stage, json!({"rotate": true})).await;
        for words in ["names one version or label", "Nothing was changed", "alone"] {
            assert!(message.contains(words), "{name}: {message}");
        }
        assert_eq!(stage.aws.calls(), []);
    }
    let named = stage(&[("K8S_TOKEN_PARAMETER", Some(arn))]).await;
    rotate(&named).await;
    let plain = stage(&[]).await;
    let token = plain.cluster.token();
    plain
        .aws
        .put_parameter(PARAMETER, token, ParameterKind::String);
    let message = failure(&plain, json!({"rotate": true})).await;
    assert!(message.contains("it is not a SecureString"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_wrong_is_told_so() {
    let stage = stage(&[]).await;
    for (event, words) in [
        (json!({"rotate": false}), vec!["`rotate` must be `true`"]),
        (json!({"rotate": "true"}), vec!["`rotate` must be `true`"]),
        (
            json!({"rotate": true, "lifetime": "23h59m"}),
            vec!["`lifetime` must be a duration from \"24h\" to \"168h\", and is \"23h59m\""],
        ),
        (json!({"rotate": true, "lifetime": 600}), vec!["and is 600"]),
        (
            json!({"rotate": 1, "life": "24h", "lifetime": "24"}),
            vec![
                "`life` is unknown",
                "`rotate` must be",
                "`lifetime` must be",
            ],
        ),
    ] {
        let message = failure(&stage, event.clone()).await;
        for words in words {
            assert!(message.contains(words), "{event}: {message}");
        }
        assert!(message.contains("Nothing was changed"), "{message}");
    }
    assert_eq!(stage.aws.calls(), []);
    let event = json!({"rotate": true, "lifetime": "30h"});
    let answer = answer(invoke(&stage, event).await, &stage);
    let until: Timestamp = answer["validUntil"].as_str().unwrap().parse().unwrap();
    let left = until.duration_since(Timestamp::now());
    let hours = |hours| SignedDuration::from_hours(hours);
    assert!(hours(24) < left && left <= hours(30), "{left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_dead_cannot_be_renewed() {
    let stage = stage(&[]).await;
    stage.cluster.rotate_token().await;
    let message = failure(&stage, json!({"rotate": true})).await;
    for words in [
        "the cluster does not accept the present one any more (HTTP 401, \"Unauthorized\")",
        "No deploy works until a valid one is stored",
        "kubectl create token landfall",
    ] {
        assert!(message.contains(words), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_service_account_has_tokens_that_can_be_renewed() {
    let stage = match crate::real::is_named() {
        true => stage(&[]).await,
        false => sandbox().await,
    };
    match &stage.cluster {
        Cluster::Sandbox(kubernetes) => kubernetes.world(|world, _| world.sign_in("admin")),
        Cluster::Real(_) => {
            // The administrator of the control plane has a static token; elsewhere there is none.
            let Some(token) = administrator() else { return };
            stage.aws.put_secret(PARAMETER, &token, KEY, "ours");
        }
    }
    let message = failure(&stage, json!({"rotate": true})).await;
    let words = "it belongs to `admin`, and only ServiceAccounts can have new tokens";
    assert!(message.contains(words), "{message}");
}
