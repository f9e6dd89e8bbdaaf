use super::fields::EXECUTION_LIMIT;
use super::images::PATH_LIMIT;
use super::shown::{EXCERPT, excerpt};
use super::target::CONTEXT_LIMIT;
use super::*;
use crate::formats::json::repeated;
use crate::workload::Kind;
use insta::assert_snapshot;
use serde_json::json;
use std::collections::BTreeMap;

const JOB: &str = "job-1";

fn parse(fields: &Value) -> Result<Request, Vec<Fault>> {
    Request::parse(&Parameters::Text(fields.to_string()), JOB)
}

/// The least parameters, with these fields added or replaced; `null` stays a value.
fn with(changes: Value) -> Value {
    let mut fields = json!({"deployment": "web", "images": {"web": "web:2"}});
    for (field, value) in changes.as_object().unwrap() {
        fields[field] = value.clone();
    }
    fields
}

/// What the least parameters come to: every default.
fn least() -> Request {
    Request {
        kind: Kind::Deployment,
        deployment: "web".into(),
        namespace: "default".into(),
        cluster: None,
        images: images(&[("web", "web:2")]),
        sole_image: None,
        skipped: Vec::new(),
        origin: Origin::default(),
        commit: None,
        mode: Mode::Deploy,
        to: None,
        env: BTreeMap::new(),
        container: None,
        manifest: None,
        method: Method::Patch,
        restart: false,
        strategy: Strategy::Rolling,
        bake: Duration::ZERO,
        alarms: None,
        timeout: Duration::from_secs(900),
        patience: Duration::from_secs(30),
        rollback: true,
        execution: JOB.into(),
        committed: None,
    }
}

fn images(images: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |(name, image): &(&str, &str)| (name.to_string(), image.to_string());
    images.iter().map(owned).collect()
}

fn env(env: &[(&str, Option<&str>)]) -> BTreeMap<String, Option<Hidden>> {
    let hidden = |value: &str| Hidden(value.to_owned());
    let owned = |(name, value): &(&str, Option<&str>)| (name.to_string(), value.map(hidden));
    env.iter().map(owned).collect()
}

/// A manifest with this `metadata`.
fn manifest(metadata: Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata,
        "spec": {"template": {}}})
}

#[test]
fn good_parameters_and_what_they_come_to() {
    let given = manifest(json!({"name": "api", "namespace": "shop"}));
    let nameless = json!({"spec": {"template": {}, "paused": false}});
    let by_manifest = Request {
        deployment: "api".into(),
        namespace: "shop".into(),
        manifest: Some(given.clone()),
        method: Method::Put,
        ..least()
    };
    let digest = format!(
        "registry.example.com:5000/team/web@sha256:{}",
        "0".repeat(64)
    );
    let run = "Ä".repeat(EXECUTION_LIMIT);
    let cases = [
        ("every default", with(json!({})), least()),
        (
            "a namespace",
            with(json!({"namespace": "shop"})),
            Request {
                namespace: "shop".into(),
                ..least()
            },
        ),
        (
            "a context of the kubeconfig",
            with(json!({"cluster": "arn:aws:eks:eu-central-1:111122223333:cluster/prod"})),
            Request {
                cluster: Some("arn:aws:eks:eu-central-1:111122223333:cluster/prod".into()),
                ..least()
            },
        ),
        (
            "several images, one by its digest",
            with(json!({"images": {"web": digest, "proxy": "envoy"}})),
            Request {
                images: images(&[("web", &digest), ("proxy", "envoy")]),
                ..least()
            },
        ),
        (
            "variables set, set to nothing and removed",
            with(json!({"env": {"A": "1", "EMPTY": "", "OLD": null}})),
            Request {
                env: env(&[("A", Some("1")), ("EMPTY", Some("")), ("OLD", None)]),
                ..least()
            },
        ),
        (
            "variables of one container",
            with(json!({"env": {"A": "1"}, "container": "web"})),
            Request {
                env: env(&[("A", Some("1"))]),
                container: Some("web".into()),
                ..least()
            },
        ),
        (
            "a manifest names the Deployment and is put",
            json!({"manifest": given}),
            Request {
                images: BTreeMap::new(),
                ..by_manifest.clone()
            },
        ),
        (
            "a manifest and fields that agree with it",
            with(json!({"manifest": given, "deployment": "api", "namespace": "shop"})),
            by_manifest.clone(),
        ),
        (
            "a manifest as a patch",
            with(json!({"manifest": given, "deployment": "api", "method": "patch"})),
            Request {
                method: Method::Patch,
                ..by_manifest.clone()
            },
        ),
        (
            "a manifest, put in so many words",
            with(json!({"manifest": given, "deployment": "api", "method": "put"})),
            by_manifest,
        ),
        (
            "a manifest without names, and not paused",
            with(json!({"manifest": nameless})),
            Request {
                manifest: Some(nameless.clone()),
                method: Method::Put,
                ..least()
            },
        ),
        (
            "a restart alone",
            json!({"deployment": "web", "restart": true}),
            Request {
                images: BTreeMap::new(),
                restart: true,
                ..least()
            },
        ),
        (
            "the strategy by name",
            with(json!({"strategy": "rolling", "method": "patch"})),
            least(),
        ),
        (
            "no way back",
            with(json!({"rollback": false})),
            Request {
                rollback: false,
                ..least()
            },
        ),
        (
            "the longest execution, counted in characters",
            with(json!({"execution": run})),
            Request {
                execution: run.clone(),
                ..least()
            },
        ),
    ];
    for (name, fields, expected) in cases {
        assert_eq!(parse(&fields), Ok(expected.clone()), "{name}");
        let Value::Object(fields) = fields else {
            panic!("{name} is no object")
        };
        let by_hand = Request::parse(&Parameters::Object(fields), JOB);
        assert_eq!(by_hand, Ok(expected), "{name}, as an object");
    }
}

#[test]
fn timeouts() {
    let good = [
        ("90s", 90),
        ("15m", 900),
        ("2h", 7200),
        ("1h30m", 5400),
        ("1h1m1s", 3661),
        ("30m1h", 5400),
        ("1s", 1),
        ("24h", 86_400),
        ("86400s", 86_400),
        ("23h60m", 86_400),
        ("007m", 420),
        ("0h5m", 300),
    ];
    for (text, seconds) in good {
        let request = parse(&with(json!({"timeout": text}))).unwrap();
        assert_eq!(request.timeout, Duration::from_secs(seconds), "{text}");
    }
    let bad = [
        ("0s", "from 1s to 24h"),
        ("86401s", "from 1s to 24h"),
        ("24h1s", "from 1s to 24h"),
        ("", "not a valid duration"),
        ("90", "not a valid duration"),
        ("1h30", "not a valid duration"),
        ("m", "not a valid duration"),
        ("1.5h", "not a valid duration"),
        ("-5m", "not a valid duration"),
        ("+5m", "not a valid duration"),
        (" 5m", "not a valid duration"),
        ("5M", "not a valid duration"),
        ("1d", "not a valid duration"),
        ("٣m", "not a valid duration"),
        ("18446744073709551616s", "not a valid duration"),
        ("9999999999999999999h", "not a valid duration"),
    ];
    for (text, problem) in bad {
        let faults = parse(&with(json!({"timeout": text}))).unwrap_err();
        assert_eq!(faults.len(), 1, "{text}: {faults:?}");
        assert_eq!(faults[0].field, "timeout");
        assert!(faults[0].problem.contains(problem), "{text}: {faults:?}");
    }
}

