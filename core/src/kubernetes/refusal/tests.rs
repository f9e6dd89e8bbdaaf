//! What real API servers, and what stands before their storage, say of a refused call.

use super::*;

fn status(code: u16, message: &str) -> Refusal {
    Refusal {
        code,
        message: message.to_owned(),
        is_status: true,
        ..Refusal::default()
    }
}

fn account(namespace: &str, name: &str) -> RefusalCause {
    RefusalCause::Permission(User::ServiceAccount {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    })
}

fn named(user: &str) -> RefusalCause {
    RefusalCause::Permission(User::Named(user.to_owned()))
}

fn webhook(name: &str, trouble: WebhookTrouble) -> RefusalCause {
    RefusalCause::Webhook {
        name: name.to_owned(),
        trouble,
    }
}

#[test]
fn what_the_authorizer_denies_is_a_missing_permission() {
    let ours = r#"User "system:serviceaccount:ops:landfall" cannot"#;
    let rows = [
        (
            format!(
                r#"deployments.apps "web" is forbidden: {ours} patch resource "deployments" in API group "apps" in the namespace "shop""#
            ),
            account("ops", "landfall"),
        ),
        (
            format!(
                r#"deployments.apps is forbidden: {ours} list resource "deployments" in API group "apps" at the cluster scope"#
            ),
            account("ops", "landfall"),
        ),
        (
            format!(
                r#"pods "web-1" is forbidden: {ours} get resource "pods/log" in API group "" in the namespace "shop""#
            ),
            account("ops", "landfall"),
        ),
        (
            format!(
                r#"services "web" is forbidden: {ours} patch resource "services" in API group "" in the namespace "shop": RBAC: role.rbac.authorization.k8s.io "landfall" not found"#
            ),
            account("ops", "landfall"),
        ),
        (
            format!(r#"forbidden: {ours} get path "/version""#),
            account("ops", "landfall"),
        ),
        // EKS: an access entry's user, and aws-auth's.
        (
            r#"deployments.apps "web" is forbidden: User "arn:aws:sts::111122223333:assumed-role/deploy/session" cannot get resource "deployments" in API group "apps" in the namespace "shop""#.into(),
            RefusalCause::Permission(User::Iam(
                "arn:aws:sts::111122223333:assumed-role/deploy/session".into(),
            )),
        ),
        (
            r#"deployments.apps "web" is forbidden: User "deployer" cannot get resource "deployments" in API group "apps" in the namespace "shop""#.into(),
            named("deployer"),
        ),
        // Rancher acts as a user of its own, who may lack the right or may not be acted as.
        (
            r#"users "u-q4zxv" is forbidden: User "system:serviceaccount:cattle-system:cattle" cannot impersonate resource "users" in API group "" at the cluster scope"#.into(),
            account("cattle-system", "cattle"),
        ),
        // OpenShift 3, and servers before 1.12.
        (
            r#"deployments.extensions is forbidden: User "developer" cannot create deployments.extensions in the namespace "shop": User "developer" cannot create deployments.extensions in project "shop""#.into(),
            named("developer"),
        ),
        // The node authorizer, and a webhook that authorizes.
        (
            r#"secrets "tls" is forbidden: User "system:node:node-1" cannot get resource "secrets" in API group "" in the namespace "shop": no relationship found between node 'node-1' and this object"#.into(),
            named("system:node:node-1"),
        ),
        (
            r#"deployments.apps "web" is forbidden: User "ci" cannot patch resource "deployments" in API group "apps" in the namespace "shop": Azure does not have opinion for this user."#.into(),
            named("ci"),
        ),
        // An object may have any name.
        (
            r#"deployments.apps "exceeded-quota" is forbidden: User "ci" cannot patch resource "deployments" in API group "apps" in the namespace "shop": exceeded quota of the authorizer"#.into(),
            named("ci"),
        ),
    ];
    for (message, expected) in rows {
        assert_eq!(status(403, &message).cause(), expected, "{message}");
    }
}

#[test]
fn who_comes_without_a_token_lacks_no_permission() {
    let message = r#"deployments.apps "web" is forbidden: User "system:anonymous" cannot get resource "deployments" in API group "apps" in the namespace "shop""#;
    assert_eq!(status(403, message).cause(), RefusalCause::Anonymous);
    let path = r#"forbidden: User "system:anonymous" cannot get path "/apis""#;
    assert_eq!(status(403, path).cause(), RefusalCause::Anonymous);
}

#[test]
fn a_policy_is_one_whatever_status_it_answers_with() {
    let policy = |name: &str| RefusalCause::Policy(Policy::Webhook(name.to_owned()));
    let rows = [
        (
            403,
            r#"admission webhook "validation.gatekeeper.sh" denied the request: [allowed-repos] container <app> has an invalid image repo <docker.io/web>"#,
            policy("validation.gatekeeper.sh"),
        ),
        (
            400,
            "admission webhook \"validate.kyverno.svc-fail\" denied the request: \n\nresource Deployment/shop/web was blocked due to the following policies \n\nrequire-labels:\n  check: 'validation error: label team is required'",
            policy("validate.kyverno.svc-fail"),
        ),
        (
            400,
            r#"admission webhook "images.example.com" denied the request without explanation"#,
            policy("images.example.com"),
        ),
        (
            401,
            r#"admission webhook "who.example.com" denied the request: User "ci" cannot patch resource "deployments" on a Friday"#,
            policy("who.example.com"),
        ),
        (
            403,
            r#"deployments.apps "web" is forbidden: admission webhook "a.example.com" denied the request: User "x" cannot get resource "y""#,
            policy("a.example.com"),
        ),
        (
            409,
            r#"admission webhook "freeze.example.com" denied the request: a release is going on"#,
            policy("freeze.example.com"),
        ),
        (
            404,
            r#"admission webhook "a.example.com" denied the request: no such team"#,
            policy("a.example.com"),
        ),
        (
            503,
            r#"admission webhook "sign.example.com" denied the request: no signature found"#,
            policy("sign.example.com"),
        ),
        (
            403,
            r#"deployments.apps "web" is forbidden: ValidatingAdmissionPolicy 'replica-limit' with binding 'replica-limit-shop' denied request: failed expression: object.spec.replicas <= 5"#,
            RefusalCause::Policy(Policy::Admission("replica-limit".into())),
        ),
        (
            401,
            r#"deployments.apps "web" is unauthorized: ValidatingAdmissionPolicy 'owner' with binding 'owner' denied request: the owner is missing"#,
            RefusalCause::Policy(Policy::Admission("owner".into())),
        ),
        (
            422,
            r#"deployments.apps "web" is invalid: : ValidatingAdmissionPolicy 'p' with binding 'b' denied request: expression 'object.x' resulted in error: no such key: x"#,
            RefusalCause::Policy(Policy::Admission("p".into())),
        ),
        (
            403,
            r#"deployments.apps "web" is forbidden: MutatingAdmissionPolicy 'add' with binding 'b' denied request: failed to apply"#,
            RefusalCause::Policy(Policy::Mutation("add".into())),
        ),
        (
            403,
            r#"pods "web-1" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false"#,
            RefusalCause::Policy(Policy::PodSecurity),
        ),
        (
            403,
            r#"pods "web-1" is forbidden: unable to validate against any security context constraint: [provider "anyuid": Forbidden: not usable by user or serviceaccount]"#,
            RefusalCause::Policy(Policy::SecurityContextConstraints),
        ),
        (
            403,
            r#"pods "web-1" is forbidden: maximum cpu usage per Container is 1, but limit is 2"#,
            RefusalCause::Policy(Policy::LimitRange),
        ),
        (
            403,
            r#"pods "web-1" is forbidden: [minimum memory usage per Container is 100Mi, but request is 10Mi, maximum cpu usage per Pod is 2, but limit is 3]"#,
            RefusalCause::Policy(Policy::LimitRange),
        ),
    ];
    for (code, message, expected) in rows {
        let refusal = status(code, message);
        assert_eq!(refusal.cause(), expected, "{code} {message}");
        assert!(refusal.stored_nothing() && !refusal.may_pass(), "{message}");
    }
}

#[test]
fn an_api_server_that_has_just_started_is_waited_for() {
    let message = r#"deployments.apps "web" is forbidden: not yet ready to handle request"#;
    let refusal = status(403, message);
    assert_eq!(refusal.cause(), RefusalCause::Busy);
    assert!(refusal.stored_nothing() && refusal.may_pass());
}

#[test]
fn quotas_namespaces_and_plugins_are_no_permissions() {
    let rows = [
        (
            r#"deployments.apps "web-blue" is forbidden: exceeded quota: objects, requested: count/deployments.apps=1, used: count/deployments.apps=1, limited: count/deployments.apps=1"#,
            RefusalCause::Quota,
        ),
        (
            r#"pods "web-1" is forbidden: status unknown for quota: cpu, resources: limits.cpu"#,
            RefusalCause::Quota,
        ),
        // What it names is missing in the template; a larger quota does not help.
        (
            r#"pods "web-1" is forbidden: failed quota: cpu: must specify limits.cpu for: app"#,
            RefusalCause::Object,
        ),
        (
            r#"deployments.apps "web" is forbidden: unable to create new content in namespace shop because it is being terminated"#,
            RefusalCause::NamespaceEnding,
        ),
        (
            r#"pods "web-1" is forbidden: error looking up service account shop/web: serviceaccount "web" not found"#,
            RefusalCause::Object,
        ),
        (
            r#"pods "web-1" is forbidden: no PriorityClass with name high was found"#,
            RefusalCause::Object,
        ),
        (
            r#"deployments.apps "web" is forbidden: no."#,
            RefusalCause::Object,
        ),
    ];
    for (message, expected) in rows {
        let refusal = status(403, message);
        assert_eq!(refusal.cause(), expected, "{message}");
        assert!(refusal.stored_nothing() && !refusal.may_pass(), "{message}");
    }
}

#[test]
fn a_webhook_that_is_down_proves_that_nothing_was_stored() {
    use WebhookTrouble::{BadAnswer, Certificate, NoPod, Other, TooSlow};
    let rows = [
        (
            r#"Internal error occurred: failed calling webhook "v.example.com": failed to call webhook: Post "https://v.ops.svc:443/?timeout=10s": dial tcp 10.0.0.1:443: connect: connection refused"#,
            webhook("v.example.com", Other),
        ),
        (
            r#"Internal error occurred: failed calling webhook "v.example.com": failed to call webhook: Post "https://v.ops.svc:443/?timeout=10s": no endpoints available for service "v""#,
            webhook("v.example.com", NoPod),
        ),
        (
            r#"Internal error occurred: failed calling webhook "v.example.com": failed to call webhook: Post "https://v.ops.svc:443/?timeout=10s": context deadline exceeded"#,
            webhook("v.example.com", TooSlow),
        ),
        (
            r#"Internal error occurred: failed calling webhook "v.example.com": failed to call webhook: Post "https://v.ops.svc:443/": tls: failed to verify certificate: x509: certificate signed by unknown authority"#,
            webhook("v.example.com", Certificate),
        ),
        (
            r#"Internal error occurred: failed calling webhook "v.example.com": failed to call webhook: Post "https://v.ops.svc:443/": service "v" not found"#,
            webhook("v.example.com", NoPod),
        ),
        (
            r#"Internal error occurred: failed calling webhook "v.example.com": received invalid webhook response: expected response.uid="a", got """#,
            webhook("v.example.com", BadAnswer),
        ),
        (
            r#"conversion webhook for example.com/v1, Kind=Route failed: Post "https://c.ops.svc:443/convert": dial tcp 10.0.0.2:443: connect: connection refused"#,
            webhook("", Other),
        ),
    ];
    for (message, expected) in rows {
        let refusal = status(500, message);
        assert_eq!(refusal.cause(), expected, "{message}");
        assert!(refusal.may_pass(), "{message}");
        // What is converted for the answer is stored already.
        let is_conversion = message.contains("conversion");
        assert_eq!(refusal.stored_nothing(), !is_conversion, "{message}");
    }
}

#[test]
fn without_a_form_the_status_decides() {
    let rows = [
        (
            400,
            "Deployment in version \"v1\" cannot be handled",
            RefusalCause::Object,
        ),
        (401, "Unauthorized", RefusalCause::Token),
        (403, "", RefusalCause::Unexplained),
        (403, "Forbidden", RefusalCause::Unexplained),
        (
            403,
            "deployments.apps \"web\" is forbidden",
            RefusalCause::Unexplained,
        ),
        (
            403,
            "deployments.apps \"web\" is forbidden: ",
            RefusalCause::Unexplained,
        ),
        (404, "namespaces \"shop\" not found", RefusalCause::Object),
        (409, "the object has been modified", RefusalCause::Conflict),
        (
            422,
            "spec.replicas: Invalid value: -1",
            RefusalCause::Object,
        ),
        (429, "too many requests", RefusalCause::Busy),
        (500, "etcdserver: request timed out", RefusalCause::Busy),
        (
            500,
            "does not declare a merge key: map: {}",
            RefusalCause::Object,
        ),
        (503, "", RefusalCause::Busy),
    ];
    for (code, message, expected) in rows {
        assert_eq!(status(code, message).cause(), expected, "{code} {message}");
    }
    assert!(status(429, "").stored_nothing());
    assert!(!status(500, "etcdserver: request timed out").stored_nothing());
}

#[test]
fn a_refusal_without_words_is_what_the_review_says() {
    let asked = |allowed| Refusal {
        allowed: Some(allowed),
        ..status(403, "")
    };
    assert_eq!(
        asked(false).cause(),
        RefusalCause::Permission(User::Unknown)
    );
    assert_eq!(asked(true).cause(), RefusalCause::Object);
}

#[test]
fn what_is_no_status_is_not_from_an_api_server() {
    let page = |code| Refusal {
        code,
        message: r#"User "x" cannot get resource "y""#.into(),
        ..Refusal::default()
    };
    for code in [400, 401, 402, 403, 404, 405, 413, 418, 451, 600, 999] {
        assert!(page(code).is_foreign(), "{code}");
        assert!(!page(code).is_of_token(), "{code}");
        assert!(!status(code, "").is_foreign(), "{code}");
    }
    // What an API server, or the load balancer of a well one, says in plain text.
    for code in [409, 410, 422, 429, 500, 502, 503, 504] {
        assert!(!page(code).is_foreign(), "{code}");
    }
    assert_eq!(page(502).cause(), RefusalCause::Busy);
    assert!(!page(502).stored_nothing());
}
