use super::*;
use serde_json::{Value, json};

fn switch(handover: AskedHandover) -> Switch {
    Switch {
        service: "web".to_owned(),
        bake: Duration::from_secs(30),
        smoke: None,
        handover,
    }
}

fn service(spec: Value, annotations: Value) -> Service {
    Service::new(json!({"metadata": {"name": "web", "annotations": annotations}, "spec": spec}))
}

fn plain() -> Service {
    service(json!({"selector": {"app": "web"}}), json!({}))
}

fn snapshot(bindings: Listed, ingresses: Option<Listed>) -> Snapshot {
    let mut snapshot = Snapshot::default();
    let query = |items| Query::List(items, String::new());
    snapshot.set(query(Items::TargetGroupBindings), bindings);
    if let Some(ingresses) = ingresses {
        snapshot.set(query(Items::Ingresses), ingresses);
    }
    snapshot
}

fn auto(service: &Service, snapshot: &Snapshot) -> Handover {
    choose(&switch(AskedHandover::Auto), service, snapshot).unwrap()
}

fn binding(labels: Value) -> Listed {
    Listed::Items(vec![
        json!({"metadata": {"name": "k8s-web", "labels": labels},
        "spec": {"serviceRef": {"name": "web", "port": 80}, "targetType": "ip"}}),
    ])
}

#[test]
fn what_the_user_says_counts_and_nothing_is_read_for_it() {
    let nothing_read = Snapshot::default();
    let chosen = |asked| choose(&switch(asked), &plain(), &nothing_read);
    assert_eq!(chosen(AskedHandover::Cut), Ok(Handover::cut(Why::Asked)));
    let time = Duration::from_secs(45);
    let overlap = chosen(AskedHandover::Overlap(Some(time))).unwrap();
    assert_eq!((overlap.time(), &overlap.why), (Some(time), &Why::Asked));
}

/// How long it takes depends on what is in front.
#[test]
fn an_overlap_without_a_time_has_the_time_that_is_needed() {
    let asked = switch(AskedHandover::Overlap(None));
    for (bindings, expected) in [
        (
            binding(json!({"ingress.k8s.aws/stack-name": "shop"})),
            APPLICATION,
        ),
        (
            binding(json!({"service.k8s.aws/stack-name": "web"})),
            NETWORK,
        ),
        (Listed::Items(Vec::new()), ANY),
    ] {
        let chosen = choose(&asked, &plain(), &snapshot(bindings, None)).unwrap();
        assert_eq!((chosen.time(), &chosen.why), (Some(expected), &Why::Asked));
    }
    let unread = snapshot(Listed::Refused, Some(Listed::Refused));
    let chosen = choose(&asked, &plain(), &unread).unwrap();
    assert_eq!(chosen.time(), Some(ANY));
}

#[test]
fn target_group_bindings_tell_everything() {
    let of_ingress = snapshot(binding(json!({"ingress.k8s.aws/stack-name": "shop"})), None);
    let handover = auto(&plain(), &of_ingress);
    assert_eq!(handover.time(), Some(APPLICATION));
    assert!(matches!(handover.why, Why::Front(_)));
    let of_service = snapshot(binding(json!({"service.k8s.aws/stack-name": "web"})), None);
    assert_eq!(auto(&plain(), &of_service).time(), Some(NETWORK));
    // The Ingresses are not even asked for.
    let none = snapshot(Listed::Items(Vec::new()), None);
    assert_eq!(auto(&plain(), &none), Handover::cut(Why::NoFront));
}

#[test]
fn without_them_the_service_and_the_ingresses_do() {
    let key = "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type";
    let network = service(json!({"type": "LoadBalancer"}), json!({key: "ip"}));
    for bindings in [Listed::Unserved, Listed::Refused] {
        let found = auto(&network, &snapshot(bindings, None));
        assert_eq!(found.time(), Some(NETWORK));
    }
    let ingress = json!({"metadata": {"name": "shop",
            "annotations": {"alb.ingress.kubernetes.io/target-type": "ip"}},
        "spec": {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}}});
    for bindings in [Listed::Unserved, Listed::Refused] {
        let ingresses = Listed::Items(vec![ingress.clone()]);
        let found = auto(&plain(), &snapshot(bindings, Some(ingresses)));
        assert_eq!(found.time(), Some(APPLICATION));
    }
    let first = choose(&switch(AskedHandover::Auto), &plain(), &Snapshot::default());
    assert_eq!(
        first,
        Err(Query::List(Items::TargetGroupBindings, String::new()))
    );
    let second = snapshot(Listed::Unserved, None);
    let second = choose(&switch(AskedHandover::Auto), &plain(), &second);
    assert_eq!(second, Err(Query::List(Items::Ingresses, String::new())));
}

/// Two versions never serve at once where nothing is known to need it.
#[test]
fn what_may_not_be_read_is_a_cut_that_says_so() {
    let (bindings, ingresses) = (
        "targetgroupbindings.elbv2.k8s.aws",
        "ingresses.networking.k8s.io",
    );
    for (first, second, names) in [
        (Listed::Refused, Listed::Refused, vec![bindings, ingresses]),
        (Listed::Unserved, Listed::Refused, vec![ingresses]),
        (Listed::Refused, Listed::Items(Vec::new()), vec![bindings]),
    ] {
        let found = auto(&plain(), &snapshot(first, Some(second)));
        let names = names.into_iter().map(str::to_owned).collect();
        assert_eq!(found, Handover::cut(Why::Unreadable(names)));
    }
    let none = snapshot(Listed::Unserved, Some(Listed::Items(Vec::new())));
    assert_eq!(auto(&plain(), &none), Handover::cut(Why::NoFront));
}

#[test]
fn what_a_service_notes_of_it_is_read_again_or_not_known() {
    let front = snapshot(binding(json!({"ingress.k8s.aws/stack-name": "shop"})), None);
    for handover in [
        auto(&plain(), &front),
        Handover::cut(Why::NoFront),
        Handover::cut(Why::Unreadable(vec!["pods".to_owned()])),
        Handover::cut(Why::Others("other-1".to_owned())),
    ] {
        let text = serde_json::to_string(&handover).unwrap();
        let noted = service(json!({}), json!({marks::HANDOVER: text}));
        assert_eq!(Handover::noted(&noted), Some(handover));
    }
    for text in ["", "cut", r#"{"why": "because"}"#] {
        let odd = service(json!({}), json!({marks::HANDOVER: text}));
        assert_eq!(Handover::noted(&odd), None, "{text}");
    }
    assert_eq!(Handover::noted(&plain()), None);
}