#[test]
fn names_of_deployments_and_namespaces() {
    let (label, subdomain) = ("n".repeat(63), "n".repeat(253));
    for name in [
        "w", "web", "web-2", "2-web", "web.v2", "a.b.c", &label, &subdomain,
    ] {
        assert!(parse(&with(json!({"deployment": name}))).is_ok(), "{name}");
    }
    for name in ["w", "web", "web-2", "2-web", &label] {
        assert!(parse(&with(json!({"namespace": name}))).is_ok(), "{name}");
    }
    let (longer, longest) = ("n".repeat(64), "n".repeat(254));
    let bad = [
        "",
        "Web",
        "-web",
        "web-",
        "web_2",
        "web/2",
        "we b",
        "wéb",
        "web\n",
        ".web",
        "web.",
        "a..b",
        "#{Build.Name}",
        &longest,
    ];
    for name in bad {
        one_fault("deployment", json!({"deployment": name}), "", name);
        one_fault("namespace", json!({"namespace": name}), "", name);
    }
    for (name, told) in [
        (
            "web\u{200b}",
            "is `web<U+200B>`, which is not a valid Kubernetes name: it has a zero-width space",
        ),
        ("web\u{a0}", "it has a no-break space (U+00A0)"),
        ("we\u{301}b", "it has a combining accent"),
        ("${NAME}", "is `${NAME}`: nothing filled in `${NAME}`"),
        (
            "{{ .Release.Name }}-web",
            "`{{ .Release.Name }}` is a place of a Helm template",
        ),
        ("<name>", "nothing filled in `<name>`"),
    ] {
        one_fault("deployment", json!({"deployment": name}), told, name);
    }
    for name in ["web.v2", &longer] {
        one_fault(
            "namespace",
            json!({"namespace": name}),
            "not a valid Kubernetes name",
            name,
        );
    }
}

#[test]
fn contexts_of_a_kubeconfig() {
    let longest = "ä".repeat(CONTEXT_LIMIT);
    for name in [
        "p",
        "Admin@prod.eu-central-1.eksctl.io",
        "kind prod",
        "${a}",
        &longest,
    ] {
        let request = parse(&with(json!({"cluster": name}))).unwrap();
        assert_eq!(request.cluster.as_deref(), Some(name));
    }
    let longer = "x".repeat(CONTEXT_LIMIT + 1);
    for name in ["", "a\nb", "a\u{7f}", &longer] {
        let told = "must be the name of a context of the kubeconfig: 1 to 256 characters";
        one_fault("cluster", json!({"cluster": name}), told, name);
    }
    let variable = "has a variable that CodePipeline did not fill in: `#{Build.CLUSTER}`";
    one_fault(
        "cluster",
        json!({"cluster": "#{Build.CLUSTER}"}),
        variable,
        "a variable",
    );
    one_fault(
        "cluster",
        json!({"cluster": 7}),
        "must be a string, and is a number",
        "7",
    );
    let faults = parse(&with(json!({"clustr": "prod"}))).unwrap_err();
    assert_eq!(faults[0].problem, "is unknown; did you mean `cluster`?");
}

#[test]
fn a_context_needs_a_kubeconfig() {
    let read = |variables: &[(&str, &str)]| {
        let given = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        crate::environment::Environment::read(given).unwrap().source
    };
    let token = read(&[("K8S_CLUSTER", "https://10.0.0.1:6443")]);
    let eks = read(&[(
        "EKS_CLUSTER",
        "arn:aws:eks:eu-central-1:111122223333:cluster/prod",
    )]);
    let kubeconfig = read(&[("KUBECONFIG_PARAMETER", "kubeconfig")]);
    let draft = |fields| Draft::read(&Parameters::Text(with(fields).to_string())).unwrap();
    let named = draft(json!({"cluster": "prod"}));
    assert_eq!(named.cluster.as_deref(), Some("prod"));
    assert_eq!(named.fits(&kubeconfig), Ok(()));
    for source in [&token, &eks, &kubeconfig] {
        assert_eq!(draft(json!({})).fits(source), Ok(()));
    }
    let told = |source| {
        let faults = named.fits(source).unwrap_err();
        format!("`{}` {}", faults[0].field, faults[0].problem)
    };
    insta::assert_snapshot!(told(&token), @r"`cluster` names a context of a kubeconfig, and this function has none: it serves https://10.0.0.1:6443 (K8S_CLUSTER) alone. Leave `cluster` out, or give the function a kubeconfig by KUBECONFIG_PARAMETER");
    insta::assert_snapshot!(told(&eks), @r"`cluster` names a context of a kubeconfig, and this function has none: it serves EKS cluster `prod` (account 111122223333, region eu-central-1) (EKS_CLUSTER) alone. Leave `cluster` out, or give the function a kubeconfig by KUBECONFIG_PARAMETER");
}

/// A blue/green deploy with these fields.
fn blue_green(changes: &Value) -> Value {
    let mut all = json!({"strategy": "blueGreen", "service": "web"});
    for (field, value) in changes.as_object().unwrap() {
        all[field] = value.clone();
    }
    all.as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    all
}

