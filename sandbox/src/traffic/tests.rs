use super::*;
use serde_json::json;

fn pods(names: &[&str]) -> Option<BTreeSet<String>> {
    Some(names.iter().map(|name| (*name).to_owned()).collect())
}

fn ready(service: &str) -> Option<BTreeSet<String>> {
    match service {
        "web" => pods(&["web-blue-1-a", "web-blue-1-b"]),
        "web-canary" => pods(&["web-green-1-a"]),
        "empty" => pods(&[]),
        _ => None,
    }
}

fn traffic(backends: &[(&str, u64)]) -> Traffic {
    let backends = backends
        .iter()
        .map(|(name, weight)| json!({"name": name, "weight": weight}));
    let backends = backends.collect::<Vec<_>>();
    of_route(&json!([{"backendRefs": backends}]), ready).remove(0)
}

fn near(left: f64, right: f64) -> bool {
    (left - right).abs() < 1e-9
}

#[test]
fn weights_divide_between_services_and_services_evenly_between_ready_pods() {
    let traffic = traffic(&[("web", 90), ("web-canary", 10)]);
    let shares = traffic.shares();
    assert!(near(shares[&Outcome::Pod("web-blue-1-a".into())], 0.45));
    let versions = traffic.by_version();
    assert!(near(versions["web-blue"], 0.9) && near(versions["web-green"], 0.1));
    assert_eq!(
        traffic.to_string(),
        "web 90 (2 ready), web-canary 10 (1 ready)"
    );
}

#[test]
fn what_has_weight_and_cannot_answer_fails() {
    let versions = traffic(&[("web", 3), ("empty", 1)]).by_version();
    assert!(near(versions["503"], 0.25));
    let versions = traffic(&[("web", 1), ("gone", 1)]).by_version();
    assert!(near(versions["500"], 0.5));
    assert!(near(traffic(&[("web", 0)]).by_version()["500"], 1.0));
}

#[test]
fn capacity_is_judged_by_the_share() {
    let problem = |backends: &[(&str, u64)]| traffic(backends).problem(2).unwrap_or_default();
    for well in [
        &[("web", 90), ("web-canary", 10)][..],
        &[("web", 100), ("empty", 0)],
        &[("web", 100), ("gone", 0)],
        &[("web", 50), ("web-canary", 50)],
    ] {
        assert_eq!(problem(well), "", "{well:?}");
    }
    assert_eq!(
        problem(&[("web", 40), ("web-canary", 60)]),
        "web-canary has weight 60 of 100 and 1 ready pods, and needs 2"
    );
    assert!(problem(&[("web", 99), ("empty", 1)]).contains("0 ready pods"));
    assert!(problem(&[("web", 99), ("gone", 1)]).contains("does not exist"));
    assert!(problem(&[("web", 0)]).contains("no backend has weight"));
}

#[test]
fn an_ingress_sends_by_its_actions_and_by_names() {
    let mut ingress = crate::gateway::sample_ingress("web", "web");
    let paths = ingress["spec"]["rules"][0]["http"]["paths"].as_array_mut();
    paths
        .unwrap()
        .push(json!({"backend": {"service": {"name": "empty"}}}));
    let all = of_route(&crate::gateway::content(&ingress), ready);
    let words = all.iter().map(Traffic::to_string).collect::<Vec<_>>();
    assert_eq!(words, ["web 1 (2 ready)", "empty 1 (0 ready)"]);
}
