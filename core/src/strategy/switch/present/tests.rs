use super::*;

#[test]
fn a_pod_tells_its_deployment_by_its_name() {
    for (pod, deployment) in [
        ("web-7d9f-abcde", Some("web")),
        ("web-blue-7d9f-abcde", Some("web-blue")),
        ("10.0.0.7", None),
        ("pod-alone", None),
    ] {
        assert_eq!(deployment_of(pod), deployment, "{pod}");
    }
}

#[test]
fn what_is_there_is_said_as_it_was_read() {
    let present = |is_there, sends: &[(&str, usize)], up: &[(&str, i64)]| TrafficState {
        service: "front".into(),
        is_there,
        detour: None,
        sends: sends
            .iter()
            .map(|(name, n)| ((*name).to_owned(), *n))
            .collect(),
        up: up
            .iter()
            .map(|(name, n)| ((*name).to_owned(), *n))
            .collect(),
        version: None,
    };
    for (present, sentence) in [
        (
            present(true, &[("web", 2)], &[("web", 2)]),
            "Service `front` now routes to `web` (2 pods). Scaled up: `web` (2 replicas).",
        ),
        (
            present(
                true,
                &[("web", 2), ("web-blue", 1)],
                &[("web", 2), ("web-blue", 3)],
            ),
            "Service `front` now routes to `web` (2 pods) and `web-blue` (1 pod): more than one \
             version serves at once. Scaled up: `web` (2 replicas) and `web-blue` (3 replicas).",
        ),
        (
            present(true, &[], &[("web", 1)]),
            "Service `front` now routes to no pod, so nothing is served. Scaled up: `web` \
             (1 replica).",
        ),
        (
            present(false, &[], &[]),
            "Service `front` does not exist now. None of its Deployments is scaled up.",
        ),
    ] {
        assert_eq!(present.sentence(), sentence);
    }
}