#[test]
fn fields_of_a_switch() {
    let keep = |keep: Value| json!({"strategy": "immutable", "keep": keep});
    for (field, changes, problem) in [
        ("service", json!({"service": null}), "is missing"),
        ("service", json!({"service": 7}), "and is a number"),
        (
            "service",
            json!({"service": "Web"}),
            "not a valid Kubernetes name",
        ),
        ("bake", json!({"bake": "7h"}), "from 0s to 6h"),
        ("bake", json!({"bake": "20m"}), "shorter than `timeout`"),
        ("keep", json!({"keep": 1}), "strategy `immutable`; leave"),
        ("keep", keep(json!("1")), "from 0 to 20"),
        ("keep", keep(json!(21)), "from 0 to 20"),
        ("keep", keep(json!(-1)), "from 0 to 20"),
        ("method", json!({"method": "patch"}), "`rolling`"),
        ("smoke", json!({"smoke": true}), "a path such as"),
        (
            "smoke",
            json!({"smoke": {"contains": "ok"}}),
            "a path such as",
        ),
        (
            "smoke.status",
            json!({"smoke": {"path": "/", "status": 200}}),
            "is unknown; there are",
        ),
        ("smoke", json!({"smoke": "health"}), "begins with `/`"),
        ("smoke", json!({"smoke": "/a b"}), "begins with `/`"),
        ("smoke", json!({"smoke": "/a#b"}), "begins with `/`"),
        ("smoke", json!({"smoke": "/a\\..\\b"}), "begins with `/`"),
        ("smoke", json!({"smoke": "/../../secrets"}), "a plain path"),
        ("smoke", json!({"smoke": "/a/%2E%2e/b"}), "a plain path"),
        ("smoke", json!({"smoke": "/a/..?b"}), "a plain path"),
        ("smoke", json!({"smoke": "/a%2f..%2fb"}), "a plain path"),
        ("smoke", json!({"smoke": "//host/"}), "a plain path"),
        (
            "smoke",
            json!({"smoke": "/#{build.PATH}"}),
            "did not fill in",
        ),
        (
            "smoke.contains",
            json!({"smoke": {"path": "/", "contains": ""}}),
            "1 to 300 characters",
        ),
    ] {
        let name = changes.to_string();
        one_fault(field, blue_green(&changes), problem, &name);
    }
    let long = with(blue_green(&json!({"deployment": "x".repeat(46)})));
    assert_eq!(parse(&long).unwrap_err()[0].field, "deployment");
    let smoke = |path: &str, contains: Option<&str>| Smoke {
        path: path.to_owned(),
        contains: contains.map(str::to_owned),
        port: None,
    };
    let by = |port: &str| Smoke {
        port: Some(port.to_owned()),
        ..smoke("/", None)
    };
    for (changes, bake, expected) in [
        (json!({}), 30, None),
        (
            json!({"bake": "0s", "smoke": "/"}),
            0,
            Some(smoke("/", None)),
        ),
        (
            json!({"smoke": {"path": "/a.b/..c?deep=1&x=%20", "contains": "ok"}}),
            30,
            Some(smoke("/a.b/..c?deep=1&x=%20", Some("ok"))),
        ),
        (
            json!({"smoke": {"path": "/", "port": "http"}}),
            30,
            Some(by("http")),
        ),
        (
            json!({"smoke": {"path": "/", "port": 8080}}),
            30,
            Some(by("8080")),
        ),
    ] {
        let request = parse(&with(blue_green(&changes))).unwrap();
        let switch = request.strategy.switch().unwrap();
        assert_eq!(switch.service, "web");
        assert_eq!(switch.bake, Duration::from_secs(bake), "{changes}");
        assert_eq!(switch.smoke, expected);
        assert_eq!(request.strategy.name(), "blueGreen");
    }
    for (changes, expected) in [(keep(json!(0)), 0), (keep(json!(20)), 20)] {
        let request = parse(&with(blue_green(&changes))).unwrap();
        assert!(matches!(request.strategy, Strategy::Immutable { keep, .. } if keep == expected));
    }
    let request = parse(&with(blue_green(&json!({"strategy": "immutable"})))).unwrap();
    assert!(matches!(
        request.strategy,
        Strategy::Immutable { keep: 1, .. }
    ));
    assert_eq!(request.strategy.name(), "immutable");
}

#[test]
fn every_strategy_has_a_bake() {
    let rolling = |bake: Value| with(json!({"bake": bake}));
    for (parameters, seconds) in [
        (with(json!({})), 0),
        (rolling(json!("0s")), 0),
        (rolling(json!("10m")), 600),
        (with(blue_green(&json!({}))), 30),
        (with(blue_green(&json!({"bake": "1m"}))), 60),
    ] {
        let request = parse(&parameters).unwrap();
        assert_eq!(request.bake, Duration::from_secs(seconds), "{parameters}");
        let switch = request.strategy.switch();
        assert!(switch.is_none_or(|switch| switch.bake == request.bake));
    }
}

/// These parameters have one fault, of this field, and it says so.
fn one_fault(field: &str, changes: Value, problem: &str, name: &str) {
    let faults = parse(&with(changes)).expect_err(name);
    let fields = faults.iter().map(|fault| fault.field.as_str());
    assert_eq!(fields.collect::<Vec<_>>(), [field], "{name}: {faults:?}");
    assert!(faults[0].problem.contains(problem), "{name}: {faults:?}");
}

#[test]
fn fields_of_the_wrong_type_or_of_no_sense() {
    let cases = [
        (
            "image",
            json!({"image": {"web": "web:2"}}),
            "did you mean `images`?",
        ),
        (
            "Deployment",
            json!({"Deployment": "web"}),
            "did you mean `deployment`?",
        ),
        (
            "colour",
            json!({"colour": "blue"}),
            "the fields are deployment, workload, namespace",
        ),
        (
            "deployment",
            json!({"deployment": 3}),
            "must be a string, and is a number",
        ),
        (
            "namespace",
            json!({"namespace": null}),
            "must be a string, and is null",
        ),
        ("images", json!({"images": {}}), "and is empty"),
        ("images", json!({"images": null}), "and is null"),
        (
            "images",
            json!({"images": "web:2"}),
            "or the path of a file",
        ),
        ("images", json!({"images": ["web:2"]}), "and is a list"),
        (
            "container",
            json!({"env": {"A": "1"}, "container": "Web"}),
            "Kubernetes name",
        ),
        (
            "container",
            json!({"env": {"A": "1"}, "container": false}),
            "true or false",
        ),
        (
            "container",
            json!({"container": "web"}),
            "and there is neither",
        ),
        (
            "method",
            json!({"method": "replace"}),
            "`patch` or `put`, and is `replace`",
        ),
        ("method", json!({"method": "put"}), "needs a `manifest`"),
        ("method", json!({"method": {"put": 1}}), "and is an object"),
        (
            "restart",
            json!({"restart": "true"}),
            "without quotes, and is a string",
        ),
        ("restart", json!({"restart": null}), "and is null"),
        ("rollback", json!({"rollback": 0}), "and is a number"),
        (
            "strategy",
            json!({"strategy": "Rolling"}),
            "must be `rolling`",
        ),
        (
            "service",
            json!({"service": "web"}),
            "only for the strategy",
        ),
        ("bake", json!({"bake": "7h"}), "from 0s to 6h"),
        ("bake", json!({"bake": "15m"}), "shorter than `timeout`"),
        ("bake", json!({"bake": true}), "and is true or false"),
        ("smoke", json!({"smoke": "/"}), "only for the strategy"),
        ("keep", json!({"keep": 2}), "strategy `immutable`; leave"),
        (
            "timeout",
            json!({"timeout": 900}),
            "`900` is not a valid duration; write 90s",
        ),
        ("execution", json!({"execution": ""}), "1 to 128 characters"),
        (
            "execution",
            json!({"execution": "x".repeat(129)}),
            "1 to 128 characters",
        ),
        (
            "execution",
            json!({"execution": "a\nb"}),
            "without line breaks, and has U+000A",
        ),
        ("execution", json!({"execution": 7}), "and is a number"),
        (
            "committed",
            json!({"committed": "yesterday"}),
            "and is `yesterday`",
        ),
        (
            "committed",
            json!({"committed": "2026-01-31"}),
            "a time such as",
        ),
        ("committed", json!({"committed": 7}), "and is a number"),
    ];
    for (field, changes, problem) in cases {
        let name = changes.to_string();
        one_fault(field, changes, problem, &name);
    }
}

