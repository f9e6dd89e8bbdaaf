//! What Kubernetes 1.35 answered to applies that it refused.

use super::*;
use serde_json::{Value, json};

fn status(code: u16, message: &str, causes: Value) -> Refusal {
    let body = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "code": code, "details": {"causes": causes}});
    Refusal::read(code, body.to_string().as_bytes(), str::to_owned)
}

fn said(code: u16, message: &str) -> ApplyRefusal {
    refused(&status(code, message, json!([])))
}

/// A 422 of these fields, each with what is said of it.
fn unprocessable(causes: &[(&str, &str)]) -> ApplyRefusal {
    let causes = causes.iter().map(|(field, message)| {
        json!({"reason": "FieldValueInvalid", "field": field, "message": message})
    });
    let causes = causes.collect::<Vec<_>>();
    refused(&status(422, "X \"x\" is invalid: …", json!(causes)))
}

fn immutable(field: &str) -> ApplyRefusal {
    ApplyRefusal::Immutable(vec![field.to_owned()])
}

fn texts(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
    pairs.iter().map(owned).collect()
}

#[test]
fn a_conflict_names_fields_and_managers() {
    let causes = json!([
        {"reason": "FieldManagerConflict", "message": "conflict with \"landfall\"",
            "field": ".spec.replicas"},
        {"reason": "FieldManagerConflict", "field":
            ".spec.template.spec.containers[name=\"app\"].image", "message":
            "conflict with \"kubectl-edit\" using apps/v1 at 2026-11-28T22:50:59Z"},
        {"reason": "FieldManagerConflict", "field": ".spec.replicas", "message":
            "conflict with \"hpa\" with subresource \"scale\" using apps/v1 at 2026-11-28T22:50:59Z"},
    ]);
    let conflict = |field: &str, manager: &str| FieldConflict {
        field: field.to_owned(),
        manager: manager.to_owned(),
    };
    let message = "Apply failed with 3 conflicts: …";
    assert_eq!(
        refused(&status(409, message, causes)),
        ApplyRefusal::Conflict(vec![
            conflict("spec.replicas", "hpa (scale)"),
            conflict("spec.replicas", "landfall"),
            conflict(
                "spec.template.spec.containers[name=\"app\"].image",
                "kubectl-edit"
            ),
        ])
    );
}

#[test]
fn other_conflicts_pass() {
    let changed = "the object has been modified; please apply your changes to the latest version \
        and try again";
    let cannot = "Operation cannot be fulfilled on";
    for (message, expected) in [
        (
            format!("{cannot} deployments.apps \"web\": {changed}"),
            ApplyRefusal::Stale,
        ),
        (
            format!(
                "{cannot} deployments.apps \"web2\": uid mismatch: the provided object specified \
                 uid abc, and no existing object was found"
            ),
            ApplyRefusal::Stale,
        ),
        (
            "configmaps \"c\" already exists".to_owned(),
            ApplyRefusal::Stale,
        ),
        (
            format!("{cannot} resourcequotas \"q\": {changed}"),
            ApplyRefusal::QuotaRace,
        ),
    ] {
        let found = said(409, &message);
        assert_eq!(found, expected, "{message}");
        assert!(found.may_pass(), "{message}");
    }
}

