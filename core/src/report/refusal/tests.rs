use super::*;
use crate::kubernetes::resource::DEPLOYMENTS;
use crate::outcome::ParameterPlace;
use serde_json::json;

/// What the API server says, and what a person reads of it, for each single cause.
#[test]
fn each_cause_has_its_type_its_section_and_its_next_step() {
    let rows = [
        (401, "Unauthorized"),
        (
            403,
            r#"deployments.apps "web" is forbidden: User "system:anonymous" cannot patch resource "deployments" in API group "apps" in the namespace "shop""#,
        ),
        (
            403,
            r#"deployments.apps "web" is forbidden: User "system:serviceaccount:ops:landfall" cannot patch resource "deployments" in API group "apps" in the namespace "shop""#,
        ),
        (
            403,
            r#"deployments.apps "web" is forbidden: User "arn:aws:iam::111122223333:role/deploy" cannot patch resource "deployments" in API group "apps" in the namespace "shop""#,
        ),
        (403, ""),
        (
            403,
            r#"deployments.apps "web-blue" is forbidden: exceeded quota: objects, requested: count/deployments.apps=1, used: count/deployments.apps=1, limited: count/deployments.apps=1"#,
        ),
        (
            403,
            r#"admission webhook "validation.gatekeeper.sh" denied the request: [allowed-repos] container <app> has an invalid image repo"#,
        ),
        (
            403,
            r#"deployments.apps "web" is forbidden: ValidatingAdmissionPolicy 'replica-limit' with binding 'b' denied request: at most 5 replicas"#,
        ),
        (
            403,
            r#"pods "web-1" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true"#,
        ),
        (
            403,
            r#"pods "web-1" is forbidden: maximum cpu usage per Container is 1, but limit is 2"#,
        ),
        (
            500,
            r#"Internal error occurred: failed calling webhook "v.example.com": failed to call webhook: Post "https://v.ops.svc:443/": no endpoints available for service "v""#,
        ),
        (
            500,
            r#"Internal error occurred: failed calling webhook "v.example.com": failed to call webhook: Post "https://v.ops.svc:443/": x509: certificate has expired or is not yet valid"#,
        ),
        (
            403,
            r#"deployments.apps "web" is forbidden: unable to create new content in namespace shop because it is being terminated"#,
        ),
        (409, "the object has been modified"),
        (422, r#"Deployment.apps "web" is invalid: spec.replicas"#),
        (429, "too many requests"),
        (503, "the server is currently unable to handle the request"),
    ];
    let call = Call::strategic_patch(&DEPLOYMENTS, "shop", "web", json!({}));
    let lines = rows.map(|(code, message)| {
        let refusal = Refusal {
            code,
            message: message.to_owned(),
            is_status: true,
            ..Refusal::default()
        };
        let told = told(
            &refusal,
            &call,
            "patch deployments.apps",
            "shop",
            "deploy/rbac.yaml has",
            &CredentialSource::Parameter(ParameterPlace::default()),
        );
        let why = told.reason.split(" (HTTP").next().unwrap_or_default();
        format!(
            "{}, {}: {why}.\n  {}",
            told.failure_type.name(),
            told.code.anchor(),
            told.next_step
        )
    });
    insta::assert_snapshot!(lines.join("\n"), @r"
    PermissionError, token-refused: the cluster does not accept the bearer token.
      Store a valid token in the SSM parameter that K8S_TOKEN_PARAMETER names, then retry the stage.
    PermissionError, token-lost: the bearer token did not reach the API server, which took the call to patch deployments.apps for one of `system:anonymous`.
      Whatever stands between the function and the API server (a proxy, or a load balancer that ends TLS) removes the `Authorization` header: set K8S_CLUSTER to the API server itself, then retry the stage. No permission is missing; do not grant one to `system:anonymous`.
    PermissionError, forbidden: the token may not patch deployments.apps.
      Grant the verb `patch` on `deployments.apps` to ServiceAccount `landfall` of namespace `ops` by a Role and a RoleBinding in this namespace, then retry the stage; deploy/rbac.yaml has all verbs that are needed.
    PermissionError, forbidden: the token may not patch deployments.apps.
      Grant the verb `patch` on `deployments.apps` to the IAM identity `arn:aws:iam::111122223333:role/deploy` by a Role and a RoleBinding in this namespace (the RoleBinding names the user or a group of its access entry), then retry the stage; deploy/rbac.yaml has all verbs that are needed.
    ConfigurationError, object-refused: the API server forbids to patch deployments.apps and does not say why.
      See whether the token has the permission: `kubectl --namespace shop auth can-i patch deployments.apps`, with the token. If it has, a policy or an admission plugin of the cluster refuses the object; the API server's log says which.
    ConfigurationError, quota: a quota of the namespace has no room to patch deployments.apps.
      Raise the quota or delete what is no longer needed, then retry the stage: `kubectl --namespace shop describe resourcequota` shows what is used. It is not a matter of the token's permissions.
    ConfigurationError, policy: the admission webhook `validation.gatekeeper.sh` refused to patch deployments.apps.
      Change what the policy names and release the change again, or have whoever owns the policy change it (`kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations`) and retry the stage. It is not a matter of the token's permissions.
    ConfigurationError, policy: the ValidatingAdmissionPolicy `replica-limit` refused to patch deployments.apps.
      Change what the policy names and release the change again, or have whoever owns the policy change it (`kubectl get validatingadmissionpolicy replica-limit`) and retry the stage. It is not a matter of the token's permissions.
    ConfigurationError, policy: the namespace's Pod Security level refused to patch deployments.apps.
      Change what the policy names and release the change again, or have whoever owns the policy change it (`kubectl get namespace shop --show-labels`) and retry the stage. It is not a matter of the token's permissions.
    ConfigurationError, policy: a LimitRange of the namespace refused to patch deployments.apps.
      Change what the policy names and release the change again, or have whoever owns the policy change it (`kubectl --namespace shop describe limitrange`) and retry the stage. It is not a matter of the token's permissions.
    SystemUnavailable, webhook: the API server could not patch deployments.apps, as the admission webhook `v.example.com` did not answer as it should.
      No pod is there to answer for the admission webhook `v.example.com`: bring the pods of its Service up. Then retry the stage.
    SystemUnavailable, webhook: the API server could not patch deployments.apps, as the admission webhook `v.example.com` did not answer as it should.
      The API server does not trust the certificate of the admission webhook `v.example.com`: renew that certificate, or the `caBundle` of its configuration. Then retry the stage.
    ConfigurationError, being-deleted: its namespace is being deleted, so that nothing can be created.
      Wait until `shop` is gone (`kubectl get namespace shop`), create it again, then retry the stage.
    RevisionOutOfSync, out-of-sync: somebody else kept changing it at the same time.
      Retry the stage when the other change is through.
    ConfigurationError, object-refused: the API server refused to patch deployments.apps.
      Correct what it names, then release the change again; where that is something in the cluster, retry the stage.
    SystemUnavailable, cluster-unavailable: the cluster could not patch deployments.apps just now.
      Retry the stage when the API server is healthy again; the function retried until it gave up.
    SystemUnavailable, cluster-unavailable: the cluster could not patch deployments.apps just now.
      Retry the stage when the API server is healthy again; the function retried until it gave up.
    ");
}

#[test]
fn only_a_missing_permission_is_to_be_granted() {
    let call = Call::strategic_patch(&DEPLOYMENTS, "shop", "web", json!({}));
    let told = |code, message: &str| {
        let refusal = Refusal {
            code,
            message: message.to_owned(),
            is_status: true,
            ..Refusal::default()
        };
        brief(&refusal, &call, "have it rolled back")
    };
    let missing = told(
        403,
        r#"deployments.apps "web" is forbidden: User "ci" cannot patch resource "deployments" in API group "apps" in the namespace "shop""#,
    );
    assert!(
        missing.contains("grant the verb `patch` on `deployments.apps`"),
        "{missing}"
    );
    for denied in [
        r#"admission webhook "a.example.com" denied the request: not on a Friday"#,
        r#"deployments.apps "web" is forbidden: exceeded quota: not on a Friday"#,
        r#"deployments.apps "web" is forbidden: User "system:anonymous" cannot patch resource "deployments": not on a Friday"#,
    ] {
        let told = told(403, denied);
        assert!(!told.contains("grant"), "{told}");
        assert!(told.contains("not on a Friday"), "{told}");
    }
}