#[test]
fn images_and_variables_one_by_one() {
    for image in [
        "web",
        "web:2",
        "localhost:5000/web",
        "a/b/c:v1.2_3-x@sha256:0000000000000000000000000000000000000000000000000000000000000000",
    ] {
        let request = parse(&with(json!({"images": {"web": image}}))).unwrap();
        assert_eq!(request.images["web"], image);
    }
    for (image, problem) in [
        (json!(""), "the build stage gave no image"),
        (json!("web: 2"), "it has a blank after `web:`"),
        (json!("web:2\n"), "it has a line break at its end"),
        (json!("web\u{0}"), "it has a zero byte at its end"),
        (json!("web:#{Build.Tag}"), "did not fill in: `#{Build.Tag}`"),
        (json!(2), "an image in quotes, and is a number"),
        (json!(null), "and is null"),
    ] {
        let name = image.to_string();
        one_fault(
            "images.web",
            json!({"images": {"web": image}}),
            problem,
            &name,
        );
    }
    one_fault(
        "images.Web",
        json!({"images": {"Web": "web:2"}}),
        "Kubernetes name",
        "Web",
    );
    one_fault(
        "images.a.b",
        json!({"images": {"a.b": "web:2"}}),
        "Kubernetes name",
        "a.b",
    );
    for name in ["A", "_", "a.b-c", "1", "with blank", "$(x)", "~"] {
        let request = parse(&with(json!({"env": {name: "value"}}))).unwrap();
        assert_eq!(request.env, env(&[(name, Some("value"))]));
    }
    for name in ["", "A=B", "Ä", "a\nb", "a\u{7f}"] {
        let field = format!("env.{}", image::shown(name));
        one_fault(
            &field,
            json!({"env": {name: "value"}}),
            "not a valid variable name",
            name,
        );
    }
    for (value, problem) in [
        (json!(1), "and is a number"),
        (json!(true), "and is true or false"),
        (json!([]), "and is a list"),
        (json!({}), "and is empty"),
    ] {
        one_fault("env.A", json!({"env": {"A": value}}), problem, problem);
    }
    one_fault("env", json!({"env": {}}), "and is empty", "no variables");
    one_fault("env", json!({"env": "A=1"}), "and is a string", "a text");
}

#[test]
fn manifests_that_cannot_be() {
    let template = json!({"template": {}});
    let cases = [
        (
            "manifest",
            json!("k8s/web.yaml"),
            "names `k8s/web.yaml`, and no file was read",
        ),
        ("manifest", json!(null), "and is null"),
        ("manifest", json!([]), "and is a list"),
        ("manifest.spec.template", json!({}), "the pods to run"),
        (
            "manifest.spec.template",
            json!({"spec": {"template": "x"}}),
            "the pods to run",
        ),
        (
            "manifest.kind",
            json!({"kind": "StatefulSet", "spec": template}),
            r#"must be `Deployment`, and is "StatefulSet""#,
        ),
        (
            "manifest.apiVersion",
            json!({"apiVersion": "extensions/v1beta1", "spec": template}),
            "must be `apps/v1`",
        ),
        (
            "manifest.spec.paused",
            json!({"spec": {"template": {}, "paused": true}}),
            "rolls nothing out",
        ),
        (
            "manifest.spec.replicas",
            json!({"spec": {"template": {}, "replicas": 4_294_967_296_u64}}),
            "a whole number of 32 bits, and is 4294967296",
        ),
        (
            "manifest.spec.replicas",
            json!({"spec": {"template": {}, "replicas": "3"}}),
            "a whole number of 32 bits",
        ),
        (
            "manifest.spec.template.spec.containers[1].name",
            json!({"spec": {"template": {"spec": {"containers": [{"name": "a"}, {}]}}}}),
            "is missing",
        ),
        (
            "manifest.spec.template.spec.volumes[0].name",
            json!({"spec": {"template": {"spec": {"volumes": [{"emptyDir": {}}]}}}}),
            "is missing",
        ),
        (
            "manifest.metadata.name",
            manifest(json!({"name": "api"})),
            "is `api` and `deployment` is `web`",
        ),
        (
            "manifest.metadata.namespace",
            manifest(json!({"namespace": "Shop"})),
            "not a valid Kubernetes name",
        ),
    ];
    for (field, manifest, problem) in cases {
        let name = manifest.to_string();
        one_fault(field, json!({"manifest": manifest}), problem, &name);
    }
    let elsewhere = manifest(json!({"namespace": "shop"}));
    one_fault(
        "manifest.metadata.namespace",
        json!({"manifest": elsewhere, "namespace": "stage"}),
        "is `shop` and `namespace` is `stage`",
        "two namespaces",
    );
}

#[test]
fn what_is_missing() {
    let nameless = json!({"spec": {"template": {}}});
    let bad_name = manifest(json!({"name": "Api"}));
    let cases = [
        (
            json!({"images": {"web": "web:2"}}),
            "deployment",
            "is missing: the name",
        ),
        (
            json!({"manifest": nameless}),
            "deployment",
            "no metadata.name either",
        ),
        (
            json!({"manifest": bad_name}),
            "manifest.metadata.name",
            "Kubernetes name",
        ),
        (
            json!({"deployment": "web"}),
            "UserParameters",
            "change nothing",
        ),
        (
            json!({"deployment": "web", "rollback": false, "timeout": "5m"}),
            "UserParameters",
            "change nothing",
        ),
    ];
    for (fields, field, problem) in cases {
        let faults = parse(&fields).unwrap_err();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(faults[0].field, field, "{fields}");
        assert!(faults[0].problem.contains(problem), "{faults:?}");
    }
}

#[test]
fn all_faults_are_found_at_once() {
    let faults = parse(&json!({
        "deployment": "Web", "namespace": 1, "images": {"a": "", "b": "b:1", "c": "c d"},
        "env": {"A": 1, "B": "2", "C": []}, "container": "", "manifest": 2, "method": "x",
        "restart": 1, "strategy": "x", "timeout": "x", "rollback": "x", "execution": "",
        "more": 1}))
    .unwrap_err();
    let fields = faults.iter().map(|fault| fault.field.as_str());
    let expected = "more manifest deployment namespace images.a images.c env.A env.C \
        container method restart rollback strategy timeout execution";
    assert_eq!(fields.collect::<Vec<_>>().join(" "), expected);
}

