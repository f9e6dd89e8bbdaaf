use super::*;

#[test]
fn the_proxy_is_asked_for_the_port_that_is_meant() {
    let ask = |port: Option<&str>| Smoke {
        path: "/".into(),
        contains: None,
        port: port.map(str::to_owned),
    };
    let udp = json!({"name": "dns", "port": 53, "protocol": "UDP"});
    let metrics = json!({"name": "metrics", "port": 9090});
    for (ports, asked, expected) in [
        (json!([{"port": 80}]), None, Some("web:80")),
        (
            json!([{"name": "http", "port": 80}]),
            None,
            Some("web:http"),
        ),
        (json!([{"port": 443}]), None, Some("https:web:443")),
        // A load balancer that ends TLS itself.
        (
            json!([{"name": "http", "port": 443}]),
            None,
            Some("web:http"),
        ),
        (
            json!([{"name": "https-api", "port": 8443}]),
            None,
            Some("https:web:https-api"),
        ),
        (
            json!([{"port": 9, "appProtocol": "https"}]),
            None,
            Some("https:web:9"),
        ),
        (
            json!([{"port": 443, "appProtocol": "http"}]),
            None,
            Some("web:443"),
        ),
        (json!([udp, {"port": 80}]), None, Some("web:80")),
        (
            json!([metrics, {"name": "web", "port": 80}]),
            Some("web"),
            Some("web:web"),
        ),
        (
            json!([metrics, {"name": "web", "port": 80}]),
            Some("80"),
            Some("web:web"),
        ),
        (json!([metrics]), Some("web"), None),
        (json!([udp]), None, None),
        (json!([]), None, None),
    ] {
        let service = Service::new(json!({"metadata": {"name": "web"}, "spec": {"ports": ports}}));
        let port = port_of(&service, &ask(asked));
        let found = port.map(|port| proxy_target(&service, Some(port)));
        assert_eq!(found.as_deref(), expected, "{ports}");
    }
}