#[test]
fn a_manifest_that_does_not_fit_its_schema_is_never_retried() {
    let of = |said: &str| {
        format!("failed to create typed patch object (shop/web; apps/v1, Kind=Deployment): {said}")
    };
    let env = ".spec.template.spec.containers[name=\"app\"].env";
    let unknown = |fields: &[&str]| {
        ApplyRefusal::UnknownField(fields.iter().map(|field| (*field).to_owned()).collect())
    };
    let invalid = |pairs: &[(&str, &str)]| ApplyRefusal::Invalid(texts(pairs));
    let conversion = "failed to convert new object (shop/c; /v1, Kind=Secret) to proper version: \
        unable to convert unstructured object to /v1, Kind=Secret: ";
    for (message, expected) in [
        (
            of(".spec.template.spec.containers[name=\"app\"].imag: field not declared in schema"),
            unknown(&["spec.template.spec.containers[name=\"app\"].imag"]),
        ),
        (
            of(
                "errors:\n  .spec.foo: field not declared in schema\n  .spec.bar: field not declared in schema",
            ),
            unknown(&["spec.foo", "spec.bar"]),
        ),
        (
            of(&format!("{env}: duplicate entries for key [name=\"A\"]")),
            ApplyRefusal::DuplicateKey(vec![
                "spec.template.spec.containers[name=\"app\"].env: duplicate entries for key \
                 [name=\"A\"]"
                    .to_owned(),
            ]),
        ),
        (
            of(".spec.replicas: expected numeric (int or float), got string"),
            invalid(&[(
                "spec.replicas",
                "expected numeric (int or float), got string",
            )]),
        ),
        (
            of(&format!(
                "{env}[name=\"A\"].value: expected string, got &value.valueUnstructured{{Value:map[string]interface {{}}{{\"a\":\"5ecret\"}}}}"
            )),
            invalid(&[(
                "spec.template.spec.containers[name=\"app\"].env[name=\"A\"].value",
                "expected string",
            )]),
        ),
        (
            of(&format!(
                "{env}: element 0: associative list with keys may not have a null element"
            )),
            invalid(&[(
                "spec.template.spec.containers[name=\"app\"].env",
                "element 0: associative list with keys may not have a null element",
            )]),
        ),
        (
            of(
                "errors:\n  .spec.foo: field not declared in schema\n  .spec.x[k=\"a: b\"].y: expected string",
            ),
            invalid(&[
                ("spec.foo", "field not declared in schema"),
                ("spec.x[k=\"a: b\"].y", "expected string"),
            ]),
        ),
        (
            format!("{conversion}error decoding from json: illegal base64 data at input byte 2"),
            invalid(&[(
                "",
                "error decoding from json: illegal base64 data at input byte 2",
            )]),
        ),
    ] {
        let refusal = status(500, &message, json!([]));
        assert!(!refusal.may_pass(), "{message}");
        assert!(refusal.stored_nothing(), "{message}");
        assert_eq!(refused(&refusal), expected, "{message}");
        assert!(!expected.may_pass());
    }
    let message = "error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal \
        errors:\n  line 1: key \"replicas\" already set in map";
    assert_eq!(
        said(400, message),
        ApplyRefusal::DuplicateKey(vec![
            "line 1: key \"replicas\" already set in map".to_owned()
        ])
    );
}