#[test]
fn a_variable_that_was_not_filled_in_is_said_to_be_one() {
    let variable = "#{Build.X}";
    let cases = [
        ("deployment", json!({"deployment": variable})),
        ("namespace", json!({"namespace": variable})),
        ("images.web", json!({"images": {"web": variable}})),
        (
            "container",
            json!({"container": variable, "env": {"A": "1"}}),
        ),
        (
            "execution",
            json!({"execution": "#{codepipeline.PipelineExecutionId}"}),
        ),
        ("committed", json!({"committed": "#{Source.AuthorDate}"})),
    ];
    for (field, changes) in cases {
        one_fault(field, changes, "CodePipeline did not fill in: `#{", field);
    }
    let env = |name: &str, value: &str| json!({"env": {name: value}});
    let container = json!({"name": "web", "env": [{"name": "A", "value": "x #{Source.CommitId}"}]});
    let manifest =
        json!({"manifest": {"spec": {"template": {"spec": {"containers": [container]}}}}});
    let cases = [
        ("env.A", env("A", variable)),
        ("env.A", env("A", "secret-#{Build.X}-and #{more}")),
        ("env.#{Build.NAME}", env("#{Build.NAME}", "x")),
        (
            "variables.X",
            json!({"variables": {"X": variable}, "manifest": "a.yaml"}),
        ),
        (
            "manifest.spec.template.spec.containers[web].env[A].value",
            manifest,
        ),
        (
            "smoke",
            json!({"strategy": "blueGreen", "service": "web", "smoke": {"path": "/",
            "contains": variable}}),
        ),
        ("mode", json!({"mode": variable})),
        ("timeout", json!({"timeout": variable})),
        ("strategy", json!({"strategy": variable})),
        ("method", json!({"method": variable})),
    ];
    for (field, changes) in cases {
        let faults = parse(&with(changes)).unwrap_err();
        let fault = faults.iter().find(|fault| fault.field.starts_with(field));
        let fault = fault.unwrap_or_else(|| panic!("{field}: {faults:?}"));
        assert!(fault.problem.contains("#{"), "{faults:?}");
        assert!(!fault.problem.contains("secret"), "{faults:?}");
    }
    // What is none of CodePipeline's stays: Ruby's, and what only looks like it.
    for value in [
        "#{name}",
        "#{a.b",
        "#{}",
        "# {A.b}",
        "#{a b.c}",
        "#{.b}",
        "$#{1+1.5 x}",
    ] {
        let request = parse(&with(env("A", value))).unwrap_or_else(|why| panic!("{value} {why:?}"));
        assert_eq!(request.env["A"].as_ref().map(Hidden::reveal), Some(value));
    }
}

