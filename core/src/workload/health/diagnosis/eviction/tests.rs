use super::Excess;

fn message(threshold: &str, uses: &str) -> String {
    format!("The node was low on resource: memory. {threshold}{uses}")
}

#[test]
fn what_a_pod_used_up_itself_is_its_own() {
    const THRESHOLD: &str = "Threshold quantity: 100Mi, available: 40Mi. ";
    let more = ", has larger consumption of memory. ";
    for (about, threshold, uses, own) in [
        (
            "far more than it requests",
            THRESHOLD,
            format!("Container web was using 3Gi, request is 128Mi{more}"),
            Some("the node was low on memory, of which `web` used 3Gi and requests 128Mi"),
        ),
        (
            "the larger one of two",
            THRESHOLD,
            format!(
                "Container log was using 300Mi, request is 0{more}Container web was using 2Gi, \
                 request is 0{more}"
            ),
            Some("the node was low on memory, of which `web` used 2Gi and requests none"),
        ),
        (
            "an older kubelet",
            "",
            "Container web was using 2180192Ki, which exceeds its request of 64Mi. ".to_owned(),
            Some("the node was low on memory, of which `web` used 2180192Ki and requests 64Mi"),
        ),
        (
            "a little, of which nothing was requested: others have used the rest",
            THRESHOLD,
            format!("Container web was using 12Mi, request is 0{more}"),
            None,
        ),
        (
            "what it requests",
            THRESHOLD,
            format!("Container web was using 2Gi, request is 2Gi{more}"),
            None,
        ),
        ("nothing is said of it", THRESHOLD, String::new(), None),
        (
            "no quantity",
            THRESHOLD,
            "Container web was using much, request is little. ".to_owned(),
            None,
        ),
    ] {
        let message = message(threshold, &uses);
        let found = Excess::read(&message).map(|excess| excess.sentence());
        assert_eq!(found.as_deref(), own, "{about}");
    }
    let of_pod = "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. ";
    assert_eq!(Excess::read(of_pod), None);
}