#[test]
fn what_cannot_be_changed_is_told_by_field() {
    let template = "Invalid value: {\"labels\":{\"job-name\":\"mig\"},\"Spec\":{\"Containers\":\
        [{\"Name\":\"app\",\"Env\":[{\"Name\":\"A\",\"Value\":\"5ecret: }\"}]}]}}: field is immutable";
    for (field, message) in [
        (
            "spec.selector",
            "Invalid value: {\"matchLabels\":{\"app\":\"wob\"}}: field is immutable",
        ),
        (
            "spec",
            "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', \
             'template', 'updateStrategy', 'revisionHistoryLimit', \
             'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        ),
        ("spec.template", template),
        (
            "data",
            "Forbidden: field is immutable when `immutable` is set",
        ),
        ("type", "Invalid value: \"foo/bar\": field is immutable"),
        (
            "spec",
            "Forbidden: spec is immutable after creation except resources.requests and \
             volumeAttributesClassName for bound claims\n@@ -1,12 +1,12 @@\n {\n  \"AccessModes\"",
        ),
        (
            "roleRef",
            "Invalid value: {\"APIGroup\":\"rbac.authorization.k8s.io\",\"Kind\":\"Role\",\
             \"Name\":\"y\"}: cannot change roleRef",
        ),
        (
            "spec.clusterIPs[0]",
            "Invalid value: [\"10.0.0.99\"]: may not change once set",
        ),
        (
            "spec",
            "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,\
             `spec.initContainers[*].image`\n@@ -93,7 +93,9 @@\n   {\n    \"Name\": \"a\",\n",
        ),
        (
            "provisioner",
            "Forbidden: updates to provisioner are forbidden.",
        ),
        ("value", "Forbidden: may not be changed in an update."),
    ] {
        assert_eq!(
            unprocessable(&[(field, message)]),
            immutable(field),
            "{message}"
        );
    }
    assert_eq!(
        unprocessable(&[
            (
                "spec.completions",
                "Invalid value: 2: can only be modified in tandem with spec.parallelism"
            ),
            (
                "spec.completionMode",
                "Invalid value: \"Indexed\": field is immutable"
            ),
        ]),
        ApplyRefusal::Immutable(vec![
            "spec.completions".to_owned(),
            "spec.completionMode".to_owned(),
        ])
    );
}

#[test]
fn what_is_not_valid_is_told_by_field_and_without_its_value() {
    for (causes, expected) in [
        (
            &[
                (
                    "spec.replicas",
                    "Invalid value: -2: must be greater than or equal to 0",
                ),
                ("spec.template.spec.containers[0].image", "Required value"),
            ][..],
            &[
                ("spec.replicas", "must be greater than or equal to 0"),
                ("spec.template.spec.containers[0].image", "Required value"),
            ][..],
        ),
        // Made anew it would be refused for its replicas as well.
        (
            &[
                (
                    "spec.selector",
                    "Invalid value: {\"a\":1}: field is immutable",
                ),
                (
                    "spec.replicas",
                    "Invalid value: -2: must be greater than or equal to 0",
                ),
            ],
            &[
                ("spec.selector", "field is immutable"),
                ("spec.replicas", "must be greater than or equal to 0"),
            ],
        ),
        (
            &[
                (
                    "spec.mode",
                    "Unsupported value: \"q\": supported values: \"a\", \"b\"",
                ),
                (
                    "spec.size",
                    "Invalid value: 9: spec.size in body should be less than or equal to 5",
                ),
                (
                    "<nil>",
                    "Invalid value: null: some validation rules were not checked because the \
                     object was invalid; correct the existing errors to complete validation",
                ),
            ],
            &[
                ("spec.mode", "supported values: \"a\", \"b\""),
                (
                    "spec.size",
                    "spec.size in body should be less than or equal to 5",
                ),
            ],
        ),
        (
            &[("", "Invalid value: \"5ecret\\\": \": must not be so")],
            &[("", "must not be so")],
        ),
        (
            &[("a", "Duplicate value: \"5ecret\"")],
            &[("a", "Duplicate value")],
        ),
    ] {
        assert_eq!(
            unprocessable(causes),
            ApplyRefusal::Invalid(texts(expected))
        );
    }
}

#[test]
fn what_is_missing_is_told_apart() {
    let text = Refusal::read(404, b"404 page not found\n", str::to_owned);
    assert_eq!(refused(&text), ApplyRefusal::KindMissing);
    let nginx = Refusal::read(404, b"<html>404 Not Found</html>", str::to_owned);
    assert_eq!(refused(&nginx), ApplyRefusal::Other(RefusalCause::Object));
    for (message, expected) in [
        (
            "namespaces \"nix\" not found",
            ApplyRefusal::NamespaceMissing,
        ),
        (
            "the server could not find the requested resource",
            ApplyRefusal::KindMissing,
        ),
        (
            "rolebindings.rbac.authorization.k8s.io \"nix\" not found",
            ApplyRefusal::RoleMissing("nix".to_owned()),
        ),
        (
            "deployments.apps \"web\" not found",
            ApplyRefusal::Other(RefusalCause::Object),
        ),
    ] {
        assert_eq!(said(404, message), expected, "{message}");
    }
}

/// As Kubernetes 1.35 says it.
#[test]
fn an_object_that_has_no_place_in_the_version_of_our_fields_is_known() {
    for message in [
        "failed to prune fields: failed to convert merged object to last applied version: \
         .spec.color: field not declared in schema",
        "request to convert CR to an invalid group/version: example.com/v1alpha1",
    ] {
        assert_eq!(said(500, message), ApplyRefusal::OtherVersion, "{message}");
    }
}

#[test]
fn what_is_forbidden_is_told_apart() {
    let account = User::ServiceAccount {
        namespace: "a1".to_owned(),
        name: "bot".to_owned(),
    };
    for (message, expected) in [
        (
            "secrets \"n\" is forbidden: User \"system:serviceaccount:a1:bot\" cannot patch \
             resource \"secrets\" in API group \"\" in the namespace \"a1\"",
            ApplyRefusal::Forbidden(account),
        ),
        (
            "roles.rbac.authorization.k8s.io \"r\" is forbidden: user \
             \"system:serviceaccount:a1:bot\" (groups=[\"system:serviceaccounts\"]) is attempting \
             to grant RBAC permissions not currently held:\n{APIGroups:[\"\"], \
             Resources:[\"pods\"], Verbs:[\"get\" \"delete\"]}\n{APIGroups:[\"batch\"], \
             Resources:[\"jobs\"], ResourceNames:[\"x\"], Verbs:[\"*\"]}; resolution errors: [x]",
            ApplyRefusal::Escalation(vec![
                "{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"get\" \"delete\"]}".to_owned(),
                "{APIGroups:[\"batch\"], Resources:[\"jobs\"], ResourceNames:[\"x\"], \
                 Verbs:[\"*\"]}"
                    .to_owned(),
            ]),
        ),
        (
            "services \"s2\" is forbidden: unable to create new content in namespace a2 because \
             it is being terminated",
            ApplyRefusal::NamespaceEnding,
        ),
        (
            "configmaps \"c\" is forbidden: exceeded quota: q, requested: configmaps=1, used: \
             configmaps=1, limited: configmaps=1",
            ApplyRefusal::Other(RefusalCause::Quota),
        ),
    ] {
        let found = said(403, message);
        assert_eq!(found, expected, "{message}");
        assert!(!found.may_pass());
    }
}

/// Or an object would be made anew, read again or told as wrong for what a policy says.
#[test]
fn the_words_of_a_policy_are_its_own() {
    let policy = "configmaps \"x\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' \
        denied request: ";
    let webhook = "admission webhook \"v.example.com\" denied the request: ";
    for (code, from, words) in [
        (422, policy, "spec.template: field is immutable"),
        (422, policy, "no version 1"),
        (409, webhook, "the object has been modified"),
        (
            403,
            webhook,
            "is attempting to grant RBAC permissions not currently held: x",
        ),
        (
            400,
            webhook,
            "strict decoding error: key \"a\" already set in map",
        ),
    ] {
        let message = format!("{from}{words}");
        let causes = json!([{"message": message.clone()}]);
        let meaning = refused(&status(code, &message, causes));
        assert!(
            matches!(meaning, ApplyRefusal::Other(RefusalCause::Policy(_))),
            "{code} {words}: {meaning:?}"
        );
    }
}

#[test]
fn a_webhook_that_is_away_may_come() {
    let calling = "Internal error occurred: failed calling webhook \"w.example.com\": failed to \
        call webhook: Post \"https://hook.a2.svc:443/?timeout=2s\": ";
    for (why, trouble) in [
        ("service \"hook\" not found", WebhookTrouble::NoPod),
        (
            "no endpoints available for service \"hook\"",
            WebhookTrouble::NoPod,
        ),
        (
            "dial tcp 127.0.0.1:9: connect: connection refused",
            WebhookTrouble::Other,
        ),
        // A certificate that comes a while after the webhook's configuration.
        (
            "tls: failed to verify certificate: x509: certificate signed by unknown authority",
            WebhookTrouble::Certificate,
        ),
    ] {
        let name = "w.example.com".to_owned();
        let found = said(500, &format!("{calling}{why}"));
        assert_eq!(found, ApplyRefusal::WebhookAway { name, trouble }, "{why}");
        assert!(found.may_pass());
    }
    let busy = said(500, "etcdserver: request timed out");
    assert!(busy.may_pass());
    assert_eq!(busy, ApplyRefusal::Other(RefusalCause::Busy));
}