#[test]
fn what_is_no_object() {
    let cases = [
        (
            Parameters::Absent,
            "are missing. Give at least {\"deployment\"",
        ),
        (Parameters::Text(" ".into()), "are missing"),
        (Parameters::Text("web".into()), "begin with `web`"),
        (Parameters::Text("'{".into()), "begin with `'{`"),
        (Parameters::Text("\u{200b}web".into()), "begin with `web`"),
        (
            Parameters::Text(r#""{\"deployment\": \"web\"}""#.into()),
            "are a string with JSON in it: they were written as JSON twice",
        ),
        (
            Parameters::Text(r#"{\"deployment\": \"web\"}"#.into()),
            "have a backslash before each quote (`{\\\"deployment",
        ),
        (
            Parameters::Text(r#"'{"a": 1}'"#.into()),
            "are in quotes (`'`) of their own",
        ),
        (Parameters::Text("[1]".into()), "and are a list"),
        (Parameters::Text(" \"x\"".into()), "and are a string"),
        (Parameters::Text("null".into()), "and are null"),
    ];
    for (parameters, problem) in cases {
        let faults = Request::parse(&parameters, JOB).unwrap_err();
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].field, "UserParameters");
        assert!(faults[0].problem.contains(problem), "{}", faults[0].problem);
    }
}

#[test]
fn broken_json_is_shown_where_it_breaks() {
    let cases = [
        ("a quote", r#"{"a": "x"y"}"#, 10, r#"{"a": "x"→y"}"#),
        (
            "a quote at the end",
            r#"{"a": "x""}"#,
            10,
            r#"{"a": "x"→"}"#,
        ),
        ("a line break", "{\"a\": \"x\ny\"}", 9, "{\"a\": \"x→␤y\"}"),
        (
            "at the end of a line",
            "{\"a\":\n\"x\n\"}",
            9,
            "{\"a\":␤\"x→␤\"}",
        ),
        ("a backslash", r#"{"a": "x\y"}"#, 10, r#"{"a": "x\→y"}"#),
        ("a tab", "{\"a\": \"x\ty\"}", 9, "{\"a\": \"x→␤y\"}"),
        (
            "a quote before a prefix",
            r#"{"a": "Revert "fix: b""}"#,
            16,
            r#"{"a": "Revert "→fix: b""}"#,
        ),
        (
            "many bytes before",
            r#"{"ä": "€😀"y"}"#,
            11,
            r#"{"ä": "€😀"→y"}"#,
        ),
        (
            "many bytes there",
            r#"{"ä": "€"😀"}"#,
            10,
            r#"{"ä": "€"→😀"}"#,
        ),
    ];
    for (name, text, character, arrow) in cases {
        let faults = Request::parse(&Parameters::Text(text.into()), JOB).unwrap_err();
        let problem = &faults[0].problem;
        let place = format!("At character {character},");
        assert!(problem.contains(&place), "{name}: {problem}");
        assert!(problem.contains(&format!("`{arrow}`")), "{name}: {problem}");
        assert!(problem.contains("escapes nothing"), "{name}");
    }
    for (text, help) in [
        (r#"{"a": 1,}"#, "There is a comma too many"),
        ("{'a': 1}", "JSON takes double quotes"),
        ("{\"a\": 1,\n \"b\": x}", "A text needs double quotes"),
        ("{\"a\": True}", "JSON writes `true`, `false` and `null`"),
        (
            "{\"a\": \"x\", b: 1}",
            "A field's name needs double quotes, and a comma before it",
        ),
        (
            "{\"mode\": \"plan\" \"env\": {}}",
            "A comma is missing before it",
        ),
        ("{\"a\": 1 // one\n}", "JSON has no comments"),
        (
            "{\"a\":\u{a0}\"x\"}",
            "That is a no-break space (U+00A0): write plain blanks and quotes",
        ),
        (
            "{\u{feff}\"a\": 1}",
            "That is a byte order mark (U+FEFF): write plain blanks and quotes",
        ),
        (
            "{\u{201c}a\u{201d}: 1}",
            "That is a typographic quote (U+201C): write plain blanks and quotes",
        ),
        (
            "{x}",
            "A comma, a quote or a bracket is missing or too many",
        ),
        (
            "{}{}",
            "A comma, a quote or a bracket is missing or too many",
        ),
        ("{\"a\": {\"b\": 1}", "Their end is missing"),
    ] {
        let faults = Request::parse(&Parameters::Text(text.into()), JOB).unwrap_err();
        assert!(faults[0].problem.ends_with(help), "{faults:?}");
    }
    for around in ["\u{feff}", "\u{a0}", " \u{200b}\n"] {
        let text = format!("{around}{}{around}", with(json!({})));
        assert_eq!(Request::parse(&Parameters::Text(text), JOB), Ok(least()));
    }
    let cut = Request::parse(&Parameters::Text(r#"{"a": "x"#.into()), JOB).unwrap_err();
    assert!(cut[0].problem.contains("ends inside a string"), "{cut:?}");
}

#[test]
fn an_excerpt_is_short_and_of_one_line() {
    let long = format!("{}ß{}", "a".repeat(100), "b".repeat(100));
    let expected = format!("…{}→ß{}…", "a".repeat(EXCERPT), "b".repeat(EXCERPT - 1));
    assert_eq!(excerpt(&long, 100), expected);
    // Within a character is before it.
    assert_eq!(excerpt(&long, 101), expected);
    assert_eq!(excerpt("", 0), "");
    assert_eq!(excerpt("é", 7), "é→");
    assert_eq!(excerpt("a\r\n\tb", 0), "a␤␤␤b");
}

#[test]
fn no_cut_of_a_text_makes_it_panic() {
    let text = "{\"ä\": \"€ßé\", \"b\": [1, \"日本語\", \"\\u00e9\"],\r\n \"😀👩‍👩‍👧\": {\"c\": null}}";
    for position in 0..text.len() + 3 {
        let shown = excerpt(text, position);
        let seen = shown.replace("<U+200D>", "x");
        assert!(seen.chars().count() <= 2 * EXCERPT + 3, "{shown}");
        assert!(!shown.contains('\n'));
    }
    let boundaries = (0..=text.len()).filter(|place| text.is_char_boundary(*place));
    let boundaries = boundaries.collect::<Vec<_>>();
    let mut faults = 0;
    for (count, start) in boundaries.iter().enumerate() {
        for end in &boundaries[count..] {
            for cut in [
                text[*start..*end].to_owned(),
                format!("{{{}", &text[*start..*end]),
                format!("{}{}", &text[..*start], &text[*end..]),
            ] {
                let parsed = Request::parse(&Parameters::Text(cut), JOB);
                faults += usize::from(parsed.is_err());
            }
        }
    }
    assert_eq!(faults, boundaries.len() * (boundaries.len() + 1) / 2 * 3);
}

#[test]
fn a_field_that_stands_twice_is_refused() {
    for (text, field) in [
        // A commit message that closes its string and brings an image of its own.
        (
            r#"{"deployment": "web", "images": {"app": "good:1"}, "env": {"MESSAGE": "fix"},
                "images": {"app": "evil:1"}, "env": {"A": "b"}}"#,
            "images",
        ),
        (
            r#"{"deployment": "web", "env": {"A": "1", "A": "2"}}"#,
            "env.A",
        ),
        (
            r#"{"manifest": {"spec": {"template": {"spec": {"containers": [{"name": "a"},
                {"name": "b", "name": "c"}]}}}}}"#,
            "manifest.spec.template.spec.containers.name",
        ),
    ] {
        let faults = Request::parse(&Parameters::Text(text.into()), JOB).unwrap_err();
        let problem = &faults[0].problem;
        assert!(
            problem.contains(&format!("have `{field}` twice")),
            "{problem}"
        );
    }
    let same_name_elsewhere = r#"{"deployment": "web", "env": {"deployment": "x"},
        "images": {"env": "x:1"}}"#;
    assert!(Request::parse(&Parameters::Text(same_name_elsewhere.into()), JOB).is_ok());
}

#[test]
fn a_long_name_before_many_items_costs_no_time() {
    let name = "k".repeat(1 << 20);
    for item in ["1", r#"{"a":1}"#] {
        let items = vec![item; (1 << 20) / (item.len() + 1)].join(",");
        let start = std::time::Instant::now();
        assert_eq!(repeated(&format!(r#"{{"{name}":[{items}]}}"#)), None);
        assert!(
            start.elapsed() < Duration::from_secs(2),
            "{item}: {:?}",
            start.elapsed()
        );
    }
    // The path is the one of the place, whatever was read before.
    let text = r#"{"x": {"y": [{"z": 1}, 2]}, "a": [{"b": {"c": 1}}, {"d": 1, "d": 2}]}"#;
    assert_eq!(repeated(text).as_deref(), Some("a.d"));
    assert_eq!(
        repeated(r#"{"a": {"b": 1}} {"b": 1, "b": 2}"#).as_deref(),
        Some("b")
    );
    assert_eq!(repeated(r#"[{"a": {"a": 1}}, {"a": 1}, []]"#), None);
}

#[test]
fn secrets_are_the_values_of_variables() {
    let container = |name: &str, value: &str| {
        json!({"name": name, "image": "web:2",
        "env": [{"name": "A", "value": value}, {"name": "B", "valueFrom": {}}, {"name": "C"}]})
    };
    let request = parse(&json!({
        "deployment": "web-server", "images": {"web": "web:2"},
        "env": {"ONE": "first", "TWO": "second", "GONE": null},
        "manifest": {"spec": {"template": {"spec": {
            "containers": [container("web", "third"), {"name": "bare"}],
            "initContainers": [container("setup", "fourth")]}}}}}))
    .unwrap();
    let mut secrets = request.secrets().collect::<Vec<_>>();
    secrets.sort_unstable();
    assert_eq!(secrets, ["first", "fourth", "second", "third"]);
}

#[test]
fn a_value_that_a_name_has_too_is_no_secret() {
    let request = parse(&json!({
        "deployment": "web-server", "namespace": "production", "images": {"app": "repo/web:2"},
        "container": "app", "execution": "run-7",
        "env": {"A": "production", "B": "server", "C": "repo/web:2", "D": "true", "E": "false",
            "F": "app", "G": "run-7", "H": "production!"}}))
    .unwrap();
    assert_eq!(request.secrets().collect::<Vec<_>>(), ["production!"]);
}

#[test]
fn debug_shows_no_value_of_a_variable() {
    let request = parse(&with(json!({"env": {"A": "s3cret-a"}, "manifest": {
        "spec": {"template": {"spec": {"containers": [
            {"name": "web", "env": [{"name": "B", "value": "s3cret-b"}]}]}}}}})))
    .unwrap();
    let shown = format!("{request:?}");
    assert!(
        shown.contains("web:2") && shown.contains("Hidden"),
        "{shown}"
    );
    assert!(!shown.contains("s3cret"), "{shown}");
    let hidden = request.env["A"].as_ref().unwrap();
    assert_eq!(hidden.reveal(), "s3cret-a");
}

fn files(manifest: Option<&str>, images: Option<&str>) -> Files {
    let file = |content: &str| File {
        artifact: "Source".into(),
        revision: Some("e0c7".into()),
        content: content.into(),
    };
    Files {
        manifest: manifest.map(file),
        images: images.map(file),
        ..Files::default()
    }
}

const DEPLOYMENT: &str = "kind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    \
    spec:\n      containers:\n      - {name: app, image: 'app:${TAG}'}\n";

/// Reads the parameters and these files.
fn complete(fields: Value, files: &Files) -> Result<Request, Vec<Fault>> {
    let draft = Draft::read(&Parameters::Text(fields.to_string()))?;
    match draft.complete(files.clone(), JOB)? {
        Asked::Workload(request, _) => Ok(request),
        Asked::Release(_) => panic!("a release"),
    }
}

#[test]
fn files_are_wanted_where_they_are_named() {
    let wanted = |fields: Value| {
        let draft = Draft::read(&Parameters::Text(fields.to_string())).unwrap();
        let Wanted {
            manifest, images, ..
        } = draft.wanted;
        [manifest, images].map(|member| member.map(|member| member.to_string()))
    };
    let some = |text: &str| Some(format!("`{text}`"));
    let inline = manifest(json!({"name": "web"}));
    for (fields, expected) in [
        (
            json!({"deployment": "web", "images": {"web": "web:2"}}),
            [None, None],
        ),
        (json!({"manifest": inline}), [None, None]),
        (
            json!({"manifest": "k8s/a.yaml"}),
            [some("k8s/a.yaml"), None],
        ),
        (
            json!({"manifest": "./a.yaml", "images": "Build::imagedefinitions.json"}),
            [some("a.yaml"), some("Build::imagedefinitions.json")],
        ),
        (
            json!({"manifest": "Build::/k8s\\a.yaml", "images": "/./x/gro\u{308}\u{df}e.json"}),
            [some("Build::k8s/a.yaml"), some("x/gr\u{f6}\u{df}e.json")],
        ),
        (
            json!({"deployment": "web", "images": "imageDetail.json", "container": "app"}),
            [None, some("imageDetail.json")],
        ),
    ] {
        assert_eq!(wanted(fields.clone()), expected, "{fields}");
    }
    for path in [
        "",
        "/",
        "../a.yaml",
        "/../a.yaml",
        "..\\a.yaml",
        "a/../b",
        "a//b",
        "a/",
        "::a",
        "A B::a",
        "A::",
        "a\nb",
        "{\"kind\": 1}",
        "#{Build.FILE}",
    ] {
        one_fault("manifest", json!({"manifest": path}), "", path);
    }
    let long = format!("{}.yaml", "x".repeat(PATH_LIMIT));
    one_fault(
        "manifest",
        json!({"manifest": long}),
        "must be the path",
        "long",
    );
}

#[test]
fn files_and_variables_make_a_request() {
    let fields = json!({"manifest": "a.yaml", "variables": {"TAG": "2"}});
    let request = complete(fields, &files(Some(DEPLOYMENT), None)).unwrap();
    assert_eq!((&*request.deployment, request.method), ("web", Method::Put));
    let image = request
        .manifest
        .unwrap()
        .pointer("/spec/template/spec/containers/0/image")
        .cloned();
    assert_eq!(image, Some(json!("app:2")));
    assert_eq!(request.commit.as_deref(), Some("e0c7"));
    let named = r#"[{"name": "app", "imageUri": "app:3"}]"#;
    let fields = json!({"manifest": "a.yaml", "images": "b.json", "mode": "plan",
        "variables": {"COMMIT": "f00", "TAG": "2"}});
    let text = format!("{DEPLOYMENT}      # ${{COMMIT}}\n      nodeName: ${{COMMIT}}\n");
    let request = complete(fields, &files(Some(&text), Some(named))).unwrap();
    assert_eq!(request.images, images(&[("app", "app:3")]));
    assert_eq!(
        (request.commit.as_deref(), request.mode),
        (Some("f00"), Mode::Plan)
    );
    let sole = r#"{"ImageURI": "app:4"}"#;
    let fields = |container: Value| {
        let mut fields = json!({"deployment": "web", "images": "b.json"});
        if !container.is_null() {
            fields["container"] = container;
        }
        fields
    };
    let request = complete(fields(Value::Null), &files(None, Some(sole))).unwrap();
    assert_eq!(
        (request.image("x", true), request.image("x", false)),
        (Some(&"app:4".into()), None)
    );
    let request = complete(fields(json!("app")), &files(None, Some(sole))).unwrap();
    assert_eq!(
        (request.images, request.sole_image),
        (images(&[("app", "app:4")]), None)
    );
    // Without variables nothing is filled, and a shell's places stay.
    let text = DEPLOYMENT.replace("'app:${TAG}'", "'app:1', args: ['${HOME}']");
    let request = complete(json!({"manifest": "a.yaml"}), &files(Some(&text), None)).unwrap();
    assert!(request.manifest.unwrap().to_string().contains("${HOME}"));
}

#[test]
fn faults_of_files_and_variables_are_told_together() {
    let told = |fields: Value, files: &Files| {
        let faults = complete(fields, files).unwrap_err().into_iter();
        let lines = faults.map(|fault| format!("`{}` {}", fault.field, fault.problem));
        lines.collect::<Vec<_>>().join("\n")
    };
    let none = files(Some(DEPLOYMENT), None);
    insta::assert_snapshot!(told(json!({"manifest": "a.yaml"}), &none), @r#"`manifest.spec.template.spec.containers[app].image` is `app:${TAG}`, which is not a valid image: nothing filled in `${TAG}`. In a manifest `variables` do that; elsewhere the step that writes it must"#);
    let fields = json!({"manifest": "a.yaml", "variables": {"TGA": "1", "X": "2"}});
    insta::assert_snapshot!(told(fields, &none), @r#"
    `manifest.spec.template.spec.containers[app].image` has `${TAG}`, and `variables` has no TAG. Where the text itself is meant, write `$${TAG}`
    `variables.TGA` has no place in the manifest: no string in it has `${TGA}` (keys are not filled)
    `variables.X` has no place in the manifest: no string in it has `${X}` (keys are not filled)
    "#);
    let text = DEPLOYMENT.replace("${TAG}", "#{Build.TAG}");
    let unfilled = files(Some(&text), None);
    insta::assert_snapshot!(told(json!({"manifest": "a.yaml"}), &unfilled), @r#"`manifest.spec.template.spec.containers[app].image` has `#{Build.TAG}`, and CodePipeline fills variables in UserParameters alone, never in files: write `${NAME}` in a manifest and give NAME by `variables`"#);
    let fields = json!({"deployment": "other", "manifest": "Source::a.yaml"});
    insta::assert_snapshot!(told(fields, &none), @r#"`manifest` names `Source::a.yaml`, which has no Deployment `other`; it has `Deployment/web`"#);
    let fields = json!({"manifest": "a.yaml", "images": "Build::b.json",
        "variables": {"TAG": "1"}});
    let broken = files(Some(DEPLOYMENT), Some(r#"[{"name": "app"}, {"name": 1}]"#));
    insta::assert_snapshot!(told(fields, &broken), @r#"
    `images[0]` of `Build::b.json` must be {"name": "web", "imageUri": "…"}, and has `name`
    `images[1]` of `Build::b.json` must be {"name": "web", "imageUri": "…"}, and has `name`
    "#);
    let fields = json!({"deployment": "web", "restart": true, "variables": {"1A": 2, "B": "#{x}"},
        "mode": "dry"});
    insta::assert_snapshot!(told(fields, &none), @r"
    `variables` fill places in a manifest, and there is no `manifest`
    `variables.1A` is not a valid variable name: letters, digits and `_`, no digit first
    `variables.1A` must be a string, and is a number
    `variables.B` has a variable that CodePipeline did not fill in: `#{x}`. The action that gives it needs a `namespace` and must come earlier in the pipeline
    `mode` must be `deploy`, `plan`, `rollback` or `planRollback`, and is `dry`
    ");
    let broken = files(Some("a: [\n"), None);
    insta::assert_snapshot!(told(json!({"manifest": "a.yaml"}), &broken), @r"`manifest` of `a.yaml` is not valid YAML: unclosed bracket '[' (line 1)");
}

/// All faults of parameters, each in a line.
fn all_faults(text: &str) -> String {
    let faults = Request::parse(&Parameters::Text(text.to_owned()), "job").unwrap_err();
    let lines = faults
        .iter()
        .map(|it| format!("{}: {}", it.field, it.problem));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_wrong_strategy_hides_no_other_fault() {
    let of = |strategy: &str| {
        all_faults(&format!(
            r#"{{"deployment": "web", "restart": true, "timeout": "1h", "strategy": {strategy}, "service": "UP", "bake": "2h", "smoke": 5, "keep": "x"}}"#
        ))
    };
    assert_snapshot!(of(r#""blue-green""#), @r#"
    strategy: must be `blueGreen`, and is `blue-green`
    service: is `UP`, which is not a valid Kubernetes name: at most 55 lower-case letters, digits and `-`, a letter or digit first and last
    keep: must be a whole number from 0 to 20, no quotes
    smoke: must be a path such as "/health", or {"path": "/health", "contains": "ok", "port": "http"}, and is a number
    bake: is 2 h, and must be shorter than `timeout`, which is for the whole deploy and is 1 h: give a shorter `bake` or a longer `timeout`
    "#);
    assert_snapshot!(of("null"), @r#"
    strategy: must be a string, and is null
    service: is `UP`, which is not a valid Kubernetes name: at most 55 lower-case letters, digits and `-`, a letter or digit first and last
    keep: must be a whole number from 0 to 20, no quotes
    smoke: must be a path such as "/health", or {"path": "/health", "contains": "ok", "port": "http"}, and is a number
    bake: is 2 h, and must be shorter than `timeout`, which is for the whole deploy and is 1 h: give a shorter `bake` or a longer `timeout`
    "#);
    assert_snapshot!(of(r#""mirror""#), @r#"
    strategy: must be `rolling`, `blueGreen`, `canary` or `immutable`, and is `mirror`
    service: is `UP`, which is not a valid Kubernetes name: at most 55 lower-case letters, digits and `-`, a letter or digit first and last
    keep: must be a whole number from 0 to 20, no quotes
    smoke: must be a path such as "/health", or {"path": "/health", "contains": "ok", "port": "http"}, and is a number
    bake: is 2 h, and must be shorter than `timeout`, which is for the whole deploy and is 1 h: give a shorter `bake` or a longer `timeout`
    "#);
}

#[test]
fn a_variable_that_was_not_filled_in_is_the_one_fault_of_its_field() {
    assert_snapshot!(all_faults(
        r##"{"deployment": "#{A.b}", "restart": true, "strategy": "#{A.b}", "mode": "#{A.b}", "timeout": "#{A.b}", "execution": "#{A.b}"}"##
    ), @r"
    deployment: has a variable that CodePipeline did not fill in: `#{A.b}`. The action that gives it needs a `namespace` and must come earlier in the pipeline
    strategy: has a variable that CodePipeline did not fill in: `#{A.b}`. The action that gives it needs a `namespace` and must come earlier in the pipeline
    timeout: has a variable that CodePipeline did not fill in: `#{A.b}`. The action that gives it needs a `namespace` and must come earlier in the pipeline
    mode: has a variable that CodePipeline did not fill in: `#{A.b}`. The action that gives it needs a `namespace` and must come earlier in the pipeline
    execution: has a variable that CodePipeline did not fill in: `#{A.b}`. The action that gives it needs a `namespace` and must come earlier in the pipeline
    ");
}

#[test]
fn why_parameters_cannot_be_read_is_told_by_the_cause() {
    let cut = format!(
        r#"{{"deployment": "web", "env": {{"A": "{}"#,
        "x".repeat(990)
    );
    let deep = format!(r#"{{"env": {}1{}}}"#, "[".repeat(200), "]".repeat(200));
    let encoded = serde_json::to_string(r#"{"deployment": "web"}"#).unwrap();
    let encoded = serde_json::to_string(&encoded).unwrap();
    let large = format!(r#"{{"{}": 1}}"#, "x".repeat(300_000));
    for (text, expected) in [
        (
            &cut[..1000],
            "the text ends inside a string. CodePipeline passes on 1,000 characters at most",
        ),
        (
            r#"{"deployment": "web"#,
            "the text ends inside a string. CodePipeline puts the value",
        ),
        (
            r#"{"deployment": "web""#,
            "the text ends too early. Their end is missing",
        ),
        (
            &deep,
            "it is nested too deeply. No field has so many levels",
        ),
        (
            r#"{"timeout": 1e400}"#,
            "number out of range. No field takes such a number",
        ),
        (&encoded, "they were written as JSON twice"),
        (&large, "are larger than 256 KiB. Put `manifest`"),
    ] {
        let told = all_faults(text);
        assert!(told.contains(expected), "{told}");
        assert!(told.len() < 700, "{told}");
    }
}
